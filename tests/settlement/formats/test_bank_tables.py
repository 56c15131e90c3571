"""A bank's table is read by its mapping alone; nothing is guessed and each cell has its place."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel.errors import InvalidInput
from scf.settlement.readers import (
    BankFormat,
    StatementFile,
    StatementMapping,
    bank_format,
    read_statements,
)
from tests.settlement.formats.mt_samples import MAPPING, table
from tests.settlement.formats.samples import OUR_IBAN

ROWS = [
    ("11.03.2026", "-1.250,50", "Seller", "Early payment", "749,50"),
    ("10.03.2026", "1.000,00", "Obligor AG", "INV-1", "2.000,00"),
    ("10.03.2026", "1.000,00", "Obligor AG", "INV-1", "1.000,00"),
]


def mapping(**changed: Any) -> StatementMapping:  # noqa: ANN401 - what the file may say
    return StatementMapping.from_json(json.dumps(json.loads(MAPPING) | changed))


def read(data: bytes, **changed: Any) -> StatementFile:  # noqa: ANN401 - as above
    return read_statements(data, mapping(**changed))


def codes(file: StatementFile) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in file.findings]


def test_a_table_reads_into_entries_and_the_balances_between_which_they_stand() -> None:
    assert bank_format(table(ROWS)) is BankFormat.CSV
    file = read(table(ROWS))
    assert codes(file) == []
    (one,) = file.statements
    assert (one.account.identifier, one.currency) == (OUR_IBAN, "EUR")
    assert [entry.amount_minor for entry in one.entries] == [-125_050, 100_000, 100_000]
    assert len({entry.identity for entry in one.entries}) == 3
    assert one.opening is not None
    assert one.closing is not None
    assert (one.opening.amount_minor, one.closing.amount_minor) == (0, 74_950)
    assert (one.from_on, one.to_on) == (date(2026, 3, 10), date(2026, 3, 11))
    assert one.entries[1].details[0].debtor.name == "Obligor AG"


def test_the_other_way_round_the_same_entries_stand_in_it() -> None:
    there, back = (read(table(rows)).statements[0] for rows in (ROWS, ROWS[::-1]))
    assert {one.identity for one in there.entries} == {one.identity for one in back.entries}
    assert there.closing == back.closing


def test_credit_and_debit_may_stand_in_two_columns_or_behind_a_mark() -> None:
    columns = {"booked_on": "Day", "credit": "In", "debit": "Out"}
    two = b"Day;In;Out\n2026-03-10;5.00;\n2026-03-10;;-2.00\n"
    how = {"account": OUR_IBAN, "currency": "EUR", "columns": columns}
    file = read_statements(two, StatementMapping.from_json(json.dumps(how)))
    assert [one.amount_minor for one in file.statements[0].entries] == [500, -200]
    columns = {"booked_on": "Day", "amount": "Amount", "mark": "DC"}
    marked = b"Day;Amount;DC\n2026-03-10;5.00;C\n2026-03-10;2.00;D\n2026-03-10;2.00;X\n"
    file = read_statements(
        marked, StatementMapping.from_json(json.dumps(how | {"columns": columns}))
    )
    assert [one.amount_minor for one in file.statements[0].entries] == [500, -200]
    assert codes(file)[0] == ("CREDIT_DEBIT", "row 4, column DC")
    assert not file.is_sound


@pytest.mark.parametrize(
    ("row", "code", "place"),
    [
        (("2026-03-10", "1,00", "", "", "1,00"), "DATE", "row 2, column Buchungstag"),
        (("10.03.2026", "1.00", "", "", "1,00"), "AMOUNT_FORMAT", "row 2, column Betrag"),
        (("10.03.2026", "1,005", "", "", "1,00"), "AMOUNT_DECIMALS", "row 2, column Betrag"),
        (("10.03.2026", "", "", "x", "1,00"), "AMOUNT_FORMAT", "row 2, column Betrag"),
    ],
)
def test_a_cell_that_cannot_be_read_keeps_the_whole_table_out(
    row: tuple[str, ...], code: str, place: str
) -> None:
    file = read(table([row]))
    assert (code, place) in codes(file)
    assert not file.is_sound


def test_a_row_left_out_of_the_middle_is_seen_by_the_running_balance() -> None:
    file = read(table([ROWS[0], ROWS[2]]))
    assert codes(file) == [("BALANCE_CHECK", "row 3")]
    assert not file.is_sound


def test_a_column_that_is_missing_or_stands_twice_is_named() -> None:
    assert codes(read(b"Buchungstag;Betrag;Name;Zweck\nx;y;z;z\n")) == [
        ("COLUMN_MISSING", "header")
    ]
    twice = table(ROWS).replace(b"Name", b"Betrag")
    assert ("COLUMN_REPEATED", "header") in codes(read(twice))


def test_a_table_without_mapping_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="hand it in") as refused:
        read_statements(table(ROWS))
    assert refused.value.code == "MAPPING_MISSING"


@pytest.mark.parametrize(
    "changed",
    [
        {"columns": {"booked_on": "A"}},
        {"columns": {"amount": "A"}},
        {"columns": {"booked_on": "A", "amount": "B", "debit": "C"}},
        {"columns": {"booked_on": "A", "credit": "B"}},
        {"columns": {"booked_on": "A", "amount": "B", "colour": "C"}},
        {"account": ""},
        {"currency": "XYZ"},
        {"decimal": "both"},
    ],
)
def test_a_mapping_that_leaves_money_open_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        mapping(**changed)
    assert refused.value.code == "MAPPING"


@given(st.binary(max_size=300))
def test_any_bytes_behind_a_header_are_refused_or_read_and_never_crash(noise: bytes) -> None:
    try:
        file = read_statements(table(ROWS) + noise, mapping())
    except InvalidInput:
        return
    assert file.is_sound or file.findings
