"""What people do about invoices that do not fit their order; each act is a command with a reason.

The buyer lets a difference pass, asks the supplier for a credit note, records what it received or
says how much a pack holds. Either side corrects the order that an invoice names. Afterwards all
papers of the orders concerned are counted anew, in the same transaction.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id
from scf.db.visibility import not_found
from scf.documents.fingerprints import canonical_number
from scf.documents.invoice_state import INVOICE, State, must_be_valid, states, write
from scf.documents.lifecycle import MATCH
from scf.documents.match.models import MatchAct, PackSize
from scf.documents.match.numbers import take_numbers
from scf.documents.match.pairing import by_number, item_keys
from scf.documents.match.tolerance import STRICT, rules_for
from scf.documents.match.units import may_hold
from scf.documents.matching import keys_of, settle
from scf.documents.models import Invoice, InvoiceLine
from scf.documents.orderbook import Orders
from scf.documents.quantities import to_micro
from scf.documents.readers.text import plain_decimal
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor

MAX_ACTS: Final = 1000
_act: Final[Table] = MatchAct.__table__  # type: ignore[attr-defined]
_pack: Final[Table] = PackSize.__table__  # type: ignore[attr-defined]
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_MONEY: Final = ("UNMATCHED", "EXCEPTION")

constraint_means(
    "uq_pack_agreed",
    "pack_size.seller_id, pack_size.buyer_id, pack_size.item_key, pack_size.pack_unit",
    lambda: Conflict("PACK_AGREED", "This pack size is agreed already; withdraw it first."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


_Reason = Field(min_length=3, max_length=1000)
_Ids = Field(min_length=1, max_length=MAX_ACTS)


class WaiveVariances(_Input):
    """Invoices whose difference from the order the buyer lets pass."""

    invoice_ids: list[Id] = _Ids
    reason: str = _Reason


class AskCredits(_Input):
    """Invoices for whose difference the buyer asks its suppliers to send a credit note."""

    invoice_ids: list[Id] = _Ids
    reason: str = Field(default="", max_length=1000)


class LineMeans(_Input):
    """Which line of the order a line of the invoice means."""

    line_id: Id
    order_line: str = Field(min_length=1, max_length=200)


class CorrectOrder(_Input):
    """The order that an invoice means, and the lines where it names none or a wrong one."""

    invoice_id: Id
    order_number: str = Field(min_length=1, max_length=200)
    lines: list[LineMeans] = Field(default_factory=list, max_length=MAX_ACTS)
    reason: str = _Reason


class AgreePack(_Input):
    """How much one pack of the article on an invoice line holds.

    ``pack_unit`` is the unit of the invoice's line or of the order's; it holds ``per_pack`` of the
    other.
    """

    invoice_id: Id
    line_id: Id
    pack_unit: str = Field(min_length=1, max_length=20)
    per_pack: str = Field(min_length=1, max_length=40)


class WithdrawPack(_Input):
    """A pack size that no longer holds."""

    pack_id: Id


# --- Letting pass, and asking for a credit note -----------------------------------------------


def stake_of(variances: Sequence[Mapping[str, Any]] | None) -> int:
    """Give the money in which an invoice differs from its order, each line once."""
    worth: dict[str, int] = defaultdict(int)
    for one in variances or ():
        if not one["within"]:
            worth[one["line"]] = max(worth[one["line"]], one["amount_minor"])
    return sum(worth.values())


@command("match.waive", WaiveVariances)
def waive_variances(ctx: Context, data: WaiveVariances) -> dict[str, Any]:
    """The buyer lets invoices pass although they differ; they take of the order what is left.

    A clerk does so up to what the programme says, an approver for any amount.

    Raises
    ------
    NotAllowed
        WAIVE_LIMIT with the amount and the clerk's limit.
    Conflict
        ILLEGAL_TRANSITION for an invoice that waits for nobody.
    """
    before = _locked(ctx, data.invoice_ids)
    limits = rules_for(ctx.conn, {_pair(state) for state in before.values()})
    after = []
    for state in before.values():
        must_be_valid(state)
        stake = stake_of(state.variances) or state.payable_minor
        limit = limits.get(_pair(state), STRICT).clerk_minor
        if Role.ANCHOR_APPROVER not in ctx.actor.roles and stake > limit:
            raise NotAllowed(
                "WAIVE_LIMIT",
                "%(amount)s differ; a clerk lets %(limit)s pass. Ask an approver of your firm.",
                invoice_id=state.id,
                amount=format_minor(stake, state.currency),
                limit=format_minor(limit, state.currency),
            )
        excepted = MATCH.after(state.match_state, "except")
        waived = MATCH.after(excepted, "waive")
        if state.match_state not in _MONEY:
            raise Conflict("MATCH_STATE", "The invoice fits its order.", invoice_id=state.id)
        after.append(dataclasses.replace(state, match_state=waived, match_code=None))
    write(ctx, before, after)
    _note(ctx, "WAIVED", before.values(), data.reason)
    settle(ctx, keys_of(ctx.conn, data.invoice_ids))
    for state in before.values():
        _tell(ctx, "invoice.match_waived", state)
    return {"waived": list(data.invoice_ids)}


@command("match.ask_credit", AskCredits)
def ask_credits(ctx: Context, data: AskCredits) -> dict[str, Any]:
    """The supplier is asked for a credit note over the difference; nothing else changes.

    Raises
    ------
    Conflict
        MATCH_STATE where nothing differs.
    """
    before = _locked(ctx, data.invoice_ids)
    asked = []
    for state in before.values():
        stake = stake_of(state.variances)
        if state.match_state != "EXCEPTION" or not stake:
            raise Conflict("MATCH_STATE", "No amount of it differs.", invoice_id=state.id)
        asked.append({"invoice_id": state.id, "amount_minor": stake, "currency": state.currency})
        _tell(ctx, "invoice.credit_asked", state, amount_minor=stake)
    _note(ctx, "CREDIT_ASKED", before.values(), data.reason)
    return {"asked": asked}


def _locked(ctx: Context, invoice_ids: Sequence[str]) -> dict[str, State]:
    """Lock the orders and then the invoices of which the actor's firm is the buyer."""
    if len(set(invoice_ids)) != len(invoice_ids):
        raise InvalidInput("REPEATED", "An invoice is named twice.")
    keys = keys_of(ctx.conn, invoice_ids)
    take_numbers(ctx, orders=(), papers=keys)
    Orders.load(ctx, keys)
    found = states(ctx, invoice_ids)
    for state in found.values():
        if state.buyer_id == ctx.actor.org_id and state.document_state != "RECEIVED":
            continue
        if state.seller_id == ctx.actor.org_id:
            raise NotAllowed("NOT_ALLOWED", "Only the buyer of the invoice does this.")
        raise not_found("invoice", state.id)
    return found


