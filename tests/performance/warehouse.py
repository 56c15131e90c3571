"""Tables of a warehouse of any size, drawn in columns."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from scf.risk.items import day_number

ON = dt.date(2026, 3, 16)
T = day_number(ON)
Ints = NDArray[np.int64]


def relations(rng: np.random.Generator, firms: int, count: int) -> tuple[Ints, Ints]:
    """Draw different pairs of a seller and a buyer."""
    keys = np.unique(rng.integers(0, firms * firms, count * 11 // 10))
    keys = rng.permutation(keys[keys // firms != keys % firms])[:count]
    assert len(keys) == count
    return keys // firms, keys % firms


def invoices(rng: np.random.Generator, pairs: int, count: int) -> dict[str, Any]:
    """Draw invoices: the place of their pair, days, amounts; each pair has one at least."""
    where = np.concatenate((np.arange(pairs), rng.integers(0, pairs, count - pairs)))
    base = np.maximum(1, rng.lognormal(13, 1.5, count).astype(np.int64))
    credited = np.where(rng.random(count) < 0.05, base // 20, 0)
    disputed = np.where(rng.random(count) < 0.03, base // 10, 0)
    issued = T - rng.integers(1, 900, count)
    due = issued + rng.choice([30, 60, 90], count)
    settled = ((due < T) & (rng.random(count) < 0.95)) | (rng.random(count) < 0.02)
    paid = np.minimum(due + rng.integers(-10, 25, count), T - 1)
    rest = np.where(settled, 0, base - credited - disputed)
    return {
        "pair": where, "issued_on": issued, "due_on": due, "base": base,
        "net": base - credited - disputed, "sold": base - credited, "rest": rest,
        "diluted": credited, "kept": np.where(rng.random(count) < 0.9, rest, 0),
        "settled": settled, "settled_on": paid,
        "known_on": np.minimum(paid + rng.integers(0, 3, count), T - 1),
    }  # fmt: skip


def write(folder: Path, firms: int, pairs: int, items: int, receivables: int) -> None:
    """Write the three tables of `scf.risk.batch.layout` as Parquet."""
    rng = np.random.default_rng(42)
    names = np.array([f"F{at:06d}" for at in range(firms)], dtype=object)
    seller, buyer = relations(rng, firms, pairs)
    drawn = invoices(rng, pairs, items)
    where, open_ = drawn["pair"], ~drawn["settled"]
    amounts = ("base", "net", "sold", "rest", "diluted", "kept")
    table = {
        "invoice_id": np.char.add("I", np.arange(items).astype(str)),
        "seller_id": names[seller[where]],
        "buyer_id": names[buyer[where]],
        "issued_on": _days(drawn["issued_on"]),
        "due_on": _days(drawn["due_on"], rng.random(items) < 0.01),
        **{name: drawn[name] for name in amounts},
        "settled_on": _days(drawn["settled_on"], open_),
        "settled_known_on": _days(drawn["known_on"], open_),
        "closed_known_on": _days(drawn["known_on"], open_),
        "material": open_,
    }
    pa.parquet.write_table(pa.table(table), folder / "invoices.parquet")
    pa.parquet.write_table(_firms(names), folder / "firms.parquet")
    pa.parquet.write_table(
        _receivables(rng, names, seller, buyer, receivables), folder / "receivables.parquet"
    )


def _days(days: Ints, without: Any = None) -> Any:  # noqa: ANN401 - an Arrow array
    return pa.array(days.astype(np.int32), pa.int32(), mask=without).cast(pa.date32())


def _firms(names: Any) -> Any:  # noqa: ANN401 - of numpy, to Arrow
    rng = random.Random(42)
    said = [rng.random() < 0.4 for _ in names]

    def some(draw: Any) -> list[str | None]:  # noqa: ANN401
        return [str(draw()) if one else None for one in said]

    return pa.table(
        {
            "firm_id": names,
            "founded_on": [ON - dt.timedelta(rng.randrange(100, 9_000)) for _ in names],
            "statement_months": pa.array(
                [rng.randrange(19) if one else None for one in said], pa.int64()
            ),
            "revenue": some(lambda: rng.randrange(10**5, 10**9)),
            "equity": some(lambda: f"0.{rng.randrange(1_000):03d}"),
            "liquidity": some(lambda: rng.randrange(10**4, 10**7)),
            "weekly_cost": some(lambda: rng.randrange(10**3, 10**6)),
            "rated_pd": pa.array(
                ["0.0015" if rng.random() < 0.03 else None for _ in names], pa.string()
            ),
        }
    )


def _receivables(
    rng: np.random.Generator,
    names: Any,  # noqa: ANN401 - of numpy
    seller: Ints,
    buyer: Ints,
    count: int,
) -> Any:  # noqa: ANN401 - an Arrow table
    where = rng.integers(0, len(seller), count)

    def words(*of: str) -> Any:  # noqa: ANN401
        return rng.choice(np.array(of, dtype=object), count)

    return pa.table(
        {
            "receivable_id": np.char.add("R", np.arange(count).astype(str)),
            "seller_id": names[seller[where]],
            "obligor_id": names[buyer[where]],
            "currency": words("EUR", "EUR", "USD", "JPY"),
            "face": np.maximum(1, rng.lognormal(13, 1.5, count).astype(np.int64)),
            "due_on": _days(T + rng.integers(-5, 180, count)),
            "claim": words("undertaking", "revocable", "plain"),
            "basis": rng.choice([360, 365], count),
            "rate_basis": words("face", "face", "proceeds"),
            "disclosed": rng.random(count) < 0.8,
            "cross_border": rng.random(count) < 0.2,
            "recourse": rng.random(count) < 0.5,
            "recourse_after_days": rng.choice([0, 0, 30], count),
            "reserve_ppm": rng.choice([0, 50_000, 100_000], count),
            "reserve_covers_credit": rng.random(count) < 0.2,
            "dilution_capital": words("economic", "economic", "basel"),
            "bought_ppm": rng.integers(20_000, 90_000, count),
        }
    )
