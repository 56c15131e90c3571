"""Judge readers, writer and bank simulator by bank files and schemas outside the project.

``python -m tests.corpus.bank DIR`` takes from DIR, which is never part of this repository,
camt files with their expected content, pain files, and the ISO 20022 schemas. It fails when an
expected fact of a statement is not read, when anything crashes, and when a file that we write
breaks its schema.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from scf.demo import bank
from scf.demo.bank_messages import STATEMENT_VERSIONS, Order, Payment, read_order
from scf.kernel.errors import InvalidInput
from scf.kernel.money import Money
from scf.parties.clearing import CLEARING
from scf.settlement.readers import (
    BankEntry,
    BankFormat,
    BankStatement,
    EntryDetail,
    bank_format,
    read_statements,
    read_status_report,
)
from scf.settlement.writers import (
    VERSION_03,
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentInstruction,
    PaymentParty,
    write_pain001,
)
from tests.corpus.judge import Judge
from tests.corpus.mt940 import FOLDER as MT940
from tests.corpus.mt940 import judge_mt940

CAMT = "iso20022-camt-genkgo"
PAIN = "iso20022-pain"
ON = date(2026, 3, 10)
# The names that the expected content gives to balances.
BALANCES = {
    "OPBD": "opening",
    "CLBD": "closing",
    "OPAV": "opening_available",
    "CLAV": "closing_available",
}
Fact = tuple[object, ...]
_ANSWERED = 4  # the batch in each version and manner; the rest differ by one payee only


def main(argv: Sequence[str] | None = None) -> int:
    """Judge everything and print the counts; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus: Path = parser.parse_args(argv).corpus
    judge = Judge(corpus)
    for folder, endings, judged in (
        (CAMT, {".xml"}, _judge_statement),
        (PAIN, {".xml"}, _judge_payment_file),
        (MT940, {".sta", ".txt"}, judge_mt940),
    ):
        paths = [
            path
            for path in sorted((corpus / folder).rglob("*"))
            if path.suffix in endings and path.name != "SOURCE.txt"
        ]
        if not paths:
            judge.blame(folder, "no files")
        for path in paths:
            try:
                judged(judge, path)
            except Exception:  # noqa: BLE001 - any crash is a result here
                judge.blame(path.name, traceback.format_exc(limit=3))
    _judge_domestic(judge)
    for what, number in sorted(judge.seen.items()):
        print(f"{number:6} {what}")
    for line in judge.wrong:
        print(f"WRONG {line}")
    return 1 if judge.wrong else 0


def _judge_statement(judge: Judge, path: Path) -> None:
    file = read_statements(path.read_bytes())
    judge.count(f"{file.kind} read")
    for code in sorted({one.code for one in file.findings}):
        judge.count(f"{file.kind} finding {code}")
    expected_path = path.with_suffix(".json")
    if not expected_path.exists():
        if file.is_sound:
            judge.blame(path.name, "taken for sound, but the collection calls it wrong")
        return
    expected = set(_expected(json.loads(expected_path.read_text(encoding="utf-8"))))
    ours = {fact for statement in file.statements for fact in _read(statement)}
    judge.seen["facts expected and read"] += len(expected & ours)
    for fact in sorted(expected - ours, key=str):
        # The collection signs a payment like its entry even where the payment carries an
        # indicator of its own; ISO 20022 lets the payment's indicator speak for the payment.
        if fact[0] == "detail" and ("detail", -int(str(fact[1])), fact[2]) in ours:
            judge.count("payments signed by their own indicator, against their entry")
        else:
            judge.blame(path.name, f"expected {fact}")


def _read(statement: BankStatement) -> Iterator[Fact]:
    """Say a statement in the same small facts as the expected content."""
    yield ("statement", statement.statement_id, statement.account.identifier)
    for one in statement.balances:
        kind = BALANCES.get(one.code, one.code)
        yield ("balance", kind, one.amount_minor, one.currency, one.on)
    for entry in statement.entries:
        yield from _read_entry(entry)
        for detail in entry.details:
            yield from _read_detail(detail)


