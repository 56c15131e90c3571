"""Training a model from what was known of firms and which of them failed, without any look ahead.

The last half year tests, the half year before it puts the curves right, all before that trains.
What a row of one part is told of its firm's fate ends where the next part begins, so that nothing
of the later parts is in the earlier ones.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from scoring.estimators import Blend, HazardCurves
from scoring.features import FEATURES, NAMES, Events, Position, features
from scoring.hazard import YEAR_DAYS
from scoring.metrics import auc, brier, calibration
from scoring.modelfile import Column, ModelCard, ModelKind, Window, data_hash
from scoring.monitoring import Bins, Tenth, by_tenths
from scoring.odds import Floats, Ints

QUARTER: Final = 91
STEP: Final = 182  # days between two mornings of the training
_PARTS: Final = ("train", "calibration", "test")

Place = Callable[[int], Position]
Others = Callable[[int], Floats]


class History(Protocol):
    """What was known, and when firms were in default."""

    @property
    def events(self) -> Events:
        """All that was known."""

    def in_default(self, t: int) -> NDArray[np.bool_]:
        """Say which firms are in default on a morning."""

    def first_default(self, t: int) -> Ints:
        """Give the days from a morning to each firm's next default."""


class HistoryTooShortError(Exception):
    """There is too little to learn from; ``found`` and ``needed`` count failures by part."""

    def __init__(self, found: dict[str, int], needed: dict[str, int]) -> None:
        super().__init__(f"{found} failures; {needed} are needed.")
        self.found = found
        self.needed = needed


