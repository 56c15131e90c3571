"""The bank of files: it pays once, says so, keeps its balance, and can be made to misbehave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scf.demo import bank
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.settlement.readers import (
    BankFormat,
    EntryStatus,
    StatementFile,
    StatusReport,
    bank_format,
    read_statements,
    read_status_report,
)
from scf.settlement.writers import (
    VERSION_03,
    PaymentAccount,
    PaymentBatch,
    PaymentParty,
    write_pain001,
)
from tests.settlement.formats.samples import DAY, OUR_IBAN, PAYER_IBAN, batch, payment

CHINESE = PaymentParty(
    name="青岛海蓝电器有限公司", account=PaymentAccount(other="6222021234567890")
)


def read(files: list[bank.BankFile]) -> tuple[list[StatusReport], list[StatementFile]]:
    """Read everything the bank sent; all of it must be sound."""
    reports: list[StatusReport] = []
    statements: list[StatementFile] = []
    for _, data in files:
        if bank_format(data) is BankFormat.PAIN_002:
            reports.append(read_status_report(data))
        else:
            statements.append(read_statements(data))
    assert not any(one.findings for one in reports)
    assert not any(one.findings for one in statements)
    return reports, statements


def send(
    order: PaymentBatch, where: Path, **more: object
) -> tuple[StatusReport, list[StatementFile]]:
    data = write_pain001(order)
    (report,), statements = read(
        bank.answer(data, on=DAY, state_dir=where, **more)  # type: ignore[arg-type]
    )
    return report, statements


def codes(report: StatusReport) -> dict[str, str]:
    return {one.end_to_end_id: one.status.code for one in report.transactions}


def test_a_payment_file_is_answered_and_debited(tmp_path: Path) -> None:
    report, (file,) = send(batch(payment("P-1", 988_375_00), payment("P-2", 1)), tmp_path)
    assert report.original_message_id == "BATCH-1"
    assert codes(report) == {"P-1": "ACSC", "P-2": "ACSC"}
    (statement,) = file.statements
    assert statement.account.identifier == OUR_IBAN
    assert [one.amount_minor for one in statement.booked] == [-988_375_00, -1]
    first = statement.booked[0]
    assert first.details[0].end_to_end_id == "P-1"
    assert first.details[0].message_id == "BATCH-1"
    assert first.details[0].creditor.account.identifier == PAYER_IBAN
    assert first.details[0].unstructured == ("RE-2026/4711",)
    assert first.servicer_reference == report.transactions[0].servicer_reference
    assert (first.booked_on, first.value_on) == (DAY, DAY)
    assert bank.balance(OUR_IBAN, "EUR", state_dir=tmp_path) == -988_375_01


def test_the_same_file_again_is_answered_alike_and_booked_never(tmp_path: Path) -> None:
    order = batch(payment("P-1"), payment("P-2"))
    first, _ = send(order, tmp_path, reject={"P-2"})
    second, statements = send(order, tmp_path)
    assert statements == []
    assert second.transactions == first.transactions
    assert second.message_id != first.message_id
    assert len(bank.statement_ids(tmp_path)) == 1


def test_the_same_payment_in_another_file_is_booked_once(tmp_path: Path) -> None:
    send(batch(payment("P-1")), tmp_path)
    report, statements = send(batch(payment("P-1"), payment("P-2"), message_id="B-2"), tmp_path)
    assert codes(report) == {"P-1": "ACSC", "P-2": "ACSC"}
    assert [
        detail.end_to_end_id
        for file in statements
        for one in file.statements[0].booked
        for detail in one.details
    ] == ["P-2"]


def test_another_payment_under_a_known_name_is_refused(tmp_path: Path) -> None:
    send(batch(payment("P-1", 100)), tmp_path)
    report, statements = send(batch(payment("P-1", 101), message_id="B-2"), tmp_path)
    assert report.transactions[0].status.code == "RJCT"
    assert report.transactions[0].status.reasons[0].code == "DU04"
    assert statements == []


def test_another_file_under_a_known_message_id_is_refused_whole(tmp_path: Path) -> None:
    send(batch(payment("P-1")), tmp_path)
    report, statements = send(batch(payment("P-2")), tmp_path)
    assert report.group is not None
    assert (report.group.code, report.group.reasons[0].code) == ("RJCT", "DU01")
    assert statements == []
    assert send(batch(payment("P-2"), message_id="B-2"), tmp_path)[1] != []


def test_all_or_some_payments_are_rejected_with_a_reason(tmp_path: Path) -> None:
    order = batch(payment("P-1"), payment("P-2"))
    report, statements = send(order, tmp_path / "some", reject={"P-2"}, reason="AM04")
    assert codes(report) == {"P-1": "ACSC", "P-2": "RJCT"}
    assert report.transactions[1].status.reasons[0].code == "AM04"
    assert report.group is not None
    assert report.group.code == "PART"
    assert len(statements) == 1
    report, statements = send(order, tmp_path / "all", reject=True)
    assert set(codes(report).values()) == {"RJCT"}
    assert statements == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<CtrlSum>988375.00</CtrlSum>", b"<CtrlSum>988375.01</CtrlSum>", "AM10"),
        (b"<NbOfTxs>1</NbOfTxs>", b"<NbOfTxs>2</NbOfTxs>", "AM10"),
        (b"<PmtMtd>TRF</PmtMtd>", b"<PmtMtd>CASH</PmtMtd>", "FF01"),
        (b"pain.001.001.09", b"pain.001.001.77", "FF01"),
    ],
)
def test_a_file_that_is_wrong_in_itself_is_refused_whole(
    tmp_path: Path, old: bytes, new: bytes, reason: str
) -> None:
    data = write_pain001(batch(payment("P-1", 988_375_00))).replace(old, new, 1)
    (report,), statements = read(bank.answer(data, on=DAY, state_dir=tmp_path))
    assert report.group is not None
    assert report.group.reasons[0].code == reason
    assert statements == []


def test_a_wrong_account_is_refused_by_the_bank_itself(tmp_path: Path) -> None:
    data = write_pain001(batch()).replace(PAYER_IBAN.encode(), PAYER_IBAN[:-1].encode() + b"7")
    (report,), statements = read(bank.answer(data, on=DAY, state_dir=tmp_path))
    assert report.transactions[0].status.reasons[0].code == "AC01"
    assert statements == []


def test_a_delayed_payment_is_booked_when_it_is_released(tmp_path: Path) -> None:
    order = batch(payment("P-1", 500), payment("P-2", 7))
    report, (file,) = send(order, tmp_path, delay={"P-1"})
    assert codes(report) == {"P-1": "PDNG", "P-2": "ACSC"}
    assert [one.amount_minor for one in file.statements[0].booked] == [-7]
    assert codes(send(order, tmp_path)[0]) == {"P-1": "PDNG", "P-2": "ACSC"}
    later = date(2026, 3, 12)
    (report,), (file,) = read(bank.release(on=later, state_dir=tmp_path))
    assert codes(report) == {"P-1": "ACSC"}
    assert report.original_message_id == "BATCH-1"
    assert [(one.amount_minor, one.booked_on) for one in file.statements[0].booked] == [
        (-500, later)
    ]
    assert bank.release(on=later, state_dir=tmp_path) == []


def test_a_payment_ordered_for_later_is_booked_on_its_day(tmp_path: Path) -> None:
    _, (file,) = send(batch(requested_on=date(2026, 3, 16)), tmp_path)
    assert file.statements[0].booked[0].booked_on == date(2026, 3, 16)


def test_a_returned_payment_comes_back_once_with_its_reason(tmp_path: Path) -> None:
    send(batch(payment("P-1", 500)), tmp_path)
    name, data = bank.give_back("P-1", on=DAY, state_dir=tmp_path, reason="AC06")
    (entry,) = read_statements(data).statements[0].booked
    assert name == "camt053-000002.xml"
    assert entry.amount_minor == 500
    assert entry.return_reason == "AC06"
    assert entry.details[0].end_to_end_id == "P-1"
    assert bank.balance(OUR_IBAN, "EUR", state_dir=tmp_path) == 0
    with pytest.raises(Conflict):
        bank.give_back("P-1", on=DAY, state_dir=tmp_path)
    with pytest.raises(NotFound):
        bank.give_back("P-9", on=DAY, state_dir=tmp_path)


def credit(where: Path, minor: int = 100_000_000, **more: object) -> bank.BankFile:
    facts: dict[str, Any] = {
        "from_name": "Anchor SE",
        "from_account": PAYER_IBAN,
        "to_account": OUR_IBAN,
        "amount_minor": minor,
        "currency": "EUR",
        "reference": "RE-2026/4711",
        "on": DAY,
        "state_dir": where,
    } | more
    return bank.receive(**facts)


def test_money_that_comes_in_is_a_credit_with_its_payer(tmp_path: Path) -> None:
    send(batch(payment("P-1", 400)), tmp_path)
    _, data = credit(
        tmp_path,
        1_000,
        to_name="Handelsbank",
        value_on=date(2026, 3, 9),
        creditor_reference="RF18539007547034",
    )
    (statement,) = read_statements(data).statements
    (entry,) = statement.booked
    assert statement.opening is not None
    assert statement.closing is not None
    assert (statement.opening.amount_minor, statement.closing.amount_minor) == (-400, 600)
    assert (entry.amount_minor, entry.value_on) == (1_000, date(2026, 3, 9))
    (detail,) = entry.details
    assert (detail.debtor.name, detail.debtor.account.identifier) == ("Anchor SE", PAYER_IBAN)
    assert detail.references == ("RF18539007547034", "RE-2026/4711")
    assert detail.end_to_end_id == ""


def test_two_equal_credits_are_two_entries(tmp_path: Path) -> None:
    files = [read_statements(credit(tmp_path)[1]) for _ in range(2)]
    identities = {one.identity for file in files for one in file.statements[0].entries}
    assert len(identities) == 2
    assert bank.balance(OUR_IBAN, "EUR", state_dir=tmp_path) == 200_000_000


def test_an_announced_credit_changes_no_balance(tmp_path: Path) -> None:
    (statement,) = read_statements(credit(tmp_path, booked=False)[1]).statements
    assert statement.entries[0].status is EntryStatus.PENDING
    assert statement.booked == ()
    assert bank.balance(OUR_IBAN, "EUR", state_dir=tmp_path) == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"minor": 0}, "AMOUNT_RANGE"),
        ({"minor": -1}, "AMOUNT_RANGE"),
        ({"minor": 10**15 + 1}, "AMOUNT_RANGE"),
        ({"currency": "XYZ"}, "CURRENCY"),
        ({"to_account": " "}, "ACCOUNT"),
        ({"from_account": "1" * 35}, "ACCOUNT"),
        ({"end_to_end_id": "1" * 36}, "REFERENCE"),
    ],
)
def test_money_without_amount_or_account_does_not_come(
    tmp_path: Path, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        credit(tmp_path, **more)
    assert refused.value.code == code
    assert not (tmp_path / bank.STATE_FILE).exists()


def test_long_references_and_hostile_names_still_make_a_readable_statement(tmp_path: Path) -> None:
    text = "Invoices " + " ".join(f"RE-{number}" for number in range(60)) + " <&> \x00\u202e"
    _, data = credit(tmp_path, from_name="\x07A&B <Ltd>\u200b", reference=text)
    file = read_statements(data)
    assert file.findings == ()
    (detail,) = file.statements[0].entries[0].details
    assert detail.debtor.name == "A&B <Ltd>"
    assert "".join(detail.unstructured).replace(" ", "").startswith("InvoicesRE-0RE-1RE-2")
    assert "RE-59" in detail.unstructured[-1]


def test_a_statement_is_repeated_byte_for_byte(tmp_path: Path) -> None:
    first = credit(tmp_path)
    send(batch(), tmp_path)
    assert bank.repeat("STATEMENT-000001", state_dir=tmp_path) == first
    assert bank.statement_ids(tmp_path) == ["STATEMENT-000001", "STATEMENT-000002"]
    with pytest.raises(NotFound):
        bank.repeat("STATEMENT-000009", state_dir=tmp_path)


def test_each_currency_has_its_own_pocket(tmp_path: Path) -> None:
    order = batch(
        payment("P-1", 2_700, "JPY", CHINESE),
        payment("P-2", 1_005, "KWD", CHINESE),
        payment("P-3", 33),
        version=VERSION_03,
    )
    report, files = send(order, tmp_path)
    assert report.version == "pain.002.001.03"
    assert {
        one.statements[0].currency: one.statements[0].booked[0].amount_minor for one in files
    } == {"JPY": -2_700, "KWD": -1_005, "EUR": -33}
    names = [one.statements[0].booked[0].details[0].creditor.name for one in files]
    assert names[0] == CHINESE.name


def test_a_batch_booked_as_one_shows_its_payments(tmp_path: Path) -> None:
    order = replace(batch(payment("P-1", 10), payment("P-2", 32)), batch_booking=True)
    _, (file,) = send(order, tmp_path)
    (entry,) = file.statements[0].booked
    assert entry.amount_minor == -42
    assert (entry.batch_payment_information_id, entry.batch_count) == ("BATCH-1", 2)
    assert [one.amount_minor for one in entry.details] == [-10, -32]


def test_the_same_calls_give_the_same_bytes(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        where = tmp_path / name
        files = bank.answer(write_pain001(batch()), on=DAY, state_dir=where)
        files.append(credit(where))
        bank.write_files(files, where)
        runs.append({path.name: path.read_bytes() for path in sorted(where.iterdir())})
    assert runs[0] == runs[1]
    assert sorted(runs[0]) == [
        "bank-state.json",
        "camt053-000001.xml",
        "camt053-000002.xml",
        "pain002-000001.xml",
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"junk", "XML_MALFORMED"),
        (b"<Document><BkToCstmrStmt/></Document>", "NO_PAYMENT_FILE"),
        (b"<Document><CstmrCdtTrfInitn/></Document>", "PAYMENT_FILE_UNREADABLE"),
    ],
)
def test_what_is_no_payment_file_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        bank.answer(data, on=DAY, state_dir=tmp_path)
    assert refused.value.code == code


def test_a_foreign_state_file_is_named_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / bank.STATE_FILE).write_text('{"balances": 3}')
    with pytest.raises(InvalidInput) as refused:
        credit(tmp_path)
    assert refused.value.code == "BANK_STATE"
    assert (tmp_path / bank.STATE_FILE).read_text() == '{"balances": 3}'


def test_an_account_ends_where_money_ends_and_nothing_is_remembered(tmp_path: Path) -> None:
    order = batch(payment("P-1", 10**15), payment("P-2", 1))
    with pytest.raises(InvalidInput) as refused:
        send(order, tmp_path)
    assert refused.value.code == "AMOUNT_RANGE"
    assert not (tmp_path / bank.STATE_FILE).exists()
