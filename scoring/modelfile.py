"""A trained model as one file: its estimator, and a card that says what it was made of.

The file is a ZIP of ``card.json`` and ``model.skops`` (a format that runs no code when it is read).
Nothing of it is opened before its digest is the one that two people promoted. A model that cannot
be had is no reason to stop and none to say yes: every row then goes to a person.
"""

import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.canonical import dump, load
from scoring.features.registry import Feature
from scoring.monitoring import Bins

Floats = NDArray[np.float64]

FORMAT: Final = 1
CARD: Final = "card.json"
MODEL: Final = "model.skops"
LARGEST: Final = 256 * 2**20  # bytes of a file
UNAVAILABLE: Final = "MODEL_UNAVAILABLE"
NOTHING_KNOWN: Final = "NOTHING_KNOWN"
OUT_OF_RANGE: Final = "OUT_OF_RANGE"
# The only classes that a file may hold beside those that skops itself trusts.
TRUSTED: Final = frozenset(
    {
        "scoring.estimators.curves.HazardCurves",
        "scoring.estimators.default.Blend",
        "scoring.estimators.default.Boosting",
        "scoring.estimators.default.Calibrated",
        "scoring.estimators.default.Scorecard",
        "scoring.estimators.late.DaysPastDue",
        "scoring.estimators.shares.ColdStart",
        "scoring.estimators.shares.Dilution",
        "scoring.estimators.shares.LossGivenDefault",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)
_LIBRARIES: Final = ("numpy", "scikit-learn", "skops")
_EARLY: Final = (1980, 1, 1, 0, 0, 0)  # every entry of a ZIP has a time; ours says nothing

ModelKind = Literal["simulated", "trained"]


class ModelUnavailableError(Exception):
    """There is no model to judge by, and why; the firms go to a person."""

    code = UNAVAILABLE


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One input of a model, as it was in the rows that it was fitted to.

    Parameters
    ----------
    name, unit, dtype, sign
        As declared (`scoring.features.Feature`).
    lowest, middle, highest : float or None
        Of the rows that it was fitted to; None where it was never known.
    bins : Bins
        How those rows were spread, by which a drift is seen.
    """

    name: str
    unit: str
    dtype: str
    sign: int
    lowest: float | None
    middle: float | None
    highest: float | None
    bins: Bins

    @classmethod
    def of(cls, feature: Feature, values: Floats) -> Self:
        """Describe a feature as it is in some rows.

        Examples
        --------
        >>> from scoring.features.registry import named
        >>> column = Column.of(named(("margin",))[0], np.array([0.1, np.nan, 0.3]))
        >>> column.lowest, column.middle, column.highest, column.sign
        (0.1, 0.2, 0.3, -1)
        """
        known = values[~np.isnan(values)]
        lowest = middle = highest = None
        if len(known):
            lowest, highest = float(known.min()), float(known.max())
            middle = float(np.median(known))
        said = feature.name, feature.unit, feature.dtype, feature.sign
        return cls(*said, lowest, middle, highest, Bins.of(values))


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """Rows of a model: what for, taken between which days, how many, how many of them failed."""

    use: Literal["train", "calibration", "test"]
    first_on: str
    last_on: str
    rows: int
    failures: int


@dataclasses.dataclass(frozen=True, slots=True)
class ModelCard:
    """What a validator asks of a model first.

    Parameters
    ----------
    name : str
        For example "challenger-2026-11".
    kind : str
        "simulated": fitted to a simulated chain, prices only in the demo world. "trained": fitted
        to defaults that happened.
    target : str
        What is predicted, in words.
    horizon_days : int
    columns : tuple of Column
        In the order of the inputs.
    windows : tuple of Window
    score : Bins
        How the one-year probabilities of the test window were spread.
    data_hash : str
        Of the rows that it was fitted to (`data_hash`).
    settings : dict of str to str
        Of the estimator, and seeds.
    measures : dict of str to float
        As measured on the test window.
    """

    name: str
    kind: ModelKind
    target: str
    horizon_days: int
    columns: tuple[Column, ...]
    windows: tuple[Window, ...]
    score: Bins
    data_hash: str
    settings: dict[str, str]
    measures: dict[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class _Filed:
    format: int
    card: ModelCard
    model_hash: str
    libraries: dict[str, str]


class Estimator(Protocol):
    """What a file holds."""

    def predict(self, X: ArrayLike) -> Any:  # noqa: ANN401, N803
        """Answer for rows."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """What a model says of firms.

    Attributes
    ----------
    pd : ndarray of float64, shape (n,)
        NaN where the model has no answer.
    refer : tuple of tuple of str
        For each row why a person decides; empty where nothing speaks for that.
    hazards : ndarray of float64, shape (n, 12), optional
        The chance to fail in each month, of a model that says so.
    """

    pd: Floats
    refer: tuple[tuple[str, ...], ...]
    hazards: Floats | None = None


@dataclasses.dataclass(frozen=True)
class Model:
    """A model that was read, with its card and the digest of its file."""

    estimator: Any
    card: ModelCard
    digest: str

    def judge(self, rows: ArrayLike) -> Judged:
        """Return each firm's probability of default within the model's horizon.

        Parameters
        ----------
        rows : array_like of float64, shape (n, f)
            In the order of the card's columns; NaN where nothing was known.

        Returns
        -------
        Judged
            A firm of whom nothing is known, or with a value further outside the rows of the
            training than those are wide, goes to a person; one with an infinite value has no
            probability at all.

        Raises
        ------
        ValueError
            The number of columns is another one.
        """
        found = np.asarray(rows, np.float64)
        columns = self.card.columns
        if found.ndim != 2 or found.shape[1] != len(columns):  # noqa: PLR2004 - rows and columns
            raise ValueError(f"rows of shape {found.shape} for {len(columns)} columns.")
        refer: list[list[str]] = [[] for _ in found]
        for number in np.flatnonzero(np.isnan(found).all(axis=1)):
            refer[number].append(NOTHING_KNOWN)
        for place, column in enumerate(columns):
            for number in np.flatnonzero(_outside(found[:, place], column)):
                refer[number].append(f"{OUT_OF_RANGE} {column.name}")
        finite = ~np.isinf(found).any(axis=1)
        pd, hazards = np.full(len(found), np.nan), None
        if finite.any():
            pd[finite] = _probability(self.estimator, found[finite])
        if hasattr(self.estimator, "hazards"):
            hazards = np.full((len(found), 12), np.nan)
            if finite.any():
                hazards[finite] = self.estimator.hazards(found[finite])
        return Judged(pd, tuple(map(tuple, refer)), hazards)


def write(estimator: Estimator, card: ModelCard) -> bytes:
    """Return the file of a fitted model; its digest is that of these bytes (`digest_of`).

    Raises
    ------
    ValueError
        The estimator holds a class that could not be read again.
    """
    import skops.io

    model: bytes = skops.io.dumps(estimator)
    strangers = set(skops.io.get_untrusted_types(data=model)) - TRUSTED
    if strangers:
        raise ValueError(f"a model file may not hold {', '.join(sorted(strangers))}.")
    filed = _Filed(FORMAT, card, digest_of(model), _versions())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(CARD, _EARLY), dump(filed))
        archive.writestr(zipfile.ZipInfo(MODEL, _EARLY), model)
    return out.getvalue()


def read(data: bytes | None, digest: str, features: Sequence[Feature] | None = None) -> Model:
    """Return the model of a file.

    Parameters
    ----------
    data : bytes or None
        None where there is no file.
    digest : str
        Of the file that was promoted.
    features : sequence of Feature, optional
        As declared today: the model's columns must be among them, with the same unit and sign.

    Raises
    ------
    ModelUnavailableError
        There is no file, it is not the promoted one, was made by other libraries, holds what is not
        trusted, or a feature has changed its meaning since.
    """
    if data is None:
        raise ModelUnavailableError("there is no model file.")
    if len(data) > LARGEST or digest_of(data) != digest:
        raise ModelUnavailableError("the model file is not the one that was promoted.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            filed, model = load(_Filed, archive.read(CARD).decode()), archive.read(MODEL)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelUnavailableError("the file is no model file.") from error
    if filed.format != FORMAT or digest_of(model) != filed.model_hash:
        raise ModelUnavailableError("the model does not belong to its card.")
    if filed.libraries != (now := _versions()):
        changed = sorted(set(filed.libraries.items()) ^ set(now.items()))
        raise ModelUnavailableError(f"made with other libraries: {changed}.")
    _same_meaning(filed.card, features)
    return Model(_loaded(model), filed.card, digest)


def judged(data: bytes | None, digest: str, rows: ArrayLike) -> Judged:
    """Judge by a file that may be absent or broken: then every row goes to a person.

    Examples
    --------
    >>> judged(None, "", [[0.1], [0.2]]).refer
    (('MODEL_UNAVAILABLE',), ('MODEL_UNAVAILABLE',))
    """
    try:
        model = read(data, digest)
    except ModelUnavailableError:
        size = len(np.asarray(rows))
        return Judged(np.full(size, np.nan), ((UNAVAILABLE,),) * size)
    return model.judge(rows)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Examples
    --------
    >>> digest_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def data_hash(*arrays: NDArray[Any]) -> str:
    """Return a fingerprint of the arrays that a model was fitted to: shapes, types and values.

    Examples
    --------
    >>> data_hash(np.zeros((2, 1))) == data_hash(np.zeros((1, 2)))
    False
    """
    found = hashlib.sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array)
        plain = plain.astype(plain.dtype.newbyteorder("<"))
        found.update(f"{plain.dtype.str}{plain.shape}".encode())
        found.update(plain.tobytes())
    return found.hexdigest()


def _versions() -> dict[str, str]:
    try:
        return {name: version(name) for name in _LIBRARIES}
    except PackageNotFoundError as error:
        raise ModelUnavailableError(f"{error} is not installed (set model).") from error


def _same_meaning(card: ModelCard, features: Sequence[Feature] | None) -> None:
    if features is None:
        return
    today = {feature.name: (feature.unit, feature.dtype, feature.sign) for feature in features}
    for column in card.columns:
        if today.get(column.name) != (column.unit, column.dtype, column.sign):
            raise ModelUnavailableError(f"{column.name} no longer means what it did.")


def _loaded(model: bytes) -> Any:  # noqa: ANN401 - whatever was fitted
    import skops.io

    strangers = set(skops.io.get_untrusted_types(data=model)) - TRUSTED
    if strangers:
        raise ModelUnavailableError(f"the model file holds {', '.join(sorted(strangers))}.")
    return skops.io.loads(model, trusted=sorted(TRUSTED))


def _outside(values: Floats, column: Column) -> NDArray[np.bool_]:
    """Say which values are further outside than the training rows are wide, or not finite."""
    if column.lowest is None or column.highest is None:
        return np.asarray(~np.isnan(values))
    width = column.highest - column.lowest
    low, high = column.lowest - width, column.highest + width
    return np.asarray(np.isinf(values) | (values < low) | (values > high))


def _probability(estimator: Any, rows: Floats) -> Floats:  # noqa: ANN401
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(rows)[:, 1], np.float64)
    return np.asarray(estimator.predict(rows), np.float64)
