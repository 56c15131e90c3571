"""What stands in the cells of lists beside values: wrappings, words for types, units of amounts.

What a program wraps round a value is taken off where it can mean one thing only; what has lost its
value (a number in powers of ten, an amount in thousands) is told and never read.
"""

from __future__ import annotations

import re
from typing import Final

from scf.documents.canonical import CanonicalDocument, Kind
from scf.documents.readers.values import currency_of
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

_WRAPPED: Final = re.compile(r'="([^"]*)"')
_ROUNDED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}", re.IGNORECASE)
_SCALED: Final = re.compile(
    r"\b(?:thousands?|tsd|teur|tusd|t€|k€|k\$|keur|kusd|tausend|milliers|millones|migliaia|tys|"
    r"millions?|mio|mln|cents?|pence|minor)\b|['’]000|千元|万元|百万|億|亿|千円|万円|천원|만원|백만",
    re.IGNORECASE,
)
_CREDIT: Final = re.compile(
    r"credit|gutschrift|avoir|abono|kreditn|creditn|rettific|korekt|korygu|kreditfaktura|"
    r"kreditnota|hyvityslasku|dobropis|jóváír|iade|кредит|πιστωτικ|红字|红冲|貸方|赤伝|"
    r"nota (?:de|di) cr[eé]dit|^(?:cn|cm|crn|rc|kg|r[1-5])$",
    re.IGNORECASE,
)
_CURRENCIES: Final = {
    "RMB": "CNY", "CNH": "CNY", "人民币": "CNY", "人民幣": "CNY", "美元": "USD", "欧元": "EUR",
    "港币": "HKD", "日元": "JPY", "円": "JPY", "日本円": "JPY", "원": "KRW", "원화": "KRW",
    "EURO": "EUR", "EUROS": "EUR", "STERLING": "GBP", "ZŁ": "PLN", "TL": "TRY", "KČ": "CZK",
    "FT": "HUF", "РУБ": "RUB", "РУБ.": "RUB",
}  # fmt: skip
CREDIT_NOTE: Final = "381"


def unwrapped(cells: list[str]) -> list[str]:
    """Take off the ="…" by which a program keeps a spreadsheet from changing a text.

    It is a constant and works nothing out; every other formula stays the text it is.
    """
    return [found[1] if (found := _WRAPPED.fullmatch(cell)) else cell for cell in cells]


def is_scaled(name: str) -> bool:
    """Tell whether the name of a column says that it counts in thousands, millions or cents."""
    return _SCALED.search(re.sub(r"[_\-./]", " ", name)) is not None


def scale_refused(column: str) -> Finding:
    """Say why a column of thousands or of cents is not read as amounts."""
    message = Words(
        "The column %(column)s does not count in whole units of its currency. Write its amounts in"
        " full, like 1250.00, under a name without the unit.",
        column=repr(column),
    )
    return Finding(Severity.ERROR, "AMOUNT_SCALE", message, "header", column)


def type_of(word: str) -> str:
    """Give the type code that a word means: 381 for a credit note, none for what is usual."""
    if word.isascii() and word.isdecimal():
        return word
    return CREDIT_NOTE if _CREDIT.search(word) else ""


def currency_named(text: str) -> str:
    """Give the code of a currency that a cell names by its code, a sign or a usual word."""
    code = text.upper()
    return code if code in EXPONENTS else _CURRENCIES.get(code) or currency_of(text) or code


def number_lost(document: CanonicalDocument) -> list[Finding]:
    """Say that a spreadsheet has rounded the number: many documents would have this one."""
    if document.kind is Kind.PAYMENT or not _ROUNDED.fullmatch(document.number):
        return []
    message = (
        "A spreadsheet has rounded this number. Make its column one of text and export it again."
    )
    place = document.place("number")
    return [Finding(Severity.ERROR, "NUMBER_ROUNDED", message, place, document.number)]
