"""Read a bank's table (CSV) as statements, one for each account in it, by a mapping.

A table has no form that a bank must keep, so nothing is guessed: a cell that cannot be read makes
the whole file unfit for posting, and each finding names row and column. With a column of running
balances the rows must add up from one to the next, whichever way round they stand.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from scf.documents.readers.encoding import detect_encoding
from scf.documents.readers.table import (
    SAMPLE_BYTES,
    SAMPLE_LINES,
    Lines,
    RawRow,
    detect_delimiter,
    rows,
)
from scf.documents.readers.text import squeeze
from scf.documents.readers.values import plain_amount, read_date
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Severity
from scf.kernel.money import parse_minor
from scf.settlement.readers.details import reference
from scf.settlement.readers.identity import entry_identity
from scf.settlement.readers.messages import (
    AccountId,
    Balance,
    BankEntry,
    BankStatement,
    EntryDetail,
    EntryStatus,
    Participant,
    StatementFile,
)
from scf.settlement.readers.notes import Notes
from scf.settlement.readers.parties import account_of
from scf.settlement.readers.table_mapping import Layout, StatementMapping

MAX_BYTES: Final = 10_000_000
MAX_ROWS: Final = 50_000
_TEXTS: Final = ("text", "text_2", "text_3")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row whose money could be read."""

    number: int
    account: AccountId
    entry: BankEntry
    balance: int | None


def read_table(data: bytes, mapping: StatementMapping) -> StatementFile:
    """Read every row of a table as a booked entry, with findings for all that is wrong in it.

    Raises
    ------
    InvalidInput
        TABLE_TOO_LARGE; NO_STATEMENT where the table has no header.
    """
    _bounded(data)
    notes = Notes()
    lines, raw = _raw_rows(data, Layout.of(mapping))
    reader = _Reader(notes, mapping, _header(raw, mapping.header_row))
    read = reader.rows(raw) if reader.complete else []
    if lines.broken is not None:
        broken = lines.broken
        notes.note(Severity.ERROR, broken.code, broken.message, broken.place)
    if not read and not any(one.is_error for one in notes.findings):
        notes.error("STATEMENT_MISSING", "The file holds no statement.", "header")
    return StatementFile(
        kind="csv",
        version="",
        message_id="",
        created="",
        statements=tuple(_statement(notes, of) for of in _by_account(read)),
        findings=notes.findings,
    )


def header_of(data: bytes, layout: Layout) -> list[str]:
    """Give the columns that a table's header names, in their order.

    Raises
    ------
    InvalidInput
        TABLE_TOO_LARGE; NO_STATEMENT where the table has no header; MAPPING for an encoding that
        nobody knows.
    """
    _bounded(data)
    _lines, raw = _raw_rows(data, layout)
    return _header(raw, layout.header_row)


def _bounded(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "TABLE_TOO_LARGE",
            "The file has %(measured)s bytes; %(limit)s are allowed.",
            measured=len(data),
            limit=MAX_BYTES,
        )


def _header(raw: Iterator[RawRow], number: int) -> list[str]:
    header = next((row for row in raw if row.line >= number), None)
    if header is None or not any(header.cells):
        raise InvalidInput("NO_STATEMENT", "This bank message is no statement.", kind="csv")
    return [squeeze(cell) for cell in header.cells]


def _raw_rows(data: bytes, layout: Layout) -> tuple[Lines, Iterator[RawRow]]:
    encoding = layout.encoding or detect_encoding(data[:SAMPLE_BYTES])
    try:
        text = data[:SAMPLE_BYTES].decode(encoding, errors="replace")
    except LookupError:
        raise InvalidInput(
            "MAPPING", "%(place)s: %(reason)s", place="encoding", reason=encoding
        ) from None
    start = layout.header_row - 1
    delimiter = layout.delimiter or detect_delimiter(
        text.splitlines()[start : start + SAMPLE_LINES]
    )
    lines = Lines(io.BytesIO(data), encoding, MAX_BYTES)
    return lines, rows(lines, delimiter)