def _read_entry(entry: BankEntry) -> Iterator[Fact]:
    yield ("entry", entry.amount_minor, entry.currency, entry.status.value)
    yield ("reversal", entry.is_reversal)
    yield ("booked", entry.booked_on)
    yield ("value", entry.value_on)
    yield ("AcctSvcrRef", entry.servicer_reference)
    yield ("NtryRef", entry.entry_reference)
    yield ("information", entry.additional_information)
    yield ("batch", entry.batch_payment_information_id)
    for part in (entry.transaction_code, entry.proprietary_code):
        yield ("code", part)


def _read_detail(one: EntryDetail) -> Iterator[Fact]:
    if one.amount_minor is not None:
        yield ("detail", one.amount_minor, one.currency)
    if one.instructed_minor is not None:
        yield ("instructed", one.instructed_minor, one.instructed_currency)
    for kind, text in (
        ("getEndToEndId", one.end_to_end_id),
        ("getInstructionId", one.instruction_id),
        ("getMessageId", one.message_id),
        ("getPaymentInformationId", one.payment_information_id),
        ("getTransactionId", one.transaction_id),
        ("getUuidEndToEndReference", one.uetr),
        ("getMandateId", one.mandate_id),
        ("getAccountServicerReference", one.servicer_reference),
        ("information", one.additional_information),
        ("return", one.return_reason),
        ("Debtor", one.debtor.name),
        ("Creditor", one.creditor.name),
        ("UltimateDebtor", one.ultimate_debtor),
        ("UltimateCreditor", one.ultimate_creditor),
        ("account", one.debtor.account.identifier),
        ("account", one.creditor.account.identifier),
    ):
        yield (kind, text)
    for text in one.unstructured:
        yield ("text", text)
    for text in one.creditor_references:
        yield ("creditor reference", text)


def _expected(node: object) -> Iterator[Fact]:
    """Walk the expected content; a value shown elsewhere in it is only a marker there."""
    if isinstance(node, list):
        for item in node:
            yield from _expected(item)
    if not isinstance(node, dict):
        return
    kind = str(node.get("__CLASS__", "")).rpartition("\\")[2]
    yield from _EXPECTED.get(kind, lambda _: iter(()))(node)
    for value in node.values():
        yield from _expected(value)


def _money(node: dict[str, dict[str, object]] | None) -> tuple[int, object] | None:
    if not isinstance(node, dict):
        return None
    currency = node["getCurrency"]
    assert isinstance(currency, dict)
    return int(str(node["getAmount"])), currency["getCode"]


def _day(node: object) -> date | None:
    return date.fromisoformat(str(node["0"])[:10]) if isinstance(node, dict) else None


def _entry(node: dict[str, object]) -> Iterator[Fact]:
    money = _money(node["getAmount"])  # type: ignore[arg-type]
    if money:
        yield ("entry", *money, node["getStatus"])
    yield ("reversal", node["getReversalIndicator"])
    for kind, name in (("booked", "getBookingDate"), ("value", "getValueDate")):
        if node.get(name):
            yield (kind, _day(node[name]))
    for kind, name in (
        ("AcctSvcrRef", "getAccountServicerReference"),
        ("NtryRef", "getReference"),
        ("information", "getAdditionalInfo"),
        ("batch", "getBatchPaymentId"),
    ):
        if node.get(name):
            yield (kind, node[name])


def _detail(node: dict[str, object]) -> Iterator[Fact]:
    money = _money(node["getAmount"])  # type: ignore[arg-type]
    if money:
        yield ("detail", *money)


