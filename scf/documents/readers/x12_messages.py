"""Make documents of the transaction sets 850, 855, 856, 810 and 820."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from scf.documents.canonical import CanonicalDocument, Kind
from scf.documents.readers.edi_scope import Message, PartyDraft, pick
from scf.documents.readers.edi_segments import Segment
from scf.documents.readers.x12_body import Body
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

# Segments in which a sender's own line breaks mean nothing.
FREE_TEXT: Final = frozenset({"NTE", "MSG", "PID"})
_SELLERS: Final = ("SE", "SU", "VN", "II", "FR")
_BUYERS: Final = ("BY", "BT", "SO", "IV", "OB")
_REMIT_TO: Final = ("PE", "RE", "RI")
_SHIPPERS: Final = (*_SELLERS, "SF", "SH")
_RECEIVERS: Final = (*_BUYERS, "ST", "CN", "UC")
_ORIGINAL: Final = frozenset({"", "00", "06", "11", "13", "14", "19", "22", "35", "45", "54", "AC"})
_TAKES_BACK: Final = frozenset({"01", "03"})
# What BIG07 makes of an invoice: a credit, a debit, or what its codes do not say.
_TYPES: Final = {"CR": "381", "CN": "381", "DR": "383"}
_ANSWERS: Final = {
    "AT": "accepted",
    "AD": "accepted",
    "AP": "accepted",
    "AC": "changed",
    "AE": "changed",
    "RJ": "refused",
    "RD": "refused",
    "RF": "refused",
    "RO": "refused",
}


def _invoice(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    first = _first(message, segments, "BIG")
    body = Body(message)
    body.walk(segments)
    fields = message.fields
    if first is not None:
        _purpose(message, first, first.get(8))
        message.put("issue_on", body.day(first, first.get(1), "issue_on"), first)
        message.put("number", first.get(2), first)
        body.refer("PO", first.get(4), first)
        message.put("type_code", _TYPES.get(first.get(7), "380"), first)
    kind = Kind.CREDIT_NOTE if fields.get("type_code") == "381" else Kind.INVOICE
    _parties(body, _SELLERS, _BUYERS)
    _remit_to(body)
    _references(body)
    _due(body)
    fields["payment_terms"] = " ".join(body.terms)
    fields["charge_minor"] = sum(body.charges) or None
    fields["allowance_minor"] = sum(body.allowances) or None
    taxes = body.taxes or body.charged_taxes or body.line_taxes
    fields["tax_minor"] = sum(taxes) if taxes else None
    fields["gross_minor"] = fields.get("payable_minor")
    if kind is Kind.CREDIT_NOTE and (fields.get("payable_minor") or 0) < 0:
        _turn_round(fields, message.lines)
        body.subtotals = []
    _delivered(body, ("035", "050"))
    _total_of_lines(body)
    return message.document(kind, body.subtotals)


def _order(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    first = _first(message, segments, "BEG")
    body = Body(message)
    body.walk(segments)
    if first is not None:
        _purpose(message, first, first.get(1))
        message.put("type_code", first.get(2), first)
        message.put("number", first.get(3), first)
        message.put("issue_on", body.day(first, first.get(5), "issue_on"), first)
    _parties(body, _SELLERS, _BUYERS)
    _references(body, own=True)
    total = next((body.amounts[code] for code in ("TT", "GV") if code in body.amounts), None)
    if total is not None:
        message.fields["payable_minor"] = total
    return message.document(Kind.ORDER)


def _order_answer(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    first = _first(message, segments, "BAK")
    body = Body(message)
    body.walk(segments)
    fields = message.fields
    if first is not None:
        _purpose(message, first, first.get(1))
        message.put("type_code", first.get(2), first)
        order = first.get(3)
        body.refer("PO", order, first)
        # An acknowledgement without a number of its own is known by the order it answers.
        message.put("number", first.get(8) or order, first)
        day = first.get(9) or first.get(4)
        message.put("issue_on", body.day(first, day, "issue_on"), first)
        fields["word"] = _ANSWERS.get(first.get(2), "noted")
    _parties(body, _SELLERS, _BUYERS)
    _references(body)
    for line in message.lines:
        line.setdefault("word", fields.get("word", "noted"))
    return message.document(Kind.ORDER_RESPONSE)


def _shipment(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    first = _first(message, segments, "BSN")
    body = Body(message)
    body.walk(segments)
    if first is not None:
        _purpose(message, first, first.get(1))
        message.put("number", first.get(2), first)
        message.put("issue_on", body.day(first, first.get(3), "issue_on"), first)
    if not body.levels:
        message.error(
            "EDI_LEVEL", "A ship notice has levels (HL), and none is there.", message.start
        )
    _parties(body, _SHIPPERS, _RECEIVERS)
    _references(body)
    # Goods that are announced have no day of delivery yet: the day they left stands for it.
    _delivered(body, ("035", "050", "011"))
    return message.document(Kind.DESPATCH)


def _remittance(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    first = _first(message, segments, "BPR")
    trace = next((segment for segment in segments if segment.tag == "TRN"), None)
    body = Body(message)
    body.walk(segments)
    if first is not None:
        amount = message.amount(first, first.get(2), "payable")
        message.put("payable_minor", amount, first)
        message.put("issue_on", body.day(first, first.get(16), "issue_on"), first)
    if trace is not None:
        message.put("number", trace.get(2), trace)
    _parties(body, ("PE", "RE", "RI", *_SELLERS), ("PR", "PY", *_BUYERS))
    paid = message.fields.get("payable_minor")
    sums = [line.get("net_minor") for line in message.lines]
    known = sum(net or 0 for net in sums)
    if first is not None and paid is not None and sums and paid not in {
        known, known + body.adjusted
    }:  # fmt: skip
        message.note(
            Severity.WARNING,
            "REMITTANCE_SUM",
            Words(
                "The documents paid come to %(listed)s minor units, the payment to %(paid)s.",
                listed=known,
                paid=paid,
            ),
            first,
            first.get(2),
        )
    return message.document(Kind.REMITTANCE)


def _first(message: Message, segments: Sequence[Segment], tag: str) -> Segment | None:
    """Give the beginning segment, which must stand first."""
    if segments and segments[0].tag == tag:
        return segments[0]
    message.error(
        "EDI_BEGINNING",
        Words("The message must begin with %(tag)s.", tag=tag),
        segments[0] if segments else message.start,
    )
    return None


def _purpose(message: Message, segment: Segment, purpose: str) -> None:
    if purpose in _TAKES_BACK:
        message.error(
            "EDI_FUNCTION",
            "The message takes a document back; nothing is changed by it here.",
            segment,
            purpose,
        )
    elif purpose not in _ORIGINAL:
        message.note(
            Severity.WARNING,
            "EDI_FUNCTION",
            "The message says that it is a copy, a change or a replacement.",
            segment,
            purpose,
        )


def _parties(body: Body, sellers: Sequence[str], buyers: Sequence[str]) -> None:
    message = body.message
    for name, roles in (("seller", sellers), ("buyer", buyers)):
        draft = pick(body.parties, roles)
        if draft is None and name == "buyer" and "seller" in message.fields:
            draft = pick(body.parties, ("ST",))
        if draft is not None:
            message.fields[name] = draft.party()
            message.places[name] = message.places[f"N1*{_role_of(body, draft)}"]


def _role_of(body: Body, draft: PartyDraft) -> str:
    return next(role for role, one in body.parties.items() if one is draft)


def _remit_to(body: Body) -> None:
    """Where to pay: the seller, where an invoice names no other, or else the payee."""
    message = body.message
    remit_to = pick(body.parties, _REMIT_TO)
    if remit_to is None:
        return
    name = "payee" if "seller" in message.fields else "seller"
    if name == "seller" and _role_of(body, remit_to) == "RI":
        return  # a bank's lock box says nothing about who sells
    message.fields[name] = remit_to.party()
    message.places[name] = message.places[f"N1*{_role_of(body, remit_to)}"]


def _references(body: Body, *, own: bool = False) -> None:
    fields, found = body.message.fields, body.references
    orders = [] if own else list(found.get("PO", ()))
    if len(orders) == 1:
        fields["order_reference"] = orders[0]
    for name, codes in (
        ("sales_order_reference", ("VN", "OQ")),
        ("contract_reference", ("CT", "BC")),
        ("buyer_reference", ("CR", "CO")),
    ):
        numbers_of = [number for code in codes for number in found.get(code, ())]
        if numbers_of:
            fields[name] = numbers_of[0]
    fields["despatch_references"] = tuple(
        dict.fromkeys(number for code in ("SI", "PK") for number in found.get(code, ()))
    )
    fields["billing_references"] = tuple(found.get("OI", {}).values())


def _due(body: Body) -> None:
    """Take the due date as stated, or reckon it from days after the invoice date."""
    message, fields = body.message, body.message.fields
    if len(body.dues) == 1:
        day, segment = next(iter(body.dues.items()))
        message.put("due_on", day, segment)
    elif len(body.dues) > 1 or len(body.due_days) > 1:
        message.unread.add("due_on")
        message.note(
            Severity.WARNING,
            "DUE_DATES_DIFFER",
            "Several due dates are stated; the buyer must say which holds when accepting.",
            next(iter((body.dues or body.due_days).values())),
        )
    elif len(body.due_days) == 1 and fields.get("issue_on"):
        days, segment = next(iter(body.due_days.items()))
        message.put("due_on", fields["issue_on"] + dt.timedelta(days=days), segment)
        message.note(
            Severity.INFO,
            "DUE_FROM_TERMS",
            Words("The due date is reckoned: %(days)s days after the invoice date.", days=days),
            segment,
            fields["due_on"].isoformat(),
        )


def _delivered(body: Body, codes: Sequence[str]) -> None:
    for code in codes:
        if code in body.dates:
            body.message.fields["delivered_on"] = body.dates[code]
            return


def _turn_round(fields: dict[str, Any], lines: Sequence[dict[str, Any]]) -> None:
    """Some senders write a credit below zero; a credit note says how much is credited."""
    for name in ("payable", "gross", "tax", "charge", "allowance"):
        amount = fields.get(f"{name}_minor")
        if amount is not None:
            fields[f"{name}_minor"] = -amount
    for line in lines:
        if line.get("net_minor") is not None:
            line["net_minor"] = -line["net_minor"]
        line["quantity"] = line["quantity"].removeprefix("-")


def _total_of_lines(body: Body) -> None:
    """X12 states no sum of the lines; what follows from them is compared and never taken."""
    message, fields = body.message, body.message.fields
    nets = [line.get("net_minor") for line in message.lines]
    total = fields.get("payable_minor")
    if total is None or not nets or None in nets:
        return
    lines = sum(net or 0 for net in nets)
    of_lines = sum(
        line.get("charge_minor", 0) - line.get("allowance_minor", 0) for line in message.lines
    )
    of_document = (fields["charge_minor"] or 0) - (fields["allowance_minor"] or 0)
    follows = lines + of_document + (fields["tax_minor"] or 0)
    # Each line may have been rounded; and some list at the end again what stands on the lines.
    if min(abs(follows - total), abs(follows - of_lines - total)) > len(nets):
        message.note(
            Severity.WARNING,
            "LINES_TOTAL",
            Words(
                "From the lines follow %(follows)s minor units, the total states %(stated)s.",
                follows=follows,
                stated=total,
            ),
            message.start,
            str(total),
        )


_Read: TypeAlias = Callable[[Message, Sequence[Segment]], CanonicalDocument]
MESSAGES: Final[Mapping[str, _Read]] = {
    "810": _invoice,
    "820": _remittance,
    "850": _order,
    "855": _order_answer,
    "856": _shipment,
}
