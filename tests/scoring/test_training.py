"""Training never looks ahead, and what a model is watched by says when something has moved."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.estimators import Blend
from scoring.features import Events, Position
from scoring.modelfile import digest_of, read, write
from scoring.monitoring import ACT, WATCH, Bins
from scoring.training import QUARTER, HistoryTooShortError, Task, fit
from tests.scoring.features.ledgers import drawn

FIRMS, LAST = 60, 1_200
FEW = {"train": 5, "calibration": 2, "test": 2}


@dataclasses.dataclass(frozen=True)
class Ledger:
    """A drawn ledger in which firms fail for sixty days at a time."""

    events: Events
    firm: NDArray[np.int64]
    start: NDArray[np.int64]

    def in_default(self, t: int) -> NDArray[np.bool_]:
        found = np.zeros(FIRMS, np.bool_)
        found[self.firm[(self.start <= t) & (t < self.start + 60)]] = True
        return found

    def first_default(self, t: int) -> NDArray[np.int64]:
        found = np.full(FIRMS, 10**9, np.int64)
        later = self.start > t
        np.minimum.at(found, self.firm[later], self.start[later] - t)
        return found


def ledger(seed: int = 1) -> Ledger:
    rng = np.random.default_rng(seed)
    firm = rng.integers(0, FIRMS, 240)
    return Ledger(
        drawn(seed, firms=FIRMS, invoices=1_500, days=LAST), firm, rng.integers(100, LAST, 240)
    )


def task(**said: object) -> Task:
    nowhere = Position.unknown(FIRMS)
    told = Task("m-1", "trained", "a failure", LAST, lambda _: nowhere, str, needed=FEW)
    return dataclasses.replace(told, **said)  # type: ignore[arg-type]


def small() -> Blend:
    return Blend(trees=4)


def test_each_part_ends_where_the_next_begins_and_nothing_later_is_in_it() -> None:
    history = ledger()
    whole = fit(history, task(), small())
    train, calibration, test = whole.card.windows
    assert int(train.last_on) + QUARTER <= LAST - 4 * QUARTER == int(calibration.first_on)
    assert int(calibration.last_on) + QUARTER == LAST - 2 * QUARTER == int(test.first_on)
    # What happened from its day on changes nothing.
    after = history.start >= LAST
    cut = Ledger(history.events.before(LAST), history.firm[~after], history.start[~after])
    assert fit(cut, task(), small()).card == whole.card
    # What happened in the test window moves neither the curves nor how they were put right.
    tested = history.start > LAST - 2 * QUARTER
    quiet = Ledger(history.events, history.firm[~tested], history.start[~tested])
    moved = fit(quiet, task(needed=FEW | {"test": 0}), small())
    rows = np.random.default_rng(1).normal(size=(9, len(whole.card.columns)))
    before, later = (one.estimator.hazards(rows) for one in (whole, moved))
    assert before.tobytes() == later.tobytes()
    assert moved.card.data_hash != whole.card.data_hash
    # What happened when the curves were put right moves no fitted tree, only the one map.
    assert whole.estimator.slope_ > 0


def test_a_short_history_gives_no_model_and_says_what_is_missing() -> None:
    history = ledger()
    with pytest.raises(HistoryTooShortError) as short:
        fit(history, task(needed=FEW | {"train": 10**6}), small())
    # Each failure counts once, however many mornings before it there were.
    before = (history.start > 0) & (history.start <= LAST - 4 * QUARTER)
    assert 0 < short.value.found["train"] <= before.sum()
    assert short.value.needed["train"] == 10**6
    with pytest.raises(HistoryTooShortError) as none:
        fit(history, task(last=3 * QUARTER), small())
    assert none.value.found["train"] == 0


def test_it_is_held_against_what_judged_before_and_read_back_the_same() -> None:
    found = fit(ledger(), task(others=lambda _: np.full(FIRMS, 0.2)), small())
    assert sum(one.rows for one in found.tenths) == found.card.windows[2].rows
    assert sum(one.failed for one in found.others) == found.card.windows[2].failures
    assert found.card.measures["card_auc"] == 0.5
    assert found.card.measures["brier"] != found.card.measures["card_brier"]
    data = write(found.estimator, found.card)
    model = read(data, digest_of(data))
    rows = np.full((1, len(model.card.columns)), np.nan)
    (hazards,) = [model.judge(rows).hazards]
    assert hazards is not None
    assert hazards.tobytes() == found.estimator.hazards(rows).tobytes()


def test_drift_that_is_put_in_raises_the_alarm() -> None:
    """Source: risk.md 8, test 13."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=4_000)
    bins = Bins.of(np.where(rng.random(4_000) < 0.1, np.nan, values))
    calm = np.where(rng.random(4_000) < 0.1, np.nan, rng.normal(size=4_000))
    assert bins.psi(calm) < WATCH / 2
    assert bins.psi(calm + 0.8) > ACT
    assert WATCH < bins.psi(np.where(rng.random(4_000) < 0.15, np.nan, calm)) < ACT
    assert Bins.of(np.full(9, np.nan)).psi(np.array([1.0])) > ACT