def _references(node: dict[str, object]) -> Iterator[Fact]:
    for name, value in node.items():
        if isinstance(value, str) and name in {
            "getEndToEndId",
            "getInstructionId",
            "getMessageId",
            "getPaymentInformationId",
            "getTransactionId",
            "getUuidEndToEndReference",
            "getMandateId",
            "getAccountServicerReference",
        }:
            yield (name, value)


def _balance(node: dict[str, object]) -> Iterator[Fact]:
    money = _money(node["getAmount"])  # type: ignore[arg-type]
    if money and node["getType"] in BALANCES.values():
        yield ("balance", node["getType"], *money, _day(node["getDate"]))


def _record(node: dict[str, object]) -> Iterator[Fact]:
    account = node["getAccount"]
    if isinstance(account, dict):
        yield ("statement", node["getId"], account["getIdentification"])


def _party(node: dict[str, object]) -> Iterator[Fact]:
    kind = str(node["__CLASS__"]).rpartition("\\")[2]
    if node.get("getName"):
        yield (kind, node["getName"])


def _related(node: dict[str, object]) -> Iterator[Fact]:
    account = node["getAccount"]
    if isinstance(account, dict) and account.get("getIdentification"):
        yield ("account", account["getIdentification"])


def _unstructured(node: dict[str, object]) -> Iterator[Fact]:
    if node.get("getMessage"):
        yield ("text", " ".join(str(node["getMessage"]).split()))


def _structured(node: dict[str, object]) -> Iterator[Fact]:
    if node.get("getAdditionalRemittanceInformation"):
        yield ("text", node["getAdditionalRemittanceInformation"])


def _creditor_reference(node: dict[str, object]) -> Iterator[Fact]:
    if node.get("getRef"):
        yield ("creditor reference", node["getRef"])


def _domain(node: dict[str, object]) -> Iterator[Fact]:
    family = node["getFamily"]
    if isinstance(family, dict):
        yield ("code", f"{node['getCode']}/{family['getCode']}/{family['getSubFamilyCode']}")


def _returned(node: dict[str, object]) -> Iterator[Fact]:
    if node.get("getCode"):
        yield ("return", node["getCode"])


_EXPECTED = {
    "Entry": _entry,
    "EntryTransactionDetail": _detail,
    "Reference": _references,
    "Balance": _balance,
    "Statement": _record,
    "Report": _record,
    "Notification": _record,
    "Debtor": _party,
    "Creditor": _party,
    "UltimateDebtor": _party,
    "UltimateCreditor": _party,
    "RelatedParty": _related,
    "UnstructuredRemittanceInformation": _unstructured,
    "StructuredRemittanceInformation": _structured,
    "CreditorReferenceInformation": _creditor_reference,
    "DomainBankTransactionCode": _domain,
    "ReturnInformation": _returned,
}


def _judge_payment_file(judge: Judge, path: Path) -> None:
    data = path.read_bytes()
    kind = bank_format(data)
    judge.count(f"{kind.value} recognised")
    if kind is BankFormat.PAIN_002:
        if not read_status_report(data).is_sound:
            judge.blame(path.name, "the report is not sound")
        return
    if kind is not BankFormat.PAIN_001:
        return
    try:
        order = read_order(data)
    except InvalidInput as refused:
        judge.count(f"pain.001 refused {refused.code}")
        return
    with tempfile.TemporaryDirectory() as folder:
        answered = bank.answer(data, on=ON, state_dir=Path(folder))
        for name, sent in answered:
            judge.validate(f"{path.name} {name}", sent)
        for told in bank.deliver(Path(folder), state_dir=Path(folder), versions=STATEMENT_VERSIONS):
            judge.validate(f"{path.name} {told.name}", told.read_bytes())
        _judge_answers(judge, path, answered)
    for version in (VERSION_03, VERSION_09):
        _write_again(judge, path, order, version)


