"""The amounts of an ordinary Italian invoice: what it comes to, and what the seller may collect.

The format states taxable amounts and taxes by rate. Its total is optional, checked by nobody on
the way, and counts stamp duty or a discount on the whole in one program and not in the next. So
the total is computed, and a stated one must be explained by what the invoice lists.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any, Final

from lxml import etree

from scf.documents.canonical import TaxSubtotal
from scf.documents.readers.fatturapa_lines import change_of, check_nature
from scf.documents.readers.fatturapa_names import category
from scf.documents.readers.fatturapa_parts import ItalianScope
from scf.documents.readers.text import scaled
from scf.kernel.errors import Words
from scf.kernel.findings import Severity
from scf.kernel.money import EXPONENTS, format_minor
from scf.kernel.rounding import round_half_up

_GENERAL: Final = "DatiGenerali/DatiGeneraliDocumento"
_SPLIT: Final = "S"
# How far taxable amounts may be from the sum of their lines: one whole unit, as the exchange
# system allows, since prices have eight decimals.
_TOLERANCE: Final = 1


def read_amounts(scope: ItalianScope, body: etree._Element, fields: dict[str, Any]) -> None:
    """Read taxes, total and what is withheld; what is to be paid stands with the payment."""
    summaries = body.findall("DatiBeniServizi/DatiRiepilogo")
    if not scope.currency:
        return
    fields["tax_subtotals"] = tuple(_read_tax(scope, one) for one in summaries)
    taxable = [part.taxable_minor for part in fields["tax_subtotals"]]
    taxes = [part.tax_minor for part in fields["tax_subtotals"]]
    if not summaries or None in taxable or None in taxes:
        # What could not be read has been told; without it there is no total either.
        scope.unread |= {"net", "tax", "gross", "payable"}
        return
    net = sum(one for one in taxable if one is not None)
    tax = sum(one for one in taxes if one is not None)
    _compare_lines(scope, body, net)
    fields["tax_minor"] = tax
    fields["withheld_minor"] = _withheld(scope, body, summaries, fields["tax_subtotals"]) or None
    _read_total(scope, body, net, fields)


def _read_tax(scope: ItalianScope, element: etree._Element) -> TaxSubtotal:
    rate = element.find("AliquotaIVA")
    percent = scope.decimal(rate, "tax_subtotals") if rate is not None else ""
    nature = scope.read(element, "Natura", "tax_subtotals")
    check_nature(scope, nature, percent)
    return TaxSubtotal(
        category(nature, percent),
        percent,
        scope.minor(element, "ImponibileImporto", "net"),
        scope.minor(element, "Imposta", "tax"),
    )


def _compare_lines(scope: ItalianScope, body: etree._Element, net: int) -> None:
    """The taxable amounts are the lines, contributions, extras and roundings."""
    total = Fraction(0)
    for path, name in (
        ("DatiBeniServizi/DettaglioLinee/PrezzoTotale", "lines"),
        (f"{_GENERAL}/DatiCassaPrevidenziale/ImportoContributoCassa", "net"),
        ("DatiBeniServizi/DatiRiepilogo/Arrotondamento", "net"),
    ):
        for element in body.findall(path):
            text = scope.decimal(element, name)
            if not text:
                return
            total += Fraction(*scaled(text))
    # Extras are counted by some programs and stand among the lines with others.
    extras = Fraction(0)
    for element in body.findall("DatiBeniServizi/DatiRiepilogo/SpeseAccessorie"):
        text = scope.decimal(element, "net")
        extras += Fraction(*scaled(text)) if text else 0
    unit = 10 ** EXPONENTS[scope.currency]
    if min(abs(total * unit - net), abs((total + extras) * unit - net)) > _TOLERANCE * unit:
        message = Words(
            "The lines come to %(total)s, the taxable amounts to %(stated)s.",
            total=format_minor(round_half_up(total * unit), scope.currency),
            stated=format_minor(net, scope.currency),
        )
        stated = format_minor(net, scope.currency)
        scope.error("LINES_SUM", message, scope.source.place("net"), stated)


def _withheld(
    scope: ItalianScope,
    body: etree._Element,
    summaries: list[etree._Element],
    parts: tuple[TaxSubtotal, ...],
) -> int:
    """Give what the buyer pays to the state or to a fund and not to the seller."""
    kept = [
        scope.minor(one, "ImportoRitenuta", "withheld") or 0
        for one in body.findall(f"{_GENERAL}/DatiRitenuta")
    ]
    split = sum(
        part.tax_minor or 0
        for element, part in zip(summaries, parts, strict=True)
        if scope.read(element, "EsigibilitaIVA", "split") == _SPLIT
    )
    for amount, name, message in (
        (split, "split", "Split payment: the buyer pays the tax to the state, not to the seller."),
        (sum(kept), "withheld", "The buyer withholds a part and pays it to the state."),
    ):
        if amount:
            text = f"{format_minor(amount, scope.currency)} {scope.currency}"
            scope.add(Severity.INFO, "WITHHELD", message, scope.source.place(name), text)
    return split + sum(kept)


def _read_total(
    scope: ItalianScope, body: etree._Element, net: int, fields: dict[str, Any]
) -> None:
    """Find what explains the stated total: stamp duty, a discount on the whole, both or neither."""
    rounding = scope.minor(body, f"{_GENERAL}/Arrotondamento", "rounding") or 0
    stamp = scope.minor(body, f"{_GENERAL}/DatiBollo/ImportoBollo", "stamp") or 0
    stated = scope.minor(body, f"{_GENERAL}/ImportoTotaleDocumento", "gross")
    plain = net + fields["tax_minor"]
    unit = 10 ** EXPONENTS[scope.currency]
    changed = Fraction(plain, unit)
    for step in body.findall(f"{_GENERAL}/ScontoMaggiorazione"):
        changed += change_of(scope, step, changed)
    change = scope.rounded(changed) - plain
    fields["rounding_minor"] = rounding
    if stated is None:
        extra = change
        fields["gross_minor"] = None if "gross" in scope.unread else plain + extra
    else:
        extra = _explained(scope, stated, plain, rounding, (0, change), (0, stamp), fields)
    fields["net_minor"] = net + extra
    name = "charge_minor" if extra > 0 else "allowance_minor"
    fields[name] = abs(extra)


def _explained(
    scope: ItalianScope,
    stated: int,
    plain: int,
    rounding: int,
    changes: tuple[int, int],
    stamps: tuple[int, int],
    fields: dict[str, Any],
) -> int:
    """Give what a stated total counts besides taxable amounts and taxes; nothing if unexplained."""
    fields["gross_minor"] = stated
    ways = [
        (change + stamp, round_)
        for change, stamp, round_ in product(changes, stamps, (0, rounding))
    ]
    for extra, round_ in ways:
        if stated == plain + extra + round_:
            return extra
    withheld = fields["withheld_minor"] or 0
    for extra, round_ in ways:
        if withheld and stated == plain + extra + round_ - withheld:
            fields["gross_minor"] = plain + extra + round_
            message = "The total is stated after what the buyer withholds; it is read before that."
            text = format_minor(stated, scope.currency)
            place = scope.source.place("gross")
            scope.add(Severity.INFO, "TOTAL_AFTER_WITHHOLDING", message, place, text)
            return extra
    return 0
