"""Read the single payments inside a booked entry."""

from __future__ import annotations

from scf.kernel.errors import Words
from scf.kernel.xml import Element
from scf.settlement.readers.fields import Fields
from scf.settlement.readers.messages import EntryDetail
from scf.settlement.readers.parties import read_name, read_participant

# Written by banks where a reference is due and none was given.
_PLACEHOLDERS = frozenset({"NOTPROVIDED", "NOTREF", "NONREF", "NONE", "-"})


def read_details(
    fields: Fields, entry: Element, at: str, minor: int, currency: str
) -> tuple[EntryDetail, ...]:
    """Read every payment of an entry and compare their sum with the entry.

    A difference is only a warning: charges and exchange explain it, and the entry's own amount is
    what was booked.
    """
    holders = list(fields.each(entry, "NtryDtls", at)) or [(entry, at)]  # version 1 has no holder
    details = [
        _detail(fields, node, place, minor, currency)
        for holder, inside in holders
        for node, place in fields.each(holder, "TxDtls", inside)
        if len(node)
    ]
    amounts = [one.amount_minor for one in details if one.currency == currency]
    known = [amount for amount in amounts if amount is not None]
    if known and len(known) == len(details) and sum(known) != minor:
        fields.warn(
            "DETAIL_SUM",
            Words(
                "The payments of this entry do not add up to its amount "
                "(minor units: %(counted)s against %(stated)s).",
                counted=sum(known),
                stated=minor,
            ),
            at,
            str(minor - sum(known)),
        )
    return tuple(details)


def _detail(fields: Fields, node: Element, place: str, minor: int, currency: str) -> EntryDetail:
    references = fields.one(node, "Refs")
    related = fields.one(node, "RltdPties")
    agents = fields.one(node, "RltdAgts")
    remittance = fields.one(node, "RmtInf")
    returned = fields.one(node, "RtrInf")
    amount, own_currency = _amount(fields, node, minor, currency)
    instructed, instructed_currency = _instructed(fields, node)
    structured = fields.many(remittance, "Strd")
    return EntryDetail(
        place=place,
        amount_minor=amount,
        currency=own_currency,
        instructed_minor=instructed,
        instructed_currency=instructed_currency,
        end_to_end_id=reference(fields.text(references, "EndToEndId")),
        instruction_id=reference(fields.text(references, "InstrId")),
        message_id=reference(fields.text(references, "MsgId")),
        payment_information_id=reference(fields.text(references, "PmtInfId")),
        transaction_id=reference(fields.text(references, "TxId")),
        uetr=fields.text(references, "UETR"),
        mandate_id=fields.text(references, "MndtId"),
        servicer_reference=reference(fields.text(references, "AcctSvcrRef")),
        debtor=read_participant(fields, related, agents, "Dbtr"),
        creditor=read_participant(fields, related, agents, "Cdtr"),
        ultimate_debtor=read_name(fields, related, "UltmtDbtr"),
        ultimate_creditor=read_name(fields, related, "UltmtCdtr"),
        unstructured=_texts(fields, fields.many(remittance, "Ustrd"))
        + _texts(fields, [text for one in structured for text in fields.many(one, "AddtlRmtInf")]),
        creditor_references=tuple(
            found
            for one in structured
            if (
                found := fields.text(one, "CdtrRefInf", "Ref")
                or fields.text(one, "CdtrRefInf", "CdtrRef")
            )
        ),
        document_numbers=tuple(
            found
            for one in structured
            for document in fields.many(one, "RfrdDocInf")
            if (found := fields.choice(document, "Nb", "RfrdDocNb"))
        ),
        return_reason=_reason(fields, returned),
        return_information=_texts(fields, fields.many(returned, "AddtlInf")),
        additional_information=fields.text(node, "AddtlTxInf"),
    )


def reference(text: str) -> str:
    """Return a reference, or an empty text where the bank wrote that there is none."""
    return "" if text.upper() in _PLACEHOLDERS else text


def _amount(fields: Fields, node: Element, minor: int, currency: str) -> tuple[int | None, str]:
    """Find the booked amount of one payment; its sign is its own, else the entry's."""
    amount = fields.one(node, "Amt")
    if amount is None:
        amount = fields.one(node, "AmtDtls", "TxAmt", "Amt")
    if amount is None:
        instructed = fields.one(node, "AmtDtls", "InstdAmt", "Amt")
        if instructed is not None and (instructed.get("Ccy") or "").strip() == currency:
            amount = instructed
    if amount is None:
        return None, ""
    indicator = fields.one(node, "CdtDbtInd")
    if indicator is not None:
        read = fields.signed(amount, indicator)
        return read or (None, "")
    unsigned = fields.amount(amount)
    if unsigned is None:
        return None, ""
    return (unsigned[0] if minor >= 0 else -unsigned[0]), unsigned[1]


def _instructed(fields: Fields, node: Element) -> tuple[int | None, str]:
    amount = fields.one(node, "AmtDtls", "InstdAmt", "Amt")
    read = fields.amount(amount) if amount is not None else None
    return read or (None, "")


def _reason(fields: Fields, returned: Element | None) -> str:
    """Read why a payment came back, from ``Rsn`` or version 1's ``RtrRsn``."""
    if returned is None:
        return ""
    for name in ("Rsn", "RtrRsn"):
        found = fields.choice(fields.one(returned, name), "Cd", "Prtry")
        if found:
            return found
    return "NARR"  # the bank's code for "see the text": a return without code is still a return


def _texts(fields: Fields, nodes: list[Element]) -> tuple[str, ...]:
    return tuple(found for node in nodes if (found := fields.own_text(node)))
