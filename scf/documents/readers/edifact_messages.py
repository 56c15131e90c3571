"""Make documents of the messages ORDERS, ORDRSP, DESADV, INVOIC and REMADV.

Which codes mean what is the same in all directories since D.93A; where a later one has a better
code for an amount, that one is taken and the older is compared with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from scf.documents import checks
from scf.documents.canonical import CanonicalDocument, Kind, Party, Reference
from scf.documents.readers.derived import compare_allowances
from scf.documents.readers.edi_scope import MAX_NOTE, Message, PartyDraft, pick
from scf.documents.readers.edi_segments import Segment
from scf.documents.readers.edifact_body import Body
from scf.documents.taxcheck.schemes import identity_of, scheme_of
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

# Segments in which a sender's own line breaks mean nothing.
FREE_TEXT: Final = frozenset({"FTX", "IMD"})
_SELLERS: Final = ("SE", "SU", "II", "VN")
_BUYERS: Final = ("BY", "IV", "BT", "OB")
_PAYEES: Final = ("PE", "RE")
_SHIPPERS: Final = (*_SELLERS, "CZ", "SF", "DEQ")
_RECEIVERS: Final = (*_BUYERS, "UC", "CN", "DP", "ST")
# A message may say that it is no original; what it then means for the document.
_TAKES_BACK: Final = frozenset({"1", "3"})
_NO_ORIGINAL: Final = frozenset({"4", "5", "7", "31", "35", "46", "53"})
_ANSWERS: Final = {
    "AP": "accepted",
    "AB": "noted",
    "AC": "noted",
    "AI": "changed",
    "CA": "changed",
    "RE": "refused",
    "NA": "refused",
    "29": "accepted",
    "27": "refused",
    "4": "changed",
}
_LINE_ANSWERS: Final = {
    "1": "added",
    "2": "cancelled",
    "3": "changed",
    "5": "accepted",
    "6": "changed",
    "7": "refused",
    "24": "accepted",
}


def _invoic(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    body = _walked(message, segments, ("47", "12", "46", "21"))
    fields = message.fields
    code = fields.get("type_code", "")
    kind = Kind.CREDIT_NOTE if code in checks.CREDIT_CODES else Kind.INVOICE
    _dates(body, ("137", "3"))
    _parties(body, _SELLERS, _BUYERS)
    payee = pick(body.parties, _PAYEES)
    if payee is not None:
        fields["payee"] = payee.party()
    _references(body)
    _totals(body, ("9", "86", "77", "388", "39", "128"))
    _due(body, kind)
    fields["accounts"] = tuple(body.accounts.values())
    fields["payment_terms"] = " ".join(body.terms)[:MAX_NOTE]
    return _finished(body, kind)


def _orders(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    body = _walked(message, segments, ("21", "1", "131"))
    _dates(body, ("137", "4", "3"))
    _parties(body, _SELLERS, _BUYERS)
    _references(body, own="ON")
    _totals(body, ("9", "86", "128", "39", "77"))
    return _finished(body, Kind.ORDER)


def _ordrsp(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    body = _walked(message, segments, ("113", "12", "21", "1", "145"), is_answer=True)
    _dates(body, ("137", "4"))
    _parties(body, _SELLERS, _BUYERS)
    _references(body)
    word = _ANSWERS.get(body.response) or _ANSWERS.get(body.function, "noted")
    message.fields["word"] = word
    for line in message.lines:
        line["word"] = _LINE_ANSWERS.get(line["word"], "noted" if line["word"] else word)
    _totals(body, ("9", "86", "128", "39", "77"))
    return _finished(body, Kind.ORDER_RESPONSE)


def _desadv(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    body = _walked(message, segments, ("12", "46", "21"))
    _dates(body, ("137",))
    # Goods that are announced have no day of delivery yet: the day they left stands for it.
    message.fields.setdefault("delivered_on", body.dates.get("11"))
    _parties(body, _SHIPPERS, _RECEIVERS)
    _references(body)
    return _finished(body, Kind.DESPATCH)


def _remadv(message: Message, segments: Sequence[Segment]) -> CanonicalDocument:
    body = _walked(message, segments, ())
    _dates(body, ("137", "209", "4"))
    _parties(body, ("PE", "RE", "BE", *_SELLERS), ("PR", "PL", "OY", *_BUYERS))
    for paid in body.documents:
        segment = paid["segment"]
        line = message.line_begins(segment, "")
        line["invoice_reference"] = paid["number"]
        amount = next((paid[code] for code in ("12", "9", "86", "77") if code in paid), None)
        if amount is None:
            message.error("AMOUNT_MISSING", "What is paid on the document is missing.", segment)
        elif paid["code"] in checks.CREDIT_CODES:
            amount = -abs(amount)
        line["net_minor"] = amount
    _totals(body, ("12", "9", "86", "77", "39", "128"))
    return _finished(body, Kind.REMITTANCE)


def _walked(
    message: Message,
    segments: Sequence[Segment],
    quantities: Sequence[str],
    *,
    is_answer: bool = False,
) -> Body:
    body = Body(message, quantities)
    body.walk(segments)
    function = body.function
    if function in _TAKES_BACK:
        message.error(
            "EDI_FUNCTION",
            "The message takes a document back; nothing is changed by it here.",
            message.start,
            function,
        )
    elif function in _NO_ORIGINAL and not is_answer:
        message.note(
            Severity.WARNING,
            "EDI_FUNCTION",
            "The message says that it is a copy, a change or a replacement.",
            message.start,
            function,
        )
    return body


def _finished(body: Body, kind: Kind) -> CanonicalDocument:
    """Check the count of lines, take out what only an answer says, and give the document."""
    message = body.message
    held = len(message.lines)
    # Whether a line inside a line counts, senders see differently.
    if body.count is not None and body.count[0] not in {held, held + body.sub_lines}:
        message.error(
            "EDI_LINE_COUNT",
            Words(
                "CNT must count the %(held)s lines that are there.",
                held=held,
            ),
            body.count[1],
            str(body.count[0]),
        )
    if kind is not Kind.ORDER_RESPONSE:
        for line in message.lines:
            line.pop("word", None)
    return message.document(kind, body.subtotals())


def _dates(body: Body, issued: Sequence[str]) -> None:
    fields = body.message.fields
    for kind in issued:
        if kind in body.dates:
            fields["issue_on"] = body.dates[kind]
            break
    if "35" in body.dates:
        fields["delivered_on"] = body.dates["35"]


def _parties(body: Body, sellers: Sequence[str], buyers: Sequence[str]) -> None:
    message = body.message
    for name, roles in (("seller", sellers), ("buyer", buyers)):
        draft = pick(body.parties, roles)
        if draft is not None:
            message.fields[name] = draft.party()
            message.places[name] = message.places[f"NAD+{_role_of(body, draft)}"]


def _role_of(body: Body, draft: PartyDraft) -> str:
    return next(role for role, one in body.parties.items() if one is draft)


def _references(body: Body, own: str = "") -> None:
    """Fill the references; ``own`` is the qualifier of the document's own number."""
    fields, found = body.message.fields, body.references
    for name, codes in (
        ("order_reference", ("ON",)),
        ("sales_order_reference", ("VN", "AAJ")),
        ("contract_reference", ("CT", "BC")),
        ("payment_reference", ("PQ",)),
        ("buyer_reference", ("CR",)),
    ):
        numbers = [number for code in codes if code != own for number in found.get(code, ())]
        # An invoice over several orders says on its lines which is meant.
        if len(numbers) == 1 or (numbers and name != "order_reference"):
            fields[name] = numbers[0]
    # GN is a government's reference number; whose, its form and the seller's country say.
    for number in found.get("GN", ()):
        seller = fields.get("seller") or Party()
        fields["tax_identity"] = identity_of(scheme_of(number, seller.country), number)
    fields["despatch_references"] = _numbers(found, ("AAK", "DQ"))
    fields["receipt_references"] = _numbers(found, ("ALO",))
    fields["billing_references"] = tuple(
        reference for code in ("OI", "IV") for reference in found.get(code, {}).values()
    )


