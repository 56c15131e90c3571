"""What the rows of a table leave unsaid: totals that follow, and which rows are one document."""

from typing import Any

from scf.documents.canonical import CanonicalDocument, Kind


def same_document(one: CanonicalDocument, other: CanonicalDocument) -> bool:
    """Tell whether two rows are lines of one document: its number and its firms are the same."""
    return (
        bool(one.number)
        and one.number == other.number
        and one.seller == other.seller
        and one.buyer == other.buyer
    )


def derive(values: dict[str, Any]) -> None:
    """Fill the totals that follow from stated ones."""
    if values["kind"] is Kind.PAYMENT:
        return
    payable, gross = values.get("payable_minor"), values.get("gross_minor")
    net, tax = values.get("net_minor"), values.get("tax_minor")
    if gross is None and payable is not None and values["kind"] is not Kind.ORDER:
        gross = payable + (values.get("prepaid_minor") or 0) - (values.get("rounding_minor") or 0)
    if net is None and gross is not None and tax is not None:
        net = gross - tax
    if tax is None and gross is not None and net is not None:
        tax = gross - net
    values["gross_minor"], values["net_minor"], values["tax_minor"] = gross, net, tax
