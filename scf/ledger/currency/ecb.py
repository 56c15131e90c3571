"""Reading of the euro reference rates as the European Central Bank publishes them.

Two forms: XML in the envelope of gesmes, whose ``Cube`` elements carry ``time``, then ``currency``
and ``rate`` (of one day, of 90 days, or of the whole history), and CSV with a column per currency,
whose days are ISO dates or written out ("23 November 2026"). One euro is so many units of each.
"""

import csv
import datetime as dt
import re
from typing import Final

from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import EXPONENTS
from scf.kernel.xml import children, load_xml, local_name, place_of
from scf.ledger.currency.rates import parse_rate

SOURCE: Final = "ECB"
MAX_BYTES: Final = 20_000_000
MAX_RATES: Final = 400_000
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]{2,8}) ([0-9]{4})")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_MONTH_OF: Final = {name: n for n, name in enumerate(_MONTHS, 1)}
_MONTH_OF_SHORT: Final = {name[:3]: n for n, name in enumerate(_MONTHS, 1)}
_NONE: Final = frozenset({"", "N/A"})

Row = tuple[str, str, dt.date, str]
"""Base, quote, day, rate as published."""


def read_rates(data: bytes, currencies: frozenset[str] = frozenset()) -> list[Row]:
    """Return the rates of a file against the euro, only of these currencies where some are named.

    Raises
    ------
    InvalidInput
        RATES_FORM where it is neither form; RATES_TOO_MANY; RATES_TWICE where a day gives a
        currency twice; RATES_CELL, RATE_FORMAT, RATE_RANGE with the place; and what
        ``load_xml`` refuses.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "RATES_TOO_MANY",
            "The file has %(measured)s bytes; %(limit)s are allowed.",
            measured=len(data),
            limit=MAX_BYTES,
        )
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    rows = _of_xml(data) if start == b"<" else _of_csv(data)
    found: dict[tuple[str, dt.date], str] = {}
    for code, day, text, place in rows:
        if code not in EXPONENTS or code == "EUR" or (currencies and code not in currencies):
            continue  # currencies that are gone are in every history
        if (code, day) in found:
            raise InvalidInput(
                "RATES_TWICE", "%(place)s gives a currency of a day twice.", place=place
            )
        try:
            found[code, day] = parse_rate(text)
        except InvalidInput as refused:
            raise InvalidInput(
                refused.code,
                '%(place)s: "%(value)s" is no exchange rate.',
                place=place,
                value=shown(text, 40),
            ) from None
        if len(found) > MAX_RATES:
            raise InvalidInput(
                "RATES_TOO_MANY",
                "The file has more than %(limit)s rates.",
                limit=MAX_RATES,
            )
    if not found:
        raise InvalidInput("RATES_FORM", "The file holds no rate of the currencies asked for.")
    return [("EUR", code, day, text) for (code, day), text in found.items()]


def _of_xml(data: bytes) -> list[tuple[str, dt.date, str, str]]:
    root = load_xml(data, max_bytes=MAX_BYTES, max_elements=MAX_RATES)
    if local_name(root) != "Envelope":
        raise InvalidInput("RATES_FORM", "The file is no publication of reference rates.")
    found = []
    for outer in children(root, "Cube"):
        for dated in children(outer, "Cube"):
            place = place_of(dated)
            day = _day(dated.get("time", ""), place)
            for number, cube in enumerate(children(dated, "Cube"), 1):
                where = f"{place}/Cube[{number}]"
                found.append((cube.get("currency", ""), day, cube.get("rate", ""), where))
    return found


def _of_csv(data: bytes) -> list[tuple[str, dt.date, str, str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("RATES_FORM", "The file is neither XML nor UTF-8 text.") from None
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error:
        raise InvalidInput("RATES_FORM", "The file cannot be read as CSV.") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    if not header or header[0] != "Date":
        raise InvalidInput("RATES_FORM", "The file is no publication of reference rates.")
    found = []
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        day = _day(cells[0].strip(), f"row {number}, column Date")
        for code, cell in zip(header[1:], cells[1:], strict=False):
            if code and cell.strip() not in _NONE:
                found.append((code, day, cell.strip(), f"row {number}, column {shown(code, 12)}"))
    return found


def _day(text: str, place: str) -> dt.date:
    try:
        if _ISO.fullmatch(text):
            return dt.date.fromisoformat(text)
        words = _WORDS.fullmatch(text)
        if words:
            month = _MONTH_OF.get(words[2]) or _MONTH_OF_SHORT.get(words[2])
            if month:
                return dt.date(int(words[3]), month, int(words[1]))
    except ValueError:
        pass
    raise InvalidInput(
        "RATES_CELL", '%(place)s: "%(value)s" is no day.', place=place, value=shown(text, 40)
    )
