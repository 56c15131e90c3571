"""A counter-offer: the financier would finance less, or the same at another price.

The officers sign the amounts offered, by the same steps as an approval. Until the seller's word
everything stays held as it was asked for; what it takes less is freed then. Without its word
nothing is paid: an offer that it does not take lapses.
"""

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Table, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Count, Id, Minor
from scf.documents import axes
from scf.financing import advances, checks, guards, moved, reprice, requests, signatures
from scf.financing.authority import Word
from scf.financing.models import CounterOffer
from scf.financing.seeing import seen
from scf.financing.signatures import Signature
from scf.financing.signing import account_numbers, digest_of
from scf.kernel.calendar import BusinessCalendar, instant_of, zone
from scf.kernel.errors import Conflict, RuleViolation
from scf.kernel.ids import new_id
from scf.kernel.rates import percent_to_fraction
from scf.offers.pricing import PricedLine, line_at, next_cut_off, price
from scf.parties.service import business_date
from scf.programmes import claims, limits
from scf.programmes.calendars import calendar_of
from scf.programmes.terms import Terms

_OFFER: Final[Table] = CounterOffer.__table__  # type: ignore[attr-defined]
_MONEY: Final = ("face_minor", "discount_minor", "fee_minor", "net_minor")
# All that a price says of an advance, whatever its technique keeps back beside these.
_OF_PRICE: Final = (*_MONEY, "reserve_minor", "tax_minor")


class CounterLine(BaseModel):
    """How much of one invoice the financier would finance; nothing leaves it out."""

    model_config = ConfigDict(extra="forbid")
    invoice_id: Id
    face_minor: Minor


class Asked(NamedTuple):
    """An officer's word for less."""

    word: Word
    made: Sequence[Row[Any]]
    lines: Sequence[CounterLine]
    note: str


class TakeOffer(BaseModel):
    """The seller's word on an open counter-offer, on the version of the request it has read."""

    model_config = ConfigDict(extra="forbid")
    counter_offer_id: Id
    version: Count
    signature: Signature | None = None


# --- The financier's side ---------------------------------------------------------------------


def offer(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], terms: Terms, asked: Asked
) -> dict[str, Any]:
    """Put an officer's word for less on record; the last word makes it an offer to the seller.

    Raises
    ------
    RuleViolation
        COUNTER_LINES for other invoices, for more, for as much, or for amounts that the programme
        does not finance.
    Conflict
        DIFFERS when the second officer names other amounts than the first.
    """
    wanted = _wanted(terms, row, lines, asked.lines)
    smaller = _smaller(terms, lines, wanted)
    priced = price(terms, [_priced(line) for line in smaller])
    total = _total(row, smaller)
    numbers = account_numbers(ctx.conn, (line.payee_account_id for line in lines))
    if asked.made:
        before = asked.made[0]
        if before.signed_digest != digest_of(total, smaller, before.version, numbers) or (
            before.version != row.version - 1
        ):
            raise Conflict("DIFFERS", "The first officer named other amounts.")
    signed_digest = digest_of(total, smaller, row.version, numbers)
    requests.record_decision(
        ctx,
        row,
        step=asked.word.step,
        outcome="COUNTER",
        note=asked.note,
        signed_digest=signed_digest,
        seen=seen(ctx.conn, row, lines),
    )
    held = [one for one in lines if one.state == "HELD"]
    today = business_date(ctx.conn, row.financier_id)
    advances.transition_many(ctx, held, "precheck", today, {"not_required": True})
    until = next_cut_off(terms, _calendar(terms), ctx.now)
    values = {
        "state": "OPEN" if asked.word.last else "PROPOSED",
        **{name: getattr(total, name) for name in _MONEY},
        "all_in_ppm": priced.all_in_ppm,
        "effective_ppm": priced.effective_ppm,
        "lines": [
            {
                "advance_id": line.id,
                "invoice_id": line.invoice_id,
                **{name: getattr(line, name) for name in _OF_PRICE},
            }
            for line in smaller
        ],
        "signed_digest": signed_digest,
        "valid_until": until,
        "made_at": ctx.now,
    }
    offer_id = _store(ctx, row, values)
    if not asked.word.last:
        return requests.answer(requests.move(ctx, row, "review"), step=asked.word.step)
    after = requests.move(ctx, row, "offer_less", {"decide_by": until})
    ctx.emit("request.counter_offered", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after, step=asked.word.step, counter_offer_id=offer_id)


def _calendar(terms: Terms) -> BusinessCalendar:
    return calendar_of(terms.calendar)


