"""Read SWIFT customer statements: MT940 and, as a report of the day only, MT942.

Every message is one page of one account: opening balance plus entries must give the closing
balance of that page. A field is named by its tag at the start of a line; what looks like a tag
inside the text of an entry and is none of this message is text. Each finding names its line.

Source: SWIFT User Handbook, Category 9 (MT940, MT942); Deutsche Kreditwirtschaft, DFÜ-Abkommen
Anlage 3, for what German banks write into field 86.
"""

from __future__ import annotations

import calendar
import dataclasses
import re
from collections import Counter
from datetime import date
from itertools import islice, takewhile
from typing import Final, NamedTuple

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.money import parse_minor
from scf.settlement.readers.details import reference
from scf.settlement.readers.identity import entry_identity
from scf.settlement.readers.messages import (
    AccountId,
    Balance,
    BankEntry,
    BankStatement,
    EntryStatus,
    StatementFile,
)
from scf.settlement.readers.mt_details import read_information
from scf.settlement.readers.mt_fields import Message, MtField, messages_of
from scf.settlement.readers.mt_turnovers import check_turnovers
from scf.settlement.readers.notes import Notes
from scf.settlement.readers.parties import account_of

_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9,]{1,30})")
# Value date, entry date, mark, third letter of the currency, amount; then type and references.
_ENTRY: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<booked>[0-9]{4}|[ ]{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?[ ]?"
    r"(?P<amount>[0-9][0-9,]{0,30})(?P<kind>[A-Z][A-Z0-9 ]{3})?(?P<rest>.*)"
)
_NUMBER: Final = re.compile(r"([0-9]{1,5})/?([0-9]{1,5})?")
_FLOOR: Final = re.compile(r"([A-Z]{3})")
_CENTURY: Final = 80  # two digits from here on are of the last century
_INTERIM: Final = frozenset({"34F", "90C", "90D", "13D"})
_OPENING: Final = ("60F", "60M", "60")
_CLOSING: Final = ("62F", "62M", "62")


class _Line(NamedTuple):
    """Field 61 taken apart, before its amount is read."""

    value_on: date
    booked_on: date
    mark: str
    amount: str
    kind: str
    customer: str
    bank: str
    more: str


def read_mt940(data: bytes) -> StatementFile:
    """Read every message of a file as a page of a statement, with findings for all that is wrong.

    Raises
    ------
    InvalidInput
        MT_TOO_LARGE, MT_ENCODING, or NO_STATEMENT where the file holds no message.
    """
    notes = Notes()
    messages = messages_of(data, notes)
    if not messages:
        raise InvalidInput("NO_STATEMENT", "This bank message is no statement.", kind="mt940")
    interim = all(_is_interim(one) for one in messages)
    statements: list[BankStatement] = []
    for message in messages:
        before = statements[-1] if statements else None
        statements.append(_statement(notes, message, before, interim=interim))
    return StatementFile(
        kind="mt942" if interim else "mt940",
        version="",
        message_id=messages[0].text("20"),
        created="",
        statements=tuple(statements),
        findings=notes.findings,
    )


def _is_interim(message: Message) -> bool:
    tags = {one.tag for one in message.fields}
    return bool(tags & _INTERIM) and not tags & {*_OPENING, *_CLOSING}


def _statement(
    notes: Notes, message: Message, before: BankStatement | None, *, interim: bool
) -> BankStatement:
    account = _account(notes, message)
    opening = _balance(notes, message, _OPENING, "OPBD")
    closing = _balance(notes, message, _CLOSING, "CLBD")
    available = _others(notes, message)
    if not interim:
        _whole(notes, message)
    currency = _currency(message, account, (opening, closing))
    if not currency and message.many("61"):
        notes.error("CURRENCY_MISSING", "No balance says in which currency.", message.place)
    number, page = _page(notes, message, before, account)
    entries = _entries(notes, message, account, currency, page)
    is_last = message.first("62M") is None
    statement = BankStatement(
        place=message.place,
        statement_id=" ".join(filter(None, (message.text("20"), number))) or message.place,
        sequence=number,
        page=max(page, 1),
        is_last_page=is_last,
        account=dataclasses.replace(account, currency=currency),
        currency=currency,
        from_on=_first_day(opening, entries),
        to_on=closing.on if closing else None,
        balances=tuple(one for one in (opening, closing, *available) if one is not None),
        entries=tuple(one for one in entries if one is not None),
    )
    if None not in entries:
        field = message.first(*_CLOSING)
        place = field.place if field else message.place
        _check_balance(notes, statement, opening, closing, place)
        check_turnovers(notes, message, statement)
    return statement


