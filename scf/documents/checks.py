"""The rules that every trade document must meet, whatever format it came in.

A document that contradicts itself is kept out, because nobody could say later which of its two
amounts was financed. Each rule is a small pure function that yields findings with both values;
all rules run, so the sender sees everything at once. ERROR keeps the document out; WARNING is
stored with it, and some warnings (TITLE_PRIOR, NOT_A_RECEIVABLE) keep it from being financed.

The sums stand in ``arithmetic``. Source: UNTDID 1001 for type codes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Container, Iterator
from functools import lru_cache
from typing import Final

from scf.documents.arithmetic import (
    MAX_LINE_FINDINGS,
    line_arithmetic,
    lines_agree,
    tax_at_its_rate,
    totals_agree,
)
from scf.documents.canonical import CanonicalDocument, Kind, Party, amount_text, side_name
from scf.documents.readers.text import mixed_word, unsafe_character
from scf.documents.taxcheck.schemes import problems
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

MAX_NUMBER: Final = 128
MAX_NAME: Final = 512
MAX_IDENTIFIER: Final = 128

# UNTDID 1001, the part that invoices and credit notes use.
RECEIVABLE_CODES: Final = frozenset(
    {
        *("71", "80", "82", "84", "102", "130", "202", "203", "204", "211", "218", "219", "295"),
        *("326", "331", "380", "382", "383", "384", "387", "388", "389", "390", "394", "395"),
        *("456", "457", "527", "553", "575", "623", "633", "751", "780", "817", "870", "875"),
        *("876", "877", "935"),
    }
)
CREDIT_CODES: Final = frozenset(
    ["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"]
)
FACTORED_CODES: Final = frozenset(["393", "396"])
NOT_RECEIVABLE_CODES: Final = frozenset(["325", "386"])  # pro forma, prepayment
_KNOWN_CODES: Final = RECEIVABLE_CODES | CREDIT_CODES | FACTORED_CODES
CORRECTION_CODE: Final = "384"
SELF_BILLED_CODES: Final = frozenset(["389", "261", "527"])

_MONEY_KINDS: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT})
_ARITHMETIC_KINDS: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER})

Rule = Callable[[CanonicalDocument, Container[str]], Iterator[Finding]]


def check(
    document: CanonicalDocument,
    *,
    unread: Container[str] = frozenset(),
    today: dt.date | None = None,
) -> list[Finding]:
    """List everything that is wrong with a document or worth saying about it.

    ``unread`` names fields that stood in the file but could not be read: their reader has said so
    already, and a rule that needs them is silent. Without ``today`` no date counts as future.
    """
    kind = document.kind
    found: list[Finding] = []
    for rule in _RULES[kind]:
        found += rule(document, unread)
    if document.lines or document.tax_subtotals:
        for rule in _OF_DETAIL.get(kind, ()):
            found += rule(document, unread)
    if not _beyond_reproach(kind, document.seller, document.buyer):
        for rule in _OF_PARTIES.get(kind, _TWO_PARTIES):
            found += rule(document, unread)
    if today is not None:
        found += _not_in_the_future(document, today)
    return found


# The same few sellers and buyers stand in a file again and again.
@lru_cache(maxsize=4096)
def _beyond_reproach(kind: Kind, seller: Party, buyer: Party) -> bool:
    """Tell whether there is nothing to say of two parties, whatever else their document holds."""
    alone = CanonicalDocument(kind, seller=seller, buyer=buyer)
    rules = _OF_PARTIES.get(kind, _TWO_PARTIES)
    return not any(found for rule in rules for found in rule(alone, ()))


def _error(
    document: CanonicalDocument, code: str, message: str, name: str, value: str = ""
) -> Finding:
    return Finding(Severity.ERROR, code, message, document.place(name), value)


def _warning(
    document: CanonicalDocument, code: str, message: str, name: str, value: str = ""
) -> Finding:
    return Finding(Severity.WARNING, code, message, document.place(name), value)


# --- What must be there ------------------------------------------------------------------------


def required_fields(document: CanonicalDocument, unread: Container[str]) -> Iterator[Finding]:
    """Every document names itself and its day."""
    if not document.number and document.kind is not Kind.PAYMENT:
        yield _error(document, "NUMBER_MISSING", "The document has no number.", "number")
    if document.issue_on is None and "issue_on" not in unread:
        yield _error(document, "ISSUE_DATE_MISSING", "The document has no date.", "issue_on")


def parties_named(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """Every document names its two parties."""
    for name, party in (("seller", document.seller), ("buyer", document.buyer)):
        if not party.name and not party.identifiers:
            role = side_name(document.kind, name)
            message = Words("The document names no %(role)s.", role=role)
            yield _error(document, f"{role.upper()}_MISSING", message, name)


def known_currency(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """The amounts are in one current currency of ISO 4217."""
    currency = document.currency
    if currency in EXPONENTS:
        return
    if not currency:
        yield _error(document, "CURRENCY_MISSING", "The document has no currency.", "currency")
    else:
        message = "This is no current currency code of ISO 4217."
        yield _error(document, "CURRENCY", message, "currency", currency)


def payable_amount(document: CanonicalDocument, unread: Container[str]) -> Iterator[Finding]:
    """A claim says how much is to be paid, and asks for nothing below zero."""
    payable = document.payable_minor
    if payable is None:
        if "payable" not in unread and document.currency in EXPONENTS:
            yield _error(document, "PAYABLE_MISSING", "The amount to pay is missing.", "payable")
    elif document.kind is Kind.PAYMENT:
        if payable == 0:
            yield _error(document, "AMOUNT_ZERO", "A payment of nothing is no payment.", "payable")
    elif payable < 0:
        yield _error(
            document,
            "AMOUNT_NEGATIVE",
            _why_negative(document),
            "payable",
            amount_text(document, payable),
        )
    elif payable == 0:
        message = "Nothing is left to pay, so there is nothing to finance."
        yield _warning(document, "NOTHING_PAYABLE", message, "payable")


def _why_negative(document: CanonicalDocument) -> str:
    if document.kind is Kind.CREDIT_NOTE:
        return Words("A credit note over less than nothing is an invoice; send it as one.")
    if (document.gross_minor or 0) > 0:
        return Words("More was prepaid than the invoice asks for: the seller owes the difference.")
    return Words("An invoice for less than nothing is a credit note; send it as one.")


def order_total(document: CanonicalDocument, unread: Container[str]) -> Iterator[Finding]:
    """An order says its total, or its lines let it be summed."""
    payable = document.payable_minor
    if payable is not None and payable < 0:
        message = "An order for less than nothing is no order."
        yield _error(
            document, "AMOUNT_NEGATIVE", message, "payable", amount_text(document, payable)
        )
    if payable is None and "payable" not in unread and document.net_minor is None:
        message = "The order states no total; the sum of its lines counts where they have one."
        yield _warning(document, "ORDER_TOTAL_MISSING", message, "payable")


def lines_present(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """Orders and receipts are their lines; without any there is nothing to match."""
    if not document.lines:
        yield _error(document, "LINES_MISSING", "The document has no lines.", "lines")
    names = Counter(line.line_id for line in document.lines)
    if len(names) < len(document.lines):
        twice = [name for name, count in names.items() if count > 1][:5]
        where = max(n for n, line in enumerate(document.lines, start=1) if line.line_id == twice[0])
        message = "Two lines have the same number, so a reference to it means neither."
        place = document.source.line_place(where, "line_id")
        yield Finding(Severity.ERROR, "LINE_TWICE", message, place, ", ".join(twice))
    for position, line in enumerate(document.lines[:MAX_LINE_FINDINGS], start=1):
        stated = line.quantity or line.rejected_quantity or line.word
        if not stated and line.net_minor is None:
            yield Finding(
                Severity.ERROR,
                "QUANTITY_MISSING",
                "The line has no quantity.",
                document.source.line_place(position, "quantity"),
            )


def order_named(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """What changes, answers or cancels an order says which."""
    if not document.order_reference:
        message = "The document names no order."
        yield _error(document, "ORDER_MISSING", message, "order_reference")


# --- What must agree ---------------------------------------------------------------------------


def dates_in_order(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """A claim falls due on or after the day it is made."""
    issued, due = document.issue_on, document.due_on
    if document.kind is not Kind.INVOICE:
        return
    if due is None:
        if "due_on" not in _unread:
            message = "The invoice has no due date; the buyer must state it when accepting."
            yield _warning(document, "DUE_DATE_MISSING", message, "due_on")
    elif issued is not None and due < issued:
        message = Words(
            "The due date lies before the invoice date %(issued_on)s.", issued_on=issued.isoformat()
        )
        yield _error(document, "DUE_BEFORE_ISSUE", message, "due_on", due.isoformat())


def _not_in_the_future(document: CanonicalDocument, today: dt.date) -> Iterator[Finding]:
    """A document of tomorrow may be a matter of zones; later than that it is post-dated."""
    issued = document.issue_on
    if issued is not None and issued > today + dt.timedelta(days=1):
        message = Words("The document is dated after today, %(today)s.", today=today.isoformat())
        yield _warning(document, "ISSUE_DATE_FUTURE", message, "issue_on", issued.isoformat())


# --- What the document is ----------------------------------------------------------------------


def type_fits(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """The type code says the same as the kind of document, and whether it can be a claim."""
    code = document.type_code
    if not code:
        return
    if document.kind is Kind.INVOICE and code in CREDIT_CODES:
        message = "The document is an invoice, its type code that of a credit note."
        yield _error(document, "TYPE_CONTRADICTS", message, "type_code", code)
    elif document.kind is Kind.CREDIT_NOTE and code in RECEIVABLE_CODES | NOT_RECEIVABLE_CODES:
        message = "The document is a credit note, its type code that of an invoice."
        yield _error(document, "TYPE_CONTRADICTS", message, "type_code", code)
    elif code in NOT_RECEIVABLE_CODES:
        message = "A prepayment or pro forma invoice is no receivable and cannot be financed."
        yield _warning(document, "NOT_A_RECEIVABLE", message, "type_code", code)
    elif code == CORRECTION_CODE:
        if not document.billing_references:
            message = "A corrected invoice must name the invoice that it replaces."
            yield _warning(document, "REPLACED_UNKNOWN", message, "billing_references", code)
    elif code not in _KNOWN_CODES:
        message = "This type code is not one of UNTDID 1001 that invoices use."
        yield _warning(document, "TYPE_UNKNOWN", message, "type_code", code)


def title_free(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """A claim that already belongs to somebody else is imported but never financed."""
    payee = document.payee
    if document.type_code in FACTORED_CODES:
        message = "The type code says that the claim was sold: title has gone."
        yield _warning(document, "TITLE_PRIOR", message, "type_code", document.type_code)
    elif payee is not None and not payee.is_blank and not same_party(payee, document.seller):
        message = "Somebody other than the seller is to be paid: title may have gone."
        yield _warning(document, "TITLE_PRIOR", message, "payee", payee.name)


def same_party(one: Party, other: Party) -> bool:
    """Tell whether two mentions in one document mean the same firm.

    One shared number of a public register decides; numbers of one register that differ decide
    against; only without either is the name asked.
    """
    mine, theirs = dict(one.identifiers), dict(other.identifiers)
    common = mine.keys() & theirs.keys()
    if any(mine[scheme].casefold() == theirs[scheme].casefold() for scheme in common):
        return True
    if common:
        return False
    names = {name.casefold() for name in (one.name, one.trading_name) if name}
    return any(name.casefold() in names for name in (other.name, other.trading_name) if name)


def parties_differ(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """Nobody owes anything to himself."""
    if document.seller.is_blank or document.buyer.is_blank:
        return
    if document.seller == document.buyer or _share_register(document.seller, document.buyer):
        message = "Seller and buyer carry the same registered number."
        yield _warning(document, "SAME_PARTY", message, "buyer", document.buyer.name)


def _share_register(one: Party, other: Party) -> bool:
    registers = ("lei", "uscc", "vat", "duns", "gln")
    mine = {pair for pair in one.identifiers if pair.scheme in registers}
    return any(pair in mine for pair in other.identifiers)


def credit_has_a_target(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """A credit note that names its invoice is netted at once; another waits."""
    if not document.billing_references:
        message = "The credit note names no invoice; it waits until it is linked."
        yield _warning(document, "CREDIT_UNLINKED", message, "billing_references")


def known_to_its_authority(
    document: CanonicalDocument, _unread: Container[str]
) -> Iterator[Finding]:
    """A tax number that cannot be one is told at once: nobody could ask about it later."""
    if document.tax_identity is not None:
        for words in problems(document.tax_identity):
            yield _warning(
                document, "TAX_IDENTITY", words, "tax_identity", document.tax_identity.number
            )


# --- What may be written -----------------------------------------------------------------------


def readable_text(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """What is written holds no character that an approver cannot see, and has an end."""
    yield from _readable(document, "number", document.number, MAX_NUMBER)
    if document.payee is not None:
        yield from _readable_party(document, "payee", document.payee)
    for name, text in (
        ("order_reference", document.order_reference),
        ("contract_reference", document.contract_reference),
        ("payment_reference", document.payment_reference),
    ):
        if text:
            yield from _readable(document, name, text, MAX_NUMBER * 2)
    for reference in document.billing_references:
        yield from _readable(document, "billing_references", reference.number, MAX_NUMBER)
    for position, line in enumerate(document.lines, start=1):
        for text in (line.line_id, line.item_name, line.order_line):
            if not text.isprintable() or len(text) > MAX_NAME:
                unsafe = unsafe_character(text)
                if unsafe or len(text) > MAX_NAME:
                    yield Finding(
                        Severity.ERROR,
                        "TEXT_UNSAFE" if unsafe else "TEXT_TOO_LONG",
                        Words("The text holds %(character)s.", character=unsafe)
                        if unsafe
                        else "The text is too long.",
                        document.source.line_place(position, "item_name"),
                        text,
                    )


def readable_parties(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """So do the names and numbers of seller and buyer."""
    for name, party in (("seller", document.seller), ("buyer", document.buyer)):
        yield from _readable_party(document, name, party)


def _readable_party(document: CanonicalDocument, name: str, party: Party) -> Iterator[Finding]:
    yield from _readable(document, name, party.name, MAX_NAME)
    if party.trading_name:
        yield from _readable(document, name, party.trading_name, MAX_NAME)
    for called in (party.name, party.trading_name):
        word = mixed_word(called)
        if word:
            message = Words(
                "The word %(word)s mixes letters of several alphabets, which look alike.", word=word
            )
            yield _warning(document, "NAME_MIXED", message, name, called)
    for _, value in party.identifiers:
        yield from _readable(document, name, value, MAX_IDENTIFIER)


def _readable(document: CanonicalDocument, name: str, text: str, limit: int) -> tuple[Finding, ...]:
    if len(text) > limit:
        message = Words(
            "The text has %(count)s characters; %(limit)s are allowed.",
            count=len(text),
            limit=limit,
        )
        return (_error(document, "TEXT_TOO_LONG", message, name, text),)
    if text.isprintable():
        return ()
    unsafe = unsafe_character(text)
    if not unsafe:
        return ()
    message = Words("The text holds %(character)s, which an approver cannot see.", character=unsafe)
    return (_error(document, "TEXT_UNSAFE", message, name, text),)


def registered_numbers(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """An LEI carries check digits; wrong ones are a typing error or worse."""
    for name, party in (("seller", document.seller), ("buyer", document.buyer)):
        for scheme, value in party.identifiers:
            if scheme == "lei" and not _valid_lei(value):
                message = "The check digits of the LEI are wrong."
                yield _warning(document, "LEI", message, name, value)


def account_numbers(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """An IBAN carries check digits as well."""
    for account in document.accounts:
        if account.iban and not _valid_iban(account.iban):
            message = "The check digits or length of the IBAN are wrong."
            yield _warning(document, "IBAN", message, "accounts", account.iban)


@lru_cache(maxsize=4096)
def _valid_lei(value: str) -> bool:
    from stdnum import lei

    return bool(lei.is_valid(value))


@lru_cache(maxsize=4096)
def _valid_iban(value: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(value))


_COMMON: Final[tuple[Rule, ...]] = (required_fields, readable_text)
_CLAIM: Final[tuple[Rule, ...]] = (
    *_COMMON,
    known_currency,
    payable_amount,
    dates_in_order,
    totals_agree,
    type_fits,
    title_free,
    account_numbers,
)
_RULES: Final[dict[Kind, tuple[Rule, ...]]] = {
    Kind.INVOICE: (*_CLAIM, known_to_its_authority),
    Kind.CREDIT_NOTE: (*_CLAIM, credit_has_a_target),
    Kind.ORDER: (*_COMMON, known_currency, order_total, lines_present, totals_agree),
    Kind.RECEIPT: (*_COMMON, lines_present),
    Kind.PAYMENT: (*_COMMON, known_currency, payable_amount),
    Kind.ORDER_RESPONSE: (*_COMMON, order_named),
    Kind.ORDER_CHANGE: (*_COMMON, order_named, lines_present),
    Kind.ORDER_CANCELLATION: (*_COMMON, order_named),
    Kind.DESPATCH: (*_COMMON, lines_present),
    Kind.REMITTANCE: (*_COMMON, known_currency),
    Kind.STATEMENT: (*_COMMON, known_currency),
    Kind.REMINDER: (*_COMMON, known_currency),
}
# What a document without lines and taxes need not be asked.
_CLAIM_DETAIL: Final[tuple[Rule, ...]] = (lines_agree, line_arithmetic, tax_at_its_rate)
_OF_DETAIL: Final[dict[Kind, tuple[Rule, ...]]] = {
    Kind.INVOICE: _CLAIM_DETAIL,
    Kind.CREDIT_NOTE: _CLAIM_DETAIL,
    Kind.ORDER: (lines_agree, line_arithmetic),
}
# What depends on seller and buyer alone.
_ANY_PARTIES: Final[tuple[Rule, ...]] = (parties_named, readable_parties)
_TWO_PARTIES: Final[tuple[Rule, ...]] = (*_ANY_PARTIES, parties_differ)
_OF_PARTIES: Final[dict[Kind, tuple[Rule, ...]]] = {
    Kind.INVOICE: (*_TWO_PARTIES, registered_numbers),
    Kind.CREDIT_NOTE: (*_TWO_PARTIES, registered_numbers),
    Kind.PAYMENT: _ANY_PARTIES,
}
