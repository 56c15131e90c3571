"""What a shared duplicate registry has answered, as officers and administrators read it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.programmes.registry.models import RegistryMember, RegistryWord


def membership(session: Session) -> RegistryMember | None:
    """Give how the reader's organisation takes part, or nothing."""
    return session.execute(select(RegistryMember)).scalars().first()


def answers(
    session: Session, invoice_ids: Sequence[str] | None = None, most: int = 50
) -> list[dict[str, Any]]:
    """Give the last answers, the newest first; of some invoices or of all."""
    query = (
        select(RegistryWord, col(Invoice.number))
        .join(Invoice, col(Invoice.id) == col(RegistryWord.invoice_id))
        .order_by(col(RegistryWord.asked_at).desc(), col(RegistryWord.id).desc())
        .limit(most)
    )
    if invoice_ids is not None:
        query = query.where(col(RegistryWord.invoice_id).in_(invoice_ids))
    return [
        {
            "number": number,
            "step": word.step,
            "state": word.state,
            "reference": word.reference,
            "version": word.version,
            "reason": word.reason,
            "at": word.asked_at,
        }
        for word, number in session.execute(query).all()
    ]
