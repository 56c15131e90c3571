"""EDIFACT interchanges are read message by message; what is wrong is told with its segment."""

import datetime as dt

import pytest

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Identifier,
    Kind,
    ParsedFile,
    TaxSubtotal,
)
from scf.documents.readers import read_file
from tests.documents.readers.edi import DESADV, INVOIC, ORDERS, ORDRSP, REMADV, edifact

LAST = len(INVOIC) + 2  # segments of the message, with UNH and UNT
GLN_SELLER, GLN_BUYER = Identifier("gln", "4012345000009"), Identifier("gln", "4000001000005")


def one(segments: tuple[str, ...], name: str = "INVOIC", **how: str) -> CanonicalDocument:
    """Read one message that must be accepted."""
    parsed = read_file(edifact((name, segments), **how))
    assert not parsed.errors, [found.as_dict() for found in parsed.errors]
    (document,) = parsed.documents
    return document


def codes(parsed: ParsedFile) -> set[str]:
    return {found.code for found in parsed.errors}


def replaced(old: str, new: str, segments: tuple[str, ...] = INVOIC) -> tuple[str, ...]:
    """Write a message with one segment changed, or left out."""
    assert segments.count(old) == 1
    return tuple(new if one == old else one for one in segments if new or one != old)


def test_an_invoice_gives_every_amount_party_and_reference_to_its_owner() -> None:
    read = one(INVOIC)
    assert (read.kind, read.number, read.type_code) == (Kind.INVOICE, "I-77", "380")
    assert (read.issue_on, read.due_on) == (dt.date(2026, 3, 2), dt.date(2026, 6, 1))
    assert (read.seller.name, read.seller.country) == ("Korn Gmbh", "DE")
    assert read.seller.identifiers == (GLN_SELLER, Identifier("vat", "DE123456788"))
    assert (read.buyer.name, read.buyer.identifiers) == ("Mühle AG", (GLN_BUYER,))
    assert (read.lines_minor, read.charge_minor, read.net_minor) == (15050, 1000, 16050)
    assert (read.tax_minor, read.gross_minor, read.payable_minor) == (3050, 19100, 19100)
    assert read.tax_subtotals == (TaxSubtotal("S", "19", 16050, 3050),)
    assert read.accounts == (Account("DE89370400440532013000", "COBADEFFXXX", "", "Korn"),)
    assert (read.order_reference, read.despatch_references) == ("PO-1", ("LS-9",))
    flour, oats = read.lines
    assert (flour.item_name, flour.quantity, flour.unit, flour.price) == (
        "Mehl 550",
        "4",
        "KGM",
        "25",
    )
    assert flour.item_ids == (
        Identifier("seller", "A-1"),
        Identifier("standard:0160", "4000862141404"),
    )
    assert (flour.net_minor, flour.tax_percent, flour.order_line) == (10000, "19", "1")
    assert (oats.line_id, oats.net_minor, oats.order_line) == ("2", 5050, "2")


def test_an_interchange_of_five_kinds_is_read_message_by_message() -> None:
    messages = (
        ("ORDERS", ORDERS),
        ("ORDRSP", ORDRSP),
        ("DESADV", DESADV),
        ("INVOIC", INVOIC),
        ("REMADV", REMADV),
    )
    parsed = read_file(edifact(*messages))
    assert (parsed.format, parsed.refused, parsed.findings) == ("edifact", 0, ())
    assert [document.kind for document in parsed.documents] == [
        Kind.ORDER,
        Kind.ORDER_RESPONSE,
        Kind.DESPATCH,
        Kind.INVOICE,
        Kind.REMITTANCE,
    ]
    order, answer, despatch, _invoice, remittance = parsed.documents
    assert (order.payable_minor, [line.quantity for line in order.lines]) == (15050, ["4", "1"])
    assert (answer.word, [line.word for line in answer.lines]) == (
        "changed",
        ["accepted", "refused"],
    )
    assert answer.order_reference == "PO-1"
    assert [(line.quantity, line.order_line) for line in despatch.lines] == [("3", "1")]
    assert despatch.delivered_on == dt.date(2026, 3, 4)
    assert remittance.payable_minor == 16900
    assert [(line.invoice_reference, line.net_minor) for line in remittance.lines] == [
        ("I-77", 18900),
        ("G-1", -2000),
    ]
    assert (remittance.buyer.name, remittance.seller.name) == ("Mühle AG", "Korn Gmbh")