# Ten failures for each of some effects in training; a few dozen to put right and to judge by.
NEEDED: Final = {"train": 100, "calibration": 20, "test": 20}


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A model with all that is said of it.

    Attributes
    ----------
    estimator : HazardCurves
    card : ModelCard
    tenths : tuple of Tenth
        Told and happened within a quarter, on the test window.
    others : tuple of Tenth
        The same of what it is held against; empty without.
    """

    estimator: HazardCurves
    card: ModelCard
    tenths: tuple[Tenth, ...]
    others: tuple[Tenth, ...]


@dataclasses.dataclass(frozen=True)
class _Rows:
    found: Floats
    days: Floats
    others: Floats
    mornings: tuple[int, ...]
    events: int  # failures, each once however many mornings foresaw it

    @property
    def failures(self) -> int:
        return int((self.days > 0).sum())


@dataclasses.dataclass(frozen=True)
class Task:
    """What is to be trained.

    Parameters
    ----------
    name, kind, target : str
        For the card.
    last : int
        The morning on which it is done; nothing of that day or later enters.
    place : callable
        Each firm's place in the chain, as it was stored before a morning.
    as_date : callable
        Writes a day.
    others : callable, optional
        One-year probabilities of a morning by which the model is judged too; NaN for none.
    needed : dict of str to int
        Failures without which a part says nothing.
    leave_out : frozenset of str
        Features that do not mean in these rows what they mean where the model is to judge.
    """

    name: str
    kind: ModelKind
    target: str
    last: int
    place: Place
    as_date: Callable[[int], str]
    others: Others | None = None
    needed: Mapping[str, int] = dataclasses.field(default_factory=lambda: NEEDED)
    leave_out: frozenset[str] = frozenset()


def fit(history: History, task: Task, learner: Blend) -> Fitted:
    """Train, calibrate and test on what was known before a day.

    Parameters
    ----------
    history : History
    task : Task
    learner : Blend
        Its settings; the signs are those of the features.

    Returns
    -------
    Fitted

    Raises
    ------
    HistoryTooShortError
        There are fewer failures than needed.

    Notes
    -----
    One reading of the features for each morning; a row of the fit for each firm, morning and month.
    """
    parts = {
        part: _rows(history, mornings, until, task)
        for part, mornings, until in _windows(history.events, task.last)
    }
    counted = {part: rows.events for part, rows in parts.items()}
    if any(counted[part] < task.needed[part] for part in _PARTS):
        raise HistoryTooShortError(counted, dict(task.needed))
    train, later, test = (parts[part] for part in _PARTS)
    # What is never known teaches nothing, nor does what is the same everywhere.
    known = np.array(
        [
            feature.name not in task.leave_out and _varies(column)
            for feature, column in zip(FEATURES, train.found.T, strict=True)
        ],
        np.bool_,
    )
    used = tuple(feature for feature, some in zip(FEATURES, known.tolist(), strict=True) if some)
    signs = (*(feature.sign for feature in used), 0)
    model = HazardCurves(learner.set_params(signs=signs))
    model.fit(train.found[:, known], train.days)
    model.calibrate(later.found[:, known], later.days)
    told = model.pd_within(test.found[:, known], (QUARTER, YEAR_DAYS))
    fails = (test.days > 0).astype(np.int64)
    measures = _measures(told[:, 0], fails)
    compared: tuple[Tenth, ...] = ()
    if task.others is not None and not np.isnan(test.others).any():
        theirs = 1.0 - (1.0 - test.others) ** (QUARTER / YEAR_DAYS)
        measures |= {f"card_{key}": value for key, value in _measures(theirs, fails).items()}
        compared = by_tenths(theirs, fails)
    settings = learner.get_params() | {"signs": None}
    card = ModelCard(
        name=task.name,
        kind=task.kind,
        target=task.target,
        horizon_days=YEAR_DAYS,
        columns=tuple(
            Column.of(feature, column)
            for feature, column in zip(used, train.found[:, known].T, strict=True)
        ),
        windows=tuple(
            Window(
                part,  # type: ignore[arg-type]
                task.as_date(rows.mornings[0]),
                task.as_date(rows.mornings[-1]),
                len(rows.days),
                rows.failures,
            )
            for part, rows in parts.items()
        ),
        score=Bins.of(told[:, 1]),
        data_hash=data_hash(
            *(array for rows in parts.values() for array in (rows.found, rows.days))
        ),
        settings={key: str(value) for key, value in settings.items() if value is not None},
        measures={key: value for key, value in measures.items() if np.isfinite(value)},
    )
    return Fitted(model, card, by_tenths(told[:, 0], fails), compared)


def _varies(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return bool(len(known)) and bool(known.min() < known.max())


def _windows(events: Events, last: int) -> tuple[tuple[str, tuple[int, ...], int], ...]:
    """Give the mornings of each part, and the day on which what is told of them ends."""
    first = int(events.invoices.known.min(initial=last)) + QUARTER
    train_ends = last - 4 * QUARTER
    mornings = tuple(range(train_ends - STEP, first, -STEP))[::-1]
    return (
        ("train", mornings, train_ends),
        ("calibration", (train_ends, train_ends + QUARTER), 0),
        ("test", (train_ends + 2 * QUARTER, train_ends + 3 * QUARTER), 0),
    )


def _rows(history: History, mornings: tuple[int, ...], until: int, task: Task) -> _Rows:
    """Read the firms that trade and are in no default, with their fate until a day or a quarter."""
    found, days, theirs = [np.zeros((0, len(NAMES)))], [np.zeros(0)], [np.zeros(0)]
    failed: set[tuple[int, int]] = set()
    for t in mornings:
        rows = features(history.events, t, task.place(t))
        some = ~history.in_default(t) & trading(rows)
        watched = min(YEAR_DAYS, until - t) if until else QUARTER
        ends = history.first_default(t)[some]
        found.append(rows[some])
        days.append(np.where(ends <= watched, ends, -watched).astype(np.float64))
        theirs.append(
            task.others(t)[some] if task.others is not None else np.full(int(some.sum()), np.nan)
        )
        failed.update(
            (firm, t + int(days[-1][row]))
            for row, firm in enumerate(np.flatnonzero(some).tolist())
            if days[-1][row] > 0
        )
    return _Rows(
        np.concatenate(found), np.concatenate(days), np.concatenate(theirs), mornings, len(failed)
    )


def trading(rows: Floats) -> NDArray[np.bool_]:
    """Say which firms bought or sold anything in a year, shape (n,); of others nothing is learnt.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, f)
        As `features` gives them.
    """
    trades = [NAMES.index("sales_log10"), NAMES.index("purchases_log10")]
    return np.asarray(~np.isnan(rows[:, trades]).all(axis=1))


def _measures(told: Floats, fails: Ints) -> dict[str, float]:
    slope, ratio = calibration(told, fails)
    inside = np.clip(told, 1e-12, 1.0 - 1e-12)
    loss = -(fails * np.log(inside) + (1 - fails) * np.log1p(-inside)).mean()
    return {
        "auc": auc(told, fails),
        "brier": brier(told, fails),
        "log_loss": float(loss),
        "slope": slope,
        "realised_over_told": ratio,
    }
