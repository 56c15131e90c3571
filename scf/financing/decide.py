"""The financier's commands on requests: check, decide by two persons, cancel, expire."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert

from scf.db.runner import Context, command
from scf.db.types import Count, Id, OptCode, OptCount
from scf.financing import advances, guards, requests
from scf.financing.lifecycle import BEFORE_INSTRUCTED, CODE_OF_HIT, STEP_OF_CHECK
from scf.financing.models import ManualCheck
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.programmes.service import terms_of_version
from scf.programmes.terms import CHECKS_BEFORE_PAYOUT, Terms

_CHECK: Final[Table] = ManualCheck.__table__  # type: ignore[attr-defined]
_MAKERS: Final = frozenset({Role.OFFICER_MAKER})
_CHECKERS: Final = frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE})


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
    """One officer's word, on the version of the request that the officer has read."""

    request_id: Id
    version: Count
    outcome: Literal["APPROVE", "DECLINE"]
    code: OptCode = None
    gap: str = Field(default="", max_length=1000)
    note: str = Field(default="", max_length=4000)


class CancelRequest(_Input):
    """An approved request that the financier will not pay after all, and why."""

    request_id: Id
    version: OptCount = None
    code: str = Field(min_length=2, max_length=64)
    note: str = Field(min_length=3, max_length=4000)


class ExpireRequests(_Input):
    """Close undecided requests whose deadline has passed."""


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
    _not_the_submitter(ctx, row)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    before_payout = data.kind in CHECKS_BEFORE_PAYOUT
    if row.state not in (("APPROVED",) if before_payout else requests.OPEN):
        raise Conflict(
            "CHECK_STATE",
            f"A {data.kind} check does not belong to a request that is {row.state}.",
            state=row.state,
        )
    _record_check(ctx, row, data)
    if data.result == "HIT":
        code = CODE_OF_HIT[data.kind]
        facts = {"check": data.kind, "next_step": "Ask the financier what was found."}
        after = requests.close(ctx, row, event="decline", code=code, facts=facts)
        return requests.answer(after, code=code, check=data.kind)
    _take_steps(ctx, row, data.kind)
    missing = _missing(ctx, row)
    return requests.answer(row, check=data.kind, missing=missing)


