"""Invoices that wait for the buyer's word: exceptions first, all others in one act.

The first press shows what would be accepted, with sums and what is left out; the second is the
word itself. Nothing that was not shown is accepted.
"""

from collections.abc import Sequence
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.documents.models import Invoice
from scf.kernel.errors import NotAllowed, ScfError
from scf.kernel.ids import digest
from scf.parties.service import firm_names
from scf.programmes.acceptance import MAX_ITEMS
from scf.reporting.alike import alike_of
from web.context import actor, platform
from web.forms import form_key
from web.i18n import money
from web.portal.acting import must
from web.portal.anchor.blueprint import (
    anchor,
    is_exception,
    is_undertaking,
    to_accept,
    today,
    waiting,
)
from web.portal.anchor.words import blockers, cannot, looks_like
from web.refusals import refusal_text

PAGE: Final = 100
_EXCEPTIONS: Final = 50
_MOST_LEFT_OUT: Final = 20


@anchor.get("/acceptances")
def acceptances() -> str:
    """Show what waits for an answer, the ones that want a look first."""
    after = request.args.get("after", "")[:64]
    clean = select(Invoice).where(to_accept(), ~is_exception()).order_by(col(Invoice.id))
    odd = select(Invoice).where(to_accept(), is_exception()).order_by(col(Invoice.id))
    with platform().db.read(actor()) as reading:
        first = list(reading.execute(odd.limit(_EXCEPTIONS)).scalars()) if not after else []
        rows = list(reading.execute(clean.where(col(Invoice.id) > after).limit(PAGE + 1)).scalars())
        older = url_for("anchor.acceptances", after=rows[PAGE - 1].id) if len(rows) > PAGE else ""
        shown = rows[:PAGE]
        conn = reading.connection()
        all_of_them, odd_ones = waiting(reading)
        alike = alike_of(reading, actor(), [row.id for row in first]) if first else []
        return render_template(
            "anchor/acceptances.html",
            exceptions=[(row, [*blockers(row), *looks_like(row, alike)]) for row in first],
            exceptions_count=odd_ones,
            rows=shown,
            total=all_of_them - odd_ones,
            page_sums=sums(shown),
            names=firm_names(conn, {row.seller_id for row in [*first, *shown] if row.seller_id}),
            today=today(conn),
            undertaking=any(is_undertaking(conn, row.currency) for row in shown[:1]),
            most=MAX_ITEMS,
            newer=url_for("anchor.acceptances") if after else "",
            older=older,
        )


@anchor.post("/acceptances/review")
def review() -> str | Response:
    """Show exactly what would be accepted, and what is left out and why; nothing is stored."""
    must("invoice.accept")
    with platform().db.read(actor()) as reading:
        rows = _asked(reading)
        good = [row for row in rows if not cannot(row)]
        if not rows:
            flash(_("Choose at least one invoice first."), "warn")
            return redirect(url_for("anchor.acceptances"), 303)
        conn = reading.connection()
        return render_template(
            "anchor/review.html",
            rows=good,
            left_out=[(row, cannot(row)) for row in rows if cannot(row)],
            sums=sums(good),
            names=firm_names(conn, {row.seller_id for row in rows if row.seller_id}),
            undertaking=any(
                is_undertaking(conn, currency) for currency in {row.currency for row in good}
            ),
            today=today(conn),
        )


@anchor.post("/acceptances")
def accept() -> Response:
    """Accept what was shown, in one act; an invoice that stands in the way is left out and told."""
    must("invoice.accept")
    ids = list(dict.fromkeys(request.form.getlist("invoice")))[:MAX_ITEMS]
    key, left_out = form_key(), list[str]()
    while ids and len(left_out) <= _MOST_LEFT_OUT:
        payload = {"items": [{"invoice_id": one} for one in ids]}
        try:
            # The rest is another act than the whole; pressed twice, both answer as before.
            done = platform().run(
                "invoice.accept", payload, actor(), key=f"{key}:{digest(ids)[:24]}"
            )
        except NotAllowed:
            raise
        except ScfError as refused:
            stands = str(refused.facts.get("invoice_id", ""))
            flash(_("One was left out. %(why)s", why=refusal_text(refused)), "warn")
            if stands not in ids:
                break
            ids.remove(stands)
            left_out.append(stands)
        else:
            flash(_told(done.result["accepted"]), "ok")
            break
    return redirect(url_for("anchor.acceptances"), 303)


def _told(accepted: Sequence[dict[str, Any]]) -> str:
    total: dict[str, int] = {}
    for one in accepted:
        total[one["currency"]] = total.get(one["currency"], 0) + int(one["amount_minor"])
    amounts = ", ".join(money(minor, currency) for currency, minor in sorted(total.items()))
    return str(
        ngettext(
            "%(num)d invoice is accepted: %(amounts)s.",
            "%(num)d invoices are accepted: %(amounts)s.",
            len(accepted),
            amounts=amounts,
        )
    )


def _asked(reading: Session) -> list[Invoice]:
    """Read the invoices that were ticked, or all that want no look of their own."""
    if request.form.get("all"):
        found = select(Invoice).where(to_accept(), ~is_exception()).order_by(col(Invoice.id))
    else:
        ids = request.form.getlist("invoice")[:MAX_ITEMS]
        found = (
            select(Invoice)
            .where(col(Invoice.id).in_(ids), col(Invoice.buyer_id) == actor().org_id)
            .order_by(col(Invoice.id))
        )
    return list(reading.execute(found.limit(MAX_ITEMS)).scalars())


def sums(rows: Sequence[Invoice]) -> list[tuple[str, int]]:
    """Add up what invoices ask for, per currency."""
    total: dict[str, int] = {}
    for row in rows:
        total[row.currency] = total.get(row.currency, 0) + row.payable_minor
    return sorted(total.items())
