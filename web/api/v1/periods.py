"""Closing one's own book: periods, the balances in its own currency, revaluation. Financiers only.

Debit is positive, as in the ledger.
"""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.accounting.translated import translate
from scf.db.types import Currency
from scf.ledger.currency.revaluation import Revalue
from scf.ledger.models import Period
from scf.ledger.periods import ClosePeriod
from scf.parties.service import day_for
from scf.reporting import closing
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.context import actor, now

resource = Blueprint("periods", __name__)


class PeriodOut(Answer):
    """Days of the book; CLOSING and OPENING wait for a second person, OPEN was opened again."""

    id: str
    from_on: dt.date
    to_on: dt.date
    state: str
    note: str


class PeriodPage(Answer):
    """Some of the periods."""

    items: list[PeriodOut]
    next_cursor: str


class WhyNote(BaseModel):
    """Why, where that is worth a word."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=4000)


class ChecksQuery(PageQuery):
    """At the close of which day; the one that is suggested when left out."""

    to_on: dt.date | None = None


class ClosingChecks(Answer):
    """How the book stands at the close of a day; ``may_close`` is false where it cannot close.

    What is unbalanced, on suspense or in transit is told by its balances; ``not_revalued`` and
    ``rates_missing`` name currencies.
    """

    to_on: dt.date
    may_close: bool
    day_over: bool
    unbalanced: list[Amount]
    not_revalued: list[str]
    rates_missing: list[str]
    suspense: list[Amount]
    in_transit: list[Amount]
    unmatched_receipts: int
    unanswered_payments: int


class RevaluationDone(Answer):
    """What a revaluation booked: how many balances were looked at, and gains less losses."""

    on: dt.date
    balances: int
    entries: int
    unrealised: Amount
    realised: Amount


class TranslatedQuery(PageQuery):
    """At the close of which day; the business date when left out."""

    on: dt.date | None = None


class TranslatedBalance(Answer):
    """One balance and its value in the book's currency; null where no rate is known.

    ``basis``: ``own`` is in the book's currency; ``day`` at the rate of the day, which was
    published for ``rate_on``; ``days`` at the rates of the days it was booked on; ``within`` is
    revaluation, which the values at the day's rate hold already.
    """

    account: str
    balance: Amount
    basis: str
    rate_on: dt.date | None
    value: Amount | None


class TranslatedTrialBalance(Answer):
    """The book in its own currency; lines, what is not booked yet and rounding sum to zero."""

    on: dt.date
    currency: Currency
    lines: list[TranslatedBalance]
    not_booked: Amount | None
    rounding: Amount | None
    total: Amount | None


@endpoint(resource, "GET", "/ledger/periods", action="period.close", answer=PeriodPage)
def list_periods(query: PageQuery) -> PeriodPage:
    """List the periods of your book, the newest first."""
    with reader() as session:
        rows, following = page(session, select(Period), query, col(Period.id))
        items = [
            PeriodOut(
                id=row.id, from_on=row.from_on, to_on=row.to_on, state=row.state, note=row.note
            )
            for row in rows
        ]
    return PeriodPage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/ledger/periods/checks", action="period.close", answer=ClosingChecks)
def closing_checks(query: ChecksQuery) -> ClosingChecks:
    """Look at what stands in the way of closing your book up to a day."""
    org_id = actor().org_id
    with reader() as session:
        on = query.to_on or closing.periods_of(session, org_id).suggested
        found = closing.checks(session, org_id, on)
    return ClosingChecks(
        to_on=on,
        may_close=found.may_close,
        day_over=found.day_over,
        unbalanced=_amounts(found.unbalanced),
        not_revalued=sorted({one.currency for one in found.revaluation.not_done}),
        rates_missing=sorted({gap.currency for gap in found.revaluation.gaps}),
        suspense=_amounts(found.suspense),
        in_transit=_amounts(found.in_transit),
        unmatched_receipts=found.unmatched,
        unanswered_payments=found.unanswered,
    )


def _amounts(sums: dict[str, int]) -> list[Amount]:
    return [amount(minor, currency) for currency, minor in sorted(sums.items())]


@endpoint(resource, "POST", "/ledger/periods", action="period.close", answer=PeriodOut, status=201)
def close_period(json: ClosePeriod) -> tuple[PeriodOut, int]:
    """Propose to close your book up to a day; another person confirms it."""
    return PeriodOut.model_validate(run("period.close", json).result), 201


@endpoint(
    resource,
    "POST",
    "/ledger/periods/<period_id>/confirm",
    action="period.confirm",
    answer=PeriodOut,
)
def confirm_period(period_id: str, json: WhyNote) -> PeriodOut:
    """Say, as the second person, that a period is closed, or open again."""
    return _moved("confirm", period_id, json)


@endpoint(
    resource,
    "POST",
    "/ledger/periods/<period_id>/withdraw",
    action="period.withdraw",
    answer=PeriodOut,
)
def withdraw_period(period_id: str, json: WhyNote) -> PeriodOut:
    """Take a proposal back, or do not agree to it."""
    return _moved("withdraw", period_id, json)


@endpoint(
    resource, "POST", "/ledger/periods/<period_id>/reopen", action="period.reopen", answer=PeriodOut
)
def reopen_period(period_id: str, json: WhyNote) -> PeriodOut:
    """Propose to open the last closed period again; another person confirms it."""
    return _moved("reopen", period_id, json)


def _moved(event: str, period_id: str, said: WhyNote) -> PeriodOut:
    outcome = run(f"period.{event}", {"period_id": period_id, "note": said.note})
    return PeriodOut.model_validate(outcome.result)


@endpoint(resource, "POST", "/ledger/revaluations", action="ledger.revalue", answer=RevaluationDone)
def revalue(json: Revalue) -> RevaluationDone:
    """Book what the close of a day makes of balances in other currencies; twice books nothing."""
    made = run("ledger.revalue", json).result
    return RevaluationDone(
        on=made["on"],
        balances=made["balances"],
        entries=made["entries"],
        unrealised=amount(made["unrealised_minor"], made["currency"]),
        realised=amount(made["realised_minor"], made["currency"]),
    )


@endpoint(
    resource,
    "GET",
    "/ledger/trial-balance/translated",
    action="period.close",
    answer=TranslatedTrialBalance,
)
def translated_trial_balance(query: TranslatedQuery) -> TranslatedTrialBalance:
    """Show every balance in the book's own currency at the close of a day; the total is zero."""
    org_id = actor().org_id
    with reader() as session:
        conn = session.connection()
        found = translate(conn, org_id, query.on or day_for(conn, org_id, now().date()))
    known = not found.gaps

    def told(minor: int | None) -> Amount | None:
        return amount(minor, found.currency) if minor is not None else None

    return TranslatedTrialBalance(
        on=found.on,
        currency=found.currency,
        lines=[
            TranslatedBalance(
                account=one.line.account_code,
                balance=amount(one.line.balance_minor, one.line.currency),
                basis=one.basis,
                rate_on=one.rate.fixed_on if one.rate else None,
                value=told(one.value_minor),
            )
            for one in found.lines
        ],
        not_booked=told(found.not_booked_minor) if known else None,
        rounding=told(found.rounding_minor) if known else None,
        total=told(found.total_minor),
    )