def _wanted(
    terms: Terms, row: Row[Any], lines: Sequence[Row[Any]], asked: Sequence[CounterLine]
) -> dict[str, int]:
    """Give the face of every invoice of the request; one that is not named stays as it is."""
    had = {line.invoice_id: line.face_minor for line in lines}
    named = {line.invoice_id: line.face_minor for line in asked}
    wanted = {**had, **named}
    part = terms.currency[row.currency]
    if len(named) != len(asked) or set(named) - set(had):
        raise RuleViolation(
            "COUNTER_LINES", "A counter-offer names invoices of the request, each once."
        )
    if not 0 < sum(wanted.values()) < row.face_minor:
        raise RuleViolation(
            "COUNTER_LINES", "A counter-offer is for less than was asked, and for something."
        )
    for invoice_id, face in wanted.items():
        if face > had[invoice_id]:
            raise RuleViolation(
                "COUNTER_LINES", "A counter-offer never finances more of an invoice than was asked."
            )
        if face in {0, had[invoice_id]}:
            continue
        if not terms.partial_allowed:
            raise RuleViolation("COUNTER_LINES", "This programme finances whole invoices only.")
        if face < part.amount_min_minor or face % part.amount_step_minor:
            raise RuleViolation("COUNTER_LINES", "A part keeps the programme's minimum and steps.")
    return wanted


def _smaller(terms: Terms, lines: Sequence[Row[Any]], wanted: dict[str, int]) -> list[Any]:
    """Price what stays of each advance, at the rate of its quote."""
    made = []
    for line in lines:
        face = wanted[line.invoice_id]
        if face == 0:
            continue
        priced = line_at(
            terms,
            terms.currency[line.currency],
            face=face,
            start=line.value_on,
            settle_on=line.due_on,
            rate=percent_to_fraction(line.rate_percent),
            margin_ppm=0,
        )
        if priced.net_minor <= 0:
            raise RuleViolation("COUNTER_LINES", "The charges would be more than the amount.")
        made.append(
            SimpleNamespace(
                id=line.id, invoice_id=line.invoice_id, value_on=line.value_on,
                due_on=line.due_on, payee_account_id=line.payee_account_id, priced=priced,
                **{name: getattr(priced, name) for name in _OF_PRICE},
            )
        )  # fmt: skip
    return made


def _priced(line: Any) -> PricedLine:  # noqa: ANN401 - what _smaller made
    priced: PricedLine = line.priced
    return priced


def _total(row: Row[Any], lines: Sequence[Any], quote_id: str | None = None) -> Any:  # noqa: ANN401 - stands for a request
    sums = {name: sum(getattr(line, name) for line in lines) for name in _MONEY}
    return SimpleNamespace(
        id=row.id, quote_id=quote_id or row.quote_id, currency=row.currency, **sums
    )


def _store(ctx: Context, row: Row[Any], values: dict[str, Any]) -> str:
    there: str | None = ctx.conn.execute(
        select(_OFFER.c.id).where(_OFFER.c.request_id == row.id, _OFFER.c.round == row.round)
    ).scalar_one_or_none()
    if there is not None:
        ctx.conn.execute(update(_OFFER).where(_OFFER.c.id == there).values(**values))
        offer_id = there
    else:
        offer_id = new_id()
        own = {"id": offer_id, "request_id": row.id, "round": row.round, "currency": row.currency}
        ctx.conn.execute(insert(_OFFER), {**own, **values, "answered_at": None})
    ctx.change("counter_offer", offer_id, None, {"state": values["state"]})
    return offer_id


# --- The seller's side ------------------------------------------------------------------------


@command("request.take_offer", TakeOffer)
def take_offer(ctx: Context, data: TakeOffer) -> dict[str, Any]:
    """The seller takes what is offered: less, or another price; the request is approved for that.

    Raises
    ------
    Conflict
        STALE; OFFER_STATE when the offer is no longer open.
    RuleViolation
        SIGNATURE_VOID when it is not what the officers signed any more; what
        ``guards.still_good`` refuses.
    """
    found = ctx.visible(CounterOffer, data.counter_offer_id)
    row = requests.locked(ctx, found.request_id, side="seller")
    requests.same_version(row, data.version)
    offered = ctx.conn.execute(select(_OFFER).where(_OFFER.c.id == found.id)).one()
    if row.state != "COUNTER_OFFERED" or offered.state != "OPEN":
        raise Conflict("OFFER_STATE", "The offer is %(state)s.", state=row.state)
    if ctx.now > offered.valid_until or requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    lines = checks.lock_advances(ctx, row)
    today = business_date(ctx.conn, row.financier_id)
    guards.still_good(ctx.conn, row.programme_id, lines, today)
    terms = checks.terms_of(ctx, row)
    if offered.value_on is not None:
        return _confirm(ctx, row, lines, offered, terms, data.signature)
    if offered.quote_id is None:
        kept = _lessen(ctx, row, lines, offered)
    else:
        kept = reprice.take(ctx, row, lines, offered)
    _as_signed(ctx, row, kept, offered)
    decided = advances.transition_many(ctx, kept, "decide", today)
    ctx.conn.execute(
        update(_OFFER)
        .where(_OFFER.c.id == offered.id)
        .values(state="ACCEPTED", answered_at=ctx.now)
    )
    after = requests.move(
        ctx,
        row,
        "take",
        {
            **{name: getattr(offered, name) for name in (*_MONEY, "all_in_ppm", "effective_ppm")},
            "decided_at": ctx.now,
            "decided_by": "officer",
            "approved_version": row.version + 1,
            "quote_id": offered.quote_id or row.quote_id,
        },
    )
    _sign_again(ctx, row, offered, terms, data.signature)
    checks.pass_the_rest(ctx, decided, terms)
    ctx.emit("request.approved", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after, missing=checks.missing(ctx, after, terms))


