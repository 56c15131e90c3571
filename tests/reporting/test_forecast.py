"""A forecast puts every cent that is to come in one place, and follows what documents become."""

import datetime as dt
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from scf.financing.models import Advance
from scf.reporting.forecast import WEEKS, Flow, Forecast, flows_of, forecast, habits_of
from tests.settlement.conftest import MakeWorld
from tests.settlement.test_reserve_life import DUE, discounting
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, START, World

DAY = dt.date(2026, 3, 10)
sums = st.integers(min_value=-(10**14), max_value=10**14).filter(bool)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    on = draw(st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2027, 6, 1)))
    return Flow("buyer", "b", draw(st.text(max_size=3)), "1", DAY, on, draw(sums))


@given(st.lists(flows(), max_size=60), st.integers(-(10**12), 10**12), st.integers(0, 10**12))
def test_every_cent_is_in_one_place(listed: list[Flow], cash: int, least: int) -> None:
    found = forecast(listed, DAY, cash, least)
    dated = sum(week.into_minor - week.out_minor for week in found.weeks)
    assert dated + found.later_minor + found.undated_minor == sum(one.minor for one in listed)
    assert found.weeks[-1].balance_minor == cash + dated
    assert len(found.weeks) == WEEKS
    assert all(week.into_minor >= 0 <= week.out_minor for week in found.weeks)
    balances = [week.balance_minor for week in found.weeks]
    assert found.gap_minor == max(0, least - min(balances))
    assert (found.gap_from is None) == (found.gap_minor == 0)
    enough = forecast(listed, DAY, cash + found.gap_minor, least)
    assert enough.gap_minor == 0


def seen(world: World, org: str, today: dt.date) -> tuple[dict[str, int], Forecast]:
    with world.db.snapshot() as conn:
        listed = flows_of(conn, org, "EUR", today)
    kinds: defaultdict[str, int] = defaultdict(int)
    for one in listed:
        kinds[one.kind] += one.minor
    return dict(kinds), forecast(listed, today)


def test_what_is_financed_leaves_the_buyers_and_comes_from_the_bank(world: World) -> None:
    invoice = world.invoice("INV-1", "500,000.00", START + dt.timedelta(days=40))
    kinds, found = seen(world, SELLER, START)
    assert kinds == {"buyer": 500_000_00}
    assert found.weeks[5].into_minor == 500_000_00
    assert seen(world, OBLIGOR, START)[0] == {"supplier": -500_000_00}
    world.advance(invoice, "300,000.00")
    world.run("payout.prepare")
    kinds, _ = seen(world, SELLER, START)
    assert kinds["buyer"] == 200_000_00
    assert 0 < kinds["bank"] < 300_000_00
    assert seen(world, OBLIGOR, START)[0] == {"supplier": -500_000_00}
    assert seen(world, FINANCIER, START)[0] == {}


def test_a_buyer_is_expected_when_it_usually_pays_the_firm(make_world: MakeWorld) -> None:
    world = make_world(penalty_multiple_ppm=0)
    for number, wait, late in (("A", 7, 2), ("B", 16, 4), ("C", 28, 6)):
        due = START + dt.timedelta(days=wait)
        world.financed("100,000.00", number=number, due_on=due)
        with world.db.snapshot() as conn:
            assert habits_of(conn, SELLER, due) == {}, "two items are no habit"
        world.morning_of(due + dt.timedelta(days=late))
        world.receive("100,000.00", number)
    today = START + dt.timedelta(days=40)
    with world.db.snapshot() as conn:
        assert habits_of(conn, SELLER, today) == {OBLIGOR: 4}
    world.invoice("D", "70,000.00", today + dt.timedelta(days=3))
    _, found = seen(world, SELLER, today)
    assert [week.into_minor for week in found.weeks[:2]] == [0, 70_000_00]
    _, later = seen(world, SELLER, today + dt.timedelta(days=8))
    assert later.undated_minor == 70_000_00, "past its habit it is counted on no day"
    assert all(week.into_minor == 0 for week in later.weeks)


def test_what_is_kept_back_comes_with_the_buyers_payment(make_world: MakeWorld) -> None:
    world, advance_id = discounting(make_world)
    kinds, found = seen(world, SELLER, START)
    assert kinds == {"reserve": 75_000_00}
    assert found.weeks[(DUE - START).days // 7].into_minor == 75_000_00
    world.morning_of(START + dt.timedelta(days=8))
    row = world.get(Advance, advance_id)
    assert row.interest_minor > 0
    kinds, _ = seen(world, SELLER, START + dt.timedelta(days=8))
    assert kinds == {"reserve": 75_000_00 - row.interest_minor}, "less what it costs till then"
