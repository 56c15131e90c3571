"""The commands by which the bank's word enters: status reports and slices of statements."""

import base64
import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.audit import PERSONAL, SECRET
from scf.db.runner import Context, command
from scf.db.types import (
    Code,
    Count,
    Currency,
    Day,
    OptDay,
    OptMinor,
    SignedMinor,
    Text,
)
from scf.financing import advances
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor
from scf.ledger.service import LedgerEvent, post
from scf.parties.models import BankAccount
from scf.parties.service import business_date
from scf.settlement import instructions, journals, matching, outcomes, receipts
from scf.settlement.allocation import lock
from scf.settlement.instructions import FILE_TABLE, INSTRUCTION_TABLE
from scf.settlement.lifecycle import UNDER_WAY
from scf.settlement.models import BankEntry, BankStatement, PaymentFile, PaymentInstruction
from scf.settlement.readers import BankAnswer, Status, StatusReport, TransactionStatus
from scf.settlement.reversals import find_reversed, take_back
from scf.settlement.receipts import ENTRY, Recognised

MAX_PAYMENTS: Final = 20_000
_statement: Final[Table] = BankStatement.__table__  # type: ignore[attr-defined]
_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_STORE_STATEMENT: Final = {
    "sqlite": sqlite.insert(_statement).on_conflict_do_nothing().returning(_statement.c.id),
    "postgresql": postgresql.insert(_statement)
    .on_conflict_do_nothing()
    .returning(_statement.c.id),
}
_STORE_ENTRY: Final = {
    "sqlite": sqlite.insert(ENTRY).on_conflict_do_nothing().returning(ENTRY),
    "postgresql": postgresql.insert(ENTRY).on_conflict_do_nothing().returning(ENTRY),
}


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


# --- Status reports -------------------------------------------------------------------------------


class Answer(_Input):
    """The bank's code for a payment, a block of payments or the whole file."""

    id: Text
    block: Text = ""
    code: Code
    reason: Code = ""


class ReadStatus(_Input):
    """A payment status report."""

    sha256: Code
    original_message_id: Text
    group: Answer | None = None
    blocks: list[Answer] = Field(default_factory=list, max_length=MAX_PAYMENTS)
    payments: list[Answer] = Field(default_factory=list, max_length=MAX_PAYMENTS)
    keep_rejected: bool = False


@command("status.read", ReadStatus)
def read_status(ctx: Context, data: ReadStatus) -> dict[str, Any]:
    """Let the bank's answer move the payments of one file.

    An acknowledgement, and even "settled", is no money: only the booked entry is. A definite
    refusal fails the advance and, unless it is kept for a second try, frees title, hold and
    limits. An answer that comes too late for a payment is a finding and changes nothing.

    Raises
    ------
    NotFound
        When the report answers no file of this financier.
    """
    file = ctx.conn.execute(
        select(FILE_TABLE).where(
            FILE_TABLE.c.msg_id == data.original_message_id,
            FILE_TABLE.c.financier_id == ctx.actor.org_id,
        )
    ).one_or_none()
    if file is None:
        raise NotFound(
            "NOT_FOUND", "The report answers no payment file of yours.", kind="payment file"
        )
    ctx.lock(PaymentFile, [file.id])
    rows = instructions.of_file(ctx.conn, file.id)
    advances.lock(ctx, (row.advance_id for row in rows if row.advance_id))
    rows = list(ctx.lock(PaymentInstruction, (row.id for row in rows)).values())
    report = _report(data)
    reasons = {one.id: one.reason for one in data.payments}
    today = business_date(ctx.conn, file.financier_id)
    findings = _unknown_payments(data, rows)
    rejected: dict[str, list[Row[Any]]] = {}
    counts = {"acknowledged": 0, "rejected": 0}
    for row in rows:
        status = report.status_of(row.end_to_end_id, file.msg_id)
        if status is None or status.answer is BankAnswer.MIXED:
            continue
        if row.state not in UNDER_WAY:
            if not _agrees(row, status):
                findings.append(_late_answer(row, status))
            continue
        if status.answer is BankAnswer.REJECTED:
            code = reasons.get(row.end_to_end_id) or status.code
            rejected.setdefault(code, []).append(row)
            counts["rejected"] += 1
        else:
            instructions.move(ctx, [row], "acknowledge", {"status_code": status.code})
            counts["acknowledged"] += 1
    for code, members in rejected.items():
        outcomes.reject(ctx, members, code, today, keep=data.keep_rejected)
    ctx.emit("payout.answered", {"file_id": file.id, **counts})
    return {
        "file_id": file.id,
        **counts,
        "findings": [one.as_dict() for one in findings],
    }


