"""X12 interchanges are read by the separators that they bring; hundredths stay hundredths."""

import datetime as dt

import pytest

from scf.documents.canonical import CanonicalDocument, Identifier, Kind, ParsedFile
from scf.documents.readers import read_file
from tests.documents.readers.edi import BAK, BEG, BIG, BPR, BSN, x12


def one(segments: tuple[str, ...], name: str = "810", **how: str) -> CanonicalDocument:
    """Read one transaction set that must be accepted."""
    parsed = read_file(x12((name, segments), **how))
    assert not parsed.errors, [found.as_dict() for found in parsed.errors]
    (document,) = parsed.documents
    return document


def codes(parsed: ParsedFile) -> set[str]:
    return {found.code for found in parsed.errors}


def replaced(old: str, new: str, segments: tuple[str, ...] = BIG) -> tuple[str, ...]:
    """Write a transaction set with one segment changed, or left out."""
    assert segments.count(old) == 1
    return tuple(new if one == old else one for one in segments if new or one != old)


def test_an_invoice_takes_its_total_in_hundredths_and_its_terms_in_days() -> None:
    read = one(BIG)
    assert (read.kind, read.number, read.issue_on) == (
        Kind.INVOICE,
        "I-77",
        dt.date(2026, 3, 2),
    )
    assert (read.payable_minor, read.tax_minor, read.charge_minor) == (16800, 750, 1000)
    assert (read.due_on, read.order_reference) == (dt.date(2026, 5, 31), "PO-1")
    assert read.despatch_references == ("LS-9",)
    assert (read.seller.name, read.seller.identifiers) == (
        "Grain Inc.",
        (Identifier("duns", "123456789"),),
    )
    assert (read.buyer.country, read.buyer.identifiers) == (
        "US",
        (Identifier("gln", "4000001000005"),),
    )
    assert [(line.item_name, line.quantity, line.price, line.net_minor) for line in read.lines] == [
        ("Flour", "4", "25", 10000),
        ("Oats", "1", "50.5", 5050),
    ]
    assert read.lines[0].item_ids == (Identifier("standard:0160", "036000291452"),)
    assert [found.code for found in read.findings] == ["DUE_FROM_TERMS"]


def test_five_transaction_sets_are_read_one_by_one() -> None:
    sets = (("850", BEG), ("855", BAK), ("856", BSN), ("810", BIG), ("820", BPR))
    parsed = read_file(x12(*sets))
    assert (parsed.format, parsed.errors) == ("x12", ())
    order, answer, shipment, _invoice, remittance = parsed.documents
    assert (order.kind, order.number, order.payable_minor) == (Kind.ORDER, "PO-1", 15050)
    assert (answer.kind, answer.word, answer.order_reference) == (
        Kind.ORDER_RESPONSE,
        "changed",
        "PO-1",
    )
    assert [(line.word, line.quantity) for line in answer.lines] == [
        ("changed", "3"),
        ("refused", "1"),
    ]
    assert shipment.kind is Kind.DESPATCH
    assert [(line.order_reference, line.order_line, line.quantity) for line in shipment.lines] == [
        ("PO-1", "1", "3"),
        ("PO-1", "2", "1"),
    ]
    assert (remittance.kind, remittance.payable_minor) == (Kind.REMITTANCE, 18900)
    assert [(line.invoice_reference, line.net_minor) for line in remittance.lines] == [
        ("I-77", 19100),
        ("G-1", -200),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("TDS*16800", "TDS*168.00", "EDI_IMPLIED_DECIMALS"),
        ("SAC*C*D240***1000", "SAC*C*D240***10.00", "EDI_IMPLIED_DECIMALS"),
        ("TDS*16800", "", "PAYABLE_MISSING"),
        ("CTT*2", "CTT*3", "EDI_LINE_COUNT"),
        ("CUR*SE*USD", "CUR*SE*XXX", "CURRENCY"),
        (BIG[0], "BIG*20260230*I-77", "DATE"),
        (BIG[0], "BIG*20260302*I-77******01", "EDI_FUNCTION"),
        (BIG[0], "NTE*ZZZ*no beginning", "EDI_BEGINNING"),
        ("IT1*1*4*KG*25**UP*036000291452", "IT1*1*4,0*KG*25", "NUMBER"),
        ("PID*F****Oats", "N1*SE*Other Inc.", ""),
        ("N1*BT*Mills LLC*UL*4000001000005", "N1*SE*Other Inc.", "PARTY_TWICE"),
    ],
)
def test_what_an_invoice_may_not_say_is_refused_with_its_segment(
    old: str, new: str, code: str
) -> None:
    parsed = read_file(x12(("810", replaced(old, new))))
    if not code:  # a party under a line is none of the document
        assert not parsed.errors
        return
    assert code in codes(parsed)
    assert all(found.place.startswith("message 1, segment ") for found in parsed.errors)


