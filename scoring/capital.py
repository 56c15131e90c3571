"""Capital that a claim binds.

An economic capital proxy by the Basel formula, not a regulatory calculation.
"""

import math
from typing import Final

LABEL: Final = "economic capital proxy by the Basel formula, not a regulatory calculation"
PD_FLOOR: Final = 0.0005
"""Lowest one-year PD with which capital for default is worked out."""

CONFIDENCE: Final = 0.999
LOW_R: Final = 0.12
HIGH_R: Final = 0.24
STEEPNESS: Final = 50


def correlation(pd: float) -> float:
    """Return the asset correlation R that the formula gives a corporate of this PD.

    Parameters
    ----------
    pd : float
        One-year probability in [0, 1].

    Returns
    -------
    float
        Between .24 (safest) and .12.
    """
    weight = math.expm1(-STEEPNESS * pd) / math.expm1(-STEEPNESS)
    return LOW_R * weight + HIGH_R * (1 - weight)


def capital_share(pd: float, lgd: float, maturity_years: float = 1.0) -> float:
    """Return unexpected loss per unit of exposure at 99.9 %, K.

    Parameters
    ----------
    pd : float
        One-year probability in [0, 1]. The floor of capital for default is the caller's.
    lgd : float
        Share lost, in [0, 1].
    maturity_years : float
        Effective maturity M; the adjustment is 1 at one year.

    Returns
    -------
    float
        Share of exposure, >= 0; 0 where default is certain or impossible.

    References
    ----------
    Basel Committee, "An explanatory note on the Basel II IRB risk weight functions" (2005),
    without the size adjustment.

    Examples
    --------
    >>> round(capital_share(0.01, 0.40), 8), round(capital_share(0.01, 0.40, 2.5), 8)
    (0.05210907, 0.0656475)
    """
    if not (0 <= pd <= 1 and 0 <= lgd <= 1):
        raise ValueError("pd and lgd lie in [0, 1].")
    if pd in {0, 1}:
        return 0.0
    from scipy.special import ndtr, ndtri

    r = correlation(pd)
    stressed = ndtr((ndtri(pd) + math.sqrt(r) * ndtri(CONFIDENCE)) / math.sqrt(1 - r))
    return max(lgd * (float(stressed) - pd), 0.0) * _maturity(pd, maturity_years)


def _maturity(pd: float, years: float) -> float:
    """Return the adjustment for maturity, exactly 1 at one year."""
    if years == 1:
        return 1.0
    slope = (0.11852 - 0.05478 * math.log(pd)) ** 2
    if 1.5 * slope >= 1:
        raise ValueError("pd is too small for the maturity adjustment.")
    return (1 + (years - 2.5) * slope) / (1 - 1.5 * slope)
