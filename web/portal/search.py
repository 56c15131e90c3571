"""Search from every page: invoice numbers, amounts, firms, requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import current_app, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlmodel import Session, col

from scf.documents.models import Invoice, Order
from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor
from scf.parties.access import may
from scf.parties.models import Firm
from web.context import actor, platform
from web.portal.pages import portal

_MOST: Final = 25
_AMOUNT_DIGITS: Final = 15
# The page of a thing in a role's own pages; the first that is served is taken.
_PAGES: Final = {
    "invoice": ("treasurer.invoice", "anchor.invoice", "follow.invoice"),
    "request": ("treasurer.request", "officer.case"),
}


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    kind: str
    text: str
    more: str
    href: str


@portal.get("/search")
def search() -> str:
    """Show what the person may see and what fits the words."""
    who = actor()
    words = " ".join(request.args.get("q", "").split())[:100]
    hits: list[Hit] = []
    if words:
        with platform().db.read(who) as reading:
            hits = [*_invoices(reading, who, words), *_orders(reading, who, words)]
            hits += _requests(reading, who, words)
            hits += _firms(reading, who, words)
    return render_template("search.html", words=words, hits=hits)


def _invoices(reading: Session, who: Actor, words: str) -> list[Hit]:
    if not may(who, "document.read"):
        return []
    fits = [col(Invoice.number).startswith(words, autoescape=True)]
    digits = "".join(char for char in words if char.isascii() and char.isdigit())
    if 0 < len(digits) <= _AMOUNT_DIGITS and not any(char.isalpha() for char in words):
        # "486200" finds 486,200.00; typed with its cents, "486,200.00" finds it as well
        fits += [col(Invoice.payable_minor).in_([int(digits), int(digits) * 100])]
    rows = reading.execute(
        select(Invoice).where(or_(*fits)).order_by(col(Invoice.id).desc()).limit(_MOST)
    ).scalars()
    return [
        Hit(_("Invoice"), row.number, _name(row, who), _page(who, "invoice", row.id))
        for row in rows
    ]


def _orders(reading: Session, who: Actor, words: str) -> list[Hit]:
    if not may(who, "order.follow"):
        return []
    rows = reading.execute(
        select(Order)
        .where(col(Order.number).startswith(words, autoescape=True))
        .order_by(col(Order.id).desc())
        .limit(_MOST)
    ).scalars()
    return [
        Hit(_("Order"), row.number, _name(row, who), url_for("follow.order", order_id=row.id))
        for row in rows
    ]


def _name(row: Invoice | Order, who: Actor) -> str:
    other = row.parties.get("buyer" if row.seller_id == who.org_id else "seller")
    return str(other.get("name", "")) if isinstance(other, dict) else ""


def _requests(reading: Session, who: Actor, words: str) -> list[Hit]:
    if not may(who, "request.read"):
        return []
    rows = reading.execute(
        select(FinancingRequest).where(col(FinancingRequest.id) == words).limit(1)
    ).scalars()
    return [Hit(_("Request"), row.id, row.state, _page(who, "request", row.id)) for row in rows]


def _firms(reading: Session, who: Actor, words: str) -> list[Hit]:
    if not may(who, "firm.read"):
        return []
    rows = reading.execute(
        select(Firm)
        .where(col(Firm.name).icontains(words, autoescape=True))
        .order_by(col(Firm.name))
        .limit(_MOST)
    ).scalars()
    return [Hit(_("Firm"), row.name, row.country or "", "") for row in rows]


def _page(who: Actor, kind: str, thing_id: str) -> str:
    """Return the address of a thing in the person's own pages, where they have one."""
    for endpoint in _own(_PAGES[kind], who):
        return url_for(endpoint, **{f"{kind}_id": thing_id})  # type: ignore[arg-type]
    return ""


def _own(endpoints: Sequence[str], who: Actor) -> list[str]:
    roles = {role.value.partition("_")[0] for role in who.roles} | {
        "officer" if role.value == "head_office" else "" for role in who.roles
    }
    return [
        endpoint
        for endpoint in endpoints
        if endpoint in current_app.view_functions and endpoint.partition(".")[0] in roles
    ]
