"""The world of the matrix: two banks and three firms, a person in every role, one of each thing."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.db.models import Job
from scf.db.runner import Outcome, Runner
from scf.documents.models import DocumentFinding
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.ids import new_id
from scf.notices.models import Notice
from scf.parties.models import ApiToken
from scf.parties.ratelimit import Limit
from scf.programmes.models import LimitNode
from tests.support.engines import Prepare
from tests.support.people import BANK_ROLES, NOON, TRADER_ROLES, Remembered, World, world_on
from tests.support.served import Served, application
from tests.web.expectations import API, ROUTES
from tests.web.route_kinds import Api, Person
from tests.web.things import trade

ORGS = ("bank-a", "bank-b", "anchor-x", "anchor-y", "supplier-x")
PEOPLE = [
    Person(f"{org}-{role.value.replace('_', '-')}", org, role)
    for org in ORGS
    for role in (BANK_ROLES if org.startswith("bank") else TRADER_ROLES)
]


class DryRunner(Runner):
    """Runs every command whole and takes it back, so that no request disturbs the next."""

    def run(self, name: str, payload: Any, **how: Any) -> Outcome:  # noqa: ANN401
        return super().run(name, payload, **how | {"dry_run": True})


@dataclass
class Matrix:
    """The served world with one person per role in two banks and two firms."""

    served: Served
    people: list[Person]
    things: dict[str, str]

    def path(self, rule: str, thing_id: str) -> str:
        return re.sub(r"<[^>]+>", thing_id, rule).removeprefix(API)

    def ask(self, person: str | None, method: str, rule: str, thing_id: str) -> TestResponse:
        row = ROUTES[method, rule]
        assert isinstance(row, Api)
        body = json.loads(json.dumps(row.body).replace("{firm}", thing_id))
        headers = {"If-Match": '"1"'} if row.versioned else {}
        sends = method != "GET" and (row.body or method != "DELETE")
        return self.served.api(
            person,
            method,
            self.path(rule, thing_id) + row.query,
            json=body if sends and not row.raw else None,
            raw=row.raw,
            headers=headers,
            key="the same for all",
        )


def _made(db: Database) -> World:
    world = world_on(db)
    for org in ORGS:
        world.firm(org, "financier" if org.startswith("bank") else "trader")
    for person in PEOPLE:
        world.person(person.name, person.org, person.role)
    world.person("gone", "bank-a", Role.OFFICER_MAKER)
    world.things = _things(world)
    for name in (*(person.name for person in PEOPLE), "gone"):
        world.token(name)
    world.run(
        "user.disable",
        world.people["bank-a-administrator"],
        user_id=world.people["gone"].user_id,
    )
    return world


_WORLD = Remembered(_made)


@pytest.fixture
def matrix_prepare() -> Prepare:
    """Let every test of a module begin in the matrix's world: ``prepare = matrix_prepare``."""
    return _WORLD.fill


def matrix_on(db: Database, *, dry: bool = True) -> Matrix:
    """Serve the world; dry, every command is taken back."""
    world = _WORLD.world(db)
    if dry:
        runner = DryRunner(db, world.clock, world.platform.runner._authorise)
        object.__setattr__(world.platform, "runner", runner)
    # Nobody's token is tried on every route, more often than one address may in a quarter hour.
    unslowed = application(world, unknown_tokens=Limit(tries=10_000, seconds=900))
    return Matrix(Served(world, unslowed), PEOPLE, world.things)


def _things(world: World) -> dict[str, str]:
    """Make one object of each kind; their ids by kind."""
    treasurer = world.people["anchor-x-treasurer"]
    maker = world.people["bank-a-officer-maker"]
    firm = world.run("firm.add", treasurer, name="Invited")["id"]
    account = world.run("account.add", treasurer, iban="DE89370400440532013000", currency="EUR")
    world.token("anchor-x-treasurer")
    world.run(
        "firm.identify",
        maker,
        firm_id=world.firms["anchor-x"],
        identifiers=[{"scheme": "id", "value": "K-77"}],
    )
    terms = files("config").joinpath("programmes/payables-finance.toml").read_text("utf-8")
    programme = world.run(
        "programme.load",
        maker,
        content=terms,
        anchor_id=world.firms["anchor-x"],
        effective_on=NOON.date(),
    )
    sealed = "v1:" + "sealed for the world of the matrix"
    wanted = {"url": "https://erp.example.com/e", "events": ["upload.finished"], "sealed": sealed}
    webhook = world.run("webhook.add", treasurer, **wanted)["id"]
    connection = world.run(
        "erp.add", treasurer, name="Tryton", url="https://erp.example.com/", database="company",
        username="scf", from_on=NOON.date(), sealed=sealed,
    )["id"]  # fmt: skip
    channel = world.run("channel.add", treasurer, name="ERP", kind="PUSH", sealed=sealed)["id"]
    with world.platform.db.snapshot() as conn:
        token = conn.execute(
            select(ApiToken.__table__.c.id).where(  # type: ignore[attr-defined]
                ApiToken.__table__.c.user_id == treasurer.user_id  # type: ignore[attr-defined]
            )
        ).scalar_one()
        job = (
            conn.execute(
                select(Job.__table__.c.id).where(  # type: ignore[attr-defined]
                    Job.__table__.c.org_id == world.firms["bank-a"]  # type: ignore[attr-defined]
                )
            )
            .scalars()
            .one()
        )
    return {
        "firm": firm,
        "account": account["id"],
        "own_account": account["id"],
        "user": treasurer.user_id,
        "token": token,
        "job": job,
        "webhook": webhook,
        "channel": channel,
        "connection": connection,
        "programme": programme["id"],
        **trade(world, programme["id"]),
        "limit": _limit(world),
        "notice": _notice(world, treasurer),
        "finding": _finding(world),
        "merge": _merge(world, str(firm)),
    }


def _merge(world: World, firm: str) -> str:
    """Propose that the invited firm stands for a record that a bank made of it."""
    maker = world.people["bank-a-officer-maker"]
    twin = world.run("firm.add", maker, name="Invited Ltd")["id"]
    asked = world.run(
        "firm.merge", maker, firm_id=twin, survivor_id=firm, reason="one register entry"
    )
    return str(asked["id"])


def _finding(world: World) -> str:
    """Tell of a firm that a document of the anchor names and nobody knows."""
    finding: Any = DocumentFinding.__table__  # type: ignore[attr-defined]
    finding_id = new_id()
    told = {"name": "Brook Valves Again", "country": "NL", "identifiers": []}
    with world.platform.db.writer.begin() as conn:
        conn.execute(
            insert(finding),
            {
                "id": finding_id,
                "org_id": world.firms["anchor-x"],
                "upload_id": "upload",
                "severity": "WARNING",
                "code": "FIRM_UNKNOWN",
                "place": "seller",
                "message": "Nobody knows this firm.",
                "value": told["name"],
                "facts": {"side": "seller", "party": told},
                "created_at": NOON,
            },
        )
    return finding_id


def _notice(world: World, person: Actor) -> str:
    """Tell one person something."""
    payload = {"user_id": person.user_id}
    world.run("notice.tell", OPERATOR, event_id="e", topic="user.roles_set", payload=payload)
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(Notice.__table__.c.id)).scalar_one())  # type: ignore[attr-defined]


def _limit(world: World) -> str:
    node: Any = LimitNode.__table__  # type: ignore[attr-defined]
    with world.platform.db.snapshot() as conn:
        return str(conn.execute(select(node.c.id).order_by(node.c.id)).scalars().first())
