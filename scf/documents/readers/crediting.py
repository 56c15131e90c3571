"""Credit notes among the rows of a list: by their type, or by a minus and the invoice they name.

What a row is, the mapping says and nobody guesses: without its word a row of the type of a credit
note and a row below zero are refused. Read as a credit note, a row becomes what an XML credit note
of the same content becomes; its amounts are then above zero.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from scf.documents.canonical import CanonicalDocument, Kind, Line
from scf.documents.checks import CREDIT_CODES
from scf.kernel.findings import Finding, Severity

_TURNED: Final = (
    "payable_minor",
    "gross_minor",
    "net_minor",
    "tax_minor",
    "lines_minor",
    "prepaid_minor",
    "rounding_minor",
)


def as_credit_note(
    document: CanonicalDocument, credit_by: Collection[str], found: list[Finding]
) -> CanonicalDocument:
    """Make a row the credit note that it is by the word of the mapping, or leave it as it is.

    ``credit_by`` holds "type" where the type decides, and "sign" where credit notes stand with a
    minus: then one without is refused, and so is a minus that names no invoice. In a list of
    credit notes every row is one.
    """
    typed = document.kind is Kind.CREDIT_NOTE or (
        "type" in credit_by and document.type_code in CREDIT_CODES
    )
    below = (document.payable_minor or 0) < 0
    if "sign" not in credit_by:
        return document._replace(kind=Kind.CREDIT_NOTE) if typed else document
    if typed and (document.payable_minor or 0) > 0:
        message = (
            "The credit notes of this list stand with a minus, and this one has none. Is it an"
            " invoice?"
        )
        place = document.place("payable")
        found.append(Finding(Severity.ERROR, "CREDIT_SIGN", message, place, document.number))
        return document._replace(kind=Kind.CREDIT_NOTE)
    if below and not typed and not document.billing_references:
        message = (
            "A row below zero is read as a credit note only where it names the invoice that it"
            " credits."
        )
        place = document.place("billing_reference")
        found.append(Finding(Severity.ERROR, "CREDIT_UNNAMED", message, place, document.number))
    elif below:
        return _turned(document)
    elif typed:
        return document._replace(kind=Kind.CREDIT_NOTE)
    return document


def _turned(document: CanonicalDocument) -> CanonicalDocument:
    amounts = {name: -minor for name in _TURNED if (minor := getattr(document, name)) is not None}
    lines = tuple(map(_turned_line, document.lines))
    return document._replace(kind=Kind.CREDIT_NOTE, lines=lines, **amounts)


def _turned_line(line: Line) -> Line:
    """Turn one factor of a line with its amount, so that quantity times price stays what it is."""
    net = None if line.net_minor is None else -line.net_minor
    if line.price.startswith("-") and not line.quantity.startswith("-"):
        return line._replace(net_minor=net, price=line.price[1:])
    return line._replace(net_minor=net, quantity=_negated(line.quantity))


def _negated(decimal: str) -> str:
    if not decimal or not decimal.strip("0."):
        return decimal
    return decimal[1:] if decimal.startswith("-") else f"-{decimal}"