def _by_account(read: Sequence[_Row]) -> list[list[_Row]]:
    """Put the rows of each account and currency together, in the order of the table."""
    groups: dict[tuple[str, str], list[_Row]] = {}
    for row in read:
        groups.setdefault((row.account.identifier, row.entry.currency), []).append(row)
    return list(groups.values())


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, notes: Notes, mapping: StatementMapping, header: list[str]) -> None:
        self._notes = notes
        self._mapping = mapping
        self._places: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self.complete = True
        for field, column in mapping.columns.items():
            found = header.count(squeeze(column))
            if found == 1:
                self._places[field] = header.index(squeeze(column))
                continue
            self.complete = False
            code, words = (
                ("COLUMN_REPEATED", "The header has the column %(column)s more than once.")
                if found
                else ("COLUMN_MISSING", "The header has no column %(column)s for %(field)s.")
            )
            told = Words(words, column=repr(column), field=field)
            notes.error(code, told, "header", column)

    def rows(self, raw: Iterator[RawRow]) -> list[_Row]:
        """Read what stands below the header; blank rows are passed over."""
        read: list[_Row] = []
        for row in raw:
            if row.finding is not None:
                self._notes.note(
                    Severity.ERROR, row.finding.code, row.finding.message, f"row {row.line}"
                )
                continue
            if not any(self._cell(row, field) for field in self._places):
                continue
            if len(read) >= MAX_ROWS:
                self._notes.error(
                    "TABLE_TOO_LARGE",
                    Words("More than %(limit)s rows are in one table.", limit=MAX_ROWS),
                    f"row {row.line}",
                )
                break
            one = self._row(row)
            if one is not None:
                read.append(one)
        return read

    def _cell(self, row: RawRow, field: str) -> str:
        place = self._places.get(field)
        return squeeze(row.cells[place]) if place is not None and place < len(row.cells) else ""

    def _at(self, row: RawRow, field: str) -> str:
        column = self._mapping.columns.get(field)
        return f"row {row.line}, column {column}" if column else f"row {row.line}"

    def _row(self, row: RawRow) -> _Row | None:
        mapping, notes = self._mapping, self._notes
        currency = mapping.currency or self._cell(row, "currency").upper()
        account = account_of(mapping.account or self._cell(row, "account"))
        if not account.identifier:
            notes.error("ACCOUNT", "The statement names no account.", self._at(row, "account"))
        booked_on = self._day(row, "booked_on")
        value_on = self._day(row, "value_on") if self._cell(row, "value_on") else booked_on
        minor = self._money(row, currency)
        balance = self._amount(row, "balance", currency) if self._cell(row, "balance") else None
        if minor is None or booked_on is None or value_on is None or not account.identifier:
            return None
        detail = self._detail(row, minor, currency)
        entry = BankEntry(
            identity="",
            place=f"row {row.line}",
            entry_reference="",
            servicer_reference=reference(self._cell(row, "reference")),
            amount_minor=minor,
            currency=currency,
            status=EntryStatus.BOOKED,
            is_reversal=False,
            booked_on=booked_on,
            value_on=value_on,
            transaction_code="",
            proprietary_code="",
            batch_message_id=reference(self._cell(row, "batch")),
            batch_payment_information_id="",
            batch_count=None,
            additional_information=" ".join(detail.unstructured),
            details=(detail,),
        )
        return _Row(row.line, account, entry_identity(entry, account, self._counts, 0), balance)

    def _detail(self, row: RawRow, minor: int, currency: str) -> EntryDetail:
        other = Participant(
            name=self._cell(row, "name"),
            account=account_of(self._cell(row, "counter_account")),
            bic=self._cell(row, "bic"),
        )
        debtor, creditor = (other, Participant()) if minor > 0 else (Participant(), other)
        return EntryDetail(
            place=f"row {row.line}",
            amount_minor=minor,
            currency=currency,
            instructed_minor=None,
            instructed_currency="",
            end_to_end_id=reference(self._cell(row, "end_to_end_id")),
            instruction_id="",
            message_id=reference(self._cell(row, "batch")),
            payment_information_id="",
            transaction_id="",
            uetr="",
            mandate_id="",
            servicer_reference="",
            debtor=debtor,
            creditor=creditor,
            ultimate_debtor="",
            ultimate_creditor="",
            unstructured=tuple(filter(None, (self._cell(row, name)[:1_000] for name in _TEXTS))),
            creditor_references=(),
            document_numbers=(),
            return_reason=self._cell(row, "return_reason")[:64],
            return_information=(),
            additional_information="",
        )

    def _day(self, row: RawRow, field: str) -> date | None:
        raw = self._cell(row, field)
        found = read_date(raw, self._mapping.date_formats)
        if found is None:
            self._notes.error("DATE", "This is not a date.", self._at(row, field), raw)
        return found

    def _money(self, row: RawRow, currency: str) -> int | None:
        """Read what a row moved, signed: money in is positive."""
        if "amount" in self._places:
            minor = self._amount(row, "amount", currency)
            if minor is None or "mark" not in self._places:
                return minor
            return self._marked(row, minor)
        given = [one for one in ("credit", "debit") if self._cell(row, one)]
        read = {one: self._amount(row, one, currency) for one in given}
        if None in read.values():
            return None
        moved = {one: minor for one, minor in read.items() if minor}
        if len(moved) > 1 or not given:
            self._notes.error(
                "CREDIT_DEBIT",
                "An amount stands as a credit or as a debit, one of the two.",
                self._at(row, "credit"),
            )
            return None
        # A debit is printed with a minus by some banks and without by others: it went out.
        return (read.get("credit") or 0) - abs(read.get("debit") or 0)

    def _marked(self, row: RawRow, minor: int) -> int | None:
        mark = self._cell(row, "mark")
        if minor >= 0 and mark in self._mapping.credit_marks:
            return minor
        if minor >= 0 and mark in self._mapping.debit_marks:
            return -minor
        self._notes.error(
            "CREDIT_DEBIT",
            "The mapping does not say which way this mark moves money, or the amount has a sign.",
            self._at(row, "mark"),
            mark,
        )
        return None

    def _amount(self, row: RawRow, field: str, currency: str) -> int | None:
        raw = self._cell(row, field)
        comma = self._mapping.decimal == "comma"
        plain = plain_amount(raw, comma=comma, currency=currency)
        try:
            if plain is None:  # refused with its reason, in the convention that was said
                return parse_minor(raw, currency, decimal_comma=comma, signed=True)
            return parse_minor(plain, currency, signed=True)
        except InvalidInput as refused:
            value = f"{raw} {currency}".strip()
            self._notes.error(refused.code, refused.words, self._at(row, field), value)
            return None


