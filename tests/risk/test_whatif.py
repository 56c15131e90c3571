"""Whom a firm's trouble reaches, by the figures of the assessments, and what the bank has on them.

Source: fraud.md 2.3; the worked chain is that of pricing.md 1.7. The probability given there
for T2, .12596958, is the last digit off: 1 - exp(-.13464009155) is .125969574.
"""

import datetime as dt
import math
from typing import Any

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.financing.models import Advance
from scf.kernel.errors import InvalidInput, NotFound, RuleViolation
from scf.programmes.models import LimitHold, LimitNode
from scf.reporting.whatif import claims_on, limits_over
from scf.risk import appetite, chainstate
from scf.risk.asof import morning_of
from scf.risk.assessing import work_out
from scf.risk.chainstate import ChainState, packed, state_from, state_of, unpacked
from scf.risk.models import ChainArrays
from scf.risk.whatif import answer
from tests.risk.test_chain_in_database import ANCHOR_A, OWN, T1, T2, X, golden
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, BANK, MAKER, SELLER, eur, table


def worked(db: Database) -> ChainState:
    """Give the worked chain with the own risks that it is worked with."""
    world = golden(db)
    in_force = appetite.in_force()
    snapshot = world.snapshot()
    with db.snapshot() as conn:
        morning = morning_of(conn, snapshot)
        made = work_out(conn, morning, in_force, [ANCHOR_A, X, T1, T2], own_pd=OWN)
    return state_from(made, snapshot.id, morning, in_force.policy.scale)


def test_the_worked_chain_when_its_worst_buyer_fails(db: Database) -> None:
    state = worked(db)
    found = answer(state, X, "fails")
    assert found.snapshot_id == state.snapshot_id
    assert [one.firm_id for one in found.moved] == [T1, T2]
    first, second = found.moved
    assert (f"{first.pd_before:.8f}", f"{first.pd_after:.8f}") == ("0.02333991", "0.21797079")
    assert (f"{second.pd_before:.8f}", f"{second.pd_after:.8f}") == ("0.05545227", "0.12596957")
    assert (first.path, second.path) == ((X, T1), (X, T1, T2))
    assert (first.grade_before, first.grade_after, first.route_after) == ("C1", "E", "refuse")
    assert (first.receivable_minor, second.receivable_minor) == (eur("400,000.00"), 0)
    assert found.receivable_minor == eur("400,000.00")
    assert found.quiet == ()
    assert found.total == pytest.approx(first.change + second.change + found.rest, abs=1e-15)
    assert (found.grade_before, found.grade_after) == ("C1", "X")


def test_a_fall_by_grades_takes_the_middle_of_the_grade_it_ends_in(db: Database) -> None:
    state = worked(db)
    one, two = (answer(state, X, "downgrade", size) for size in (1, 2))
    assert (one.grade_before, one.grade_after, two.grade_after) == ("C1", "C2", "D1")
    middle = -math.log1p(-math.sqrt(0.025 * 0.04))
    hazard = 0.02361660 + 0.22744238 * (middle - 0.02284441)
    assert one.moved[0].pd_after == pytest.approx(-math.expm1(-hazard), abs=1e-8)
    assert two.moved[0].pd_after > one.moved[0].pd_after
    assert answer(state, X, "downgrade", 8).grade_after == "E"
    for size in (0, 9):
        with pytest.raises(InvalidInput, match="1 to 8 grades"):
            answer(state, X, "downgrade", size)
    # A rated firm that everybody sells to feels nothing itself of its suppliers.
    assert ANCHOR_A not in {line.firm_id for line in answer(state, T1, "fails").moved}


def test_what_cannot_be_asked_is_refused(db: Database) -> None:
    world = RiskWorld(db)
    world.history(items=3)
    world.at(TODAY - dt.timedelta(days=130))
    world.sale("60,000.00", due=TODAY - dt.timedelta(days=120))
    with db.snapshot() as conn, pytest.raises(RuleViolation) as missing:
        state_of(conn, BANK)
    assert missing.value.code == "GRAPH_MISSING"
    world.morning()
    with db.snapshot() as conn:
        state = state_of(conn, BANK)
        assert state_of(conn, BANK) is state  # read once
    with pytest.raises(NotFound):
        answer(state, "nobody", "fails")
    for event in ("fails", "downgrade"):
        with pytest.raises(RuleViolation) as refusal:
            answer(state, ANCHOR, event, 1)
        assert refusal.value.code == "IN_DEFAULT"
    with pytest.raises(InvalidInput, match="1 to 120 days"):
        answer(state, ANCHOR, "late", 121)


