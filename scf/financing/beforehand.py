"""What the duplicate registry is asked before a request is made and before it is approved."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from scf.db.platform import Platform
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
    if request_id is None or not may(actor, "request.decide"):
        return
    with platform.db.snapshot() as conn:
        ids = conn.execute(
            select(col(Advance.invoice_id))
            .join(FinancingRequest, col(FinancingRequest.id) == col(Advance.request_id))
            .where(
                col(FinancingRequest.id) == request_id,
                col(FinancingRequest.financier_id) == actor.org_id,
                col(FinancingRequest.state).in_(["SUBMITTED", "IN_REVIEW"]),
            )
        ).scalars()
        invoice_ids = list(ids)
    if invoice_ids:
        search(platform, actor.org_id, invoice_ids)


def _named(payload: Any, name: str) -> str | None:  # noqa: ANN401 - a mapping or a model, unchecked
    found = payload.get(name) if isinstance(payload, Mapping) else getattr(payload, name, None)
    return found if isinstance(found, str) else None
