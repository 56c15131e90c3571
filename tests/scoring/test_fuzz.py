"""Whatever is known of a firm or an item: a price of numbers, a code, or a refusal in words."""

import dataclasses
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import canonical
from scoring.card import CardInputs, score
from scoring.estimators import Blend
from scoring.hazard import hazard_of, pd_within
from scoring.pricing import price
from scoring.recourse import joint_pd
from scoring.schema import Dilution, FirmRisk, LgdTerms, Recourse
from tests.scoring.quotes import POLICY, Q1, Q2

ODD = st.sampled_from([float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1.0, 1e300, 1e-300])
NUMBER = st.one_of(ODD, st.floats(allow_nan=True))
SHARE = st.fractions(Fraction(-1, 2), Fraction(3, 2), max_denominator=1000)


def says_why(refused: Exception) -> None:
    assert str(refused)


def numbers(value: Any) -> bool:  # noqa: ANN401 - whatever an answer holds
    """Say whether all floats inside are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(numbers(getattr(value, one.name)) for one in dataclasses.fields(value))
    if isinstance(value, dict):
        return all(map(numbers, value.values()))
    return all(map(numbers, value)) if isinstance(value, tuple | list) else True


ITEMS = st.fixed_dictionaries({
    "face_minor": st.integers(-1, 10**15), "tenor_days": st.integers(-5, 800),
    "settled_items": st.integers(-1, 100), "late_days": st.integers(-1, 400),
})  # fmt: skip


@settings(max_examples=300)
@given(NUMBER, NUMBER, ITEMS, SHARE, SHARE, SHARE, st.booleans())
def test_any_item_has_a_price_of_numbers_or_a_code_or_is_refused(
    own: float, total: float, known: dict[str, Any], diluted: Fraction, reserve: Fraction,
    dependency: Fraction, rated: bool,
) -> None:  # fmt: skip
    try:
        item = dataclasses.replace(
            Q2, obligor=FirmRisk(own, total, rated=rated), dilution=Dilution(diluted, reserve),
            recourse=Recourse(dependency), **known,
        )  # fmt: skip
        told = price(item, POLICY)
    except ValueError as refused:
        says_why(refused)
        return
    assert numbers(told)
    assert "NaN" not in canonical.dump(told)
    if told.refusal is None:
        assert told.rate_bp == sum(one.bp for one in told.components)
        assert min(one.bp for one in told.components) >= 0
        assert told.net_minor is not None
        assert 0 < told.net_minor <= item.face_minor
    else:
        assert told.route in {"refuse", "officer"}


@settings(max_examples=200)
@given(st.dictionaries(
    st.sampled_from([field.name for field in dataclasses.fields(CardInputs)]),
    st.one_of(st.none(), st.integers(-10**6, 10**12), SHARE), max_size=9,
))  # fmt: skip
def test_any_firm_has_points_or_is_refused(known: dict[str, Any]) -> None:
    try:
        found = score(CardInputs(**known), POLICY.card)
    except (ValueError, TypeError) as refused:
        says_why(refused)
        return
    assert found.total == sum(line.points for line in found.points)


@settings(max_examples=200)
@given(NUMBER, NUMBER, st.floats(-0.99, 0.99), st.integers(0, 4000))
def test_chances_stay_chances_or_are_refused(
    first: float, second: float, rho: float, days: int
) -> None:
    asks: list[Callable[[], float]] = [
        lambda: pd_within(hazard_of(first), days),
        lambda: joint_pd(first, second, rho),
    ]
    for ask in asks:
        try:
            told = ask()
        except ValueError as refused:
            says_why(refused)
            continue
        assert 0.0 <= told <= 1.0


@settings(max_examples=60)
@given(st.lists(st.lists(NUMBER, min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_model_asked_about_any_rows_answers_in_chances_or_refuses(
    rows: list[list[float]],
) -> None:
    model = fitted()
    asked = np.array(rows)
    try:
        with np.errstate(invalid="ignore"):
            told = model.predict_proba(asked)
    except ValueError as refused:
        says_why(refused)
        assert np.isinf(asked).any()
        return
    assert np.isfinite(told).all()
    assert ((told >= 0) & (told <= 1)).all()


_MODEL: list[Blend] = []


def fitted() -> Blend:
    if not _MODEL:
        rng = np.random.default_rng(1)
        rows = rng.standard_normal((400, 3))
        _MODEL.append(Blend(signs=(1, 0, -1), trees=5).fit(rows, rows[:, 0] > 1))
    return _MODEL[0]


def test_a_brand_new_firm_is_for_a_person_and_its_price_has_no_hole() -> None:
    item = dataclasses.replace(Q2, settled_items=0, late_days=5)
    told = price(item, POLICY)
    assert told.rate_bp is not None
    assert told.route != "auto"
    with pytest.raises(ValueError, match="face"):
        dataclasses.replace(Q1, face_minor=0)
    assert LgdTerms("undertaking") == Q1.lgd
