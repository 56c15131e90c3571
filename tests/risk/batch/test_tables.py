"""A book from tables: every row is priced as the single price has it; bad rows are set aside."""

import copy
import datetime as dt
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from scf.kernel.errors import InvalidInput, NotFound
from scf.risk.batch import engines
from scf.risk.batch.firms import Stress
from scf.risk.batch.repricing import Asked, Repriced, reprice, tables_in
from scoring import canonical
from scoring.opinion import LATELY, UNSEEN, UNUSUAL
from scoring.schema import FirmRisk
from scoring.term import TermStructure
from tests.risk.batch.books import ON, Tables, appetite, drawn, judged, seen


def run(folder: Path, out: str = "", stress: Stress | None = None) -> tuple[Repriced, Any]:
    """Price the tables of a folder in this process."""
    paths: dict[str, Any] = tables_in(str(folder))
    asked = Asked(**paths, on=ON, morning=ON, stress=stress or Stress())
    with engines.opened("duckdb") as engine:
        made = reprice(engine, asked, appetite(), out)
        return made, engine.fetched(made.prices)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_book_is_priced_as_each_receivable_alone(seed: int, tmp_path: Path) -> None:
    tables = drawn(seed)
    wanted = judged(tables)
    made, prices = run(tables.write(tmp_path))
    assert seen(prices) == wanted
    assert not made.aside_by_reason
    rates = [row["rate_bp"] for row in wanted.values() if row["rate_bp"] is not None]
    assert len(set(rates)) > 20, "the draw has to price something"
    assert {row["refusal"] for row in wanted.values()} >= {"", "TENOR_SHORT", "MODEL_UNAVAILABLE"}


def test_csv_says_the_same_as_parquet(tmp_path: Path) -> None:
    tables = drawn(7, invoices=300, receivables=80)
    _, of_parquet = run(tables.write(tmp_path / "a"))
    _, of_csv = run(tables.write(tmp_path / "b", "csv"))
    assert seen(of_csv) == seen(of_parquet)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_written_file_holds_what_the_summary_counts(kind: str, tmp_path: Path) -> None:
    tables = drawn(11, invoices=200, receivables=60)
    out = tmp_path / f"prices.{kind}"
    made, prices = run(tables.write(tmp_path), str(out))
    read = pyarrow.parquet.read_table(out) if kind == "parquet" else pa.csv.read_csv(out)
    assert read.num_rows == 60 == sum(one["receivables"] for one in made.groups)
    rates, bought = prices["rate_bp"].to_pylist(), prices["bought_ppm"].to_pylist()
    faces = prices["face"].to_pylist()
    assert sum(int(one["face_times_bp"]) for one in made.groups) == sum(
        face * rate for face, rate in zip(faces, rates, strict=True) if rate is not None
    )
    assert sum(int(one["face_times_moved"]) for one in made.groups) == sum(
        face * (rate * 100 - paid)
        for face, rate, paid in zip(faces, rates, bought, strict=True)
        if rate is not None
    )


# --- Bad input ------------------------------------------------------------------------------------

BAD_INVOICES: dict[str, dict[str, Any]] = {
    "AMOUNT_NOT_POSITIVE": {"base": 0},
    "AMOUNT_NEGATIVE": {"rest": -1},
    "AMOUNT_TOO_LARGE": {"base": 10**15 + 1},
    "AMOUNT_ABOVE_BASE": {"sold": 10**12},
    "SELF_LOOP": {"seller_id": "firm-001", "buyer_id": "firm-001"},
    "UNKNOWN_FIRM": {"buyer_id": "nobody"},
    "CELL_UNREADABLE": {"issued_on": None},
    "DATES_INCOMPLETE": {"settled_on": dt.date(2026, 1, 5), "settled_known_on": None},
    "KNOWN_LATER": {"closed_known_on": ON},
}


