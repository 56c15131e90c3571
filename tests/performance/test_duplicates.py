"""One new invoice held against a million stored ones, on either engine, and a slice of them.

A tenth of them is of one seller, and half of those name no order: there the most lies beside it.
"""

import datetime as dt
import math
import os
import random
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.platform import Platform
from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.duplicates.finding import look, written_otherwise
from scf.documents.duplicates.rules import amount_band
from scf.documents.models import Invoice, InvoiceLine
from scf.kernel.actor import Actor
from scf.kernel.ids import new_id
from scf.parties.models import Firm
from tests.performance.conftest import Store
from tests.performance.crowded import analyse
from tests.performance.measure import Report
from tests.performance.papers import ANCHOR, suppliers
from tests.performance.trade import NOON, open_trade
from tests.support.deals import table

# Fewer are for trying the benchmark out.
INVOICES: Final = int(os.environ.get("SCF_BENCH_INVOICES", "1000000"))
SELLERS: Final = 200
SLICE: Final = 20_000
PROBES: Final = 400
GOAL_MS: Final = 10.0
INVOICE, LINE = table(Invoice), table(InvoiceLine)
_OWN: Final = (
    "id", "number", "canonical_number", "duplicate_key", "seller_id", "issue_on", "due_on",
    "net_minor", "gross_minor", "payable_minor", "amount_band", "base_minor", "order_number",
    "order_canonical", "match_state", "upload_id",
)  # fmt: skip


@pytest.mark.bench
def test_one_invoice_is_compared_with_a_million(store: Store, report: Report) -> None:
    platform, clerk = open_trade(store.fresh(), suppliers(SELLERS))
    chance = random.Random(7)
    sellers = _stored(platform, clerk, chance)
    places = {"crowded": sellers[0], "usual": sellers[-1]}
    found = {
        name: _probes(platform, clerk, chance, seller, INVOICES + place * PROBES)
        for place, (name, seller) in enumerate(places.items())
    }
    with platform.db.snapshot() as conn:
        assert conn.execute(select(func.count()).select_from(INVOICE)).scalar_one() == INVOICES
        peer = sorted(_read(conn, one) for one in range(PROBES))
    platform.close()
    for name, (wall, cpu) in found.items():
        p95 = _p95(wall)
        report.add(
            f"duplicate_check_{name}_{store.engine}",
            p95,
            "ms p95",
            peer={"name": "one row by its number", "value": _p95(peer), "unit": "ms p95"},
            ratio=_p95(peer) / p95,
            goal=f"< {GOAL_MS:g} ms",
            met=p95 < GOAL_MS,
            cpu_ms=_p95(cpu),
            median_ms=sorted(wall)[PROBES // 2],
            invoices=INVOICES,
        )


def _p95(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def _stored(platform: Platform, clerk: Actor, chance: random.Random) -> list[str]:
    """Store the invoices of three years, one line each; gives the sellers, the largest first."""
    firm = table(Firm)
    with platform.db.snapshot() as conn:
        rows = conn.execute(select(firm.c.id).where(firm.c.name != ANCHOR.name)).scalars()
        sellers = sorted(rows)
    for start in range(0, INVOICES, SLICE):
        made = [
            _made(chance, number, sellers[0] if number % 10 == 0 else chance.choice(sellers))
            for number in range(start, min(start + SLICE, INVOICES))
        ]
        with platform.db.writer.begin() as conn:
            _insert(conn, clerk, made)
    analyse(platform.db)
    return sellers


def _made(chance: random.Random, number: int, seller: str) -> dict[str, Any]:
    minor = int(math.exp(chance.uniform(math.log(50_000), math.log(50_000_00))))
    issued = NOON.date() - dt.timedelta(days=chance.randrange(1_095))
    named = f"INV-{number:07}"
    order = None if number % 20 == 0 else f"PO-{number // 3}"
    return {
        "id": new_id(), "number": named, "canonical_number": f"INV{number}",
        "duplicate_key": new_id(), "seller_id": seller, "issue_on": issued,
        "due_on": issued + dt.timedelta(days=60), "net_minor": minor, "gross_minor": minor,
        "payable_minor": minor, "amount_band": amount_band(minor), "base_minor": minor,
        "order_number": order, "order_canonical": order and order.replace("-", ""),
        "match_state": "MATCHED" if order else "UNMATCHED", "upload_id": f"u{number // 50}",
    }  # fmt: skip


def _insert(conn: Connection, clerk: Actor, rows: list[dict[str, Any]]) -> None:
    whole = Invoice(
        **rows[0], buyer_id=clerk.org_id, currency="EUR", type_code="380", tax_minor=0, parties={},
        document_state="VALIDATED", org_id=clerk.org_id, original_id="o",
        created_at=NOON,
    ).model_dump()  # fmt: skip
    same = {name: value for name, value in whole.items() if name not in _OWN}
    bulk.insert_mappings(conn, INVOICE, [{name: row[name] for name in _OWN} for row in rows], same)
    names = ("id", "invoice_id", "item", "quantity_micro", "net_minor", "line_ref")
    lines = (
        (new_id(), row["id"], f"part {row['net_minor'] % 900}", 1_000_000, row["net_minor"], "1")
        for row in rows
    )
    line = InvoiceLine(**dict(zip(names, (*"abc", 1, 1, "1"), strict=True)), place=1).model_dump()
    rest = {name: value for name, value in line.items() if name not in names}
    bulk.insert_rows(conn, LINE, names, lines, rest)


def _probes(
    platform: Platform, clerk: Actor, chance: random.Random, seller: str, first: int
) -> tuple[list[float], list[float]]:
    """Store one invoice after another, look at each, and take it back."""
    wall, cpu = [], []
    for number in range(first, first + PROBES):
        row = _made(chance, number, seller)
        with platform.db.writer.connect() as conn, conn.begin() as turn:
            _insert(conn, clerk, [row])
            check = _check(conn, clerk, row)
            began, worked = time.perf_counter(), time.process_time()
            check()
            wall.append((time.perf_counter() - began) * 1_000)
            cpu.append((time.process_time() - worked) * 1_000)
            turn.rollback()
    return wall, cpu


def _check(conn: Connection, clerk: Actor, row: dict[str, Any]) -> Callable[[], object]:
    """Give the whole check of one invoice: written another way, and every rule of review."""
    document = SimpleNamespace(
        number=row["number"], issue_on=row["issue_on"], payable_minor=row["payable_minor"],
        currency="EUR",
    )  # fmt: skip
    draft: Any = SimpleNamespace(
        id=row["id"],
        seller_id=row["seller_id"],
        buyer_id=clerk.org_id,
        document=document,
        parties_known=True,
    )
    ctx = Context(conn, clerk, NOON, "bench", "bench", "bench", "", conn.dialect.name)

    def check() -> None:
        written_otherwise(conn, Kind.INVOICE, [draft])
        look(ctx, [row["id"]])

    return check


def _read(conn: Connection, place: int) -> float:
    number = f"INV{place * (INVOICES // PROBES)}"
    query = select(INVOICE.c.id).where(INVOICE.c.canonical_number == number)
    began = time.perf_counter()
    conn.execute(query).first()
    return (time.perf_counter() - began) * 1_000
