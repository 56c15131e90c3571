"""How much waits on an officer's desk, as single numbers that every page may ask for."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.financing.models import FinancingRequest, RequestReview
from scf.kernel.actor import Actor
from scf.programmes.models import Fixing, LimitNode
from scf.settlement.models import BankEntry, PaymentFile


def cases_waiting(session: Session, who: Actor) -> int:
    """Count the requests that nobody has decided yet."""
    query = select(func.count(col(FinancingRequest.id))).where(
        col(FinancingRequest.financier_id) == who.org_id,
        col(FinancingRequest.state).in_(("SUBMITTED", "IN_REVIEW")),
    )
    return int(session.execute(query).scalar_one())


def files_waiting(session: Session, who: Actor) -> int:
    """Count the payment files that another person prepared and nobody has released."""
    query = select(func.count(col(PaymentFile.id))).where(
        col(PaymentFile.state) == "CREATED", col(PaymentFile.prepared_by) != who.user_id
    )
    return int(session.execute(query).scalar_one())


def receipts_waiting(session: Session, _who: Actor) -> int:
    """Count the receipts of which a part waits for a person."""
    query = select(func.count(col(BankEntry.id))).where(
        col(BankEntry.unallocated_minor) > 0, col(BankEntry.state).in_(("RECEIVED", "IDENTIFIED"))
    )
    return int(session.execute(query).scalar_one())


def limits_waiting(session: Session, who: Actor) -> int:
    """Count the limits that another person has proposed to raise."""
    query = select(func.count(col(LimitNode.id))).where(
        col(LimitNode.financier_id) == who.org_id,
        col(LimitNode.proposed_by).is_not(None),
        col(LimitNode.proposed_by) != who.user_id,
    )
    return int(session.execute(query).scalar_one())


def fixings_waiting(session: Session, who: Actor) -> int:
    """Count the benchmark values that another person has recorded and nobody confirmed."""
    query = select(func.count(col(Fixing.id))).where(
        col(Fixing.org_id) == who.org_id,
        col(Fixing.confirmed_by).is_(None),
        col(Fixing.added_by) != who.user_id,
    )
    return int(session.execute(query).scalar_one())


def reviews_waiting(session: Session, who: Actor) -> int:
    """Count the automatic approvals that were drawn and nobody has looked at."""
    query = select(func.count(col(RequestReview.id))).where(
        col(RequestReview.financier_id) == who.org_id, col(RequestReview.state) == "OPEN"
    )
    return int(session.execute(query).scalar_one())
