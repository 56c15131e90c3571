"""The master scale: a grade labels a one-year PD and says who may decide."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from scoring.hazard import hazard_of, pd_within
from scoring.policy import Grade, Scale
from scoring.schema import FirmRisk, Route

IN_DEFAULT: Final = "X"
"""Grade of a firm in default; it gets no quote."""

_STRICTNESS: Final[tuple[Route, ...]] = ("auto", "officer", "two_officers", "refuse")


def grade_of(pd: float, scale: Scale) -> Grade:
    """Return the grade of a one-year PD; the lower bound of a grade belongs to it.

    Parameters
    ----------
    pd : float
        Probability in [0, 1], after the chain.
    scale : Scale
        Grades in rising order, the first from 0.

    Returns
    -------
    Grade
        The last one that begins at or below the PD. Linear in the number of grades.
    """
    if not 0 <= pd <= 1:
        raise ValueError("pd lies in [0, 1].")
    # Held against the float of the bound: the PD of 1.5 % is the float 0.015, not the fraction.
    return [grade for grade in scale.grades if pd >= float(grade.from_pd)][-1]


def notched(pd: float, notches: int, scale: Scale) -> float:
    """Return the PD of a firm that people grade so many columns better or worse than the card.

    It keeps its place within the column: a fifth of the way from the lower bound before is a fifth
    of the way after. A grade that the policy refuses is nobody's to leave; past the ends of the
    scale it stays in the last column. The floor on the PD holds as for any other.

    Parameters
    ----------
    pd : float
        Probability in [0, 1], of the firm alone.
    notches : int
        Columns of the master scale: above 0 worse, below 0 better.
    scale : Scale
        Grades in rising order, the first from 0.

    Returns
    -------
    float
        Never falling in the PD or in the notches.
    """
    grade = grade_of(pd, scale)
    if not notches or (notches < 0 and grade.route == "refuse"):
        return pd
    bounds = [*(float(one.from_pd) for one in scale.grades), 1.0]
    place = scale.grades.index(grade)
    target = min(max(place + notches, 0), len(scale.grades) - 1)
    if notches > 0 and target <= place:
        return pd
    share = (pd - bounds[place]) / (bounds[place + 1] - bounds[place])
    return bounds[target] + share * (bounds[target + 1] - bounds[target])


def route_of(grade: Grade, amount_minor: int, exponent: int = 2) -> Route:
    """Return who decides on an amount of this grade.

    Parameters
    ----------
    grade : Grade
        As `grade_of` gives it.
    amount_minor : int
        Financed face in minor units of the programme currency.
    exponent : int
        Decimals of that currency.

    Returns
    -------
    str
        "auto", "officer", "two_officers" or "refuse".
    """
    limit = grade.auto_limit
    if grade.route == "auto" and limit is not None and amount_minor > limit * 10**exponent:
        return "officer"
    return grade.route


def strictest(routes: Iterable[Route]) -> Route:
    """Return the route with the most people in it; "auto" of none.

    Examples
    --------
    >>> strictest(["auto", "two_officers", "officer"])
    'two_officers'
    """
    return max(routes, key=_STRICTNESS.index, default="auto")


def is_documented(
    scale: Scale, *, statement_months: int | None, revenue: Fraction | None, months_observed: int
) -> bool:
    """Tell whether a firm is known so well that the low floor on its PD holds.

    Parameters
    ----------
    scale : Scale
        Holds the three thresholds.
    statement_months : int or None
        Age of the newest statement in months; None without one.
    revenue : Fraction or None
        Annual revenue in major units.
    months_observed : int
        Months since the first settled item.
    """
    return (
        statement_months is not None
        and revenue is not None
        and statement_months <= scale.documented_statement_months
        and revenue >= scale.documented_revenue
        and months_observed >= scale.documented_months
    )


def floored(firm: FirmRisk, scale: Scale) -> tuple[float, float, bool]:
    """Return own and total hazard after the floor on the PD, and whether it bound.

    What the floor adds is the firm's own; what came along the chain stays what it was.

    Parameters
    ----------
    firm : FirmRisk
        Hazards per year.
    scale : Scale
        Holds the two floors on the one-year PD.

    Returns
    -------
    own, total : float
        Hazards per year; infinite for a firm in default.
    bound : bool
        Whether the floor raised the PD.
    """
    if firm.defaulted:
        return hazard_of(1.0), hazard_of(1.0), False
    low = firm.rated or firm.documented
    lowest = float(scale.floor_documented if low else scale.floor_other)
    if pd_within(firm.total_hazard, 365) >= lowest:
        return firm.own_hazard, firm.total_hazard, False
    total = max(hazard_of(lowest), firm.total_hazard)
    return total - (firm.total_hazard - firm.own_hazard), total, True


def better_grade(firm: FirmRisk, scale: Scale) -> FirmRisk | None:
    """Return the risk of a firm one grade better, at the geometric middle of that grade.

    Parameters
    ----------
    firm : FirmRisk
        Not in default.
    scale : Scale
        Holds the grades.

    Returns
    -------
    FirmRisk or None
        Its own hazard is lower; what comes along the chain stays, so far as it is less than all of
        the better grade's. None for the first grade and in default.
    """
    if firm.defaulted:
        return None
    _, lifted, _ = floored(firm, scale)
    place = scale.grades.index(grade_of(-math.expm1(-lifted), scale)) - 1
    if place < 0:
        return None
    high = float(scale.grades[place + 1].from_pd)
    low = float(scale.grades[place].from_pd) or high / 2
    total = hazard_of(math.sqrt(low * high))
    chain = firm.total_hazard - firm.own_hazard
    return firm.moved(max(0.0, total - chain), total)
