"""Reports: what a firm must disclose, counted from its own book."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from scf.accounting import supplier_finance as disclosure
from scf.db.types import Currency, OptDay, Ppm
from scf.parties.service import day_for
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor, now

resource = Blueprint("reports", __name__)


class ReportQuery(BaseModel):
    """Which days, both included; the calendar year so far without them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)
    from_on: OptDay = Field(default=None, alias="from")
    to_on: OptDay = Field(default=None, alias="to")


class ArrangementOut(Answer):
    """The terms of one arrangement, IAS 7.44H(a)."""

    programme_id: str
    name: str
    financier_id: str
    state: str
    technique: str
    undertaking: bool
    recourse: str
    disclosed: bool
    tenor_min_days: int
    tenor_max_days: int
    grace_days: int
    penalty_multiple_ppm: Ppm
    currencies: list[str]


class DueRange(Answer):
    """Days from issue to due day."""

    invoices: int
    shortest: int | None
    longest: int | None


class AtDayOut(Answer):
    """What stands at the close of a day, IAS 7.44H(b)."""

    on: dt.date
    carrying: Amount
    paid_to_suppliers: Amount
    due: DueRange
    comparable_payables: Amount
    comparable_due: DueRange


class ChangeOut(Answer):
    """What changed the carrying amount, IAS 7.44H(c); positive for an increase."""

    kind: str
    cash: bool
    entries: int
    amount: Amount


class FiguresOut(Answer):
    """One currency."""

    currency: Currency
    opening: AtDayOut
    closing: AtDayOut
    changes: list[ChangeOut]
    without_cash: Amount


class SupplierFinanceReport(Answer):
    """The disclosure of a buyer on its supplier finance arrangements."""

    from_on: dt.date
    to_on: dt.date
    arrangements: list[ArrangementOut]
    figures: list[FiguresOut]


@endpoint(
    resource,
    "GET",
    "/reports/supplier-finance",
    action="book.read",
    answer=SupplierFinanceReport,
)
def read_supplier_finance(query: ReportQuery) -> SupplierFinanceReport:
    """Read what IAS 7.44F to 44H asks of a buyer, counted from its own book."""
    org_id = actor().org_id
    with reader() as session:
        conn = session.connection()
        to_on = query.to_on or day_for(conn, org_id, now().date())
        from_on = query.from_on or dt.date(to_on.year, 1, 1)
        found = disclosure.supplier_finance(conn, org_id, from_on, to_on)
    return SupplierFinanceReport(
        from_on=found.from_on,
        to_on=found.to_on,
        arrangements=[
            ArrangementOut(
                **{name: getattr(one, name) for name in ArrangementOut.model_fields}
                | {"currencies": list(one.currencies)}
            )
            for one in found.arrangements
        ],
        figures=[_figures(one) for one in found.figures],
    )


def _figures(one: disclosure.Figures) -> FiguresOut:
    return FiguresOut(
        currency=one.currency,
        opening=_at(one.opening, one.currency),
        closing=_at(one.closing, one.currency),
        changes=[
            ChangeOut(
                kind=change.kind,
                cash=change.cash,
                entries=change.entries,
                amount=amount(change.amount_minor, one.currency),
            )
            for change in one.changes
        ],
        without_cash=amount(one.without_cash_minor, one.currency),
    )


def _at(day: disclosure.AtDay, currency: str) -> AtDayOut:
    return AtDayOut(
        on=day.on,
        carrying=amount(day.carrying_minor, currency),
        paid_to_suppliers=amount(day.paid_to_suppliers_minor, currency),
        due=_range(day.due),
        comparable_payables=amount(day.comparable_minor, currency),
        comparable_due=_range(day.comparable),
    )


def _range(one: disclosure.Range) -> DueRange:
    return DueRange(invoices=one.invoices, shortest=one.shortest, longest=one.longest)