def _confirm(
    ctx: Context,
    row: Row[Any],
    lines: Sequence[Row[Any]],
    offered: Row[Any],
    terms: Terms,
    signature: Signature | None,
) -> dict[str, Any]:
    """The seller takes the same rate on another day; officers decide on the new amounts."""
    live = [one for one in lines if one.state != "CANCELLED"]
    columns = moved.take(ctx, row, live, offered)
    ctx.conn.execute(
        update(_OFFER)
        .where(_OFFER.c.id == offered.id)
        .values(state="ACCEPTED", answered_at=ctx.now)
    )
    after = requests.move(
        ctx, row, "confirm", {**columns, "decide_by": _last_moment(terms, offered.value_on)}
    )
    if "e_signature" in guards.clear_checks(ctx.conn, row.id):
        found = checks.Found("e_signature", "VOID", "The amounts are others than those signed.")
        checks.record(ctx, row.id, found, by_platform=True)
    _sign_again(ctx, row, offered, terms, signature)
    ctx.emit("request.submitted", {"request_id": row.id}, org_id=row.financier_id)
    return requests.answer(after, value_on=offered.value_on.isoformat())


def _last_moment(terms: Terms, value_on: dt.date) -> dt.datetime:
    """Give the cut-off of the new day: a decision after it could not be paid any more."""
    return instant_of(value_on, terms.cut_off_time, zone(terms.cut_off_zone))


def _lessen(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], offered: Row[Any]
) -> list[Row[Any]]:
    """Let each advance shrink to what is offered, and free the rest of invoices and limits."""
    today = business_date(ctx.conn, row.financier_id)
    less = {line["advance_id"]: line for line in offered.lines}
    dropped = [line for line in lines if line.id not in less]
    if dropped:
        advances.end(ctx, dropped, "cancel", today, {"code": "COUNTER_OFFER"})
    kept: list[Row[Any]] = []
    freed: dict[str, int] = {}
    for line in lines:
        if line.id not in less:
            continue
        money = {name: less[line.id][name] for name in _OF_PRICE}
        columns = {**money, "reserve_left_minor": money["reserve_minor"]}
        moved = advances.transition_many(ctx, [line], "lessen", today, money, columns)
        kept += moved
        if gap := line.face_minor - money["face_minor"]:
            freed[line.invoice_id] = freed.get(line.invoice_id, 0) + gap
            limits.lessen(ctx, line.id, money["face_minor"], money["net_minor"])
    axes.free_many(ctx, freed)
    claims.release(ctx, *freed)
    return kept


def _as_signed(ctx: Context, row: Row[Any], kept: Sequence[Row[Any]], offered: Row[Any]) -> None:
    total = _total(row, kept, offered.quote_id)
    numbers = account_numbers(ctx.conn, (line.payee_account_id for line in kept))
    word = requests.decisions_of(ctx.conn, row)[-1]
    if word.signed_digest != digest_of(total, kept, word.version, numbers):
        raise RuleViolation("SIGNATURE_VOID", "This is not what the officers signed any more.")


def _sign_again(
    ctx: Context, row: Row[Any], offered: Row[Any], terms: Terms, signature: Signature | None
) -> None:
    """Put the seller's new signature on record; that on the amounts asked for counts no more."""
    if "e_signature" not in terms.platform_checks:
        return
    if signature is not None:
        evidence = signatures.evidence_of(ctx, signature, offered.signed_digest)
        found = checks.Found("e_signature", "CLEAR", evidence)
    else:
        found = checks.Found("e_signature", "VOID", "The amounts are others than those signed.")
    checks.record(ctx, row.id, found, by_platform=True)
