"""The treasurer's pages over a hundred thousand invoices: time in the server, weight of a page."""

import datetime as dt
import gzip
import random
import statistics
import time
from typing import Any

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.documents.models import Acceptance, Invoice
from scf.kernel.ids import new_id
from tests.performance.measure import Clock, Report, seconds
from tests.support.deals import ANCHOR, DAY, EUR, SELLER, table
from tests.web.portal.trading import SECOND, Trading, trading_on

INVOICES = 100_000
LOOKS = 20
SLICE = 5_000
GOAL_MS = 300.0
GOAL_BYTES = 60_000


def _rows(now: dt.datetime) -> list[dict[str, Any]]:
    """Give invoices of three years: most are paid, one in twenty is ready, one in ten waits."""
    chance = random.Random(1)
    rows = []
    for number in range(INVOICES):
        fate = chance.random()
        days = chance.randrange(5, 120) if fate < 0.15 else -chance.randrange(1, 1000)
        minor = chance.randrange(50_000, 50_000_00)
        accepted = fate < 0.05 or fate >= 0.15
        rows.append(
            {
                "id": new_id(), "number": f"INV-{number:06}", "canonical_number": f"INV{number:06}",
                "seller_id": SELLER, "buyer_id": chance.choice((ANCHOR, SECOND)),
                "issue_on": DAY - dt.timedelta(days=30), "due_on": DAY + dt.timedelta(days=days),
                "currency": EUR, "type_code": "380", "duplicate_key": new_id(),
                "net_minor": minor, "tax_minor": 0, "gross_minor": minor, "payable_minor": minor,
                "base_minor": minor, "paid_minor": 0 if days > 0 else minor,
                "document_state": "VALIDATED", "match_state": "MATCHED",
                "acceptance_state": "ACCEPTED" if accepted else "NONE",
                "accepted_minor": minor if accepted else None,
                "acceptance_version": 1 if accepted else 0, "ipu": accepted,
                "payment_state": "OPEN" if days > 0 else "PAID",
                "parties": {}, "org_id": SELLER, "upload_id": "u", "original_id": "o",
                "created_at": now,
            }
        )  # fmt: skip
    return rows


@pytest.fixture
def trading(db: Database) -> Trading:
    made = trading_on(db)
    now = made.deals.clock.now()
    rows = _rows(now)
    for start in range(0, INVOICES, SLICE):
        some = rows[start : start + SLICE]
        words = [
            {
                "id": new_id(), "invoice_id": row["id"], "version": 1, "outcome": "ACCEPTED",
                "amount_minor": row["base_minor"], "due_on": row["due_on"], "ipu": True,
                "reason": "", "user_id": "u", "at": now,
            }
            for row in some
            if row["acceptance_version"]
        ]  # fmt: skip
        with db.writer.begin() as conn:
            conn.execute(insert(table(Invoice)), some)
            conn.execute(insert(table(Acceptance)), words)
    with db.writer.begin() as conn:
        conn.exec_driver_sql("ANALYZE")  # as either engine does by itself in time
    return made


@pytest.mark.bench
def test_a_hundred_thousand_invoices_do_not_slow_the_pages_down(
    trading: Trading, report: Report
) -> None:
    engine = trading.deals.db.dialect
    pages = {
        "home": "/treasurer/",
        "list": "/treasurer/invoices",
        "ready": "/treasurer/invoices?show=ready",
        "financed": "/treasurer/invoices?show=financed",
        "search": "/treasurer/invoices?q=INV-0999",
    }
    empty = statistics.median(_milliseconds(trading, "/healthz"))
    for name, path in pages.items():
        page = trading.browser.get(path)
        assert page.status_code == 200
        weight = len(gzip.compress(page.data, 6))
        took = _milliseconds(trading, path)
        worked = _milliseconds(trading, path, time.process_time)
        p95 = statistics.quantiles(took, n=20)[-1]
        report.add(
            f"treasurer_{name}_{engine}",
            p95,
            "ms p95",
            peer={"name": "an empty page of the same application", "value": empty, "unit": "ms"},
            ratio=None,
            goal=f"p95 < {GOAL_MS} ms, page <= {GOAL_BYTES} bytes compressed",
            met=p95 < GOAL_MS and weight <= GOAL_BYTES,
            bytes_compressed=weight,
            median_ms=statistics.median(took),
            median_cpu_ms=statistics.median(worked),
        )


def _milliseconds(trading: Trading, path: str, clock: Clock = time.perf_counter) -> list[float]:
    def look() -> object:
        return trading.browser.get(path)

    return [seconds(look, clock) * 1000 for _ in range(LOOKS)]
