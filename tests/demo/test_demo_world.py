"""The demo world: what it leaves to everybody, in full on SQLite and shorter on PostgreSQL."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from scf.bootstrap import build
from scf.chain.models import GraphSnapshot
from scf.db.platform import Platform
from scf.demo import history, world
from scf.documents.models import DocumentFinding, Invoice
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.clock import FixedClock
from scf.reporting.verify import verify
from scf.settlement.models import BankEntry
from tests.support.deals import table
from tests.support.demo_world import NOW, DemoCopy
from tests.web import signing

TODAY = dt.date(2026, 3, 16)


def is_true_and_leaves_something_to_do_for_everybody(
    platform: Platform, sign_ins: list[dict[str, str]]
) -> None:
    assert verify(platform).breaches == []
    assert world.standing_day(platform) == TODAY
    assert {person["role"] for person in sign_ins} >= {"treasurer", "officer_maker"}
    with platform.db.snapshot() as conn:
        states = Counter(conn.execute(select(table(FinancingRequest).c.state)).scalars())
        advances = Counter(conn.execute(select(table(Advance).c.state)).scalars())
        words = Counter(conn.execute(select(table(Invoice).c.acceptance_state)).scalars())
        codes = set(conn.execute(select(table(DocumentFinding).c.code)).scalars())
        misfits = set(
            conn.execute(
                select(table(Invoice).c.number).where(table(Invoice).c.match_state == "EXCEPTION")
            ).scalars()
        )
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
    assert misfits >= {"BV-D01", "BV-D02", "BV-D03"}, "the anchor has exceptions to settle"
    assert astray, "money waits to be placed"
    assert max(days) == TODAY


def test_the_demo_world_is_true_and_leaves_something_to_do_for_everybody(
    demo_copy: DemoCopy,
) -> None:
    platform, sign_ins = demo_copy.platform, list(demo_copy.sign_ins.values())
    is_true_and_leaves_something_to_do_for_everybody(platform, sign_ins)
    again = history.ensure(
        platform, demo_copy.clock, TODAY, demo_copy.users_file, demo_copy.bank_folder
    )
    assert (again.made, again.sign_ins) == (False, sign_ins)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_short_demo_world_made_on_a_saturday_stands_on_monday(
    engine_url: str, tmp_path: Path
) -> None:
    saturday = dt.datetime(2026, 3, 14, 10, tzinfo=dt.UTC)
    clock = FixedClock(saturday)
    platform = build(engine_url, clock=clock)
    users = tmp_path / "users.json"
    made = history.ensure(platform, clock, TODAY, users, tmp_path / "bank", months=3)
    is_true_and_leaves_something_to_do_for_everybody(platform, made.sign_ins)
    assert clock.now() <= saturday
    again = history.ensure(platform, clock, TODAY, users, tmp_path / "bank", months=3)
    assert (again.made, again.sign_ins) == (False, made.sign_ins)
    platform.close()


def test_people_of_the_demo_world_sign_in_by_hand_and_at_once(demo_copy: DemoCopy) -> None:
    served, mira = demo_copy.served, demo_copy.sign_ins["mira"]
    browser = served.browser()
    browser.sign_in(mira["email"], mira["password"])
    browser.post("/sign-in/code", signing.signature(served, "mira"))
    assert mira["organisation"] in browser.get("/", follow_redirects=True).text
    assert served.world.clock.now() == NOW
    for person in served.world.people:
        assert served.browser(person).get("/account").status_code == 200, person
