"""Who sees what senders say of their payments: the financier that was paid."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.settlement.advised.models import PaymentAdvice


@visible_to(PaymentAdvice)
def _own_advices(actor: Actor) -> ColumnElement[bool]:
    return col(PaymentAdvice.financier_id) == actor.org_id
