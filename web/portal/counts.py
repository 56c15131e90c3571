"""The small numbers beside entries of the navigation; each reads one index."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor
from scf.notices.models import Notice


def requests_waiting_for_seller(reading: Session, who: Actor) -> int:
    """Count the requests that wait for the seller's own word."""
    rows = reading.execute(
        select(func.count(col(FinancingRequest.id))).where(
            col(FinancingRequest.seller_id) == who.org_id,
            col(FinancingRequest.state).in_(("RETURNED", "COUNTER_OFFERED")),
        )
    )
    return int(rows.scalar_one())


def unread_notices(reading: Session, who: Actor) -> int:
    """Count what the person has not read yet."""
    rows = reading.execute(
        select(func.count(col(Notice.id))).where(
            col(Notice.user_id) == who.user_id, col(Notice.read_at).is_(None)
        )
    )
    return int(rows.scalar_one())
