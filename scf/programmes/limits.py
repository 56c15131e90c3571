"""The limit tree: what one financier will carry, per programme, obligor, seller and so on.

Every advance takes from all nodes above it in one step, under row locks in the one global order
(kind rank, then id), so that no race ever draws more than a node allows. A node that must exist
and does not is a refusal: without a limit there is no limit to stay within.

A node is BREACHED while held and used exceed its limit, after a lowering: no new hold, no force.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple, get_args

from sqlalchemy import Row, Table, bindparam, case, func, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import Conflict, Refusal, RuleViolation, Words
from scf.kernel.ids import digest, new_id
from scf.kernel.money import format_minor
from scf.kernel.rates import round_half_up
from scf.programmes.models import LimitHold, LimitNode

Kind = Literal[
    "financier", "programme", "obligor", "group", "seller", "relationship", "sector", "country",
    "tenor", "insured",
]  # fmt: skip
KINDS: Final[tuple[str, ...]] = get_args(Kind)
RANK: Final = {kind: place for place, kind in enumerate(KINDS)}
# Without one of these nodes exposure is refused; `insured` is used by insured programmes only.
REQUIRED: Final = frozenset({"financier", "programme", "obligor", "seller", "insured"})
# What is measured in the cash paid out; every other kind is measured in face.
FUNDING: Final = "financier"
TENOR_BUCKETS: Final = (30, 60, 90, 120, 180, 365)

_NODE: Final[Table] = LimitNode.__table__  # type: ignore[attr-defined]
_HOLD: Final[Table] = LimitHold.__table__  # type: ignore[attr-defined]
_NEW_HOLD: Final = insert(_HOLD)
_NODES: Final = select(_NODE).where(
    _NODE.c.financier_id == bindparam("financier"),
    _NODE.c.currency == bindparam("currency"),
    _NODE.c.kind.in_(bindparam("kinds", expanding=True)),
    _NODE.c.subject_id.in_(bindparam("subjects", expanding=True)),
)


class Use(NamedTuple):
    """What an advance takes from one node, in minor units of the node's measure."""

    kind: str
    subject_id: str
    amount: int


class Take(NamedTuple):
    """All that one advance takes."""

    advance_id: str
    uses: Sequence[Use]


def relationship_subject(seller_id: str, obligor_id: str) -> str:
    """Name the node of one seller's claims on one obligor."""
    return digest([seller_id, obligor_id])


def tenor_subject(days: int) -> str:
    """Name the tenor bucket that a number of days falls into ("to-90")."""
    return next((f"to-{top}" for top in TENOR_BUCKETS if days <= top), "longer")


def uses_of(  # noqa: PLR0913 - one argument a node
    *,
    financier_id: str,
    programme_id: str,
    obligor_id: str,
    seller_id: str,
    face: int,
    net: int,
    days: int,
    with_recourse: bool,
    country: str = "",
    insured: bool = False,
) -> tuple[Use, ...]:
    """Give what an advance uses of each node.

    Face everywhere, cash out at the financier's funding node, and at the seller's credit node
    nothing, unless the seller answers for the obligor. Source: finance.md golden 16.
    """
    uses = [
        Use("financier", financier_id, net),
        Use("programme", programme_id, face),
        Use("obligor", obligor_id, face),
        Use("seller", seller_id, face if with_recourse else 0),
        Use("relationship", relationship_subject(seller_id, obligor_id), face),
        Use("tenor", tenor_subject(days), face),
        *([Use("country", country, face)] if country else []),
        *([Use("insured", obligor_id, face)] if insured else []),
    ]
    return tuple(sorted(uses, key=lambda use: RANK[use.kind]))


# --- Taking -----------------------------------------------------------------------------------


class Plan(NamedTuple):
    """Nodes found for a set of takes, and what they lack."""

    nodes: Mapping[tuple[str, str], Row[Any]]
    refusals: tuple[Refusal, ...]


def plan(conn: Connection, financier_id: str, currency: str, takes: Sequence[Take]) -> Plan:
    """Look up the nodes of these takes and say which of them would refuse, without a lock."""
    nodes = _find(conn, financier_id, currency, takes)
    return Plan(nodes, tuple(_refusals(nodes, takes, currency)))


def lock_and_plan(ctx: Context, financier_id: str, currency: str, takes: Sequence[Take]) -> Plan:
    """Lock the nodes of these takes in the global order, then judge them as they are now."""
    found = _find(ctx.conn, financier_id, currency, takes)
    locked = ctx.lock(LimitNode, [row.id for row in found.values()])
    nodes = {key: locked[row.id] for key, row in found.items()}
    return Plan(nodes, tuple(_refusals(nodes, takes, currency)))


