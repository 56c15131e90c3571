"""The rules on tax of EN 16931 in plain sentences: the same ten or so for each tax category."""

from __future__ import annotations

import re
from typing import Final

from scf.kernel.errors import Words

_NUMBER: Final = re.compile(r"BR-(?:F[XR]EXT-)?([A-Z]{1,2})-(\d{2})")
_CATEGORIES: Final = {
    "S": Words("standard rate"),
    "Z": Words("zero rate"),
    "E": Words("exempt"),
    "AE": Words("reverse charge"),
    "IC": Words("supply within the EU"),
    "G": Words("export outside the EU"),
    "O": Words("not subject to tax"),
    "AF": Words("tax of the Canary Islands"),
    "AG": Words("tax of Ceuta and Melilla"),
    "B": Words("split payment"),
}
# Which categories carry a tax above nothing, and which need the buyer's number as well.
_RATED: Final = frozenset({"S", "AF", "AG"})
_BUYER_TOO: Final = frozenset({"AE", "IC"})
# The rules that every category but split payment has; what follows is its own.
_COMMON: Final = 10
_REASONED: Final = frozenset({"E", "AE", "IC", "G", "O"})


def tax_sentence(rule: str) -> Words | None:
    """Say what is wrong when a rule on a tax category is broken; None where it is none of them."""
    found = _NUMBER.match(rule)
    if found is None or found[1] not in _CATEGORIES:
        return None
    category, number = found[1], int(found[2])
    name = _CATEGORIES[category]
    if category == "B" or number > _COMMON:
        return _of_one(category, number)
    if number in {2, 3, 4}:
        return _numbers(category, name)
    if number in {5, 6, 7}:
        return _rate(category, name)
    return _breakdown(category, name, number)


def _breakdown(category: str, name: Words, number: int) -> Words | None:
    rated, reasoned = category in _RATED, category in _REASONED
    return {
        (1, True): Words(
            "Tax category “%(category)s”: used in the invoice, but its part of the tax "
            "breakdown is missing or stands there too often.",
            category=name,
        ),
        (8, True): Words(
            "Tax category “%(category)s”: the taxable amount is not the sum of its lines, "
            "charges and allowances.",
            category=name,
        ),
        (9, rated): Words(
            "Tax category “%(category)s”: the tax is not the taxable amount times the rate.",
            category=name,
        ),
        (9, not rated): Words("Tax category “%(category)s”: the tax must be zero.", category=name),
        (10, reasoned): Words(
            "Tax category “%(category)s”: the reason for no tax is missing.", category=name
        ),
        (10, not reasoned): Words(
            "Tax category “%(category)s”: a reason for no tax may not be given.", category=name
        ),
    }.get((number, True))


def _numbers(category: str, name: Words) -> Words:
    if category == "O":
        return Words(
            "Tax category “%(category)s”: VAT numbers of seller and buyer may not be given.",
            category=name,
        )
    if category in _BUYER_TOO:
        return Words(
            "Tax category “%(category)s”: the tax numbers of seller and buyer are needed.",
            category=name,
        )
    return Words("Tax category “%(category)s”: the seller's tax number is missing.", category=name)


def _rate(category: str, name: Words) -> Words:
    if category == "S":
        return Words("Tax category “%(category)s”: the rate must be above zero.", category=name)
    if category in _RATED:
        return Words("Tax category “%(category)s”: the rate may not be below zero.", category=name)
    if category == "O":
        return Words("Tax category “%(category)s”: no rate may be given.", category=name)
    return Words("Tax category “%(category)s”: the rate must be zero.", category=name)


def _of_one(category: str, number: int) -> Words | None:
    return {
        ("IC", 11): Words("A supply within the EU needs its day of delivery or its period."),
        ("IC", 12): Words("A supply within the EU needs the country of delivery."),
        ("O", 11): Words("“Not subject to tax” may not stand beside another tax category."),
        ("O", 12): Words("“Not subject to tax” covers the invoice, but not every line."),
        ("O", 13): Words("“Not subject to tax” covers the invoice, but not every allowance."),
        ("O", 14): Words("“Not subject to tax” covers the invoice, but not every charge."),
        ("B", 1): Words("Split payment is for invoices within Italy."),
        ("B", 2): Words("Split payment may not stand beside the standard rate."),
    }.get((category, number))
