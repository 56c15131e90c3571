"""A simulated chain over some years, what a platform saw of it, and what was bound to happen."""

import dataclasses
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.features import (
    DISPUTED,
    PAID,
    Changes,
    Events,
    Failures,
    Foundings,
    Invoices,
    Statements,
)
from scoring.simulate.regimes import HORIZON, REGIMES, TEST_WEEKS, VISIBLE, WEEKS, Regime
from scoring.simulate.weeks import Diary, Draws, State, draws, new_diary, new_state, run_week
from scoring.simulate.world import World, drawn_world

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAYS: Final = 7
MORNING: Final = 6  # days after the start of a week until its snapshot is taken
_CENTS: Final = 100
_YEAR: Final = 52
_FILED_AFTER: Final = 13  # weeks
_MARGIN_NOISE: Final = 0.02
_CASH_NOISE: Final = 1.0  # weeks of revenue


@dataclasses.dataclass(frozen=True)
class Chain:
    """A simulated chain.

    Attributes
    ----------
    regime : Regime
    seed : int
    world : World
        Who sells to whom.
    events : Events
        What the platform saw, on days that count from the first week; amounts in cents.
    visible : ndarray of bool, shape (m,)
        Relations that the platform sees.
    alive : ndarray of bool, shape (weeks, n)
        At the end of each week.
    failed : ndarray of bool, shape (weeks, n)
        Failed in that week.
    margin, liquid : ndarray of float64, shape (weeks, n)
        True state: margin, and cash with the line in weeks of revenue.
    states : dict of int to State
        Copies of the true state at the end of some weeks.
    """

    regime: Regime
    seed: int
    world: World
    events: Events
    visible: Bools
    alive: Bools
    failed: Bools
    margin: Floats
    liquid: Floats
    states: dict[int, State]

    def fails_after(self, week: int, horizon: int = HORIZON) -> Bools:
        """Return who fails within the weeks after one; those out at its end say nothing.

        Raises
        ------
        ValueError
            The chain was not simulated that far.
        """
        if week + horizon >= len(self.failed):
            raise ValueError(f"week {week + horizon} is beyond the {len(self.failed)} simulated.")
        return np.asarray(self.failed[week + 1 : week + 1 + horizon].any(axis=0))

    def oracle(self, week: int, repeats: int, horizon: int = HORIZON) -> Floats:
        """Return each firm's chance to fail, from new runs of the true state.

        Parameters
        ----------
        week : int
            One of those whose state was kept.
        repeats : int
            Runs; the mean square of the answer's noise is p(1 - p)/(repeats - 1).
        horizon : int
            Weeks.

        Returns
        -------
        ndarray of float64, shape (n,)

        Notes
        -----
        O(repeats · horizon · (n + m)). Run r draws from seed 100000·s + 1000·t + r.
        """
        count = np.zeros(len(self.world.tier))
        diary = new_diary(self.world)
        for run in range(repeats):
            rng = np.random.default_rng(100_000 * self.seed + 1_000 * week + run)
            state = _copy(self.states[week])
            fails = np.zeros(len(count), np.bool_)
            for later in range(week + 1, week + 1 + horizon):
                chance = draws(self.world, rng)
                fallen = run_week(later, self.world, state, chance, self.regime, diary)[2]
                fails[diary.failed[:fallen]] = True
            count += fails
        return np.asarray(count / repeats, np.float64)


def morning_of(week: int) -> int:
    """Return the day on which the snapshot after a week is taken.

    Examples
    --------
    >>> morning_of(52)
    370
    """
    return DAYS * week + MORNING


