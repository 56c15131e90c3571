"""Payment files: valid by schema, the same bytes each time, exact totals, no lost character."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from lxml import etree

from scf.kernel.errors import InvalidInput
from scf.kernel.money import Money
from scf.settlement.writers import (
    VERSION_03,
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentParty,
    end_to_end_id,
    payment_information_ids,
    write_pain001,
)
from scf.settlement.writers.pain001 import schema_error
from tests.settlement.formats.samples import MOMENT, batch, payment, supplier

VERSIONS = [VERSION_03, VERSION_09]

CHINESE = PaymentParty(
    name="青岛海蓝电器有限公司",
    account=PaymentAccount(other="6222021234567890123", scheme="BBAN"),
    clearing_system="CNAPS",
    clearing_member="102100099996",
    country="CN",
)


def found(data: bytes, path: str) -> list[str]:
    """Texts at a path of local names."""
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    result: Any = etree.fromstring(data).xpath(f"//{steps}")
    return [node.text or "" for node in result]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_payment_in_euro_between_sepa_accounts_is_a_sepa_transfer(version: str) -> None:
    data = write_pain001(batch(version=version))
    assert schema_error(data, version) is None
    assert found(data, "GrpHdr/MsgId") == ["BATCH-1"]
    assert found(data, "GrpHdr/CreDtTm") == ["2026-03-10T09:30:00Z"]
    assert found(data, "GrpHdr/NbOfTxs") == ["1"]
    assert found(data, "GrpHdr/CtrlSum") == ["988375.00"]
    assert found(data, "PmtInf/PmtInfId") == ["BATCH-1"]
    assert found(data, "SvcLvl/Cd") == ["SEPA"]
    assert found(data, "ChrgBr") == ["SLEV"]
    assert found(data, "Dbtr/Nm") == ["Handelsbank Koln AG"]
    assert found(data, "Cdtr/Nm") == ["Societe Generale d'Etuves"]
    assert found(data, "InstdAmt") == ["988375.00"]
    assert found(data, "RmtInf/Ustrd") == ["RE-2026/4711"]
    assert found(data, "RmtInf/Strd") == []
    day = "ReqdExctnDt/Dt" if version == VERSION_09 else "ReqdExctnDt"
    assert found(data, day) == ["2026-03-10"]
    bank = "DbtrAgt/FinInstnId/BICFI" if version == VERSION_09 else "DbtrAgt/FinInstnId/BIC"
    assert found(data, bank) == ["COBADEFFXXX"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_batch_gives_the_same_bytes(version: str) -> None:
    one = batch(payment("A-1"), payment("A-2", 5, "JPY", CHINESE), version=version)
    berlin = MOMENT.astimezone(timezone(timedelta(hours=1)))
    assert (
        write_pain001(one)
        == write_pain001(replace(one))
        == write_pain001(replace(one, created_at=berlin))
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_other_currencies_and_accounts_keep_their_names_and_numbers(version: str) -> None:
    data = write_pain001(
        batch(
            payment("C-1", 1_178_500_00, "CNY", CHINESE, remittance="应收账款融资"),
            version=version,
            charge_bearer="DEBT",
        )
    )
    assert schema_error(data, version) is None
    assert found(data, "Cdtr/Nm") == ["青岛海蓝电器有限公司"]
    assert found(data, "CdtrAcct/Id/Othr/Id") == ["6222021234567890123"]
    assert found(data, "CdtrAcct/Id/Othr/SchmeNm/Cd") == ["BBAN"]
    assert found(data, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId") == ["102100099996"]
    assert found(data, "ChrgBr") == ["DEBT"]
    assert found(data, "SvcLvl") == []
    assert found(data, "RmtInf/Ustrd") == ["应收账款融资"]
    assert found(data, "RfrdDocInf/Nb") == ["RE-2026/4711"]


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [("JPY", 2700, "2700"), ("EUR", 1, "0.01"), ("KWD", 1005, "1.005"), ("CLF", 5, "0.0005")],
)
def test_amounts_are_written_with_the_decimals_of_their_currency(
    currency: str, minor: int, text: str
) -> None:
    data = write_pain001(batch(payment("P-1", minor, currency)))
    assert found(data, "InstdAmt") == [text]
    assert found(data, "GrpHdr/CtrlSum") == [text]


def test_control_totals_add_what_is_written_whatever_the_currency() -> None:
    data = write_pain001(
        batch(
            payment("P-1", 1005, "KWD", CHINESE),
            payment("P-2", 2700, "JPY", CHINESE),
            payment("P-3", 33, "EUR"),
            payment("P-4", 1, "KWD", CHINESE),
        )
    )
    assert found(data, "GrpHdr/NbOfTxs") == ["4"]
    assert found(data, "GrpHdr/CtrlSum") == ["2701.336"]
    assert found(data, "PmtInf/NbOfTxs") == ["2", "1", "1"]
    assert found(data, "PmtInf/CtrlSum") == ["1.006", "2700", "0.33"]
    assert found(data, "PmtInf/PmtInfId") == ["BATCH-1-1", "BATCH-1-2", "BATCH-1-3"]


def test_each_payment_knows_its_block() -> None:
    one = batch(payment("P-1"), payment("P-2", 5, "JPY", CHINESE), payment("P-3"))
    assert payment_information_ids(one) == {
        "P-1": "BATCH-1-1",
        "P-3": "BATCH-1-1",
        "P-2": "BATCH-1-2",
    }


def test_euro_to_an_account_outside_the_zone_is_no_sepa_transfer() -> None:
    turkish = supplier("Ege Tekstil", "TR330006100519786457841326")
    data = write_pain001(batch(payment("P-1", creditor=turkish)))
    assert found(data, "SvcLvl") == []
    assert found(data, "ChrgBr") == ["SHAR"]


def test_a_sepa_reference_replaces_the_text() -> None:
    one = payment("P-1", creditor_reference="RF18539007547034", remittance="thanks")
    data = write_pain001(batch(one))
    assert found(data, "CdtrRefInf/Ref") == ["RF18539007547034"]
    assert found(data, "Ustrd") == []


def test_as_many_invoices_as_fit_are_named_and_the_rest_counted() -> None:
    numbers = tuple(f"INVOICE-2026-{number:06d}" for number in range(20))
    data = write_pain001(batch(replace(payment("P-1"), invoice_numbers=numbers)))
    (text,) = found(data, "Ustrd")
    assert len(text) <= 140
    assert text.startswith("INVOICE-2026-000000, INVOICE-2026-000001, ")
    shown = text.count("INVOICE")
    assert text.endswith(f" +{20 - shown}")


def test_foreign_signs_become_basic_latin_in_sepa_and_vanish_nowhere_else() -> None:
    name = "Łódź & Söhne_<Ünal>\u202e\u200b @ “Müller” 青岛"
    data = write_pain001(batch(payment("P-1", creditor=supplier(name))))
    (written,) = found(data, "Cdtr/Nm")
    assert written == "Lodz + Sohne-(Unal) (at) 'Muller' Qing Dao"
    other = write_pain001(batch(payment("P-1", 5, "USD", creditor=supplier(name))))
    assert found(other, "Cdtr/Nm") == ["Łódź & Söhne_<Ünal> @ “Müller” 青岛"]


def test_long_names_are_cut_to_what_banks_carry() -> None:
    data = write_pain001(batch(payment("P-1", creditor=supplier("Ä" * 300))))
    assert found(data, "Cdtr/Nm") == ["A" * 70]
    data = write_pain001(batch(payment("P-1", 5, "USD", creditor=supplier("Ä" * 300))))
    assert found(data, "Cdtr/Nm") == ["Ä" * 140]


def test_a_payment_is_named_after_its_command_and_attempt() -> None:
    name = end_to_end_id("0190a000-0000-7000-8000-000000000001", 2)
    assert name == "0190a000000070008000000000000001-2"
    assert len(end_to_end_id("0190a000-0000-7000-8000-000000000001", 99)) == 35
    for command, attempt in (("x", 1), ("0190a000-0000-7000-8000-000000000001", 0)):
        with pytest.raises(InvalidInput):
            end_to_end_id(command, attempt)


BAD: list[tuple[PaymentBatch, str]] = [
    (replace(batch(), instructions=()), "PAYMENT_BATCH"),
    (batch(payment("P-1"), payment("P-1")), "PAYMENT_BATCH"),
    (batch(created_at=datetime(2026, 3, 10)), "PAYMENT_BATCH"),  # noqa: DTZ001 - the point
    (batch(version="pain.001.001.02"), "PAYMENT_VERSION"),
    (batch(charge_bearer="BEN"), "CHARGE_BEARER"),
    (batch(message_id=""), "PAYMENT_ID"),
    (batch(message_id="x" * 36), "PAYMENT_ID"),
    (batch(message_id="a//b"), "PAYMENT_ID"),
    (batch(message_id="/ab"), "PAYMENT_ID"),
    (batch(payment("Größe")), "PAYMENT_ID"),
    (batch(payment(" A")), "PAYMENT_ID"),
    (batch(payment("A", instruction_id="x" * 40)), "PAYMENT_ID"),
    (batch(payment("A", 0)), "PAYMENT_AMOUNT"),
    (batch(payment("A", -5)), "PAYMENT_AMOUNT"),
    (batch(payment("A", creditor=supplier(iban="FR1420041010050500013M02607"))), "IBAN"),
    (batch(payment("A", creditor=supplier(name="\u200b"))), "PAYMENT_PARTY"),
    (
        batch(payment("A", creditor=PaymentParty(name="N", account=PaymentAccount()))),
        "PAYMENT_PARTY",
    ),
    (
        batch(
            payment("A", 5, "USD", PaymentParty(name="N", account=PaymentAccount(other="1\x00")))
        ),
        "PAYMENT_PARTY",
    ),
    (
        batch(payment("A", creditor=replace(supplier(), bic="nobank"))),
        "PAYMENT_FILE_INVALID",
    ),
    (
        batch(payment("A", 5, "USD", PaymentParty("N", PaymentAccount(other="1" * 35)))),
        "PAYMENT_FILE_INVALID",
    ),
    (batch(payment("A", purpose="TOOLONG")), "PAYMENT_FILE_INVALID"),
    (
        batch(payment("A"), payment("B", 5, "USD"), message_id="x" * 35),
        "PAYMENT_ID",
    ),
]


@pytest.mark.parametrize(("wrong", "code"), BAD)
def test_a_wrong_batch_gives_no_file(wrong: PaymentBatch, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        write_pain001(wrong)
    assert refused.value.code == code


def test_the_largest_batch_of_the_largest_amounts_still_adds_up() -> None:
    many = [replace(payment(f"P-{number}"), amount=Money(10**15, "EUR")) for number in range(1_000)]
    data = write_pain001(batch(*many))
    assert found(data, "GrpHdr/CtrlSum") == ["10000000000000000.00"]
