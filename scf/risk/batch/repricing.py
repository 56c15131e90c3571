"""A whole book priced again: tables in, prices and a summary out; nothing is stored."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scf.kernel.errors import InvalidInput, NotFound
from scf.risk.appetite import Appetite
from scf.risk.batch import checking, mapping, pairs
from scf.risk.batch import firms as knowing
from scf.risk.batch.engines import Engine
from scf.risk.batch.firms import Stress
from scf.risk.batch.layout import FIRMS, INVOICES, NO, RECEIVABLES, TABLES
from scf.risk.items import day_number

_ENDINGS: Final = (".parquet", ".csv")
NO_STRESS: Final = Stress()
SHOWN_ASIDE: Final = 1000  # rows that are set aside and named; beyond, they are counted


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be priced: the tables, the day of the prices, and the morning they rest on."""

    invoices: str
    firms: str
    receivables: str
    on: dt.date
    morning: dt.date
    stress: Stress = NO_STRESS


@dataclass(frozen=True)
class Repriced:
    """What came out.

    Attributes
    ----------
    prices
        The table of prices in the engine, see :func:`scf.risk.batch.mapping.schema`.
    groups
        Sums of it by currency, grade, route and refusal.
    aside
        Rows that were set aside: table, row, reason, and the column if one is to blame.
    aside_by_reason
        How many there are of each.
    seconds
        Of each step.
    """

    asked: Asked
    prices: Any
    groups: Sequence[Mapping[str, Any]]
    aside: Sequence[Mapping[str, str]]
    aside_by_reason: Mapping[str, int]
    invoices: int
    pairs: int
    firms: int
    seconds: Mapping[str, float]


def tables_in(folder: str) -> dict[str, str]:
    """Find the three tables in a folder: NAME.parquet, NAME.csv, or a folder NAME of Parquet.

    Raises
    ------
    InvalidInput
        TABLE_MISSING with the names of those that are not there.
    """
    if "://" in folder:  # of the cluster's own storage: it answers for what is there
        return {name: f"{folder.rstrip('/')}/{name}.parquet" for name in TABLES}
    found: dict[str, str] = {}
    for name in TABLES:
        for path in (*(Path(folder, f"{name}{end}") for end in _ENDINGS), Path(folder, name)):
            if path.exists():
                found.setdefault(name, str(path.resolve()))
    if missing := sorted(TABLES.keys() - found.keys()):
        raise InvalidInput(
            "TABLE_MISSING",
            "The folder holds no %(tables)s (.parquet or .csv).",
            tables=", ".join(missing),
            folder=folder,
        )
    return found


