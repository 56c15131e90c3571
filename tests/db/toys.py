"""Three small commands over a scratch table: enough to try the runner before any real one."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, String, Table, select, update

from scf.db import failures
from scf.db.audit import PERSONAL, SECRET
from scf.db.engine import Database
from scf.db.runner import COMMANDS, Command, Context, Runner
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import Clock
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation

metadata = MetaData()
pot = Table(
    "pot",
    metadata,
    Column("id", String, primary_key=True),
    Column("limit_minor", BigInteger, nullable=False),
    Column("drawn_minor", BigInteger, nullable=False),
    CheckConstraint("drawn_minor >= 0", name="ck_pot_not_negative"),
    sqlite_strict=True,
)
taken = Table("taken", metadata, Column("thing", String, primary_key=True), sqlite_strict=True)

ANNA = Actor("anna", "org-a", frozenset({Role.TREASURER}))
BERT = Actor("bert", "org-b", frozenset({Role.TREASURER}))


class Draw(BaseModel):
    """Take an amount from the pot."""

    amount_minor: int
    leave: str = "return"


class Take(BaseModel):
    """Take the one thing there is."""

    thing: str


class Hello(BaseModel):
    """Say a name and a secret."""

    name: str = Field(json_schema_extra={**PERSONAL})
    password: str = Field(json_schema_extra={**SECRET})


def draw(ctx: Context, data: Draw) -> dict[str, Any]:
    """Draw from the pot under its row lock."""
    row = ctx.conn.execute(select(pot).where(pot.c.id == "pot").with_for_update()).one()
    if row.drawn_minor + data.amount_minor > row.limit_minor:
        raise RuleViolation(
            "LIMIT_POT", "Not that much is left.", left=row.limit_minor - row.drawn_minor
        )
    ctx.conn.execute(
        update(pot)
        .where(pot.c.id == "pot")
        .values(drawn_minor=pot.c.drawn_minor + data.amount_minor)
    )
    ctx.change("pot", "pot", {"drawn": row.drawn_minor}, {"drawn": row.drawn_minor + 1})
    ctx.emit("pot.drawn", {"amount_minor": data.amount_minor})
    if data.leave == "raise":
        raise RuleViolation("TOLD_TO", "Told to fail after writing.")
    if data.leave == "refuse":
        return {"outcome": "declined"}
    return {"outcome": "drawn", "amount_minor": data.amount_minor}


def take(ctx: Context, data: Take) -> dict[str, Any]:
    """Take a thing that only one may have; the database's own constraint decides."""
    ctx.conn.execute(taken.insert(), {"thing": data.thing})
    return {"outcome": "taken"}


def hello(_ctx: Context, data: Hello) -> dict[str, Any]:
    """Answer without repeating the name."""
    return {"letters": len(data.name)}


def allow(actor: Actor, action: str) -> None:
    """Let treasurers do everything here."""
    if Role.TREASURER not in actor.roles:
        raise NotAllowed("NOT_ALLOWED", "Not yours.", action=action)


def install() -> Iterator[None]:
    """Register the toys for one test and take them away again."""
    toys = {
        "toy.draw": Command("toy.draw", Draw, draw),
        "toy.take": Command("toy.take", Take, take),
        "toy.hello": Command("toy.hello", Hello, hello),
    }
    COMMANDS.update(toys)
    failures.constraint_means(
        "taken_pkey", "taken.thing", lambda: Conflict("TAKEN", "Somebody has it.")
    )
    yield
    for name in toys:
        del COMMANDS[name]


def make_runner(db: Database, clock: Clock, limit_minor: int = 1000) -> Runner:
    """Give a runner over a fresh pot."""
    with db.writer.begin() as conn:
        metadata.create_all(conn)
        conn.execute(pot.insert(), {"id": "pot", "limit_minor": limit_minor, "drawn_minor": 0})
    return Runner(db, clock, allow)


def drawn(db: Database) -> int:
    """Tell how much has been drawn."""
    with db.snapshot() as conn:
        return int(conn.execute(select(pot.c.drawn_minor)).scalar_one())
