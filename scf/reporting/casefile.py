"""A request as an officer decides on it: one value with all that a page, a memo or a program shows.

Nothing here is worked out anew that was stored when the case came about: reasons, price and what
an earlier officer saw are read as they were kept.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection
from sqlmodel import Session, col

from scf.chain.models import GraphSnapshot
from scf.documents.models import Invoice
from scf.financing import authority, reprice, requests, seeing, signing
from scf.financing.acts import Act, acts_of
from scf.financing.ending import UNDO_FOR, undo_stops
from scf.financing.lifecycle import DECIDABLE
from scf.financing.models import (
    Advance,
    CounterOffer,
    Decision,
    FinancingRequest,
    ManualCheck,
    RequestOverride,
    RequestQuestion,
)
from scf.kernel.actor import Actor
from scf.kernel.errors import NotAllowed
from scf.offers.models import Quote, QuoteLine
from scf.parties.service import firm_names, people_names
from scf.programmes.models import LimitHold, LimitNode, Programme
from scf.programmes.service import terms_of_version
from scf.programmes.terms import Terms
from scf.reporting.casescore import CaseScore, score_of
from scf.reporting.economics import Economics, economics_of
from scf.reporting.exposure import LimitLine, lines_of
from scf.reporting.priced import CasePrice, price_of
from scf.risk.models import PriceAssessment, RiskAssessment
from scf.risk.stress import Stressed, stressed

_REQUEST: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_DECISION: Final[Table] = Decision.__table__  # type: ignore[attr-defined]
_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_PRICED: Final[Table] = PriceAssessment.__table__  # type: ignore[attr-defined]
_ASSESSED: Final[Table] = RiskAssessment.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One invoice of the case, and the part of it that is asked for."""

    invoice_id: str
    number: str
    obligor: str
    order_number: str
    match_state: str
    match_code: str
    acceptance_state: str
    dispute_state: str
    ipu: bool
    face_minor: int
    net_minor: int
    due_on: dt.date
    days: int
    components: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """A check that the programme requires, with the latest record of it, if there is one."""

    kind: str
    before_payout: bool
    result: str
    evidence: str
    source: str
    who: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class CaseWord:
    """What somebody said on the case."""

    name: str
    user_id: str
    outcome: str
    codes: tuple[str, ...]
    note: str
    at: dt.datetime
    round: int
    step: int


