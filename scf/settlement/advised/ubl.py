"""Read a remittance advice in UBL 2.1: debit lines are paid, credit lines are taken off.

The sums of the header must be those of the lines. A line names its item by the invoice that it
refers to; a credit line names the reason (its note) and, where it refers to one, the credit note.
Source: OASIS UBL 2.1, RemittanceAdvice.
"""

from __future__ import annotations

from scf.documents.readers.values import read_date
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import parse_minor
from scf.kernel.xml import Element, children, load_xml, local_name, place_of
from scf.settlement.advised.papers import MOST_LINES, REMITTANCE, Paper, PaperLine

MAX_BYTES = 2_000_000
MAX_ELEMENTS = 200_000


def read_ubl(data: bytes) -> Paper:
    """Read a RemittanceAdvice.

    Raises
    ------
    InvalidInput
        The XML codes of ``load_xml``; ADVICE_FORMAT for another document, ADVICE_PLACE with the
        path of what is wrong.
    """
    root = load_xml(data, max_bytes=MAX_BYTES, max_elements=MAX_ELEMENTS)
    if local_name(root) != "RemittanceAdvice":
        raise InvalidInput(
            "ADVICE_FORMAT", "This XML is no remittance advice.", root=shown(local_name(root), 60)
        )
    currency = _text(root, "DocumentCurrencyCode").upper()
    lines = list(children(root, "RemittanceAdviceLine"))
    if not lines or len(lines) > MOST_LINES:
        raise _wrong(root, "an advice has lines, and no more than are read")
    found = tuple(part for line in lines for part in _line(line, currency))
    paid = sum(one.amount_minor for one in found if one.kind == "item")
    net = sum(one.amount_minor for one in found)
    for name, sum_ in (
        ("TotalDebitAmount", paid),
        ("TotalCreditAmount", paid - net),
        ("TotalPaymentAmount", net),
    ):
        node = _one(root, name)
        if node is not None and _money(node, currency) != sum_:
            raise _wrong(node, "this is not the sum of the lines", node.text or "")
    if _one(root, "TotalPaymentAmount") is None:
        raise _wrong(root, "TotalPaymentAmount is missing")
    if net <= 0:
        raise _wrong(root, "an advice of nothing explains no credit")
    number = _text(root, "ID")
    if not number:
        raise _wrong(root, "ID is missing")
    day = _one(root, "PaymentDueDate", "IssueDate")
    return Paper(
        REMITTANCE,
        number[:200],
        _party(root),
        "",
        (_text(root, "PaymentOrderReference") or number)[:200],
        currency,
        read_date((day.text or "").strip(), ("YYYY-MM-DD",)) if day is not None else None,
        net,
        found,
    )


def _line(line: Element, currency: str) -> list[PaperLine]:
    place = place_of(line)[:200]
    number = _reference(line, "InvoiceDocumentReference", "DocumentReference")
    note = _text(line, "Note")[:200]
    paper = _reference(line, "CreditNoteDocumentReference", "SelfBilledCreditNoteDocumentReference")
    found: list[PaperLine] = []
    for name, kind, sign in (("DebitLineAmount", "item", 1), ("CreditLineAmount", "deduction", -1)):
        node = _one(line, name)
        if node is None:
            continue
        amount = _money(node, currency)
        if amount < 0:
            raise _wrong(node, "debit or credit tells the sign, not the amount", node.text or "")
        if kind == "item" and amount and not number:
            raise _wrong(line, "the line names no invoice")
        if amount:
            reason = (note or "CREDIT") if kind == "deduction" else ""
            found.append(PaperLine(place, kind, number, sign * amount, reason, paper))
    if not found:
        raise _wrong(line, "a line has a debit or a credit amount")
    return found


def _reference(line: Element, *names: str) -> str:
    """Find the number of the paper that a line refers to, itself or by its billing reference."""
    for holder in (line, *children(line, "BillingReference")):
        for node in children(holder, *names):
            if text := _text(node, "ID"):
                return text[:200]
    return ""


def _party(root: Element) -> str:
    """Name who pays: a tax number, a registered or other identifier with its scheme, or a name."""
    for side in children(root, "AccountingCustomerParty"):
        for party in children(side, "Party"):
            for tax in children(party, "PartyTaxScheme"):
                if text := _text(tax, "CompanyID"):
                    return f"vat:{text}"[:200]
            for kind in ("PartyIdentification", "PartyLegalEntity", "PartyName"):
                for node in children(party, kind):
                    for one in children(node, "ID", "CompanyID", "Name", "RegistrationName"):
                        if text := (one.text or "").strip():
                            scheme = str(one.get("schemeID") or "").lower()
                            return f"{scheme}:{text}"[:200] if scheme else text[:200]
    raise _wrong(root, "AccountingCustomerParty names nobody")


def _one(node: Element, *names: str) -> Element | None:
    return next(children(node, *names), None)


def _text(node: Element, name: str) -> str:
    found = _one(node, name)
    return (found.text or "").strip() if found is not None else ""


def _money(node: Element, currency: str) -> int:
    if (node.get("currencyID") or currency).upper() != currency:
        raise _wrong(node, "this is another currency than the document's", node.get("currencyID"))
    try:
        return parse_minor((node.text or "").strip(), currency, signed=True)
    except InvalidInput as refused:
        raise _wrong(node, refused.message, node.text or "") from None


def _wrong(node: Element, reason: str, value: str | None = "") -> InvalidInput:
    return InvalidInput(
        "ADVICE_PLACE",
        "%(place)s: %(reason)s",
        place=place_of(node)[:300],
        reason=reason,
        value=shown(value or "", 60),
    )
