"""Possible duplicates as people read them: two documents side by side, equal or not."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, union_all
from sqlmodel import Session, col

from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.models import Invoice, InvoiceLine
from scf.kernel.actor import Actor
from scf.parties.service import firm_names, people_names

MOST: Final = 100
_lines: Final = func.count(col(InvoiceLine.id))


@dataclass(frozen=True, slots=True)
class Paper:
    """One of the two documents, as far as the reader may see it."""

    invoice_id: str
    number: str
    seller: str
    buyer: str
    issue_on: dt.date
    due_on: dt.date | None
    payable_minor: int
    currency: str
    order: str
    match_state: str
    acceptance_state: str
    document_state: str
    taken_minor: int
    lines: int
    came_at: dt.datetime
    came_from: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A suspicion with its two documents and the reader's own organisation's word on it.

    ``paper`` is the later one and ``twin`` the earlier; where the reader may see only one of them,
    ``paper`` is that one, ``twin`` is missing, and ``later_hidden`` tells which.
    """

    id: str
    code: str
    facts: dict[str, Any]
    found_at: dt.datetime
    paper: Paper
    twin: Paper | None
    outcome: str = ""
    copy_id: str = ""
    state: str = ""
    reason: str = ""
    who: str = ""
    second: str = ""
    at: dt.datetime | None = None
    appeal: str = ""
    version: int = 0
    later_hidden: bool = False
    by_id: str = field(default="", repr=False)

    @property
    def later(self) -> Paper | None:
        """The paper that came later, where the reader may see it."""
        return None if self.later_hidden else self.paper

    @property
    def earlier(self) -> Paper | None:
        """The paper that came first, where the reader may see it."""
        return self.paper if self.later_hidden else self.twin

    @property
    def waits(self) -> bool:
        """Whether somebody still has to say something."""
        return self.state != "DECIDED"

    @property
    def copy(self) -> Paper | None:
        """The paper that the word calls no claim of its own; nothing where the reader has none."""
        papers = [one for one in (self.paper, self.twin) if one is not None]
        return next((one for one in papers if one.invoice_id == self.copy_id), None)


def waiting(who: Actor) -> Select[int]:
    """Count the possible duplicates that this organisation has not decided."""
    pairs: Select[Any] = _pairs(who).where(_OPEN).order_by(None)
    return pairs.with_only_columns(func.count(col(DuplicateSuspicion.id)))


_papers_table: Final = Invoice.__table__.alias("fallen")  # type: ignore[attr-defined]
# One that is void or rejected by now is no second claim: nothing is left to decide.
_FALLEN: Final = (
    select(_papers_table.c.id)
    .where(
        _papers_table.c.id.in_(
            [col(DuplicateSuspicion.invoice_id), col(DuplicateSuspicion.twin_id)]
        ),
        or_(
            _papers_table.c.document_state.not_in(["VALIDATED", "INCOMPLETE"]),
            _papers_table.c.acceptance_state == "REJECTED",
        ),
    )
    .exists()
)
_DECIDED: Final = col(DuplicateVerdict.state) == "DECIDED"
_OPEN: Final = or_(col(DuplicateVerdict.id).is_(None), ~_DECIDED) & ~_FALLEN


def _pairs(who: Actor) -> Any:  # noqa: ANN401 - a select
    return (
        select(DuplicateSuspicion, DuplicateVerdict)
        .outerjoin(
            DuplicateVerdict,
            (col(DuplicateVerdict.suspicion_id) == col(DuplicateSuspicion.id))
            & (col(DuplicateVerdict.org_id) == who.org_id),
        )
        .order_by(col(DuplicateSuspicion.found_at).desc(), col(DuplicateSuspicion.id))
    )


