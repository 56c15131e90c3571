"""Commands on quotes: make one firm, and let the old ones go."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, update

from scf.db.runner import Context, command
from scf.db.types import Id, OptCode, OptDay, OptId, OptMinor
from scf.documents.taxcheck.standing import for_an_offer
from scf.kernel.errors import Conflict
from scf.kernel.ids import new_id
from scf.offers.cheaper import what_ifs
from scf.offers.riskprice import BY_CONTRACT, not_too_often
from scf.offers.service import LINE, QUOTE, Ask, Computed, compute, headline
from scf.programmes.limits import refuse

MAX_INVOICES = 500


class MakeQuote(BaseModel):
    """Invoices of one buyer in one currency, and how much of them, to be paid early.

    ``inputs_digest`` is that of a computed quote that somebody has seen: if anything behind it has
    moved since, no other quote is made in its place.
    """

    model_config = ConfigDict(extra="forbid")
    invoice_ids: list[Id] = Field(min_length=1, max_length=MAX_INVOICES)
    amount_minor: OptMinor = None
    value_on: OptDay = None
    programme_id: OptId = None
    inputs_digest: OptCode = None


class ExpireQuotes(BaseModel):
    """Close the quotes whose time is over."""

    model_config = ConfigDict(extra="forbid")


@command("quote.make", MakeQuote)
def store_quote(ctx: Context, data: MakeQuote) -> dict[str, Any]:
    """The seller holds a firm price for a quarter of an hour.

    Raises
    ------
    RuleViolation
        The first refusal's code, with every refusal among the facts.
    Conflict
        QUOTE_MOVED when the inputs are not those of the quote that was shown.
    InvalidInput, NotFound
        As ``offers.service.compute``.
    """
    ask = Ask(data.invoice_ids, data.amount_minor, data.value_on, data.programme_id)
    computed = compute(ctx.conn, ctx.actor.org_id, ask, ctx.now, for_an_offer(ctx.now))
    if computed.by_risk is not None and computed.deal is not None:
        not_too_often(ctx.conn, computed.deal, ctx.now)
    refuse(computed.refusals)
    if data.inputs_digest is not None and data.inputs_digest != computed.inputs_digest:
        raise Conflict("QUOTE_MOVED", "What the price rests on has changed; look at it again.")
    return _store(ctx, computed)


def _store(ctx: Context, computed: Computed) -> dict[str, Any]:
    deal, priced = computed.deal, computed.price
    if deal is None or priced is None or computed.fixing_on is None:
        msg = "an unrefused quote is priced"
        raise AssertionError(msg)
    rate_percent, rate_ppm, margin_ppm = headline(priced)
    expires_at = ctx.now + dt.timedelta(minutes=deal.terms.quote_minutes)
    quote = {
        "id": new_id(),
        "seller_id": deal.seller_id,
        "financier_id": deal.programme.financier_id,
        "anchor_id": deal.obligor_id,
        "programme_id": deal.programme.id,
        "programme_version_id": deal.version_id,
        "state": "OPEN",
        "currency": deal.currency,
        "face_minor": priced.face_minor,
        "discount_minor": priced.discount_minor,
        "fee_minor": priced.fee_minor,
        "reserve_minor": priced.reserve_minor,
        "tax_minor": priced.tax_minor,
        "interest_minor": priced.interest_minor,
        "net_minor": priced.net_minor,
        "rate_percent": rate_percent,
        "rate_ppm": rate_ppm,
        "margin_ppm": margin_ppm,
        "benchmark": computed.benchmark,
        "fixing_percent": computed.fixing_percent,
        "fixing_on": computed.fixing_on,
        "day_count": deal.terms.day_count.value,
        "rate_basis": deal.terms.rate_basis,
        "all_in_ppm": priced.all_in_ppm,
        "effective_ppm": priced.effective_ppm,
        "value_on": deal.value_on,
        **(computed.by_risk.shown() if computed.by_risk is not None else BY_CONTRACT),
        "what_ifs": what_ifs(ctx.conn, computed),
        "inputs_digest": computed.inputs_digest,
        "instead_of": None,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
        "expires_at": expires_at,
    }
    lines = [
        {
            "id": new_id(),
            "quote_id": quote["id"],
            "place": place,
            "invoice_id": row.id,
            "acceptance_version": row.acceptance_version,
            "face_minor": line.face_minor,
            "discount_minor": line.discount_minor,
            "fee_minor": line.fee_minor,
            "reserve_minor": line.reserve_minor,
            "tax_minor": line.tax_minor,
            "interest_minor": line.interest_minor,
            "net_minor": line.net_minor,
            "rate_percent": line.rate_percent,
            "margin_ppm": line.margin_ppm,
            "due_on": row.due_on,
            "settle_on": line.settle_on,
            "days": line.days,
            "components": None,
            "assessment_id": None,
        }
        for place, (row, line) in enumerate(zip(computed.rows, priced.lines, strict=True))
    ]
    ctx.conn.execute(insert(QUOTE), quote)
    if computed.by_risk is not None:
        computed.by_risk.into(ctx, lines)
    ctx.conn.execute(insert(LINE), lines)
    ctx.change("quote", quote["id"], None, {"state": "OPEN", "net_minor": priced.net_minor})
    return {"on": deal.business_on.isoformat(), **_answer(quote, lines)}


def _answer(quote: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    shown = (
        "id", "state", "currency", "programme_id", "financier_id", "anchor_id", "face_minor",
        "discount_minor", "fee_minor", "tax_minor", "reserve_minor", "interest_minor",
        "net_minor", "rate_percent", "rate_ppm", "benchmark", "fixing_percent", "day_count",
        "rate_basis", "all_in_ppm", "effective_ppm", "rungs", "reasons",
        "what_ifs", "inputs_digest", "model_kind",
    )  # fmt: skip
    of_line = (
        "invoice_id", "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor",
        "interest_minor", "net_minor", "rate_percent", "days",
    )  # fmt: skip
    return {
        **{name: quote[name] for name in shown},
        "fixing_on": quote["fixing_on"].isoformat(),
        "value_on": quote["value_on"].isoformat(),
        "expires_at": quote["expires_at"].isoformat(),
        "lines": [
            {
                **{name: line[name] for name in of_line},
                "due_on": line["due_on"].isoformat(),
                "settle_on": line["settle_on"].isoformat(),
            }
            for line in lines
        ],
    }


@command("quote.expire", ExpireQuotes)
def expire_quotes(ctx: Context, _data: ExpireQuotes) -> dict[str, Any]:
    """A financier's quotes whose time is over are closed; nothing was held for them."""
    return {"expired": expire(ctx, None if ctx.actor.is_operator else ctx.actor.org_id)}


def expire(ctx: Context, financier_id: str | None) -> int:
    """Close the open quotes whose time is over, of one financier or of all; for the end of day."""
    query = update(QUOTE).where(QUOTE.c.state == "OPEN", QUOTE.c.expires_at <= ctx.now)
    if financier_id is not None:
        query = query.where(QUOTE.c.financier_id == financier_id)
    done = ctx.conn.execute(query.values(state="EXPIRED").returning(QUOTE.c.id)).all()
    for row in done:
        ctx.change("quote", row.id, {"state": "OPEN"}, {"state": "EXPIRED"})
    return len(done)
