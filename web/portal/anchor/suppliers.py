"""The anchor's direct suppliers: invited, active, with what is open; and a way to invite one."""

from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.kernel.errors import NotAllowed, ScfError
from scf.parties.models import Firm
from web.context import actor, platform
from web.portal.acting import act
from web.portal.anchor.blueprint import anchor, bought, unpaid
from web.refusals import refusal_text

PAGE: Final = 50
SCHEMES: Final = ("vat", "lei", "uscc", "gln", "duns")


@anchor.get("/suppliers")
def suppliers() -> str:
    """Show the direct partners on the selling side."""
    return _page({}, {})


@anchor.post("/suppliers")
def invite() -> Any:  # noqa: ANN401 - a page or the way to one
    """Invite a supplier; the bank checks it before it can trade."""
    form = {name: text.strip() for name, text in request.form.items()}
    errors: dict[str, str] = {}
    if not form.get("name"):
        errors["name"] = _("Say what the firm is called.")
    number = form.get("value", "")
    scheme = form.get("scheme", "")
    if not errors:
        payload = {
            "name": form["name"],
            "country": form.get("country", "").upper(),
            "identifiers": [{"scheme": scheme, "value": number}] if number else [],
        }
        try:
            done = act("firm.add", payload)
        except NotAllowed:
            raise
        except ScfError as refused:
            errors["value" if "IDENTIFIER" in refused.code else "name"] = refusal_text(refused)
        else:
            flash(_("%(name)s is invited; the bank checks it next.", name=done["name"]), "ok")
            return redirect(url_for("anchor.suppliers"), 303)
    return _page(form, errors), 422


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    after = request.args.get("after", "")[:64]
    with platform().db.read(actor()) as reading:
        sellers = select(col(Invoice.seller_id)).where(
            bought(), col(Invoice.seller_id).is_not(None)
        )
        found = (
            select(Firm)
            .where(
                (col(Firm.invited_by) == actor().org_id) | col(Firm.id).in_(sellers),
                col(Firm.id) != actor().org_id,
                col(Firm.kind) == "trader",
            )
            .order_by(col(Firm.id))
        )
        if after:
            found = found.where(col(Firm.id) > after)
        rows = list(reading.execute(found.limit(PAGE + 1)).scalars())
        return render_template(
            "anchor/suppliers.html",
            rows=rows[:PAGE],
            open=_open(reading),
            form=form,
            errors=errors,
            schemes=[(one, one.upper()) for one in SCHEMES],
            newer=url_for("anchor.suppliers") if after else "",
            older=url_for("anchor.suppliers", after=rows[PAGE - 1].id) if len(rows) > PAGE else "",
        )


def _open(reading: Session) -> dict[str, list[tuple[int, str, int]]]:
    """Add up the open invoices of every supplier, per currency."""
    rows = reading.execute(
        select(
            col(Invoice.seller_id),
            col(Invoice.currency),
            func.count(),
            func.sum(col(Invoice.payable_minor)),
        )
        .where(
            bought(),
            col(Invoice.seller_id).is_not(None),
            unpaid(),
            col(Invoice.document_state).in_(("VALIDATED", "INCOMPLETE")),
        )
        .group_by(col(Invoice.seller_id), col(Invoice.currency))
        .order_by(col(Invoice.currency))
    )
    found: dict[str, list[tuple[int, str, int]]] = {}
    for seller_id, currency, count, total in rows:
        found.setdefault(seller_id, []).append((int(count), currency, int(total)))
    return found
