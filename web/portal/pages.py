"""The one page behind the gate, and the choice of language."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.visibility import DECLARED
from scf.documents.models import Invoice
from scf.documents.rules import label
from scf.kernel.actor import Actor
from scf.parties.access import may
from scf.parties.service import day_for, firm_names
from web import sessions, theme
from web.context import actor, now, platform
from web.i18n import COOKIE, LANGUAGES
from web.portal.navigation import home_of
from web.portal.shell import own_address

portal = Blueprint("portal", __name__)
PAGE_SIZE = 25
_MAX_PAGE = 1_000_000


@portal.before_app_request
def _who() -> None:
    sessions.recognise(request)


@portal.post("/language")
def choose_language() -> BaseResponse:
    """Keep the chosen language in the browser; it says nothing about the person."""
    return _kept(COOKIE, request.form.get("language", ""), LANGUAGES)


@portal.post("/theme")
def choose_theme() -> BaseResponse:
    """Keep the chosen theme in the browser; it says nothing about the person."""
    return _kept(theme.COOKIE, request.form.get("theme", ""), theme.THEMES)


def _kept(cookie: str, chosen: str, of: Container[str]) -> BaseResponse:
    """Go back to the page with a choice kept for a year, unless it is none of the choices."""
    answer = redirect(own_address(request.form.get("back", "/")), 303)
    if chosen in of:
        answer.set_cookie(
            cookie, chosen, max_age=31_536_000, path="/", secure=True, httponly=True, samesite="Lax"
        )
    return answer


@portal.get("/")
def home() -> str | BaseResponse:
    """Lead to the home of the role; a role without one sees its invoices here."""
    who = actor()
    if home_of(who) != "portal.home":
        return redirect(url_for(home_of(who)), 303)
    asked = request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1  # noqa: PLR2004
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, now().date())
        page = _invoices(reading, who, max(1, min(number, _MAX_PAGE)))
        names = firm_names(conn, {row.other_id for row in page.rows})
        rows = [
            {
                "number": row.invoice.number,
                "other": names.get(row.other_id, row.other_name),
                "side": row.side,
                "due_on": row.invoice.due_on,
                "amount_minor": row.invoice.payable_minor,
                "currency": row.invoice.currency,
                "label": label(row.invoice, today),
            }
            for row in page.rows
        ]
    return render_template(
        "home.html",
        person=who,
        rows=rows,
        page=page,
    )


@dataclass(frozen=True)
class _Row:
    """An invoice as one side of it sees it."""

    invoice: Invoice
    other_id: str
    other_name: str
    side: str


@dataclass(frozen=True)
class _Page:
    """One page of the table."""

    rows: list[_Row]
    number: int
    last: int
    total: int


def _invoices(reading: Session, who: Actor, number: int) -> _Page:
    """Read one page of the invoices that the person may see, the next due first."""
    if not may(who, "document.read") or Invoice not in DECLARED:
        return _Page([], 1, 1, 0)
    total = reading.execute(select(func.count(col(Invoice.id)))).scalar_one()
    last = max(1, -(-total // PAGE_SIZE))
    number = min(number, last)
    found = reading.execute(
        select(Invoice)
        .order_by(col(Invoice.due_on), col(Invoice.id))
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).scalars()
    return _Page([_seen_by(row, who.org_id) for row in found], number, last, total)


def _seen_by(row: Invoice, org_id: str) -> _Row:
    """Name the other side: the buyer for the seller, the seller for everybody else."""
    side, other = ("buyer", row.buyer_id) if row.seller_id == org_id else ("seller", row.seller_id)
    parties: dict[str, Any] = row.parties if isinstance(row.parties, dict) else {}
    named = parties.get(side) or {}
    name = named.get("name", "") if isinstance(named, dict) else ""
    return _Row(row, other or "", str(name), side)