def apply(ctx: Context, planned: Plan, takes: Sequence[Take]) -> None:
    """Hold what was planned. The nodes are locked and none of them refused."""
    totals: dict[str, int] = {}
    holds: list[dict[str, Any]] = []
    for take_ in takes:
        for use in take_.uses:
            node = planned.nodes.get((use.kind, use.subject_id))
            if node is None:
                continue
            totals[node.id] = totals.get(node.id, 0) + use.amount
            holds.append(
                {
                    "id": new_id(),
                    "node_id": node.id,
                    "advance_id": take_.advance_id,
                    "taken_minor": use.amount,
                    "amount_minor": use.amount,
                    "state": "HELD",
                    "at": ctx.now,
                }
            )
    if holds:
        ctx.conn.execute(_NEW_HOLD, holds)
    _move(ctx, {node_id: (amount, 0) for node_id, amount in totals.items()})


def take(
    ctx: Context,
    *,
    financier_id: str,
    currency: str,
    advance_id: str,
    uses: Sequence[tuple[str, str, int]],
) -> None:
    """Hold what one advance needs at every node; see :func:`take_many`."""
    take_many(
        ctx,
        financier_id=financier_id,
        currency=currency,
        takes=[Take(advance_id, [Use(*use) for use in uses])],
    )


def take_many(ctx: Context, *, financier_id: str, currency: str, takes: Sequence[Take]) -> None:
    """Hold what several advances need at every node, all or nothing.

    Raises
    ------
    RuleViolation
        LIMIT_<KIND> of the first node in the tree that lacks headroom or is missing, with every
        other such node among its facts.
    """
    planned = lock_and_plan(ctx, financier_id, currency, takes)
    refuse(planned.refusals)
    apply(ctx, planned, takes)


def refuse(refusals: Sequence[Refusal]) -> None:
    """Raise the first refusal, carrying all of them."""
    if refusals:
        first = refusals[0]
        said = first.message
        raise RuleViolation(
            first.code,
            "%(why)s",
            why=said if isinstance(said, Words) else Words(said),
            refusals=[as_facts(refusal) for refusal in refusals],
        )


def as_facts(refusal: Refusal) -> dict[str, Any]:
    """Give a refusal as JSON: code, gap, when it frees, next step."""
    frees = refusal.frees_on
    return {
        "code": refusal.code,
        "message": refusal.message,
        "measured": refusal.measured,
        "threshold": refusal.threshold,
        "frees_on": frees if frees is None or isinstance(frees, str) else frees.isoformat(),
        "next_step": refusal.next_step,
    }


def _find(
    conn: Connection, financier_id: str, currency: str, takes: Sequence[Take]
) -> dict[tuple[str, str], Row[Any]]:
    wanted = {(use.kind, use.subject_id) for take_ in takes for use in take_.uses}
    if not wanted:
        return {}
    rows = conn.execute(
        _NODES,
        {
            "financier": financier_id,
            "currency": currency,
            "kinds": sorted({kind for kind, _subject in wanted}),
            "subjects": sorted({subject for _kind, subject in wanted}),
        },
    )
    # A firm may be obligor of one take and seller of another: the pair decides.
    found = {(row.kind, row.subject_id): row for row in rows}
    return {pair: row for pair, row in found.items() if pair in wanted}


def _refusals(
    nodes: Mapping[tuple[str, str], Row[Any]], takes: Sequence[Take], currency: str
) -> Iterable[Refusal]:
    totals: dict[tuple[str, str], int] = {}
    for take_ in takes:
        for use in take_.uses:
            key = (use.kind, use.subject_id)
            totals[key] = totals.get(key, 0) + use.amount
    for (kind, subject), amount in sorted(totals.items(), key=lambda item: RANK[item[0][0]]):
        if amount <= 0:
            continue  # nothing at risk here: a supplier without recourse needs no line
        node = nodes.get((kind, subject))
        if node is not None:
            room = headroom(node)
            if amount > room:
                yield _short(kind, amount, room, currency)
        elif kind in REQUIRED:
            yield Refusal(
                f"LIMIT_{kind.upper()}",
                format_minor(amount, currency),
                "no limit set",
                "when the financier sets a limit",
                "Ask the financier for a limit.",
                Words("No %(kind)s limit in %(currency)s is set.", kind=kind, currency=currency),
            )


def _short(kind: str, amount: int, room: int, currency: str) -> Refusal:
    """Refuse without the figures of the financier's book: how much is left is its own affair."""
    free = room > 0
    next_step = (
        Words("Ask for less, or wait for a repayment.")
        if free
        else Words("Wait for a repayment, or ask the financier.")
    )
    return Refusal(
        f"LIMIT_{kind.upper()}",
        format_minor(amount, currency),
        "less" if free else "none",
        "with the next repayment",
        next_step,
        "This is more than the financier can take on now.",
    )