def _report(data: ReadStatus) -> StatusReport:
    """Build the report as the reader gave it; it knows which answer covers which payment."""
    return StatusReport(
        version="",
        message_id="",
        created="",
        original_message_id=data.original_message_id,
        original_message_name="",
        group=Status(data.group.code) if data.group else None,
        blocks=tuple((one.id, Status(one.code)) for one in data.blocks),
        transactions=tuple(
            TransactionStatus("", one.block, one.id, "", "", None, "", Status(one.code))
            for one in data.payments
        ),
        findings=(),
    )


def _unknown_payments(data: ReadStatus, rows: Sequence[Row[Any]]) -> list[Finding]:
    known = {row.end_to_end_id for row in rows}
    return [
        Finding(
            Severity.WARNING, "PAYMENT_UNKNOWN",
            "The report answers a payment that is not in its file.", value=one.id,
        )
        for one in data.payments
        if one.id not in known
    ]  # fmt: skip


def _agrees(row: Row[Any], status: Status) -> bool:
    """Tell whether an answer says what is known already."""
    if status.answer is BankAnswer.REJECTED:
        return bool(row.state == "REJECTED")
    return row.state in {"SETTLED", "RETURNED"}


def _late_answer(row: Row[Any], status: Status) -> Finding:
    return Finding(
        Severity.WARNING,
        "STATUS_CONTRADICTS",
        f"The bank answers {status.code} for a payment that is {row.state}; nothing is changed.",
        value=row.end_to_end_id,
    )


# --- Statements -----------------------------------------------------------------------------------


class PartIn(_Input):
    """One payment inside an entry, seen from the other side."""

    amount_minor: OptMinor
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
    batch_count: int | None = Field(default=None, ge=0)
    text: Text = ""
    reference: Text = ""
    parts: list[PartIn] = Field(default_factory=list, max_length=MAX_PAYMENTS)


class ReadStatement(_Input):
    """One slice of one statement; its first slice carries the file."""

    model_config = ConfigDict(extra="forbid", str_max_length=None)  # the file itself is long

    name: Text = ""
    sha256: Code
    content: str = Field(default="", json_schema_extra=SECRET)
    place: Count
    part: Count
    statement_ref: Text
    account: Text
    currency: Currency
    from_on: OptDay
    to_on: OptDay
    opening_minor: SignedMinor
    closing_minor: SignedMinor
    total: Count
    entries: list[EntryIn] = Field(max_length=1000, json_schema_extra=PERSONAL)


@command("statement.read", ReadStatement)
def read_statement(ctx: Context, data: ReadStatement) -> dict[str, Any]:
    """Post the booked entries of an account and match them with what was expected.

    A debit settles the payment whose EndToEndId and amount it carries. A credit is posted to
    suspense at once; then it gives a pay-out back, or pays what it names. What is not recognised
    waits with a reason and is told as a finding.

    Raises
    ------
    NotFound
        ACCOUNT, when the account is none of this financier's.
    """
    financier_id = ctx.actor.org_id
    _own_account(ctx, data.account, financier_id)
    today = business_date(ctx.conn, financier_id)
    statement_id = _statement_row(ctx, data, financier_id)
    new = _store_entries(ctx, data, financier_id, statement_id)
    matched = [_match(ctx, row, given) for row, given in new]
    _lock_all(ctx, matched)
    # What settles an order of ours is booked as that, straight from transit.
    _post_all(ctx, [one.row for one in matched if not one.settles], today)
    done: list[tuple[Row[Any], dt.date]] = []
    findings: list[Finding] = []
    counts = {"settled": 0, "returned": 0, "waiting": 0}
    for one in matched:
        if one.settles:
            done += [(instruction, one.row.value_on) for instruction in one.settles]
            _finished(ctx, one.row)
            counts["settled"] += len(one.settles)
    outcomes.settled(ctx, done, today)
    for one in matched:
        if one.settles:
            continue
        waits = _apply(ctx, one, today)
        if one.returns and not waits:
            counts["returned"] += 1
        if waits:
            counts["waiting"] += 1
            findings.append(_waits(one.given, waits))
    ctx.conn.execute(
        update(_statement)
        .where(_statement.c.id == statement_id)
        .values(new_entries=_statement.c.new_entries + len(new))
    )
    return {
        "statement_id": statement_id,
        "entries": len(data.entries),
        "new_entries": len(new),
        **counts,
        "findings": [one.as_dict() for one in findings],
    }


