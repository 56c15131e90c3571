"""Cash forecast: the next thirteen weeks, what is missing, and what getting it early would cost."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.engine import Connection

from scf.kernel.errors import InvalidInput
from scf.offers.basket import Board, board, raise_sum
from scf.offers.basket import currencies as traded
from scf.parties.service import day_for, firm_names
from scf.reporting.forecast import Forecast, by_firm, flows_of, forecast
from web.context import actor, now, platform
from web.forms import minor_of
from web.i18n import money, month_day, short_amount
from web.portal.treasurer.blueprint import treasurer

_NONE_YET = "EUR"
_FIRMS = 8


@dataclass(frozen=True)
class Cover:
    """What would fill the gap: a basket of invoices, or how much of it all that is ready brings."""

    net_minor: int
    charges_minor: int
    value_on: dt.date | None
    whole: bool


@treasurer.get("/cash")
def cash() -> str:
    """Show the forecast; what is typed (cash today, least to keep) stays in the address only."""
    who, instant = actor(), now()
    errors: dict[str, str] = {}
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, instant.date())
        known = traded(conn, who.org_id, today)
        asked = request.args.get("currency", "")[:3]
        currency = asked if asked in known else next(iter(known), _NONE_YET)
        typed = {name: _typed(name, currency, errors) for name in ("cash", "least")}
        flows = flows_of(conn, who.org_id, currency, today)
        found = forecast(flows, today, typed["cash"] or 0, typed["least"] or 0)
        cover = None
        if typed["cash"] is not None and found.gap_minor:
            of = board(conn, who.org_id, currency, today, instant, None)
            cover = _cover(conn, who.org_id, of, found.gap_minor, instant)
        names = firm_names(conn, {flow.firm_id for flow in flows if flow.firm_id})
    return render_template(
        "treasurer/cash.html",
        found=found,
        currency=currency,
        typed={name: request.args.get(name, "") for name in typed},
        says_balance=typed["cash"] is not None,
        errors=errors,
        cover=cover,
        found_least=typed["least"] or 0,
        names=names,
        bars=_bars(found, currency),
        balances=_balances(found, currency),
        scale=_scale(found, currency),
        undated=found.undated[:_FIRMS],
        owing=by_firm([flow for flow in found.flows if flow.kind == "buyer"])[:_FIRMS],
        kind_words=_kinds(),
        tabs=[
            (code, url_for("treasurer.cash", currency=code), code == currency, None)
            for code in known
        ],
    )


def _typed(name: str, currency: str, errors: dict[str, str]) -> int | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        return minor_of(text, currency)
    except InvalidInput:
        errors[name] = _("This is not an amount. Write it as %(example)s.", example="12,500.00")
        return None


def _cover(
    conn: Connection, org_id: str, of: Board, gap_minor: int, instant: dt.datetime
) -> Cover | None:
    """Say what closes the gap at least cost; all that is ready where that is too little."""
    if not of.ready.net_minor:
        return None
    try:
        basket, whole = raise_sum(conn, org_id, of, gap_minor, instant), True
    except InvalidInput:
        basket, whole = of.ready, False
    charges = sum(line.priced.charges_minor for line in basket.lines)
    day = max(basket.days) if basket.days else None
    return Cover(basket.net_minor, charges, day, whole)


def _bars(found: Forecast, currency: str) -> list[dict[str, Any]]:
    """Give two bars a week: what comes in and what goes out."""
    return [
        {
            "label": month_day(week.first),
            "into": week.into_minor,
            "out": week.out_minor,
            "shown": _(
                "in %(into)s, out %(out)s",
                into=money(week.into_minor, currency),
                out=money(week.out_minor, currency),
            ),
        }
        for week in found.weeks
    ]


def _balances(found: Forecast, currency: str) -> list[dict[str, Any]]:
    return [
        {"first": week.first, "week": week, "shown": money(week.balance_minor, currency)}
        for week in found.weeks
    ]


def _scale(found: Forecast, currency: str) -> str:
    top = max(max(week.into_minor, week.out_minor) for week in found.weeks)
    return short_amount(top, currency) if top else ""


def _kinds() -> dict[str, str]:
    return {
        "buyer": _("Buyer pays"),
        "bank": _("Bank pays out"),
        "reserve": _("Kept back, comes when the buyer has paid"),
        "supplier": _("You pay"),
        "asked_back": _("Asked back by a bank"),
    }
