"""The financier's words on requests: record a check, approve, offer less, ask, differ, decline."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from scf.db.runner import Context, command
from scf.db.types import Count, Id
from scf.financing import (
    advances,
    authority,
    checks,
    counter,
    guards,
    questions,
    reprice,
    requests,
)
from scf.financing.counter import CounterLine
from scf.financing.lifecycle import CODE_OF_HIT, DECIDABLE
from scf.financing.reasons import DeclineCode, letter
from scf.financing.seeing import seen
from scf.financing.signing import signed
from scf.kernel.errors import Conflict, InvalidInput, Words
from scf.parties.service import business_date
from scf.programmes.terms import CHECKS_BEFORE_PAYOUT, Terms


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class CheckRequest(_Input):
    """What an officer looked at, what came of it, and where that can be seen."""

    request_id: Id
    kind: Literal[
        "duplicate",
        "screening",
        "tax_status",
        "title_search",
        "e_signature",
        "registration",
        "recheck",
    ]
    result: Literal["CLEAR", "HIT"]
    evidence: str = Field(min_length=3, max_length=4000)


class DecideRequest(_Input):
    """One officer's word, on the version of the request that the officer has read.

    APPROVE; COUNTER with the smaller ``lines``; RETURN with a ``question``; DECLINE with a code or
    several, the weightiest first; DIFFER, as the second officer, with a ``note``.
    """

    request_id: Id
    version: Count
    outcome: Literal["APPROVE", "COUNTER", "RETURN", "DECLINE", "DIFFER"]
    code: DeclineCode | None = None
    codes: list[DeclineCode] = Field(default_factory=list, max_length=4)
    gap: str = Field(default="", max_length=1000)
    note: str = Field(default="", max_length=4000)
    question: str = Field(default="", max_length=2000)
    lines: list[CounterLine] = Field(default_factory=list, max_length=500)


# --- Checks -----------------------------------------------------------------------------------


@command("request.check", CheckRequest)
def check_request(ctx: Context, data: CheckRequest) -> dict[str, Any]:
    """An officer's check is on record; a hit refuses the request and frees everything.

    The checks before the decision come in any order; those before the pay-out one after another:
    signature, registration, and the title searched again.

    Raises
    ------
    NotAllowed
        For the person who submitted the request.
    Conflict
        CHECK_STATE when the request is not where this check belongs.
    RuleViolation
        CHECK_ORDER when an earlier check is missing.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    authority.has_no_part(ctx.conn, ctx.actor, row)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    before_payout = data.kind in CHECKS_BEFORE_PAYOUT
    if row.state not in (("APPROVED",) if before_payout else DECIDABLE):
        raise Conflict(
            "CHECK_STATE",
            "A %(kind)s check does not belong to a request that is %(state)s.",
            state=row.state,
            kind=data.kind,
        )
    checks.record(ctx, row.id, checks.Found(data.kind, data.result, data.evidence))
    if data.result == "HIT":
        code = CODE_OF_HIT[data.kind]
        facts = {"check": data.kind, "next_step": Words("Ask the financier what was found.")}
        after = requests.close(ctx, row, event="decline", code=code, facts=facts)
        return requests.answer(after, code=code, check=data.kind)
    terms = checks.terms_of(ctx, row)
    checks.take_steps(ctx, row, data.kind, terms)
    return requests.answer(row, check=data.kind, missing=checks.missing(ctx, row, terms))


# --- Decisions --------------------------------------------------------------------------------