def simulate(
    regime: Regime | str,
    seed: int,
    *,
    n_firms: int = 2_000,
    weeks: int = WEEKS,
    keep: tuple[int, ...] = TEST_WEEKS,
) -> Chain:
    """Let a chain of firms trade, pay and fail for some years.

    Parameters
    ----------
    regime : Regime or str
        Parameters, or the name of a regime in `REGIMES`.
    seed : int
        Of the chain; what the platform sees is drawn from 10000 + seed.
    n_firms : int
        At least 20.
    weeks : int
        Length.
    keep : tuple of int
        Weeks whose true state is kept, for `Chain.oracle`.

    Returns
    -------
    Chain
        The same for the same arguments.

    Raises
    ------
    ValueError
        Fewer than 20 firms, no week, or no such regime.

    Notes
    -----
    O(weeks · (n + m)). Two regimes with one seed meet the same chance.

    Examples
    --------
    >>> chain = simulate("main", 1, n_firms=20, weeks=3, keep=())
    >>> chain.alive.shape, len(chain.events.failures)
    ((3, 20), 0)
    """
    if isinstance(regime, str):
        if regime not in REGIMES:
            raise ValueError(f"{regime} is no regime; there are {', '.join(REGIMES)}.")
        regime = REGIMES[regime]
    if n_firms < 20 or weeks < 1:  # noqa: PLR2004 - a tier needs a firm
        raise ValueError(f"{n_firms} firms over {weeks} weeks; there are at least 20 over one.")
    rng = np.random.default_rng(seed)
    world = drawn_world(regime, n_firms, rng)
    state, diary = new_state(world), new_diary(world)
    alive = np.zeros((weeks, n_firms), np.bool_)
    failed = np.zeros((weeks, n_firms), np.bool_)
    margin, liquid = np.zeros((weeks, n_firms)), np.zeros((weeks, n_firms))
    states: dict[int, State] = {}
    story = _Story()
    for week in range(weeks):
        chance: Draws = draws(world, rng)
        made, moved, fallen = run_week(week, world, state, chance, regime, diary)
        story.add(week, diary, made, moved)
        failed[week, diary.failed[:fallen]] = True
        alive[week] = state.out == 0
        margin[week] = world.margin + state.x
        liquid[week] = state.cash / world.weekly + world.line
        if week in keep:
            states[week] = _copy(state)
    seen = np.random.default_rng(10_000 + seed)
    visible = seen.random(len(world.seller)) < VISIBLE
    reborn = np.zeros_like(alive)
    reborn[1:] = alive[1:] & ~alive[:-1]
    born_week, born = np.nonzero(reborn)
    fail_week, who = np.nonzero(failed)
    everybody = np.arange(n_firms)
    born_on = DAYS * np.concatenate((np.zeros(n_firms, np.int64), born_week))
    invoices, changes = story.told(world, visible)
    events = Events(
        n_firms,
        invoices,
        changes,
        _statements(world, alive, margin, liquid, seen),
        Foundings(np.concatenate((everybody, born)), born_on, born_on),
        Failures(who, DAYS * fail_week),
    )
    return Chain(
        regime, seed, world, events, visible, alive, failed, margin, liquid, states
    )  # fmt: skip


class _Story:
    """What the diaries said, week by week."""

    def __init__(self) -> None:
        self.made: list[Ints] = []
        self.amounts: list[Floats] = []
        self.moved: list[Ints] = []
        self.money: list[Floats] = []
        self.weeks: list[tuple[int, int, int]] = []

    def add(self, week: int, diary: Diary, made: int, moved: int) -> None:
        self.weeks.append((week, made, moved))
        self.made.append(diary.made[:made].copy())
        self.amounts.append(diary.amount[:made].copy())
        self.moved.append(diary.moved[:moved].copy())
        self.money.append(diary.money[:moved].copy())

    def told(self, world: World, visible: Bools) -> tuple[Invoices, Changes]:
        """Give the rows of the visible relations."""
        week, made, moved = np.array(self.weeks).T
        relation, due, _ = np.concatenate(self.made).T
        on = DAYS * np.repeat(week, made)
        amount = np.rint(_CENTS * np.concatenate(self.amounts)).astype(np.int64)
        keep = visible[relation]
        number = np.cumsum(keep) - 1
        invoices = Invoices(
            world.seller[relation[keep]],
            world.buyer[relation[keep]],
            amount[keep],
            on[keep],
            DAYS * due[keep],
            on[keep],
        )
        which, lost = np.concatenate(self.moved).T
        paid_on = DAYS * np.repeat(week, moved)
        money = np.rint(_CENTS * np.concatenate(self.money)).astype(np.int64)
        seen = keep[which]
        # What a failed debtor leaves unpaid is in the hands of its administrator: no arrears.
        kind = np.where(lost == 1, DISPUTED, PAID).astype(np.int8)
        return invoices, Changes(
            number[which[seen]], kind[seen], money[seen], paid_on[seen], paid_on[seen]
        )


def _statements(
    world: World, alive: Bools, margin: Floats, liquid: Floats, rng: np.random.Generator
) -> Statements:
    """Draw what firms report: once a year, a quarter late, not quite right."""
    weeks, n = alive.shape
    offset = rng.integers(0, _YEAR, n)
    noise, cash_noise = rng.standard_normal((2, weeks, n))
    week, firm = np.nonzero((np.arange(weeks)[:, None] % _YEAR == offset) & alive)
    cost = 1.0 - margin[week, firm] - _MARGIN_NOISE * noise[week, firm]
    revenue = _CENTS * world.weekly[firm]
    cash = np.maximum(liquid[week, firm] + _CASH_NOISE * cash_noise[week, firm], 0.0)
    return Statements(
        firm=firm,
        revenue=_YEAR * revenue,
        weekly_cost=cost * revenue,
        liquid=cash * revenue,
        equity_ratio=np.full(len(firm), np.nan),
        period_end=DAYS * week,
        known=DAYS * (week + _FILED_AFTER),
    )


def _copy(state: State) -> State:
    columns: Any = (column.copy() for column in state)
    return State(*columns)
