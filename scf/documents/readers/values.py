"""Read the cells of a table: dates in named forms, amounts in one decimal convention.

Grouping is accepted only where every group has three digits, so that a misread decimal sign
cannot make a thousandth of an amount, or a thousand times as much.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

from scf.documents.readers.text import plausible_date
from scf.kernel.money import EXPONENTS

DateFormat = Literal[
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "YYYY/MM/DD",
    "YYYY.MM.DD",
    "YYYYMMDD",
    "DD MMM YYYY",
    "MMM DD, YYYY",
    "DD-MMM-YYYY",
    "DD-MMM-YY",
    "DD/MM/YY",
    "MM/DD/YY",
    "DD.MM.YY",
    "YYYY年MM月DD日",
    "serial",
]
# In the order in which they are proposed where several fit.
DATE_FORMATS: Final[tuple[DateFormat, ...]] = (
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "YYYY/MM/DD",
    "YYYY.MM.DD",
    "YYYYMMDD",
    "DD MMM YYYY",
    "MMM DD, YYYY",
    "DD-MMM-YYYY",
    "DD-MMM-YY",
    "DD/MM/YY",
    "MM/DD/YY",
    "DD.MM.YY",
    "YYYY年MM月DD日",
    "serial",
)
# Those that can be told from other values without the name of their column.
SPELT_DATES: Final = DATE_FORMATS[:-1]
# A date that a spreadsheet shows as the number of days since 30 December 1899.
_SERIAL = re.compile(r"[1-9][0-9]{4}")
_SERIAL_START: Final = dt.date(1899, 12, 30)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january", "januar", "janvier", "janv", "enero", "ene", "gennaio", "gen",
             "januari", "stycznia", "styczeń", "janeiro"),
            ("feb", "february", "februar", "février", "févr", "febrero", "febbraio", "februari",
             "lutego", "luty", "fevereiro", "fev"),
            ("mar", "march", "märz", "mär", "mars", "marzo", "maart", "mrt", "marca", "marzec",
             "março"),
            ("apr", "april", "avril", "avr", "abril", "abr", "aprile", "kwietnia", "kwiecień",
             "kwi"),
            ("may", "mai", "mayo", "maggio", "mag", "mei", "maja", "maj", "maio"),
            ("jun", "june", "juni", "juin", "junio", "giugno", "giu", "czerwca", "cze", "junho"),
            ("jul", "july", "juli", "juillet", "juil", "julio", "luglio", "lug", "lipca", "lip",
             "julho"),
            ("aug", "august", "août", "agosto", "ago", "augustus", "sierpnia", "sie"),
            ("sep", "sept", "september", "septembre", "septiembre", "settembre", "set", "września",
             "wrz", "setembro"),
            ("oct", "october", "okt", "oktober", "octobre", "octubre", "ottobre", "ott",
             "października", "paź", "outubro", "out"),
            ("nov", "november", "novembre", "noviembre", "listopada", "lis", "novembro"),
            ("dec", "december", "dez", "dezember", "décembre", "déc", "diciembre", "dic",
             "dicembre", "grudnia", "gru", "dezembro"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_TIME: Final = (
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?[AaPp]\.?[Mm]\.?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?")
_PIECES: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MMM": r"(?P<name>[^\W\d_]{3,12})\.?",
    "MM": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{1,2})",
}
_CENTURY: Final = 2000
MAX_DATE: Final = 40

# The longer signs stand first: "US$" is no "$".
_CURRENCY_SIGNS: Final = {
    "US$": frozenset({"USD"}),
    "HK$": frozenset({"HKD"}),
    "NZ$": frozenset({"NZD"}),
    "NT$": frozenset({"TWD"}),
    "R$": frozenset({"BRL"}),
    "A$": frozenset({"AUD"}),
    "C$": frozenset({"CAD"}),
    "S$": frozenset({"SGD"}),
    "zł": frozenset({"PLN"}),
    "Kč": frozenset({"CZK"}),
    "Ft": frozenset({"HUF"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "円": frozenset({"JPY"}),
    "元": frozenset({"CNY"}),
    "원": frozenset({"KRW"}),
    "₩": frozenset({"KRW"}),
    "₹": frozenset({"INR"}),
    "₺": frozenset({"TRY"}),
    "฿": frozenset({"THB"}),
    "₫": frozenset({"VND"}),
    "₪": frozenset({"ILS"}),
    "₴": frozenset({"UAH"}),
    "£": frozenset({"GBP"}),
    "€": frozenset({"EUR"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD"}),
}
_SIGN = re.compile("|".join(map(re.escape, _CURRENCY_SIGNS)))
_BLANKS: Final = " \u00a0\u202f\u2009"
_POINT = re.compile(
    rf"(-?)([0-9]{{1,3}}(?:([,'’{_BLANKS}])[0-9]{{3}}(?:\3[0-9]{{3}})*)|[0-9]+)(?:\.([0-9]+))?"
)
_COMMA = re.compile(
    rf"(-?)([0-9]{{1,3}}(?:([.'’{_BLANKS}])[0-9]{{3}}(?:\3[0-9]{{3}})*)|[0-9]+)(?:,([0-9]+))?"
)
# Above a thousand, South Asia groups by two digits: 12,34,567.00.
_LAKH = re.compile(r"-?[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}(?:\.[0-9]+)?")
_LAKHS: Final = frozenset({"INR", "PKR", "BDT", "NPR", "LKR"})
# Switzerland writes a dash for no cents: 1'000.-
_NO_CENTS = re.compile(r"(?<=[0-9])[.,][-–—]{1,2}")
_PLAIN_AMOUNT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,8})?")
_MAX_AMOUNT: Final = 40
_CODE = re.compile(r"^[A-Z]{3}(?=[ \u00a0\d-])|(?<=[ \u00a0\d])[A-Z]{3}$")


@lru_cache(maxsize=32)
def _pattern(form: str) -> re.Pattern[str]:
    pattern = re.escape(form)
    # Months by name before months by number, long years before short ones.
    for piece in ("YYYY", "YY", "MMM", "MM", "DD"):
        pattern = pattern.replace(piece, f"\0{list(_PIECES).index(piece)}\0")
    for index, regex in enumerate(_PIECES.values()):
        pattern = pattern.replace(f"\0{index}\0", regex)
    if form == "YYYYMMDD":
        pattern = pattern.replace("{1,2}", "{2}")
    elif form == "DD MMM YYYY":  # 3. August 2026, 3rd August 2026, 3 de agosto de 2026, 03AUG2026
        pattern = pattern.replace(r"\ (?P<name>", r"(?:\.|st|nd|rd|th)?[ ]?(?:de )?(?P<name>")
        pattern = pattern.replace(r"\.?\ (?P<year>", r"\.?[ ]?(?:de )?(?P<year>")
    elif form == "MMM DD, YYYY":
        pattern = pattern.replace(r",\ ", r"(?:st|nd|rd|th)?,?\ ")
    elif "\\." in pattern:  # 3. 8. 2026, 2026.08.03.
        pattern = pattern.replace(r"\.(", r"\. ?(") + r"\.?"
    return re.compile(pattern + _TIME)


@lru_cache(maxsize=20_000)
def read_date(text: str, forms: Sequence[str]) -> dt.date | None:
    """Read a date that has one of the named forms; a time of day behind it is left out."""
    if len(text) > MAX_DATE:
        return None
    for form in forms:
        if form == "serial":
            if _SERIAL.fullmatch(text):
                return plausible_date((_SERIAL_START + dt.timedelta(int(text))).isoformat())
            continue
        found = _pattern(form).fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        year = int(parts.get("year") or 0) or _CENTURY + int(parts.get("short") or 0)
        month = (
            _MONTHS.get(parts["name"].casefold(), 0) if parts.get("name") else int(parts["month"])
        )
        day = plausible_date(f"{year:04d}-{month:02d}-{int(parts['day']):02d}")
        if day is not None:
            return day
    return None


def is_of_form(text: str, forms: Sequence[str]) -> bool:
    """Tell whether a text is written like a date of one of the forms, whatever day it names."""
    spelt = (form for form in forms if form in SPELT_DATES)
    return len(text) <= MAX_DATE and any(_pattern(form).fullmatch(text) for form in spelt)


def is_time(text: str) -> bool:
    """Tell a time of day that stands where a date belongs."""
    return len(text) <= MAX_DATE and _CLOCK.fullmatch(text) is not None


def plain_amount(text: str, *, comma: bool, currency: str) -> str | None:
    """Give an amount in plain spelling ("1.234,50" is "1234.50"), or None if it is none.

    Accepted besides plain numbers: groups of three, the sign of the row's currency in front or
    behind, a minus behind (as ERP systems print it) and brackets for a negative amount.
    """
    if not comma and _PLAIN_AMOUNT.fullmatch(text):
        return text
    if not text or len(text) > _MAX_AMOUNT:
        return None
    text = _NO_CENTS.sub("", text.strip(_BLANKS).replace("−", "-"))
    unsigned = _without_sign_of_currency(text, currency)
    if unsigned is None:
        return None
    body, negative = _minus_in_front(unsigned)
    if currency in _LAKHS and not comma and _LAKH.fullmatch(body):
        body = body.replace(",", "")
    found = (_COMMA if comma else _POINT).fullmatch(body)
    if found is None or (negative and found.group(1)):
        return None
    minus, whole, group, fraction = found.groups()
    if group:
        whole = whole.replace(group, "")
    plain = f"{whole}.{fraction}" if fraction else whole
    return f"-{plain}" if minus or negative else plain


def currency_of(text: str) -> str:
    """Give the currency that an amount names by its code or by a sign that has one meaning."""
    code = _CODE.search(text)
    if code is not None:
        return code[0] if code[0] in EXPONENTS else ""
    sign = next((one for one in _CURRENCY_SIGNS if one in text), "")
    known = _CURRENCY_SIGNS.get(sign, frozenset())
    return next(iter(known)) if len(known) == 1 else ""


def _without_sign_of_currency(body: str, currency: str) -> str | None:
    if currency and body.endswith(currency):
        return body.removesuffix(currency).rstrip(_BLANKS)
    if currency and body.startswith(currency):
        return body.removeprefix(currency).lstrip(_BLANKS)
    for sign, currencies in _CURRENCY_SIGNS.items():
        if sign in body:
            if body.count(sign) > 1 or currency not in currencies:
                return None
            return body.replace(sign, "").strip(_BLANKS)
    return body


def _minus_in_front(body: str) -> tuple[str, bool]:
    """Take brackets or a minus behind off; tell whether there was one."""
    if body.startswith("(") and body.endswith(")"):
        return body[1:-1].strip(_BLANKS), True
    if body.endswith("-"):
        return body[:-1].strip(_BLANKS), True
    if body.startswith("+") and body[1:2] not in {"-", "+"}:
        return body[1:].lstrip(_BLANKS), False
    return (f"-{body[2:]}" if body.startswith("- ") else body), False


def fits_point(text: str) -> bool:
    """Tell whether an amount can be read with a decimal point."""
    return _fits(_POINT, text)


def fits_comma(text: str) -> bool:
    """Tell whether an amount can be read with a decimal comma."""
    return _fits(_COMMA, text)


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    text = _NO_CENTS.sub("", text.strip(_BLANKS))
    body = _SIGN.sub("", _CODE.sub("", text)).strip(_BLANKS + "()+-−")
    return len(body) <= _MAX_AMOUNT and pattern.fullmatch(body) is not None