def test_bad_invoices_are_set_aside_by_reason_and_change_nothing(tmp_path: Path) -> None:
    tables = drawn(2)
    wanted = judged(tables)
    worse = copy.deepcopy(tables)
    for reason, changed in BAD_INVOICES.items():
        row = copy.deepcopy(tables.invoices[0]) | {"invoice_id": f"bad {reason}"} | changed
        worse.invoices.append(row)
    worse.invoices += [tables.invoices[0] | {"invoice_id": "twice"}] * 2
    made, prices = run(worse.write(tmp_path))
    assert seen(prices) == wanted
    told = {(one["row"], one["reason"]) for one in made.aside}
    assert told == {(f"bad {reason}", reason) for reason in BAD_INVOICES} | {("twice", "DUPLICATE")}
    assert made.aside_by_reason["invoices: DUPLICATE"] == 2
    unreadable = next(one for one in made.aside if one["reason"] == "CELL_UNREADABLE")
    assert unreadable["column"] == "issued_on"


BAD_RECEIVABLES: dict[str, dict[str, Any]] = {
    "AMOUNT_NOT_POSITIVE": {"face": -5},
    "AMOUNT_TOO_LARGE": {"face": 10**15 + 1},
    "SELF_LOOP": {"seller_id": "firm-001", "obligor_id": "firm-001"},
    "UNKNOWN_FIRM": {"obligor_id": "nobody"},
    "CELL_UNREADABLE": {"due_on": None},
    "CURRENCY_UNKNOWN": {"currency": "XXX"},
    "TERMS_WRONG": {"basis": 364},
}


def test_bad_receivables_are_set_aside_by_reason(tmp_path: Path) -> None:
    tables = drawn(3, receivables=40)
    wanted = judged(tables)
    for reason, changed in BAD_RECEIVABLES.items():
        tables.receivables.append(
            tables.receivables[0] | {"receivable_id": f"bad {reason}"} | changed
        )
    made, prices = run(tables.write(tmp_path))
    assert seen(prices) == wanted
    assert {(one["row"], one["reason"]) for one in made.aside} == {
        (f"bad {reason}", reason) for reason in BAD_RECEIVABLES
    }


CELLS = [
    ("base", "NaN"), ("base", "1.5"), ("base", ""), ("base", "99999999999999999999"),
    ("issued_on", "2026-02-30"), ("issued_on", "16.03.2026"), ("material", "perhaps"),
    ("seller_id", " "),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), CELLS)