def test_a_bad_message_is_refused_alone_with_its_place() -> None:
    bad = replaced("MOA+9:191.00", "MOA+9:1x1.00")
    parsed = read_file(edifact(("INVOIC", bad), ("ORDERS", ORDERS)))
    assert [document.kind for document in parsed.documents] == [Kind.ORDER]
    assert parsed.refused == len(parsed.refusals) == 1
    (found,) = parsed.errors
    assert (found.code, found.value) == ("AMOUNT_FORMAT", "1x1.00")
    assert found.place == "message 1, segment 37 (MOA), line 38, column 1"


def test_a_credit_note_is_known_by_its_type_and_names_its_invoice() -> None:
    credit = tuple(
        "BGM+381+G-1+9" if part.startswith("BGM") else part
        for part in INVOIC
        if not part.startswith(("PAT", "DTM+13:"))
    )
    read = one((*credit[:2], "RFF+IV:I-77", "DTM+171:20260302:102", *credit[2:]))
    assert read.kind is Kind.CREDIT_NOTE
    assert read.payable_minor == 19100
    assert [(one.number, one.issue_on) for one in read.billing_references] == [
        ("I-77", dt.date(2026, 3, 2))
    ]


@pytest.mark.parametrize(
    ("una", "replace"),
    [
        ("UNA:+.? '", {}),
        ("UNA:+,? '", {".": ","}),
        ("UNA=*.? ~", {":": "=", "+": "*", "'": "~"}),
        ("UNA:+.\\*'", {}),
    ],
)
def test_the_service_string_says_which_marks_cut_and_where_decimals_begin(
    una: str, replace: dict[str, str]
) -> None:
    plain = edifact(("INVOIC", INVOIC)).decode("latin-1")
    table = str.maketrans(replace)
    read = read_file((una + plain.translate(table)).encode("latin-1"))
    assert not read.errors, read.errors
    assert read.documents[0] == one(INVOIC)


def test_a_released_mark_is_text_and_places_stay_true() -> None:
    told = replaced("NAD+BY+4000001000005::9++Mühle AG++Bonn++53111+DE", "NAD+BY+1::92++A?+B?'C??")
    data = edifact(("INVOIC", replaced("CNT+2:2", "CNT+2:7", told)), end="'")
    parsed = read_file(data)
    (found,) = parsed.errors
    column = int(found.place.rpartition(" ")[2])
    assert data.decode("latin-1")[column - 1 :].startswith("CNT+2:7'")
    good = read_file(edifact(("INVOIC", told))).documents[0]
    assert good.buyer.name == "A+B'C?"


def test_records_of_one_width_are_joined_and_other_line_breaks_are_refused() -> None:
    text = edifact(("INVOIC", INVOIC), end="'").decode("latin-1")
    lines = "\r\n".join(text[at : at + 80] for at in range(0, len(text), 80))
    assert read_file(lines.encode("latin-1")).documents[0] == one(INVOIC)
    torn = edifact(("INVOIC", replaced("QTY+47:4:KGM", "QTY+47:4\nMOA+203:9")))
    assert "EDI_LINE_BREAK" in codes(read_file(torn))


@pytest.mark.parametrize(
    ("level", "charset"),
    [
        ("UNOC:3", "latin-1"),
        ("UNOW:4", "utf-8"),
        ("UNOY:4", "utf-8"),
        ("UNOL:3", "iso8859-15"),
        ("UNOD:3", "iso8859-2"),
    ],
)
def test_letters_are_read_in_the_character_set_that_is_declared(level: str, charset: str) -> None:
    read = one(INVOIC, unb=level, charset=charset)
    assert (read.buyer.name, read.findings) == ("Mühle AG", ())


