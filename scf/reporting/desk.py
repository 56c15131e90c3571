"""How much waits on an officer's desk: counts that every page has, asked for all at once."""

from sqlalchemy import Select, func, select
from sqlmodel import col

from scf.financing.models import FinancingRequest, RequestReview
from scf.kernel.actor import Actor
from scf.programmes.models import Fixing, LimitNode
from scf.settlement.models import BankEntry, PaymentFile


def cases_waiting(who: Actor) -> Select[int]:
    """Count the requests that nobody has decided yet."""
    return select(func.count(col(FinancingRequest.id))).where(
        col(FinancingRequest.financier_id) == who.org_id,
        col(FinancingRequest.state).in_(("SUBMITTED", "IN_REVIEW")),
    )


def files_waiting(who: Actor) -> Select[int]:
    """Count the payment files that another person prepared and nobody has released."""
    return select(func.count(col(PaymentFile.id))).where(
        col(PaymentFile.state) == "CREATED", col(PaymentFile.prepared_by) != who.user_id
    )


def receipts_waiting(_who: Actor) -> Select[int]:
    """Count the receipts of which a part waits for a person."""
    return select(func.count(col(BankEntry.id))).where(
        col(BankEntry.unallocated_minor) > 0, col(BankEntry.state).in_(("RECEIVED", "IDENTIFIED"))
    )


def limits_waiting(who: Actor) -> Select[int]:
    """Count the limits that another person has proposed to raise."""
    return select(func.count(col(LimitNode.id))).where(
        col(LimitNode.financier_id) == who.org_id,
        col(LimitNode.proposed_by).is_not(None),
        col(LimitNode.proposed_by) != who.user_id,
    )


def fixings_waiting(who: Actor) -> Select[int]:
    """Count the benchmark values that another person has recorded and nobody confirmed."""
    return select(func.count(col(Fixing.id))).where(
        col(Fixing.org_id) == who.org_id,
        col(Fixing.confirmed_by).is_(None),
        col(Fixing.added_by) != who.user_id,
    )


def reviews_waiting(who: Actor) -> Select[int]:
    """Count the automatic approvals that were drawn and nobody has looked at."""
    return select(func.count(col(RequestReview.id))).where(
        col(RequestReview.financier_id) == who.org_id, col(RequestReview.state) == "OPEN"
    )
