"""What people's word on a firm's grade would do, before anybody saves it; and what stands."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.lifecycle import UNDECIDED
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import Actor
from scf.parties.service import people_names
from scf.risk import grading
from scf.risk.grading import Graded
from scf.risk.models import FirmFact, PriceAssessment

MOST: int = 5  # open cases whose price is worked out again


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said of a firm's grade."""

    fact_id: str
    notches: int
    code: str
    evidence: str
    valid_to: dt.date
    entered_by_id: str
    entered_by: str
    confirmed_by: str
    at: dt.datetime
    waits: bool


@dataclass(frozen=True, slots=True)
class CaseThen:
    """An open case that the firm owes: its rate, and that of a quote with the other grade.

    ``parts``: each component with its whole basis points now and then.
    """

    request_id: str
    rate_before_bp: int | None
    rate_after_bp: int | None
    route_before: str
    route_after: str
    parts: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a grade would make of a firm, and of quotes like those of its open cases."""

    firm: Graded
    cases: tuple[CaseThen, ...]


def words_on(session: Session, firm_id: str) -> list[Word]:
    """Give what the reader's people said of a firm's grade, the newest first."""
    rows = list(
        session.execute(
            select(FirmFact)
            .where(col(FirmFact.firm_id) == firm_id, col(FirmFact.kind) == "grade")
            .order_by(col(FirmFact.id).desc())
            .limit(20)
        ).scalars()
    )
    ids = {one for row in rows for one in (row.entered_by, row.confirmed_by) if one}
    people = people_names(session.connection(), ids)
    return [
        Word(
            row.id,
            row.notches,
            row.code or "",
            row.evidence,
            row.valid_to or dt.date.max,
            row.entered_by,
            people.get(row.entered_by, ""),
            people.get(row.confirmed_by or "", ""),
            row.entered_at,
            row.known_at is None,
        )
        for row in rows
    ]


def effect(session: Session, who: Actor, firm_id: str, notches: int) -> Effect | None:
    """Work out what so many columns worse, or better, would do; nothing without an assessment."""
    conn = session.connection()
    firm = grading.graded(conn, who.org_id, firm_id, notches)
    if firm is None:
        return None
    lines = session.execute(
        select(col(FinancingRequest.id), col(Advance.quote_line_id))
        .join(Advance, col(Advance.request_id) == col(FinancingRequest.id))
        .join(PriceAssessment, col(PriceAssessment.quote_line_id) == col(Advance.quote_line_id))
        .where(
            col(FinancingRequest.financier_id) == who.org_id,
            col(FinancingRequest.state).in_(UNDECIDED),
            col(Advance.obligor_id) == firm_id,
        )
        .order_by(col(FinancingRequest.id).desc(), col(Advance.id))
        .limit(MOST)
    ).all()
    return Effect(firm, tuple(_case(conn, firm, *line) for line in lines))


def _case(conn: Any, firm: Graded, request_id: str, line_id: str) -> CaseThen:  # noqa: ANN401
    before, after = grading.repriced(conn, line_id, firm)
    then = {part.name: part.bp for part in after.components}
    return CaseThen(
        request_id,
        before.rate_bp,
        after.rate_bp if after.refusal is None else None,
        before.route,
        after.route,
        tuple((part.name, part.bp, then.get(part.name, 0)) for part in before.components),
    )