def headroom(node: Row[Any]) -> int:
    """Give what a node has left; below zero while it is breached."""
    return int(node.limit_minor - node.held_minor - node.utilised_minor)


def state_of(node: Row[Any]) -> str:
    """Say whether a node is OPEN or, with more used than allowed, BREACHED."""
    return "BREACHED" if headroom(node) < 0 else "OPEN"


def fitting(planned: Plan, takes: Sequence[Take]) -> list[str]:
    """Give the advances, in their order, that the nodes have room for one after the other."""
    left = {key: headroom(node) for key, node in planned.nodes.items()}
    fits: list[str] = []
    for one in takes:
        uses = [use for use in one.uses if use.amount > 0]
        if all(_has_room(left, use) for use in uses):
            fits.append(one.advance_id)
            for use in uses:
                if (use.kind, use.subject_id) in left:
                    left[use.kind, use.subject_id] -= use.amount
    return fits


def _has_room(left: Mapping[tuple[str, str], int], use: Use) -> bool:
    room = left.get((use.kind, use.subject_id))
    return use.kind not in REQUIRED if room is None else use.amount <= room


# --- Using, repaying, freeing -----------------------------------------------------------------


def lock_nodes(ctx: Context, advance_ids: Iterable[str]) -> None:
    """Lock every node that these advances take from; before any invoice or advance."""
    ids = sorted(set(advance_ids))
    if not ids:
        return
    nodes = ctx.conn.execute(
        select(_HOLD.c.node_id).distinct().where(_HOLD.c.advance_id.in_(ids))
    ).scalars()
    ctx.lock(LimitNode, list(nodes))


def utilise(ctx: Context, *advance_ids: str) -> None:
    """Turn holds into use: the money is out."""
    moved: dict[str, tuple[int, int]] = {}
    for hold in _holds(ctx, advance_ids, "HELD"):
        _add(moved, hold.node_id, -hold.amount_minor, hold.amount_minor)
    _set_state(ctx, advance_ids, "HELD", "UTILISED")
    _move(ctx, moved)


def lessen(ctx: Context, advance_id: str, face: int, net: int) -> None:
    """Let an advance hold less than it took: what it gives up is free at every node.

    A lower price pays out more: then the funding node must have room for the difference.

    Raises
    ------
    RuleViolation
        LIMIT_FINANCIER.
    """
    moved: dict[str, tuple[int, int]] = {}
    rows = []
    for hold in _holds(ctx, (advance_id,), "HELD"):
        keeps = net if hold.kind == FUNDING else min(hold.amount_minor, face)
        more, room = keeps - hold.amount_minor, headroom(hold)
        if more > max(room, 0):
            refuse([_short(hold.kind, more, room, hold.currency)])
        _add(moved, hold.node_id, keeps - hold.amount_minor, 0)
        rows.append({"hold": hold.id, "keeps": keeps})
    if rows:
        ctx.conn.execute(_LESSEN, rows)
    _move(ctx, moved)


def reduce(ctx: Context, advance_id: str, amount: int) -> None:
    """Let the use of an advance fall as ``amount`` of its face is repaid.

    Nodes measured in face fall by the amount; the funding node by the same share of the cash,
    rounded once on what is left, so that nothing stays when the face is gone.

    Raises
    ------
    Conflict
        LIMIT_USE when more is repaid than the advance uses.
    """
    holds = _holds(ctx, (advance_id,), "UTILISED")
    of_face = next((hold for hold in holds if hold.kind == "programme"), None)
    there = of_face.amount_minor if of_face is not None else 0
    if of_face is None or amount > there:
        raise Conflict(
            "LIMIT_USE", "More is repaid than is in use.", there_minor=there, asked_minor=amount
        )
    _keep(ctx, holds, Fraction(there - amount, of_face.taken_minor))


def restore(ctx: Context, advance_id: str, amount: int) -> None:
    """Let the use rise again as a repayment of ``amount`` is undone, past the limit if need be.

    Raises
    ------
    Conflict
        LIMIT_USE when it would use more than it ever took.
    """
    holds = [*_holds(ctx, (advance_id,), "UTILISED"), *_holds(ctx, (advance_id,), "FREED")]
    of_face = next((hold for hold in holds if hold.kind == "programme"), None)
    if of_face is None or of_face.amount_minor + amount > of_face.taken_minor:
        raise Conflict("LIMIT_USE", "More is undone than was repaid.", asked_minor=amount)
    _keep(ctx, holds, Fraction(of_face.amount_minor + amount, of_face.taken_minor))


