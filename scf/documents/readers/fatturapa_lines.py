"""The positions of an ordinary Italian invoice, and the orders that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from lxml import etree

from scf.documents.canonical import Identifier, Line
from scf.documents.readers.fatturapa_names import category
from scf.documents.readers.fatturapa_parts import ItalianScope
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

MAX_DESCRIPTION: Final = 500
_SURCHARGE: Final = "MG"


class Orders:
    """Which order each line belongs to: one may stand for the whole invoice or for some lines."""

    def __init__(self) -> None:
        self.whole: dict[str, str] = {}  # number of the order, its line
        self.by_line: dict[str, tuple[str, str]] = {}

    @property
    def of_all(self) -> str:
        """The order of the whole invoice, if there is exactly one."""
        return next(iter(self.whole)) if len(self.whole) == 1 else ""

    def take(self, scope: ItalianScope, element: etree._Element) -> None:
        """Take one reference to an order."""
        number = scope.read(element, "IdDocumento", "order_reference")
        line = scope.read(element, "NumItem", "order_reference")
        lines = [
            scope.text(one, "order_reference") for one in element.findall("RiferimentoNumeroLinea")
        ]
        for one in lines:
            before = self.by_line.setdefault(one, (number, line))
            if before != (number, line):
                scope.add(
                    Severity.WARNING,
                    "ORDER_AMBIGUOUS",
                    Words("Line %(line)s belongs to several orders; the first counts.", line=one),
                    scope.source.place("order_reference"),
                    number,
                )
        if not lines and number:
            self.whole.setdefault(number, line)

    def of(self, line: str, count: int) -> tuple[str, str]:
        """Give order and order line of a line of the invoice."""
        if line in self.by_line:
            return self.by_line[line]
        # A line of the order that stands for the whole invoice is that of its only line.
        return self.of_all, self.whole[self.of_all] if self.of_all and count == 1 else ""


def read_lines(
    scope: ItalianScope, elements: Sequence[etree._Element], orders: Orders
) -> tuple[Line, ...]:
    """Read every position."""
    return tuple(
        _read_line(scope, element, position, orders, len(elements))
        for position, element in enumerate(elements, start=1)
    )


def _read_line(
    scope: ItalianScope, element: etree._Element, position: int, orders: Orders, count: int
) -> Line:
    values: dict[str, Any] = {"line_id": scope.read(element, "NumeroLinea", "line_id", position)}
    name = scope.read(element, "Descrizione", "item_name", position)
    values["item_name"] = name[:MAX_DESCRIPTION]
    numbers = (
        (
            scope.read(code, "CodiceTipo", "item_name", position),
            scope.read(code, "CodiceValore", "item_name", position),
        )
        for code in element.findall("CodiceArticolo")
    )
    values["item_ids"] = tuple(
        Identifier(f"seller:{kind}" if kind else "seller", value)
        for kind, value in numbers
        if value
    )
    for field, tag, place in (
        ("quantity", "Quantita", "quantity"),
        ("price", "PrezzoUnitario", "price"),
        ("tax_percent", "AliquotaIVA", "tax"),
    ):
        number = element.find(tag)
        values[field] = scope.decimal(number, place, position) if number is not None else ""
    values["unit"] = scope.read(element, "UnitaMisura", "unit", position)
    nature = scope.read(element, "Natura", "nature", position)
    check_nature(scope, nature, values["tax_percent"], position)
    values["tax_category"] = category(nature, values["tax_percent"])
    values["order_reference"], values["order_line"] = orders.of(values["line_id"], count)
    net = scope.exact(element, "PrezzoTotale", "net", position)
    if net is not None and scope.currency:
        values["net_minor"] = scope.rounded(net)
        _read_discounts(scope, element, position, values)
    return Line(**values)


def check_nature(scope: ItalianScope, nature: str, percent: str, position: int = 0) -> None:
    """A rate of nothing has a reason, and only that."""
    if percent and (percent == "0") != bool(nature):
        message = "A tax rate of zero needs a reason (Natura), and another rate has none."
        place = scope.place("nature" if position else "tax_subtotals", position)
        scope.error("TAX_NATURE", message, place, f"{percent} {nature}"[:20])


def _read_discounts(
    scope: ItalianScope, element: etree._Element, position: int, values: dict[str, Any]
) -> None:
    """Sum up discounts and surcharges, which are on the price of one and follow each other."""
    steps = element.findall("ScontoMaggiorazione")
    price = scope.exact(element, "PrezzoUnitario", "price", position)
    quantity = scope.exact(element, "Quantita", "quantity", position)
    if not steps or price is None:
        return
    now = price
    for step in steps:
        now += change_of(scope, step, now, position)
    difference = scope.rounded((now - price) * (1 if quantity is None else quantity))
    values["charge_minor" if difference > 0 else "allowance_minor"] = abs(difference)


def change_of(
    scope: ItalianScope, step: etree._Element, base: Fraction, position: int = 0
) -> Fraction:
    """Give what one discount (below zero) or surcharge makes of an amount."""
    amount = scope.exact(step, "Importo", "allowance", position)
    percent = scope.exact(step, "Percentuale", "allowance", position)
    if amount is None:
        amount = base * percent / 100 if percent is not None else Fraction(0)
    more = scope.read(step, "Tipo", "allowance", position) == _SURCHARGE
    return abs(amount) if more else -abs(amount)