def _record_check(ctx: Context, row: Row[Any], data: CheckRequest) -> None:
    check_id = new_id()
    ctx.conn.execute(
        insert(_CHECK),
        {
            "id": check_id,
            "request_id": row.id,
            "kind": data.kind,
            "result": data.result,
            "evidence": data.evidence,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change("manual_check", check_id, None, {"kind": data.kind, "result": data.result})


def _missing(ctx: Context, row: Row[Any]) -> list[str]:
    terms = _terms(ctx, row)
    required = (
        terms.checks_before_payout if row.state == "APPROVED" else terms.checks_before_decision
    )
    return guards.missing_checks(ctx.conn, row.id, required)


def _terms(ctx: Context, row: Row[Any]) -> Terms:
    first = advances.of_request(ctx.conn, row.id)[0]
    return terms_of_version(ctx.conn, first.programme_version_id)


def _take_steps(ctx: Context, row: Row[Any], kind: str) -> None:
    """Let the advances take the step that a clear check opens."""
    terms = _terms(ctx, row)
    rows = [one for one in _lock_advances(ctx, row) if one.state in BEFORE_INSTRUCTED]
    today = business_date(ctx.conn, row.financier_id)
    if not rows:
        raise Conflict("CHECK_STATE", "Every advance of this request is with the bank already.")
    if kind not in STEP_OF_CHECK:
        if not guards.missing_checks(ctx.conn, row.id, terms.checks_before_decision):
            held = [one for one in rows if one.state == "HELD"]
            advances.transition_many(
                ctx, held, "precheck", today, {"checks": list(terms.checks_before_decision)}
            )
        return
    for earlier in CHECKS_BEFORE_PAYOUT[: CHECKS_BEFORE_PAYOUT.index(kind)]:
        rows = _pass_or_stop(ctx, rows, earlier, terms)
    event = STEP_OF_CHECK[kind]
    rows = advances.transition_many(ctx, rows, event, today, {"check": kind})
    _pass_the_rest(ctx, rows, kind, terms)


def _pass_or_stop(
    ctx: Context, rows: Sequence[Row[Any]], kind: str, terms: Terms
) -> list[Row[Any]]:
    """Pass a step that the programme does not require, in so many words; stop at one it does."""
    waiting = [one for one in rows if one.state == _STATE_BEFORE[kind]]
    if waiting and kind in terms.checks_before_payout:
        raise RuleViolation(
            "CHECK_ORDER", f"Record the {kind} check first.", missing=[kind], kind=kind
        )
    today = business_date(ctx.conn, rows[0].financier_id)
    passed = advances.transition_many(
        ctx, waiting, STEP_OF_CHECK[kind], today, {"check": kind, "not_required": True}
    )
    moved = {one.id: one for one in passed}
    return [moved.get(one.id, one) for one in rows]


def _pass_the_rest(ctx: Context, rows: Sequence[Row[Any]], kind: str | None, terms: Terms) -> None:
    """Pass the following steps as long as the programme requires none of them."""
    start = CHECKS_BEFORE_PAYOUT.index(kind) + 1 if kind is not None else 0
    for later in CHECKS_BEFORE_PAYOUT[start:]:
        if later in terms.checks_before_payout:
            return
        rows = _pass_or_stop(ctx, rows, later, terms)


_STATE_BEFORE: Final = {"e_signature": "DECIDED", "registration": "SIGNED", "recheck": "REGISTERED"}


# --- Decisions --------------------------------------------------------------------------------


@command("request.decide", DecideRequest)
def decide_request(ctx: Context, data: DecideRequest) -> dict[str, Any]:
    """A request is approved by a maker and then a checker, or declined by either.

    Each signs a digest of amounts, currency, payee, invoices and version; the two must have signed
    the same. Past the deadline the request expires instead, and that outcome is kept.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the maker's own check, the submitter, or a role that the step does not have.
    Conflict
        STALE for another version than the present one; DECISION_STATE when it is decided.
    RuleViolation
        CHECK_MISSING naming the checks; what ``guards.still_good`` refuses.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    _not_the_submitter(ctx, row)
    if row.state not in requests.OPEN:
        raise Conflict("DECISION_STATE", f"The request is {row.state}.", state=row.state)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    made = requests.decisions_of(ctx, row.id)
    if data.outcome == "DECLINE":
        return _decline(ctx, row, data, len(made) + 1)
    return _approve(ctx, row, data, made)


def _not_the_submitter(ctx: Context, row: Row[Any]) -> None:
    if ctx.actor.user_id == row.submitted_by or ctx.actor.org_id == row.seller_id:
        raise NotAllowed("FOUR_EYES", "Who asked for the money does not decide on it.")


def _decline(ctx: Context, row: Row[Any], data: DecideRequest, step: int) -> dict[str, Any]:
    if not data.code:
        raise InvalidInput("CODE_MISSING", "Say with a code why the request is declined.")
    lines = advances.of_request(ctx.conn, row.id)
    requests.record_decision(
        ctx,
        row,
        step=step,
        outcome="DECLINE",
        code=data.code,
        note=data.note,
        signed_digest=requests.signed(row, lines, row.version),
    )
    facts = {"gap": data.gap}
    after = requests.close(ctx, row, event="decline", code=data.code, facts=facts)
    return requests.answer(after, code=data.code, gap=data.gap)


def _approve(
    ctx: Context, row: Row[Any], data: DecideRequest, made: Sequence[Row[Any]]
) -> dict[str, Any]:
    step = len(made) + 1
    _may_take_step(ctx, step, made)
    terms = _terms(ctx, row)
    guards.need_checks(ctx.conn, row.id, terms.checks_before_decision)
    lines = _lock_advances(ctx, row)
    today = business_date(ctx.conn, row.financier_id)
    guards.still_good(ctx.conn, row.programme_id, lines, today)
    if made and made[0].signed_digest != requests.signed(row, lines, row.version - 1):
        raise Conflict("STALE", "What the first officer signed has changed; decline it.")
    requests.record_decision(
        ctx,
        row,
        step=step,
        outcome="APPROVE",
        code=None,
        note=data.note,
        signed_digest=requests.signed(row, lines, row.version),
    )
    if step == 1:
        held = [one for one in lines if one.state == "HELD"]
        advances.transition_many(ctx, held, "precheck", today, {"not_required": True})
        return requests.answer(requests.move(ctx, row, "review"), step=1)
    decided = advances.transition_many(ctx, lines, "decide", today)
    after = requests.move(ctx, row, "approve", {"decided_at": ctx.now})
    _pass_the_rest(ctx, decided, None, terms)
    ctx.emit("request.approved", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after, step=2, missing=_missing(ctx, after))


def _may_take_step(ctx: Context, step: int, made: Sequence[Row[Any]]) -> None:
    if not ctx.actor.roles & (_MAKERS if step == 1 else _CHECKERS):
        who = "a maker" if step == 1 else "a checker or the head office"
        raise NotAllowed("FOUR_EYES", f"This step is for {who}.", step=step)
    if any(decision.user_id == ctx.actor.user_id for decision in made):
        raise NotAllowed("FOUR_EYES", "Another person than the maker checks the decision.")


def _lock_advances(ctx: Context, row: Row[Any]) -> list[Row[Any]]:
    ids = [one.id for one in advances.of_request(ctx.conn, row.id)]
    locked = advances.lock(ctx, ids)
    return [locked[advance_id] for advance_id in ids]


# --- Ending -----------------------------------------------------------------------------------


@command("request.cancel", CancelRequest)
def cancel_request(ctx: Context, data: CancelRequest) -> dict[str, Any]:
    """The financier drops a request that is not instructed yet; everything is freed.

    Raises
    ------
    Conflict
        STALE; ILLEGAL_TRANSITION once an advance is instructed.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    facts = {"note": data.note}
    after = requests.close(ctx, row, event="decline", code=data.code, facts=facts)
    return requests.answer(after, code=data.code)


@command("request.expire", ExpireRequests)
def expire_requests(ctx: Context, _data: ExpireRequests) -> dict[str, Any]:
    """Undecided requests whose deadline or value date has passed are closed and freed."""
    today = business_date(ctx.conn, ctx.actor.org_id)
    return {"expired": requests.expire_due(ctx, ctx.actor.org_id, today)}
