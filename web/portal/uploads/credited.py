"""What became of the credit notes of a file: which invoices they lower, and what still waits.

One that names no known invoice is linked here by a person.
"""

from dataclasses import dataclass, field
from typing import Final

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.documents.models import CreditAllocation, CreditNote, Invoice
from web.context import actor, platform
from web.i18n import money
from web.portal.acting import tried
from web.portal.uploads.blueprint import one_upload, uploads

SHOWN: Final = 25
_INVOICES: Final = 200  # of a pair, among which one is chosen


@dataclass(frozen=True)
class Credited:
    """A credit note, the word and colour for where it stands, and what it was set against."""

    row: CreditNote
    word: str
    kind: str
    shares: list[tuple[str, int]] = field(default_factory=list)  # number of the invoice, amount

    choices: list[tuple[str, str]] = field(default_factory=list)  # invoices that it may mean

    @property
    def named(self) -> str:
        """The invoices that the credit note itself names."""
        return ", ".join(one["number"] for one in self.row.named_invoices)


def credited(reading: Session, upload_id: str) -> list[Credited]:
    """Read the first credit notes of a file with what became of each."""
    rows = reading.execute(
        select(CreditNote)
        .where(col(CreditNote.upload_id) == upload_id)
        .order_by(col(CreditNote.id))
        .limit(SHOWN)
    ).scalars()
    found = {row.id: Credited(row, *_standing(row)) for row in rows}
    shares = reading.execute(
        select(
            col(CreditAllocation.credit_note_id),
            col(Invoice.number),
            col(CreditAllocation.amount_minor),
        )
        .join(Invoice, col(Invoice.id) == col(CreditAllocation.invoice_id))
        .where(col(CreditAllocation.credit_note_id).in_(sorted(found)))
        .order_by(col(Invoice.number))
    )
    for note_id, number, minor in shares:
        found[note_id].shares.append((number, minor))
    for one in found.values():
        if one.row.document_state == "VALIDATED" and one.row.credit_state == "UNLINKED":
            one.choices.extend(_may_mean(reading, one.row))
    return list(found.values())


@uploads.post("/<upload_id>/link")
def link(upload_id: str) -> Response:
    """Say which invoice a waiting credit note credits; it is set off at once."""
    with platform().db.read(actor()) as reading:
        one_upload(reading, upload_id)
    note_id = request.form.get("credit_note", "")[:64]
    payload = {"credit_note_id": note_id, "invoice_ids": [request.form.get("invoice", "")[:64]]}
    if tried("credit_note.link", payload, part=note_id) is not None:
        flash(_("The credit note is linked."), "ok")
    return redirect(url_for("uploads.show", upload_id=upload_id), 303)


def _may_mean(reading: Session, note: CreditNote) -> list[tuple[str, str]]:
    """Read the open invoices between the firms of a credit note, the next due first."""
    rows = reading.execute(
        select(col(Invoice.id), col(Invoice.number), col(Invoice.payable_minor))
        .where(
            col(Invoice.seller_id) == note.seller_id,
            col(Invoice.buyer_id) == note.buyer_id,
            col(Invoice.currency) == note.currency,
            col(Invoice.document_state) == "VALIDATED",
            col(Invoice.payment_state).in_(("OPEN", "PART_PAID")),
        )
        .order_by(col(Invoice.due_on), col(Invoice.number), col(Invoice.id))
        .limit(_INVOICES)
    )
    return [(row.id, f"{row.number} · {money(row.payable_minor, note.currency)}") for row in rows]


def _standing(row: CreditNote) -> tuple[str, str]:
    if row.document_state == "INCOMPLETE":
        return _("Waits for a firm"), "warn"
    words = {
        "APPLIED": (_("Set off in full"), "ok"),
        "ALLOCATED": (_("Set off in part"), "info"),
        "LINKED": (_("Waits for an open invoice"), "warn"),
        "UNLINKED": (_("Waits for its invoice"), "warn"),
        "REFUSED": (_("Refused"), "bad"),
    }
    return words.get(row.credit_state, (_("Being read"), "info"))
