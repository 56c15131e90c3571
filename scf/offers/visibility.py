"""Who sees a quote: the seller it is made to and the financier it is made for."""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.offers.models import Quote, QuoteLine


def _is_side(actor: Actor) -> ColumnElement[bool]:
    return or_(col(Quote.seller_id) == actor.org_id, col(Quote.financier_id) == actor.org_id)


@visible_to(Quote)
def _both_sides(actor: Actor) -> ColumnElement[bool]:
    return _is_side(actor)


@visible_to(QuoteLine)
def _lines_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Quote.id)).where(_is_side(actor))
    return col(QuoteLine.quote_id).in_(own)