def _judge_domestic(judge: Judge) -> None:
    """Pay through every clearing system, one by one and as a batch, in each version."""
    payees = [
        PaymentParty(
            f"Payee of {code}",
            PaymentAccount(other="12345678", scheme="BBAN"),
            clearing_system=code,
            clearing_member=system.example,
            country=system.country,
            town="Town",
            postcode="10115",
            street="High Street 1",
        )
        for code, system in CLEARING.items()
    ]
    payer = PaymentParty("Payer", PaymentAccount(iban="GB29NWBK60161331926819"), country="GB")
    groups = [payees, *([one] for one in payees)]
    for number, (group, version, together) in enumerate(
        itertools.product(groups, (VERSION_03, VERSION_09), (True, False)), start=1
    ):
        data = write_pain001(
            PaymentBatch(
                message_id=f"DOMESTIC-{number}",
                created_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
                requested_on=ON,
                debtor=payer,
                instructions=tuple(
                    PaymentInstruction(f"D-{number}-{place}", payee, Money(12_345, "GBP"))
                    for place, payee in enumerate(group, start=1)
                ),
                version=version,
                batch_booking=together,
            )
        )
        judge.validate(f"domestic {number}", data)
        if number <= _ANSWERED:
            with tempfile.TemporaryDirectory() as folder:
                for name, sent in bank.answer(data, on=ON, state_dir=Path(folder)):
                    judge.validate(f"domestic {number} {name}", sent)
    judge.seen["domestic clearing systems paid through"] = len(payees)


def _judge_answers(judge: Judge, path: Path, answered: list[bank.BankFile]) -> None:
    """What the simulator says must be read back without a finding but a wrong IBAN."""
    for name, sent in answered:
        if bank_format(sent) is BankFormat.PAIN_002:
            report = read_status_report(sent)
            if report.group is not None:
                reasons = {reason.code for reason in report.group.reasons} | {
                    reason.code for one in report.transactions for reason in one.status.reasons
                }
                judge.count(f"answered {' '.join([report.group.code, *sorted(reasons)])}")
            findings = report.findings
        else:
            findings = read_statements(sent).findings
        for one in findings:
            judge.blame(f"{path.name} {name}", f"{one.code} {one.place} {one.value}")


def _write_again(judge: Judge, path: Path, order: Order, version: str) -> None:
    """Write the payments of a foreign file as our own, each account group as one batch."""
    by_debtor: dict[str, list[Payment]] = {}
    for payment in order.payments:
        by_debtor.setdefault(payment.debtor_account, []).append(payment)
    for number, payments in enumerate(by_debtor.values(), start=1):
        batch = PaymentBatch(
            message_id=f"AGAIN-{number}",
            created_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
            requested_on=payments[0].requested_on,
            debtor=PaymentParty(payments[0].debtor_name, account_of(payments[0].debtor_account)),
            instructions=tuple(
                PaymentInstruction(
                    end_to_end_id=f"PAY-{index}",
                    creditor=PaymentParty(one.creditor_name, account_of(one.creditor_account)),
                    amount=Money(one.amount_minor, one.currency),
                    remittance=" ".join(one.unstructured),
                    invoice_numbers=one.document_numbers,
                    creditor_reference=one.creditor_reference,
                )
                for index, one in enumerate(payments, start=1)
            ),
            version=version,
        )
        try:
            data = write_pain001(batch)
        except InvalidInput as refused:
            judge.count(f"written again: refused {refused.code}")
            continue
        judge.validate(f"{path.name} written again", data)
        if data != write_pain001(batch):
            judge.blame(path.name, "two exports of one batch differ")
        read = [(one.amount_minor, one.currency) for one in read_order(data).payments]
        if Counter(read) != Counter((one.amount_minor, one.currency) for one in payments):
            judge.blame(path.name, "amounts changed")


def account_of(text: str) -> PaymentAccount:
    """Take text that looks like an IBAN for one."""
    looks = text[:2].isalpha() and text[2:4].isdigit()
    return PaymentAccount(iban=text) if looks else PaymentAccount(other=text)


if __name__ == "__main__":
    sys.exit(main())
