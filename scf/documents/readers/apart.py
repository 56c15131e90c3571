"""Read a large file of documents in a process of its own, and bring what was read back whole.

A file of many documents takes time in proportion to its size; a small one costs less than a
process would. What comes back is JSON and never pickled: a child led astray can say wrong things
about its own file and nothing else.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO, Any, Final

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Identifier,
    Kind,
    Line,
    ParsedFile,
    Party,
    Reference,
    Source,
    TaxIdentity,
    TaxSubtotal,
)
from scf.kernel import confined
from scf.kernel.errors import words_as_stored, words_from_stored
from scf.kernel.findings import Finding, Severity

SMALL: Final = 250_000

_TUPLES: Final[dict[str, type]] = {
    one.__name__: one
    for one in (
        Account,
        CanonicalDocument,
        Identifier,
        Line,
        Party,
        Reference,
        TaxIdentity,
        TaxSubtotal,
    )
}
_KIND: Final = CanonicalDocument._fields.index("kind")


def read_apart(name: str, data: bytes, today: dt.date | None) -> ParsedFile:
    """Read a file of a format in a limited process.

    Raises
    ------
    InvalidInput
        FILE_BROKEN when the process fell over the file.
    TooLarge
        READING_LIMIT when it was ended.
    """
    day = today.isoformat() if today else ""
    with confined.run("scf.documents.readers.apart:work", data, {"name": name, "day": day}) as told:
        return from_plain(json.load(told))


def work(source: IO[bytes], answer: IO[bytes], *, name: str, day: str) -> None:
    """Read the file and write what came of it."""
    from scf.documents.readers.files import read_here

    today = dt.date.fromisoformat(day) if day else None
    answer.write(json.dumps(as_plain(read_here(name, source.read(), today))).encode())


def as_plain(parsed: ParsedFile) -> list[Any]:
    """Give what was read, ready for JSON."""
    return [
        [_plain(one) for one in parsed.documents],
        [_plain(one) for one in parsed.findings],
        parsed.format,
        parsed.refused,
        [[_plain(one) for one in findings] for findings in parsed.refusals],
    ]


def from_plain(told: list[Any]) -> ParsedFile:
    """Give what was read from its JSON."""
    documents, findings, form, refused, refusals = told
    return ParsedFile(
        tuple(_lively(one) for one in documents),
        tuple(_lively(one) for one in findings),
        form,
        refused,
        tuple(tuple(_lively(one) for one in own) for own in refusals),
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Write a value; what JSON does not know is an object with its name."""
    if value is None or type(value) in (int, str, bool):
        return value
    if isinstance(value, tuple):
        name = type(value).__name__
        return [name if name in _TUPLES else "", *(_plain(one) for one in value)]
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, Finding):
        return {"finding": finding_plain(value)}
    if isinstance(value, Source):
        maps = [dict(value.places), dict(value.line_places)]
        return {"source": [value.format, value.row, value.root, *maps]}
    return str(value)  # a word of a list of ours: Kind, Word


def _lively(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(value, list):
        kind = _TUPLES.get(value[0])
        parts = [_lively(one) for one in value[1:]]
        if kind is None:
            return tuple(parts)
        if kind is CanonicalDocument:
            parts[_KIND] = Kind(parts[_KIND])
        return kind(*parts)
    return _object(value) if isinstance(value, Mapping) else value


def _object(value: Mapping[str, Any]) -> object:
    if "day" in value:
        return dt.date.fromisoformat(value["day"])
    if "source" in value:
        form, row, root, places, line_places = value["source"]
        return Source(form, row, root, MappingProxyType(places), MappingProxyType(line_places))
    return finding_from_plain(value["finding"])


def finding_plain(found: Finding) -> list[Any]:
    """Give a finding, ready for JSON."""
    words = words_as_stored(found.message)
    return [found.severity, found.code, str(found.message), words, found.place, found.value]


def finding_from_plain(told: list[Any]) -> Finding:
    """Give a finding from its JSON."""
    severity, code, text, words, place, shown = told
    return Finding(Severity(severity), code, words_from_stored(text, words), place, shown)