def reprice(engine: Engine, asked: Asked, appetite: Appetite, out: str = "") -> Repriced:
    """Price every receivable of a book on what was known on a morning.

    Parameters
    ----------
    engine
        Does the sums, and sends receivables through the price in batches.
    out
        Where the prices are written, if anywhere.

    Raises
    ------
    InvalidInput
        FILE_UNREADABLE, COLUMNS_WRONG.
    NotFound
        NOT_IN_CHAIN for a stress on a firm that is not in the table of firms.
    """
    import pyarrow as pa

    clock = _Clock()
    t = day_number(asked.morning)
    currencies = sorted(appetite.planning_rates)
    rows = engine.fetched(checking.typed(engine.read(asked.firms), FIRMS, "firms")).to_pylist()
    firms, aside = knowing.read(rows)
    if asked.stress.firm_id and asked.stress.firm_id not in {
        one.id for one in firms if one.in_chain
    }:
        raise NotFound(
            "NOT_IN_CHAIN", "No such firm is in the chain.", firm_id=asked.stress.firm_id
        )
    numbers = engine.table(
        "firm_numbers",
        pa.table(
            {
                "firm_id": pa.array([one.id for one in firms], pa.string()),
                "number": pa.array(range(len(firms)), pa.int64()),
            }
        ),
    )
    clock.passed("firms read")

    items = checking.invoices(
        checking.typed(engine.read(asked.invoices), INVOICES, "invoices"), numbers, t
    )
    book = checking.receivables(
        checking.typed(engine.read(asked.receivables), RECEIVABLES, "receivables"),
        numbers,
        currencies,
    )
    found = engine.kept("pairs", pairs.pairs(items.filter(items.reason == ""), t))
    sums = engine.fetched(pairs.firms(found))
    clock.passed("invoices to pairs to firms")

    open_pairs = found.filter((found.receivable > 0) | (found.sold_13 > 0))
    trade = engine.fetched(open_pairs.select("seller", "buyer", "receivable", "sold_13"))
    risks = engine.table(
        "risks", knowing.risks(firms, sums, trade, asked.morning, appetite, asked.stress)
    )
    clock.passed("cards and chain")

    prices = engine.mapped(
        mapping.joined(book.filter(book.reason == ""), found, risks),
        mapping.mapping(
            appetite.policy,
            checking.digits(currencies),
            day_number(asked.on),
            days_old=(asked.on - asked.morning).days,
        ),
        mapping.schema(),
        out,
    )
    groups = engine.fetched(_grouped(prices)).to_pylist()
    clock.passed("prices")

    told, counts = _set_aside(engine, (items, "invoices"), (book, "receivables"))
    whole = engine.fetched(found.aggregate(pairs=found.count(), invoices=found.invoices.sum()))
    sizes = whole.to_pylist()[0]
    clock.passed("rows set aside")
    return Repriced(
        asked,
        prices,
        groups,
        [*aside, *told][:SHOWN_ASIDE],
        Counter(f"{one['table']}: {one['reason']}" for one in aside) + Counter(counts),
        int(sizes["invoices"] or 0),
        int(sizes["pairs"]),
        len(firms),
        clock.seconds,
    )


def _set_aside(
    engine: Engine, *tables: tuple[Any, str]
) -> tuple[list[Mapping[str, str]], dict[str, int]]:
    """Fetch which rows are set aside, and count them all."""
    told: list[Mapping[str, str]] = []
    counts: dict[str, int] = {}
    for table, name in tables:
        rows = checking.set_aside(table, name)
        counted = engine.fetched(rows.group_by("reason").aggregate(rows=rows.count()))
        counts |= {f"{name}: {one['reason']}": one["rows"] for one in counted.to_pylist()}
        if counted.num_rows:
            some = rows.order_by("reason", "row").limit(SHOWN_ASIDE)
            told.extend(engine.fetched(some).to_pylist())
    return told, counts


def _grouped(prices: Any) -> Any:  # noqa: ANN401 - tables of ibis
    """Add prices up by what people look at: a few rows, whatever the size of the book."""
    import ibis

    face = prices.face.cast("decimal(38, 0)")

    def whole(value: Any) -> Any:  # noqa: ANN401
        return value.sum().cast("decimal(38, 0)").fill_null(ibis.literal(0, "decimal(38, 0)"))

    moved = prices.moved_ppm
    priced = prices.rate_bp.notnull()
    return prices.group_by("currency", "grade", "route", "refusal").aggregate(
        receivables=prices.count(),
        priced=prices.count(where=priced),
        face=whole(face),
        face_times_bp=whole(face * prices.rate_bp),
        expected_loss=whole(prices.expected_loss),
        compared=prices.count(where=moved.notnull()),
        face_compared=whole(ibis.ifelse(moved.notnull(), face, None)),
        face_times_moved=whole(face * moved),
        dearer=prices.count(where=(moved > 0).fill_null(NO)),
        cheaper=prices.count(where=(moved < 0).fill_null(NO)),
        by_row=prices.count(where=prices.by_row),
    )


class _Clock:
    """Seconds between steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def passed(self, step: str) -> None:
        """A step has ended."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self.last, 3)
        self.last = now
