"""Two records of one firm are joined, and parted again: proposed by one person, done by another.

A row says that one record stands for the other. Who is looked up under the one is found as the
other from then on, the chain counts both as one firm, and the papers of the one become the other's,
each noted. Taking the rows away restores what was.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.visibility import fetch_visible, not_found, predicate_for
from scf.documents.identity.handing import hand_back, hand_over
from scf.documents.identity.holdings import Holdings, between, holdings, twice
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation, ScfError
from scf.kernel.ids import new_id
from scf.parties.commands import answers_for
from scf.parties.identity.lookup import facts_of_record
from scf.parties.identity.models import FirmLink, FirmMerge
from scf.parties.identity.score import Score, compare
from scf.parties.models import Firm
from scf.parties.service import same_person

_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_link: Final[Table] = FirmLink.__table__  # type: ignore[attr-defined]
_merge: Final[Table] = FirmMerge.__table__  # type: ignore[attr-defined]

constraint_means(
    "uq_firm_merge_waiting",
    "firm_merge.firm_id",
    lambda: Conflict("MERGE_WAITS", "A proposal about this record waits for a decision."),
)
constraint_means(
    "firm_link_pkey",
    "firm_link.firm_id",
    lambda: Conflict("MERGED_ALREADY", "Another record stands for this one already."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class MergeFirms(_Input):
    """The record that is given up, the one that stands for both, and why they are one firm."""

    firm_id: str = Field(max_length=64)
    survivor_id: str = Field(max_length=64)
    reason: str = Field(min_length=3, max_length=2000)


class UnmergeFirm(_Input):
    """A record that another one stands for, and why it is a firm of its own after all."""

    firm_id: str = Field(max_length=64)
    reason: str = Field(min_length=3, max_length=2000)


class DecideMerge(_Input):
    """The second person's word on a proposal."""

    merge_id: str = Field(max_length=64)
    confirm: bool = Field(strict=True)
    reason: str = Field(min_length=3, max_length=2000)


class Consequences(NamedTuple):
    """What joining two records does: shown before anybody proposes it, and judged again after."""

    firm: Row[Any]
    survivor: Row[Any]
    score: Score
    own: Holdings  # of the record that is given up
    others: Holdings  # of the one that stands for both
    obstacles: tuple[ScfError, ...]


def consequences(conn: Connection, actor: Actor, firm_id: str, survivor_id: str) -> Consequences:
    """Work out what joining two records would do, and everything that stands in the way.

    Raises
    ------
    NotFound
        For a record that is not there.
    """
    firm = fetch_visible(conn, Firm, firm_id, actor)
    survivor = fetch_visible(conn, Firm, survivor_id, actor)
    score = compare(facts_of_record(conn, firm, actor), facts_of_record(conn, survivor, actor))
    own, others = holdings(conn, firm.id), holdings(conn, survivor.id)
    obstacles = _obstacles(conn, firm, survivor, score, (own, others))
    return Consequences(firm, survivor, score, own, others, tuple(obstacles))


def _obstacles(
    conn: Connection,
    firm: Row[Any],
    survivor: Row[Any],
    score: Score,
    held: tuple[Holdings, Holdings],
) -> list[ScfError]:
    if firm.id == survivor.id:
        return [RuleViolation("MERGE_SAME", "A record cannot stand for itself.")]
    found: list[ScfError] = []
    if {firm.kind, survivor.kind} != {"trader"}:
        found.append(RuleViolation("MERGE_KIND", "Only records of trading firms can be joined."))
    links = conn.execute(
        select(_link).where(
            or_(
                _link.c.firm_id.in_([firm.id, survivor.id]),
                _link.c.survivor_id == firm.id,
            )
        )
    ).all()
    if any(row.firm_id == firm.id for row in links):
        found.append(Conflict("MERGED_ALREADY", "Another record stands for this one already."))
    if any(row.firm_id == survivor.id for row in links):
        found.append(
            Conflict("MERGE_SURVIVOR", "Another record stands for the one that is to stay.")
        )
    if any(row.survivor_id == firm.id for row in links):
        found.append(
            Conflict("MERGE_STANDS_FOR", "This record stands for others. Part them from it first.")
        )
    if "NUMBER_OTHER" in score.codes:
        found.append(
            RuleViolation(
                "MERGE_NUMBERS",
                "They have different numbers of a kind of which a firm has one: two firms.",
            )
        )
    own, others = (sorted(one.forbids) for one in held)
    if own and others:
        found.append(
            RuleViolation(
                "MERGE_BOTH_HOLD",
                "Both records have people, books, agreements or money. Only a record that has none"
                " of these can be given up.",
                firm=own,
                survivor=others,
            )
        )
    elif own:
        found.append(
            RuleViolation(
                "MERGE_OTHER_WAY",
                "The record that is to be given up has people, books, agreements or money. Join"
                " them the other way round.",
                firm=own,
            )
        )
    return found + _of_papers(conn, firm.id, survivor.id)


