"""A DATEV batch: the trial balance in the firm's numbers, whatever people typed, or a refusal."""

import csv
import datetime as dt
import io
from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.accounting import files
from scf.accounting.journal import JournalLine, journal_lines, trial_balance
from scf.accounting.mapping.reading import Numbers
from scf.accounting.parties import papers_of
from scf.accounting.writers.datev import COLUMNS, Batch, fiscal_year, to_datev
from scf.accounting.writers.pairs import pairs
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import RuleViolation
from tests.accounting.test_export import BOOKS, line, told
from tests.accounting.test_mapping import FIRM
from tests.settlement.world import FINANCIER, SELLER, START, World

HEAD = Actor("h", FINANCIER, frozenset({Role.HEAD_OFFICE}))
DETAILS = FIRM | {"account_length": "4", "year_start": "01-01", "currency": "EUR", "chart": "03"}
NOON = dt.datetime(2026, 3, 10, 12, 30, 15, 250_000, dt.UTC)
BATCH = Batch(START, START, NOON, "A try")


def numbered(codes: list[str]) -> dict[str, str]:
    return {code: str(1000 + place) for place, code in enumerate(sorted(codes))}


def read(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Read a batch as DATEV's importer does: CP1252, semicolons, a line a row, 125 fields."""
    text = content.decode("cp1252")
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    assert len(rows) == text.count("\r\n") == text.count("\n"), "no row is cut by what was typed"
    assert {len(row) for row in rows[1:]} == {125}
    assert len(rows[0]) == 31
    return rows[0], [dict(zip(rows[1], row, strict=True)) for row in rows[2:]]


def sums(rows: list[dict[str, str]]) -> dict[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        assert row["Soll/Haben-Kennzeichen"] == "S"
        amount = Fraction(row[COLUMNS[0]].replace(",", "."))
        assert amount > 0
        found[row["Konto"]] += amount
        found[row["Gegenkonto (ohne BU-Schlüssel)"]] -= amount
    return {number: amount for number, amount in found.items() if amount}


def test_every_book_sums_to_its_trial_balance_in_the_firms_numbers(world: World) -> None:
    told(world)
    assert len(set(COLUMNS)) == len(COLUMNS) == 125
    for org in BOOKS:
        with world.db.snapshot() as conn:
            lines = list(journal_lines(conn, org))
            balance = trial_balance(conn, org)
            papers = papers_of(conn, org)
        accounts = numbered([one.account_code for one in balance])
        days = [one.booked_on for one in lines]
        batch = Batch(min(days), max(days), NOON, "März")
        head, rows = read(to_datev(lines, Numbers("datev", 1, accounts, DETAILS), batch, papers))
        assert head[:6] == ["EXTF", "700", "21", "Buchungsstapel", "13", "20260310123015250"]
        assert head[10:17] == [
            "1001", "1", "20260101", "4", f"{batch.from_on:%Y%m%d}", f"{batch.to_on:%Y%m%d}", "März"
        ]  # fmt: skip
        assert (head[21], head[26]) == ("EUR", "03")
        assert sums(rows) == {
            accounts[one.account_code]: Fraction(one.balance_minor, 100)
            for one in balance
            if one.balance_minor
        }
        assert {row["Belegdatum"] for row in rows} == {f"{day:%d%m}" for day in days}
        assert "INV-1" in {row["Belegfeld 1"] for row in rows}


def test_without_the_firms_numbers_nothing_is_written(world: World) -> None:
    world.financed()
    wanted = files.Wanted(SELLER, None, None, START, NOON)
    with world.db.snapshot() as conn:
        with pytest.raises(RuleViolation, match="ACCOUNTS_UNMAPPED") as refused:
            files.journal_file(conn, "datev", wanted)
        later = files.Wanted(SELLER, dt.date(2031, 1, 1), dt.date(2031, 1, 2), START, NOON)
        with pytest.raises(RuleViolation, match="ACCOUNTS_UNMAPPED"):
            files.journal_file(conn, "datev", later)
    assert refused.value.facts["accounts"] == [
        "cash", "finance_cost_loss_on_derecognition", "trade_receivables",
    ]  # fmt: skip


def test_the_days_left_out_are_those_of_the_fiscal_year(world: World) -> None:
    told(world)
    with world.db.snapshot() as conn:
        codes = [one.account_code for one in trial_balance(conn, FINANCIER)]
    world.run(
        "mapping.set", HEAD, system="datev", version=0, accounts=numbered(codes),
        details=DETAILS | {"year_start": "07-01"},
    )  # fmt: skip
    with world.db.snapshot() as conn:
        found = files.journal_file(
            conn, "datev", files.Wanted(FINANCIER, None, None, dt.date(2026, 3, 31), NOON)
        )
    assert found.name == "EXTF_Buchungsstapel_20250701_20260331.csv"
    head, rows = read(found.content)
    assert head[12:16] == ["20250701", "4", "20250701", "20260331"]
    assert rows


@pytest.mark.parametrize(
    ("code", "batch", "minor", "currency"),
    [
        ("DATEV_YEAR", Batch(dt.date(2025, 12, 31), START, NOON, ""), 5, "EUR"),
        ("DATEV_CURRENCY", BATCH, 5, "USD"),
        ("DATEV_AMOUNT", BATCH, 10**12, "EUR"),
    ],
)
def test_what_a_batch_cannot_hold_is_refused(
    code: str, batch: Batch, minor: int, currency: str
) -> None:
    lines = [
        line(0, minor, currency=currency),
        line(1, -minor, currency=currency, account_code="suspense"),
    ]
    numbers = Numbers("datev", 1, {"cash": "1200", "suspense": "1590"}, DETAILS)
    with pytest.raises(RuleViolation, match=code):
        to_datev(lines, numbers, batch, {})


@pytest.mark.parametrize(
    ("day", "starts", "year"),
    [
        (dt.date(2026, 1, 1), "01-01", dt.date(2026, 1, 1)),
        (dt.date(2026, 6, 30), "07-01", dt.date(2025, 7, 1)),
        (dt.date(2026, 7, 1), "07-01", dt.date(2026, 7, 1)),
        (dt.date(2028, 2, 29), "02-28", dt.date(2028, 2, 28)),
    ],
)
def test_a_fiscal_year_begins_where_the_firm_says(day: dt.date, starts: str, year: dt.date) -> None:
    assert fiscal_year(day, starts) == year


ODD = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            '=cmd|"/c x"!A0',
            "a;b\r\nc",
            '"";""',
            "😀 Łódź ﷽",
            "\u202eevil\u202c",
            "-1",
            "＝1",  # noqa: RUF001
            "深圳",
        ]
    ),
)


