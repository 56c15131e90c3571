"""What the duplicate registry is asked before a request is made and before it is approved."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from scf.db.platform import Platform
from scf.financing.bulk import MOST
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import Actor
from scf.offers.models import Quote, QuoteLine
from scf.parties.access import may
from scf.programmes.registry.asking import search


def before_a_request(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401 - unchecked
    """Search for the invoices of a quote that its seller is about to take."""
    quote_id = _named(payload, "quote_id")
    if quote_id is None or not may(actor, "request.submit"):
        return
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(col(Quote.financier_id), col(QuoteLine.invoice_id))
            .join(QuoteLine, col(QuoteLine.quote_id) == col(Quote.id))
            .where(
                col(Quote.id) == quote_id,
                col(Quote.seller_id) == actor.org_id,
                col(Quote.state) == "OPEN",
            )
        ).all()
    if rows:
        search(platform, rows[0].financier_id, [row.invoice_id for row in rows])


def before_a_decision(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401 - unchecked
    """Search for the invoices of a request that an officer of its financier is deciding on."""
    request_id = _named(payload, "request_id")
    if request_id is not None and may(actor, "request.decide"):
        _search_requests(platform, actor, [request_id])


def before_a_bulk(platform: Platform, payload: Any, actor: Actor) -> None:  # noqa: ANN401 - unchecked
    """Search for the invoices of all requests that an officer is about to approve together."""
    items = _value(payload, "items")
    if not isinstance(items, list | tuple) or not may(actor, "request.approve_many"):
        return
    named = (_named(item, "request_id") for item in items[:MOST])
    _search_requests(platform, actor, [one for one in named if one is not None])


def _search_requests(platform: Platform, actor: Actor, request_ids: Sequence[str]) -> None:
    with platform.db.snapshot() as conn:
        ids = conn.execute(
            select(col(Advance.invoice_id))
            .join(FinancingRequest, col(FinancingRequest.id) == col(Advance.request_id))
            .where(
                col(FinancingRequest.id).in_(request_ids),
                col(FinancingRequest.financier_id) == actor.org_id,
                col(FinancingRequest.state).in_(["SUBMITTED", "IN_REVIEW"]),
            )
        ).scalars()
        invoice_ids = list(ids)
    if invoice_ids:
        search(platform, actor.org_id, invoice_ids)


def _value(payload: Any, name: str) -> Any:  # noqa: ANN401 - a mapping or a model, unchecked
    return payload.get(name) if isinstance(payload, Mapping) else getattr(payload, name, None)


def _named(payload: Any, name: str) -> str | None:  # noqa: ANN401 - a mapping or a model, unchecked
    found = _value(payload, name)
    return found if isinstance(found, str) else None
