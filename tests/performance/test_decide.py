"""From a quote to a decision without a person: by risk, submitted, approved, in one process."""

import datetime as dt
import time

import pytest

from scf.db.engine import Database
from tests.performance.conftest import Store
from tests.performance.measure import Report
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR

DECISIONS = 60
WARM_UP = 5
GOAL_SECONDS = 2


@pytest.mark.bench
def test_a_decision_within_policy(store: Store, report: Report) -> None:
    """The slowest of all counts: each includes the quote, every limit, the checks and the word."""
    world = RiskWorld(Database(store.fresh()))
    world.history()
    world.rated(ANCHOR)
    due = dt.date(2026, 6, 9)
    # few enough a seller and day that the policy's band holds them all
    invoices = [world.sale("600.00", due=due) for _ in range(WARM_UP + DECISIONS)]
    world.morning()
    world.at(TODAY)
    taken = []
    for invoice_id in invoices:
        start = time.perf_counter()
        answer = world.submit(world.quote(invoice_id)["id"])
        taken.append(time.perf_counter() - start)
        assert answer["state"] == "APPROVED"
    slowest = max(taken[WARM_UP:])
    middle = sorted(taken[WARM_UP:])[DECISIONS // 2]
    report.add(
        f"automatic_decision_{store.engine}",
        slowest,
        "s, the slowest",
        peer={"name": "the median of the same", "value": middle, "unit": "s"},
        ratio=middle / slowest,
        goal=f"< {GOAL_SECONDS} s",
        met=slowest < GOAL_SECONDS,
        decisions=DECISIONS,
    )
    world.db.close()