def _pair(state: State) -> tuple[str, str, str]:
    return (str(state.seller_id), str(state.buyer_id), state.currency)


def _note(
    ctx: Context,
    act: str,
    on: Iterable[State],
    reason: str,
    facts: Mapping[str, Any] | None = None,
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "invoice_id": state.id,
            "act": act,
            "code": state.match_code or state.match_state,
            "amount_minor": stake_of(state.variances),
            "currency": state.currency,
            "facts": facts,
            "reason": reason,
            "org_id": ctx.actor.org_id,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        }
        for state in on
    ]
    ctx.conn.execute(insert(_act), rows)
    for row in rows:
        ctx.change("match_act", row["id"], None, {"act": act, "invoice_id": row["invoice_id"]})


def _tell(ctx: Context, topic: str, state: State, **more: object) -> None:
    other = state.seller_id if ctx.actor.org_id == state.buyer_id else state.buyer_id
    ctx.emit(topic, {"invoice_id": state.id, "told_id": other, **more}, org_id=other)


# --- The right order --------------------------------------------------------------------------


@command("match.correct_order", CorrectOrder)
def correct_order(ctx: Context, data: CorrectOrder) -> dict[str, Any]:
    """An invoice that names no order, or a wrong one, is set to the order that it means.

    Raises
    ------
    NotFound
        ORDER_UNKNOWN where the two firms have no such order here.
    RuleViolation
        ORDER_LINE_UNKNOWN for a line that the order does not have.
    Conflict
        MATCH_STATE for an invoice that fits the order that it names.
    """
    head = ctx.visible(Invoice, data.invoice_id)
    if ctx.actor.org_id not in {head.seller_id, head.buyer_id}:
        raise NotAllowed("NOT_ALLOWED", "Only seller and buyer of the invoice do this.")
    key = (str(head.seller_id), str(head.buyer_id), canonical_number(data.order_number))
    keys = {key, *keys_of(ctx.conn, [head.id])}
    take_numbers(ctx, orders=(), papers=keys)
    book = Orders.load(ctx, keys).books.get(key)
    if book is None:
        raise NotFound(
            "ORDER_UNKNOWN",
            "There is no order %(number)s between the two firms here.",
            number=data.order_number,
        )
    before = states(ctx, [head.id])
    state = before[head.id]
    must_be_valid(state)
    if state.match_state not in _MONEY:
        raise Conflict("MATCH_STATE", "The invoice fits its order.", invoice_id=state.id)
    for meant in data.lines:
        if by_number(meant.order_line, book.lines) is None:
            raise RuleViolation(
                "ORDER_LINE_UNKNOWN", "The order has no line %(line)s.", line=meant.order_line
            )
        named = update(_line).where(_line.c.id == meant.line_id, _line.c.invoice_id == state.id)
        done = ctx.conn.execute(named.values(order_line_ref=meant.order_line).returning(_line.c.id))
        if done.first() is None:
            raise not_found("invoice_line", meant.line_id)
    after = dataclasses.replace(state, order_number=data.order_number, order_canonical=key[2])
    write(ctx, before, [after])
    facts = {
        "from": state.order_number,
        "to": data.order_number,
        "lines": [line.model_dump() for line in data.lines],
    }
    _note(ctx, "ORDER_CORRECTED", [state], data.reason, facts)
    settle(ctx, keys)
    _tell(ctx, "invoice.order_corrected", state)
    return {"invoice_id": state.id, "order_id": book.id}