def test_a_cell_of_text_that_cannot_be_read_sets_its_row_aside(
    column: str, cell: str, tmp_path: Path
) -> None:
    tables = drawn(4, invoices=60, receivables=20)
    folder = tables.write(tmp_path, "csv")
    lines = (folder / "invoices.csv").read_text("utf-8").splitlines()
    names = [name.strip('"') for name in lines[0].split(",")]
    cells = lines[1].split(",")
    cells[names.index(column)] = cell
    (folder / "invoices.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
    made, _ = run(folder)
    assert [(one["row"], one["reason"], one["column"]) for one in made.aside] == [
        ("i0", "CELL_UNREADABLE", column)
    ]


def test_floats_of_a_warehouse_count_where_they_are_whole(tmp_path: Path) -> None:
    tables = drawn(5, invoices=60, receivables=20)
    _, wanted = run(tables.write(tmp_path / "a"))
    folder = tables.write(tmp_path / "b")
    table = pyarrow.parquet.read_table(folder / "invoices.parquet")
    at = table.schema.get_field_index("base")
    values = [float(one) for one in table["base"].to_pylist()]
    more = table.slice(0, 2).set_column(0, "invoice_id", pa.array(["nan", "part"]))
    odd = more.set_column(at, "base", pa.array([float("nan"), 1.5]))
    whole = table.set_column(at, "base", pa.array(values))
    pyarrow.parquet.write_table(pa.concat_tables([whole, odd]), folder / "invoices.parquet")
    made, prices = run(folder)
    assert seen(prices) == seen(wanted)
    assert {one["row"] for one in made.aside} == {"nan", "part"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rated_pd": "1"}, "FIGURE_WRONG"),
        ({"revenue": "-1"}, "FIGURE_WRONG"),
        ({"equity": "1/0"}, "FIGURE_WRONG"),
        ({"liquidity": "nan"}, "FIGURE_WRONG"),
        ({"statement_months": 19}, "FIGURE_WRONG"),
        ({"firm_id": None}, "CELL_UNREADABLE"),
    ],
)
def test_a_firm_with_a_figure_that_no_firm_has_is_set_aside_with_its_trade(
    changed: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    tables = drawn(6, invoices=200, receivables=60)
    name = tables.firms[3]["firm_id"]
    tables.firms[3] |= changed
    made, _ = run(tables.write(tmp_path))
    assert made.aside_by_reason[f"firms: {reason}"] == 1
    touched = sum(name in {row["seller_id"], row["buyer_id"]} for row in tables.invoices)
    assert made.aside_by_reason.get("invoices: UNKNOWN_FIRM", 0) == touched


# --- Refused as a whole ---------------------------------------------------------------------------


def _refused(folder: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        run(folder)
    return refused.value


def test_a_missing_and_a_wrong_column_are_named_together(tmp_path: Path) -> None:
    folder = drawn(1, invoices=5, receivables=5).write(tmp_path)
    table = pyarrow.parquet.read_table(folder / "receivables.parquet")
    at = table.schema.get_field_index("face")
    wrong = table.drop_columns(["due_on"]).set_column(at, "face", pa.array([True] * 5))
    pyarrow.parquet.write_table(wrong, folder / "receivables.parquet")
    refused = _refused(folder)
    assert (refused.code, refused.facts["table"]) == ("COLUMNS_WRONG", "receivables")
    assert refused.facts["missing"] == ["due_on"]
    assert refused.facts["wrong"] == ["face: boolean"]


@pytest.mark.parametrize("name", ["invoices", "firms", "receivables"])
def test_a_file_that_is_no_table_is_refused_by_name(name: str, tmp_path: Path) -> None:
    folder = drawn(1, invoices=5, receivables=5).write(tmp_path)
    (folder / f"{name}.parquet").write_bytes(b"PAR1 but nothing more")
    refused = _refused(folder)
    assert (refused.code, refused.facts["file"]) == ("FILE_UNREADABLE", f"{name}.parquet")


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    folder = drawn(1, invoices=500, receivables=5).write(tmp_path)
    whole = (folder / "invoices.parquet").read_bytes()
    (folder / "invoices.parquet").write_bytes(whole[: len(whole) // 2])
    assert _refused(folder).code == "FILE_UNREADABLE"


def test_a_line_of_csv_with_too_few_cells_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = drawn(1, invoices=5, receivables=5).write(tmp_path, "csv")
    text = (folder / "invoices.csv").read_text("utf-8")
    (folder / "invoices.csv").write_text(text + "i9,firm-001\n")
    refused = _refused(folder)
    assert refused.code == "FILE_UNREADABLE"
    assert "7" in str(refused.facts["reason"])


def test_a_folder_without_its_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        tables_in(str(tmp_path))
    assert refused.value.code == "TABLE_MISSING"


def test_a_word_that_names_no_engine_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused, engines.opened("duckdb; drop"):
        pass
    assert refused.value.code == "ENGINE"


def test_empty_tables_give_an_empty_answer(tmp_path: Path) -> None:
    made, prices = run(Tables([], [], []).write(tmp_path))
    assert (prices.num_rows, made.pairs, list(made.groups)) == (0, 0, [])


# --- Stress ---------------------------------------------------------------------------------------


def test_a_stress_on_an_unknown_firm_is_refused(tmp_path: Path) -> None:
    folder = drawn(1, invoices=5, receivables=5).write(tmp_path)
    with pytest.raises(NotFound):
        run(folder, stress=Stress("fails", "nobody"))


@pytest.mark.parametrize(
    ("champion", "what"),
    [
        (True, "late"),
        (False, "downgrade"),
        pytest.param(False, "late", marks=pytest.mark.long),
        pytest.param(True, "downgrade", marks=pytest.mark.long),
    ],
)
def test_a_stress_makes_each_price_what_its_own_page_shows(
    what: str, *, champion: bool, tmp_path: Path
) -> None:
    tables = asked_of_a_champion(drawn(9)) if champion else drawn(9)
    folder = tables.write(tmp_path)
    wanted, plain = judged(tables, what), judged(tables)
    assert seen(run(folder, stress=Stress(what))[1]) == wanted
    dearer = [
        one
        for one, row in wanted.items()
        if row["rate_bp"] is not None and row["rate_bp"] > (plain[one]["rate_bp"] or 0)
    ]
    assert len(dearer) > 20


# --- A champion's word ----------------------------------------------------------------------------


def asked_of_a_champion(tables: Tables) -> Tables:
    """Put what a trained model might say by month in place of half the cards."""
    rng = random.Random(12)
    made = copy.deepcopy(tables)
    for row in made.firms:
        if row["rated_pd"] is not None or rng.random() < 0.5:
            continue
        own = [rng.random() * 0.004 for _ in range(12)]
        term = TermStructure.of("trained", own, [one + rng.random() * 0.003 for one in own])
        risk = FirmRisk.of(term, documented=rng.random() < 0.5)
        row["told"] = canonical.dump(risk)
        row["flags"] = rng.choice((None, UNSEEN, f"{UNUSUAL} {LATELY}"))
    return made


def test_what_a_champion_says_of_a_firm_stands_before_card_and_chain(tmp_path: Path) -> None:
    tables = asked_of_a_champion(drawn(10))
    wanted, by_card = judged(tables), judged(drawn(10))
    made, prices = run(tables.write(tmp_path))
    assert seen(prices) == wanted
    told = {row["firm_id"] for row in tables.firms if row["told"] is not None}
    for row in prices.to_pylist():
        if row["obligor_id"] in told and row["rate_bp"] is not None:
            assert row["by_row"]
    changed = [one for one, row in wanted.items() if row["rate_bp"] != by_card[one]["rate_bp"]]
    assert len(changed) > 20
    assert any(UNUSUAL in row["route_reasons"] for row in wanted.values())
    assert not made.aside_by_reason


@pytest.mark.parametrize("text", ["{}", "nothing", '{"own_hazard":2,"total_hazard":1}'])
def test_a_word_of_a_champion_that_is_none_sets_the_firm_aside(text: str, tmp_path: Path) -> None:
    tables = drawn(6, invoices=50, receivables=10)
    tables.firms[3] |= {"told": text}
    made, _ = run(tables.write(tmp_path))
    assert made.aside_by_reason["firms: FIGURE_WRONG"] == 1


@pytest.mark.parametrize(
    "text",
    ["{", '{"cash_margin_minor":-1}', '{"transfers":2}', '{"cash_margin_minor":1000000000000000}'],
)
def test_special_terms_that_nobody_can_read_leave_their_row_without_a_price(
    text: str, tmp_path: Path
) -> None:
    tables = drawn(6, receivables=30)
    wanted = judged(tables)
    (row, *_) = (
        row for row in tables.receivables if wanted[row["receivable_id"]]["rate_bp"] is not None
    )
    row["special"] = text
    prices = seen(run(tables.write(tmp_path))[1])
    found, same = prices.pop(row["receivable_id"]), wanted.pop(row["receivable_id"])
    assert (found["refusal"], found["rate_bp"], found["route"]) == ("TERMS_WRONG", None, "refuse")
    assert (found["pd"], found["expected_loss"], same["refusal"]) == (None, None, "")
    assert prices == wanted


def test_a_failed_firm_gets_no_price_and_nobody_else_becomes_safer(tmp_path: Path) -> None:
    tables = drawn(8)
    folder = tables.write(tmp_path)
    plain = seen(run(folder)[1])
    alive = {
        row["obligor_id"]
        for row in tables.receivables
        if plain[row["receivable_id"]]["pd"] is not None
    }
    rated = {row["firm_id"] for row in tables.firms if row["rated_pd"] is not None}
    kept: Counter[str] = Counter()
    for row in tables.invoices:
        if row["seller_id"] not in rated:  # a rating holds the chain already
            kept[row["buyer_id"]] += row["kept"]
    gone = max(sorted(alive), key=kept.__getitem__)
    after = seen(run(folder, stress=Stress("fails", gone))[1])
    risen = 0
    for row in tables.receivables:
        was, now = plain[row["receivable_id"]], after[row["receivable_id"]]
        if row["obligor_id"] == gone:
            assert now["rate_bp"] is None
        elif was["pd"] is not None:
            assert now["pd"] >= was["pd"] * (1 - 1e-12)
            risen += now["pd"] > was["pd"]
    assert risen
