"""A journal as a posting batch (Buchungsstapel) of the DATEV format.

Header 700, category 21, version 13; CP1252, semicolons, a decimal comma. One row holds one amount,
its account and the account against it, so an entry of many lines becomes pairs. Days have no year
there: a batch lies within one fiscal year. Source: DATEV, description of the DATEV format, posting
batch, header and fields 1 to 125.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from scf.accounting.journal import JournalLine
from scf.accounting.mapping.reading import Numbers
from scf.accounting.writers.harmless import cell, one_line
from scf.accounting.writers.pairs import Pair, pairs
from scf.kernel.errors import RuleViolation
from scf.kernel.money import exponent, format_minor

CHARSET: Final = "cp1252"
MOST_ROWS: Final = 99_999
_MOST_MINOR: Final = 10**12 - 1  # ten digits before the comma
_TEXT, _PLACE, _FIELD, _KIND, _CONTENT, _TITLE = 60, 36, 125, 20, 210, 30
_NOT_IN_PLACE: Final = re.compile(r"[^A-Za-z0-9$&%*+/-]")


def _numbered(kind: str, content: str, most: int) -> list[str]:
    return [f"{word} {place}" for place in range(1, most + 1) for word in (kind, content)]


COLUMNS: Final = (
    "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz",
    "WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum",
    "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext", "Postensperre",
    "Diverse Adressnummer", "Geschäftspartnerbank", "Sachverhalt", "Zinssperre", "Beleglink",
    *_numbered("Beleginfo - Art", "Beleginfo - Inhalt", 8),
    "KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge",
    "EU-Land u. UStID (Bestimmung)", "EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart",
    "Sachverhalt L+L", "Funktionsergänzung L+L", "BU 49 Hauptfunktionstyp",
    "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung",
    *_numbered("Zusatzinformation - Art", "Zusatzinformation - Inhalt", 20),
    "Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr",
    "Zugeordnete Fälligkeit", "Skontotyp", "Auftragsnummer", "Buchungstyp",
    "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)", "Sachverhalt L+L (Anzahlungen)",
    "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz", "Buchungs GUID",
    "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername",
    "Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer", "Postensperre bis",
    "Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung", "Festschreibung",
    "Leistungsdatum", "Datum Zuord. Steuerperiode", "Fälligkeit", "Generalumkehr (GU)",
    "Steuersatz", "Land", "Abrechnungsreferenz", "BVV-Position", "EU-Land u. UStID (Ursprung)",
    "EU-Steuersatz (Ursprung)", "Abw. Skontokonto",
)  # fmt: skip
_EXTRA: Final = COLUMNS.index("Zusatzinformation - Art 1")


@dataclass(frozen=True, slots=True)
class Batch:
    """What the header says: the days, both included, when it was made, and its title."""

    from_on: dt.date
    to_on: dt.date
    made_at: dt.datetime
    title: str


def fiscal_year(day: dt.date, starts: str) -> dt.date:
    """Give the first day of the fiscal year in which a day lies; ``starts`` is MM-DD."""
    month, first = (int(part) for part in starts.split("-"))
    start = dt.date(day.year, month, first)
    return start if start <= day else dt.date(day.year - 1, month, first)


def to_datev(
    lines: Iterable[JournalLine], numbers: Numbers, batch: Batch, papers: Mapping[str, str]
) -> bytes:
    """Write a posting batch; ``papers`` is the invoice number behind a subject.

    A pair within one number moves nothing there and is left out.

    Raises
    ------
    RuleViolation
        ACCOUNTS_UNMAPPED; DATEV_YEAR for days of two fiscal years; DATEV_CURRENCY for entries in
        another currency than the client's; DATEV_AMOUNT and DATEV_ROWS for what it cannot hold.
    """
    every = list(lines)
    details = numbers.details
    # Without any number of the firm there is no batch, not even an empty one.
    accounts = numbers.of([*(line.account_code for line in every), *(() if details else ("cash",))])
    year = fiscal_year(batch.from_on, details["year_start"])
    if fiscal_year(batch.to_on, details["year_start"]) != year:
        raise RuleViolation(
            "DATEV_YEAR",
            "A DATEV batch lies within one fiscal year. Take the days of one year at a time.",
            year_start=details["year_start"],
        )
    _must_be_its_currency(every, details["currency"])
    rows = [
        _row(pair, accounts, papers)
        for _entry_id, group in groupby(every, key=lambda line: line.entry_id)
        for pair in pairs(list(group))
        if accounts[pair.debit.account_code] != accounts[pair.credit.account_code]
    ]
    if len(rows) > MOST_ROWS:
        raise RuleViolation(
            "DATEV_ROWS",
            "A DATEV batch has at most %(limit)s rows, these are %(rows)s. Take fewer days.",
            limit=MOST_ROWS,
            rows=len(rows),
        )
    out = [_head(details, batch, year), ";".join(COLUMNS), *rows]
    return ("\r\n".join(out) + "\r\n").encode(CHARSET)


def _must_be_its_currency(lines: list[JournalLine], currency: str) -> None:
    others = sorted({line.currency for line in lines} - {currency})
    if others or (lines and exponent(currency) != 2):  # noqa: PLR2004 - its amounts have two digits
        raise RuleViolation(
            "DATEV_CURRENCY",
            "The client's books at DATEV are kept in %(currency)s, and no rate is booked for "
            "%(others)s. Take the CSV for those.",
            currency=currency,
            others=", ".join(others) or currency,
        )


def _head(details: Mapping[str, str], batch: Batch, year: dt.date) -> str:
    made = batch.made_at.strftime("%Y%m%d%H%M%S") + f"{batch.made_at.microsecond // 1000:03d}"
    days = [f"{day:%Y%m%d}" for day in (year, batch.from_on, batch.to_on)]
    return ";".join(
        [
            '"EXTF"', "700", "21", '"Buchungsstapel"', "13", made, "", '"TR"', '"Tributary"', '""',
            details["consultant"], details["client"], days[0], details["account_length"],
            days[1], days[2], _quoted(batch.title, _TITLE), '""', "1", "0", "0",
            f'"{details["currency"]}"', "", '""', "", "", f'"{details.get("chart", "")}"', "", "",
            '""', '""',
        ]
    )  # fmt: skip


def _row(pair: Pair, accounts: Mapping[str, str], papers: Mapping[str, str]) -> str:
    line = pair.debit
    if pair.amount_minor > _MOST_MINOR:
        raise RuleViolation(
            "DATEV_AMOUNT",
            "A row of a DATEV batch holds less than 10,000,000,000.00. Take the CSV for entry "
            "%(entry)s.",
            entry=line.entry_id,
        )
    paper = papers.get(line.subject_id, "")
    row = [""] * _FIELD
    row[0] = format_minor(pair.amount_minor, line.currency).replace(".", ",")
    row[1] = '"S"'
    row[2] = f'"{line.currency}"'
    row[6] = accounts[line.account_code]
    row[7] = accounts[pair.credit.account_code]
    row[9] = f"{line.booked_on:%d%m}"
    row[10] = f'"{_NOT_IN_PLACE.sub("-", paper or line.entry_id)[:_PLACE]}"'
    row[13] = _quoted(line.narrative or line.event_kind, _TEXT)
    more = (
        ("Buchung", line.entry_id),
        ("Ereignis", line.event_kind),
        ("Ereignis-ID", line.event_id),
        ("Vorgang", line.subject_id),
        ("Wertstellung", f"{line.value_on:%d.%m.%Y}"),
        ("Rechnung", paper),
    )
    for place, (kind, content) in enumerate(one for one in more if one[1]):
        row[_EXTRA + 2 * place] = _quoted(kind, _KIND)
        row[_EXTRA + 2 * place + 1] = _quoted(content, _CONTENT)
    return ";".join(row)


def _quoted(text: str, most: int) -> str:
    """Write a text in quotes, in signs that CP1252 has; a spreadsheet runs none of it."""
    plain = cell("".join(_sign(sign) for sign in one_line(text)))[:most].rstrip()
    return '"' + plain.replace('"', '""') + '"'


def _sign(sign: str) -> str:
    try:
        sign.encode(CHARSET)
    except UnicodeEncodeError:
        near = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode("ascii")
        return near or "?"
    return sign