def _own_account(ctx: Context, number: str, financier_id: str) -> None:
    known = ctx.conn.execute(
        select(_account.c.id).where(
            _account.c.firm_id == financier_id,
            _account.c.number == number,
            _account.c.state != "CLOSED",
        )
    ).one_or_none()
    if known is None:
        raise NotFound(
            "ACCOUNT", "The statement is of an account that is none of yours.", kind="account"
        )


def _statement_row(ctx: Context, data: ReadStatement, financier_id: str) -> str:
    """Store the statement with its first slice; later slices, and other readings, find it."""
    values = {
        "id": new_id(),
        "financier_id": financier_id,
        "sha256": data.sha256,
        "place": data.place,
        "name": data.name,
        "content": _bytes(data.content),
        "statement_ref": data.statement_ref,
        "account": data.account,
        "currency": data.currency,
        "from_on": data.from_on,
        "to_on": data.to_on,
        "opening_minor": data.opening_minor,
        "closing_minor": data.closing_minor,
        "entries": data.total,
        "new_entries": 0,
        "created_at": ctx.now,
    }
    made = ctx.conn.execute(_STORE_STATEMENT[ctx.dialect], values).scalar_one_or_none()
    if made is not None:
        ctx.change("bank_statement", made, None, {"sha256": data.sha256, "entries": data.total})
        return str(made)
    return str(
        ctx.conn.execute(
            select(_statement.c.id).where(
                _statement.c.financier_id == financier_id,
                _statement.c.sha256 == data.sha256,
                _statement.c.place == data.place,
            )
        ).scalar_one()
    )


