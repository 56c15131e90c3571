"""Advances as the schedule sees them: their rows joined with the terms they were granted under."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.financing.models import Advance
from scf.kernel.daycount import DayCount
from scf.kernel.penalty import PenaltyTerms
from scf.kernel.rates import percent_to_fraction
from scf.offers.pricing import fee_of
from scf.programmes.models import ProgrammeVersion
from scf.programmes.techniques import technique_of
from scf.programmes.terms import Terms, terms_of
from scf.settlement.reserve import Reserved
from scf.settlement.schedule import Loan

ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_VERSION: Final[Table] = ProgrammeVersion.__table__  # type: ignore[attr-defined]


def terms_of_versions(conn: Connection, version_ids: Iterable[str]) -> dict[str, Terms]:
    """Give the terms of programme versions, each read once."""
    wanted = sorted(set(version_ids))
    rows = conn.execute(select(_VERSION.c.id, _VERSION.c.terms).where(_VERSION.c.id.in_(wanted)))
    return {row.id: terms_of(row.terms) for row in rows}


def loans_of(conn: Connection, advances: Iterable[Row[Any]]) -> dict[str, Loan | Reserved]:
    """Give the loans of advances, by id."""
    rows = list(advances)
    terms = terms_of_versions(conn, (row.programme_version_id for row in rows))
    return {row.id: loan_of(row, terms[row.programme_version_id]) for row in rows}


def loan_of(row: Row[Any], terms: Terms) -> Loan | Reserved:
    """Give what decides how an advance earns and what lateness costs."""
    day_count = DayCount(row.day_count)
    at_once = [fee for fee in terms.currency[row.currency].fees if fee.earned == "at_once"]
    if technique_of(terms).runs_a_reserve(terms):
        arrears = terms.charge == "arrears"
        return Reserved(
            id=row.id,
            face=row.face_minor,
            reserve=row.reserve_minor,
            discount=row.discount_minor,
            fee=row.fee_minor,
            fee_at_once=fee_of(at_once, row.face_minor),
            start=row.value_on,
            due_on=row.due_on,
            rate=percent_to_fraction(row.rate_percent) if arrears else Fraction(0),
            day_count=day_count,
            lent_out=row.recourse,
            diluted=row.diluted_minor,
            called=row.called_on is not None,
            effective=terms.income_method == "effective",
        )
    return Loan(
        id=row.id,
        face=row.face_minor,
        discount=row.discount_minor,
        fee=row.fee_minor,
        start=row.value_on,
        due_on=row.due_on,
        penalty=PenaltyTerms(
            rate=percent_to_fraction(row.rate_percent),
            day_count=day_count,
            multiple_ppm=terms.penalty_multiple_ppm,
            extra_only=terms.penalty_extra_only,
            grace_days=terms.grace_days,
            grace_free=terms.grace_free,
        ),
        effective=terms.income_method == "effective",
        fee_at_once=fee_of(at_once, row.face_minor),
        rebate_share_ppm=terms.rebate_share_ppm,
        impaired_on=row.impaired_on,
        written_off=row.written_off_minor,
        written_off_on=row.written_off_on,
    )


def rebate_payee(row: Row[Any], terms: Terms) -> str:
    """Give who receives the rebate of an early repayment."""
    bearers = {"seller": row.seller_id}
    payees = {
        "cost_bearer": bearers[terms.cost_bearer],
        "payer": row.obligor_id,
        "seller": row.seller_id,
    }
    return str(payees[terms.rebate_to])


def advances_of(conn: Connection, ids: Iterable[str]) -> Mapping[str, Row[Any]]:
    """Read advances as they are now, by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row.id: row for row in conn.execute(select(ADVANCE).where(ADVANCE.c.id.in_(wanted)))}
