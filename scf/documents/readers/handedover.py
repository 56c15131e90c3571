"""The documents of a large table on their way from the process that reads them, as columns.

Rows of one table fill the same few fields, most of them alike: so some hundred documents travel as
one column a field, what is equal on all of them once, and each firm once. Whoever takes them over
checks that every value is of its field's form: a reader led astray can say wrong things about its
own file and nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, Final

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Identifier,
    Kind,
    Line,
    Party,
    Reference,
    Source,
    TaxIdentity,
)
from scf.documents.readers.again import Named
from scf.documents.readers.apart import finding_from_plain, finding_plain
from scf.documents.readers.tablerows import RowReader, TableRow
from scf.kernel.errors import InvalidInput

_AT_ONCE: Final = 250
_LINES_AT_ONCE: Final = 2_500
_MOST: Final = 2**63  # no database keeps more
_EMPTY: Final = CanonicalDocument(Kind.INVOICE)
_PARTIES: Final = ("seller", "buyer", "payee")
_DAYS: Final = ("issue_on", "due_on", "delivered_on")
_TEXTS: Final = (
    "number", "currency", "type_code", "order_reference", "contract_reference",
    "payment_reference", "payment_terms",
)  # fmt: skip
_AMOUNTS: Final = (
    "payable_minor", "gross_minor", "net_minor", "tax_minor", "lines_minor", "prepaid_minor",
    "rounding_minor",
)  # fmt: skip
_LISTS: Final = ("despatch_references", "receipt_references", "notes")
_Column = Sequence[Any]


def handed_over(results: Iterable[TableRow]) -> Iterator[dict[str, Any]]:
    """Give the results of reading, some at a time, ready for JSON."""
    some: list[TableRow] = []
    lines = 0
    for result in results:
        some.append(result)
        lines += len(result.document.lines) if result.document is not None else 0
        if len(some) == _AT_ONCE or lines > _LINES_AT_ONCE:
            yield _packed(some)
            some, lines = [], 0
    if some:
        yield _packed(some)


def taken_over(told: Mapping[str, Any], reader: RowReader) -> Iterator[TableRow]:
    """Give the results back; ``reader`` is one of the same table.

    Raises
    ------
    InvalidInput
        FILE_BROKEN when they are of no form that a reader writes.
    """
    try:
        yield from _unpacked(told, reader)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise InvalidInput("FILE_BROKEN", "The file is damaged and cannot be read.") from None


def _packed(some: Sequence[TableRow]) -> dict[str, Any]:
    documents = [one.document for one in some if one.document is not None]
    columns = dict(zip(CanonicalDocument._fields, zip(*documents, strict=True), strict=False))
    parties: dict[int, tuple[int, Party]] = {}  # by identity: the documents hold them meanwhile
    own: dict[str, _Column] = {}
    same: dict[str, Any] = {}
    for name in chain(["kind"], _PARTIES, _DAYS, _TEXTS, _AMOUNTS, _LISTS, _OTHERS):
        column: _Column = columns.get(name, ())
        if name in _PARTIES:
            column = [_numbered(parties, party) for party in column]
        elif name in _DAYS:
            column = [day and day.isoformat() for day in column]
        if column and column.count(column[0]) == len(column):
            if columns[name][0] != getattr(_EMPTY, name):
                same[name] = column[0]
        elif column:
            own[name] = column
    for name in columns.keys() - _READ.keys() - {"kind", "source", "findings"}:
        if columns[name].count(getattr(_EMPTY, name)) != len(columns[name]):
            raise TypeError(f"no table was thought to fill {name}")
    return {
        "rows": [one.row for one in some],
        "counts": [one.row_count for one in some],
        "none": [place for place, one in enumerate(some) if one.document is None],
        "found": [
            [place, [finding_plain(found) for found in one.findings]]
            for place, one in enumerate(some)
            if one.findings
        ],
        "named": [
            [place, one.named.kind, one.named.number, *_whose(one.named, parties)]
            for place, one in enumerate(some)
            if one.named is not None
        ],
        "parties": [party for _number, party in parties.values()],
        "own": own,
        "same": same,
    }


def _numbered(parties: dict[int, tuple[int, Party]], party: Party | None) -> int | None:
    if party is None:
        return None
    return parties.setdefault(id(party), (len(parties), party))[0]


def _whose(named: Named, parties: dict[int, tuple[int, Party]]) -> list[Any]:
    day = named.issue_on and named.issue_on.isoformat()
    return [day, _numbered(parties, named.seller), _numbered(parties, named.buyer)]


def _named(told: Mapping[str, Any], parties: Sequence[Party]) -> dict[int, Named]:
    return {
        place: Named(
            Kind(kind), _words([number])[0], day and _day(day), parties[seller], parties[buyer]
        )
        for place, kind, number, day, seller, buyer in told["named"]
    }


def _unpacked(told: Mapping[str, Any], reader: RowReader) -> Iterator[TableRow]:
    rows, none = told["rows"], frozenset(told["none"])
    _all_are(int, rows)
    _all_are(int, told["counts"])
    found = {
        place: tuple(finding_from_plain(one) for one in findings)
        for place, findings in told["found"]
    }
    parties = [_party(*one) for one in told["parties"]]
    named = _named(told, parties)
    documents = _documents(
        told, parties, [row for at, row in enumerate(rows) if at not in none], reader
    )
    for place, (row, count) in enumerate(zip(rows, told["counts"], strict=True)):
        findings = found.get(place, ())
        document = None if place in none else next(documents)
        if findings and document is not None:
            document = document.with_findings(findings)
        yield TableRow(row, document, findings, count, named.get(place))


def _documents(
    told: Mapping[str, Any], parties: Sequence[Party], rows: Sequence[int], reader: RowReader
) -> Iterator[CanonicalDocument]:
    own, same = told["own"], told["same"]
    if (own.keys() | same.keys()) - _READ.keys() - {"kind"}:
        raise ValueError
    if any(len(column) != len(rows) for column in own.values()):
        raise ValueError
    columns: list[Iterable[Any]] = []
    for name in CanonicalDocument._fields:
        if name == "kind":
            told_of = own.get(name) or [same.get(name, _EMPTY.kind)] * len(rows)
            columns.append(_kinds(told_of, reader))
        elif name in own:
            columns.append(_READ[name](own[name], parties))
        elif name in same:
            columns.append(repeat(_READ[name]([same[name]], parties)[0]))
        elif name == "source":
            places, line_places = reader.places, reader.line_places
            columns.append([Source("csv", row, "", places, line_places) for row in rows])
        else:
            columns.append(repeat(getattr(_EMPTY, name)))
    return map(CanonicalDocument._make, zip(*columns, strict=False))


# --- One function per form of value -----------------------------------------------------------


def _all_are(kind: type, values: Iterable[Any], *, or_none: bool = False) -> None:
    if not set(map(type, values)) <= ({kind, type(None)} if or_none else {kind}):
        raise TypeError


def _texts(values: _Column, _parties: Sequence[Party]) -> _Column:
    _all_are(str, values)
    return values


def _amounts(values: _Column, _parties: Sequence[Party]) -> _Column:
    _all_are(int, values, or_none=True)
    if any(value is not None and not -_MOST < value < _MOST for value in values):
        raise ValueError
    return values


def _days(values: _Column, _parties: Sequence[Party]) -> _Column:
    return [value and _day(value) for value in values]


# The days of a file come again and again.
@lru_cache(maxsize=5_000)
def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _chosen(values: _Column, parties: Sequence[Party]) -> _Column:
    return [None if value is None else parties[value] for value in values]


def _lists(values: _Column, _parties: Sequence[Party]) -> _Column:
    return [_words(value) for value in values]


def _words(values: Sequence[Any]) -> tuple[str, ...]:
    _all_are(str, values)
    return tuple(values)


def _references(values: _Column, _parties: Sequence[Party]) -> _Column:
    # A table states no day of what it refers to.
    return [tuple(Reference(number) for number in _numbers_of(value)) for value in values]


def _numbers_of(references: Iterable[Sequence[Any]]) -> tuple[str, ...]:
    return _words([number for number, _day in references])


def _accounts(values: _Column, _parties: Sequence[Party]) -> _Column:
    return [tuple(Account(*_words(one)) for one in value) for value in values]


def _tax(values: _Column, _parties: Sequence[Party]) -> _Column:
    return [None if value is None else TaxIdentity(*_words(value)) for value in values]


def _kinds(values: _Column, reader: RowReader) -> _Column:
    """Give the kinds of documents: that of the table, or credit notes that its mapping knows."""
    crediting = {Kind.CREDIT_NOTE} if reader.mapping.credit_by else set()
    if not {*values} <= {reader.kind} | crediting:
        raise ValueError
    return [Kind(value) for value in values]


def _all_lines(values: _Column, _parties: Sequence[Party]) -> _Column:
    return [tuple(map(_line, value)) for value in values]


_ITEMS: Final = Line._fields.index("item_ids")
_NUMBERS: Final = [place for place, one in enumerate(Line()) if one is None or type(one) is int]
_WORDS: Final = [place for place, one in enumerate(Line()) if type(one) is str]
_DELIVERED: Final = Line._fields.index("delivered_on")


def _line(parts: list[Any]) -> Line:
    _all_are(str, [parts[place] for place in _WORDS])
    _amounts([parts[place] for place in _NUMBERS], ())
    if parts[_DELIVERED] is not None:  # no column of a table says it
        raise ValueError
    parts[_ITEMS] = _identifiers(parts[_ITEMS])
    return Line._make(parts)


def _party(name: str, country: str, numbers: list[list[str]], *more: str) -> Party:
    return Party._make((*_words([name, country]), _identifiers(numbers), *_words(more)))


def _identifiers(values: list[list[str]]) -> tuple[Identifier, ...]:
    return tuple(Identifier(*_words(one)) for one in values)


_OTHERS: Final[dict[str, Callable[[_Column, Sequence[Party]], _Column]]] = {
    "lines": _all_lines,
    "billing_references": _references,
    "accounts": _accounts,
    "tax_identity": _tax,
}
_READ: Final = {
    **dict.fromkeys(_PARTIES, _chosen),
    **dict.fromkeys(_DAYS, _days),
    **dict.fromkeys(_TEXTS, _texts),
    **dict.fromkeys(_AMOUNTS, _amounts),
    **dict.fromkeys(_LISTS, _lists),
    **_OTHERS,
}