def _first_day(opening: Balance | None, entries: list[BankEntry | None]) -> date | None:
    """Give the first day of a page: the opening balance bears the day before it, or its own."""
    days = [one.booked_on for one in entries if one is not None]
    if days:
        return min(days)
    return opening.on if opening else None


def _account(notes: Notes, message: Message) -> AccountId:
    field = message.first("25", "25P")
    written = field.line(0) if field else ""
    if not written:
        notes.error("ACCOUNT", "The statement names no account.", message.place)
    return account_of(written)


def _whole(notes: Notes, message: Message) -> None:
    """A page says from which balance it starts and to which it comes; else it was cut off."""
    if message.first(*_OPENING) is None:
        notes.error("OPENING_MISSING", "The page has no opening balance (field 60).", message.place)
    if message.first(*_CLOSING) is None:
        notes.error(
            "CLOSING_MISSING",
            "The page has no closing balance (field 62): it is cut off.",
            message.end,
        )


def _balance(notes: Notes, message: Message, tags: tuple[str, ...], code: str) -> Balance | None:
    found = [one for one in message.fields if one.tag in tags]
    for again in found[1:]:
        notes.error(
            "BALANCE_REPEATED",
            Words("%(balance)s is stated twice.", balance=again.tag),
            again.place,
        )
    return _read_balance(notes, found[0], code) if found else None


def _others(notes: Notes, message: Message) -> list[Balance | None]:
    """Read the available balances; banks may give several, for days to come."""
    return [
        _read_balance(notes, one, "CLAV" if one.tag == "64" else "FWAV")
        for one in message.fields
        if one.tag in {"64", "65"}
    ]


def _read_balance(notes: Notes, field: MtField, code: str) -> Balance | None:
    shape = _BALANCE.fullmatch(field.line(0).strip())
    if shape is None:
        notes.error(
            "BALANCE",
            "A balance is C or D, a day, a currency and an amount.",
            field.place,
            field.line(0),
        )
        return None
    sign, day, currency, amount = shape.groups()
    on = _day(notes, field, day)
    minor = _minor(notes, field, amount, currency)
    if on is None or minor is None:
        return None
    return Balance(code, minor if sign == "C" else -minor, currency, on)


def _day(notes: Notes, field: MtField, text: str) -> date | None:
    """Read YYMMDD; the 29th and 30th of a short February are its last day, as banks count them."""
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:6])
    year += 1900 if year >= _CENTURY else 2000
    february = 2
    if month == february and day in {29, 30}:
        last = calendar.monthrange(year, february)[1]
        if day > last:
            notes.warn(
                "VALUE_DATE_FEBRUARY",
                "February has no such day; its last day is taken.",
                field.place,
                text,
            )
            day = last
    try:
        return date(year, month, day)
    except ValueError:
        notes.error("DATE", "This is not a date.", field.place, text)
        return None


def _minor(notes: Notes, field: MtField, amount: str, currency: str) -> int | None:
    plain = amount.removesuffix(",")  # "107," is written for whole units
    try:
        return parse_minor(plain, currency, decimal_comma=True)
    except InvalidInput as refused:
        notes.error(refused.code, refused.words, field.place, f"{amount} {currency}".strip())
        return None


def _currency(message: Message, account: AccountId, balances: tuple[Balance | None, ...]) -> str:
    """Name the currency of a page: its balances say it; a report of the day, its floor limit."""
    for one in balances:
        if one is not None:
            return one.currency
    floor = message.first("34F")
    shape = _FLOOR.match(floor.line(0)) if floor else None
    return shape.group(1) if shape else account.currency


def _page(
    notes: Notes, message: Message, before: BankStatement | None, account: AccountId
) -> tuple[str, int]:
    """Give the statement's number and its page; 0 where the page is the whole statement."""
    field = message.first("28C", "28")
    written = field.line(0).strip() if field else ""
    shape = _NUMBER.fullmatch(written)
    if field is not None and shape is None:
        notes.warn("STATEMENT_NUMBER", "This is no statement number.", field.place, written)
    number, page = (shape.group(1), int(shape.group(2) or 0)) if shape else ("", 0)
    if message.first("60M", "62M") is None:
        return number, 0
    if message.first("60M") is None:
        return number, 1
    goes_on = (
        before is not None
        and not before.is_last_page
        and before.account.identifier == account.identifier
    )
    return number, max(page, before.page + 1 if goes_on and before is not None else 2)