def _bytes(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise InvalidInput("CONTENT", "The file is not written in base64.") from None


def _store_entries(
    ctx: Context, data: ReadStatement, financier_id: str, statement_id: str
) -> list[tuple[Row[Any], EntryIn]]:
    """Store the entries that no statement has brought before; one that is known comes to nothing."""
    new = []
    for given in data.entries:
        row = ctx.conn.execute(
            _STORE_ENTRY[ctx.dialect],
            {
                "id": new_id(),
                "statement_id": statement_id,
                "financier_id": financier_id,
                "account": data.account,
                "identity": given.identity,
                "amount_minor": given.amount_minor,
                "currency": given.currency,
                "booked_on": given.booked_on,
                "value_on": given.value_on,
                "state": "RECEIVED",
                "reason": None,
                "remitter_id": None,
                "unallocated_minor": abs(given.amount_minor),
                "details": given.model_dump(
                    mode="json",
                    include={"is_reversal", "return_reason", "text", "reference", "parts"},
                ),
                "created_at": ctx.now,
            },
        ).one_or_none()
        if row is not None and row.amount_minor:
            new.append((row, given))
    return new


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


def _match(ctx: Context, row: Row[Any], given: EntryIn) -> Match:
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
    batch = [
        part_id
        for part_id in (*one.given.batch_ids, *(i for part in one.given.parts for i in part.ids))
    ]
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
    rows = _by_end_to_end(ctx, one)
    comes_back = one.given.return_reason or one.given.is_reversal
    if rows or comes_back:
        right = [
            row
            for row in rows
            if row.state == "SETTLED" and row.amount_minor == one.row.amount_minor
        ]
        if len(right) == 1 and len(rows) == 1:
            one.returns = right[0]
        else:
            one.reason = matching.RETURN_UNKNOWN
        return
    details = one.row.details
    one.found = [
        receipts.recognise(ctx.conn, one.row.financier_id, lot, one.row.value_on)
        for lot in receipts.lots_of(one.row.amount_minor, details)
    ]


def _lock_all(ctx: Context, matched: Sequence[Match]) -> None:
    """Lock everything that this slice may touch, once, in the global order."""
    paid = [row for one in matched for row in one.settles]
    paid += [one.returns for one in matched if one.returns is not None]
    invoices = {invoice_id for one in matched for invoice_id in one.invoice_ids}
    old = [one.reverses for one in matched if one.reverses is not None]
    ctx.lock(BankEntry, (row.id for row in old))
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
    _settle_once(matched)


def _settle_once(matched: Sequence[Match]) -> None:
    """Two entries of one slice cannot both settle one payment, nor return it twice."""
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


def _post_all(ctx: Context, rows: Sequence[Row[Any]], today: dt.date) -> None:
    """Post entries at once, so that cash is what the bank says; their meaning follows."""
    events = []
    for row in rows:
        amount = abs(row.amount_minor)
        make = journals.received if row.amount_minor > 0 else journals.debited
        events.append(
            LedgerEvent(
                row.id, "bank.booked", row.id, row.currency, today, row.value_on,
                f"Bank entry {row.details['reference']}".strip(),
                make(row.financier_id, amount),
            )  # fmt: skip
        )
    post(ctx, events)


def _apply(ctx: Context, one: Match, today: dt.date) -> str:
    """Let one entry have its effect; gives why it waits, or an empty text."""
    row = one.row
    if one.reverses is not None:
        refusal = take_back(ctx, one.reverses, today, bank_entry=row)
        if not refusal:
            _finished(ctx, row)
        else:
            _park(ctx, row, refusal)
        return refusal
    if one.returns is not None:
        state = _advance_state(ctx, one.returns)
        if state not in {None, "FUNDED"}:
            # Repaid in part already: what came back is for a person to judge.
            _park(ctx, row, matching.RETURN_UNKNOWN)
            return matching.RETURN_UNKNOWN
        code = one.given.return_reason or "NARR"
        outcomes.returned(ctx, one.returns, row, code, today)
        receipts.note(ctx, row, "")
        return ""
    if one.reason:
        _park(ctx, row, one.reason)
        return one.reason
    after = receipts.share_out(ctx, row, one.found, today)
    return after.reason or ""


def _advance_state(ctx: Context, instruction: Row[Any]) -> str | None:
    if instruction.advance_id is None:
        return None
    return str(advances.rows_of(ctx.conn, [instruction.advance_id])[0].state)


def _finished(ctx: Context, row: Row[Any]) -> None:
    """A debit that was expected, or one whose cause was found, is fully explained."""
    ctx.conn.execute(
        update(ENTRY)
        .where(ENTRY.c.id == row.id)
        .values(state="POSTED", unallocated_minor=0, reason=None)
    )


def _park(ctx: Context, row: Row[Any], reason: str) -> None:
    ctx.conn.execute(update(ENTRY).where(ENTRY.c.id == row.id).values(reason=reason))
    ctx.emit("receipt.waiting", {"entry_id": row.id, "reason": reason})


_WORDS: Final[Mapping[str, str]] = {
    matching.UNKNOWN_DEBIT: "Nobody ordered this payment.",
    matching.AMOUNT_DIFFERS: "The amount is not what was ordered.",
    matching.NOT_SENT: "The payment it names is not under way.",
    matching.NO_REFERENCE: "Nothing tells what this, or a part of it, pays.",
    matching.PAYER_UNKNOWN: "The payer is unknown; nothing is allocated before a person decides.",
    matching.PAYER_NOT_OBLIGOR: "The payer is not who owes; a person decides before it counts.",
    matching.VALUE_DATE_AHEAD: "It counts from a later day and waits for it.",
    matching.HELD_PART: "It pays a part that is being financed right now, and waits.",
    matching.RETURN_UNKNOWN: "A payment came back that is not known as settled.",
    matching.REVERSAL_UNKNOWN: "The bank takes back an entry that cannot be found.",
    matching.PAID_OUT: "The bank takes back money that has been paid on already.",
}


def _waits(given: EntryIn, reason: str) -> Finding:
    amount = format_minor(given.amount_minor, given.currency)
    return Finding(
        Severity.WARNING, reason, _WORDS[reason], given.place, f"{amount} {given.currency}"
    )
