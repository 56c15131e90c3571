"""Who sees requests and advances: seller and financier; decisions and checks only the financier.

The obligor sees what it owes on its invoices, never what the seller paid for early money.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.financing.models import (
    Advance,
    AdvanceEvent,
    CounterOffer,
    Decision,
    FinancingRequest,
    ManualCheck,
    OverAdvance,
    RequestOverride,
    RequestQuestion,
    RequestReview,
    UserAuthority,
)
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
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


def _of_both_sides(actor: Actor) -> Any:  # noqa: ANN401 - a select
    return select(col(FinancingRequest.id)).where(_both_sides(actor))


@visible_to(RequestQuestion)
def _questions(actor: Actor) -> ColumnElement[bool]:
    return col(RequestQuestion.request_id).in_(_of_both_sides(actor))


@visible_to(CounterOffer)
def _counter_offers(actor: Actor) -> ColumnElement[bool]:
    """Show the seller what was offered, not what one officer has only proposed to another."""
    own = select(col(FinancingRequest.id)).where(col(FinancingRequest.financier_id) == actor.org_id)
    return or_(
        col(CounterOffer.request_id).in_(own),
        and_(
            col(CounterOffer.state).in_(["OPEN", "ACCEPTED", "LAPSED"]),
            col(CounterOffer.request_id).in_(_of_both_sides(actor)),
        ),
    )


@visible_to(RequestOverride)
def _own_overrides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(FinancingRequest.id)).where(col(FinancingRequest.financier_id) == actor.org_id)
    return col(RequestOverride.request_id).in_(own)


@visible_to(RequestReview)
def _own_reviews(actor: Actor) -> ColumnElement[bool]:
    return col(RequestReview.financier_id) == actor.org_id


@visible_to(UserAuthority)
def _own_ceilings(actor: Actor) -> ColumnElement[bool]:
    return col(UserAuthority.financier_id) == actor.org_id


@visible_to(TaxAlert)
def _own_alerts(actor: Actor) -> ColumnElement[bool]:
    return col(TaxAlert.financier_id) == actor.org_id


@visible_to(TaxVouch)
def _own_vouches(actor: Actor) -> ColumnElement[bool]:
    return col(TaxVouch.financier_id) == actor.org_id


def _is_side(actor: Actor) -> ColumnElement[bool]:
    return or_(col(Advance.seller_id) == actor.org_id, col(Advance.financier_id) == actor.org_id)


@visible_to(Advance)
def _advances_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    return _is_side(actor)


@visible_to(AdvanceEvent)
def _events_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Advance.id)).where(_is_side(actor))
    return col(AdvanceEvent.advance_id).in_(own)


@visible_to(OverAdvance)
def _over_advances_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    return or_(
        col(OverAdvance.seller_id) == actor.org_id, col(OverAdvance.financier_id) == actor.org_id
    )
