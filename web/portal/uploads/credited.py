"""What became of the credit notes of a file: which invoices they lower, and what still waits."""

from dataclasses import dataclass, field
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.models import CreditAllocation, CreditNote, Invoice

SHOWN: Final = 25


@dataclass(frozen=True)
class Credited:
    """A credit note, the word and colour for where it stands, and what it was set against."""

    row: CreditNote
    word: str
    kind: str
    shares: list[tuple[str, int]] = field(default_factory=list)  # number of the invoice, amount

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
    return list(found.values())


def _standing(row: CreditNote) -> tuple[str, str]:
    if row.document_state == "INCOMPLETE":
        return _("Waits for a firm"), "warn"
    words = {
        "APPLIED": (_("Set off in full"), "ok"),
        "ALLOCATED": (_("Set off in part"), "info"),
        "LINKED": (_("Waits for an open invoice"), "warn"),
        "UNLINKED": (_("Names no invoice that is here"), "warn"),
        "REFUSED": (_("Refused"), "bad"),
    }
    return words.get(row.credit_state, (_("Being read"), "info"))
