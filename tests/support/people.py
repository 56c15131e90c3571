"""A small world of firms and people, made by the product's own commands."""

import datetime as dt
import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Table, select

from scf.bootstrap import (
    Platform,
    after_giving_up,
    deliver,
    job_handlers,
    load_appetite,
    load_calendars,
    load_chart,
    load_slices,
)
from scf.db.engine import Database
from scf.db.runner import Runner
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.parties import tokens
from scf.parties.access import authorise
from scf.parties.models import Firm
from scf.parties.service import actor_of_user
from tests.support.engines import Prepare

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
PASSWORD = "heron-cellar-oblique-17"
TRADER_ROLES = (Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER, Role.ADMINISTRATOR)
BANK_ROLES = (Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE, Role.ADMINISTRATOR)


@functools.cache
def _loaded() -> None:
    load_slices()
    load_chart()
    load_calendars()
    load_appetite()


def platform_on(db: Database, clock: FixedClock | None = None) -> Platform:
    """Put the platform together over a test's database."""
    _loaded()
    the_clock = clock or FixedClock(NOON)
    return Platform(
        db,
        the_clock,
        Runner(db, the_clock, authorise),
        job_handlers,
        deliver,
        given_up=after_giving_up(),
    )


@dataclass
class World:
    """Firms and people by short names, and keys that are never used twice."""

    platform: Platform
    clock: FixedClock
    firms: dict[str, str] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    authenticators: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)  # ids of what stands in it, by kind
    _keys: "itertools.count[int]" = field(default_factory=itertools.count)

    def key(self) -> str:
        """Give a fresh idempotency key."""
        return f"test-{next(self._keys)}"

    def run(self, name: str, actor: Actor, /, **data: object) -> dict[str, Any]:
        """Run one command with a fresh key and give its result."""
        return self.platform.run(name, data, actor, key=self.key()).result

    def firm(self, short: str, kind: str = "trader", **more: object) -> str:
        """Add an ACTIVE firm."""
        added = self.run("firm.add", OPERATOR, name=f"{short.title()} Company", kind=kind, **more)
        firm_id = self.firms[short] = str(added["id"])
        self.run("firm.activate", OPERATOR, firm_id=firm_id, evidence="test world")
        if kind == "financier":
            self.run("day.open", OPERATOR, financier_id=firm_id, on=NOON.date())
        return firm_id

    def person(self, short: str, firm: str, *roles: Role) -> Actor:
        """Add a person who signs in as ``short@firm.example`` with :data:`PASSWORD`."""
        added = self.run(
            "user.add",
            OPERATOR,
            email=f"{short}@{firm}.example",
            name=short.replace("-", " ").title(),
            org_id=self.firms[firm],
            roles=list(roles),
            password=PASSWORD,
        )
        with self.platform.db.snapshot() as conn:
            actor = actor_of_user(conn, str(added["id"]))
        assert actor is not None
        self.people[short] = actor
        return actor

    def token(self, short: str) -> str:
        """Give a bearer token of a person, made once."""
        if short not in self.tokens:
            actor = self.people[short]
            token, _ = tokens.create(
                self.platform.runner,
                OPERATOR,
                user_id=actor.user_id,
                label="tests",
                key=self.key(),
            )
            assert token is not None
            self.tokens[short] = token
        return self.tokens[short]


def world_on(db: Database, clock: FixedClock | None = None) -> World:
    """Make an empty world."""
    the_clock = clock or FixedClock(NOON)
    return World(platform_on(db, the_clock), the_clock)


class Remembered:
    """A world in which every test of a module begins: made once per engine, found in each copy.

    ``fill`` is what a module's ``prepare`` returns; without it the world is made where it is asked
    for.
    """

    def __init__(self, make: Callable[[Database], World]) -> None:
        self._make = make
        self._made: dict[str, tuple[World, int]] = {}

    def fill(self, url: str) -> None:
        """Make the world in an empty database that will be copied."""
        db = Database(url)
        world = self._make(db)
        self._made[db.dialect] = (world, next(world._keys))
        db.close()

    def world(self, db: Database) -> World:
        """Find the world in a copy of what was filled, or make it here."""
        if db.dialect not in self._made:
            return self._make(db)
        made, keys = self._made[db.dialect]
        if not _holds(db, made):
            return self._make(db)
        clock = FixedClock(NOON)
        found = World(
            platform_on(db, clock),
            clock,
            dict(made.firms),
            dict(made.people),
            dict(made.tokens),
            dict(made.authenticators),
            dict(made.things),
        )
        found._keys = itertools.count(keys)
        return found


def _holds(db: Database, world: World) -> bool:
    """Tell whether a database is a copy of the one in which the world was made."""
    firm: Table = Firm.__table__  # type: ignore[attr-defined]
    some = next(iter(world.firms.values()))
    with db.snapshot() as conn:
        return conn.execute(select(firm.c.id).where(firm.c.id == some)).first() is not None


def _small(db: Database) -> World:
    world = world_on(db)
    world.firm("bank", "financier")
    world.firm("anchor")
    world.firm("supplier")
    world.person("maker", "bank", Role.OFFICER_MAKER)
    world.person("checker", "bank", Role.OFFICER_CHECKER)
    world.person("bank-admin", "bank", Role.ADMINISTRATOR)
    world.person("clerk", "anchor", Role.ANCHOR_CLERK)
    world.person("treasurer", "supplier", Role.TREASURER)
    world.person("supplier-admin", "supplier", Role.ADMINISTRATOR)
    return world


_SMALL = Remembered(_small)


@pytest.fixture
def small_prepare() -> Prepare:
    """Let every test of a module begin in the small world: ``prepare = small_prepare``."""
    return _SMALL.fill


def small_world(db: Database) -> World:
    """Make one bank with a maker and a checker, an anchor and a supplier."""
    return _SMALL.world(db)
