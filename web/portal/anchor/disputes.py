"""Disputes of the anchor: open ones first, ended by the side that gives way."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.db.visibility import not_found
from scf.documents.models import Dispute, Invoice
from scf.kernel.errors import InvalidInput
from scf.parties.service import firm_names
from web.context import actor, platform
from web.forms import minor_of
from web.portal.acting import tried
from web.portal.anchor.blueprint import anchor, bought
from web.refusals import refusal_text

PAGE = 50


@anchor.get("/disputes")
def disputes() -> str:
    """Show disputes, the newest first; the open ones unless asked otherwise."""
    after, ended = request.args.get("after", "")[:64], request.args.get("state") == "ended"
    with platform().db.read(actor()) as reading:
        found = _of_the_anchor().where(
            col(Dispute.state) != "OPEN" if ended else col(Dispute.state) == "OPEN"
        )
        if after:
            found = found.where(col(Dispute.id) < after)
        rows = reading.execute(found.order_by(col(Dispute.id).desc()).limit(PAGE + 1)).all()
        state = "ended" if ended else None
        last = rows[PAGE - 1][0].id if len(rows) > PAGE else ""
        return render_template(
            "anchor/disputes.html",
            rows=rows[:PAGE],
            ended=ended,
            names=firm_names(
                reading.connection(), {row.seller_id for _one, row in rows if row.seller_id}
            ),
            newer=url_for("anchor.disputes", state=state) if after else "",
            older=url_for("anchor.disputes", state=state, after=last) if last else "",
        )


@anchor.post("/disputes/<dispute_id>/resolve")
def resolve(dispute_id: str) -> Response:
    """Give way, wholly or in part; what the buyer wins is for the supplier to grant."""
    with platform().db.read(actor()) as reading:
        currency = _currency(reading, dispute_id)
    outcome, wins = request.form.get("outcome", "seller"), 0
    if outcome == "split":
        try:
            wins = minor_of(request.form.get("buyer", ""), currency)
        except InvalidInput as unread:
            flash(refusal_text(unread), "bad")
            return redirect(url_for("anchor.disputes"), 303)
    payload = {
        "dispute_id": dispute_id,
        "outcome": "split" if outcome == "split" else "seller",
        "buyer_minor": wins,
    }
    if tried("dispute.resolve", payload) is not None:
        flash(_("The dispute is ended."), "ok")
    return redirect(url_for("anchor.disputes"), 303)


def _of_the_anchor() -> Any:  # noqa: ANN401 - a select of two tables
    return (
        select(Dispute, Invoice)
        .join(Invoice, col(Invoice.id) == col(Dispute.invoice_id))
        .where(bought())
    )


def _currency(reading: Session, dispute_id: str) -> str:
    row = reading.execute(_of_the_anchor().where(col(Dispute.id) == dispute_id)).one_or_none()
    if row is None:
        raise not_found("dispute", dispute_id)
    return str(row[1].currency)