def _numbers(found: Mapping[str, Mapping[str, Reference]], codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(number for code in codes for number in found.get(code, ())))


def _totals(body: Body, payable: Sequence[str]) -> None:
    """Fill the totals by their codes; the payable amount is the first of its codes stated."""
    message, amounts = body.message, body.amounts
    for name, codes in (
        ("payable", payable),
        ("gross", ("388", "77", "39", "128")),
        ("net", ("389", "125")),
        ("lines", ("79",)),
        ("tax", ("176", "124", "150")),
        ("prepaid", ("113",)),
        ("charge", ("259",)),
        ("allowance", ("260",)),
        ("rounding", ("366",)),
    ):
        for code in codes:
            if code in amounts:
                amount, segment = amounts[code]
                message.fields[f"{name}_minor"] = amount
                message.places[name] = message.place(segment)
                break
    bases = [part.taxable_minor for part in body.subtotals() if part.taxable_minor is not None]
    if bases and len(bases) == len(body.subtotals()) and not {"389", "125", "79"} & amounts.keys():
        message.fields["net_minor"] = sum(bases)
    _allowances(body)


def _allowances(body: Body) -> None:
    """What the summary sums up must be what the document lists."""
    own = [one for one in body.allowances if not one.is_line and not one.is_summary]
    by_line = any(one.is_line and one.amount for one in body.allowances)
    if not own and not by_line:
        own = [one for one in body.allowances if one.is_summary]
    if any(one.amount is None for one in own):
        return  # stated in percent only: the sum is what the summary says
    listed = {
        "charge": [one.amount or 0 for one in own if one.is_charge],
        "allowance": [one.amount or 0 for one in own if not one.is_charge],
    }
    message, fields = body.message, body.message.fields
    stated_apart = "charge_minor" in fields or "allowance_minor" in fields
    if "131" in body.amounts and not stated_apart and (own or not by_line):
        _both_together(body, sum(listed["charge"]) - sum(listed["allowance"]), has_list=bool(own))
    if own:
        compare_allowances(message, listed, fields)


