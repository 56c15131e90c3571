"""The one place that changes the amounts and states of an invoice.

Later slices set the finance and payment axes through these functions, inside their own command.
The caller locks the invoices first (``ctx.lock(Invoice, ids)``); the rows are read here again
under that lock, the whole set in one statement, checked, and written in one statement. Each
change raises ``version`` and goes into the audit row with what was before and after.

Every function comes for one invoice and, with the suffix ``_many``, for ``{invoice_id: amount}``.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, insert, update

from scf.db.runner import Context
from scf.documents import rules
from scf.documents.disputes import paid_although_contested
from scf.documents.invoice_state import (
    State,
    fits,
    must_be_valid,
    needs,
    refusal,
    short,
    states,
    write,
)
from scf.documents.lifecycle import ACCEPTANCE, DOCUMENT
from scf.documents.models import Acceptance, DocumentFinding
from scf.kernel.errors import InvalidInput, RuleViolation
from scf.kernel.ids import new_id

_ACCEPTANCE: Final[Table] = Acceptance.__table__  # type: ignore[attr-defined]
_FINDING: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]

Amounts = Mapping[str, int]


def _each(
    ctx: Context,
    amounts: Amounts,
    step: Callable[[State, int], None],
    *,
    paid_on: dt.date | None = None,
) -> dict[str, tuple[State, State]]:
    """Apply one step to every invoice, all or none; gives each before and after."""
    for invoice_id, amount in amounts.items():
        if type(amount) is not int or amount <= 0:
            raise InvalidInput(
                "AMOUNT_RANGE", "An amount above zero is needed.", invoice_id=invoice_id
            )
    before = states(ctx, amounts)
    after = {key: dataclasses.replace(state) for key, state in before.items()}
    for invoice_id, amount in amounts.items():
        state = after[invoice_id]
        step(state, amount)
        # What ends first is what the seller has sold for good.
        state.recourse_minor = min(state.recourse_minor, state.outstanding_minor)
        state.conceded_minor = min(state.conceded_minor, state.disputed_minor)
    write(ctx, before, after.values(), paid_on=paid_on)
    return {invoice_id: (before[invoice_id], after[invoice_id]) for invoice_id in amounts}


# --- Finance ----------------------------------------------------------------------------------


def _offer(state: State, amount: int) -> None:
    must_be_valid(state)
    fits(state, amount)
    state.offered_minor += amount


def _unoffer(state: State, amount: int) -> None:
    needs(state, "offered_minor", amount)
    state.offered_minor -= amount


def _hold(state: State, amount: int) -> None:
    must_be_valid(state)
    fits(state, amount)
    state.held_minor += amount


def _free(state: State, amount: int) -> None:
    needs(state, "held_minor", amount)
    state.held_minor -= amount


def _finance(state: State, amount: int) -> None:
    must_be_valid(state)
    needs(state, "held_minor", amount)
    state.held_minor -= amount
    state.outstanding_minor += amount


def _finance_kept(state: State, amount: int) -> None:
    _finance(state, amount)
    state.recourse_minor += amount


def _unwind(state: State, amount: int) -> None:
    needs(state, "outstanding_minor", amount)
    state.outstanding_minor -= amount


def _repurchase(state: State, amount: int) -> None:
    needs(state, "outstanding_minor", amount)
    state.outstanding_minor -= amount
    state.reassigned_minor += amount


def offer_many(ctx: Context, amounts: Amounts) -> None:
    """Note that parts are on offer; nothing is taken by it."""
    _each(ctx, amounts, _offer)


def unoffer_many(ctx: Context, amounts: Amounts) -> None:
    """Take offers back: expired, withdrawn or turned into holds."""
    _each(ctx, amounts, _unoffer)


def hold_many(ctx: Context, amounts: Amounts) -> None:
    """Set parts aside for advances being decided; nobody else can take them.

    Raises
    ------
    RuleViolation
        ALREADY_FINANCED, DISPUTED or CAPACITY with the eligible amount.
    """
    _each(ctx, amounts, _hold)


def free_many(ctx: Context, amounts: Amounts) -> None:
    """Free held parts: declined, withdrawn, expired, or the pay-out failed before funding."""
    _each(ctx, amounts, _free)


def finance_many(ctx: Context, amounts: Amounts, *, recourse: bool = False) -> None:
    """Turn held parts into financed ones: the money has gone out.

    With ``recourse`` the seller keeps the obligor's credit risk on them.
    """
    _each(ctx, amounts, _finance_kept if recourse else _finance)


def unwind_many(ctx: Context, amounts: Amounts) -> None:
    """Give financed parts back to the seller as if never financed: the money came back."""
    _each(ctx, amounts, _unwind)


def repurchase_many(ctx: Context, amounts: Amounts) -> None:
    """Give title of financed parts back to the seller, who has paid for them."""
    _each(ctx, amounts, _repurchase)


def offer(ctx: Context, invoice_id: str, amount: int) -> None:
    """Note that a part is on offer; nothing is taken by it."""
    offer_many(ctx, {invoice_id: amount})


def unoffer(ctx: Context, invoice_id: str, amount: int) -> None:
    """Take an offer back: expired, withdrawn or turned into a hold."""
    unoffer_many(ctx, {invoice_id: amount})


def hold(ctx: Context, invoice_id: str, amount: int) -> None:
    """Set a part aside for an advance being decided; see :func:`hold_many`."""
    hold_many(ctx, {invoice_id: amount})


def free(ctx: Context, invoice_id: str, amount: int) -> None:
    """Free a held part."""
    free_many(ctx, {invoice_id: amount})


def finance(ctx: Context, invoice_id: str, amount: int) -> None:
    """Turn a held part into a financed one: the money has gone out."""
    finance_many(ctx, {invoice_id: amount})


def unwind(ctx: Context, invoice_id: str, amount: int) -> None:
    """Give a financed part back to the seller as if never financed."""
    unwind_many(ctx, {invoice_id: amount})


def repurchase(ctx: Context, invoice_id: str, amount: int) -> None:
    """Give title of a financed part back to the seller, who has paid for it."""
    repurchase_many(ctx, {invoice_id: amount})


# --- Payment ----------------------------------------------------------------------------------


def _repay(state: State, amount: int) -> None:
    needs(state, "outstanding_minor", amount)
    state.outstanding_minor -= amount
    state.paid_minor += amount
    state.repaid_minor += amount


def _pay_rest(state: State, amount: int) -> None:
    # Contested money may be paid too: it is the obligor's to give.
    open_rest = rules.owed(state) - state.held_minor - state.outstanding_minor
    if amount > open_rest:
        raise refusal(state, amount)
    state.paid_minor += amount
    contested = min(state.disputed_minor, open_rest - amount)
    # What the buyer had won is let go first.
    state.conceded_minor = max(0, state.conceded_minor - (state.disputed_minor - contested))
    state.disputed_minor = contested


def _reopen_financed(state: State, amount: int) -> None:
    needs(state, "repaid_minor", amount)
    needs(state, "paid_minor", amount)
    state.paid_minor -= amount
    state.repaid_minor -= amount
    state.outstanding_minor += amount


def _reopen_kept(state: State, amount: int) -> None:
    _reopen_financed(state, amount)
    state.recourse_minor += amount


def _reopen_rest(state: State, amount: int) -> None:
    there = state.paid_minor - state.repaid_minor
    if there < amount:
        raise short(state, "paid directly", there, amount)
    state.paid_minor -= amount


def repay_many(ctx: Context, amounts: Amounts, *, value_on: dt.date | None = None) -> None:
    """Book that the obligor paid financed parts: outstanding falls as capacity falls."""
    _each(ctx, amounts, _repay, paid_on=value_on)


def pay_rest_many(ctx: Context, amounts: Amounts, *, value_on: dt.date | None = None) -> None:
    """Book that the obligor paid parts that are neither held nor financed.

    Over-payment is no state of an invoice: the caller sends the excess to the payer's account.
    """
    before = _each(ctx, amounts, _pay_rest, paid_on=value_on)
    for invoice_id, (old, new) in before.items():
        if new.disputed_minor < old.disputed_minor:
            paid_although_contested(ctx, invoice_id, old.disputed_minor - new.disputed_minor)


def reopen_payment_many(
    ctx: Context, amounts: Amounts, *, financed: bool, recourse: bool = False
) -> None:
    """Undo payments that the bank took back; financed parts are outstanding again."""
    of_financed = _reopen_kept if recourse else _reopen_financed
    _each(ctx, amounts, of_financed if financed else _reopen_rest)


def repay(ctx: Context, invoice_id: str, amount: int, *, value_on: dt.date | None = None) -> None:
    """Book that the obligor paid a financed part."""
    repay_many(ctx, {invoice_id: amount}, value_on=value_on)


def pay_rest(
    ctx: Context, invoice_id: str, amount: int, *, value_on: dt.date | None = None
) -> None:
    """Book that the obligor paid a part that is neither held nor financed."""
    pay_rest_many(ctx, {invoice_id: amount}, value_on=value_on)


def reopen_payment(
    ctx: Context, invoice_id: str, amount: int, *, financed: bool, recourse: bool = False
) -> None:
    """Undo a payment that the bank took back."""
    reopen_payment_many(ctx, {invoice_id: amount}, financed=financed, recourse=recourse)


# --- Acceptance -------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Word:
    """What the buyer says of one invoice.

    ``amount_minor`` counts before credit notes; ``due_on`` is needed where the invoice states no
    date; ``ipu`` makes it an irrevocable undertaking to pay.
    """

    invoice_id: str
    amount_minor: int
    due_on: dt.date | None = None
    ipu: bool = False


def accept(
    ctx: Context,
    invoice_row: Row[Any],
    *,
    amount_minor: int,
    due_on: dt.date | None,
    ipu: bool,
    reason: str = "",
) -> None:
    """Record that the buyer accepts an invoice; see :func:`accept_many`."""
    accept_many(ctx, [Word(invoice_row.id, amount_minor, due_on, ipu)], reason=reason)


def accept_many(ctx: Context, words: Sequence[Word], *, reason: str = "") -> None:
    """Record that the buyer accepts invoices: from now on the accepted amounts carry finance.

    An invoice that only lacked a due date becomes VALIDATED with the date stated here, and is
    matched to its order by the job "documents.match".

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE, DUE_DATE_MISSING, DUE_DATE_ORDER (before the issue date).
    RuleViolation
        ACCEPT_ABOVE_INVOICE; ACCEPT_BELOW_USED (less than is credited, contested, paid, held and
        financed); UNDERTAKING (an irrevocable acceptance does not shrink); CONSENT_NEEDED and
        EARLIER_DUE_DATE (a new date while money hangs on the old one).
    Conflict
        ILLEGAL_TRANSITION, DOCUMENT_STATE, DUPLICATE_EXACT.
    """
    before = states(ctx, (word.invoice_id for word in words))
    after = {key: dataclasses.replace(state) for key, state in before.items()}
    completed = []
    for word in words:
        state = after[word.invoice_id]
        _accept(state, word)
        if before[state.id].document_state == "INCOMPLETE":
            completed.append(state.id)
    write(ctx, before, after.values())
    _record(ctx, [after[word.invoice_id] for word in words], reason)
    if completed:
        _say_due_date_found(ctx, completed)
        ctx.enqueue(
            "documents.match", {"invoice_ids": completed}, f"match:{ctx.command_id}:{completed[0]}"
        )


def _accept(state: State, word: Word) -> None:
    if type(word.amount_minor) is not int or word.amount_minor <= 0:
        raise InvalidInput("AMOUNT_RANGE", "Accept an amount above zero.", invoice_id=state.id)
    due_on = word.due_on or state.due_on
    if due_on is None:
        raise InvalidInput(
            "DUE_DATE_MISSING",
            "The invoice names no due date; state one with the acceptance.",
            invoice_id=state.id,
        )
    if due_on < state.issue_on:
        raise InvalidInput(
            "DUE_DATE_ORDER",
            "The due date %(due_on)s lies before the issue date %(issue_on)s.",
            invoice_id=state.id,
            due_on=due_on.isoformat(),
            issue_on=state.issue_on.isoformat(),
        )
    _complete_by_date(state)
    must_be_valid(state)
    _keep_undertaking(state, word, due_on)
    used = (
        state.credited_minor
        + state.disputed_minor
        + state.paid_minor
        + state.retention_minor
        + state.held_minor
        + state.outstanding_minor
        - state.over_advance_minor
    )
    if word.amount_minor < used:
        raise RuleViolation(
            "ACCEPT_BELOW_USED",
            "%(used_minor)s of it are credited, contested, paid, held or financed already.",
            invoice_id=state.id,
            asked_minor=word.amount_minor,
            used_minor=used,
        )
    whole = word.amount_minor == state.payable_minor
    state.acceptance_state = ACCEPTANCE.after(
        state.acceptance_state, "accept" if whole else "accept_part"
    )
    state.acceptance_version += 1
    state.accepted_minor = state.base_minor = word.amount_minor
    state.due_on = due_on
    state.ipu = state.ipu or word.ipu


def _complete_by_date(state: State) -> None:
    """Let an invoice pass that lacked nothing but the date which is now stated."""
    if state.document_state == "INCOMPLETE" and state.due_on is None and _parties_known(state):
        state.document_state = DOCUMENT.after(state.document_state, "validate")


def _parties_known(state: State) -> bool:
    return state.seller_id is not None and state.buyer_id is not None


def _keep_undertaking(state: State, word: Word, due_on: dt.date) -> None:
    if word.amount_minor > state.payable_minor:
        raise RuleViolation(
            "ACCEPT_ABOVE_INVOICE",
            "The invoice asks for %(payable_minor)s, not %(asked_minor)s.",
            invoice_id=state.id,
            asked_minor=word.amount_minor,
            payable_minor=state.payable_minor,
        )
    if state.ipu and word.amount_minor < (state.accepted_minor or 0):
        raise RuleViolation(
            "UNDERTAKING",
            "The acceptance is an irrevocable undertaking; it cannot be lowered.",
            invoice_id=state.id,
            accepted_minor=state.accepted_minor,
        )
    tied = state.held_minor + state.outstanding_minor
    if tied and state.due_on is not None and due_on != state.due_on:
        later = due_on > state.due_on
        raise RuleViolation(
            "CONSENT_NEEDED" if later else "EARLIER_DUE_DATE",
            "A later due date needs the financier's consent while money hangs on the invoice."
            if later
            else "An earlier due date is an early repayment of what is financed.",
            invoice_id=state.id,
            due_on=state.due_on.isoformat(),
            tied_minor=tied,
        )


def reject(ctx: Context, invoice_row: Row[Any], *, reason: str) -> None:
    """Record that the buyer rejects an invoice; see :func:`reject_many`."""
    reject_many(ctx, [invoice_row.id], reason=reason)


def reject_many(ctx: Context, invoice_ids: Sequence[str], *, reason: str) -> None:
    """Record that the buyer rejects invoices: none of them can be financed on acceptance.

    Raises
    ------
    RuleViolation
        UNDERTAKING after an irrevocable acceptance; ALREADY_FINANCED while money hangs on it.
    Conflict
        ILLEGAL_TRANSITION, DOCUMENT_STATE.
    """
    before = states(ctx, invoice_ids)
    after = {key: dataclasses.replace(state) for key, state in before.items()}
    for state in after.values():
        if state.document_state not in {"VALIDATED", "INCOMPLETE"}:
            must_be_valid(state)
        if state.ipu:
            raise RuleViolation(
                "UNDERTAKING",
                "The acceptance is an irrevocable undertaking; it cannot be withdrawn.",
                invoice_id=state.id,
            )
        if state.held_minor or state.outstanding_minor:
            raise refusal(state, rules.capacity(state))
        state.acceptance_state = ACCEPTANCE.after(state.acceptance_state, "reject")
        state.acceptance_version += 1
        state.accepted_minor = None
        state.base_minor = state.payable_minor
    write(ctx, before, after.values())
    _record(ctx, [after[invoice_id] for invoice_id in invoice_ids], reason)


def _record(ctx: Context, accepted: Sequence[State], reason: str) -> None:
    rows = [
        {
            "id": new_id(),
            "invoice_id": state.id,
            "version": state.acceptance_version,
            "outcome": state.acceptance_state,
            "amount_minor": state.accepted_minor or 0,
            "due_on": state.due_on,
            "ipu": state.ipu,
            "reason": reason,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        }
        for state in accepted
    ]
    if rows:
        ctx.conn.execute(insert(_ACCEPTANCE), rows)


def _say_due_date_found(ctx: Context, invoice_ids: Sequence[str]) -> None:
    ctx.conn.execute(
        update(_FINDING)
        .where(
            _FINDING.c.document_id.in_(invoice_ids),
            _FINDING.c.code == "DUE_DATE_MISSING",
            _FINDING.c.resolved_at.is_(None),
        )
        .values(resolved_at=ctx.now)
    )
