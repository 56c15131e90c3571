"""Take typed values out of a bank message and note, with its place, whatever is wrong.

Elements are found by local name inside the namespace of the message: all versions of a message
read alike, and an element smuggled in under a foreign namespace is not seen. An element that may
stand once and stands twice is an error, never the first or the last of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.money import parse_minor
from scf.kernel.xml import Element, namespace, place_of
from scf.settlement.readers.notes import Notes

MAX_TEXT: Final = 1_000

_BLANKS = re.compile(r"[ \t\r\n]+")
_DAY = re.compile(
    r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]{5,20})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


class Fields(Notes):
    """Reads the fields of one message and gathers the findings about them."""

    def __init__(self, body: Element) -> None:
        """Start without findings, in the namespace of the message's body."""
        super().__init__()
        space = namespace(body)
        self._prefix = f"{{{space}}}" if space else ""
        self._places: dict[Element, str] = {}

    def each(self, parent: Element | None, name: str, place: str) -> Iterator[tuple[Element, str]]:
        """Walk the children of that name with the place of each, kept for findings inside it."""
        found = self.many(parent, name)
        for number, child in enumerate(found, start=1):
            self._places[child] = (
                f"{place}/{name}[{number}]" if len(found) > 1 else f"{place}/{name}"
            )
            yield child, self._places[child]
            del self._places[child]

    def _place(self, at: Element | str) -> str:
        return at if isinstance(at, str) else place_of(at, self._places)

    def many(self, parent: Element | None, name: str) -> list[Element]:
        """Return the direct children of that name in the message's namespace."""
        return [] if parent is None else list(parent.iterchildren(self._prefix + name))

    def one(self, parent: Element | None, *path: str) -> Element | None:
        """Go down a path of elements that each may stand once."""
        for name in path:
            if parent is None:
                return None
            found = parent.iterchildren(self._prefix + name)
            parent = next(found, None)
            again = next(found, None)
            if again is not None:
                self.error(
                    "ELEMENT_REPEATED",
                    Words("%(element)s may stand once here.", element=name),
                    again,
                )
                return None
        return parent

    def text(self, parent: Element | None, *path: str) -> str:
        """Return the text at a path with its blanks tidied, or an empty text."""
        return self.own_text(self.one(parent, *path))

    def own_text(self, element: Element | None) -> str:
        """Return an element's own text with its blanks tidied, cut at MAX_TEXT."""
        if element is None or not element.text:
            return ""
        tidy = _BLANKS.sub(" ", element.text).strip()
        if len(tidy) > MAX_TEXT:
            message = Words("The text was cut at %(limit)s characters.", limit=MAX_TEXT)
            self.warn("TEXT_TOO_LONG", message, element)
            return tidy[:MAX_TEXT]
        return tidy

    def choice(self, parent: Element | None, *names: str) -> str:
        """Return the text of the first of several alternatives that is there."""
        return next((found for name in names if (found := self.text(parent, name))), "")

    def amount(self, element: Element) -> tuple[int, str] | None:
        """Read an amount with its ``Ccy`` attribute as minor units, unsigned.

        Zeros beyond the currency's digits say nothing (``8.850`` EUR is 885); any other digit
        there is refused, since no bank books a part of a cent.
        """
        raw = (element.text or "").strip(" \t\r\n")
        currency = (element.get("Ccy") or "").strip(" \t\r\n")
        if len(element):
            self.error("AMOUNT_FORMAT", "An amount holds no other elements.", element, raw)
            return None
        try:
            return parse_minor(raw, currency), currency
        except InvalidInput as refused:
            self.error(refused.code, refused.words, element, f"{raw} {currency}".strip())
            return None

    def signed(self, amount: Element, indicator: Element | None) -> tuple[int, str] | None:
        """Read an amount and its credit or debit indicator: money in is positive."""
        read = self.amount(amount)
        mark = self.own_text(indicator)
        if mark not in {"CRDT", "DBIT"}:
            self.error(
                "CREDIT_DEBIT",
                "An amount needs exactly one indicator CRDT or DBIT.",
                amount if indicator is None else indicator,
                mark,
            )
            return None
        if read is None:
            return None
        return (read[0] if mark == "CRDT" else -read[0]), read[1]

    def day(self, parent: Element | None, *path: str) -> date | None:
        """Read the day of a date or of an instant, as the bank's own clock shows it."""
        holder = self.one(parent, *path)
        if holder is None:
            return None
        source = holder
        for name in ("Dt", "DtTm"):
            inner = self.one(holder, name)
            if inner is not None:
                source = inner
                break
        raw = (source.text or "").strip(" \t\r\n")
        shape = _DAY.fullmatch(raw)
        try:
            # An empty text stands for "no date in there": both are refused below.
            return date.fromisoformat(shape.group(1) if shape else "")
        except ValueError:
            self.error("DATE", "This is not a date.", source, raw)
            return None
