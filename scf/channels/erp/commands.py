"""What people do with a connection to an ERP: add, change, ask for a round now."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, insert, select, update

from scf.accounting.mapping.systems import system_of
from scf.channels.erp.connectors import make_of
from scf.channels.erp.models import ErpConnection, ErpStream, ErpWrite
from scf.channels.erp.port import Make, Pull, Push
from scf.db.audit import SECRET
from scf.db.platform import Platform
from scf.db.runner import Context, Outcome, command
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, Words
from scf.kernel.ids import new_id
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from scf.parties.identifiers import clean_text
from scf.parties.people import add_service_person, end_service_person

_connection = ErpConnection.__table__  # type: ignore[attr-defined]
_stream = ErpStream.__table__  # type: ignore[attr-defined]
_write = ErpWrite.__table__  # type: ignore[attr-defined]

MAX_CONNECTIONS: Final = 5
_Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
# A name in some makes: blanks and every script, nothing that is not seen.
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddErp(_Input):
    """Where the system is, as whom it is asked, what is read and what is written.

    Without ``pulls`` everything is read that its make can give. What was placed or booked before
    ``from_on`` stays where it is: journals, and orders of a shop.
    """

    name: str = Field(min_length=1, max_length=100)
    kind: str = Field(default="TRYTON", max_length=20)
    role: Literal[Role.TREASURER, Role.ANCHOR_CLERK] = Role.TREASURER
    url: str = Field(min_length=1, max_length=2000)
    database: str = Field(default="", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    username: _Word
    pulls: list[Pull] | None = Field(default=None, max_length=10)
    pushes: list[Push] = Field(default_factory=list, max_length=10)
    journal_code: _Name | None = None
    mapping: str = Field(default="", max_length=40)
    from_on: dt.date
    payee_code: _Name | None = None
    sealed: str = Field(exclude=True, max_length=2000, json_schema_extra={**SECRET})


class ChangeErp(_Input):
    """A pause, its end, the end of the connection, or another choice of what goes over it."""

    connection_id: str = Field(max_length=64)
    state: Literal["ACTIVE", "PAUSED", "REMOVED"] | None = None
    pulls: list[Pull] | None = Field(default=None, max_length=10)
    pushes: list[Push] | None = Field(default=None, max_length=10)
    payee_code: str | None = Field(default=None, max_length=100)
    mapping: str | None = Field(default=None, max_length=40)


class ChangePassword(_Input):
    """Another password of the user there."""

    connection_id: str = Field(max_length=64)
    sealed: str = Field(exclude=True, max_length=2000, json_schema_extra={**SECRET})


class SyncErp(_Input):
    """A round as soon as a worker is free; ``again`` reads every record anew.

    ``rewrite`` looks for everything that was written, too, and writes what is not there any more.
    """

    connection_id: str = Field(max_length=64)
    again: bool = Field(default=False, strict=True)
    rewrite: bool = Field(default=False, strict=True)


def owner(org_id: str) -> str:
    """Name for whom a password is sealed."""
    return f"erp:{org_id}"


def add(
    platform: Platform,
    vault: Vault,
    targets: Targets,
    actor: Actor,
    wanted: dict[str, Any],
    password: str,
    *,
    key: str,
) -> Outcome:
    """Add a connection; its address is looked at as a webhook's is, its password sealed before.

    Raises
    ------
    InvalidInput
        WEBHOOK_URL, ERP_PASSWORD, and what the command raises.
    """
    targets.check(str(wanted.get("url", "")))
    sealed = {**wanted, "sealed": vault.seal(_password(password), owner(actor.org_id))}
    return platform.run("erp.add", sealed, actor, key=key)


def change_password(
    platform: Platform, vault: Vault, actor: Actor, connection_id: str, password: str, *, key: str
) -> Outcome:
    """Seal another password for a connection."""
    sealed = vault.seal(_password(password), owner(actor.org_id))
    payload = {"connection_id": connection_id, "sealed": sealed}
    return platform.run("erp.password", payload, actor, key=key)


def _password(password: str) -> str:
    if not 0 < len(password) <= 200:  # noqa: PLR2004 - as the form says
        raise InvalidInput("ERP_PASSWORD", "The password of the user there is needed.")
    return password


@command("erp.add", AddErp)
def add_erp(ctx: Context, data: AddErp) -> dict[str, Any]:
    """The ERP is asked from now on, in the name of a person of the connection's own.

    Raises
    ------
    Conflict
        TOO_MANY_CONNECTIONS.
    InvalidInput
        ERP_KIND, ERP_CANNOT for what its make does not offer, ERP_DATABASE without a database
        where one is needed, ERP_PAYEE when another payee is to be named and nobody said which
        party that is; MAPPING_SYSTEM, ERP_MAPPING for account numbers of another system.
    """
    make = make_of(data.kind)
    pulls = list(make.pulls) if data.pulls is None else data.pulls
    _must_offer(make, pulls, data.pushes)
    if make.has_databases and not data.database:
        raise InvalidInput("ERP_DATABASE", "Say which database there is asked.")
    count = ctx.conn.execute(
        select(func.count()).where(
            _connection.c.org_id == ctx.actor.org_id, _connection.c.state != "REMOVED"
        )
    ).scalar_one()
    if count >= MAX_CONNECTIONS:
        raise Conflict(
            "TOO_MANY_CONNECTIONS", "An organisation has at most %(limit)s of them.",
            limit=MAX_CONNECTIONS,
        )  # fmt: skip
    _must_know_payee(data.pushes, data.payee_code)
    name = clean_text(data.name, Words("name"), 100)
    shown = {
        "name": name,
        "kind": data.kind,
        "state": "ACTIVE",
        "url": data.url,
        "database": data.database,
        "username": data.username,
        "pulls": sorted(set(pulls)),
        "pushes": sorted(set(data.pushes)),
        "journal_code": data.journal_code or make.journal,
        "mapping": _table_for(make, data.mapping),
        "payee_code": data.payee_code or None,
    }
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "user_id": add_service_person(ctx, ctx.actor.org_id, name, Role(data.role)),
        **shown,
        "from_on": data.from_on,
        "sealed": data.sealed,
        "next_look_at": ctx.now,
        "failures": 0,
        "version": 1,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_connection), row)
    ctx.change("erp_connection", str(row["id"]), None, shown | {"from_on": str(data.from_on)})
    return {"id": row["id"], **shown}


def _must_offer(make: Make, pulls: Iterable[str], pushes: Iterable[str]) -> None:
    beyond = sorted({*pulls, *pushes} - {*make.pulls, *make.pushes})
    if beyond:
        raise InvalidInput(
            "ERP_CANNOT", "%(name)s does not offer this: %(what)s.", name=make.name, what=beyond
        )


def _must_know_payee(pushes: list[Push], payee_code: str | None) -> None:
    if "PAYEE" in pushes and not payee_code:
        raise InvalidInput(
            "ERP_PAYEE", "Say which party of your ERP is the financier before the payee is changed."
        )


def _table_for(make: Make, mapping: str) -> str | None:
    """Give the table of account numbers: its make's first where none is named; a shop has none."""
    if not make.pushes:
        return None
    name = mapping.strip() or make.kind.lower()
    system_of(name)
    if name.partition(".")[0] != make.kind.lower():
        raise InvalidInput(
            "ERP_MAPPING", "These are account numbers of another system than the ERP's.", name=name
        )
    return name