def test_a_character_set_that_cannot_be_true_is_told_or_refused() -> None:
    read = one(INVOIC, unb="UNOA:3", charset="utf-8")
    assert read.buyer.name == "Mühle AG"
    assert [found.code for found in read.findings] == ["EDI_CHARSET"]
    wrong = read_file(edifact(("INVOIC", INVOIC), unb="UNOW:4", charset="latin-1"))
    assert codes(wrong) == {"EDI_CHARSET"}


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        (f"UNT+{LAST}+1", f"UNT+{LAST - 1}+1", "EDI_COUNT", f"message 1, segment {LAST} (UNT)"),
        (f"UNT+{LAST}+1", f"UNT+{LAST}+2", "EDI_REFERENCE", f"message 1, segment {LAST} (UNT)"),
        ("UNZ+1+R7", "UNZ+2+R7", "EDI_COUNT", "UNZ, line"),
        ("UNZ+1+R7", "UNZ+1+R8", "EDI_REFERENCE", "UNZ, line"),
        ("UNZ+1+R7'", "", "EDI_UNZ_MISSING", f"segment {LAST} (UNT)"),
        (f"UNT+{LAST}+1'", "", "EDI_UNT_MISSING", "message 1"),
        ("UNH+1+INVOIC:D:96A:UN'", "", "EDI_STRAY_SEGMENT", "BGM, line"),
        ("UNZ+1+R7'", "UNZ+1+R7", "EDI_CUT", "UNZ, line"),
    ],
)
def test_what_the_envelopes_say_is_held_against_what_is_there(
    old: str, new: str, code: str, place: str
) -> None:
    text = edifact(("INVOIC", INVOIC)).decode("latin-1")
    assert text.count(old) == 1
    parsed = read_file(text.replace(old, new).encode("latin-1"))
    assert parsed.refused
    assert [
        found for found in parsed.errors if found.code == code and found.place.startswith(place)
    ]
    # A message that is whole in itself is kept when only the interchange is wrong.
    assert len(parsed.documents) == ("UNZ" in old)


def test_groups_are_counted_and_several_interchanges_stand_in_one_file() -> None:
    text = edifact(("INVOIC", INVOIC)).decode("latin-1")
    grouped = text.replace("UNH+1", "UNG+INVOIC+A+B+260302:1403+G1+UN+D:96A'\nUNH+1").replace(
        "UNZ+1", "UNE+1+G1'\nUNZ+1"
    )
    twice = read_file((grouped + grouped.replace("I-77", "I-78")).encode("latin-1"))
    assert [document.number for document in twice.documents] == ["I-77", "I-78"]
    assert not twice.errors
    wrong = read_file(grouped.replace("UNE+1+G1", "UNE+2+G1").encode("latin-1"))
    assert (codes(wrong), len(wrong.documents)) == ({"EDI_COUNT"}, 1)


def test_an_object_between_messages_is_passed_over_by_its_length() -> None:
    text = edifact(("INVOIC", INVOIC)).decode("latin-1")
    carried = "%PDF'UNP+no+yes'..."
    package = f"UNO+P1+1:D+13:application/pdf+{len(carried)}'{carried}UNP+{len(carried)}+P1'\n"
    parsed = read_file(text.replace("UNZ+1", f"{package}UNZ+1").encode("latin-1"))
    assert (len(parsed.documents), parsed.findings) == (1, ())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("MOA+388:191", "MOA+388:192", "GROSS_SUM"),
        ("MOA+79:150.50", "MOA+79:151.50", "LINES_SUM"),
        ("MOA+259:10", "MOA+259:11", "ALLOWANCE_SUM"),
        ("MOA+124:30.50", "MOA+124:31.50", "TAX_SUM"),
        ("MOA+9:191.00", "MOA+9:190.999", "AMOUNT_DECIMALS"),
        ("MOA+9:191.00", "MOA+9:191,00", "EDI_DECIMAL_MARK"),
        ("MOA+9:191.00", "MOA+9:1.191.00", "EDI_DECIMAL_MARK"),
        ("MOA+9:191.00", "MOA+9:191.00:USD", "CURRENCY_MIXED"),
        ("MOA+9:191.00", "MOA+9:1e2", "AMOUNT_FORMAT"),
        ("CUX+2:EUR:4", "", "CURRENCY_MISSING"),
        ("CNT+2:2", "CNT+2:3", "EDI_LINE_COUNT"),
        ("DTM+137:20260302:102", "DTM+137:20260230:102", "DATE"),
        ("DTM+137:20260302:102", "DTM+137:2026030:102", "DATE"),
        ("BGM+380+I-77+9", "BGM+380+I-77+1", "EDI_FUNCTION"),
        ("QTY+47:4:KGM", "QTY+47:4A:KGM", "NUMBER"),
        ("PAT+1", "ALC+X", "ALLOWANCE"),
    ],
)
def test_an_invoice_that_contradicts_itself_is_refused(old: str, new: str, code: str) -> None:
    parsed = read_file(edifact(("INVOIC", replaced(old, new))))
    assert code in codes(parsed)
    assert parsed.refused == 1
    assert all(found.place.startswith("message 1, segment ") for found in parsed.errors)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("DTM+137:20260302:102", dt.date(2026, 3, 2)),
        ("DTM+137:202603021430:203", dt.date(2026, 3, 2)),
        ("DTM+137:20260302143000:204", dt.date(2026, 3, 2)),
        ("DTM+137:260302:101", dt.date(2026, 3, 2)),
        ("DTM+137:990302:101", dt.date(1999, 3, 2)),
        ("DTM+137:20260302-20260331:718", dt.date(2026, 3, 2)),
        ("DTM+137:020326:2", dt.date(2026, 3, 2)),
    ],
)
def test_a_date_is_read_by_its_format_code(text: str, day: dt.date) -> None:
    segments = tuple(
        text if part.startswith("DTM+137") else part
        for part in INVOIC
        if not part.startswith(("PAT", "DTM+13:"))
    )
    assert one(segments).issue_on == day


