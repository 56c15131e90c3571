"""Model files: read as written, and nobody is judged by one that is absent, broken or not ours."""

import dataclasses
import doctest
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from scoring import modelfile
from scoring.estimators import Blend, Calibrated, DaysPastDue, HazardCurves, Scorecard
from scoring.features import FEATURES, named
from scoring.modelfile import (
    Column,
    Judged,
    ModelCard,
    ModelUnavailableError,
    Window,
    data_hash,
    digest_of,
    judged,
    read,
    write,
)
from scoring.monitoring import Bins

NAMED = named(("late_share", "margin", "buyers_overdue"))


def test_the_examples_in_the_docstrings_run() -> None:
    tried = doctest.testmod(modelfile)
    assert tried.attempted > 0
    assert tried.failed == 0


def rows_and_fails(n: int = 400) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    rows = rng.uniform(0, 1, (n, 3))
    fails = (rng.random(n) < 0.3 * rows[:, 0]).astype(np.int64)
    rows[::7, 1] = np.nan
    return rows, fails


def card_of(rows: Any, fails: Any) -> ModelCard:  # noqa: ANN401
    return ModelCard(
        name="challenger-1",
        kind="simulated",
        target="default within 182 days",
        horizon_days=182,
        columns=tuple(
            Column.of(feature, column) for feature, column in zip(NAMED, rows.T, strict=True)
        ),
        windows=(Window("train", "2024-01-01", "2025-01-01", len(rows), int(fails.sum())),),
        score=Bins.of(rows[:, 0]),
        data_hash=data_hash(rows, fails),
        settings={"trees": "5", "seed": "0"},
        measures={"brier": 0.0121},
    )


@pytest.fixture(scope="module")
def filed() -> tuple[bytes, Calibrated, Any]:
    rows, fails = rows_and_fails()
    signs = [feature.sign for feature in NAMED]
    model = Calibrated(Blend(signs=signs, trees=5), folds=2).fit(rows, fails)
    return write(model, card_of(rows, fails)), model, rows


def test_a_model_is_read_as_it_was_written(filed: tuple[bytes, Calibrated, Any]) -> None:
    data, model, rows = filed
    found = read(data, digest_of(data), FEATURES)
    assert found.card == card_of(*rows_and_fails())
    told = found.judge(rows)
    assert told.pd.tobytes() == model.predict_proba(rows)[:, 1].tobytes()
    assert not any(told.refer)


def test_curves_and_days_past_due_can_be_filed_too() -> None:
    rows, fails = rows_and_fails()
    card = card_of(rows, fails)
    days = np.where(fails == 1, 50.0, -365.0)
    for model in (
        HazardCurves(Scorecard()).fit(rows, days),
        DaysPastDue(trees=3).fit(rows, days),
    ):
        data = write(model, card)
        found = read(data, digest_of(data)).estimator
        assert found.predict(rows).tobytes() == model.predict(rows).tobytes()


def test_what_is_not_the_promoted_file_judges_nobody(
    filed: tuple[bytes, Calibrated, Any],
) -> None:
    data, _, rows = filed
    digest = digest_of(data)
    broken = bytearray(data)
    broken[len(data) // 2] ^= 1
    for bad in (None, b"", b"no zip", bytes(broken), data + b"x"):
        with pytest.raises(ModelUnavailableError):
            read(bad, digest)
        told = judged(bad, digest, rows[:2])
        assert np.isnan(told.pd).all()
        assert told.refer == (("MODEL_UNAVAILABLE",),) * 2
    assert isinstance(judged(data, digest, rows[:2]), Judged)
    assert np.isfinite(judged(data, digest, rows[:2]).pd).all()


def repacked(data: bytes, **entries: bytes) -> bytes:
    """The same archive with other entries; its digest is then that of a promoted file."""
    names = {"card": modelfile.CARD, "model": modelfile.MODEL}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for short, name in names.items():
            new.writestr(name, entries.get(short, old.read(name)))
    return out.getvalue()


def card_text(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(modelfile.CARD).decode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace('"format":1', '"format":2'), "does not belong"),
        (lambda text: text.replace('"scikit-learn":"', '"scikit-learn":"0.'), "other libraries"),
        (lambda text: text.replace("late_share", "early_share"), "early_share no longer means"),
        (lambda text: text.replace('"sign":-1', '"sign":1'), "margin no longer means"),
        (lambda text: text[:-9], "no model file"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    filed: tuple[bytes, Calibrated, Any],
    change: Any,  # noqa: ANN401
    says: str,
) -> None:
    text = card_text(filed[0])
    assert change(text) != text
    data = repacked(filed[0], card=change(text).encode())
    with pytest.raises(ModelUnavailableError, match=says):
        read(data, digest_of(data), FEATURES)


def test_another_model_under_the_same_card_is_refused(
    filed: tuple[bytes, Calibrated, Any],
) -> None:
    rows, fails = rows_and_fails()
    other = write(Scorecard().fit(rows, fails), card_of(rows, fails))
    with zipfile.ZipFile(io.BytesIO(other)) as archive:
        data = repacked(filed[0], model=archive.read(modelfile.MODEL))
    with pytest.raises(ModelUnavailableError, match="does not belong"):
        read(data, digest_of(data))


def test_a_file_holds_our_estimators_and_nothing_that_runs() -> None:
    rows, fails = rows_and_fails()
    rows = np.nan_to_num(rows)
    model = make_pipeline(FunctionTransformer(np.save), SGDClassifier())
    with pytest.raises(ValueError, match="may not hold"):
        write(model, card_of(rows, fails))


def test_odd_rows_go_to_a_person_with_a_reason(filed: tuple[bytes, Calibrated, Any]) -> None:
    data, _, _ = filed
    model = read(data, digest_of(data))
    nan, inf = np.nan, np.inf
    told = model.judge([[nan, nan, nan], [0.5, nan, 0.5], [0.5, 9.0, 0.5], [inf, 0.5, -inf]])
    assert told.refer == (
        ("NOTHING_KNOWN",),
        (),
        ("OUT_OF_RANGE margin",),
        ("OUT_OF_RANGE late_share", "OUT_OF_RANGE buyers_overdue"),
    )
    assert np.isfinite(told.pd).tolist() == [True, True, True, False]
    with pytest.raises(ValueError, match="for 3 columns"):
        model.judge([[0.5]])


def test_a_column_that_was_never_known_speaks_for_nobody() -> None:
    rows, fails = rows_and_fails()
    rows[:, 2] = np.nan
    data = write(Scorecard().fit(rows, fails), card_of(rows, fails))
    model = read(data, digest_of(data), FEATURES)
    assert model.judge([[0.5, 0.5, 0.5]]).refer == (("OUT_OF_RANGE buyers_overdue",),)
    assert model.judge([[0.5, 0.5, np.nan]]).refer == ((),)


def test_the_fingerprint_of_data_sees_every_value() -> None:
    rows, fails = rows_and_fails()
    changed = rows.copy()
    changed[3, 0] += 1e-12
    assert data_hash(rows, fails) == data_hash(rows.copy(), fails)
    assert data_hash(changed, fails) != data_hash(rows, fails)
    assert data_hash(fails, rows) != data_hash(rows, fails)
    card = card_of(rows, fails)
    assert dataclasses.replace(card, data_hash=data_hash(changed, fails)) != card
