"""Read payment status reports (pain.002): what the bank answers to a payment file.

Versions .001.03 to .001.15 keep the same elements; .10 and later may leave out the file's own
status. An unknown status code is an error, never taken for a yes or a no.
"""

from __future__ import annotations

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.xml import Element, place_of
from scf.settlement.readers.details import reference
from scf.settlement.readers.fields import Fields
from scf.settlement.readers.messages import (
    ANSWERS,
    Status,
    StatusReason,
    StatusReport,
    TransactionStatus,
)
from scf.settlement.readers.sniff import BankFormat, BankMessage, open_message


def read_status_report(data: bytes) -> StatusReport:
    """Read the bank's answers to one payment file.

    Raises
    ------
    InvalidInput
        The XML codes of ``load_xml``, BANK_FORMAT, BANK_FORMAT_AMBIGUOUS, or NO_STATUS_REPORT
        for a message of another kind.
    """
    return status_report_of(open_message(data))


def status_report_of(message: BankMessage) -> StatusReport:
    """Read a report that is already open (see ``read_status_report``)."""
    if message.kind is not BankFormat.PAIN_002:
        raise InvalidInput(
            "NO_STATUS_REPORT",
            "This bank message is no payment status report.",
            kind=message.kind.value,
        )
    body = message.body
    fields = Fields(body)
    if message.contradicts:
        fields.warn(
            "NAMESPACE",
            "The namespace does not name this message; it is read by its elements.",
            body,
        )
    header = fields.one(body, "GrpHdr")
    original = fields.one(body, "OrgnlGrpInfAndSts")
    original_id = fields.text(original, "OrgnlMsgId")
    if not original_id:
        fields.error("ORIGINAL_MESSAGE", "The report names no payment file.", body)
    blocks: list[tuple[str, Status]] = []
    transactions: list[TransactionStatus] = []
    for block, place in fields.each(body, "OrgnlPmtInfAndSts", place_of(body)):
        block_id = fields.text(block, "OrgnlPmtInfId")
        status = _status(fields, block, "PmtInfSts")
        if status is not None:
            blocks.append((block_id, status))
        for node, at in fields.each(block, "TxInfAndSts", place):
            one = _transaction(fields, node, at, block_id)
            if one is not None:
                transactions.append(one)
    group = _status(fields, original, "GrpSts") if original is not None else None
    if group is None and not blocks and not transactions:
        fields.error("STATUS_MISSING", "The report holds no status.", body)
    _refuse_contradictions(fields, transactions)
    return StatusReport(
        version=message.version,
        message_id=fields.text(header, "MsgId"),
        created=fields.text(header, "CreDtTm"),
        original_message_id=original_id,
        original_message_name=fields.text(original, "OrgnlMsgNmId"),
        group=group,
        blocks=tuple(blocks),
        transactions=tuple(transactions),
        findings=fields.findings,
    )


def _status(fields: Fields, holder: Element, name: str) -> Status | None:
    node = fields.one(holder, name)
    if node is None:
        return None
    code = fields.own_text(node)
    if code not in ANSWERS:
        fields.error("STATUS", "This status code is not known.", node, code)
        return None
    reasons: list[StatusReason] = []
    for reason in fields.many(holder, "StsRsnInf"):
        words = " ".join(
            found for node in fields.many(reason, "AddtlInf") if (found := fields.own_text(node))
        )
        cause = fields.one(reason, "Rsn")
        given = fields.choice(cause, "Cd", "Prtry") if cause is not None else ""
        if given or words:
            reasons.append(StatusReason(given, words))
    return Status(code, tuple(reasons))


def _transaction(fields: Fields, node: Element, at: str, block_id: str) -> TransactionStatus | None:
    status = _status(fields, node, "TxSts")
    end_to_end_id = reference(fields.text(node, "OrgnlEndToEndId"))
    instruction_id = reference(fields.text(node, "OrgnlInstrId"))
    if not end_to_end_id and not instruction_id:
        fields.error("ORIGINAL_PAYMENT", "The status names no payment.", at)
        return None
    if status is None:
        if fields.one(node, "TxSts") is None:
            fields.error("STATUS_MISSING", "The payment has no status.", at, end_to_end_id)
        return None
    original = fields.one(node, "OrgnlTxRef")
    amount = fields.one(original, "Amt", "InstdAmt")
    read = fields.amount(amount) if amount is not None else None
    return TransactionStatus(
        place=at,
        payment_information_id=block_id,
        end_to_end_id=end_to_end_id,
        instruction_id=instruction_id,
        servicer_reference=reference(fields.text(node, "AcctSvcrRef")),
        amount_minor=read[0] if read else None,
        currency=read[1] if read else "",
        status=status,
    )


def _refuse_contradictions(fields: Fields, transactions: list[TransactionStatus]) -> None:
    """One report answers a payment once, or says the same thing each time."""
    seen: dict[tuple[str, str, str], Status] = {}
    for one in transactions:
        key = (one.payment_information_id, one.end_to_end_id, one.instruction_id)
        first = seen.setdefault(key, one.status)
        if first.code != one.status.code:
            fields.error(
                "STATUS_CONTRADICTS",
                Words(
                    "The report answers this payment %(first)s and %(then)s.",
                    first=first.code,
                    then=one.status.code,
                ),
                one.place,
                one.end_to_end_id,
            )
