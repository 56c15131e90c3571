"""What an invoice leaves to be concluded, the same for every format of one document.

Totals that follow from stated ones, references that stand on the lines only, and the comparison of
what a header sums up with what it lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from scf.documents.canonical import Kind, Reference, Source, TaxSubtotal
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

_TAXLESS: Final = frozenset({Kind.ORDER, Kind.ORDER_CHANGE, Kind.ORDER_RESPONSE})
_IN_WORDS: Final = {"charge": Words("charges"), "allowance": Words("allowances")}


class Scope(Protocol):
    """A document being read, whatever its format: what was found, what could not be read."""

    unread: set[str]

    @property
    def source(self) -> Source:
        """Say where its fields stand."""

    def error(self, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding that keeps the document out."""

    def add(self, severity: Severity, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding."""


def compare_allowances(scope: Scope, listed: dict[str, list[int]], fields: dict[str, Any]) -> None:
    """What the header sums up must be what it lists."""
    for name, amounts in listed.items():
        stated = fields.get(f"{name}_minor")
        total = sum(amounts)
        if stated is None:
            if amounts and name not in scope.unread:
                fields[f"{name}_minor"] = total
        elif amounts and stated != total:
            scope.error(
                "ALLOWANCE_SUM",
                Words(
                    "The %(kind)s listed come to %(total)s minor units, the total states "
                    "%(stated)s.",
                    kind=_IN_WORDS[name],
                    total=total,
                    stated=stated,
                ),
                scope.source.place(name),
                str(stated),
            )
        elif stated and not amounts:
            scope.add(
                Severity.WARNING,
                "ALLOWANCE_UNLISTED",
                Words("The total of %(kind)s is stated, but none is listed.", kind=_IN_WORDS[name]),
                scope.source.place(name),
                str(stated),
            )


def compare_tax(scope: Scope, parts: Sequence[TaxSubtotal], total: int | None) -> None:
    """A tax total is the sum of the taxes of its rates, where each of them is stated."""
    stated = [part.tax_minor for part in parts if part.tax_minor is not None]
    if parts and total is not None and len(stated) == len(parts) and sum(stated) != total:
        scope.error(
            "TAX_SUM",
            Words(
                "The tax subtotals come to %(total)s minor units, the total states %(stated)s.",
                total=sum(stated),
                stated=total,
            ),
            scope.source.place("tax"),
            str(total),
        )


def refer_by_lines(fields: dict[str, Any]) -> None:
    """A credit note may name its invoices, an invoice its order, on the lines only."""
    named = {reference.number: reference for reference in fields["billing_references"]}
    for line in fields["lines"]:
        if line.invoice_reference:
            named.setdefault(line.invoice_reference, Reference(line.invoice_reference))
    fields["billing_references"] = tuple(named.values())
    if not fields.get("order_reference"):
        orders = {line.order_reference for line in fields["lines"]}
        if len(orders) == 1:
            fields["order_reference"] = orders.pop()


def per_quantity(text: str) -> str:
    """Give the quantity that a price is for, if it is another than one."""
    return "" if text == "1" else text


def derive_totals(fields: dict[str, Any]) -> None:
    """Fill the totals that follow from stated ones; a total that does not follow stays unknown.

    An allowance, charge, prepayment or rounding of nothing is one that is not stated.
    """
    for name in ("allowance_minor", "charge_minor", "prepaid_minor", "rounding_minor"):
        if fields.get(name) == 0:
            fields[name] = None
    lines, net = fields.get("lines_minor"), fields.get("net_minor")
    tax, gross = fields.get("tax_minor"), fields.get("gross_minor")
    if net is None and lines is not None:
        net = lines - (fields.get("allowance_minor") or 0) + (fields.get("charge_minor") or 0)
    if gross is None and net is not None and tax is not None and fields["kind"] not in _TAXLESS:
        gross = net + tax
    if tax is None and net is not None and gross is not None:
        tax = gross - net
    fields["net_minor"], fields["tax_minor"], fields["gross_minor"] = net, tax, gross
