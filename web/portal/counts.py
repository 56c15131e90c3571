"""The small numbers beside entries of the navigation; each reads one index."""

from sqlalchemy import Select, func, select
from sqlmodel import col

from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor
from scf.notices.models import Notice


def requests_waiting_for_seller(who: Actor) -> Select[int]:
    """Count the requests that wait for the seller's own word."""
    return select(func.count(col(FinancingRequest.id))).where(
        col(FinancingRequest.seller_id) == who.org_id,
        col(FinancingRequest.state).in_(("RETURNED", "COUNTER_OFFERED")),
    )


def unread_notices(who: Actor) -> Select[int]:
    """Count what the person has not read yet."""
    return select(func.count(col(Notice.id))).where(
        col(Notice.user_id) == who.user_id, col(Notice.read_at).is_(None)
    )
