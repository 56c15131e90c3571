"""A price whose day has passed before it was paid: offered again for another day, never just paid.

Fewer days cost less and another day is another price, so an approval whose value date slips is
worth nothing by itself: the seller is offered the same rate over the days that are left, and what
it confirms is decided on again. Everything stays held meanwhile. Source: finance.md section 3
(when the value date moves, the customer gets a new quote and must accept it).
"""

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Row, Table, insert
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.financing import advances
from scf.financing.lifecycle import BEFORE_INSTRUCTED
from scf.financing.models import CounterOffer
from scf.financing.signing import account_numbers, digest_of
from scf.kernel.ids import new_id
from scf.kernel.rates import percent_to_fraction
from scf.offers.facts import bank_countries
from scf.offers.pricing import earliest_value_date, line_at, next_cut_off, price
from scf.parties.service import business_date
from scf.programmes import limits
from scf.programmes.calendars import calendar_of, payment_calendar
from scf.programmes.service import terms_of_version

_OFFER: Final[Table] = CounterOffer.__table__  # type: ignore[attr-defined]
_OF_LINE: Final = (
    "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor", "net_minor",
)  # fmt: skip
_TOTALS: Final = (
    "face_minor", "discount_minor", "fee_minor", "net_minor", "all_in_ppm", "effective_ppm",
)  # fmt: skip
_SUMS: Final = ("face_minor", "discount_minor", "fee_minor", "net_minor")
_UNTOUCHED: Final = ("HELD", "PRECHECKED")


def first_day(conn: Connection, row: Any, terms: Any, now: dt.datetime) -> dt.date:  # noqa: ANN401 - rows
    """Give the first day on which a request could be paid from now on."""
    today = business_date(conn, row.financier_id)
    places = bank_countries(conn, row.financier_id, row.seller_id, row.currency, today)
    return earliest_value_date(
        terms,
        calendar_of(terms.calendar),
        today,
        now,
        payment_calendar(terms.calendar, row.currency, places),
    )


def new_offer(ctx: Context, row: Row[Any], rows: Sequence[Row[Any]]) -> dict[str, Any] | None:
    """Price an approved request for the next day on which it can be paid, and undo its approval.

    Gives the columns that the request moves by, or nothing where no such offer can be made: part
    of it is out already, or too few days are left. All of it is locked.
    """
    live = [one for one in rows if one.state != "CANCELLED"]
    if not live or any(one.state not in BEFORE_INSTRUCTED for one in live):
        return None
    terms = terms_of_version(ctx.conn, live[0].programme_version_id)
    value_on = first_day(ctx.conn, row, terms, ctx.now)
    if any((one.due_on - value_on).days < max(terms.tenor_min_days, 1) for one in live):
        return None
    priced = [
        line_at(
            terms,
            terms.currency[one.currency],
            face=one.face_minor,
            start=value_on,
            settle_on=one.due_on,
            rate=percent_to_fraction(one.rate_percent),
            margin_ppm=0,
        )
        for one in live
    ]
    if any(line.net_minor <= 0 for line in priced):
        return None
    whole = price(terms, priced)
    would_be = [
        SimpleNamespace(
            id=one.id, value_on=value_on, due_on=one.due_on, invoice_id=one.invoice_id,
            payee_account_id=one.payee_account_id,
            **{name: getattr(line, name) for name in _OF_LINE},
        )
        for one, line in zip(live, priced, strict=True)
    ]  # fmt: skip
    total = SimpleNamespace(
        id=row.id, quote_id=row.quote_id, currency=row.currency, face_minor=whole.face_minor,
        net_minor=whole.net_minor,
    )  # fmt: skip
    numbers = account_numbers(ctx.conn, (one.payee_account_id for one in live))
    until = next_cut_off(terms, calendar_of(terms.calendar), ctx.now)
    offer_id = new_id()
    ctx.conn.execute(
        insert(_OFFER),
        {
            "id": offer_id,
            "request_id": row.id,
            "round": row.round + 1,
            "state": "OPEN",
            "currency": row.currency,
            **{name: getattr(whole, name) for name in _TOTALS},
            "lines": [
                {
                    "advance_id": one.id,
                    "invoice_id": one.invoice_id,
                    "days": (one.due_on - value_on).days,
                    **{name: getattr(line, name) for name in _OF_LINE},
                }
                for one, line in zip(live, priced, strict=True)
            ],
            "quote_id": None,
            "value_on": value_on,
            "signed_digest": digest_of(total, would_be, row.version + 1, numbers),
            "valid_until": until,
            "made_at": ctx.now,
            "answered_at": None,
        },
    )
    ctx.change("counter_offer", offer_id, None, {"state": "OPEN", "value_on": value_on.isoformat()})
    today = business_date(ctx.conn, row.financier_id)
    decided = [one for one in live if one.state not in _UNTOUCHED]
    advances.transition_many(ctx, decided, "undo", today, {"value_date_moved": True})
    ctx.emit("request.counter_offered", {"request_id": row.id}, org_id=row.seller_id)
    return {
        "round": row.round + 1,
        "decide_by": until,
        "decided_at": None,
        "decided_by": None,
        "approved_version": None,
    }


def take(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], offered: Row[Any]
) -> dict[str, Any]:
    """Let the advances move to the day that the seller has confirmed; gives the request's columns.

    The officers signed another day and other amounts, so their words begin anew.

    Raises
    ------
    RuleViolation
        LIMIT_FINANCIER where fewer days pay out more than the funding limit has left.
    """
    today = business_date(ctx.conn, row.financier_id)
    priced = {line["advance_id"]: line for line in offered.lines}
    for line in lines:
        new = priced[line.id]
        money = {name: new[name] for name in _OF_LINE}
        columns = {
            **money,
            "reserve_left_minor": money["reserve_minor"],
            "value_on": offered.value_on,
            "days": new["days"],
        }
        facts = {**money, "value_on": offered.value_on.isoformat()}
        advances.transition_many(ctx, [line], "redate", today, facts, columns)
        limits.lessen(ctx, line.id, money["face_minor"], money["net_minor"])
    return {
        **{name: getattr(offered, name) for name in (*_SUMS, "all_in_ppm", "effective_ppm")},
        "round": row.round + 1,
        "route": "officer" if row.route == "auto" else row.route,
    }