def test_a_credit_memo_is_a_credit_note_whatever_its_sign() -> None:
    first = "BIG*20260302*G-1****CR"
    segments = replaced(BIG[0], "BIG*20260302*G-1*****CR")
    assert first != segments[0]
    plus = one((segments[0], "REF*OI*I-77", *segments[1:]))
    below = tuple(
        part.replace("TDS*", "TDS*-").replace("1000", "-1000").replace("*7.5*", "*-7.5*")
        if part.startswith(("TDS", "SAC", "TXI"))
        else part.replace("*4*", "*-4*").replace("2*1*", "2*-1*")
        if part.startswith("IT1")
        else part
        for part in segments
    )
    minus = one((below[0], "REF*OI*I-77", *below[1:]))
    for read in (plus, minus):
        assert (read.kind, read.payable_minor, read.tax_minor) == (Kind.CREDIT_NOTE, 16800, 750)
        assert [one.number for one in read.billing_references] == ["I-77"]
        assert [(line.quantity, line.net_minor) for line in read.lines] == [
            ("4", 10000),
            ("1", 5050),
        ]


def test_dollars_are_assumed_between_american_addresses_only() -> None:
    home = one(replaced("CUR*SE*USD", ""))
    assert home.currency == "USD"
    assert "CURRENCY_ASSUMED" in {found.code for found in home.findings}
    abroad = replaced("N4*Tulsa*OK*74103", "N4*Toronto*ON*M5V*CA", replaced("CUR*SE*USD", ""))
    assert "CURRENCY_MISSING" in codes(read_file(x12(("810", abroad))))


def test_a_remit_to_address_sells_where_no_seller_is_named_and_collects_where_one_is() -> None:
    alone = one(replaced("N1*SE*Grain Inc.*1*123456789", "N1*RE*Grain Inc.*1*123456789"))
    assert (alone.seller.name, alone.payee) == ("Grain Inc.", None)
    at = BIG.index("N1*BT*Mills LLC*UL*4000001000005")
    both = one((*BIG[:at], "N1*RE*Factor Corp.", *BIG[at:]))
    assert "TITLE_PRIOR" in {found.code for found in both.findings}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("SE*19*0001", "SE*18*0001", "EDI_COUNT"),
        ("SE*19*0001", "SE*19*0002", "EDI_REFERENCE"),
        ("GE*1*1", "GE*2*1", "EDI_COUNT"),
        ("IEA*1*000000007", "IEA*1*000000008", "EDI_REFERENCE"),
        ("IEA*1*000000007~", "", "EDI_IEA_MISSING"),
        ("GE*1*1~", "", "EDI_GE_MISSING"),
        ("SE*19*0001~", "", "EDI_SE_MISSING"),
    ],
)
def test_control_segments_are_held_against_what_is_there(old: str, new: str, code: str) -> None:
    text = x12(("810", BIG)).decode()
    assert text.count(old) == 1
    parsed = read_file(text.replace(old, new).encode())
    assert code in codes(parsed)
    assert len(parsed.documents) == (not old.startswith("SE"))


def test_the_header_brings_its_own_separators() -> None:
    text = x12(("810", BIG)).decode()
    tables: tuple[dict[str, str | int | None], ...] = (
        {"*": "|", "~": "\x1c"},
        {"*": "^", "~": "!"},
        {"*": "\x1d", ">": "\x1f"},
    )
    for table in tables:
        parsed = read_file(text.translate(str.maketrans(table)).encode())
        assert parsed.documents == (one(BIG),)
    lines = text.replace("~", "").encode()
    assert read_file(lines).documents == (one(BIG),)
    unpadded = read_file(text.replace("               *", " *").encode())
    assert len(unpadded.documents) == 1


def test_levels_of_a_shipment_stand_under_levels_that_came_before() -> None:
    wrong = replaced("HL*3*2*I", "HL*3*7*I", BSN)
    assert codes(read_file(x12(("856", wrong)))) == {"EDI_LEVEL"}
    flat = tuple(part for part in BSN if not part.startswith("HL"))
    assert "EDI_LEVEL" in codes(read_file(x12(("856", flat))))


def test_a_total_that_its_lines_do_not_come_to_is_told() -> None:
    read = one(replaced("TDS*16800", "TDS*99900"))
    assert "LINES_TOTAL" in {found.code for found in read.findings}


def test_a_test_is_no_trade_and_other_sets_are_named() -> None:
    parsed = read_file(x12(("810", BIG), ("850", BEG), ("997", ("AK1*PO*1",)), usage="T"))
    (invoice,) = parsed.documents
    assert "NOT_A_RECEIVABLE" in {found.code for found in invoice.findings}
    assert codes(parsed) == {"EDI_TEST", "MESSAGE_UNKNOWN"}
    assert parsed.refused == 2


@pytest.mark.parametrize(
    "data", [b"ISA*00*", b"ISA*" + b"*" * 20, b"ISA" + b"*a" * 16 + b"bc", b"ISA*00\0" * 90]
)
def test_a_broken_header_is_refused_with_a_word(data: bytes) -> None:
    parsed = read_file(data)
    assert (parsed.documents, codes(parsed)) == ((), {"EDI_HEADER"})