def test_terms_in_days_give_a_due_date_and_say_so() -> None:
    terms = replaced("DTM+13:20260601:102", "", replaced("PAT+1", "PAT+1++5:3:D:30"))
    read = one(terms)
    assert read.due_on == dt.date(2026, 4, 1)
    assert [found.code for found in read.findings] == ["DUE_FROM_TERMS"]
    skonto = one(replaced("PAT+1", "PAT+22++5:3:D:10"))
    assert skonto.due_on is None


def test_a_claim_that_somebody_else_collects_is_told() -> None:
    payee = "NAD+PE+4012345000016::9++Faktor AG"
    read = one((*INVOIC[:7], payee, *INVOIC[7:]))
    assert read.payee is not None
    assert [found.code for found in read.findings] == ["TITLE_PRIOR"]


def test_sub_lines_are_not_counted_again() -> None:
    at = INVOIC.index("LIN+2")
    parts = (*INVOIC[:at], "LIN+1.1+++1:1", "QTY+47:4:KGM", "MOA+203:60", *INVOIC[at:])
    read = one(parts)
    assert [line.net_minor for line in read.lines] == [10000, 5050]


def test_a_test_is_no_trade() -> None:
    marked = {"unb": "UNOC:3"}
    text = edifact(("INVOIC", INVOIC), ("ORDERS", ORDERS), **marked).decode("latin-1")
    parsed = read_file(text.replace("1403+R7", "1403+R7++++++1", 1).encode("latin-1"))
    (invoice,) = parsed.documents
    assert [found.code for found in invoice.findings] == ["NOT_A_RECEIVABLE"]
    assert codes(parsed) == {"EDI_TEST"}


def test_a_message_told_twice_under_one_reference_is_read_once() -> None:
    text = edifact(("INVOIC", INVOIC), ("INVOIC", INVOIC)).decode("latin-1")
    doubled = text.replace("UNH+2", "UNH+1").replace(f"UNT+{LAST}+2", f"UNT+{LAST}+1")
    parsed = read_file(doubled.encode("latin-1"))
    assert (len(parsed.documents), codes(parsed)) == (1, {"EDI_REFERENCE_TWICE"})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"UNA:+.? 'UNB+UNOC:3+A+B+260302:1403+1'UNZ+0+1'", "EDI_EMPTY"),
        (b"UNA::.? 'UNB+UNOC:3", "EDI_SERVICE_STRING"),
        (b"UNA:+X? 'UNB", "FORMAT_UNKNOWN"),
        (b"UNH+1+INVOIC:D:96A:UN'BGM+380+1'UNT+3+1'", "EDI_UNB_MISSING"),
        (b"UNB+UNOC:3+A+B+260302:1403+1'UNH+1+APERAK:D:96A:UN'UNT+2+1'UNZ+1+1'", "MESSAGE_UNKNOWN"),
        (b"UNB+UNOC:3+" + b"A" * 30_000 + b"'", "EDI_SEGMENT_TOO_LONG"),
        (b"UNB+UNOC:3+A+B+260302:1403+1'" + b"UNH+1+X'UNT+2+1'" * 5_001, "EDI_TOO_MANY"),
        (b"UNB+" + b"'" * 5_000_001, "FILE_TOO_LARGE"),
        (b"UNB+UNOC:3+A\0+B+260302:1403+1'UNZ+0+1'", "EDI_NUL"),
        (b"STX=ANA:1+5000000000000+5010000000000+260302'", "FORMAT_UNKNOWN"),
    ],
)
def test_what_is_no_interchange_of_trade_is_refused_with_a_word(data: bytes, code: str) -> None:
    parsed = read_file(data)
    assert parsed.documents == ()
    assert code in codes(parsed)
