"""The small numbers beside entries of the navigation; each reads one index."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor


def requests_waiting_for_seller(reading: Session, who: Actor) -> int:
    """Count the requests that wait for the seller's own word."""
    rows = reading.execute(
        select(func.count(col(FinancingRequest.id))).where(
            col(FinancingRequest.seller_id) == who.org_id,
            col(FinancingRequest.state).in_(("RETURNED", "COUNTER_OFFERED")),
        )
    )
    return int(rows.scalar_one())
