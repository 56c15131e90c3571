"""MT940: every field with its line; nothing of a page that does not add up is posted."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel.errors import InvalidInput
from scf.settlement.readers import BankFormat, StatementFile, bank_format, read_statements
from tests.settlement.formats.mt_samples import HEAD, line, message
from tests.settlement.formats.samples import OUR_IBAN


def codes(file: StatementFile) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in file.findings]


def test_a_page_reads_into_signed_minor_units_with_the_payment_inside() -> None:
    file = read_statements(
        message(line("1250,5", bank="B-1"), line("250,50", "D"), closing="C260310EUR1000,")
    )
    assert codes(file) == []
    assert file.is_sound
    assert file.moves_money
    assert file.kind == "mt940"
    (one,) = file.statements
    assert one.account.identifier == OUR_IBAN  # bank code and number are that IBAN
    assert (one.statement_id, one.sequence, one.currency) == ("STARTUMS 7", "7", "EUR")
    assert one.opening is not None
    assert one.closing is not None
    assert (one.opening.amount_minor, one.closing.amount_minor) == (0, 100_000)
    credit, debit = one.entries
    assert (credit.amount_minor, debit.amount_minor) == (125_050, -25_050)
    assert (credit.servicer_reference, credit.place) == ("B-1", "line 5, field 61")
    assert credit.booked_on == credit.value_on == date(2026, 3, 10)
    (detail,) = credit.details
    assert (detail.end_to_end_id, detail.debtor.name) == ("E2E-1", "Buyer SA")
    assert detail.references == ("Invoice 4711",)
    assert debit.details[0].creditor.name == "Buyer SA"


def test_an_entry_at_the_turn_of_the_year_is_booked_in_the_nearer_one() -> None:
    file = read_statements(message(line(day="251231", entry="0102")))
    (entry,) = file.statements[0].entries
    assert (entry.value_on, entry.booked_on) == (date(2025, 12, 31), date(2026, 1, 2))


@pytest.mark.parametrize(
    ("mark", "minor"), [("C", 10_000), ("D", -10_000), ("RC", -10_000), ("RD", 10_000)]
)
def test_a_mark_behind_r_takes_an_entry_back(mark: str, minor: int) -> None:
    sign = "C" if minor > 0 else "D"
    file = read_statements(message(line(mark=mark), closing=f"{sign}260310EUR100,"))
    (entry,) = file.statements[0].entries
    assert file.is_sound
    assert (entry.amount_minor, entry.is_reversal) == (minor, mark.startswith("R"))


def test_a_returned_transfer_says_why_it_came_back() -> None:
    text = "159?00RETOURE?20EREF+E2E-9?21SVWZ+back?34902"
    (entry,) = read_statements(message(line(text=text))).statements[0].entries
    assert (entry.return_reason, entry.details[0].end_to_end_id) == ("AC04", "E2E-9")


def test_code_words_between_slashes_are_read() -> None:
    text = "/EREF/E2E-2/ORDP//NAME/Buyer SA/IBAN/FR1420041010050500013M02606/REMI/Inv 4711"
    (entry,) = read_statements(message(line(text=text))).statements[0].entries
    (detail,) = entry.details
    assert (detail.end_to_end_id, detail.debtor.name) == ("E2E-2", "Buyer SA")
    assert detail.debtor.account.identifier == "FR1420041010050500013M02606"
    assert detail.references == ("Inv 4711",)


def test_what_looks_like_a_field_inside_a_text_is_text() -> None:
    text = "Paid at T13\r\n:12:11 of invoice 4711"
    file = read_statements(message(line(text=text)))
    assert file.is_sound
    assert "4711" in file.statements[0].entries[0].additional_information


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (message(line(), closing="C260310EUR99,"), "BALANCE_CHECK", "line 7, field 62F"),
        (message(line("1,005")), "AMOUNT_DECIMALS", "line 5, field 61"),
        (message(line(day="261310")), "DATE", "line 5, field 61"),
        (message(":61:nonsense\r\n"), "ENTRY_FORMAT", "line 5, field 61"),
        (message(line(), closing="C260310EUR"), "BALANCE", "line 7, field 62F"),
        (message(line(), closing="C260310USD100,"), "CURRENCY_MIXED", "line 7, field 62F"),
        (message(line(), opening="C260309DEM0,"), "CURRENCY", "line 4, field 60F"),
        (message(line() + ":25:other\r\n"), "MT_ORDER", "line 7, field 25"),
        (message(line()).replace(b":25:37040044/0532013000", b":25:"), "ACCOUNT", "line 1"),
        (message(line()) + b":61:2603100310C1,NTRF\r\n", "MT_HEAD", "line 9, field 61"),
        (message(line())[: -len(":62F:C260310EUR100,00\r\n-\r\n")], "CLOSING_MISSING", "line 6"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_nothing_may_be_posted(
    data: bytes, code: str, place: str
) -> None:
    file = read_statements(data)
    assert (code, place) in codes(file)
    assert not file.is_sound


def test_the_thirtieth_of_february_is_its_last_day_and_is_told() -> None:
    file = read_statements(message(line(day="260230", entry="0301")))
    assert codes(file) == [("VALUE_DATE_FEBRUARY", "line 5, field 61")]
    assert file.is_sound
    assert file.statements[0].entries[0].value_on == date(2026, 2, 28)


def test_pages_add_up_each_by_itself() -> None:
    first = message(line(), closing="C260310EUR100,").replace(b":62F:", b":62M:")
    head = HEAD.replace("7/1", "7/2")
    last = message(line(), opening="C260310EUR100,", closing="C260310EUR200,", head=head)
    file = read_statements(first + last.replace(b":60F:", b":60M:"))
    assert file.is_sound
    assert [(one.page, one.is_last_page) for one in file.statements] == [(1, False), (2, True)]
    assert len({one.identity for each in file.statements for one in each.entries}) == 2


def test_an_interim_report_moves_no_money() -> None:
    data = f"{HEAD}:34F:EUR0,\r\n:13D:2603101200+0100\r\n{line()}:90C:1EUR100,\r\n-\r\n".encode()
    file = read_statements(data)
    assert (file.kind, file.moves_money, file.is_sound) == ("mt942", False, True)
    for wrong in (":90C:1EUR99,", ":90C:2EUR100,", ":90D:1EUR100,", ":90C:oneEUR"):
        told = read_statements(data.replace(b":90C:1EUR100,", wrong.encode()))
        assert [one.code.partition("_")[0] for one in told.findings] == ["TURNOVER"]
    # Under a floor limit the bank counts what it does not list, and never lists what it has not.
    above = data.replace(b":34F:EUR0,", b":34F:EUR50,")
    assert read_statements(above.replace(b":90C:1EUR100,", b":90C:3EUR130,")).is_sound
    assert not read_statements(above.replace(b":90C:1EUR100,", b":90C:1EUR30,")).is_sound


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_do_not_matter(encoding: str) -> None:
    plain = message(line(text="Zahlung für März"))
    data = plain.decode().encode(encoding)
    assert bank_format(data) is BankFormat.MT940
    (one,), (other,) = (read_statements(each).statements for each in (plain, data))
    assert one.entries[0].identity == other.entries[0].identity


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_statements(message(line()) + b"\x00\x01")
    assert refused.value.code == "MT_ENCODING"


def test_a_file_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_statements(b":20:X\n" + b"\n" * 10_000_000)
    assert refused.value.code == "MT_TOO_LARGE"


@given(st.data())
def test_a_damaged_file_is_refused_or_read_and_never_crashes(data: st.DataObject) -> None:
    whole = message(line(bank="B"), line("5,", "D"), closing="C260310EUR95,")
    cut = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    there = data.draw(st.integers(0, 20))
    damaged = whole[:cut] + noise + whole[cut + there :]
    try:
        file = read_statements(damaged)
    except InvalidInput:
        return
    if file.is_sound and file.moves_money:
        for one in file.statements:
            assert one.opening is not None
            assert one.closing is not None
            moved = sum(entry.amount_minor for entry in one.booked)
            assert one.opening.amount_minor + moved == one.closing.amount_minor