# --- Pack sizes -------------------------------------------------------------------------------


@command("pack.agree", AgreePack)
def agree_pack(ctx: Context, data: AgreePack) -> dict[str, Any]:
    """The buyer says how much a pack holds; every paper about the article counts by it.

    Raises
    ------
    InvalidInput
        PACK_SIZE for anything but a number above zero; PACK_UNIT for a unit of neither line.
    RuleViolation
        PACK_DIMENSION for units that no agreement can relate, such as kilograms and metres.
    """
    head = ctx.visible(Invoice, data.invoice_id)
    state = _locked(ctx, [head.id])[head.id]
    per_pack = to_micro(plain_decimal(data.per_pack) or "")
    if per_pack is None or per_pack <= 0:
        raise InvalidInput("PACK_SIZE", "Say how much one pack holds, as a number above zero.")
    said = _unit_variance(ctx, state, data.line_id)
    units = [said["invoiced"], said["ordered"]]
    if data.pack_unit not in units:
        raise InvalidInput("PACK_UNIT", "Neither line counts in this unit.")
    units.remove(data.pack_unit)
    (unit,) = units
    if not may_hold(data.pack_unit, unit):
        raise RuleViolation(
            "PACK_DIMENSION",
            "%(pack)s and %(unit)s measure different things; no pack size relates them.",
            pack=data.pack_unit,
            unit=unit,
        )
    book = next(iter(Orders.load(ctx, keys_of(ctx.conn, [state.id])).books.values()))
    items = book.lines[said["order_line"]].items
    keys = item_keys(items)
    if not keys:
        raise RuleViolation("PACK_ITEM", "The order's line names no article to agree about.")
    pack_id = new_id()
    row = {
        "id": pack_id,
        "seller_id": state.seller_id,
        "buyer_id": state.buyer_id,
        "item_key": keys[0],
        "item": items.name,
        "pack_unit": data.pack_unit,
        "unit": unit,
        "per_pack_micro": per_pack,
        "user_id": ctx.actor.user_id,
        "at": ctx.now,
    }
    ctx.conn.execute(insert(_pack), row)
    ctx.change("pack_size", pack_id, None, {"pack_unit": data.pack_unit, "unit": unit})
    _count_again(ctx, str(state.seller_id), str(state.buyer_id))
    _tell(ctx, "pack.agreed", state, pack_id=pack_id)
    return {"id": pack_id, "pack_unit": data.pack_unit, "unit": unit, "per_pack_micro": per_pack}


def _unit_variance(ctx: Context, state: State, line_id: str) -> Mapping[str, Any]:
    line = ctx.conn.execute(
        select(_line.c.line_ref).where(_line.c.id == line_id, _line.c.invoice_id == state.id)
    ).scalar_one_or_none()
    for one in state.variances or ():
        if one["code"] == "UNIT_DIFFERS" and one["line"] == line:
            return one
    raise Conflict("MATCH_STATE", "The units of this line do not differ.", invoice_id=state.id)


@command("pack.withdraw", WithdrawPack)
def withdraw_pack(ctx: Context, data: WithdrawPack) -> dict[str, Any]:
    """A pack size no longer holds for papers that are still to be matched.

    Raises
    ------
    NotFound
        For one that is not there, of others, or withdrawn before.
    """
    row = ctx.visible(PackSize, data.pack_id)
    if row.buyer_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the buyer withdraws a pack size.")
    done = ctx.conn.execute(
        update(_pack)
        .where(_pack.c.id == row.id, _pack.c.withdrawn_at.is_(None))
        .values(withdrawn_at=ctx.now, withdrawn_by=ctx.actor.user_id)
        .returning(_pack.c.id)
    ).first()
    if done is None:
        raise not_found("pack_size", data.pack_id)
    ctx.change("pack_size", row.id, {"withdrawn": False}, {"withdrawn": True})
    return {"id": row.id}


def _count_again(ctx: Context, seller_id: str, buyer_id: str) -> None:
    """Count the pair's orders anew on which something waits for a unit."""
    ids = ctx.conn.execute(
        select(INVOICE.c.id).where(
            INVOICE.c.seller_id == seller_id,
            INVOICE.c.buyer_id == buyer_id,
            INVOICE.c.match_code.in_(("UNIT_DIFFERS", "RECEIPT_MISSING", "DESPATCH_MISSING")),
            INVOICE.c.document_state == "VALIDATED",
        )
    ).scalars()
    settle(ctx, keys_of(ctx.conn, list(ids)))