def _of_papers(conn: Connection, firm_id: str, survivor_id: str) -> list[ScfError]:
    found: list[ScfError] = []
    mutual = between(conn, firm_id, survivor_id)
    if mutual:
        found.append(
            RuleViolation("MERGE_TRADE", "The two have traded with each other.", numbers=mutual)
        )
    double = twice(conn, firm_id, survivor_id)
    if double:
        found.append(
            RuleViolation(
                "MERGE_TWICE",
                "Documents of the same number stand under both records. They would be one claim"
                " twice.",
                numbers=double,
            )
        )
    return found


def told(found: Consequences) -> dict[str, Any]:
    """Give the consequences as they are kept with a proposal."""
    return {
        "points": found.score.points,
        "parts": [part._asdict() for part in found.score.parts],
        "stays": dict(found.own.stays),
    }


@command("firm.merge", MergeFirms)
def propose_merge(ctx: Context, data: MergeFirms) -> dict[str, Any]:
    """It is proposed that one record stands for another; a second person decides.

    Raises
    ------
    RuleViolation
        ``MERGE_SAME``, ``MERGE_KIND``, ``MERGE_NUMBERS``, ``MERGE_BOTH_HOLD``,
        ``MERGE_OTHER_WAY``, ``MERGE_TRADE``, ``MERGE_TWICE``, each with what was found.
    Conflict
        ``MERGED_ALREADY``, ``MERGE_SURVIVOR``, ``MERGE_STANDS_FOR``, ``MERGE_WAITS``.
    NotAllowed
        ``NOT_ALLOWED`` when another financier answers for one of the two.
    """
    found = consequences(ctx.conn, ctx.actor, data.firm_id, data.survivor_id)
    if found.obstacles:
        raise found.obstacles[0]
    _answers_for_both(ctx, found.firm, found.survivor)
    return _propose(ctx, "MERGE", data.firm_id, data.survivor_id, data.reason, told(found))


@command("firm.unmerge", UnmergeFirm)
def propose_unmerge(ctx: Context, data: UnmergeFirm) -> dict[str, Any]:
    """It is proposed that a record stands for itself again; a second person decides.

    Raises
    ------
    Conflict
        ``NOT_MERGED``, ``MERGE_WAITS``.
    NotAllowed
        ``NOT_ALLOWED`` when another financier answers for one of the two.
    """
    firm = ctx.visible(Firm, data.firm_id)
    link = _link_of(ctx, firm.id)
    _answers_for_both(ctx, firm, ctx.visible(Firm, link.survivor_id))
    return _propose(ctx, "UNMERGE", firm.id, link.survivor_id, data.reason, {})


@command("firm.merge.decide", DecideMerge)
def decide_merge(ctx: Context, data: DecideMerge) -> dict[str, Any]:
    """A proposal is carried out or struck out; what waited for the record is looked at again.

    All that stood in the way is judged anew, on rows that nobody else changes meanwhile.

    Raises
    ------
    RuleViolation
        ``SAME_PERSON`` for the person who proposed it, and what :func:`propose_merge` raises.
    Conflict
        ``MERGE_DECIDED`` when somebody was first, what the proposal raises, and
        ``UNMERGE_USED`` and ``UNMERGE_MIXED`` where papers cannot be moved back.
    """
    row = ctx.conn.execute(
        select(_merge).where(_merge.c.id == data.merge_id, predicate_for(FirmMerge, ctx.actor))
    ).one_or_none()
    if row is None:
        raise not_found("firm_merge", data.merge_id)
    _lock(ctx, row.firm_id, row.survivor_id)
    own = same_person(ctx.conn, ctx.actor.user_id, [row.proposed_by])
    if own and data.confirm and not ctx.actor.is_operator:
        raise RuleViolation("SAME_PERSON", "Somebody else must confirm what you proposed.")
    firm, survivor = ctx.visible(Firm, row.firm_id), ctx.visible(Firm, row.survivor_id)
    _answers_for_both(ctx, firm, survivor)
    state = "DONE" if data.confirm else "REFUSED"
    moved = ctx.conn.execute(
        update(_merge)
        .where(_merge.c.id == row.id, _merge.c.state == "PROPOSED")
        .values(
            state=state,
            decided_by=ctx.actor.user_id,
            decided_reason=data.reason,
            decided_at=ctx.now,
        )
        .returning(_merge.c.id)
    ).one_or_none()
    if moved is None:
        raise Conflict("MERGE_DECIDED", "Somebody has decided this meanwhile.", id=row.id)
    if data.confirm:
        _carry_out(ctx, row)
    ctx.change(
        "firm_merge",
        row.id,
        {"state": "PROPOSED"},
        {"state": state, "kind": row.kind, "firm_id": row.firm_id, "survivor_id": row.survivor_id},
    )
    return _result(row.id, row.kind, row.firm_id, row.survivor_id, state)


