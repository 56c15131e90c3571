"""The arithmetic of a trade document: its amounts follow from each other and from its lines.

A sum that does not hold is an ERROR with both values. What a document computes by rules it does
not state (units of price, rounding of tax line by line) is compared with a tolerance and told as
a WARNING.

Source: EN 16931-1 business rules BR-CO-10 to BR-CO-17.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from scf.documents.canonical import CanonicalDocument, Kind, amount_text
from scf.documents.readers.text import scaled
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

MAX_CURRENCY_DIFFERENCE: Final = 100  # minor units: one whole unit, as EN 16931 allows for tax
MAX_LINE_FINDINGS: Final = 20


def totals_agree(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """The amounts of the header follow from each other, to the cent.

    The rounding of the payable amount stands after the amount with tax (EN 16931) or inside it
    (UBL: amount with tax = payable + prepaid); a document may follow either, but only one.
    """
    lines, net, tax = document.lines_minor, document.net_minor, document.tax_minor
    gross, payable = document.gross_minor, document.payable_minor
    allowance, charge = document.allowance_minor or 0, document.charge_minor or 0
    rounding = document.rounding_minor or 0
    if lines is not None and net is not None and lines - allowance + charge != net:
        yield _contradiction(
            document,
            "NET_SUM",
            Words("lines − allowances + charges"),
            lines - allowance + charge,
            Words("the amount without tax"),
            net,
            "net",
        )
    if net is not None and tax is not None:
        inside = bool(rounding) and gross == net + tax + rounding
        if gross is None:
            # What an order anticipates may or may not count the tax that will come on top.
            gross = net if document.kind is Kind.ORDER and payable == net else net + tax
        elif gross != net + tax and not inside:
            yield _contradiction(
                document,
                "GROSS_SUM",
                Words("the amount without tax + tax"),
                net + tax,
                Words("the amount with tax"),
                gross,
                "gross",
            )
        rounding = 0 if inside else rounding
    if gross is not None and payable is not None:
        expected = gross - (document.prepaid_minor or 0) + rounding
        # Withheld tax lowers, a third party's claim collected with the invoice raises the payment;
        # whether the total counts them differs by country.
        withheld, third = document.withheld_minor or 0, document.third_party_minor or 0
        if payable not in {
            expected,
            expected - withheld,
            expected + third,
            expected + third - withheld,
        }:
            yield _contradiction(
                document,
                "PAYABLE_SUM",
                Words("the amount with tax − prepaid + rounding"),
                expected,
                Words("the amount to pay"),
                payable,
                "payable",
            )


def lines_agree(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """The lines add up to what the header says they do."""
    stated = document.lines_minor
    if not document.lines or stated is None:
        return
    nets = [line.net_minor for line in document.lines]
    known = [net for net in nets if net is not None]
    # A line that cannot be read, or an order line without an amount, leaves no sum to compare.
    if len(known) == len(nets) and sum(known) != stated:
        yield _contradiction(
            document,
            "LINES_SUM",
            Words("the lines"),
            sum(known),
            Words("the header's sum of lines"),
            stated,
            "lines",
        )


def line_arithmetic(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """Quantity × price, less allowances, is the line's amount, within two minor units.

    Units of quantity and price may differ in ways a document does not state, so a difference is
    told to the buyer and not refused.
    """
    said = 0
    digits = EXPONENTS.get(document.currency)
    if digits is None:
        return
    for position, line in enumerate(document.lines, start=1):
        if line.net_minor is None or not line.quantity or not line.price:
            continue
        quantity, quantity_scale = scaled(line.quantity)
        price, price_scale = scaled(line.price)
        base, base_scale = scaled(line.price_quantity) if line.price_quantity else (1, 1)
        divisor = quantity_scale * price_scale * base
        if divisor == 0:
            continue
        extra = line.charge_minor - line.allowance_minor
        # net = quantity × price / base, all as whole numbers over one divisor.
        exact = quantity * price * base_scale * 10**digits
        difference = exact + (extra - line.net_minor) * divisor
        if abs(difference) > 2 * abs(divisor) and said < MAX_LINE_FINDINGS:
            said += 1
            yield Finding(
                Severity.WARNING,
                "LINE_AMOUNT",
                Words(
                    "Quantity %(quantity)s at %(price)s does not come to the line's amount.",
                    quantity=line.quantity,
                    price=line.price,
                ),
                document.source.line_place(position, "net"),
                amount_text(document, line.net_minor),
            )


def tax_at_its_rate(document: CanonicalDocument, _unread: Container[str]) -> Iterator[Finding]:
    """The tax of a rate is about its taxable amount times the rate.

    Line-wise rounding makes exactness impossible; EN 16931 BR-CO-17 allows one whole unit.
    """
    for part in document.tax_subtotals:
        if not part.percent or part.taxable_minor is None or part.tax_minor is None:
            continue
        percent, scale = scaled(part.percent)
        difference = part.taxable_minor * percent - part.tax_minor * 100 * scale
        if abs(difference) >= MAX_CURRENCY_DIFFERENCE * 100 * scale:
            yield Finding(
                Severity.WARNING,
                "TAX_RATE",
                Words(
                    "%(rate)s of %(taxable)s is another tax.",
                    rate=f"{part.percent} %",
                    taxable=amount_text(document, part.taxable_minor),
                ),
                document.place("tax_subtotals"),
                amount_text(document, part.tax_minor),
            )


def _contradiction(
    document: CanonicalDocument,
    code: str,
    left: Words,
    computed: int,
    right: Words,
    stated: int,
    name: str,
) -> Finding:
    message = Words(
        "From %(left)s follows %(computed)s, but %(right)s is %(stated)s.",
        left=left,
        computed=amount_text(document, computed),
        right=right,
        stated=amount_text(document, stated),
    )
    place, value = document.place(name), amount_text(document, stated)
    return Finding(Severity.ERROR, code, message, place, value)
