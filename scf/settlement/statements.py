"""What the bank says: answers to payment files, and the movements on the financier's accounts.

Files are read outside any transaction; what they say enters by commands, a long statement in
slices. Only a booked entry is money. Every movement is stored once, whichever file it stands in
and however often: a statement read again posts nothing.
"""

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from scf.db.platform import Platform
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput
from scf.settlement import matching
from scf.settlement.advised.handing import pair_waiting
from scf.settlement.expected import EntryIn, PartIn
from scf.settlement.intake import ReadStatement
from scf.settlement.own_accounts.reading import mapping_of_table
from scf.settlement.readers import (
    BankEntry,
    BankFormat,
    BankStatement,
    EntryDetail,
    StatementFile,
    StatementMapping,
    StatusReport,
    bank_format,
    read_statements,
    read_status_report,
)
from scf.settlement.status import Answer, ReadStatus

# A slice is one transaction that posts and matches; short enough to hold its locks briefly.
SLICE: Final = 200
MAX_RACES: Final = 5
# A notification names the payments of one batch, which are looked at together.
NOTIFIED: Final = 1_000
STATEMENTS: Final = frozenset(
    {
        BankFormat.CAMT_052,
        BankFormat.CAMT_053,
        BankFormat.CAMT_054,
        BankFormat.MT940,
        BankFormat.CSV,
    }
)


def read_file(
    platform: Platform,
    actor: Actor,
    data: bytes,
    name: str = "",
    *,
    keep_rejected: bool = False,
    mapping: StatementMapping | None = None,
    account: str = "",
) -> dict[str, Any]:
    """Read a file of the bank and let it have its effect; gives counts and findings.

    A table (CSV) is read by ``mapping``, which says what its columns mean; without one, by the
    mapping that is kept for the account (``account``, its id or number, where several would fit).

    Which command runs under which key follows from the bytes alone, so that the same file handed
    in twice, or again after a crash, has one effect. With ``keep_rejected`` refused pay-outs stay
    FAILED with their hold instead of being unwound.

    Raises
    ------
    InvalidInput
        BANK_FORMAT for what is no bank file we read; NOT_BOOKED for a report of the day, which
        moves no money; MAPPING_MISSING and MAPPING_AMBIGUOUS for a table; the codes of the readers.
    RuleViolation
        FORM_MIXED, when an account's days came in another form of file.
    """
    form = bank_format(data)
    if form is BankFormat.PAIN_002:
        report = read_status_report(data)
        return _read_report(platform, actor, data, report, keep_rejected=keep_rejected)
    if form in STATEMENTS:
        used = mapping if form is BankFormat.CSV else None
        if form is BankFormat.CSV and used is None:
            with platform.db.snapshot() as conn:
                used = mapping_of_table(conn, actor.org_id, data, account)
        file = read_statements(data, used)
        return _read_statements(platform, actor, data, name, file, used.mark if used else "")
    raise InvalidInput(
        "BANK_FORMAT",
        "This is no bank file that the platform reads. It reads camt.053, camt.054, MT940 and "
        "tables (CSV) as statements, and pain.002 as answers to payments.",
        form=form.value,
    )


def _unsound(file: StatementFile | StatusReport) -> dict[str, Any]:
    """Answer a file that cannot be trusted: all that is wrong, and no effect."""
    return {"read": False, "findings": [one.as_stored() for one in file.findings]}


# --- Status reports -------------------------------------------------------------------------------


def _read_report(
    platform: Platform, actor: Actor, data: bytes, report: StatusReport, *, keep_rejected: bool
) -> dict[str, Any]:
    if not report.is_sound:
        return _unsound(report)
    message = ReadStatus(
        sha256=sha256(data).hexdigest(),
        original_message_id=report.original_message_id,
        group=_answer("", report.group.code) if report.group else None,
        blocks=[_answer(block, status.code) for block, status in report.blocks],
        payments=[
            Answer(
                id=one.end_to_end_id,
                block=one.payment_information_id,
                code=one.status.code,
                reason=",".join(why.code for why in one.status.reasons)[:64],
            )
            for one in report.transactions
        ],
        keep_rejected=keep_rejected,
    )
    key = f"{message.sha256}:{'keep' if keep_rejected else 'unwind'}"
    result = _run(platform, "status.read", message, actor, key)
    findings = [one.as_stored() for one in report.findings]
    return {"read": True, **result, "findings": findings + result["findings"]}


def _answer(name: str, code: str) -> Answer:
    return Answer(id=name, block="", code=code, reason="")


