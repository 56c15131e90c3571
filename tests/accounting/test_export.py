"""A book leaves exactly: three judges accept every one, and a spreadsheet runs nothing in it."""

import csv
import datetime as dt
import io
import json
import subprocess
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from beancount import loader
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.accounting import writers
from scf.accounting.journal import JournalLine, journal_lines, trial_balance
from scf.accounting.writers.beancount import to_beancount
from scf.accounting.writers.records import to_records
from scf.accounting.writers.table import to_csv
from scf.accounting.writers.text import to_hledger
from scf.kernel.errors import InvalidInput
from scf.kernel.money import format_minor
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, START, World

SOON = dt.date(2026, 3, 16)


def line(place: int, amount: int, *, currency: str = "EUR", **changes: str) -> JournalLine:
    words = {
        "entry_id": "e1",
        "event_id": "v1",
        "event_kind": "tried",
        "subject_id": "s1",
        "narrative": "a try",
        "account_code": "cash",
        "account_name": "Cash",
        "account_kind": "asset",
    } | changes
    return JournalLine(
        booked_on=START, value_on=SOON, place=place, currency=currency, amount_minor=amount,
        **words,
    )  # fmt: skip


def told(world: World) -> None:
    """A life with lateness, an over-payment, and a part that was the seller's."""
    world.financed("400,000.00", due_on=SOON, invoice="1,000,000.00")
    world.morning_of(SOON + dt.timedelta(days=3))
    world.receive("1,000,500.00", "INV-1")
    world.pay_out()


def book(world: World, org: str) -> list[JournalLine]:
    with world.db.snapshot() as conn:
        return list(journal_lines(conn, org))


