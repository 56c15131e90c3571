"""A real Tryton server for each test, over a copy of one prepared company."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.oscar import OscarServer, oscar
from tests.support.tryton import TrytonServer, tryton


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrytonServer]:
    """Run a server of this test's own."""
    with tryton(tmp_path / "tryton") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[OscarServer]:
    """Run a shop of this test's own."""
    with oscar(tmp_path / "oscar") as running:
        yield running
