"""Why an invoice does not fit its order, in one sentence for both sides."""

from scf.documents.match.book import Variance
from scf.documents.quantities import from_micro
from scf.kernel.errors import Words


def said(one: Variance, currency: str) -> str:  # noqa: PLR0911 - one sentence a code
    """Tell one variance; the figures are those of the line it is about."""
    facts = one.facts
    if one.code in _PLAIN:
        return _PLAIN[one.code]
    if one.code == "ORDER_CURRENCY":
        return Words(
            "The order is in %(ordered)s, the invoice in %(invoiced)s.",
            ordered=facts["ordered"],
            invoiced=facts["invoiced"],
        )
    if one.code == "UNIT_DIFFERS":
        return Words(
            "Line %(line)s is ordered in %(ordered)s, invoiced in %(invoiced)s.",
            line=one.order_line,
            ordered=facts["ordered"],
            invoiced=facts["invoiced"],
        )
    if one.code == "QUANTITY_EXCEEDED":
        return Words(
            "Line %(line)s: %(ordered)s ordered, %(before)s invoiced before, %(now)s now.",
            line=one.order_line,
            ordered=from_micro(facts["ordered_micro"]),
            before=from_micro(facts["before_micro"]),
            now=from_micro(facts["asked_micro"]),
        )
    if one.code == "AMOUNT_EXCEEDED":
        where = Words("Line %(line)s", line=one.order_line) if one.order_line else _THE_ORDER
        return Words(
            "%(where)s: %(ordered_minor)s ordered, %(before_minor)s invoiced before, "
            "%(asked_minor)s now.",
            where=where,
            ordered_minor=facts["ordered_minor"],
            before_minor=facts["before_minor"],
            asked_minor=facts["asked_minor"],
            currency=currency,
        )
    if one.code in {"PRICE_ABOVE", "PRICE_BELOW"}:
        return Words(
            "Line %(line)s costs %(invoiced_minor)s; at the ordered price it is %(ordered_minor)s.",
            line=one.order_line,
            invoiced_minor=facts["invoiced_minor"],
            ordered_minor=facts["ordered_minor"],
            currency=currency,
        )
    if one.code == "TAX_DIFFERS":
        return Words(
            "Line %(line)s is taxed differently from the order: %(amount_minor)s of difference.",
            line=one.order_line,
            amount_minor=one.amount_minor,
            currency=currency,
        )
    return _waiting_or_unpaired(one, currency)


def _waiting_or_unpaired(one: Variance, currency: str) -> str:
    facts = one.facts
    if one.code in {"RECEIPT_MISSING", "DESPATCH_MISSING"}:
        if not one.order_line:
            return Words("The invoice names no line, so no receipt of goods proves it.")
        template = (
            Words(
                "Line %(line)s: %(now)s invoiced, %(proven)s received.",
                line=one.order_line,
                now=from_micro(facts["before_micro"] + facts["asked_micro"]),
                proven=from_micro(facts["proven_micro"]),
            ),
            Words(
                "Line %(line)s: %(now)s invoiced, %(proven)s sent.",
                line=one.order_line,
                now=from_micro(facts["before_micro"] + facts["asked_micro"]),
                proven=from_micro(facts["proven_micro"]),
            ),
        )
        return template[one.code == "DESPATCH_MISSING"]
    if one.code == "LINE_AMBIGUOUS":
        return Words("Line %(line)s could be more than one line of the order.", line=one.line)
    if one.code == "PAIRED_BY_NAME":
        return Words(
            "Line %(line)s was found in the order by the name of the article only.", line=one.line
        )
    return Words(
        "Line %(line)s for %(amount_minor)s is not in the order.",
        line=one.line,
        amount_minor=one.amount_minor,
        currency=currency,
    )


_THE_ORDER = Words("The order")
_PLAIN = {
    "ORDER_CANCELLED": "The buyer has cancelled the order.",
    "ORDER_REFUSED": "The seller has refused the order.",
    "ORDER_LINE_UNKNOWN": "No line of the order has the number that the invoice names.",
}
