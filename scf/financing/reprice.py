"""Another price than the model's: an officer proposes it, officers decide, and the seller takes it.

A request was made on a firm quote, so that no other price, dearer or cheaper, is ever paid out on
the financier's word alone. What may be moved is the margin; see ``scf.risk.remaking``. Who
proposes a price does not decide on it alone. Source: finance.md section 3 (a new price is accepted
by the customer), pricing.md 1.10.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Count, Id, SignedCount
from scf.financing import advances, authority, requests
from scf.financing.lifecycle import DECIDABLE
from scf.financing.models import CounterOffer, RequestOverride
from scf.financing.reasons import OverrideCode
from scf.financing.seeing import seen
from scf.financing.signing import account_numbers, digest_of
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.kernel.ids import new_id
from scf.offers import repricing
from scf.offers.pricing import next_cut_off
from scf.offers.repricing import Repriced
from scf.offers.service import QUOTE
from scf.parties.service import business_date
from scf.programmes import limits
from scf.programmes.calendars import calendar_of
from scf.programmes.service import terms_of_version
from scf.programmes.terms import Terms
from scf.risk import remaking

_OFFER: Final[Table] = CounterOffer.__table__  # type: ignore[attr-defined]
_OVERRIDE: Final[Table] = RequestOverride.__table__  # type: ignore[attr-defined]
_TOTALS: Final = (
    "face_minor", "discount_minor", "fee_minor", "net_minor", "all_in_ppm", "effective_ppm",
)  # fmt: skip
_OF_LINE: Final = (
    "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor", "net_minor",
)  # fmt: skip


class RepriceRequest(BaseModel):
    """How much stands on the policy's margin, in whole basis points, and why.

    Less than nothing is a lower price, 0 the model's own. ``version`` is what the officer has read.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    request_id: Id
    version: Count
    margin_shift_bp: SignedCount
    code: OverrideCode
    note: str = Field(min_length=3, max_length=4000)


class Said(NamedTuple):
    """An officer's word for the price that stands proposed."""

    word: authority.Word
    made: Sequence[Row[Any]]
    standing: Row[Any]
    note: str


