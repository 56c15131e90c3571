"""The amounts of a simplified Italian invoice: each position states its sum with tax included."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from lxml import etree

from scf.documents.canonical import Line
from scf.documents.readers.fatturapa_lines import MAX_DESCRIPTION
from scf.documents.readers.fatturapa_parts import ItalianScope
from scf.documents.readers.text import scaled
from scf.kernel.money import EXPONENTS
from scf.kernel.rounding import round_half_up

_WHOLE: Final = 100  # percent


def read_simple_amounts(
    scope: ItalianScope, elements: Sequence[etree._Element], fields: dict[str, Any]
) -> None:
    """Read the positions; the tax inside a sum is stated or follows from the rate."""
    gross = tax = 0
    lines: list[Line] = []
    for position, element in enumerate(elements, start=1):
        amount = scope.minor(element, "Importo", "amount")
        inside = _tax_inside(scope, element, amount)
        if amount is None or inside is None:
            scope.unread |= {"gross", "payable"}
            return
        gross += amount
        tax += inside
        name = scope.read(element, "Descrizione", "lines")
        rate = element.find("DatiIVA/Aliquota")
        percent = scope.decimal(rate, "tax") if rate is not None else ""
        lines.append(
            Line(
                line_id=str(position),
                item_name=name[:MAX_DESCRIPTION],
                net_minor=amount - inside,
                tax_percent=percent,
            )
        )
    fields["lines"] = tuple(lines)
    if lines:
        fields |= {"gross_minor": gross, "tax_minor": tax, "net_minor": gross - tax}
        fields["payable_minor"] = gross


def _tax_inside(scope: ItalianScope, element: etree._Element, amount: int | None) -> int | None:
    stated = scope.minor(element, "DatiIVA/Imposta", "tax")
    if stated is not None or amount is None or "tax" in scope.unread:
        return stated
    rate = element.find("DatiIVA/Aliquota")
    percent = scope.decimal(rate, "tax") if rate is not None else "0"
    if not percent or not scope.currency or scope.currency not in EXPONENTS:
        return None
    share = Fraction(*scaled(percent))
    return round_half_up(amount * share / (_WHOLE + share)) if share > -_WHOLE else None