@dataclass(frozen=True, slots=True)
class CaseQuestion:
    """A question to the firm, and its answer."""

    question: str
    asked_by: str
    asked_at: dt.datetime
    answer: str
    answered_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class CaseExposure:
    """A limit with what stood there before this case and what the case takes of it."""

    line: LimitLine
    this_minor: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything about one request."""

    request: Any  # the row of the request
    quote: Any  # the row of the quote that it took
    programme: str
    terms: Terms
    seller: str
    obligors: tuple[str, ...]
    obligor_ids: tuple[str, ...]
    value_on: dt.date
    lines: tuple[CaseLine, ...]
    checks: tuple[CaseCheck, ...]
    words: tuple[CaseWord, ...]
    questions: tuple[CaseQuestion, ...]
    exposure: tuple[CaseExposure, ...]
    differences: tuple[seeing.Difference, ...]
    counter: Any | None  # the row of an open counter-offer
    repriced: Any | None  # another price that waits for words: the offer to be, with its rate
    economics: Economics | None  # nothing for a price by contract
    score: CaseScore | None
    stress: tuple[tuple[Stressed, str], ...]  # if something breaks, with the firm it is about
    price: CasePrice | None  # of the largest invoice, explained; nothing for a price by contract
    word: authority.Word | None
    why_not: NotAllowed | None
    undo_until: dt.datetime | None
    signed: str
    acts: tuple[Act, ...]
    overrides: tuple[Any, ...]  # rows of what was set aside
    people: Mapping[str, str]  # the names of who set it aside
    chain_snapshot_id: str  # of the chain that the price was made on; the newest for a contract

    @property
    def sides(self) -> tuple[str, ...]:
        """Give the ids of the seller and of those who owe."""
        return tuple(dict.fromkeys((self.request.seller_id, *self.obligor_ids)))

    @property
    def missing(self) -> tuple[str, ...]:
        """Give the checks before the decision that are not recorded as clear."""
        return tuple(
            one.kind for one in self.checks if not one.before_payout and one.result != "CLEAR"
        )


def case_file(session: Session, who: Actor, request_id: str, now: dt.datetime) -> CaseFile | None:
    """Give the case, or nothing where the reader's organisation does not finance it."""
    seen = session.execute(
        select(col(FinancingRequest.id)).where(
            col(FinancingRequest.id) == request_id, col(FinancingRequest.financier_id) == who.org_id
        )
    ).scalar_one_or_none()
    if seen is None:
        return None
    conn = session.connection()
    row = conn.execute(select(_REQUEST).where(_REQUEST.c.id == request_id)).one()
    quote = session.execute(select(Quote).where(col(Quote.id) == row.quote_id)).scalar_one()
    advances = list(
        session.execute(
            select(Advance)
            .where(col(Advance.request_id) == request_id, col(Advance.state) != "CANCELLED")
            .order_by(col(Advance.id))
        ).scalars()
    )
    terms = terms_of_version(conn, quote.programme_version_id)
    made = requests.decisions_of(conn, row)
    names = firm_names(conn, {row.seller_id, *(one.obligor_id for one in advances)})
    word, why_not = _word(conn, who, row, terms, made)
    repriced = requests.standing(conn, row)
    overrides = tuple(
        session.execute(
            select(RequestOverride)
            .where(col(RequestOverride.request_id) == row.id)
            .order_by(col(RequestOverride.id))
        ).scalars()
    )
    return CaseFile(
        request=row,
        quote=quote,
        programme=session.execute(
            select(col(Programme.name)).where(col(Programme.id) == row.programme_id)
        ).scalar_one(),
        terms=terms,
        seller=names.get(row.seller_id, ""),
        obligors=tuple(dict.fromkeys(names.get(one.obligor_id, "") for one in advances)),
        obligor_ids=tuple(one.obligor_id for one in advances),
        value_on=min((one.value_on for one in advances), default=quote.value_on),
        lines=_lines(session, advances, names),
        checks=_checks(session, row.id, terms),
        words=_words(conn, row.id),
        questions=_questions(session, row.id),
        exposure=_exposure(session, [one.id for one in advances]),
        differences=_differences(conn, row, advances, made),
        counter=session.execute(
            select(CounterOffer).where(
                col(CounterOffer.request_id) == row.id,
                col(CounterOffer.state).in_(("PROPOSED", "OPEN")),
            )
        )
        .scalars()
        .first(),
        repriced=repriced,
        economics=economics_of(conn, advances, terms.day_count.basis),
        score=score_of(session, advances),
        stress=_stress(conn, advances),
        price=price_of(conn, who.org_id, terms, advances),
        word=word,
        why_not=why_not,
        undo_until=_undo_until(conn, who, row, now),
        signed=reprice.digest_at(conn, row, advances, repriced, row.version)
        if repriced is not None
        else signing.signed(conn, row, advances, row.version),
        acts=tuple(acts_of(conn, who, row, terms, now)),
        overrides=overrides,
        people=people_names(conn, {one.user_id for one in overrides}) if overrides else {},
        chain_snapshot_id=_chain(conn, who, advances),
    )


def _stress(conn: Connection, advances: Sequence[Advance]) -> tuple[tuple[Stressed, str], ...]:
    """Work the price of the largest invoice out again, each time with one thing worse."""
    largest = max(advances, key=lambda one: one.face_minor, default=None)
    found = stressed(conn, largest.quote_line_id) if largest is not None else ()
    names = firm_names(conn, {one.firm_id for one in found if one.firm_id})
    return tuple((one, names.get(one.firm_id, "")) for one in found)


def _chain(conn: Connection, who: Actor, advances: Sequence[Advance]) -> str:
    """Name the chain snapshot of the case: the one its price was made on, so the picture stays."""
    made = conn.execute(
        select(_ASSESSED.c.snapshot_id)
        .join(_PRICED, _PRICED.c.obligor_assessment_id == _ASSESSED.c.id)
        .where(_PRICED.c.quote_line_id.in_([one.quote_line_id for one in advances]))
        .limit(1)
    ).scalar_one_or_none()
    if made is not None:
        return str(made)
    newest = conn.execute(
        select(_SNAPSHOT.c.id)
        .where(_SNAPSHOT.c.financier_id == who.org_id)
        .order_by(_SNAPSHOT.c.as_of_on.desc())
        .limit(1)
    ).scalar_one_or_none()
    return str(newest or "")


def _word(
    conn: Connection, who: Actor, row: Row[Any], terms: Terms, made: Sequence[Row[Any]]
) -> tuple[authority.Word | None, NotAllowed | None]:
    """Ask the one place that knows whether this person may approve, and as which step."""
    if row.state not in DECIDABLE:
        return None, None
    try:
        return authority.may_say(conn, who, row, terms, made), None
    except NotAllowed as refusal:
        return None, refusal


def _undo_until(
    conn: Connection, who: Actor, row: Row[Any], now: dt.datetime
) -> dt.datetime | None:
    if undo_stops(conn, who.user_id, row, now) is not None:
        return None
    last = requests.decisions_of(conn, row)[-1]
    until: dt.datetime = last.at + UNDO_FOR
    return until