def undecided(who: Actor) -> Any:  # noqa: ANN401 - a select
    """Give the ids of the bought invoices that wait for the buyer's word on a look-alike.

    For a condition on invoices: it is worked out once, and not asked of each of them.
    """
    bought = _pairs(who).where(col(DuplicateSuspicion.buyer_id) == who.org_id, _OPEN).order_by(None)
    return union_all(
        bought.with_only_columns(col(DuplicateSuspicion.invoice_id)),
        bought.with_only_columns(col(DuplicateSuspicion.twin_id)),
    )


def alike(session: Session, who: Actor, *, decided: bool = False, most: int = MOST) -> list[Alike]:
    """Give what waits for this organisation's word, or what has had it; the newest first."""
    query = _pairs(who).where(_DECIDED if decided else _OPEN).limit(most)
    return _told(session, session.execute(query).all())


def one_alike(session: Session, who: Actor, suspicion_id: str) -> Alike | None:
    """Give one suspicion; nothing where there is none that the reader may know of."""
    query = _pairs(who).where(col(DuplicateSuspicion.id) == suspicion_id)
    return next(iter(_told(session, session.execute(query).all())), None)


def alike_of(session: Session, who: Actor, invoice_ids: Sequence[str]) -> list[Alike]:
    """Give what these invoices are suspected of, decided or not."""
    query = _pairs(who).where(
        or_(
            col(DuplicateSuspicion.invoice_id).in_(invoice_ids),
            col(DuplicateSuspicion.twin_id).in_(invoice_ids),
        )
    )
    return _told(session, session.execute(query).all())


def _told(session: Session, rows: Sequence[Any]) -> list[Alike]:
    ids = {one for suspicion, _ in rows for one in (suspicion.invoice_id, suspicion.twin_id)}
    papers = _papers(session, ids)
    conn = session.connection()
    said = [verdict for _, verdict in rows if verdict is not None]
    people = people_names(conn, {id_ for v in said for id_ in (v.user_id, v.second_id) if id_})
    return [
        Alike(
            suspicion.id,
            suspicion.code,
            suspicion.facts,
            suspicion.found_at,
            papers.get(suspicion.invoice_id) or papers[suspicion.twin_id],
            papers.get(suspicion.twin_id) if suspicion.invoice_id in papers else None,
            later_hidden=suspicion.invoice_id not in papers,
            **_word(verdict, people),
        )
        for suspicion, verdict in rows
        if suspicion.invoice_id in papers or suspicion.twin_id in papers
    ]


def _word(verdict: DuplicateVerdict | None, people: dict[str, str]) -> dict[str, Any]:
    if verdict is None:
        return {}
    return {
        "outcome": verdict.outcome,
        "copy_id": verdict.copy_id or "",
        "state": verdict.state,
        "reason": verdict.reason,
        "who": people.get(verdict.user_id, ""),
        "second": people.get(verdict.second_id or "", ""),
        "at": verdict.second_at or verdict.at,
        "appeal": verdict.appeal or "",
        "version": verdict.version,
        "by_id": verdict.user_id,
    }


def _papers(session: Session, ids: set[str]) -> dict[str, Paper]:
    rows = session.execute(select(Invoice).where(col(Invoice.id).in_(sorted(ids)))).scalars().all()
    counts = dict(
        session.execute(
            select(col(InvoiceLine.invoice_id), _lines)
            .where(col(InvoiceLine.invoice_id).in_([row.id for row in rows]))
            .group_by(col(InvoiceLine.invoice_id))
        ).all()
    )  # fmt: skip
    conn = session.connection()
    names = firm_names(conn, {f for row in rows for f in (row.org_id, row.seller_id, row.buyer_id)})
    return {
        row.id: Paper(
            row.id,
            row.number,
            names.get(row.seller_id or "", ""),
            names.get(row.buyer_id or "", ""),
            row.issue_on,
            row.due_on,
            row.payable_minor,
            row.currency,
            row.order_number or "",
            row.match_state,
            row.acceptance_state,
            row.document_state,
            row.held_minor + row.outstanding_minor,
            counts.get(row.id, 0),
            row.created_at,
            names.get(row.org_id, ""),
        )
        for row in rows
    }
