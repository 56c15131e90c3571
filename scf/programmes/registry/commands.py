"""The book's own acts, joining a registry, and keeping what one has answered."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, func, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Code, Count, Id, Text
from scf.kernel.errors import Conflict
from scf.kernel.ids import new_id
from scf.programmes.registry.models import RegistryEntry, RegistryMember, RegistryWord
from scf.programmes.registry.port import EXACT, MOST_AT_ONCE, State

_ENTRY: Final[Table] = RegistryEntry.__table__  # type: ignore[attr-defined]
MEMBER: Final[Table] = RegistryMember.__table__  # type: ignore[attr-defined]
WORD: Final[Table] = RegistryWord.__table__  # type: ignore[attr-defined]
_MOST_PRINTS: Final = 192  # four numbers of either firm, two keys, the papers of one claim

constraint_means(
    "uq_registry_live",
    "registry_entry.consortium, registry_entry.print",
    lambda: Conflict("CLAIM_HELD", "Another member has registered this claim at this moment."),
)
constraint_means(
    "uq_registry_member",
    "registry_member.consortium, registry_member.member",
    lambda: Conflict("REGISTRY_MEMBER", "Another financier takes part under this name."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PrintIn(_Input):
    """One keyed print."""

    kind: Literal["number", "money", "paper"]
    key_version: Count
    value: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ClaimIn(_Input):
    """A claim by the name that its member has for it, with its prints."""

    ref: Code
    prints: list[PrintIn] = Field(max_length=_MOST_PRINTS)


class EnterRegistry(_Input):
    """What a member asks of the book."""

    act: Literal["search", "register", "release", "void"]
    consortium: Code
    member: Code
    claims: list[ClaimIn] = Field(max_length=MOST_AT_ONCE)


class JoinRegistry(_Input):
    """The registry in which a financier takes part, and its name there."""

    consortium: Annotated[str, Field(min_length=1, max_length=60)]
    member: Annotated[str, Field(min_length=1, max_length=60)]


class WordIn(_Input):
    """One answer to keep."""

    invoice_id: Id
    step: Literal["search", "register", "again", "release", "void"]
    state: State
    reference: Code = ""
    version: Count = 0
    reason: Text = ""


class KeepWords(_Input):
    """What a registry has answered a financier."""

    financier_id: Id
    words: list[WordIn] = Field(max_length=1_000)


@command("registry.enter", EnterRegistry)
def enter_registry(ctx: Context, data: EnterRegistry) -> dict[str, Any]:
    """The book answers a member and notes what it registers or lets go.

    Of two members who register one claim at the same moment the database lets one in; the other is
    told HELD when it asks again.

    Raises
    ------
    Conflict
        CLAIM_HELD to the second of two at once; nothing of its act is noted.
    """
    return {"answers": [_one(ctx, data, claim) for claim in data.claims]}


def _one(ctx: Context, data: EnterRegistry, claim: ClaimIn) -> dict[str, Any]:
    own = (_ENTRY.c.consortium == data.consortium) & (_ENTRY.c.member == data.member)
    if data.act in {"release", "void"}:
        ended = "RELEASED" if data.act == "release" else "VOID"
        ctx.conn.execute(
            update(_ENTRY)
            .where(own, _ENTRY.c.claim_ref == claim.ref, _ENTRY.c.state == "LIVE")
            .values(state=ended, ended_at=ctx.now)
        )
        return _answer(ctx, "DONE")
    found = _live(ctx, data.consortium, [one.value for one in claim.prints])
    others = [row for row in found if row.member != data.member]
    again = [row for row in found if row.member == data.member and row.claim_ref != claim.ref]
    if any(row.exact for row in (*others, *again)):
        return _answer(ctx, "HELD")
    if data.act == "register":
        known = {row.print for row in found if row.claim_ref == claim.ref}
        _note(ctx, data, claim, known)
        return _answer(ctx, "OWN")
    if any(row.claim_ref == claim.ref and row.exact for row in found):
        return _answer(ctx, "OWN")
    return _answer(ctx, "SIMILAR" if others else "FREE")


def _live(ctx: Context, consortium: str, prints: Sequence[str]) -> Sequence[Any]:
    return ctx.conn.execute(
        select(_ENTRY).where(
            _ENTRY.c.consortium == consortium,
            _ENTRY.c.print.in_(prints),
            _ENTRY.c.state == "LIVE",
        )
    ).all()


def _note(ctx: Context, data: EnterRegistry, claim: ClaimIn, known: set[str]) -> None:
    rows = [
        {
            "id": new_id(),
            "consortium": data.consortium,
            "member": data.member,
            "claim_ref": claim.ref,
            "kind": one.kind,
            "exact": one.kind in EXACT,
            "key_version": one.key_version,
            "print": one.value,
            "state": "LIVE",
            "registered_at": ctx.now,
            "ended_at": None,
        }
        for one in claim.prints
        if one.value not in known
    ]
    if rows:
        ctx.conn.execute(insert(_ENTRY), rows)
        ctx.change(
            "registry_entry", str(rows[0]["id"]), None, {"member": data.member, "prints": len(rows)}
        )


def _answer(ctx: Context, state: State) -> dict[str, Any]:
    return {
        "state": state,
        "reference": ctx.command_id,
        "version": 1,
        "at": ctx.now.isoformat(),
    }


@command("registry.join", JoinRegistry)
def join_registry(ctx: Context, data: JoinRegistry) -> dict[str, Any]:
    """The financier takes part in a registry: from now on it pays nothing that was not asked there.

    What it finances already is registered by a job.

    Raises
    ------
    Conflict
        REGISTRY_MEMBER when it takes part in one already, or the name is taken.
    """
    known = ctx.conn.execute(
        select(func.count()).select_from(MEMBER).where(MEMBER.c.financier_id == ctx.actor.org_id)
    ).scalar_one()
    if known:
        raise Conflict("REGISTRY_MEMBER", "Your organisation takes part in a registry already.")
    row = {
        "financier_id": ctx.actor.org_id,
        "consortium": data.consortium,
        "member": data.member,
        "joined_by": ctx.actor.user_id,
        "joined_at": ctx.now,
    }
    ctx.conn.execute(insert(MEMBER), row)
    after = {"consortium": data.consortium, "member": data.member}
    ctx.change("registry_member", ctx.actor.org_id, None, after)
    ctx.enqueue("registry.bring", {"financier_id": ctx.actor.org_id}, ctx.actor.org_id)
    return after


@command("registry.keep", KeepWords)
def keep_words(ctx: Context, data: KeepWords) -> dict[str, Any]:
    """What a registry has answered is kept as evidence, with its time and version."""
    rows = [
        {
            "id": new_id(),
            "financier_id": data.financier_id,
            "asked_at": ctx.now,
            **one.model_dump(),
        }
        for one in data.words
    ]
    if rows:
        ctx.conn.execute(insert(WORD), rows)
    return {"kept": len(rows)}