@command("request.reprice", RepriceRequest)
def reprice_request(ctx: Context, data: RepriceRequest) -> dict[str, Any]:
    """An officer proposes another price, and stands for it with a code and a note.

    A first word that was spoken is void, and who proposes does not decide alone. Nothing changes
    for the seller before the officers' last word and its own.

    Raises
    ------
    NotAllowed
        FOUR_EYES for whoever asked for the money.
    Conflict
        STALE; DECISION_STATE when nothing is to be decided.
    InvalidInput
        OVERRIDE_VALUE for the price that stands already.
    RuleViolation
        PRICE_BY_CONTRACT; PRICE_BELOW_HURDLE, PRICE_BELOW_FLOOR, PRICE_ABOVE_CAP, NOTHING_LEFT.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    authority.has_no_part(ctx.conn, ctx.actor, row)
    if row.state not in DECIDABLE:
        raise Conflict("DECISION_STATE", "The request is %(state)s.", state=row.state)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    again, quote, _terms = worked_out(ctx.conn, row, data.margin_shift_bp)
    remaking.refuse(again.made)
    before = requests.standing(ctx.conn, row)
    requests.take_back_offers(ctx, row)
    if again.changes:
        rate = _propose(ctx, row, quote, again)
    elif before is None:
        raise InvalidInput("OVERRIDE_VALUE", "This is the price already.")
    else:  # back to the price that the request was made on
        rate = quote.rate_percent
    override_id = new_id()
    ctx.conn.execute(
        insert(_OVERRIDE),
        {
            "id": override_id,
            "request_id": row.id,
            "what": "price",
            "before": before.rate_percent if before is not None else quote.rate_percent,
            "after": rate,
            "code": data.code,
            "note": data.note,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change("request_override", override_id, {"price": quote.rate_percent}, {"price": rate})
    after = requests.move(ctx, row, "review", {"round": row.round + 1})
    return requests.answer(after, override_id=override_id, rate_percent=rate)


class WorkedOut(NamedTuple):
    """A request priced again, the quote that it stands on now, and the terms of both."""

    again: Repriced
    quote: Row[Any]
    terms: Terms


def worked_out(conn: Connection, row: Any, shift_bp: int) -> WorkedOut:  # noqa: ANN401 - row or record
    """Give what a request would bring with so much on the policy's margin.

    Raises
    ------
    RuleViolation
        PRICE_BY_CONTRACT; NOTHING_LEFT.
    """
    lines = [one for one in advances.of_request(conn, row.id) if one.state != "CANCELLED"]
    quote = conn.execute(select(QUOTE).where(QUOTE.c.id == row.quote_id)).one()
    terms = terms_of_version(conn, quote.programme_version_id)
    again = repricing.reprice(conn, terms, lines, shift_bp)
    if any(one.net_minor <= 0 for one in again.lines):
        raise RuleViolation("NOTHING_LEFT", "The charges would be more than the amount.")
    return WorkedOut(again, quote, terms)


def _propose(ctx: Context, row: Row[Any], quote: Row[Any], again: Repriced) -> str:
    quote_id, line_ids = repricing.propose(ctx, quote, again)
    lines = [
        {
            "advance_id": advance.id,
            "invoice_id": advance.invoice_id,
            "quote_line_id": line_id,
            "rate_percent": line.rate_percent,
            **{name: getattr(line, name) for name in _OF_LINE},
        }
        for advance, line, line_id in zip(again.advances, again.lines, line_ids, strict=True)
    ]
    offer_id = new_id()
    ctx.conn.execute(
        insert(_OFFER),
        {
            "id": offer_id,
            "request_id": row.id,
            "round": row.round + 1,
            "state": "PROPOSED",
            "currency": row.currency,
            **{name: getattr(again.price, name) for name in _TOTALS},
            "lines": lines,
            "quote_id": quote_id,
            "signed_digest": "",  # nobody has said a word on it yet
            "valid_until": row.decide_by,
            "made_at": ctx.now,
            "answered_at": None,
        },
    )
    ctx.change("counter_offer", offer_id, None, {"state": "PROPOSED", "quote_id": quote_id})
    return max(again.lines, key=lambda line: line.rate).rate_percent


def digest_at(
    conn: Connection,
    row: Any,  # noqa: ANN401 - row or record
    lines: Sequence[Any],
    offer: Row[Any],
    version: int,
) -> str:
    """Give the digest of a word for the proposed price: all that a decision covers, at it."""
    priced = {line["advance_id"]: line for line in offer.lines}
    would_be = [
        SimpleNamespace(
            id=line.id, value_on=line.value_on, due_on=line.due_on, invoice_id=line.invoice_id,
            payee_account_id=line.payee_account_id,
            **{name: priced[line.id][name] for name in _OF_LINE},
        )
        for line in lines
    ]  # fmt: skip
    total = SimpleNamespace(
        id=row.id, quote_id=offer.quote_id, currency=row.currency, face_minor=offer.face_minor,
        net_minor=offer.net_minor,
    )  # fmt: skip
    numbers = account_numbers(conn, (line.payee_account_id for line in lines))
    return digest_of(total, would_be, version, numbers)


def word(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], terms: Terms, said: Said
) -> dict[str, Any]:
    """Put an officer's word for the proposed price on record; the last word offers it.

    Raises
    ------
    Conflict
        STALE when the second officer would sign something else than the first.
    """
    signed = digest_at(ctx.conn, row, lines, said.standing, row.version)
    if said.made:
        first = said.made[0]
        if first.signed_digest != digest_at(ctx.conn, row, lines, said.standing, row.version - 1):
            raise Conflict("STALE", "What the first officer signed has changed; decline it.")
    requests.record_decision(
        ctx,
        row,
        step=said.word.step,
        outcome="APPROVE",
        note=said.note,
        signed_digest=signed,
        seen=seen(ctx.conn, row, lines),
    )
    held = [one for one in lines if one.state == "HELD"]
    today = business_date(ctx.conn, row.financier_id)
    advances.transition_many(ctx, held, "precheck", today, {"not_required": True})
    if not said.word.last:
        return requests.answer(requests.move(ctx, row, "review"), step=said.word.step)
    until = next_cut_off(terms, calendar_of(terms.calendar), ctx.now)
    ctx.conn.execute(
        update(_OFFER)
        .where(_OFFER.c.id == said.standing.id)
        .values(state="OPEN", signed_digest=signed, valid_until=until, made_at=ctx.now)
    )
    ctx.change("counter_offer", said.standing.id, {"state": "PROPOSED"}, {"state": "OPEN"})
    repricing.move(ctx, [said.standing.quote_id], "OFFERED", expires_at=until)
    after = requests.move(ctx, row, "offer_less", {"decide_by": until})
    ctx.emit("request.counter_offered", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after, step=said.word.step, counter_offer_id=said.standing.id)


def take(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], offered: Row[Any]
) -> list[Row[Any]]:
    """Let the advances move to the price that the seller has taken; gives them as they are then.

    Raises
    ------
    RuleViolation
        LIMIT_FINANCIER where a lower price pays out more than the funding limit has left.
    """
    today = business_date(ctx.conn, row.financier_id)
    priced = {line["advance_id"]: line for line in offered.lines}
    kept: list[Row[Any]] = []
    for line in lines:
        new = priced[line.id]
        money = {name: new[name] for name in _OF_LINE}
        columns = {
            **money,
            "reserve_left_minor": money["reserve_minor"],
            "rate_percent": new["rate_percent"],
            "quote_line_id": new["quote_line_id"],
        }
        kept += advances.transition_many(ctx, [line], "reprice", today, money, columns)
        limits.lessen(ctx, line.id, money["face_minor"], money["net_minor"])
    repricing.move(ctx, [offered.quote_id], "USED")
    return kept
