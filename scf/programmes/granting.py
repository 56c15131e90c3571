"""Commands on limits: less takes effect at once, more needs two people.

Who raises a limit, or sets one where nothing was granted, proposes; the proposal grants nothing
until another person has confirmed exactly that amount. Whoever wants less need not wait for
anybody: a limit that is lowered binds in the same moment.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, func, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Currency, Id, Minor, OptCount
from scf.kernel.errors import Conflict, NotAllowed, NotFound
from scf.kernel.ids import new_id
from scf.kernel.money import exponent
from scf.parties.models import Firm
from scf.parties.service import financier_only, same_person
from scf.programmes.limits import KINDS, RANK, REQUIRED, Kind, headroom, state_of
from scf.programmes.models import LimitNode, Programme

_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_NODE: Final[Table] = LimitNode.__table__  # type: ignore[attr-defined]
_NO_PROPOSAL: Final = {"proposed_minor": None, "proposed_by": None, "proposed_at": None}
MOST: Final = 200

constraint_means(
    "uq_limit_node",
    "limit_node.financier_id, limit_node.kind, limit_node.subject_id, limit_node.currency",
    lambda: Conflict("RACED", "Somebody else has just made the same; read it and try again."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class SetLimit(_Input):
    """How much one node of the financier's limit tree allows; ``version`` guards an edit."""

    kind: Kind
    subject_id: Id
    currency: Currency
    limit_minor: Minor
    version: OptCount = None


class Granted(_Input):
    """One proposal as the second person read it."""

    limit_id: Id
    limit_minor: Minor


class ConfirmLimits(_Input):
    """Proposals of other people that a second person grants, all or none of them."""

    items: list[Granted] = Field(min_length=1, max_length=MOST)


class RefuseLimit(_Input):
    """A proposal that is not to be granted, and why."""

    limit_id: Id
    reason: str = Field(min_length=3, max_length=1000)


@command("limit.set", SetLimit)
def set_limit(ctx: Context, data: SetLimit) -> dict[str, Any]:
    """A limit is lowered at once, or more is proposed for a second person to confirm.

    Below its use the node is breached: no new hold, an alarm. A new node of a kind that binds
    only once it is set (a country, a tenor) narrows what is granted and takes effect at once.
    Either way a proposal that waited before is dropped.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY when the actor's organisation is no financier.
    NotFound
        When the financier knows no such subject.
    Conflict
        STALE when the node has another version than the one that was edited.
    """
    financier_id = financier_only(ctx.conn, ctx.actor)
    exponent(data.currency)
    _known_subject(ctx, data)
    there = ctx.conn.execute(
        select(_NODE.c.id).where(
            _NODE.c.financier_id == financier_id,
            _NODE.c.kind == data.kind,
            _NODE.c.subject_id == data.subject_id,
            _NODE.c.currency == data.currency,
        )
    ).scalar_one_or_none()
    before = None if there is None else ctx.lock(LimitNode, [there])[there]
    if before is not None and data.version is not None and data.version != before.version:
        raise Conflict("STALE", "The limit has changed since it was read.", now=before.version)
    if before is None:
        granted = 0 if data.kind in REQUIRED else data.limit_minor
    else:
        granted = before.limit_minor
    waits = data.limit_minor > granted
    values: dict[str, Any] = {"limit_minor": data.limit_minor, **_NO_PROPOSAL}
    if waits:
        values = {
            "limit_minor": granted,
            "proposed_minor": data.limit_minor,
            "proposed_by": ctx.actor.user_id,
            "proposed_at": ctx.now,
        }
    if before is None:
        node_id = new_id()
        fixed = {
            "id": node_id,
            "financier_id": financier_id,
            "kind": data.kind,
            "kind_rank": RANK[data.kind],
            "subject_id": data.subject_id,
            "currency": data.currency,
            "held_minor": 0,
            "utilised_minor": 0,
            "version": 1,
            "created_at": ctx.now,
        }
        ctx.conn.execute(insert(_NODE), fixed | values)
    else:
        node_id = before.id
        _write(ctx, node_id, values)
    return _changed(ctx, before, node_id)


