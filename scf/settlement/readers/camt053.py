"""Read bank statements (camt.053), notifications (camt.054) and reports (camt.052).

All versions from .001.01 to .001.13 differ only in wrappers (``Sts`` or ``Sts/Cd``, ``Dbtr`` or
``Dbtr/Pty``), which are looked through here. The opening balance plus the booked entries must
give the closing balance; a statement for which they do not is not fit for posting.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import Final

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Severity
from scf.kernel.xml import Element, place_of
from scf.settlement.readers.details import read_details
from scf.settlement.readers.fields import Fields
from scf.settlement.readers.identity import entry_identity
from scf.settlement.readers.messages import (
    AccountId,
    Balance,
    BankEntry,
    BankStatement,
    EntryStatus,
    StatementFile,
)
from scf.settlement.readers.parties import read_account
from scf.settlement.readers.sniff import BankFormat, BankMessage, open_message

_COUNT: Final = re.compile(r"[0-9]{1,9}")
_STATEMENT_TAGS: Final = {
    BankFormat.CAMT_052: "Rpt",
    BankFormat.CAMT_053: "Stmt",
    BankFormat.CAMT_054: "Ntfctn",
}


def read_camt(data: bytes) -> StatementFile:
    """Read every statement of a file, with findings for all that is wrong in it.

    An entry that cannot be read as money (no amount, no sign, no status, no date) is left out
    and leaves an error: ``is_sound`` is then False and nothing of the file may be posted.

    Raises
    ------
    InvalidInput
        The XML codes of ``load_xml``, BANK_FORMAT, BANK_FORMAT_AMBIGUOUS, or NO_STATEMENT for
        a message of another kind.
    """
    message = open_message(data)
    return statements_of(message)


def statements_of(message: BankMessage) -> StatementFile:
    """Read the statements of a message that is already open (see ``read_camt``)."""
    tag = _STATEMENT_TAGS.get(message.kind)
    if tag is None:
        raise InvalidInput(
            "NO_STATEMENT", "This bank message is no statement.", kind=message.kind.value
        )
    body = message.body
    fields = Fields(body)
    if message.contradicts:
        fields.warn(
            "NAMESPACE",
            "The namespace does not name this message; it is read by its elements.",
            body,
        )
    header = fields.one(body, "GrpHdr")
    statements = tuple(
        _statement(fields, element, place, message.kind, header)
        for element, place in fields.each(body, tag, place_of(body))
    )
    if not statements:
        fields.error("STATEMENT_MISSING", "The file holds no statement.", body)
    return StatementFile(
        kind=message.kind.value,
        version=message.version,
        message_id=fields.text(header, "MsgId"),
        created=fields.text(header, "CreDtTm"),
        statements=statements,
        findings=fields.findings,
    )


def _statement(
    fields: Fields, element: Element, place: str, kind: BankFormat, header: Element | None
) -> BankStatement:
    account = read_account(fields, fields.one(element, "Acct"))
    if not account.identifier:
        fields.error("ACCOUNT", "The statement names no account.", element)
    balances = tuple(
        balance
        for node in fields.many(element, "Bal")
        if (balance := _balance(fields, node)) is not None
    )
    range_ = fields.one(element, "FrToDt")
    from_on = fields.day(range_, "FrDtTm") or fields.day(range_, "FrDt")
    to_on = fields.day(range_, "ToDtTm") or fields.day(range_, "ToDt")
    page, is_last = _page(fields, element, header)
    fallback = to_on or fields.day(element, "CreDtTm")
    counts: Counter[str] = Counter()
    entries: list[BankEntry] = []
    unread = 0
    for node, at in fields.each(element, "Ntry", place):
        entry = _entry(
            fields,
            node,
            at,
            account=account,
            counts=counts,
            page=0 if page == 1 and is_last else page,
            fallback=fallback,
        )
        if entry is None:
            unread += 1
        else:
            entries.append(entry)
    currency = account.currency or _common_currency(balances, entries)
    statement = BankStatement(
        place=place,
        statement_id=fields.text(element, "Id"),
        sequence=fields.choice(element, "ElctrncSeqNb", "LglSeqNb"),
        page=page,
        is_last_page=is_last,
        account=account,
        currency=currency,
        from_on=from_on,
        to_on=to_on,
        balances=balances,
        entries=tuple(entries),
    )
    if not statement.statement_id:
        fields.error("STATEMENT_ID", "The statement has no Id.", element)
    _check_currency(fields, statement)
    if not unread:
        _check_summary(fields, element, statement)
        if kind is BankFormat.CAMT_053:
            _check_balance(fields, statement)
    return statement


def _page(fields: Fields, element: Element, header: Element | None) -> tuple[int, bool]:
    """Tell which page of the statement this is; a statement alone is page 1 and the last."""
    pages = fields.one(element, "StmtPgntn")
    if pages is None:
        pages = fields.one(element, "RptPgntn")
    if pages is None:
        pages = fields.one(element, "NtfctnPgntn")
    if pages is None:
        pages = fields.one(header, "MsgPgntn")
    if pages is None:
        return 1, True
    raw = fields.text(pages, "PgNb")
    number = _count(raw)
    if number is None:
        fields.error("PAGE", "The page number is not a number.", pages, raw)
        return 1, True
    return number, fields.text(pages, "LastPgInd") in {"true", "1"}


def _balance(fields: Fields, node: Element) -> Balance | None:
    kind = fields.one(node, "Tp", "CdOrPrtry")
    if kind is None:
        kind = fields.one(node, "Tp")
    code = fields.choice(kind, "Cd", "Prtry") if kind is not None else ""
    amount = fields.one(node, "Amt")
    if amount is None or not code:
        fields.error("BALANCE", "A balance needs a type and an amount.", node)
        return None
    read = fields.signed(amount, fields.one(node, "CdtDbtInd"))
    if read is None:
        return None
    return Balance(code, read[0], read[1], fields.day(node, "Dt"))


def _entry(
    fields: Fields,
    node: Element,
    at: str,
    *,
    account: AccountId,
    counts: Counter[str],
    page: int,
    fallback: date | None,
) -> BankEntry | None:
    amount = fields.one(node, "Amt")
    if amount is None:
        fields.error("AMOUNT", "The entry has no single amount.", at)
        return None
    indicator = fields.one(node, "CdtDbtInd")
    read = fields.signed(amount, indicator)
    status = _status(fields, node, at)
    booked_on = fields.day(node, "BookgDt")
    value_on = fields.day(node, "ValDt")
    on = booked_on or value_on or fallback
    if on is None:
        fields.error("DATE_MISSING", "The entry has no booking date and no value date.", at)
    elif booked_on is None and status is EntryStatus.BOOKED:
        fields.warn(
            "BOOKING_DATE_MISSING",
            "A booked entry without booking date takes the next best.",
            at,
            on.isoformat(),
        )
    if read is None or status is None or on is None:
        return None
    minor, currency = read
    batch = (
        fields.one(node, "NtryDtls", "Btch") if len(fields.many(node, "NtryDtls")) == 1 else None
    )
    details = read_details(fields, node, at, minor, currency)
    own_reference = fields.text(node, "AcctSvcrRef")
    if not own_reference and len(details) == 1:
        own_reference = details[0].servicer_reference
    entry = BankEntry(
        identity="",
        place=at,
        entry_reference=fields.text(node, "NtryRef"),
        servicer_reference=own_reference,
        amount_minor=minor,
        currency=currency,
        status=status,
        is_reversal=fields.text(node, "RvslInd") in {"true", "1"},
        booked_on=on,
        value_on=value_on or on,
        transaction_code=_transaction_code(fields, node),
        proprietary_code=fields.text(node, "BkTxCd", "Prtry", "Cd"),
        batch_message_id=fields.text(batch, "MsgId"),
        batch_payment_information_id=fields.text(batch, "PmtInfId"),
        batch_count=_count(fields.text(batch, "NbOfTxs")),
        additional_information=fields.text(node, "AddtlNtryInf"),
        details=details,
    )
    return entry_identity(entry, account, counts, page)


def _status(fields: Fields, node: Element, at: str) -> EntryStatus | None:
    holder = fields.one(node, "Sts")
    raw = (
        fields.own_text(holder) or fields.choice(holder, "Cd", "Prtry")
        if holder is not None
        else ""
    )
    try:
        return EntryStatus(raw)
    except ValueError:
        fields.error("STATUS", "The entry's status is none of BOOK, PDNG, INFO, FUTR.", at, raw)
        return None


def _transaction_code(fields: Fields, node: Element) -> str:
    domain = fields.one(node, "BkTxCd", "Domn")
    family = fields.one(domain, "Fmly")
    parts = (fields.text(domain, "Cd"), fields.text(family, "Cd"), fields.text(family, "SubFmlyCd"))
    return "/".join(part for part in parts if part)


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text) else None


def _common_currency(balances: tuple[Balance, ...], entries: list[BankEntry]) -> str:
    """Name the one currency of balances and entries, if there is just one."""
    seen = {one.currency for one in balances} | {one.currency for one in entries}
    return seen.pop() if len(seen) == 1 else ""


def _check_currency(fields: Fields, statement: BankStatement) -> None:
    """An account is kept in one currency; anything else cannot be posted to it."""
    for balance in statement.balances:
        if statement.currency and balance.currency != statement.currency:
            fields.note(
                Severity.ERROR if balance.code in {"OPBD", "CLBD", "PRCD"} else Severity.WARNING,
                "BALANCE_CURRENCY",
                Words(
                    "The %(balance)s balance is not in the account's currency.",
                    balance=balance.code,
                ),
                statement.place,
                balance.currency,
            )
    for entry in statement.entries:
        if statement.currency and entry.currency != statement.currency:
            fields.error(
                "ENTRY_CURRENCY",
                "The entry is not in the account's currency.",
                entry.place,
                entry.currency,
            )
    if not statement.currency and (statement.balances or statement.entries):
        fields.error(
            "CURRENCY_MIXED", "Balances and entries name several currencies.", statement.place
        )


def _check_balance(fields: Fields, statement: BankStatement) -> None:
    """Opening + booked entries = closing, where one page states both.

    Some banks repeat both balances on every page, so a single page of several is not checked.
    """
    if statement.page > 1 or not statement.is_last_page:
        return
    codes = Counter(one.code for one in statement.balances)
    for code in ("OPBD", "CLBD"):
        if codes[code] > 1:
            fields.error(
                "BALANCE_REPEATED",
                Words("%(balance)s is stated twice.", balance=code),
                statement.place,
            )
            return
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None:
        fields.warn("BALANCE_MISSING", "Opening or closing balance is not stated.", statement.place)
        return
    if not statement.currency or {opening.currency, closing.currency} != {statement.currency}:
        return
    total = opening.amount_minor + sum(entry.amount_minor for entry in statement.booked)
    fields.check_balance(total, closing.amount_minor, statement.place)


def _check_summary(fields: Fields, element: Element, statement: BankStatement) -> None:
    """Compare the bank's own count of entries with what stands there."""
    total = fields.one(element, "TxsSummry", "TtlNtries")
    stated = _count(fields.text(total, "NbOfNtries"))
    if stated is not None and stated != len(statement.entries) and statement.is_last_page:
        fields.warn(
            "SUMMARY_COUNT",
            Words(
                "The bank counts %(stated)s entries; %(counted)s stand in the statement.",
                stated=stated,
                counted=len(statement.entries),
            ),
            statement.place,
            str(stated),
        )