def _carry_out(ctx: Context, row: Row[Any]) -> None:
    if row.kind == "MERGE":
        found = consequences(ctx.conn, ctx.actor, row.firm_id, row.survivor_id)
        if found.obstacles:
            raise found.obstacles[0]
        link = {"firm_id": row.firm_id, "survivor_id": row.survivor_id, "since_at": ctx.now}
        ctx.conn.execute(insert(_link), link)
        moved = hand_over(ctx, row.id, row.firm_id, row.survivor_id)
    else:
        link_row = _link_of(ctx, row.firm_id)
        if link_row.survivor_id != row.survivor_id:
            raise Conflict("NOT_MERGED", "No record stands for this one.", id=row.firm_id)
        ctx.conn.execute(delete(_link).where(_link.c.firm_id == row.firm_id))
        moved = hand_back(ctx, _joined_by(ctx, row), row.firm_id, row.survivor_id)
    ctx.change("firm_link", row.firm_id, None, {"kind": row.kind, "papers": moved})
    for firm_id in (row.firm_id, row.survivor_id):
        ctx.enqueue("documents.revalidate", {"firm_id": firm_id}, f"{firm_id}:{ctx.command_id}")


def _joined_by(ctx: Context, row: Row[Any]) -> str:
    """Give the act that joined the two records last."""
    found = ctx.conn.execute(
        select(_merge.c.id)
        .where(
            _merge.c.firm_id == row.firm_id,
            _merge.c.survivor_id == row.survivor_id,
            _merge.c.kind == "MERGE",
            _merge.c.state == "DONE",
        )
        .order_by(_merge.c.decided_at.desc(), _merge.c.id.desc())
        .limit(1)
    )
    return str(found.scalar_one())


def _lock(ctx: Context, *firm_ids: str) -> None:
    """Hold both records, by id: whoever stores a document of one waits, and sees the link then."""
    ctx.conn.execute(
        select(_firm.c.id)
        .where(_firm.c.id.in_(sorted(firm_ids)))
        .order_by(_firm.c.id)
        .with_for_update()
    ).all()


def _link_of(ctx: Context, firm_id: str) -> Row[Any]:
    row = ctx.conn.execute(select(_link).where(_link.c.firm_id == firm_id)).one_or_none()
    if row is None:
        raise Conflict("NOT_MERGED", "No record stands for this one.", id=firm_id)
    return row


def _answers_for_both(ctx: Context, *firms: Row[Any]) -> None:
    """Let only those join records who answer for both: it holds for every financier."""
    for refusal in unanswered(ctx.conn, ctx.actor, *firms):
        raise refusal


def unanswered(conn: Connection, actor: Actor, *firms: Row[Any]) -> Iterator[NotAllowed]:
    """Give the refusal for whoever does not answer for one of the firms."""
    for firm in firms:
        if firm.activated_by_org is not None and not answers_for(conn, actor, firm):
            yield NotAllowed(
                "NOT_ALLOWED",
                "Only a financier that activated the firm, or has an active programme with it,"
                " joins its records.",
            )
            return


def _propose(
    ctx: Context, kind: str, firm_id: str, survivor_id: str, reason: str, seen: Mapping[str, Any]
) -> dict[str, Any]:
    merge_id = new_id()
    ctx.conn.execute(
        insert(_merge),
        {
            "id": merge_id,
            "kind": kind,
            "firm_id": firm_id,
            "survivor_id": survivor_id,
            "state": "PROPOSED",
            "reason": reason,
            "seen": dict(seen),
            "proposed_by": ctx.actor.user_id,
            "proposed_by_org": ctx.actor.org_id,
            "proposed_at": ctx.now,
            "decided_reason": "",
        },
    )
    ctx.change(
        "firm_merge",
        merge_id,
        None,
        {"state": "PROPOSED", "kind": kind, "firm_id": firm_id, "survivor_id": survivor_id},
    )
    return _result(merge_id, kind, firm_id, survivor_id, "PROPOSED")


def _result(merge_id: str, kind: str, firm_id: str, survivor_id: str, state: str) -> dict[str, Any]:
    return {
        "id": merge_id,
        "kind": kind,
        "firm_id": firm_id,
        "survivor_id": survivor_id,
        "state": state,
    }
