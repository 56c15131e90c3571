"""What tax authorities say of invoices, as a page shows it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.taxcheck.models import TaxCheck, TaxIdentityRow

MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer, or one try that nobody answered."""

    answer: str
    credited_minor: int
    field: str
    theirs: str
    ours: str
    reference: str
    reason: str
    by_people: bool
    asked_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ShownTax:
    """What is known of one invoice: its number with the authority, and the newest answers first."""

    invoice_id: str
    scheme: str
    number: str
    code: str
    answers: tuple[ShownAnswer, ...]

    @property
    def word(self) -> ShownAnswer | None:
        """The last thing that was said, not counting tries that nobody answered."""
        return next((one for one in self.answers if one.answer != "UNAVAILABLE"), None)

    @property
    def is_away(self) -> bool:
        """Whether nobody could be asked since."""
        return bool(self.answers) and self.answers[0].answer == "UNAVAILABLE"


def taxes(session: Session, invoice_ids: Sequence[str]) -> list[ShownTax]:
    """Give what the reader may see, in the order asked for; of what nobody knows there is none."""
    identities = {
        row.invoice_id: row
        for row in session.execute(
            select(TaxIdentityRow).where(col(TaxIdentityRow.invoice_id).in_(invoice_ids))
        ).scalars()
    }
    answers: dict[str, list[TaxCheck]] = {}
    for row in session.execute(
        select(TaxCheck)
        .where(col(TaxCheck.invoice_id).in_(invoice_ids))
        .order_by(col(TaxCheck.asked_at).desc(), col(TaxCheck.id).desc())
    ).scalars():
        answers.setdefault(row.invoice_id, []).append(row)
    return [
        _shown(invoice_id, identities.get(invoice_id), answers.get(invoice_id, []))
        for invoice_id in invoice_ids
        if invoice_id in identities or invoice_id in answers
    ]


def _shown(
    invoice_id: str, identity: TaxIdentityRow | None, answers: Sequence[TaxCheck]
) -> ShownTax:
    scheme = identity.scheme if identity is not None else answers[0].scheme
    return ShownTax(
        invoice_id,
        scheme,
        identity.number if identity is not None else "",
        identity.code if identity is not None else "",
        tuple(
            ShownAnswer(
                row.answer,
                row.credited_minor,
                row.field,
                row.theirs,
                row.ours,
                row.reference,
                row.reason,
                row.source == "people",
                row.asked_at,
            )
            for row in answers[:MOST_SHOWN]
        ),
    )
