"""The whole demo world, made once per test run and copied per use.

A test asks for ``demo_copy`` and gets a fresh SQLite database that it may change as it likes; a
module that walks many pages asks for ``demo_world`` and copies one for itself::

    @pytest.fixture(scope="module")
    def demo(demo_world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCopy]:
        with demo_world.copied(tmp_path_factory.mktemp("demo")) as copy:
            yield copy

    def test_the_first_page_names_the_supplier(demo: DemoCopy) -> None:
        assert "Brook Valves" in demo.served.browser("mira").get("/").text

The world stands on Monday, 2026-03-16: that is the business date of the bank, and the clock of
``copy.platform`` stands still at ten o'clock UTC (:data:`NOW`). Eighteen months lie behind it, the
same ones at every run, for ``scf.demo.history`` draws them from a fixed seed.

``copy.served`` is the web application over it (``served.app`` for a real server, ``copy.url`` for
a process of its own). Its people go by short names: ``mira`` (treasurer), ``carl`` and ``anna``
(clerk and approver of an anchor), ``omar``, ``chen``, ``hana`` and ``adam`` (the bank), ``nils``,
``petra``, ``vera`` and ``ivan`` (the second bank, in the same roles), and the bookkeeper of every
other firm by the firm's word in ``books@WORD.tributary.example``.
``served.browser("omar")`` is signed in at once. For a sign-in by hand ``copy.sign_ins["omar"]``
has e-mail and password, and ``tests.web.signing.code(copy.served, "omar")`` gives the next code.

Making it costs some 35 s in the first worker that asks; the others wait for it.
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import select

from scf.bootstrap import build
from scf.db.platform import Platform
from scf.demo import history
from scf.kernel.clock import FixedClock
from scf.parties.factors.models import TotpFactor
from scf.parties.factors.vault import Vault
from scf.parties.models import Firm, User
from scf.parties.service import actor_of_user
from scf.programmes.registry.connecting import registries_of
from scf.programmes.registry.port import Connect
from tests.support.deals import table
from tests.support.engines import gather
from tests.support.people import World
from tests.support.served import KEY, Served, application

NOW = dt.datetime(2026, 3, 16, 10, tzinfo=dt.UTC)
TODAY = NOW.date()
_DATABASE, _USERS, _BANK = "scf.db", "demo-users.json", "demo-bank"


@dataclass(frozen=True)
class DemoCopy:
    """One copy of the demo world: its database, its files, and the platform over them."""

    folder: Path
    platform: Platform
    clock: FixedClock

    @property
    def url(self) -> str:
        """Address of the database, for a ``Database`` or a process of its own."""
        return f"sqlite:///{self.folder / _DATABASE}"

    @property
    def users_file(self) -> Path:
        """The file of the sign-ins, as ``scf demo`` writes it."""
        return self.folder / _USERS

    @property
    def bank_folder(self) -> Path:
        """Where the bank of the demo world keeps its memory and its files."""
        return self.folder / _BANK

    @cached_property
    def sign_ins(self) -> dict[str, dict[str, str]]:
        """Role, organisation, e-mail and password of whoever was told one, by short name."""
        users = json.loads(self.users_file.read_text(encoding="utf-8"))["users"]
        return {_short(line["email"]): line for line in users}

    @cached_property
    def served(self) -> Served:
        """The web application over this copy, and clients that ask as somebody."""
        world = World(self.platform, self.clock)
        user, factor, firm = table(User), table(TotpFactor), table(Firm)
        vault = Vault(KEY.encode())
        with self.platform.db.snapshot() as conn:
            world.firms.update({row.name: row.id for row in conn.execute(select(firm))})
            everybody = conn.execute(
                select(user.c.id, user.c.email, factor.c.sealed).join(
                    factor, factor.c.user_id == user.c.id
                )
            ).all()
            for row in everybody:
                actor = actor_of_user(conn, row.id)
                assert actor is not None
                world.people[_short(row.email)] = actor
                world.authenticators[_short(row.email)] = vault.open(row.sealed, row.id)
        assert len(world.people) == len(everybody), "two people of one short name"
        return Served(world, application(world, may_be_demo=True))


@dataclass(frozen=True)
class DemoWorld:
    """The world that a run has made; nobody opens it, everybody copies it."""

    folder: Path

    @contextmanager
    def copied(self, folder: Path) -> Iterator[DemoCopy]:
        """Give a copy of the world in a folder, open until the end of the block."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        clock = FixedClock(NOW)
        platform = build(
            f"sqlite:///{folder / _DATABASE}", clock=clock, registries=_registries(folder)
        )
        yield DemoCopy(folder, platform, clock)
        platform.close()


def _registries(folder: Path) -> Mapping[str, Connect]:
    """Reach the registry of the world's banks, whose key lies beside the world."""
    return registries_of(folder / "registries.toml", may_make=True)


def make(folder: Path, empty: Path) -> None:
    """Live the eighteen months in a copy of an empty database, as ``scf demo`` does."""
    folder.mkdir()
    file = shutil.copyfile(empty, folder / _DATABASE)
    clock = FixedClock(NOW)
    platform = build(f"sqlite:///{file}", clock=clock, registries=_registries(folder))
    vault = Vault(KEY.encode())
    history.ensure(platform, clock, TODAY, folder / _USERS, folder / _BANK, vault)
    platform.close()
    gather(file)


def _short(email: str) -> str:
    """Give the short name of a person: a bookkeeper is called as the firm is."""
    name, _at, domain = email.partition("@")
    return domain.partition(".")[0] if name == "books" else name