def _both_together(body: Body, listed: int, *, has_list: bool) -> None:
    """Some sum up charges less allowances, or allowances less charges, in one amount."""
    both, segment = body.amounts["131"]
    if not has_list:
        body.message.fields["charge_minor" if both > 0 else "allowance_minor"] = abs(both)
    elif listed not in {both, -both}:
        body.message.error(
            "ALLOWANCE_SUM",
            Words(
                "The allowances and charges listed come to %(listed)s minor units, "
                "the total states %(stated)s.",
                listed=listed,
                stated=both,
            ),
            segment,
            str(both),
        )


def _due(body: Body, kind: Kind) -> None:
    """Take the due date as stated, or reckon it from terms in days after the invoice date."""
    message, fields = body.message, body.message.fields
    if len(body.dues) == 1:
        day, segment = next(iter(body.dues.items()))
        fields["due_on"] = day
        message.places["due_on"] = message.place(segment)
    elif body.dues:
        message.unread.add("due_on")
        message.note(
            Severity.WARNING,
            "DUE_DATES_DIFFER",
            "Several due dates are stated; the buyer must say which holds when accepting.",
            next(iter(body.dues.values())),
        )
    elif len(body.terms_days) == 1 and "issue_on" in fields and kind is Kind.INVOICE:
        (days,) = body.terms_days
        fields["due_on"] = fields["issue_on"] + dt.timedelta(days=days)
        message.note(
            Severity.INFO,
            "DUE_FROM_TERMS",
            Words("The due date is reckoned: %(days)s days after the invoice date.", days=days),
            message.start,
            fields["due_on"].isoformat(),
        )


_Read: TypeAlias = Callable[[Message, Sequence[Segment]], CanonicalDocument]
MESSAGES: Final[Mapping[str, _Read]] = {
    "INVOIC": _invoic,
    "ORDERS": _orders,
    "ORDRSP": _ordrsp,
    "DESADV": _desadv,
    "REMADV": _remadv,
}
