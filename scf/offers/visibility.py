"""Who sees a quote: the seller it is made to and the financier it is made for.

One that officers made again in place of another is the seller's to see once it is offered.
"""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.offers.models import Quote, QuoteLine


def _is_side(actor: Actor) -> ColumnElement[bool]:
    told = or_(col(Quote.instead_of).is_(None), col(Quote.state).in_(["OFFERED", "USED"]))
    return or_(
        and_(col(Quote.seller_id) == actor.org_id, told),
        col(Quote.financier_id) == actor.org_id,
    )


@visible_to(Quote)
def _both_sides(actor: Actor) -> ColumnElement[bool]:
    return _is_side(actor)


@visible_to(QuoteLine)
def _lines_of_both_sides(actor: Actor) -> ColumnElement[bool]:
    own = select(col(Quote.id)).where(_is_side(actor))
    return col(QuoteLine.quote_id).in_(own)
