"""The simulated chain: drawn as described, cleared as defined, the same from the same seed."""

import doctest
import importlib

import numpy as np
import pytest
from numpy.typing import NDArray

from graph.clearing import clear, debts_of
from scoring.features import NAMES, features
from scoring.simulate import HORIZON, REGIMES, Chain, digest, morning_of, simulate
from scoring.simulate import weeks as kernel
from scoring.simulate.weeks import (
    SLOTS,
    Diary,
    State,
    draws,
    new_diary,
    new_state,
    run_week,
)
from scoring.simulate.world import World, drawn_world

MAIN = REGIMES["main"]


@pytest.mark.parametrize("name", ["regimes", "running"])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"scoring.simulate.{name}"))
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.fixture(scope="module")
def chain() -> Chain:
    return simulate("high", 3, n_firms=150, weeks=110, keep=(70,))


def walked(world: World, weeks: int, regime: str = "main", seed: int = 5) -> tuple[State, Diary]:
    """The state after some weeks."""
    state, diary, rng = new_state(world), new_diary(world), np.random.default_rng(seed)
    for week in range(weeks):
        run_week(week, world, state, draws(world, rng), REGIMES[regime], diary)
    return state, diary


def test_the_same_seed_gives_the_same_chain(chain: Chain) -> None:
    again = simulate("high", 3, n_firms=150, weeks=110, keep=(70,))
    other = simulate("high", 4, n_firms=150, weeks=110, keep=())
    assert again.events.changes.amount.tobytes() == chain.events.changes.amount.tobytes()
    assert again.liquid.tobytes() == chain.liquid.tobytes()
    assert other.liquid.tobytes() != chain.liquid.tobytes()
    assert again.oracle(70, 3).tobytes() == chain.oracle(70, 3).tobytes()


def test_the_compiled_week_is_the_written_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = drawn_world(MAIN, 40, np.random.default_rng(1))
    compiled, _ = walked(world, 30)
    monkeypatch.setattr(kernel, "_compiled", lambda: kernel._week)
    written, _ = walked(world, 30)
    for fast, plain in zip(compiled, written, strict=True):
        assert fast.tobytes() == plain.tobytes()


def test_firms_and_relations_are_drawn_as_described() -> None:
    world = drawn_world(MAIN, 2_000, np.random.default_rng(2))
    assert np.bincount(world.tier).tolist() == [20, 240, 700, 1_040]
    assert 4_200 <= len(world.seller) <= 4_450
    assert (world.buyer < world.seller).all()  # no circle, and buyers come first
    up = world.tier[world.seller] - world.tier[world.buyer]
    assert set(up.tolist()) == {1, 2}
    assert 0.08 <= (up == 2).mean() <= 0.16
    sold = np.bincount(world.seller, world.share, 2_000)
    assert np.allclose(sold[world.tier > 0], 1 - world.outside[world.tier > 0])
    assert (world.purchases <= 0.65 * world.weekly * (1 + 1e-9)).all()
    assert set(world.terms.tolist()) == {4, 8, 12}
    assert 0.36 <= (world.line == 0).mean() <= 0.44
    same = world.sector[world.seller] == world.sector[world.buyer]
    assert same.mean() > 0.3  # of eight sectors; without preference one in eight


def test_payments_of_a_week_are_the_greatest_clearing_vector() -> None:
    """A week in which nobody fails and dividends are not paid yet, with little cash about."""
    world = drawn_world(MAIN, 200, np.random.default_rng(9))
    state, diary = walked(world, 22)
    rng = np.random.default_rng(80)
    state.cash[:] = (rng.uniform(0.9, 1.3, 200) - world.line) * world.weekly
    week, before = 22, state.owed.copy()
    pays, invoices = state.pays.copy(), state.invoice.copy()
    _, moved, failed = run_week(week, world, state, draws(world, rng), MAIN, diary)
    assert failed == 0
    due_now = {(week - back) % SLOTS for back in range(20)}
    may = np.isin(np.arange(SLOTS), list(due_now))[None, :] & (pays <= week)
    payable = np.where(may, before, 0.0).sum(axis=1)
    relation = {
        int(number): at // SLOTS for at, number in enumerate(invoices.ravel()) if number >= 0
    }
    by_relation = np.zeros(len(world.seller))
    for (number, lost), money in zip(diary.moved[:moved], diary.money[:moved], strict=True):
        assert lost == 0
        by_relation[relation[int(number)]] += money
    paid = np.bincount(world.buyer, by_relation, 200)
    received = np.bincount(world.seller, by_relation, 200)
    assets = state.cash + world.line * world.weekly + paid - received
    assert (assets >= -1e-6).all()
    assets = np.maximum(assets, 0.0)
    found = clear(debts_of(world.buyer, world.seller, payable, 200), assets)
    assert found.in_default.sum() >= 5  # else the week would prove little
    assert np.allclose(paid, found.paid, rtol=1e-9)
    part = found.paid / np.maximum(np.bincount(world.buyer, payable, 200), 1e-300)
    assert np.allclose(by_relation, payable * part[world.buyer], rtol=1e-9)