@command("limit.confirm", ConfirmLimits)
def confirm_limits(ctx: Context, data: ConfirmLimits) -> dict[str, Any]:
    """A second person grants what others have proposed; from now on it may be drawn.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who proposed one of them.
    NotFound
        When the financier has no such limit.
    Conflict
        NOTHING_WAITS when there is no proposal any more; STALE when it is another amount than
        the one that was read.
    """
    wanted = {one.limit_id: one.limit_minor for one in data.items}
    for limit_id in wanted:
        ctx.visible(LimitNode, limit_id)
    before = ctx.lock(LimitNode, wanted)
    for node in before.values():
        _waits(node)
        if same_person(ctx.conn, ctx.actor.user_id, [node.proposed_by]):
            raise NotAllowed("FOUR_EYES", "Another person grants what you have proposed.")
        if node.proposed_minor != wanted[node.id]:
            raise Conflict(
                "STALE",
                "Another amount is proposed now.",
                limit_id=node.id,
                proposed_minor=node.proposed_minor,
            )
        _write(ctx, node.id, {"limit_minor": node.proposed_minor, **_NO_PROPOSAL})
    return {"items": [_changed(ctx, node, node.id) for node in before.values()]}


@command("limit.refuse", RefuseLimit)
def refuse_limit(ctx: Context, data: RefuseLimit) -> dict[str, Any]:
    """A proposal is dropped, by who made it or by anybody who will not grant it.

    Raises
    ------
    NotFound
        When the financier has no such limit.
    Conflict
        NOTHING_WAITS when there is no proposal any more.
    """
    ctx.visible(LimitNode, data.limit_id)
    before = ctx.lock(LimitNode, [data.limit_id])[data.limit_id]
    _waits(before)
    _write(ctx, before.id, _NO_PROPOSAL)
    return _changed(ctx, before, before.id)


def _waits(node: Row[Any]) -> None:
    if node.proposed_minor is None:
        raise Conflict("NOTHING_WAITS", "No proposal waits on this limit.", limit_id=node.id)


def _write(ctx: Context, node_id: str, values: dict[str, Any]) -> None:
    ctx.conn.execute(
        update(_NODE).where(_NODE.c.id == node_id).values(version=_NODE.c.version + 1, **values)
    )


def _changed(ctx: Context, before: Row[Any] | None, node_id: str) -> dict[str, Any]:
    """Put what a node was and is into the audit row, raise the alarm, and give the node."""
    node = ctx.conn.execute(select(_NODE).where(_NODE.c.id == node_id)).one()
    ctx.change("limit_node", node_id, _told(before) if before is not None else None, _told(node))
    if state_of(node) == "BREACHED":
        ctx.emit("limit.breached", {"node_id": node_id, "over_minor": -headroom(node)})
    return {
        "id": node_id,
        "kind": node.kind,
        "subject_id": node.subject_id,
        "currency": node.currency,
        "limit_minor": node.limit_minor,
        "proposed_minor": node.proposed_minor,
        "waits_for_second": node.proposed_minor is not None,
        "held_minor": node.held_minor,
        "utilised_minor": node.utilised_minor,
        "headroom_minor": headroom(node),
        "state": state_of(node),
        "version": node.version,
    }


def _told(node: Row[Any]) -> dict[str, Any]:
    told = {"limit_minor": node.limit_minor}
    if node.proposed_minor is not None:
        told |= {"proposed_minor": node.proposed_minor, "proposed_by": node.proposed_by}
    return told


def _known_subject(ctx: Context, data: SetLimit) -> None:
    """Refuse a limit on a subject that nothing will ever be measured against."""
    own = ctx.actor.org_id
    if data.kind == "financier":
        known = data.subject_id == own
    elif data.kind == "programme":
        query = select(func.count()).where(
            _PROGRAMME.c.id == data.subject_id, _PROGRAMME.c.financier_id == own
        )
        known = bool(ctx.conn.execute(query).scalar_one())
    elif data.kind in {"obligor", "seller", "insured"}:
        query = select(func.count()).where(_FIRM.c.id == data.subject_id)
        known = bool(ctx.conn.execute(query).scalar_one())
    else:
        known = data.kind in KINDS
    if not known:
        raise NotFound(
            "NOT_FOUND", "There is nothing with this id.", kind=data.kind, id=data.subject_id
        )
