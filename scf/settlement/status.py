"""What the bank answers to a payment file: it moves payments, and never is money itself."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select

from scf.db.runner import Context, command
from scf.db.types import Code, Text
from scf.financing import advances
from scf.kernel.errors import NotFound, Words
from scf.kernel.findings import Finding, Severity
from scf.parties.service import business_date
from scf.settlement import instructions, outcomes
from scf.settlement.expected import MAX_PAYMENTS
from scf.settlement.instructions import FILE_TABLE
from scf.settlement.lifecycle import UNDER_WAY
from scf.settlement.models import PaymentFile, PaymentInstruction
from scf.settlement.readers import BankAnswer, Status, StatusReport, TransactionStatus


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class Answer(_Input):
    """The bank's code for a payment, a block of payments or the whole file."""

    id: Text
    block: Text = ""
    code: Code
    reason: Code = ""


class ReadStatus(_Input):
    """A payment status report."""

    sha256: Code
    original_message_id: Text
    group: Answer | None = None
    blocks: list[Answer] = Field(default_factory=list, max_length=MAX_PAYMENTS)
    payments: list[Answer] = Field(default_factory=list, max_length=MAX_PAYMENTS)
    keep_rejected: bool = False


@command("status.read", ReadStatus)
def read_status(ctx: Context, data: ReadStatus) -> dict[str, Any]:
    """Let the bank's answer move the payments of one file.

    An acknowledgement, and even "settled", is no money: only the booked entry is. A definite
    refusal fails the advance and, unless it is kept for a second try, frees title, hold and
    limits. An answer that comes too late for a payment is a finding and changes nothing.

    Raises
    ------
    NotFound
        When the report answers no file of this financier.
    """
    file = ctx.conn.execute(
        select(FILE_TABLE).where(
            FILE_TABLE.c.msg_id == data.original_message_id,
            FILE_TABLE.c.financier_id == ctx.actor.org_id,
        )
    ).one_or_none()
    if file is None:
        raise NotFound(
            "NOT_FOUND", "The report answers no payment file of yours.", kind="payment file"
        )
    ctx.lock(PaymentFile, [file.id])
    rows = instructions.of_file(ctx.conn, file.id)
    advances.lock(ctx, (row.advance_id for row in rows if row.advance_id))
    rows = list(ctx.lock(PaymentInstruction, (row.id for row in rows)).values())
    report = _report(data)
    reasons = {one.id: one.reason for one in data.payments}
    today = business_date(ctx.conn, file.financier_id)
    findings = _unknown_payments(data, rows)
    rejected: dict[str, list[Row[Any]]] = {}
    counts = {"acknowledged": 0, "rejected": 0}
    for row in rows:
        status = report.status_of(row.end_to_end_id, file.msg_id)
        if status is None or status.answer is BankAnswer.MIXED:
            continue
        if row.state not in UNDER_WAY:
            if not _agrees(row, status):
                findings.append(_late_answer(row, status))
            continue
        if status.answer is BankAnswer.REJECTED:
            code = reasons.get(row.end_to_end_id) or status.code
            rejected.setdefault(code, []).append(row)
            counts["rejected"] += 1
        else:
            instructions.move(ctx, [row], "acknowledge", {"status_code": status.code})
            counts["acknowledged"] += 1
    for code, members in rejected.items():
        outcomes.reject(ctx, members, code, today, keep=data.keep_rejected)
    ctx.emit("payout.answered", {"file_id": file.id, **counts})
    return {
        "file_id": file.id,
        **counts,
        "findings": [one.as_stored() for one in findings],
    }


def _report(data: ReadStatus) -> StatusReport:
    """Build the report as the reader gave it; it knows which answer covers which payment."""
    return StatusReport(
        version="",
        message_id="",
        created="",
        original_message_id=data.original_message_id,
        original_message_name="",
        group=Status(data.group.code) if data.group else None,
        blocks=tuple((one.id, Status(one.code)) for one in data.blocks),
        transactions=tuple(
            TransactionStatus("", one.block, one.id, "", "", None, "", Status(one.code))
            for one in data.payments
        ),
        findings=(),
    )


def _unknown_payments(data: ReadStatus, rows: Sequence[Row[Any]]) -> list[Finding]:
    known = {row.end_to_end_id for row in rows}
    return [
        Finding(
            Severity.WARNING, "PAYMENT_UNKNOWN",
            "The report answers a payment that is not in its file.", value=one.id,
        )
        for one in data.payments
        if one.id not in known
    ]  # fmt: skip


def _agrees(row: Row[Any], status: Status) -> bool:
    """Tell whether an answer says what is known already."""
    if status.answer is BankAnswer.REJECTED:
        return bool(row.state == "REJECTED")
    return row.state in {"SETTLED", "RETURNED"}


def _late_answer(row: Row[Any], status: Status) -> Finding:
    return Finding(
        Severity.WARNING,
        "STATUS_CONTRADICTS",
        Words(
            "The bank answers %(status)s for a payment that is %(state)s; nothing is changed.",
            status=status.code,
            state=row.state,
        ),
        value=row.end_to_end_id,
    )
