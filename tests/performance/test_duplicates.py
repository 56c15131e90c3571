"""One new invoice held against a million stored ones, on either engine, and a slice of them.

A tenth of them is of one seller, and half of those name no order: there the most lies beside it.
"""

import datetime as dt
import math
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.duplicates.finding import look, written_otherwise
from scf.kernel.actor import Actor
from scf.parties.models import Firm
from tests.performance.conftest import Store
from tests.performance.many_invoices import DAYS, INVOICE, LEAST, fill, invoice, keep
from tests.performance.measure import Report
from tests.performance.papers import ANCHOR, suppliers
from tests.performance.trade import NOON, open_trade
from tests.support.deals import table

# Fewer are for trying the benchmark out.
INVOICES: Final = int(os.environ.get("SCF_BENCH_INVOICES", "1000000"))
SELLERS: Final = 200
PROBES: Final = 400
GOAL_MS: Final = 10.0

Say = Callable[[str], None]


@pytest.fixture
def say(store: Store, request: pytest.FixtureRequest) -> Say:
    """Tell what is done, and how long it took since the last time."""
    screen: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    last = [time.perf_counter(), time.process_time()]

    def stage(what: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        wall, cpu = (new - old for new, old in zip(now, last, strict=True))
        last[:] = now
        screen.write_line(f"{store.engine} {what}: {wall:.1f} s, of which our CPU {cpu:.1f} s")

    return stage


@pytest.mark.bench
def test_one_invoice_is_compared_with_a_million(store: Store, report: Report, say: Say) -> None:
    platform, clerk = open_trade(store.fresh(), suppliers(SELLERS))
    say("firms")
    sellers = _sellers(platform)
    fill(platform.db, clerk, sellers, INVOICES, say)
    with platform.db.snapshot() as conn:
        assert conn.execute(select(func.count()).select_from(INVOICE)).scalar_one() == INVOICES
        peer = sorted(_read(conn, one) for one in range(PROBES))
    chance = random.Random(7)
    for place, (name, seller) in enumerate({"crowded": sellers[0], "usual": sellers[-1]}.items()):
        wall, cpu, theirs = _probes(platform, clerk, chance, seller, INVOICES + place * PROBES)
        say(f"{PROBES} probes of the {name} seller")
        p95 = _at(wall, 0.95)
        report.add(
            f"duplicate_check_{name}_{store.engine}",
            p95,
            "ms p95",
            peer={"name": "one row by its number", "value": _at(peer, 0.95), "unit": "ms p95"},
            ratio=_at(peer, 0.95) / p95,
            goal=f"< {GOAL_MS:g} ms",
            met=p95 < GOAL_MS,
            p50_ms=_at(wall, 0.5),
            cpu_p50_ms=_at(cpu, 0.5),
            cpu_p95_ms=_at(cpu, 0.95),
            server_cpu_mean_ms=theirs / PROBES,
            invoices=INVOICES,
        )
    platform.close()


def _at(times: list[float], share: float) -> float:
    return sorted(times)[math.ceil(share * len(times)) - 1]


def _sellers(platform: Platform) -> list[str]:
    firm = table(Firm)
    with platform.db.snapshot() as conn:
        rows = conn.execute(select(firm.c.id).where(firm.c.name != ANCHOR.name)).scalars()
        return sorted(rows)


def _probes(
    platform: Platform, clerk: Actor, chance: random.Random, seller: str, first: int
) -> tuple[list[float], list[float], float]:
    """Store one invoice after another, look at each, and take it back.

    Gives milliseconds of each: waited, of our own CPU, and of the server's CPU in all.
    """
    wall, cpu, theirs = [], [], 0.0
    for number in range(first, first + PROBES):
        amount = int(math.exp(chance.uniform(math.log(LEAST), math.log(LEAST * 128))))
        issued = NOON.date() - dt.timedelta(days=chance.randrange(DAYS))
        row = invoice(number, amount, issued, seller, clerk)
        with platform.db.writer.connect() as conn, conn.begin() as turn:
            keep(conn, row)
            check = _check(conn, clerk, row)
            before = _server_ms(conn)
            began, worked = time.perf_counter(), time.process_time()
            check()
            cpu.append((time.process_time() - worked) * 1_000)
            wall.append((time.perf_counter() - began) * 1_000)
            theirs += _server_ms(conn) - before
            turn.rollback()
    return wall, cpu, theirs


def _server_ms(conn: Connection) -> float:
    """Give the CPU time that the server's process for this connection has used so far."""
    if conn.dialect.name != "postgresql":
        return 0.0
    told = Path(f"/proc/{conn.connection.dbapi_connection.info.backend_pid}/stat")  # type: ignore[union-attr]
    if not told.exists():
        return 0.0
    user, system = told.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1_000 / os.sysconf("SC_CLK_TCK")


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