def test_a_failed_debtor_leaves_thirty_percent_to_its_suppliers() -> None:
    world = drawn_world(MAIN, 100, np.random.default_rng(4))
    with_it, diary = walked(world, 20)
    without, _ = walked(world, 20)
    anchor = int(world.buyer[np.argmax(with_it.owed.sum(axis=1))])
    with_it.cash[anchor] = -1e15
    chance = draws(world, np.random.default_rng(1))
    made, moved, failed = run_week(20, world, with_it, chance, MAIN, diary)
    assert anchor in diary.failed[:failed]
    _, lost = diary.moved[:moved].T
    money = diary.money[:moved]
    assert lost.sum() > 0
    rest = money[lost == 1].sum()
    last = np.flatnonzero(lost == 1) - 1  # what was saved stands before what was lost
    assert np.allclose(money[last].sum() * 0.7, rest * 0.3)
    assert (with_it.owed[world.buyer == anchor] == 0).all()
    assert with_it.out[anchor] == 12
    assert made > 0
    assert without.owed[world.buyer == anchor].sum() > 0


@pytest.mark.parametrize(("regime", "spreads"), [("main", True), ("control", False)])
def test_in_the_placebo_nothing_spreads(regime: str, *, spreads: bool) -> None:
    world = drawn_world(REGIMES[regime], 100, np.random.default_rng(4))
    hurt, diary = walked(world, 20, regime)
    sound, _ = walked(world, 20, regime)
    anchors = world.tier == 0
    hurt.cash[anchors] = -1e15
    rng, same = np.random.default_rng(6), np.random.default_rng(6)
    for week in range(20, 40):
        run_week(week, world, hurt, draws(world, rng), REGIMES[regime], diary)
        run_week(week, world, sound, draws(world, same), REGIMES[regime], diary)
    lost = (sound.cash - hurt.cash)[~anchors] / world.weekly[~anchors]
    assert (lost.max() > 1) if spreads else (lost == 0).all()


def test_a_replaced_firm_begins_with_working_capital() -> None:
    world = drawn_world(MAIN, 100, np.random.default_rng(4))
    state, diary = walked(world, 20)
    firm = 60
    state.out[firm], state.cash[firm], state.x[firm] = 1, -5e9, -0.5
    run_week(20, world, state, draws(world, np.random.default_rng(1)), MAIN, diary)
    assert state.out[firm] == 0
    assert state.cash[firm] == pytest.approx(
        world.target[firm] * world.weekly[firm] + world.working[firm]
    )
    assert (state.age[firm], state.x[firm]) == (0, 0)


def test_labels_look_only_at_the_weeks_after_a_snapshot(chain: Chain) -> None:
    week = 70
    fails = chain.fails_after(week)
    assert fails.sum() > 0
    for firm in np.flatnonzero(fails & chain.alive[week]).tolist():
        when = np.flatnonzero(chain.failed[:, firm])
        assert ((when > week) & (when <= week + HORIZON)).any()
    with pytest.raises(ValueError, match="beyond the 110 simulated"):
        chain.fails_after(84)


def test_the_platform_sees_a_part_and_nothing_early(chain: Chain) -> None:
    events = chain.events
    assert 0.6 <= chain.visible.mean() <= 0.8
    seen = set(zip(events.invoices.seller.tolist(), events.invoices.buyer.tolist(), strict=True))
    wanted = np.flatnonzero(chain.visible)
    pairs = {(int(chain.world.seller[r]), int(chain.world.buyer[r])) for r in wanted}
    assert seen <= pairs
    assert (events.statements.known == events.statements.period_end + 91).all()
    t = morning_of(70)
    found = features(events, t)
    assert found.tobytes() == features(events.before(t), t).tobytes()
    known: NDArray[np.float64] = found[:, NAMES.index("late_share")]
    assert (~np.isnan(known)).mean() > 0.3


def test_the_oracle_knows_more_than_the_mean_and_its_total_is_right(chain: Chain) -> None:
    chance = chain.oracle(70, 20)
    alive = chain.alive[70]
    fails = chain.fails_after(70)[alive]
    assert ((chance >= 0) & (chance <= 1)).all()
    told = chance[alive]
    assert ((told - fails) ** 2).mean() < ((fails.mean() - fails) ** 2).mean()
    assert abs(told.sum() - fails.sum()) <= 4 * np.sqrt((told * (1 - told)).sum() + 1)


def test_regimes_have_fingerprints_and_unknown_ones_are_refused() -> None:
    assert len({digest(regime) for regime in REGIMES.values()}) == len(REGIMES) == 5
    with pytest.raises(ValueError, match="storm is no regime"):
        simulate("storm", 1)
    with pytest.raises(ValueError, match="19 firms"):
        simulate("main", 1, n_firms=19)
