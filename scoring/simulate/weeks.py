"""One week of a simulated chain: demand, costs, payments all at once, defaults, rebirths.

Plain Python over arrays, compiled by numba where that is installed (set ``model``); without it the
same figures come out slowly.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.simulate.regimes import Regime
from scoring.simulate.world import SECTORS, World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLOTS: Final = 32  # due weeks that are kept apart: 12 ahead, 19 back
_BACK: Final = 19
_AHEAD: Final = 12
_OUT: Final = 12  # weeks until a failed firm is replaced
_YOUNG: Final = 26  # weeks without dividends
_LONG_OVERDUE: Final = 8
_RECOVERY: Final = 0.3
_FIXED: Final = 0.4  # part of the cost
_NOISE: Final = 0.15  # of an invoice
_X_KEPT: Final = 0.985


class State(NamedTuple):
    """What changes; by firm n, by relation m, by due week."""

    macro: Floats  # (1,)
    sector: Floats  # (8,)
    e: Floats  # (n,) demand of the firm itself, log
    x: Floats  # (n,) its margin above its mean
    cash: Floats  # (n,) major units, drawn line below 0
    age: Ints  # (n,) weeks
    out: Ints  # (n,) weeks until it is replaced, 0 when alive
    unbilled: Floats  # (m,)
    owed: Floats  # (m, 32)
    pays: Ints  # (m, 32) the week from which the buyer means to pay
    invoice: Ints  # (m, 32) its number, -1 where there is none
    promised: Floats  # (m, 32) by week of payment: what an insurer pays the seller on that week
    made: Ints  # (1,) invoices so far


class Draws(NamedTuple):
    """Chance of one week: the same for all regimes, whatever happens in them."""

    macro: float
    sector: Floats
    e: Floats
    x: Floats
    noise: Floats
    delay: Ints
    hit: Floats
    size: Floats


class Diary(NamedTuple):
    """What happened in a week: invoices made, money moved, firms failed."""

    made: Ints  # (m, 3): relation, due week, number
    amount: Floats  # (m,)
    moved: Ints  # (64 m, 2): invoice, 0 paid by the debtor or 1 lost with it
    money: Floats  # (64 m,)
    failed: Ints  # (n,)


def new_state(world: World) -> State:
    """Return the first week: every firm with its cash and what its trade binds."""
    n, m = len(world.tier), len(world.seller)
    return State(
        macro=np.zeros(1),
        sector=np.zeros(SECTORS),
        e=np.zeros(n),
        x=np.zeros(n),
        cash=world.target * world.weekly + world.working,
        age=np.zeros(n, np.int64),
        out=np.zeros(n, np.int64),
        unbilled=np.zeros(m),
        owed=np.zeros((m, SLOTS)),
        pays=np.zeros((m, SLOTS), np.int64),
        invoice=np.full((m, SLOTS), -1, np.int64),
        promised=np.zeros((m, SLOTS)),
        made=np.zeros(1, np.int64),
    )


def new_diary(world: World) -> Diary:
    """Return an empty diary that one week fits into."""
    n, m = len(world.tier), len(world.seller)
    return Diary(
        np.zeros((m, 3), np.int64),
        np.zeros(m),
        np.zeros((2 * m * SLOTS, 2), np.int64),
        np.zeros(2 * m * SLOTS),
        np.zeros(n, np.int64),
    )


def draws(world: World, rng: np.random.Generator) -> Draws:
    """Draw the chance of one week."""
    n, m = len(world.tier), len(world.seller)
    return Draws(
        macro=float(rng.standard_normal()),
        sector=rng.standard_normal(SECTORS),
        e=rng.standard_normal(n),
        x=rng.standard_normal(n),
        noise=rng.standard_normal(m),
        delay=np.minimum(rng.poisson(0.7, m), 4),
        hit=rng.random(n),
        size=rng.uniform(6, 20, n),
    )


def run_week(
    week: int, world: World, state: State, chance: Draws, regime: Regime, diary: Diary
) -> tuple[int, int, int]:
    """Let one week pass; the state is changed, the diary written.

    Returns
    -------
    tuple of int
        Invoices made, sums moved, firms failed.
    """
    made: tuple[int, int, int] = _compiled()(
        week, world, state, chance, regime.margin_sd, regime.shock, regime.insured, diary
    )
    return made


@functools.cache
def _compiled() -> Callable[..., Any]:
    try:
        import numba
    except ImportError:
        return _week
    try:
        made: Callable[..., Any] = numba.njit(cache=True)(_week)
    except RuntimeError:  # nowhere to keep the compiled code: it is compiled in each process
        made = numba.njit(_week)
    return made


def _week(  # noqa: C901, PLR0912, PLR0915 - a kernel calls no other function
    week: int,
    world: World,
    state: State,
    chance: Draws,
    margin_sd: float,
    shock: float,
    insured: bool,  # noqa: FBT001
    diary: Diary,
) -> tuple[int, int, int]:
    n, m = len(world.tier), len(world.seller)
    made, moved, failed = 0, 0, 0
    # Demand: of the economy, the sectors, the firms; buyers come before their sellers.
    state.macro[0] = 0.97 * state.macro[0] + 0.008 * chance.macro
    for s in range(len(state.sector)):
        state.sector[s] = 0.97 * state.sector[s] + 0.012 * chance.sector[s]
    step = margin_sd * math.sqrt(1.0 - _X_KEPT * _X_KEPT)
    demand, busy, bought = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        state.e[i] = 0.95 * state.e[i] + 0.015 * chance.e[i]
        state.x[i] = _X_KEPT * state.x[i] + step * chance.x[i]
        away = world.outside[i] * math.exp(state.macro[0] + state.sector[world.sector[i]])
        own = math.exp(state.e[i])
        demand[i] = away
        busy[i] = away
        for r in range(world.first[i], world.first[i + 1]):
            j = world.buyer[r]
            demand[i] += world.share[r] * demand[j]
            busy[i] += world.share[r] * (demand[j] if insured else busy[j])
        demand[i] *= own
        busy[i] *= own
        if state.out[i] > 0:
            busy[i] = 0.0
            continue
        state.cash[i] += world.weekly[i] * away * own
        for r in range(world.first[i], world.first[i + 1]):
            j = world.buyer[r]
            if state.out[j] == 0 or insured:
                sale = world.weekly[i] * world.share[r] * own
                sale *= demand[j] if insured else busy[j]
                state.unbilled[r] += sale
                if state.out[j] == 0:
                    bought[j] += sale
    # Costs, of which purchases in the chain are paid when their invoices are.
    for i in range(n):
        if state.out[i] > 0:
            continue
        cost = world.weekly[i] * (1.0 - world.margin[i] - state.x[i])
        cost *= _FIXED + (1.0 - _FIXED) * busy[i]
        state.cash[i] -= max(0.0, cost - bought[i])
        if chance.hit[i] < shock:
            part = 0.2 if world.tier[i] == 0 else 1.0
            state.cash[i] -= part * chance.size[i] * world.weekly[i]
    # Invoices, every second week; what is left of the oldest due week joins the next one.
    for r in range(m):
        at, older = (week + _AHEAD) % SLOTS, (week - _BACK) % SLOTS
        if state.owed[r, at] > 0.0:
            state.owed[r, older] += state.owed[r, at]
            if state.invoice[r, older] < 0:
                state.invoice[r, older] = state.invoice[r, at]
        state.owed[r, at], state.invoice[r, at] = 0.0, -1
        if (week + r) % 2 == 0 and state.unbilled[r] > 0.0:
            amount = state.unbilled[r] * math.exp(_NOISE * chance.noise[r] - 0.5 * _NOISE * _NOISE)
            state.unbilled[r] = 0.0
            due = week + world.terms[r]
            if insured:
                state.promised[r, (due + chance.delay[r]) % SLOTS] += amount
            if state.out[world.buyer[r]] > 0:
                continue
            at = due % SLOTS
            state.owed[r, at] = amount
            state.pays[r, at] = due + chance.delay[r]
            state.invoice[r, at] = state.made[0]
            diary.made[made, 0], diary.made[made, 1] = r, due
            diary.made[made, 2], diary.amount[made] = state.made[0], amount
            state.made[0] += 1
            made += 1
    if insured:
        for r in range(m):
            state.cash[world.seller[r]] += state.promised[r, week % SLOTS]
            state.promised[r, week % SLOTS] = 0.0
    # Payments: each firm pays out of what it has and has just been paid. Its buyers come before
    # it, so one pass is the greatest clearing vector; suppliers share alike, oldest invoice first.
    for j in range(n):
        if state.out[j] > 0:
            continue
        wanted = 0.0
        for k in range(world.buys[j], world.buys[j + 1]):
            r = world.by_buyer[k]
            for due in range(week - _BACK, week + 1):
                at = due % SLOTS
                if state.owed[r, at] > 0.0 and state.pays[r, at] <= week:
                    wanted += state.owed[r, at]
        if wanted <= 0.0:
            continue
        have = max(0.0, state.cash[j] + world.line[j] * world.weekly[j])
        part = min(1.0, have / wanted)
        for k in range(world.buys[j], world.buys[j + 1]):
            r = world.by_buyer[k]
            i = world.seller[r]
            payable = 0.0
            for due in range(week - _BACK, week + 1):
                at = due % SLOTS
                if state.owed[r, at] > 0.0 and state.pays[r, at] <= week:
                    payable += state.owed[r, at]
            left = part * payable
            state.cash[j] -= left
            if not insured:
                state.cash[i] += left
            for due in range(week - _BACK, week + 1):
                at = due % SLOTS
                if left > 0.0 and state.owed[r, at] > 0.0 and state.pays[r, at] <= week:
                    paid = state.owed[r, at] if part >= 1.0 else min(left, state.owed[r, at])
                    left -= paid
                    state.owed[r, at] -= paid
                    diary.moved[moved, 0], diary.moved[moved, 1] = state.invoice[r, at], 0
                    diary.money[moved] = paid
                    moved += 1
    # Who fails, and who comes back.
    for j in range(n):
        if state.out[j] > 0:
            state.out[j] -= 1
            if state.out[j] == 0:
                state.cash[j] = world.target[j] * world.weekly[j] + world.working[j]
                state.age[j], state.x[j] = 0, 0.0
            continue
        state.age[j] += 1
        overdue = 0.0
        for k in range(world.buys[j], world.buys[j + 1]):
            r = world.by_buyer[k]
            for due in range(week - _BACK, week - _LONG_OVERDUE):
                overdue += state.owed[r, due % SLOTS]
        broke = state.cash[j] + world.line[j] * world.weekly[j] < -world.weekly[j]
        if broke or overdue > 0.5 * 2.0 * world.purchases[j] > 0.0:
            state.out[j] = _OUT
            diary.failed[failed] = j
            failed += 1
            for r in range(world.first[j], world.first[j + 1]):
                state.unbilled[r] = 0.0
            for k in range(world.buys[j], world.buys[j + 1]):
                r = world.by_buyer[k]
                if not insured:
                    state.unbilled[r] = 0.0
                for at in range(SLOTS):
                    if state.owed[r, at] > 0.0:
                        if not insured:
                            state.cash[world.seller[r]] += _RECOVERY * state.owed[r, at]
                        for lost in range(2):
                            diary.moved[moved, 0] = state.invoice[r, at]
                            diary.moved[moved, 1] = lost
                            share = 1.0 - _RECOVERY if lost else _RECOVERY
                            diary.money[moved] = share * state.owed[r, at]
                            moved += 1
                        state.owed[r, at] = 0.0
            continue
        most = 2.0 * world.target[j] * world.weekly[j]
        if state.age[j] >= _YOUNG and state.cash[j] > most:
            state.cash[j] -= 0.2 * (state.cash[j] - most)
    return made, moved, failed
