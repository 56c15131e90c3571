"""The demo world: a shorter past than the real one, made by the same story."""

import datetime as dt
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from scf.bootstrap import build
from scf.chain.models import GraphSnapshot
from scf.demo import history, world
from scf.documents.models import DocumentFinding, Invoice
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.clock import FixedClock
from scf.reporting.verify import verify
from scf.settlement.models import BankEntry
from tests.support.deals import table

TODAY = dt.date(2026, 3, 16)


def test_a_short_demo_world_is_true_and_leaves_something_to_do_for_everybody(
    engine_url: str, tmp_path: Path
) -> None:
    clock = FixedClock(dt.datetime(2026, 3, 14, 10, tzinfo=dt.UTC))  # a Saturday: Monday's books
    platform = build(engine_url, clock=clock)
    users = tmp_path / "users.json"
    made = history.ensure(platform, clock, TODAY, users, tmp_path / "bank", months=3)
    assert verify(platform).breaches == []
    assert world.standing_day(platform) == TODAY
    assert clock.now() <= dt.datetime(2026, 3, 14, 10, tzinfo=dt.UTC)
    assert {person["role"] for person in made.sign_ins} >= {"treasurer", "officer_maker"}
    with platform.db.snapshot() as conn:
        states = Counter(conn.execute(select(table(FinancingRequest).c.state)).scalars())
        advances = Counter(conn.execute(select(table(Advance).c.state)).scalars())
        words = Counter(conn.execute(select(table(Invoice).c.acceptance_state)).scalars())
        codes = set(conn.execute(select(table(DocumentFinding).c.code)).scalars())
        astray = conn.execute(
            select(table(BankEntry).c.unallocated_minor).where(
                table(BankEntry).c.unallocated_minor > 0
            )
        ).scalars().all()  # fmt: skip
        days = conn.execute(select(table(GraphSnapshot).c.as_of_on)).scalars().all()
    assert advances["FUNDED"] > 0
    assert sum(states.values()) - states["APPROVED"] > 0, "somebody waits for an officer"
    assert words["NONE"] > 0, "the anchor has something to accept"
    assert words["ACCEPTED"] > 100
    assert "FIRM_UNKNOWN" in codes
    assert astray, "money waits to be placed"
    assert max(days) == TODAY
    again = history.ensure(platform, clock, TODAY, users, tmp_path / "bank", months=3)
    assert (again.made, again.sign_ins) == (False, made.sign_ins)
    platform.close()