def test_a_late_payer_leaves_its_supplier_short_in_the_week_in_which_it_counted_on_it(
    db: Database,
) -> None:
    """The seller has 2,000 by its statement and owes 9,000 in a week, out of 10,000 due before."""
    world = RiskWorld(db, "deep")
    world.at(TODAY - dt.timedelta(days=40))
    world.sale("10,000.00", due=TODAY + dt.timedelta(days=3))
    world.sale("9,000.00", seller="deep", buyer=SELLER, due=TODAY + dt.timedelta(days=9))
    statement: dict[str, Any] = {
        "period_end_on": TODAY - dt.timedelta(days=90),
        "received_on": TODAY - dt.timedelta(days=41),
        "currency": "EUR",
        "revenue_minor": eur("400,000.00"),
        "equity_ppm": 200_000,
        "liquidity_minor": eur("2,000.00"),
        "weekly_cost_minor": eur("7,000.00"),
    }
    world.fact(SELLER, "statement", **statement)
    world.morning()
    with db.snapshot() as conn:
        state = state_of(conn, BANK)
    found = answer(state, ANCHOR, "late", 30)
    (short,) = found.short
    assert (short.firm_id, short.week) == (SELLER, 2)
    assert (short.before_minor, short.after_minor) == (0, eur("7,000.00"))
    assert found.put_off_minor == found.receivable_minor == eur("10,000.00")
    assert answer(state, ANCHOR, "late", 5).short == ()  # still in time
    assert found.touched == (SELLER,)


def test_the_bank_sees_what_is_out_on_whom_it_reaches_and_which_limits_allow_nothing_more(
    db: Database,
) -> None:
    world = RiskWorld(db)
    world.history()
    world.rated(ANCHOR)
    invoice_id = world.sale("100,000.00", due=TODAY + dt.timedelta(days=90))
    world.morning()
    world.at(TODAY)
    world.submit(world.quote(invoice_id)["id"])
    (advance,) = world.all(Advance)
    world.change(Advance, advance.id, state="FUNDED", recourse=True)
    for hold in world.all(LimitHold):
        world.change(LimitHold, hold.id, state="UTILISED")
    with db.read(MAKER) as session:
        state = state_of(session.connection(), BANK)
        fails, falls = answer(state, ANCHOR, "fails"), answer(state, ANCHOR, "downgrade", 1)
        (owed, behind) = claims_on(session, BANK, {ANCHOR, *fails.touched})
        over = limits_over(session, BANK, fails)
        assert limits_over(session, BANK, falls) == []
        assert limits_over(session, BANK, answer(state, ANCHOR, "late", 30)) == []
        assert claims_on(session, "other-bank", {ANCHOR, SELLER}) == []
    assert (owed.firm_id, owed.owed_minor, owed.recourse_minor) == (ANCHOR, advance.face_minor, 0)
    assert (behind.firm_id, behind.owed_minor) == (SELLER, 0)
    assert behind.recourse_minor == advance.face_minor
    taken = {one.line.kind: one.line.taken_minor for one in over}
    assert taken == {
        row.kind: row.held_minor + row.utilised_minor
        for row in world.all(LimitNode) if row.kind in {"programme", "obligor"}
    }  # fmt: skip
    assert {one.firm_id for one in over} == {ANCHOR}


def test_the_chains_of_two_mornings_stay_in_memory_and_no_more(db: Database) -> None:
    world = RiskWorld(db)
    world.history(items=2)
    for day in range(3):
        world.morning(TODAY + dt.timedelta(days=day))
        with db.snapshot() as conn:
            last = state_of(conn, BANK)
    assert last.as_of_on == TODAY + dt.timedelta(days=2)
    assert len(chainstate._kept) == 2


def the_kept(db: Database) -> Any:  # noqa: ANN401 - a row
    with db.snapshot() as conn:
        return conn.execute(select(table(ChainArrays))).one()


def test_the_chain_kept_in_the_night_is_the_one_worked_out_by_day(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = RiskWorld(db)
    world.history(items=3)
    world.sale("100,000.00", due=TODAY + dt.timedelta(days=90))
    world.morning()
    kept = the_kept(db)
    in_force = appetite.in_force()
    state = unpacked(kept.content, in_force.policy.scale)
    snapshot = world.snapshot()
    with db.snapshot() as conn:
        made = chainstate._made(conn, snapshot, in_force)
        assert packed(made) == packed(state) == kept.content
        assert [answer(one, ANCHOR, "fails").total for one in (made, state)] == [
            answer(state, ANCHOR, "fails").total
        ] * 2
        monkeypatch.setattr(chainstate, "_made", None)  # nothing is worked out where it was kept
        chainstate._kept.clear()
        assert packed(state_of(conn, BANK)) == kept.content
    world.morning(TODAY + dt.timedelta(days=1))
    assert the_kept(db).snapshot_id != kept.snapshot_id
