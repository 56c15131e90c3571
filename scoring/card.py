"""The expert card: nine inputs, points, one PD.

Expert prior, not estimated: the points were set by judgement and never fitted to defaults.
"""

import dataclasses
import math
from fractions import Fraction
from typing import Final

from scoring.hazard import hazard_of
from scoring.policy import Card, CardRow
from scoring.schema import KIND

_SHARES: Final = ("late_share",)
_FROM_ZERO: Final = (
    "worst_days_past_due",
    "months_observed",
    "firm_age_years",
    "revenue_eur",
    "sales_ratio",
    "liquidity_weeks",
)


@dataclasses.dataclass(frozen=True, slots=True)
class CardInputs:
    """What was known of one firm, without anything about its counterparties.

    None means that nothing was known; it is never better than the reference.

    Parameters
    ----------
    late_share : Fraction or None
        Share of the amount due in a year that was late by more than 5 days, shrunk
        (`scoring.observed.late_share`); None when nothing was due.
    worst_days_past_due : int
        Of open, undisputed, material items; 0 when there is none.
    trend_days : Fraction or None
        Mean days past due of the last 90 days less that of the days before.
    months_observed : int or None
        Since the first settled item on the platform.
    firm_age_years : int or None
        From the registry.
    revenue_eur : Fraction or None
        Euros a year, from the statement or else from visible sales.
    sales_ratio : Fraction or None
        Sales of 13 weeks over those of the same weeks a year ago.
    equity_ratio : Fraction or None
        Of a statement of at most 18 months when received; may be negative.
    liquidity_weeks : Fraction or None
        Cash and undrawn committed lines over a week's cost.
    """

    late_share: Fraction | None = None
    worst_days_past_due: int = 0
    trend_days: Fraction | None = None
    months_observed: int | None = None
    firm_age_years: int | None = None
    revenue_eur: Fraction | None = None
    sales_ratio: Fraction | None = None
    equity_ratio: Fraction | None = None
    liquidity_weeks: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse values that no firm has."""
        for name in (*_SHARES, *_FROM_ZERO):
            value = getattr(self, name)
            if value is not None and (value < 0 or (name in _SHARES and value > 1)):
                raise ValueError(f"{name} is {value}.")


@dataclasses.dataclass(frozen=True, slots=True)
class CardPoints:
    """What one input did to the score."""

    input: str
    value: Fraction | None
    points: int
    missing: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CardResult:
    """Points and PD of one firm.

    Parameters
    ----------
    points : tuple of CardPoints
        In the order of the card.
    total : int
        Sum of the points.
    pd_one_year : float
        1 in default.
    hazard : float
        Per year, before the share κ that is the firm's own; 0 in default, where it says nothing.
    defaulted : bool
        An input says default.
    kind : str
        "expert_prior".
    """

    points: tuple[CardPoints, ...]
    total: int
    pd_one_year: float
    hazard: float
    defaulted: bool
    kind: str = KIND


def score(inputs: CardInputs, card: Card) -> CardResult:
    """Return points and one-year PD of one firm.

    Parameters
    ----------
    inputs : CardInputs
        What was known.
    card : Card
        Rows of the policy.

    Returns
    -------
    CardResult
        PD = 1 / (1 + exp(intercept - points / points_per_logit)). Linear in the bands of the card.

    Raises
    ------
    ValueError
        The card names an input that there is not.
    """
    lines, defaulted = [], False
    for row in card.rows:
        if not hasattr(inputs, row.input):
            raise ValueError(f"card.{row.input} is no input of the card.")
        raw = getattr(inputs, row.input)
        value = None if raw is None else Fraction(raw)
        points = _points(row, value)
        defaulted = defaulted or points is None
        lines.append(CardPoints(row.input, value, points or 0, value is None))
    total = sum(line.points for line in lines)
    pd = 1.0 if defaulted else pd_of_points(total, card)
    return CardResult(tuple(lines), total, pd, 0.0 if defaulted else hazard_of(pd), defaulted)


def pd_of_points(total: int, card: Card) -> float:
    """Return the one-year PD of a sum of points.

    Parameters
    ----------
    total : int
        Sum of points.
    card : Card
        Holds intercept and scale.

    Returns
    -------
    float
        In (0, 1), rising in points.
    """
    return 1 / (1 + math.exp(float(card.intercept - Fraction(total, card.points_per_logit))))


def _points(row: CardRow, value: Fraction | None) -> int | None:
    """Return the points of a value, or None where it means default."""
    if value is None:
        return row.missing
    return [band.points for band in row.bands if band.begins_below(value)][-1]
