"""Who sees requests and advances: seller and financier; decisions and checks only the financier.

The obligor sees what it owes on its invoices, never what the seller paid for early money.
"""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.financing.models import Advance, AdvanceEvent, Decision, FinancingRequest, ManualCheck
from scf.kernel.actor import Actor


@visible_to(FinancingRequest)
def _both_sides(actor: Actor) -> ColumnElement[bool]:
    return or_(
        col(FinancingRequest.seller_id) == actor.org_id,
        col(FinancingRequest.financier_id) == actor.org_id,
    )


@visible_to(Decision)
def _own_decisions(actor: Actor) -> ColumnElement[bool]:
    own = select(col(FinancingRequest.id)).where(col(FinancingRequest.financier_id) == actor.org_id)
    return col(Decision.request_id).in_(own)


@visible_to(ManualCheck)
def _own_checks(actor: Actor) -> ColumnElement[bool]:
    own = select(col(FinancingRequest.id)).where(col(FinancingRequest.financier_id) == actor.org_id)
    return col(ManualCheck.request_id).in_(own)


def _is_side(actor: Actor) -> ColumnElement[bool]:
    return or_(col(Advance.seller_id) == actor.org_id, col(Advance.financier_id) == actor.org_id)


@visible_to(Advance)
def _advances_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    return _is_side(actor)


@visible_to(AdvanceEvent)
def _events_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Advance.id)).where(_is_side(actor))
    return col(AdvanceEvent.advance_id).in_(own)
