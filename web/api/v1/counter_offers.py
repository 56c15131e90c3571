"""Counter-offers: less than was asked for, as the financier would finance it.

The seller reads one once the officers have made it, and takes it; or lets it lapse, or withdraws
its request.
"""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Ppm
from scf.financing.models import CounterOffer
from web.api.v1 import described
from web.api.v1.paging import PageQuery, page
from web.api.v1.requests import RequestMoved, moved_of
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, expected_version, reader, run
from web.api.v1.trade import one

resource = Blueprint("counter-offers", __name__)


class CounterLineOut(Answer):
    """What would be financed of one invoice."""

    invoice_id: str
    face: Amount
    discount: Amount
    fee: Amount
    net: Amount


class CounterOfferOut(Answer):
    """An offer of less, or at another price; a signature of the seller is bound to its digest.

    ``quote_id`` names, at another price, the quote that the request rests on once it is taken;
    ``value_on`` the day, where the one that was asked for passed before it was paid.
    """

    id: str
    request_id: str
    state: str
    face: Amount
    discount: Amount
    fee: Amount
    net: Amount
    all_in_ppm: Ppm
    effective_ppm: Ppm
    quote_id: str | None
    value_on: dt.date | None
    lines: list[CounterLineOut]
    signed_digest: str
    valid_until: dt.datetime
    made_at: dt.datetime
    answered_at: dt.datetime | None


class CounterOfferPage(Answer):
    """Some of the counter-offers."""

    items: list[CounterOfferOut]
    next_cursor: str


class CounterOffersQuery(PageQuery):
    """Which counter-offers."""

    request_id: str = Field(default="", max_length=64)


described.asks_version("POST", "/counter-offers/<counter_offer_id>/take")


@endpoint(resource, "GET", "/counter-offers", action="request.read", answer=CounterOfferPage)
def list_counter_offers(query: CounterOffersQuery) -> CounterOfferPage:
    """List the counter-offers that were made to you, or by you."""
    statement = select(CounterOffer)
    if query.request_id:
        statement = statement.where(col(CounterOffer.request_id) == query.request_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(CounterOffer.id))
        return CounterOfferPage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/counter-offers/<counter_offer_id>",
    action="request.read",
    answer=CounterOfferOut,
)
def get_counter_offer(counter_offer_id: str) -> CounterOfferOut:
    """Show one counter-offer."""
    with reader() as session:
        return _shown(one(session, CounterOffer, counter_offer_id))


@endpoint(
    resource,
    "POST",
    "/counter-offers/<counter_offer_id>/take",
    action="request.take_offer",
    answer=RequestMoved,
)
def take_counter_offer(counter_offer_id: str) -> tuple[RequestMoved, int, dict[str, str]]:
    """Take less, as the seller, on the version of the request that you have read."""
    payload = {"counter_offer_id": counter_offer_id, "version": expected_version()}
    moved = moved_of(run("request.take_offer", payload).result)
    return moved, 200, etag(moved.version)


_AMOUNTS = ("face", "discount", "fee", "net")
_KEPT = set(CounterOfferOut.model_fields) - set(_AMOUNTS) - {"lines"}


def _shown(row: CounterOffer) -> CounterOfferOut:
    def amounts(part: dict[str, Any]) -> dict[str, Amount]:
        return {name: amount(part[f"{name}_minor"], row.currency) for name in _AMOUNTS}

    whole = row.model_dump()
    lines = [{"invoice_id": line["invoice_id"], **amounts(line)} for line in row.lines]
    kept = {name: whole[name] for name in _KEPT}
    return CounterOfferOut.model_validate({**kept, **amounts(whole), "lines": lines})