def _keep(ctx: Context, holds: Sequence[Row[Any]], left: Fraction) -> None:
    """Let each hold keep this share of what it took, rounded once."""
    moved: dict[str, tuple[int, int]] = {}
    rows = []
    for hold in holds:
        keeps = round_half_up(hold.taken_minor * left)
        _add(moved, hold.node_id, 0, keeps - hold.amount_minor)
        rows.append({"hold": hold.id, "keeps": keeps, "becomes": "UTILISED" if left else "FREED"})
    ctx.conn.execute(_KEEP, rows)
    _move(ctx, moved)


def free(ctx: Context, *advance_ids: str) -> None:
    """Free everything that these advances hold or use: declined, withdrawn, unwound."""
    moved: dict[str, tuple[int, int]] = {}
    for state in ("HELD", "UTILISED"):
        for hold in _holds(ctx, advance_ids, state):
            held = hold.amount_minor if state == "HELD" else 0
            _add(moved, hold.node_id, -held, held - hold.amount_minor)
    ctx.conn.execute(
        update(_HOLD)
        .where(_HOLD.c.advance_id.in_(advance_ids))
        .values(state="FREED", amount_minor=0)
    )
    _move(ctx, moved)


_KEEP: Final = (
    update(_HOLD)
    .where(_HOLD.c.id == bindparam("hold"))
    .values(amount_minor=bindparam("keeps"), state=bindparam("becomes"))
)
_LESSEN: Final = (
    update(_HOLD)
    .where(_HOLD.c.id == bindparam("hold"))
    .values(amount_minor=bindparam("keeps"), taken_minor=bindparam("keeps"))
)
_MOVE: Final = (
    update(_NODE)
    .where(_NODE.c.id == bindparam("node"))
    .values(
        held_minor=_NODE.c.held_minor + bindparam("more_held"),
        utilised_minor=_NODE.c.utilised_minor + bindparam("more_used"),
    )
)


def _add(moved: dict[str, tuple[int, int]], node_id: str, held: int, used: int) -> None:
    before = moved.get(node_id, (0, 0))
    moved[node_id] = (before[0] + held, before[1] + used)


def _move(ctx: Context, moved: Mapping[str, tuple[int, int]]) -> None:
    rows = [
        {"node": node_id, "more_held": held, "more_used": used}
        for node_id, (held, used) in sorted(moved.items())
        if held or used
    ]
    if rows:
        ctx.conn.execute(_MOVE, rows)


_OF_NODE: Final = ("kind", "currency", "limit_minor", "held_minor", "utilised_minor")


def _holds(ctx: Context, advance_ids: Sequence[str], state: str) -> Sequence[Row[Any]]:
    return ctx.conn.execute(
        select(_HOLD, *(_NODE.c[name] for name in _OF_NODE))
        .join(_NODE, _NODE.c.id == _HOLD.c.node_id)
        .where(_HOLD.c.advance_id.in_(advance_ids), _HOLD.c.state == state)
    ).all()


def _set_state(ctx: Context, advance_ids: Sequence[str], before: str, after: str) -> None:
    ctx.conn.execute(
        update(_HOLD)
        .where(_HOLD.c.advance_id.in_(advance_ids), _HOLD.c.state == before)
        .values(state=after)
    )


# --- Setting and checking ---------------------------------------------------------------------


def recompute(conn: Connection) -> list[dict[str, Any]]:
    """Compare every node with the sum of its holds; gives the nodes that differ.

    Source: finance.md F3, "the limit tree equals its recomputation".
    """

    def total(state: str) -> Any:  # noqa: ANN401 - a column expression
        return func.coalesce(
            func.sum(case((_HOLD.c.state == state, _HOLD.c.amount_minor), else_=0)), 0
        )

    node = (_NODE.c.id, _NODE.c.kind, _NODE.c.held_minor, _NODE.c.utilised_minor)
    rows = conn.execute(
        select(*node, total("HELD").label("held"), total("UTILISED").label("used"))
        .outerjoin(_HOLD, _HOLD.c.node_id == _NODE.c.id)
        .group_by(*node)
        .order_by(_NODE.c.id)
    )
    return [
        {
            "node_id": row.id,
            "kind": row.kind,
            "held_minor": row.held_minor,
            "utilised_minor": row.utilised_minor,
            "recomputed_held_minor": int(row.held),
            "recomputed_utilised_minor": int(row.used),
        }
        for row in rows
        if (row.held_minor, row.utilised_minor) != (int(row.held), int(row.used))
    ]