def _entries(
    notes: Notes, message: Message, account: AccountId, currency: str, page: int
) -> list[BankEntry | None]:
    counts: Counter[str] = Counter()
    entries: list[BankEntry | None] = []
    fields = message.fields
    for number, field in enumerate(fields):
        if field.tag != "61":
            continue
        rest = islice(fields, number + 1, number + 3)  # never a copy of all that follows
        below = takewhile(lambda one: one.tag in {"86", "NS"}, rest)
        text = min(below, key=lambda one: one.tag, default=None)  # 86 before NS
        entries.append(_entry(notes, field, text, account, currency, counts, page))
    return entries


def _entry(
    notes: Notes,
    field: MtField,
    text: MtField | None,
    account: AccountId,
    currency: str,
    counts: Counter[str],
    page: int,
) -> BankEntry | None:
    line = _take_apart(notes, field)
    minor = _minor(notes, field, line.amount, currency) if line and currency else None
    if line is None or minor is None:
        return None
    # A mark behind R is the entry that is taken back: RC takes a credit away.
    credit = line.mark in {"C", "RD"}
    signed = minor if credit else -minor
    information = read_information(text, line.customer, field.place, signed, currency)
    entry = BankEntry(
        identity="",
        place=field.place,
        entry_reference="",
        servicer_reference=reference(line.bank),
        amount_minor=signed,
        currency=currency,
        status=EntryStatus.BOOKED,
        is_reversal=line.mark.startswith("R"),
        booked_on=line.booked_on,
        value_on=line.value_on,
        transaction_code="",
        proprietary_code="+".join(filter(None, (line.kind.strip(), information.code))),
        batch_message_id=information.batch,
        batch_payment_information_id="",
        batch_count=None,
        additional_information=" ".join(filter(None, (line.more, information.text))),
        details=(information.detail,),
    )
    if line.kind == "NRTI" and not entry.return_reason:  # returned item
        back = dataclasses.replace(information.detail, return_reason="NARR")
        entry = dataclasses.replace(entry, details=(back,))
    return entry_identity(entry, account, counts, page)


def _take_apart(notes: Notes, field: MtField) -> _Line | None:
    lines = [one.rstrip() for one in field.lines]
    # Some banks break the line between the mark and the amount.
    if len(lines) > 1 and lines[0] and lines[0][-1].isalpha() and lines[1][:1].isdigit():
        lines = [lines[0] + lines[1], *lines[2:]]
    shape = _ENTRY.fullmatch(lines[0])
    if shape is None:
        notes.error(
            "ENTRY_FORMAT",
            "An entry is a day, a mark C or D, an amount and references (field 61).",
            field.place,
            lines[0],
        )
        return None
    value_on = _day(notes, field, shape["value"])
    if value_on is None:
        return None
    booked_on = _entry_day(notes, field, (shape["booked"] or "").strip(), value_on)
    if booked_on is None:
        return None
    customer, _, bank = shape["rest"].partition("//")
    return _Line(
        value_on,
        booked_on,
        shape["mark"],
        shape["amount"],
        shape["kind"] or "",
        customer.strip(),
        bank.strip(),
        " ".join(one.strip() for one in lines[1:] if one.strip(" :")),
    )


def _entry_day(notes: Notes, field: MtField, text: str, value_on: date) -> date | None:
    """Give the booking day of an entry: MMDD in the year that is nearest to its value date."""
    if not text:
        return value_on
    near: list[date] = []
    for year in (value_on.year - 1, value_on.year, value_on.year + 1):
        try:
            near.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not near:
        notes.error("DATE", "This is not a date.", field.place, text)
        return None
    return min(near, key=lambda day: abs((day - value_on).days))


def _check_balance(
    notes: Notes,
    statement: BankStatement,
    opening: Balance | None,
    closing: Balance | None,
    place: str,
) -> None:
    """Opening + entries = closing, on every page; both in one currency."""
    if opening is None or closing is None:
        return
    if opening.currency != closing.currency:
        notes.error(
            "CURRENCY_MIXED",
            "Balances and entries name several currencies.",
            place,
            f"{opening.currency} {closing.currency}",
        )
        return
    total = opening.amount_minor + sum(one.amount_minor for one in statement.entries)
    notes.check_balance(total, closing.amount_minor, place)