def _lines(
    session: Session, advances: Sequence[Advance], names: dict[str, str]
) -> tuple[CaseLine, ...]:
    found = session.execute(
        select(Invoice).where(col(Invoice.id).in_({one.invoice_id for one in advances}))
    ).scalars()
    invoices = {row.id: row for row in found}
    quoted = session.execute(
        select(col(QuoteLine.id), col(QuoteLine.components)).where(
            col(QuoteLine.id).in_({one.quote_line_id for one in advances})
        )
    )
    components = {row.id: _components(row.components) for row in quoted}
    return tuple(
        CaseLine(
            one.invoice_id,
            invoice.number,
            names.get(one.obligor_id, ""),
            invoice.order_number or "",
            invoice.match_state,
            invoice.match_code or "",
            invoice.acceptance_state,
            invoice.dispute_state,
            invoice.ipu,
            one.face_minor,
            one.net_minor,
            one.due_on,
            one.days,
            components.get(one.quote_line_id, ()),
        )
        for one in advances
        if (invoice := invoices.get(one.invoice_id)) is not None
    )


def _components(stored: object) -> tuple[tuple[str, int], ...]:
    """Give the eleven parts in their order; nothing for a price by contract."""
    if isinstance(stored, dict):
        return tuple((str(name), int(bp)) for name, bp in stored.items())
    if isinstance(stored, list):
        return tuple((str(one["name"]), int(one["bp"])) for one in stored)
    return ()


def _checks(session: Session, request_id: str, terms: Terms) -> tuple[CaseCheck, ...]:
    rows = list(
        session.execute(
            select(ManualCheck)
            .where(col(ManualCheck.request_id) == request_id)
            .order_by(col(ManualCheck.at), col(ManualCheck.id))
        ).scalars()
    )
    latest = {row.kind: row for row in rows}
    people = people_names(session.connection(), {row.user_id for row in rows})
    return tuple(
        CaseCheck(
            kind,
            before_payout,
            row.result if (row := latest.get(kind)) else "",
            row.told if row else "",
            row.source if row else "",
            people.get(row.user_id, "") if row else "",
            row.at if row else None,
        )
        for before_payout, kinds in (
            (False, terms.checks_before_decision),
            (True, terms.checks_before_payout),
        )
        for kind in kinds
    )


def _words(conn: Connection, request_id: str) -> tuple[CaseWord, ...]:
    rows = list(
        conn.execute(
            select(_DECISION)
            .where(_DECISION.c.request_id == request_id)
            .order_by(_DECISION.c.round, _DECISION.c.step)
        )
    )
    people = people_names(conn, {row.user_id for row in rows})
    return tuple(
        CaseWord(
            people.get(row.user_id, ""),
            row.user_id,
            row.outcome,
            tuple(row.codes or ()),
            row.note,
            row.at,
            row.round,
            row.step,
        )
        for row in rows
    )


def _questions(session: Session, request_id: str) -> tuple[CaseQuestion, ...]:
    rows = list(
        session.execute(
            select(RequestQuestion)
            .where(col(RequestQuestion.request_id) == request_id)
            .order_by(col(RequestQuestion.id))
        ).scalars()
    )
    people = people_names(session.connection(), {row.asked_by for row in rows})
    return tuple(
        CaseQuestion(
            row.question,
            people.get(row.asked_by, ""),
            row.asked_at,
            row.answer or "",
            row.answered_at,
        )
        for row in rows
    )


def _exposure(session: Session, advance_ids: Iterable[str]) -> tuple[CaseExposure, ...]:
    """Give each limit that the case draws on, the fullest first; the case is held there already."""
    taken: dict[str, int] = {}
    holds = session.execute(
        select(LimitHold).where(col(LimitHold.advance_id).in_(list(advance_ids)))
    ).scalars()
    for hold in holds:
        taken[hold.node_id] = taken.get(hold.node_id, 0) + hold.amount_minor
    rows = list(
        session.execute(
            select(LimitNode)
            .where(col(LimitNode.id).in_(taken))
            .order_by(col(LimitNode.kind_rank), col(LimitNode.id))
        ).scalars()
    )
    return tuple(CaseExposure(line, taken[line.id]) for line in lines_of(session, rows))


def _differences(
    conn: Connection, row: Row[Any], advances: Sequence[Advance], made: Sequence[Row[Any]]
) -> tuple[seeing.Difference, ...]:
    """Compare what the first officer saw with what is there now; nothing before a first word."""
    if row.state not in DECIDABLE or not made:
        return ()
    return tuple(seeing.compared(made[0].seen, seeing.seen(conn, row, advances)))
