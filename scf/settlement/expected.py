"""What a booked entry was expected to be: a payment of ours, its return, or what it names.

Entries are matched without a lock; then everything that the whole slice may touch is locked once,
in the global order, and looked at again.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select

from scf.db.runner import Context
from scf.db.types import Code, Currency, Day, OptCount, OptMinor, SignedMinor, Text
from scf.settlement import matching, receipts
from scf.settlement.instructions import FILE_TABLE, INSTRUCTION_TABLE
from scf.settlement.lifecycle import UNDER_WAY
from scf.settlement.models import BankEntry, PaymentInstruction
from scf.settlement.position import lock
from scf.settlement.receipts import Recognised
from scf.settlement.reversals import find_reversed

MAX_PAYMENTS: Final = 20_000


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class PartIn(_Input):
    """One payment inside an entry, seen from the other side."""

    amount_minor: OptMinor = None
    end_to_end_id: Code = ""
    name: Text = ""
    account: Code = ""
    references: list[Text] = Field(default_factory=list, max_length=50)
    return_reason: Code = ""
    ids: list[Code] = Field(default_factory=list, max_length=4)


class EntryIn(_Input):
    """One booked entry; positive came in."""

    identity: Code
    place: Text
    amount_minor: SignedMinor
    currency: Currency
    booked_on: Day
    value_on: Day
    is_reversal: bool = False
    return_reason: Code = ""
    batch_ids: list[Code] = Field(default_factory=list, max_length=4)
    batch_count: OptCount = None
    text: Text = ""
    reference: Text = ""
    parts: list[PartIn] = Field(default_factory=list, max_length=MAX_PAYMENTS)


class Match:
    """What one new entry was found to be, before anything is locked."""

    def __init__(self, row: Row[Any], given: EntryIn) -> None:
        self.row, self.given = row, given
        self.settles: list[Row[Any]] = []
        self.returns: Row[Any] | None = None
        self.reverses: Row[Any] | None = None
        self.found: list[Recognised] = []
        self.reason = ""

    @property
    def invoice_ids(self) -> set[str]:
        """The invoices that the entry may touch."""
        return {invoice_id for one in self.found for invoice_id in one.invoice_ids}


def match(ctx: Context, row: Row[Any], given: EntryIn) -> Match:
    """Say what an entry was expected to be, without a lock."""
    one = Match(row, given)
    if row.amount_minor < 0:
        _match_debit(ctx, one)
    else:
        _match_credit(ctx, one)
    return one


def _match_debit(ctx: Context, one: Match) -> None:
    if one.given.is_reversal:
        one.reverses = find_reversed(ctx.conn, one.row)
        one.reason = "" if one.reverses is not None else matching.REVERSAL_UNKNOWN
        return
    rows = _by_end_to_end(ctx, one)
    batch = [*one.given.batch_ids, *(name for part in one.given.parts for name in part.ids)]
    if not rows and batch:
        rows = _by_batch(ctx, one, batch)
    if not rows:
        one.reason = matching.UNKNOWN_DEBIT
    elif any(row.state not in UNDER_WAY for row in rows):
        one.reason = matching.NOT_SENT
    elif sum(row.amount_minor for row in rows) != -one.row.amount_minor or not _each_is_right(
        one, rows
    ):
        one.reason = matching.AMOUNT_DIFFERS
    else:
        one.settles = rows


def _by_end_to_end(ctx: Context, one: Match) -> list[Row[Any]]:
    ids = {part.end_to_end_id for part in one.given.parts if part.end_to_end_id}
    if not ids:
        return []
    return list(
        ctx.conn.execute(
            select(INSTRUCTION_TABLE).where(
                INSTRUCTION_TABLE.c.end_to_end_id.in_(sorted(ids)),
                INSTRUCTION_TABLE.c.financier_id == one.row.financier_id,
                INSTRUCTION_TABLE.c.currency == one.row.currency,
            )
        )
    )


def _by_batch(ctx: Context, one: Match, batch: Sequence[str]) -> list[Row[Any]]:
    """Give what is still under way of the file that a lump debit names."""
    return list(
        ctx.conn.execute(
            select(INSTRUCTION_TABLE)
            .join(FILE_TABLE, FILE_TABLE.c.id == INSTRUCTION_TABLE.c.file_id)
            .where(
                FILE_TABLE.c.msg_id.in_(list(batch)),
                FILE_TABLE.c.financier_id == one.row.financier_id,
                INSTRUCTION_TABLE.c.state.in_(sorted(UNDER_WAY)),
                INSTRUCTION_TABLE.c.currency == one.row.currency,
            )
        )
    )


def _each_is_right(one: Match, rows: Sequence[Row[Any]]) -> bool:
    """Compare each payment with what the bank says of it, where it says so."""
    told = {
        part.end_to_end_id: part.amount_minor
        for part in one.given.parts
        if part.end_to_end_id and part.amount_minor is not None
    }
    return all(told.get(row.end_to_end_id, row.amount_minor) == row.amount_minor for row in rows)


def _match_credit(ctx: Context, one: Match) -> None:
    right = [
        row
        for row in _by_end_to_end(ctx, one)
        if row.state == "SETTLED" and row.amount_minor == one.row.amount_minor
    ]
    if len(right) == 1:
        one.returns = right[0]
        return
    if one.given.return_reason or one.given.is_reversal:
        one.reason = matching.RETURN_UNKNOWN
        return
    details = one.row.details
    one.found = [
        receipts.recognise(ctx.conn, one.row.financier_id, lot)
        for lot in receipts.lots_of(one.row.amount_minor, details)
    ]


def lock_all(ctx: Context, matched: Sequence[Match]) -> None:
    """Lock everything that this slice may touch, once, in the global order."""
    paid = [row for one in matched for row in one.settles]
    paid += [one.returns for one in matched if one.returns is not None]
    invoices = {invoice_id for one in matched for invoice_id in one.invoice_ids}
    old = [one.reverses for one in matched if one.reverses is not None]
    credits_ = ctx.lock(BankEntry, (row.id for row in old))
    for row in old:
        invoices |= receipts.invoices_of(ctx.conn, row.id)
    lock(ctx, invoices, (row.advance_id for row in paid if row.advance_id))
    fresh = ctx.lock(PaymentInstruction, (row.id for row in paid))
    for one in matched:
        one.settles = [fresh[row.id] for row in one.settles]
        if one.settles and any(row.state not in UNDER_WAY for row in one.settles):
            one.settles, one.reason = [], matching.NOT_SENT
        if one.returns is not None:
            one.returns = fresh[one.returns.id]
        if one.reverses is not None:
            one.reverses = credits_[one.reverses.id]
    _settle_once(matched)


def _settle_once(matched: Sequence[Match]) -> None:
    """Two entries of one slice cannot both settle one payment, nor return or reverse it twice."""
    seen: set[str] = set()
    for one in matched:
        ids = {row.id for row in one.settles}
        if ids & seen:
            one.settles, one.reason = [], matching.NOT_SENT
        seen |= ids
    back: set[str] = set()
    for one in matched:
        if one.returns is not None:
            if one.returns.id in back or one.returns.state != "SETTLED":
                one.returns, one.reason = None, matching.RETURN_UNKNOWN
            else:
                back.add(one.returns.id)
        if one.reverses is not None:
            if one.reverses.id in back or one.reverses.state in {"REVERSED", "REFUNDED"}:
                one.reverses, one.reason = None, matching.RETURN_UNKNOWN
            else:
                back.add(one.reverses.id)
