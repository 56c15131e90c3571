"""The expert card: points by band, PD by points, and what a missing value costs."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from scoring.card import CardInputs, pd_of_points, score
from scoring.hazard import hazard_of
from tests.scoring.quotes import POLICY

CARD = POLICY.card
REFERENCE = CardInputs(
    late_share=Fraction("0.20"),
    worst_days_past_due=0,
    trend_days=Fraction(0),
    months_observed=24,
    firm_age_years=8,
    revenue_eur=Fraction(5_000_000),
    sales_ratio=Fraction(1),
    equity_ratio=Fraction("0.15"),
    liquidity_weeks=Fraction(3),
)
BANDS: dict[str, dict[str, int]] = {
    "late_share": {"0": -60, "0.049": -60, "0.05": -25, "0.15": 0, "0.30": 45, "0.5": 90, "1": 90},
    "worst_days_past_due": {"5": 0, "6": 35, "15": 35, "16": 80, "31": 160, "60": 160, "90": 260},
    "trend_days": {"-9": -15, "-5": -15, "-4.9": 0, "4.9": 0, "5": 35, "15": 35, "15.1": 70},
    "months_observed": {"0": 40, "5": 40, "6": 20, "12": 0, "35": 0, "36": -20},
    "firm_age_years": {"1": 50, "2": 20, "5": 0, "14": 0, "15": -20},
    "revenue_eur": {"999999.99": 40, "1000000": 0, "10000000": -40, "100000000": -110},
    "sales_ratio": {"0": 70, "0.59": 70, "0.60": 30, "0.85": 0, "3": 0},
    "equity_ratio": {"-2": 110, "-0.01": 110, "0": 50, "0.10": 0, "0.25": -35, "0.40": -60},
    "liquidity_weeks": {"0": 60, "1": 20, "2.5": 0, "4.9": 0, "5": -30},
}
MISSING = {
    "late_share": 0, "trend_days": 0, "months_observed": 40, "firm_age_years": 20,
    "revenue_eur": 40, "sales_ratio": 10, "equity_ratio": 25, "liquidity_weeks": 15,
}  # fmt: skip


def _with(name: str, value: object) -> CardInputs:
    changes: dict[str, Any] = {name: value}
    return dataclasses.replace(REFERENCE, **changes)


@pytest.mark.parametrize(
    ("points", "percent"), [(50, 2.4127), (72, 2.9887), (80, 3.2295), (150, 6.2973)]
)
def test_a_sum_of_points_is_a_pd(points: int, percent: float) -> None:
    assert round(100 * pd_of_points(points, CARD), 4) == percent


def test_all_references_are_one_and_a_half_percent() -> None:
    scored = score(REFERENCE, CARD)
    assert scored.total == 0
    assert round(100 * scored.pd_one_year, 2) == 1.48
    assert scored.hazard == hazard_of(scored.pd_one_year)
    assert scored.kind == "expert_prior"
    assert [line.input for line in scored.points] == [
        field.name for field in dataclasses.fields(CardInputs)
    ]


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [(name, value, points) for name, row in BANDS.items() for value, points in row.items()],
)
def test_the_lower_bound_of_a_band_belongs_to_it(name: str, value: str, points: int) -> None:
    assert score(_with(name, Fraction(value)), CARD).total == points


@pytest.mark.parametrize(("name", "points"), MISSING.items())
def test_a_missing_value_costs_and_is_never_better_than_the_reference(
    name: str, points: int
) -> None:
    scored = score(_with(name, None), CARD)
    assert scored.total == points >= 0
    assert [line.input for line in scored.points if line.missing] == [name]


def test_more_than_ninety_days_past_due_is_default_and_no_score() -> None:
    scored = score(_with("worst_days_past_due", 91), CARD)
    assert scored.defaulted
    assert scored.pd_one_year == 1
    assert not score(_with("worst_days_past_due", 90), CARD).defaulted


@pytest.mark.parametrize(
    ("name", "value"),
    [("late_share", Fraction(11, 10)), ("worst_days_past_due", -1), ("liquidity_weeks", -1)],
)
def test_a_value_that_no_firm_has_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        _with(name, value)


def test_a_card_cannot_ask_for_an_input_that_there_is_not() -> None:
    row = dataclasses.replace(CARD.rows[0], input="page_rank")
    with pytest.raises(ValueError, match="page_rank"):
        score(REFERENCE, dataclasses.replace(CARD, rows=(row,)))
