"""Papers of senders and the credits that they explain, as their financier reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from scf.parties.service import firm_names
from scf.settlement.advised.models import PaymentAdvice

MOST: Final = 200


@dataclass(frozen=True)
class Told:
    """A paper with the names of its sides, and its lines as rows."""

    row: PaymentAdvice
    sender: str
    merchant: str
    lines: Sequence[dict[str, Any]]

    def total(self, *kinds: str) -> int:
        """Add up the lines of some kinds."""
        return sum(int(one["amount_minor"]) for one in self.lines if one["kind"] in kinds)


def papers(session: Session) -> list[Told]:
    """Give the newest papers, those that wait for their credit first."""
    found = session.execute(
        select(PaymentAdvice)
        .order_by(col(PaymentAdvice.state).desc(), col(PaymentAdvice.id).desc())
        .limit(MOST)
    ).scalars()
    return _told(session, list(found))


def known(session: Session, advice_id: str) -> bool:
    """Tell whether there is such a paper, and the reader may see it."""
    found = select(col(PaymentAdvice.id)).where(col(PaymentAdvice.id) == advice_id)
    return session.execute(found).one_or_none() is not None


def of_entry(session: Session, entry_id: str) -> Told | None:
    """Give the paper that explains a credit, if there is one."""
    rows = session.execute(
        select(PaymentAdvice).where(col(PaymentAdvice.bank_entry_id) == entry_id)
    ).scalars()
    return next(iter(_told(session, list(rows))), None)


def _told(session: Session, rows: Sequence[PaymentAdvice]) -> list[Told]:
    wanted = {firm for row in rows for firm in (row.sender_id, row.merchant_id) if firm}
    names = firm_names(session.connection(), wanted)
    return [
        Told(row, names.get(row.sender_id, ""), names.get(row.merchant_id or "", ""), row.lines)
        for row in rows
    ]
