"""A register of a tax authority is bounded in time and believed in nothing."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scf.demo.taxoffice import facts_of
from scf.demo.taxserver import TaxServer
from scf.documents.canonical import TaxIdentity
from scf.documents.readers import read_file
from scf.documents.readers.csvfile import open_table
from scf.documents.taxcheck.http import HttpRegister
from scf.documents.taxcheck.port import Answer
from scf.documents.taxcheck.schemes import Ask, lacks, problems, tidy
from scf.kernel.clock import FixedClock
from tests.documents.einvoice.papers import ubl
from tests.documents.readers.edi import BIG, INVOIC, edifact, x12
from tests.documents.readers.samples import cii, replaced

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
ASK = Ask(
    "i-1", "fapiao", "", "12345678901234567890", "", "F-1", "91310000X", "", NOON.date(),
    100_000, 13_000, 113_000, "CNY",
)  # fmt: skip


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def server(tmp_path: Path, clock: FixedClock) -> Iterator[TaxServer]:
    running = TaxServer(tmp_path / "office.json", clock)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.close()
    thread.join()


def ask(register: HttpRegister, *asks: Ask) -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in register.verify(asks or (ASK,))]


def test_a_register_over_http_answers_each_in_order(server: TaxServer, clock: FixedClock) -> None:
    other = ASK._replace(number="98765432109876543210", net_minor=1)
    server.office.register([facts_of(ASK), facts_of(other)])
    register = HttpRegister(server.address, clock)
    server.office.void(other.number)
    unknown = ASK._replace(number="55555555555555555555")
    wrong = ASK._replace(net_minor=99_999)
    said = register.verify([ASK, other, unknown, wrong])
    assert [one.state for one in said] == ["VALID", "VOIDED", "NOT_FOUND", "MISMATCH"]
    assert said[0] == Answer("VALID", reference="TO-000001", version="office-1", at=NOON)
    assert (said[3].field, said[3].theirs, said[3].ours) == ("net_minor", "100000", "99999")
    server.office.credit(ASK.number, 5_000)
    assert register.verify([ASK])[0].credited_minor == 5_000


def test_what_is_no_answer_is_unavailable_and_asked_no_more_for_a_while(
    server: TaxServer, clock: FixedClock
) -> None:
    server.office.register([facts_of(ASK)])
    register = HttpRegister(server.address, clock)
    server.office.behave("garbage")
    assert ask(register, ASK, ASK) == [("UNAVAILABLE", "GARBAGE")] * 2
    server.office.behave("down")
    assert [ask(register) for _ in range(2)] == [[("UNAVAILABLE", "HTTP_503")]] * 2
    asked = server.asked
    assert asked == 1 + 2 * 2  # what is down is tried twice, what answers rubbish once
    server.office.behave("well")
    assert ask(register) == [("UNAVAILABLE", "RESTING")]
    assert server.asked == asked
    clock.advance(seconds=60)
    assert ask(register) == [("VALID", "")]
    assert ask(register) == [("VALID", "")]


def test_a_silent_register_is_not_waited_for(server: TaxServer, clock: FixedClock) -> None:
    server.office.behave("slow")
    register = HttpRegister(server.address, clock, timeout=0.05)
    assert ask(register) == [("UNAVAILABLE", "SILENT")]
    assert server.asked == 1


def test_nobody_at_the_address_is_told_as_such(server: TaxServer, clock: FixedClock) -> None:
    register = HttpRegister("http://127.0.0.1:9", clock)
    assert ask(register) == [("UNAVAILABLE", "NO_CONNECTION")]
    # another path of the same server refuses; it is no answer either
    assert ask(HttpRegister(f"{server.address}/other", clock)) == [("UNAVAILABLE", "HTTP_404")]


@pytest.mark.parametrize(
    ("identity", "good"),
    [
        (TaxIdentity("Fapiao", "", "1234 5678 9012 3456 7890"), True),
        (TaxIdentity("fapiao", "1234567890", "12345678", "123456"), True),
        (TaxIdentity("fapiao", "", "12345678"), False),  # the short number needs its code
        (TaxIdentity("fapiao", "", "1234567890123456789x"), False),
        (TaxIdentity("irn", "", "A" * 64), True),
        (TaxIdentity("irn", "", "A" * 63), False),
        (TaxIdentity("cfdi", "", "6f1b2c3d-0000-4000-8000-00000000000a"), True),
        (TaxIdentity("cfdi", "12", "6f1b2c3d-0000-4000-8000-00000000000a"), False),
        (TaxIdentity("sdi"), True),
        (TaxIdentity("morse", "", "1"), False),
    ],
)
def test_an_identity_is_what_its_scheme_can_mean(identity: TaxIdentity, good: bool) -> None:
    assert (not list(problems(tidy(identity)))) is good


def test_each_scheme_names_what_it_needs() -> None:
    bare = ASK._replace(number="", seller_tax="", buyer_tax="")
    found = {name: lacks(bare._replace(scheme=name)) for name in ("fapiao", "sdi", "irn", "cfdi")}
    assert found == {
        "fapiao": ["number"],
        "sdi": ["seller_tax"],
        "irn": ["number"],
        "cfdi": ["number", "seller_tax", "buyer_tax"],
    }
    assert lacks(ASK) == []


UUID = "6F1A2B3C-0000-4D5E-8F90-ABCDEF012345"
CFDI = TaxIdentity("cfdi", "", UUID)


def said_in_ubl(scheme: str, number: str) -> bytes:
    named = (
        f'<cac:AdditionalDocumentReference><cbc:ID schemeID="{scheme}">{number}</cbc:ID>'
        "</cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
    )
    return ubl().replace(b"<cac:AccountingSupplierParty>", named.encode())


def said_in_cii(attribute: str, kind: str) -> bytes:
    beside = f"<ram:ReferenceTypeCode>{kind}</ram:ReferenceTypeCode>" if kind else ""
    named = (
        f"<ram:AdditionalReferencedDocument><ram:IssuerAssignedID{attribute}>{UUID.lower()}"
        f"</ram:IssuerAssignedID><ram:TypeCode>130</ram:TypeCode>{beside}"
        "</ram:AdditionalReferencedDocument></ram:ApplicableHeaderTradeAgreement>"
    )
    return replaced(cii(), "</ram:ApplicableHeaderTradeAgreement>", named)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (said_in_ubl("FAPIAO", "1234567890/12345678"),
         TaxIdentity("fapiao", "1234567890", "12345678")),
        (said_in_cii("", "CFDI"), CFDI),
        (said_in_cii(' schemeID="CFDI"', ""), CFDI),
        (said_in_cii("", "AWV"), None),
        (edifact(("INVOIC", (*INVOIC[:2], f"RFF+GN:{UUID}", *INVOIC[2:]))), CFDI),
        # A government's number in a country whose register we do not know.
        (edifact(("INVOIC", (*INVOIC[:2], "RFF+GN:4711", *INVOIC[2:]))), None),
        (x12(("810", (BIG[0], f"REF*ZZ*{UUID}*CFDI", *BIG[1:]))), CFDI),
        (x12(("810", (BIG[0], f"REF*ZZ*{UUID}", *BIG[1:]))), None),
    ],
)  # fmt: skip
def test_an_invoice_names_its_tax_number_where_its_format_has_a_place(
    content: bytes, expected: TaxIdentity | None
) -> None:
    (read,) = read_file(content, today=dt.date(2026, 3, 10)).documents
    assert read.tax_identity == expected


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("Identificativo SdI,Tax scheme", "123456,sdi", TaxIdentity("sdi", "", "123456")),
        ("发票代码,校验码", "1234567890,654321",
         TaxIdentity("fapiao", "1234567890", "12345678", "654321")),
        ("Folio fiscal", UUID.lower(), CFDI),
        ("数电票号码", "12345678901234567890", TaxIdentity("fapiao", "", "12345678901234567890")),
        ("Numéro fiscal", "", None),
    ],
)  # fmt: skip
def test_a_list_names_tax_numbers_in_columns_of_its_own(
    header: str, cells: str, expected: TaxIdentity | None
) -> None:
    text = (
        f"Invoice number,Invoice date,Due date,Supplier,Customer,Amount,Currency,{header}\n"
        f"12345678,2026-03-01,2026-05-30,Seller Ltd,Buyer Ltd,113.00,CNY,{cells}\n"
    )
    (row,) = open_table(text.encode(), today=dt.date(2026, 3, 10)).rows()
    assert row.document is not None
    assert (row.document.number, row.document.tax_identity) == ("12345678", expected)


def test_what_can_be_no_tax_number_is_told_when_it_is_handed_in() -> None:
    (read,) = read_file(said_in_ubl("IRN", "12"), today=dt.date(2026, 3, 1)).documents
    assert [found.code for found in read.findings] == ["TAX_IDENTITY"]