def _statement(notes: Notes, of: Sequence[_Row]) -> BankStatement:
    entries = [one.entry for one in of]
    days = [one.booked_on for one in entries]
    first, account = of[0], of[0].account
    return BankStatement(
        place=f"row {first.number}",
        statement_id=f"{min(days).isoformat()} {max(days).isoformat()}",
        sequence="",
        page=1,
        is_last_page=True,
        account=account,
        currency=first.entry.currency,
        from_on=min(days),
        to_on=max(days),
        balances=_balances(notes, of),
        entries=tuple(entries),
    )


def _balances(notes: Notes, of: Sequence[_Row]) -> tuple[Balance, ...]:
    """Give opening and closing balance from the running ones, and hold them against the rows."""
    known = [(one.number, one.entry.amount_minor, one.balance) for one in of]
    stated = [balance for _number, _amount, balance in known if balance is not None]
    if len(stated) != len(known):
        notes.warn(
            "BALANCE_MISSING", "Opening or closing balance is not stated.", f"row {of[0].number}"
        )
        return ()
    amounts = [amount for _number, amount, _balance in known]
    down = _first_break(amounts, stated)
    up = _first_break(amounts[::-1], stated[::-1])
    if down is not None and up is not None:
        place = max(down, len(known) - 1 - up)
        notes.error(
            "BALANCE_CHECK",
            "The running balance does not follow from the row beside it.",
            f"row {known[place][0]}",
        )
        return ()
    if down is not None:
        amounts, stated = amounts[::-1], stated[::-1]
    currency = of[0].entry.currency
    days = [one.entry.booked_on for one in of]
    return (
        Balance("OPBD", stated[0] - amounts[0], currency, min(days)),
        Balance("CLBD", stated[-1], currency, max(days)),
    )


def _first_break(amounts: Sequence[int], balances: Sequence[int]) -> int | None:
    """Give the first row whose balance is not the one before it and its own amount."""
    for place in range(1, len(amounts)):
        if balances[place] != balances[place - 1] + amounts[place]:
            return place
    return None