@given(narrative=ODD, subject=ODD, paper=ODD, minor=st.integers(1, 10**12 - 1))
def test_whatever_is_typed_a_row_stays_a_row(
    narrative: str, subject: str, paper: str, minor: int
) -> None:
    words = {"narrative": narrative, "subject_id": subject}
    lines = [line(0, minor, **words), line(1, -minor, account_code="suspense", **words)]
    numbers = Numbers("datev", 1, {"cash": "1200", "suspense": "1590"}, DETAILS)
    _head, rows = read(to_datev(lines, numbers, BATCH, {subject: paper}))
    assert sums(rows) == {"1200": Fraction(minor, 100), "1590": -Fraction(minor, 100)}
    (row,) = rows
    assert not row["Buchungstext"].startswith(("=", "+", "-", "@"))
    assert len(row["Buchungstext"]) <= 60
    assert len(row["Belegfeld 1"]) <= 36


@given(
    st.lists(st.integers(-(10**13), 10**13).filter(bool), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_pairs_keep_every_line_to_the_cent(amounts: list[int], order: object) -> None:
    rest = -sum(amounts)
    minors = [*amounts, rest] if rest else amounts
    order.shuffle(minors)  # type: ignore[attr-defined]
    entry: list[JournalLine] = [line(place, minor) for place, minor in enumerate(minors)]
    found = list(pairs(entry))
    kept: dict[int, int] = defaultdict(int)
    for one in found:
        assert one.amount_minor > 0
        kept[one.debit.place] += one.amount_minor
        kept[one.credit.place] -= one.amount_minor
    assert dict(kept) == dict(enumerate(minors))
    assert len(found) <= len(minors) - 1