# --- Statements -----------------------------------------------------------------------------------


def _read_statements(
    platform: Platform, actor: Actor, data: bytes, name: str, file: StatementFile, by: str
) -> dict[str, Any]:
    if not file.moves_money:
        raise InvalidInput(
            "NOT_BOOKED", "This report of the day moves no money; read the statement.",
            kind=file.kind,
        )  # fmt: skip
    if not file.is_sound:
        return _unsound(file)
    total = {"entries": 0, "new_entries": 0, "settled": 0, "returned": 0, "waiting": 0}
    findings = [one.as_stored() for one in file.findings]
    mark = sha256(data).hexdigest()
    called = sha256(name.encode()).hexdigest()[:8]  # renamed, it is read once more and adds nothing
    for place, statement in enumerate(file.statements):
        for slice_ in _slices(statement, file.kind, place, name, data, mark):
            key = f"{mark}:{place}:{slice_.part}:{called}{by[:16]}"
            result = _run(platform, "statement.read", slice_, actor, key)
            for word in total:
                total[word] += result[word]
            findings += result["findings"]
    pair_waiting(platform, actor)
    return {"read": True, **total, "findings": findings}


def _run(
    platform: Platform, name: str, message: ReadStatement | ReadStatus, actor: Actor, key: str
) -> dict[str, Any]:
    """Run one command; again when what it was about to touch moved on in between."""
    for race in range(MAX_RACES):
        try:
            return platform.run(name, message, actor, key=key).result
        except Conflict as moved:
            if moved.code != "STALE" or race == MAX_RACES - 1:
                raise
    raise AssertionError("unreachable")


def _slices(
    statement: BankStatement, form: str, place: int, name: str, data: bytes, mark: str
) -> Iterator[ReadStatement]:
    booked = statement.booked
    opening, closing = statement.balances_of(form)
    days = [one.booked_on for one in booked]
    size = NOTIFIED if form == BankFormat.CAMT_054 else SLICE
    starts = range(0, max(1, len(booked)), size)
    for part, start in enumerate(starts):
        yield ReadStatement(
            name=name,
            sha256=mark,
            content=base64.b64encode(data).decode() if part == 0 and place == 0 else "",
            place=place,
            part=part,
            form=form,
            where=statement.place,
            statement_ref=statement.statement_id,
            account=matching.plain_account(statement.account.identifier),
            currency=statement.currency or (booked[0].currency if booked else "XXX"),
            from_on=statement.from_on,
            to_on=statement.to_on,
            opening_on=(opening.on or statement.from_on) if opening else None,
            closing_on=(closing.on or statement.to_on) if closing else None,
            first_on=min(days, default=None),
            last_on=max(days, default=None),
            is_last=start == starts[-1],
            opening_minor=opening.amount_minor if opening else 0,
            closing_minor=closing.amount_minor if closing else 0,
            total=len(booked),
            entries=[_entry(one) for one in booked[start : start + size]],
        )


def _entry(one: BankEntry) -> EntryIn:
    return EntryIn(
        identity=one.identity,
        place=one.place,
        amount_minor=one.amount_minor,
        currency=one.currency,
        booked_on=one.booked_on,
        value_on=one.value_on,
        is_reversal=one.is_reversal,
        return_reason=one.return_reason[:64],
        batch_ids=_known(one.batch_message_id, one.batch_payment_information_id),
        batch_count=one.batch_count,
        text=one.additional_information[:2000],
        reference=one.servicer_reference[:200],
        parts=[_part(detail, one) for detail in one.details],
    )


def _part(detail: EntryDetail, entry: BankEntry) -> PartIn:
    # The other side of the movement: who sent a credit, who was paid by a debit.
    other = detail.debtor if entry.amount_minor > 0 else detail.creditor
    amount = detail.amount_minor
    same_way = amount is not None and (amount > 0) == (entry.amount_minor > 0)
    own = detail.currency == entry.currency
    return PartIn(
        amount_minor=abs(amount) if amount is not None and same_way and own else None,
        end_to_end_id=detail.end_to_end_id[:64],
        name=other.name[:400],
        account=matching.plain_account(other.account.identifier)[:64],
        references=[text[:400] for text in detail.references][:50],
        return_reason=detail.return_reason[:64],
        ids=_known(detail.message_id, detail.payment_information_id),
    )


def _known(*ids: str) -> list[str]:
    return [one[:64] for one in dict.fromkeys(ids) if one]