@command("erp.change", ChangeErp)
def change_erp(ctx: Context, data: ChangeErp) -> dict[str, Any]:
    """Nothing is read or written while it is paused; afterwards it goes on where it was."""
    row = _one(ctx, data.connection_id)
    names = ("state", "pulls", "pushes", "payee_code", "mapping")
    before = {name: getattr(row, name) for name in names}
    after = dict(before)
    if data.state is not None:
        after["state"] = data.state
    if data.pulls is not None:
        after["pulls"] = sorted(set(data.pulls))
    if data.pushes is not None:
        after["pushes"] = sorted(set(data.pushes))
    if data.payee_code is not None:
        after["payee_code"] = data.payee_code.strip() or None
    make = make_of(row.kind)
    if data.mapping is not None:
        after["mapping"] = _table_for(make, data.mapping)
    _must_offer(make, after["pulls"], after["pushes"])
    _must_know_payee(after["pushes"], after["payee_code"])
    values = {**after, "version": row.version + 1}
    if data.state == "ACTIVE":
        values |= {"problem": None, "said": None, "failures": 0, "next_look_at": ctx.now}
    ctx.conn.execute(update(_connection).where(_connection.c.id == row.id).values(**values))
    if data.state == "REMOVED":
        end_service_person(ctx, row.user_id)
    ctx.change("erp_connection", row.id, before, after)
    return {"id": row.id, "name": row.name, **after}


@command("erp.password", ChangePassword)
def set_erp_password(ctx: Context, data: ChangePassword) -> dict[str, Any]:
    """The next round signs in with it."""
    row = _one(ctx, data.connection_id)
    values = {"sealed": data.sealed, "version": row.version + 1, "next_look_at": ctx.now}
    ctx.conn.execute(update(_connection).where(_connection.c.id == row.id).values(**values))
    ctx.change("erp_connection", row.id, None, {"password": "changed"})
    return {"id": row.id}


@command("erp.sync", SyncErp)
def sync_erp(ctx: Context, data: SyncErp) -> dict[str, Any]:
    """A worker comes by at once, and what failed is tried again.

    Raises
    ------
    Conflict
        ERP_PAUSED.
    """
    row = _one(ctx, data.connection_id)
    if row.state != "ACTIVE":
        raise Conflict("ERP_PAUSED", "This connection is paused. Let it go on first.")
    if data.rewrite:
        ctx.conn.execute(
            update(_write)
            .where(_write.c.connection_id == row.id, _write.c.state == "DONE")
            .values(state="FAILED", problem="ERP_AGAIN", said=None, attempts=0)
        )
    if data.again or data.rewrite:
        ctx.conn.execute(
            update(_stream)
            .where(_stream.c.connection_id == row.id)
            .values(mark=None, high=None, after=None)
        )
    _try_again(ctx, row.id)
    asked = "rewrite" if data.rewrite else "again" if data.again else "now"
    ctx.change("erp_connection", row.id, None, {"asked": asked})
    return {"id": row.id, "again": data.again, "rewrite": data.rewrite}


def _try_again(ctx: Context, connection_id: str) -> None:
    """Let everything that failed be due, and the connection too."""
    ctx.conn.execute(
        update(_connection)
        .where(_connection.c.id == connection_id)
        .values(next_look_at=ctx.now, problem=None, said=None, failures=0)
    )
    ctx.conn.execute(
        update(_write)
        .where(_write.c.connection_id == connection_id, _write.c.state == "FAILED")
        .values(next_at=ctx.now)
    )


def _one(ctx: Context, connection_id: str) -> Any:  # noqa: ANN401 - a row
    row = ctx.visible(ErpConnection, connection_id)
    if row.state == "REMOVED":
        raise Conflict("ERP_REMOVED", "This connection was removed.", id=row.id)
    return row