@command("request.decide", DecideRequest)
def decide_request(ctx: Context, data: DecideRequest) -> dict[str, Any]:
    """A request is decided by one officer or two, as its amount, route and their authority ask.

    Each signs a digest of amounts, currency, payee, invoices and version; two must have signed
    the same. Past the deadline the request expires instead, and that outcome is kept.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the maker's own check, the submitter and who is linked to them; AUTHORITY
        for a role that the step does not have, or an amount above one's own ceiling.
    Conflict
        STALE for another version than the present one; DECISION_STATE when it is decided;
        DIFFERS when the second word is on something else than the first.
    RuleViolation
        CHECK_MISSING naming the checks; what ``guards.still_good`` refuses; COUNTER_LINES.
    InvalidInput
        CODE_MISSING, QUESTION_MISSING, NOTE_MISSING.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    authority.has_no_part(ctx.conn, ctx.actor, row)
    if row.state not in DECIDABLE:
        raise Conflict("DECISION_STATE", "The request is %(state)s.", state=row.state)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    made = requests.decisions_of(ctx.conn, row)
    if data.outcome == "DECLINE":
        return _decline(ctx, row, data, len(made) + 1)
    if data.outcome == "RETURN":
        return questions.ask(ctx, row, data.question, data.note, len(made) + 1)
    if data.outcome == "DIFFER":
        return _differ(ctx, row, data, made)
    return _for_it(ctx, row, data, made)


def _for_it(
    ctx: Context, row: Row[Any], data: DecideRequest, made: Sequence[Row[Any]]
) -> dict[str, Any]:
    """Approve, or offer less: with authority, complete checks, and on what still holds."""
    terms = checks.terms_of(ctx, row)
    word = authority.may_say(ctx.conn, ctx.actor, row, terms, made)
    if made and made[0].outcome != data.outcome:
        raise Conflict(
            "DIFFERS",
            "The first officer's word was another one: agree to it, or say that you differ.",
            first=made[0].outcome,
        )
    guards.need_checks(ctx.conn, row.id, terms.checks_before_decision)
    lines = checks.lock_advances(ctx, row)
    guards.answered(ctx.conn, row.financier_id, lines, ctx.now)
    today = business_date(ctx.conn, row.financier_id)
    guards.still_good(ctx.conn, row.programme_id, lines, today)
    standing = requests.standing(ctx.conn, row)
    if standing is not None:
        if data.outcome == "COUNTER":
            raise Conflict("REPRICED", "Take the other price back before you offer less.")
        return reprice.word(ctx, row, lines, terms, reprice.Said(word, made, standing, data.note))
    if data.outcome == "COUNTER":
        return counter.offer(
            ctx, row, lines, terms, counter.Asked(word, made, data.lines, data.note)
        )
    if made and made[0].signed_digest != signed(ctx.conn, row, lines, row.version - 1):
        raise Conflict("STALE", "What the first officer signed has changed; decline it.")
    _sign(ctx, row, lines, data, word.step)
    if not word.last:
        prechecked(ctx, row, lines)
        return requests.answer(requests.move(ctx, row, "review"), step=word.step)
    after = approve(ctx, row, lines, terms)
    return requests.answer(after, step=word.step, missing=checks.missing(ctx, after, terms))


def _sign(
    ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], data: DecideRequest, step: int
) -> None:
    requests.record_decision(
        ctx,
        row,
        step=step,
        outcome=data.outcome,
        codes=_codes(data),
        note=data.note,
        signed_digest=signed(ctx.conn, row, lines, row.version),
        seen=seen(ctx.conn, row, lines),
    )


def _codes(data: DecideRequest) -> list[str]:
    ranked = [*([data.code] if data.code else []), *data.codes]
    return list(dict.fromkeys(ranked))


def prechecked(ctx: Context, row: Row[Any], lines: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Let advances whose programme asks for no check before the decision pass it."""
    today = business_date(ctx.conn, row.financier_id)
    held = [one for one in lines if one.state == "HELD"]
    moved = advances.transition_many(ctx, held, "precheck", today, {"not_required": True})
    after = {one.id: one for one in moved}
    return [after.get(one.id, one) for one in lines]


def approve(ctx: Context, row: Row[Any], lines: Sequence[Row[Any]], terms: Terms) -> Row[Any]:
    """Approve a request by the word just recorded: its advances are decided, the seller is told."""
    today = business_date(ctx.conn, row.financier_id)
    decided = advances.transition_many(ctx, prechecked(ctx, row, lines), "decide", today)
    after = requests.move(
        ctx,
        row,
        "approve",
        {
            "decided_at": ctx.now,
            "decided_by": "officer",
            "approved_version": row.version + 1,
        },
    )
    checks.pass_the_rest(ctx, decided, terms)
    ctx.emit("request.approved", {"request_id": row.id}, org_id=row.seller_id)
    return after


def _decline(ctx: Context, row: Row[Any], data: DecideRequest, step: int) -> dict[str, Any]:
    codes = _codes(data)
    if not codes:
        raise InvalidInput("CODE_MISSING", "Say with a code why the request is declined.")
    lines = advances.of_request(ctx.conn, row.id)
    _sign(ctx, row, lines, data, step)
    facts: dict[str, Any] = {"gap": data.gap}
    if len(codes) > 1:
        facts["codes"] = codes
    after = requests.close(ctx, row, event="decline", code=codes[0], facts=facts)
    return requests.answer(after, code=codes[0], gap=data.gap, letter=letter(codes))


def _differ(
    ctx: Context, row: Row[Any], data: DecideRequest, made: Sequence[Row[Any]]
) -> dict[str, Any]:
    """The second officer does not agree: the case goes back to a first word, with a note."""
    if not made:
        raise Conflict("DECISION_STATE", "There is no first word to differ from.", state=row.state)
    if data.note.strip() == "":
        raise InvalidInput("NOTE_MISSING", "Say in what you differ.")
    authority.is_no_maker(ctx.conn, ctx.actor, made)
    _sign(ctx, row, advances.of_request(ctx.conn, row.id), data, len(made) + 1)
    requests.take_back_offers(ctx, row)
    after = requests.move(ctx, row, "review", {"round": row.round + 1})
    return requests.answer(after, step=len(made) + 1)
