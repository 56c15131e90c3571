"""What every test shares: both engines, no network, the same random choices at every run."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.demo_world import DemoCopy, DemoWorld

pytest_plugins = ["tests.support.chromium", "tests.support.engines", "tests.support.network"]

settings.register_profile(
    "suite",
    derandomize=True,  # the same examples at every run
    database=None,
    deadline=None,  # no assertion on time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def light_hashes() -> Iterator[None]:
    """Hash passwords with little work in this process; the product's own is slow on purpose.

    ``tests/parties/test_passwords.py`` holds the product to its own parameters.
    """
    from argon2 import PasswordHasher

    from scf.parties import passwords

    with pytest.MonkeyPatch.context() as light:
        light.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))
        yield


@pytest.fixture(scope="session")
def demo_world(
    worker: str, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> "DemoWorld":
    """Return the demo world of this run; the first who asks makes it, for every worker."""
    from tests.support import demo_world

    run = tmp_path_factory.getbasetemp()
    if worker != "alone":
        run = run.parent  # each worker has a folder of its own in the run's
    folder = run / "demo-world"
    with (run / "demo-world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = run / "demo-world.part"
            shutil.rmtree(draft, ignore_errors=True)  # of a worker that was stopped
            demo_world.make(draft, sqlite_template)
            draft.rename(folder)
    return demo_world.DemoWorld(folder)


@pytest.fixture
def demo_copy(demo_world: "DemoWorld", tmp_path: Path) -> "Iterator[DemoCopy]":
    """Return a copy of the demo world for one test; see :mod:`tests.support.demo_world`."""
    with demo_world.copied(tmp_path / "demo") as copy:
        yield copy