def hledger(tmp_path: Path, data: bytes, *words: str) -> str:
    file = tmp_path / "book.journal"
    file.write_bytes(data)
    done = subprocess.run(
        ["hledger", "-f", str(file), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ledger(tmp_path: Path, data: bytes, *words: str) -> str:
    file = tmp_path / "book.ledger"
    file.write_bytes(data)
    done = subprocess.run(
        ["ledger", "--init-file", "/dev/null", "--strict", "-f", str(file), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Unknown account" not in done.stderr
    assert "Unknown commodity" not in done.stderr
    return done.stdout


def beancount(data: bytes) -> dict[tuple[str, str], Decimal]:
    """Load a journal as Beancount does and give its balances by account and currency."""
    entries, errors, _ = loader.load_string(data.decode(), dedent=False)
    assert not errors, errors
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in getattr(entry, "postings", ()):
            found[posting.account, posting.units.currency] += posting.units.number
    return dict(found)


def expected(world: World, org: str) -> dict[str, Fraction]:
    """Give the trial balance in whole units by account code."""
    with world.db.snapshot() as conn:
        return {
            one.account_code: Fraction(one.balance_minor, 100) for one in trial_balance(conn, org)
        }


BOOKS = (SELLER, OBLIGOR, FINANCIER)


def test_hledger_accepts_every_book_and_finds_the_same_balances(
    world: World, tmp_path: Path
) -> None:
    told(world)
    for org in BOOKS:
        data = to_hledger(book(world, org))
        hledger(tmp_path, data, "check", "--strict")
        printed = hledger(tmp_path, data, "balance", "--flat", "--no-total", "-O", "csv", "-E")
        found = {row["account"]: row["balance"] for row in csv.DictReader(io.StringIO(printed))}
        with world.db.snapshot() as conn:
            for one in trial_balance(conn, org):
                name = next(name for name in found if name.endswith(f":{one.account_name}"))
                text = format_minor(one.balance_minor, "EUR")
                assert found[name] in {f"{text} EUR", "0" if one.balance_minor == 0 else ""}


def test_ledger_accepts_every_book_and_finds_the_same_balances(
    world: World, tmp_path: Path
) -> None:
    told(world)
    for org in BOOKS:
        shape = "%(account)|%(quantity(scrub(display_total)))\n"
        words = ("balance", "--flat", "--empty", "--no-total", "--balance-format", shape)
        printed = ledger(tmp_path, to_hledger(book(world, org)), *words)
        found = dict(row.rsplit("|", 1) for row in printed.splitlines() if row)
        with world.db.snapshot() as conn:
            for one in trial_balance(conn, org):
                name = next(name for name in found if name.endswith(f":{one.account_name}"))
                assert Fraction(found[name]) == Fraction(one.balance_minor, 100)


def test_beancount_accepts_every_book_and_finds_the_same_balances(world: World) -> None:
    told(world)
    for org in BOOKS:
        found = beancount(to_beancount(book(world, org)))
        said = {
            name.split(":")[1].replace("-", "_").lower(): Fraction(number)
            for (name, _), number in found.items()
        }
        assert said == expected(world, org)


def test_json_gives_every_entry_whole_and_balanced(world: World) -> None:
    told(world)
    for org in BOOKS:
        read = json.loads(to_records(book(world, org)))
        sums: dict[str, Fraction] = defaultdict(Fraction)
        for entry in read["entries"]:
            of_entry = Fraction(0)
            for one in entry["lines"]:
                signed = Fraction(one.get("debit", 0)) - Fraction(one.get("credit", 0))
                assert ("debit" in one) != ("credit" in one)
                sums[one["account"]] += signed
                of_entry += signed
            assert of_entry == 0
        assert dict(sums) == expected(world, org)
        lines = sum(len(entry["lines"]) for entry in read["entries"])
        assert lines == len(book(world, org))


@settings(max_examples=60, deadline=None)
@given(
    narrative=st.text(max_size=60),
    kind=st.text(min_size=1, max_size=30),
    subject=st.text(max_size=30),
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CNY"]),
    minor=st.integers(min_value=1, max_value=10**15),
)
def test_whatever_is_typed_three_programs_read_the_same_amount(
    tmp_path_factory: pytest.TempPathFactory,
    narrative: str, kind: str, subject: str, currency: str, minor: int,
) -> None:  # fmt: skip
    words = {"narrative": narrative, "event_kind": kind, "subject_id": subject}
    lines = [
        line(0, minor, currency=currency, **words),
        line(1, -minor, currency=currency, account_code="suspense", account_name="Suspense",
             account_kind="liability", **words),
    ]  # fmt: skip
    exact = Fraction(format_minor(minor, currency))
    found = beancount(to_beancount(lines))
    assert {name: Fraction(number) for name, number in found.items()} == {
        ("Assets:Cash", currency): exact,
        ("Liabilities:Suspense", currency): -exact,
    }
    folder, data = tmp_path_factory.mktemp("typed"), to_hledger(lines)
    shape = "%(quantity(scrub(display_total)))"
    said = ledger(folder, data, "balance", "Assets:Cash", "--no-total", "--balance-format", shape)
    assert Fraction(said) == exact
    csv_row = next(csv.DictReader(io.StringIO(to_csv(lines).decode(errors="replace"), newline="")))
    assert Fraction(csv_row["debit"]) == exact
    said_json = json.loads(to_records(lines))["entries"]
    assert Fraction(said_json[0]["lines"][0]["debit"]) == exact
    assert said_json[0]["narrative"] == narrative


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 7), ("KWD", 1234567), ("UYW", 12345)])
def test_hledger_reads_currencies_of_any_exponent(
    tmp_path: Path, currency: str, minor: int
) -> None:
    lines = [
        line(0, minor, currency=currency),
        line(1, -minor, currency=currency, account_name="Suspense", account_kind="liability"),
    ]
    out = hledger(tmp_path, to_hledger(lines), "balance", "Cash", "--no-total")
    assert f"{format_minor(minor, currency)} {currency}" in out


def test_what_people_type_cannot_break_the_journal(tmp_path: Path) -> None:
    evil = "x ; y | (z)\n    Assets:Cash  1 EUR\n\u2028; \u202e end"
    lines = [
        line(0, 5, narrative=evil, event_kind="a;b", subject_id="(c)"),
        line(1, -5, narrative=evil, account_name="Odd:  name; of", account_kind="liability"),
    ]
    data = to_hledger(lines)
    hledger(tmp_path, data, "check", "--strict")
    assert data.count(b"\n    Assets:Cash") == 1


def test_an_empty_book_is_an_empty_journal(tmp_path: Path) -> None:
    hledger(tmp_path, to_hledger([]), "check", "--strict")
    assert to_csv([]).count(b"\r\n") == 1


def test_csv_has_every_line_once_and_debits_equal_credits(world: World) -> None:
    told(world)
    lines = book(world, FINANCIER)
    rows = list(csv.DictReader(io.StringIO(to_csv(lines).decode())))
    assert len(rows) == len(lines)
    sides = [sum(Fraction(row[side] or 0) for row in rows) for side in ("debit", "credit")]
    assert sides[0] == sides[1] > 0
    assert {bool(row["debit"]) ^ bool(row["credit"]) for row in rows} == {True}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "＝1"])  # noqa: RUF001
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    row = next(csv.DictReader(io.StringIO(to_csv([line(0, 5, narrative=text)]).decode())))
    assert row["narrative"] == f"'{text}"


def test_the_same_book_gives_the_same_bytes(world: World) -> None:
    told(world)
    for form in writers.FORMS:
        assert writers.write(book(world, OBLIGOR), form) == writers.write(
            book(world, OBLIGOR), form
        )


def test_only_the_days_that_were_asked_for(world: World) -> None:
    told(world)
    with world.db.snapshot() as conn:
        days = {one.booked_on for one in journal_lines(conn, FINANCIER, START, START)}
        before = trial_balance(conn, FINANCIER, START)
        after = trial_balance(conn, FINANCIER)
    assert days == {START}
    assert sum(one.balance_minor for one in before) == sum(one.balance_minor for one in after) == 0
    assert before != after


def test_another_format_is_refused() -> None:
    with pytest.raises(InvalidInput, match="EXPORT_FORMAT"):
        writers.write([], "xls")
