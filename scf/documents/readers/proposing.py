"""Propose what the columns of a table mean, from their names and from what stands in them.

A person confirms instead of typing. What cannot be decided from the data (is 03/04 March or April?
is 1,234 a thousand?) is said, and left to that person; so is every column that was taken for its
values or for a name that is only nearly a known one.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from scf.documents.canonical import Kind
from scf.documents.readers.adjusting import (
    amount_of_a_line,
    numbers_are_no_names,
    side_of_ledger,
)
from scf.documents.readers.again import not_ours
from scf.documents.readers.cells import is_scaled, scale_refused, type_of
from scf.documents.readers.mapping import (
    AMOUNT_FIELDS,
    DATE_FIELDS,
    ColumnMapping,
    fields_of,
    required_fields_of,
)
from scf.documents.readers.text import either
from scf.documents.readers.values import (
    DATE_FORMATS,
    SPELT_DATES,
    DateFormat,
    currency_of,
    fits_comma,
    fits_point,
    read_date,
)
from scf.documents.readers.vocabulary import currency_in, kind_of, plain, vocabulary
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

_NEAR: Final = 87  # of a hundred: one letter wrong in eight
_LONG_ENOUGH: Final = 6
_MOST: Final = 0.8  # of the values of a column, for it to be of one sort
_FEW: Final = 2
_CONFUSED: Final = ({"DD/MM/YYYY", "MM/DD/YYYY"}, {"DD/MM/YY", "MM/DD/YY"})
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_VAT: Final = re.compile(
    r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)"
    r"[0-9A-Z]{8,12}"
)
_FIRM: Final = re.compile(
    r"\b(?:gmbh|ag|kg|ohg|e\.?k|ltd|limited|plc|llp|llc|inc|corp|co|s\.?a\.?r\.?l|sas|s\.?a|"
    r"s\.?l|s\.?p\.?a|s\.?r\.?l|b\.?v|n\.?v|oy|ab|a/s|aps|sp\. ?z ?o\.? ?o|lda)\.?\s*$"
    r"|公司|厂$|주식회사|㈜",
    re.IGNORECASE,
)


@dataclass
class Proposal:
    """What a header and some rows suggest, whole or not; a person completes and confirms it."""

    kind: Kind
    columns: dict[str, str]
    date_formats: tuple[DateFormat, ...] = ("YYYY-MM-DD",)
    decimal: Literal["point", "comma"] = "point"
    currency: str = ""  # of the amounts, where no column says it but a name or a sign does
    guessed: set[str] = field(default_factory=set)  # columns not taken for their known name
    findings: list[Finding] = field(default_factory=list)

    def has(self, code: str) -> bool:
        """Tell whether something of this kind was found."""
        return any(found.code == code for found in self.findings)

    def missing(self) -> list[str]:
        """Give what every row must have and no column is taken for."""
        given = self.columns.keys() | ({"currency"} if self.currency else set())
        return [name for name in required_fields_of(self.kind) if name not in given]

    def mapping(self, constants: Mapping[str, str] | None = None) -> ColumnMapping:
        """Give the mapping, with what its sender knows and no column says."""
        known = (constants or {}).items()
        return ColumnMapping(
            kind=self.kind,
            columns=self.columns,
            constants={name: value for name, value in known if name not in self.columns},
            date_formats=self.date_formats,
            decimal=self.decimal,
            default_currency="" if "currency" in self.columns else self.currency,
        )


def propose_mapping(
    header: Sequence[str],
    sample: Sequence[Sequence[str]],
    kind: Kind | None = None,
    *,
    more: "More | None" = None,
    numbers: Collection[str] = (),
) -> tuple[ColumnMapping | None, list[Finding]]:
    """Propose a mapping from the header and some rows; a person confirms it.

    Returns the mapping, or None where a required field finds no column, and what was decided or
    could not be.
    """
    found = propose_columns(header, sample, kind, more=more, numbers=numbers)
    missing = found.missing()
    findings = found.findings + [
        Finding(
            Severity.ERROR,
            "COLUMN_MISSING",
            Words("No column looks like %(field)s.", field=name),
            "header",
        )
        for name in missing
    ]
    if "payable" in missing or "amount" in missing:
        findings += [scale_refused(name) for name in header if is_scaled(name)]
    return None if missing else found.mapping(), findings


# Gives all values of some columns, for what a sample cannot decide.
More = Callable[[Collection[str]], Iterable[str]]


def propose_columns(
    header: Sequence[str],
    sample: Sequence[Sequence[str]],
    kind: Kind | None = None,
    *,
    more: More | None = None,
    own_words: Mapping[str, str] | None = None,
    partner: str = "",
    numbers: Collection[str] = (),
) -> Proposal:
    """Propose what each column means, even where the table lacks something that it needs.

    ``own_words`` are further names, by field; ``partner`` is the field of a firm that no name
    names, for a column of firms; ``numbers`` are values whose decimal sign is no question.
    """
    header = not_ours(header)
    names = [plain(name) for name in header]
    kind = kind or kind_of(set(names))
    words = dict(vocabulary(kind))
    known = fields_of(kind)
    words.update({plain(name): one for one, name in (own_words or {}).items() if one in known})
    found = Proposal(kind, {})
    _by_name(header, names, words, found)
    table = _Values(header, sample)
    _by_near_name(table, names, words, found)
    if sample:
        _second_thoughts(table, sample, found)
        _types(table, found, more)
        _by_value(table, found, partner)
    if kind is not Kind.PAYMENT and "payable" not in found.columns and "gross" in found.columns:
        # A list with one amount, tax included, says what is to be paid.
        found.columns["payable"] = found.columns.pop("gross")
    values = {name: table.of(column) for name, column in found.columns.items()}
    _dates(values, found, more)
    _decimals(values, found, more, frozenset(numbers))
    if "currency" not in found.columns:
        found.currency = _currency(found.columns, values)
    return found


def _second_thoughts(table: "_Values", sample: Sequence[Sequence[str]], found: Proposal) -> None:
    """Ask the values whether they are what the names say."""

    def take(name: str, column: str) -> None:
        _guess(found, name, column)

    numbers_are_no_names(table.header, table.of, found.columns, take)
    if found.kind is Kind.ORDER:
        column = amount_of_a_line(sample, table.header, found.columns)
        if column:
            del found.columns["payable"]
            take("line_net", column)
    column = side_of_ledger(found.kind, table.header, table.of, found.columns)
    if column and not found.columns.keys() & {"gross", "net"}:
        take("payable", column)


def _types(table: "_Values", found: Proposal, more: More | None) -> None:
    """Keep a column of types where one of its words tells a credit note or is a code."""
    column = found.columns.get("type_code")
    if column is not None and not any(map(type_of, more([column]) if more else table.of(column))):
        del found.columns["type_code"]


def known_names(header: Sequence[str]) -> int:
    """Count the names of a row that name a field, whatever the table holds."""
    names = [plain(name) for name in header]
    words = vocabulary(kind_of(set(names)))
    return len({words[name] for name in names if name in words})


# --- By name ------------------------------------------------------------------------------------


def _by_name(
    header: Sequence[str], names: Sequence[str], words: Mapping[str, str], found: Proposal
) -> None:
    """Take known names; of two for one field the longer, which says more."""
    length: dict[str, int] = {}
    for position, name in enumerate(names):
        meant = words.get(name)
        if meant is None or not header[position].strip() or len(name) <= length.get(meant, 0):
            continue
        found.columns[meant] = header[position]
        length[meant] = len(name)


def _by_near_name(
    table: "_Values", names: Sequence[str], words: Mapping[str, str], found: Proposal
) -> None:
    """Take names that are nearly known, where the values can be what the name would mean."""
    from rapidfuzz import fuzz, process

    header = table.header
    taken = set(found.columns.values())
    for position, name in enumerate(names):
        if len(name) < _LONG_ENOUGH or header[position] in taken or name in words:
            continue
        near = process.extractOne(name, words.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
        if near is None or words[near[0]] in found.columns or is_scaled(header[position]):
            continue
        if _can_be(words[near[0]], table.of(header[position])):
            _guess(found, words[near[0]], header[position])


def _can_be(name: str, values: Sequence[str]) -> bool:
    """Tell whether values are dates, or amounts, where a field wants them ("Invoice account")."""
    if not values:
        return True
    if name in (*DATE_FIELDS, "paid_on"):
        return sum(map(_is_date, values)) >= _MOST * len(values)
    if name in (*AMOUNT_FIELDS, "amount"):
        fits = sum(fits_point(text) or fits_comma(text) for text in values)
        return fits >= _MOST * len(values)
    return True


def _guess(found: Proposal, name: str, column: str) -> None:
    found.columns[name] = column
    found.guessed.add(column)
    message = Words(
        "The column %(column)s is taken for %(field)s, judging by what it looks like.",
        column=repr(column),
        field=name,
    )
    found.findings.append(Finding(Severity.INFO, "COLUMN_GUESSED", message, "header", column))


# --- By value -----------------------------------------------------------------------------------


class _Values:
    """The values of a table by column, the blank ones left out."""

    def __init__(self, header: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        self.header = header
        self._sample = sample

    def of(self, column: str) -> list[str]:
        place = self.header.index(column)
        texts = (row[place].strip() for row in self._sample if place < len(row))
        return [text for text in texts if text]

    def pairs(self, one: str, other: str) -> list[tuple[str, str]]:
        first, second = self.header.index(one), self.header.index(other)
        return [
            (row[first].strip(), row[second].strip())
            for row in self._sample
            if max(first, second) < len(row)
        ]


def _by_value(table: _Values, found: Proposal, partner: str) -> None:
    """Give columns of unknown names to what is still missing, where their values tell."""
    free = {
        name: table.of(name)
        for name in table.header
        if name.strip() and name not in found.columns.values() and not is_scaled(name)
    }
    free = {name: values for name, values in free.items() if len(values) >= _FEW}
    payment = found.kind is Kind.PAYMENT

    def take(name: str, columns: Sequence[str]) -> None:
        if columns and name not in found.columns:
            _guess(found, name, columns[0])
            free.pop(columns[0], None)

    take("currency", _of_sort(free, lambda text: text.upper() in EXPONENTS))
    take("iban", _of_sort(free, lambda text: _IBAN.fullmatch(text.replace(" ", "")) is not None))
    dates = _of_sort(free, _is_date)
    if payment:
        take("paid_on", dates)
    else:
        _issued_and_due(table, found, dates, take)
    amounts = [name for name in _of_sort(free, _is_amount) if name not in dates]
    # The amount to be paid is the largest of a row: tax is in it.
    amounts.sort(key=lambda name: -sum(map(_size, free[name])))
    if payment or "gross" not in found.columns:  # which is what is to be paid, tax included
        take("amount" if payment else "payable", amounts)
    if not payment:
        taken = {*dates, *amounts}
        take("number", [name for name, of in free.items() if name not in taken and _numbers(of)])
    if partner and not any(
        name.startswith(partner.partition("_")[0] + "_") for name in found.columns
    ):
        take(partner, _of_sort(free, lambda text: _FIRM.search(text) is not None, 0.5))
        take(partner.replace("_name", "_vat"), _of_sort(free, _is_vat))


def _issued_and_due(
    table: _Values, found: Proposal, dates: list[str], take: Callable[[str, Sequence[str]], None]
) -> None:
    """Tell two dates apart: what is due is due after it was issued."""
    if "issue_on" not in found.columns and dates:
        dates.sort(key=lambda name: _times_later(_all_pairs(table, name, dates)))
        take("issue_on", dates[:1])
        dates = dates[1:]
    if "due_on" in found.columns or "issue_on" not in found.columns:
        return
    issued = found.columns["issue_on"]
    after = [
        name
        for name in dates
        if (pairs := table.pairs(name, issued))
        and not _times_later([(first, other) for other, first in pairs])
        and _times_later(pairs) >= _MOST * len(pairs)
    ]
    take("due_on", after)


def _all_pairs(table: _Values, name: str, others: Sequence[str]) -> list[tuple[str, str]]:
    return [pair for other in others if other != name for pair in table.pairs(name, other)]


def _times_later(pairs: Sequence[tuple[str, str]]) -> int:
    """Count how often the first of two dates is the later one, all read in one form."""
    known = [
        [(one, two) for first, second in pairs if (one := read_date(first, (form,))) is not None
         and (two := read_date(second, (form,))) is not None]
        for form in SPELT_DATES
    ]  # fmt: skip
    return sum(one > two for one, two in max(known, key=len))


def _of_sort(
    columns: Mapping[str, list[str]], fits: Callable[[str], bool], share: float = _MOST
) -> list[str]:
    return [
        name for name, values in columns.items() if sum(map(fits, values)) >= share * len(values)
    ]


def _is_date(text: str) -> bool:
    return text not in EXPONENTS and read_date(text, SPELT_DATES) is not None


def _is_vat(text: str) -> bool:
    return _VAT.fullmatch(text.replace(" ", "").upper()) is not None


def _is_amount(text: str) -> bool:
    """Tell an amount from a number that counts or names something: it has cents or groups."""
    return re.search(r"[.,'’]\d\d\d?\b", text) is not None and (
        fits_point(text) or fits_comma(text)
    )


def _size(text: str) -> int:
    digits = re.sub(r"[.,]\d{1,2}$", "", text.strip())
    return int("".join(one for one in digits if one.isdecimal()) or 0)


def _numbers(values: Sequence[str]) -> bool:
    """Tell whether values can be the numbers of documents: each another, with digits, short."""
    counted = [str(place) for place in range(1, len(values) + 1)]
    if list(values) in (counted, [str(int(text) - 1) for text in counted]):
        return False  # the rows of a list, counted
    return len(set(values)) == len(values) and all(
        any(one.isdecimal() for one in text) and len(text) <= 40 and not _is_amount(text)  # noqa: PLR2004
        for text in values
    )


# --- How it is written --------------------------------------------------------------------------


def _dates(values: Mapping[str, list[str]], found: Proposal, more: More | None) -> None:
    """Take the form that reads the most dates: some bad rows are no reason to guess none."""
    columns = [name for name in (*DATE_FIELDS, "paid_on") if name in values]
    texts = [text for name in columns for text in values[name]]
    fitting, read = _fitting(texts)
    if more is not None and any(pair <= set(fitting) for pair in _CONFUSED):
        # A sample of the first of the month says nothing; the whole column mostly does.
        texts = list(more([found.columns[name] for name in columns])) or texts
        fitting, read = _fitting(texts)
    iso: DateFormat = "YYYY-MM-DD"
    known = read[fitting[0]] if fitting else 0
    if texts and known + (read[iso] if fitting and fitting[0] != iso else 0) < len(texts):
        message = "The dates of the sample have no one known form; say which in date_formats."
        forms = (fitting[0], iso) if fitting else ()
        other = next(text for text in texts if read_date(text, forms) is None)
        found.findings.append(Finding(Severity.WARNING, "DATE_FORM", message, "", other))
    if not fitting:
        return
    if len(fitting) > 1:
        message = Words(
            "The dates could be %(forms)s; %(proposed)s is proposed.",
            forms=either(fitting),
            proposed=fitting[0],
        )
        found.findings.append(Finding(Severity.WARNING, "DATE_AMBIGUOUS", message, "", texts[0]))
    if {*fitting} & {"DD/MM/YYYY", "DD.MM.YYYY", "DD-MM-YYYY"} and _turned_round(texts):
        message = (
            "The dates that could be read with day and month turned round are date cells, all"
            " others are texts: a spreadsheet has probably turned the cells round. Compare them"
            " with their source."
        )
        found.findings.append(Finding(Severity.WARNING, "DATES_TURNED", message, "", texts[0]))
    mixed = fitting[0] != iso and read[iso]
    found.date_formats = (fitting[0], iso) if mixed else (fitting[0],)


def _turned_round(texts: Sequence[str]) -> bool:
    """Tell whether exactly those dates are cells whose day could be a month."""
    cells = [day for text in texts if (day := read_date(text, ("YYYY-MM-DD",)))]
    rest = [text for text in texts if read_date(text, ("YYYY-MM-DD",)) is None]
    return (
        min(len(cells), len(rest)) > _FEW
        and all(day.day <= 12 for day in cells)  # noqa: PLR2004 - the months of a year
        and not any(read_date(text, ("MM/DD/YYYY",)) for text in map(_slashed, rest))
    )


def _slashed(text: str) -> str:
    return re.sub(r"[.-]", "/", text)


def _fitting(texts: Sequence[str]) -> tuple[list[DateFormat], dict[DateFormat, int]]:
    read = {
        name: sum(read_date(text, (name,)) is not None for text in texts) for name in DATE_FORMATS
    }
    # Date cells come in ISO 8601 whatever the texts beside them are: those decide.
    iso: DateFormat = "YYYY-MM-DD"
    others = {name: count for name, count in read.items() if name != iso and count}
    most = max(others.values(), default=0) or read["YYYY-MM-DD"]
    judged = others or read
    return [name for name in DATE_FORMATS if most and judged.get(name) == most], read


def _decimals(
    values: Mapping[str, list[str]], found: Proposal, more: More | None, numbers: frozenset[str]
) -> None:
    columns = [name for name in (*AMOUNT_FIELDS, "amount", "price") if name in values]
    marked, point, comma = _marked((text for one in columns for text in values[one]), numbers)
    if marked and point == comma and more is not None:
        all_of_them = more([found.columns[name] for name in columns])
        marked, point, comma = _marked(all_of_them, numbers)
    if marked and point == comma:
        message = "The amounts can be read with a decimal point or a comma; point is proposed."
        found.findings.append(
            Finding(Severity.WARNING, "DECIMAL_AMBIGUOUS", message, "", marked[0])
        )
    found.decimal = "comma" if comma > point else "point"


def _marked(texts: Iterable[str], numbers: frozenset[str]) -> tuple[list[str], int, int]:
    """Give the amounts with a sign in them, and how many are read with a point, with a comma."""
    marked = [text for text in texts if re.search(r"[.,]", text) and text not in numbers]
    return marked, sum(map(fits_point, marked)), sum(map(fits_comma, marked))


def _currency(columns: Mapping[str, str], values: Mapping[str, list[str]]) -> str:
    """Give the one currency that the names of the amounts or the signs in them name."""
    fields = [name for name in ("payable", "amount", "gross", "net", "tax") if name in columns]
    named = {currency_in(columns[name]) for name in fields} - {""}
    if not named:
        named = {currency_of(text) for name in fields for text in values[name]} - {""}
    return named.pop() if len(named) == 1 else ""
