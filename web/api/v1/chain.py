"""The supply chain around a firm, as known before the day of its snapshot.

The bank sees the chain of any firm in full. Other firms see their own direct partners; an anchor
also how many firms stand deeper, from five on.
"""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from scf.chain import views
from scf.db.types import Currency
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint
from web.context import actor, platform

resource = Blueprint("chain_of_firm", __name__)


class ChainFirm(Answer):
    """A firm by its steps from the one asked for: suppliers positive, customers negative.

    Tiers count from the anchors and are the bank's to see; null where no anchor is reached.
    """

    id: str
    name: str
    level: int
    tier_up: int | None
    tier_down: int | None
    in_circle: bool | None


class ChainRelation(Answer):
    """What one firm sold another; ``payments`` is null where only the buyer may read it."""

    seller_id: str
    buyer_id: str
    sales_52w: Amount
    sales_13w: Amount
    orders_52w: Amount
    invoices_52w: Amount
    payments_52w: Amount | None
    open: Amount
    overdue: Amount
    overdue_days: int
    last_on: dt.date | None


class ChainShare(Answer):
    """How one side of the firm's trade spreads over partners, within one currency."""

    side: str
    total: Amount
    partners: int
    hhi: float
    top_id: str
    top_share: float


class ChainCount(Answer):
    """How many firms stand on a level of which no name is shown; null: fewer than five."""

    level: int
    firms: int | None


class ChainOut(Answer):
    """A firm's chain. ``complete`` is false when too many firms were within reach."""

    firm_id: str
    as_of_on: dt.date
    firms: list[ChainFirm]
    relations: list[ChainRelation]
    concentration: list[ChainShare]
    deeper: list[ChainCount]
    complete: bool


class ChainQuery(BaseModel):
    """How many steps towards suppliers and customers."""

    model_config = ConfigDict(extra="forbid")
    up: int = Field(default=1, ge=0, le=5)
    down: int = Field(default=1, ge=0, le=5)


@endpoint(resource, "GET", "/chain/<firm_id>", action="graph.read", answer=ChainOut)
def show_chain(firm_id: str, query: ChainQuery) -> ChainOut:
    """Show the firms and relations around a firm."""
    with platform().db.snapshot() as conn:
        seen = views.chain_of(conn, actor(), firm_id, query.up, query.down)
    return ChainOut(
        firm_id=firm_id,
        as_of_on=seen.as_of_on,
        firms=[_firm(seen, one) for one in sorted(seen.level, key=lambda f: (-seen.level[f], f))],
        relations=[_relation(one) for one in seen.relations],
        concentration=[
            ChainShare(
                side=one.side,
                total=amount(one.total_minor, one.currency),
                partners=one.partners,
                hhi=one.hhi,
                top_id=one.top_id,
                top_share=one.top_share,
            )
            for one in views.concentrations(seen.relations, firm_id)
        ],
        deeper=[ChainCount(level=one.level, firms=one.firms) for one in seen.deeper],
        complete=seen.complete,
    )


def _firm(seen: views.ChainView, firm_id: str) -> ChainFirm:
    node = seen.nodes.get(firm_id)
    return ChainFirm(
        id=firm_id,
        name=seen.names.get(firm_id, ""),
        level=seen.level[firm_id],
        tier_up=node.tier_up if node else None,
        tier_down=node.tier_down if node else None,
        in_circle=node.circle_id is not None if node else None,
    )


def _relation(one: views.Relation) -> ChainRelation:
    currency: Currency = one.currency
    return ChainRelation(
        seller_id=one.seller_id,
        buyer_id=one.buyer_id,
        sales_52w=amount(one.sales_52w_minor, currency),
        sales_13w=amount(one.sales_13w_minor, currency),
        orders_52w=amount(one.orders_52w_minor, currency),
        invoices_52w=amount(one.invoices_52w_minor, currency),
        payments_52w=(
            None if one.payments_52w_minor is None else amount(one.payments_52w_minor, currency)
        ),
        open=amount(one.open_minor, currency),
        overdue=amount(one.overdue_minor, currency),
        overdue_days=one.overdue_days,
        last_on=one.last_on,
    )
