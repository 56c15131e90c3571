"""Money in that nobody could place: a person says what it pays, or whose it is."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import InvalidInput, ScfError
from scf.parties.access import may
from scf.parties.service import business_date
from scf.reporting import advices, reconciliation
from scf.reporting import receipts as reporting
from web.context import actor
from web.forms import minor_of
from web.portal.officer import matchwords
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed

MOST_PARTS = 100


@page("/receipts", "bank_statement.read")
def receipts() -> str:
    """Show the receipts that wait for a person, the oldest first."""
    with reading() as session:
        waiting = reporting.waiting(session)
        proposed = reconciliation.proposed(session, [row.id for row in waiting])
        today = business_date(session.connection(), actor().org_id)
    return render_template(
        "officer/receipts.html",
        waiting=waiting,
        proposed=proposed,
        today=today,
        grade=matchwords.grade,
        because=matchwords.because,
        may_identify=may(actor(), "receipt.accept"),
    )


@page("/receipts/review", "bank_statement.read")
def review_receipts() -> str:
    """Show of each statement what settled by itself, by a person's word, and what is open."""
    with reading() as session:
        rows = reporting.statements(session)
        reviewed = reconciliation.reviewed(session, rows)
        apart = reporting.apart(session, rows)
    return render_template("officer/reconciliation.html", reviewed=reviewed, apart=apart)


@page("/receipts/propose", "receipt.propose", method="POST")
def propose_receipts() -> Any:  # noqa: ANN401 - a page or a way on
    """Hold everything that waits against what is open by now."""
    act("receipt.propose", {})
    return done(_("What waits was held against what is open now."), url_for("officer.receipts"))


@page("/receipts/<entry_id>", "bank_statement.read")
def receipt(entry_id: str) -> str:
    """Show one receipt, what it has paid, and the invoices that it may be for."""
    return _one(entry_id, {}, {})


def _one(entry_id: str, form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        entry = reporting.movement(session, entry_id)
        if entry is None:
            raise missing("receipt")
        return render_template(
            "officer/receipt.html",
            entry=entry,
            paid=reporting.paid_by(session, entry_id),
            told=advices.of_entry(session, entry_id),
            proposed=reconciliation.proposed(session, [entry_id]).get(entry_id, []),
            today=business_date(session.connection(), actor().org_id),
            me=actor().user_id,
            grade=matchwords.grade,
            because=matchwords.because,
            candidates=reporting.candidates(session, entry) if entry.waiting_minor else [],
            form=form,
            errors=errors,
            may_identify=may(actor(), "receipt.identify"),
        )


@page("/receipts/<entry_id>", "receipt.identify", method="POST")
def identify_receipt(entry_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let the receipt pay what the officer has written beside the invoices."""
    with reading() as session:
        entry = reporting.movement(session, entry_id)
    if entry is None:
        raise missing("receipt")
    form = {name: value.strip()[:4000] for name, value in request.form.items()}
    try:
        payload = _said(entry, form)
        act("receipt.identify", payload)
    except ScfError as refusal:
        errors = errors_of(refusal, ("note", "pays"))
        return _one(entry_id, form, errors), refusal.http_status
    return done(_("The receipt is placed."), url_for("officer.receipt", entry_id=entry_id))


@page("/receipts/<entry_id>/accept", "receipt.accept", method="POST")
def accept_proposal(entry_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Take one of the proposals; where two people are needed, this is the first or second word."""
    note = typed("note")
    if not note:
        return _one(entry_id, {}, {"accept": _("Say what shows it.")}), 422
    said = {"entry_id": entry_id, "proposal_id": typed("proposal_id"), "note": note}
    try:
        result = act("receipt.accept", said).result
    except ScfError as refusal:
        return _one(entry_id, {}, {"accept": errors_of(refusal)["form"]}), refusal.http_status
    agreed = result["proposal_state"] == "AGREED"
    words = _("Your word is kept; another person says the second.") if agreed else None
    way = url_for("officer.receipt", entry_id=entry_id)
    return done(words or _("The receipt is placed."), way)


@page("/receipts/<entry_id>/misdirected", "receipt.misdirected", method="POST")
def misdirected_receipt(entry_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say that the obligor had paid the seller in error, who hands this money over."""
    with reading() as session:
        entry = reporting.movement(session, entry_id)
        if entry is None:
            raise missing("receipt")
        advance = reporting.advance_of(session, typed("invoice_id"))
    note = typed("note")
    if not note or advance is None:
        return _one(entry_id, {}, {"astray": _("Choose the invoice and say what shows it.")}), 422
    said = {
        "advance_id": advance,
        "amount_minor": entry.waiting_minor,
        "value_on": entry.value_on.isoformat(),
        "note": note,
    }
    try:
        act("receipt.misdirected", said, part="noted")
        act("receipt.retry", {"entry_ids": [entry_id]}, part="retried")
    except ScfError as refusal:
        return _one(entry_id, {}, {"astray": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("It is noted who held the money."), url_for("officer.receipt", entry_id=entry_id))


def _said(entry: reporting.Movement, form: dict[str, str]) -> dict[str, Any]:
    pays: list[dict[str, Any]] = []
    for name, text in sorted(form.items()):
        kind, _sep, invoice_id = name.partition(":")
        if kind == "pay" and text and len(pays) < MOST_PARTS:
            amount = minor_of(text, entry.currency)
            if amount:
                pays.append({"invoice_id": invoice_id, "amount_minor": amount})
    if not form.get("note"):
        raise InvalidInput("INPUT", "Say why.", problems=[{"place": "note", "message": ""}])
    payer = form.get("payer_id") or None
    refund = payer if form.get("refund") else None
    return {
        "entry_id": entry.id,
        "pays": pays,
        "payer_id": payer if pays else None,
        "refund_to": refund,
        "note": form["note"],
    }


@page("/receipts/<entry_id>/reverse", "receipt.reverse", method="POST")
def reverse_receipt(entry_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Take back all that a receipt has paid; the money waits again."""
    note = typed("note")
    if not note:
        return _one(entry_id, {}, {"undo": _("Say why it is taken back.")}), 422
    try:
        act("receipt.reverse", {"entry_id": entry_id, "note": note})
    except ScfError as refusal:
        return _one(entry_id, {}, {"undo": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("What it paid is taken back."), url_for("officer.receipt", entry_id=entry_id))
