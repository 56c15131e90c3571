"""What the seller's promise to pay for its debtor is worth: both must fail together."""

import math
from fractions import Fraction
from typing import Final

from scoring.policy import Model

SLACK: Final = 1e-12  # how far rounding may carry a probability outside its bounds


def joint_pd(first: float, second: float, rho: float) -> float:
    """Return the probability that both firms default: Φ2(Φ⁻¹(a), Φ⁻¹(b); rho).

    Parameters
    ----------
    first, second : float
        Probabilities of default over the same time, in [0, 1].
    rho : float
        Correlation of the two latent values, in (-1, 1).

    Returns
    -------
    float
        Within the Fréchet bounds max(0, a + b - 1) and min(a, b).

    Raises
    ------
    ArithmeticError
        The result broke the bounds by more than rounding, which would be a bug.

    References
    ----------
    Owen, D. B. (1956), "Tables for computing bivariate normal probabilities", Annals of
    Mathematical Statistics 27: Φ2 by two values of his T function.

    Examples
    --------
    >>> round(joint_pd(0.05, 0.06, 0.3), 8)
    0.0082442
    """
    if not (0 <= first <= 1 and 0 <= second <= 1 and -1 < rho < 1):
        raise ValueError("first and second lie in [0, 1], rho in (-1, 1).")
    if first in {0, 1} or second in {0, 1}:
        return first * second  # one of them is certain, so that correlation says nothing
    lowest, highest = max(0.0, first + second - 1), min(first, second)
    joint = _owen(first, second, rho)
    if not lowest - SLACK <= joint <= highest + SLACK:
        raise ArithmeticError(f"joint PD {joint} of {first} and {second} at {rho}")
    return min(max(joint, lowest), highest)


def _owen(first: float, second: float, rho: float) -> float:
    """Return Φ2 for probabilities inside (0, 1)."""
    from scipy.special import ndtri, owens_t

    h, k = float(ndtri(first)), float(ndtri(second))
    if h == k == 0:
        return 0.25 + math.asin(rho) / (2 * math.pi)
    root = math.sqrt(1 - rho * rho)

    def tail(at: float, other: float) -> float:
        if at == 0:  # T(0, ±inf)
            return math.copysign(0.25, other)
        return float(owens_t(at, (other - rho * at) / (at * root)))

    apart = h * k < 0 or (h * k == 0 and h + k < 0)
    return (first + second) / 2 - tail(h, k) - tail(k, h) - (0.5 if apart else 0.0)


def rho_of(dependency: Fraction, model: Model) -> Fraction | None:
    """Return the correlation of seller and debtor, or None when recourse earns nothing.

    Parameters
    ----------
    dependency : Fraction
        Debtor's share of the seller's sales of 52 weeks, in [0, 1].
    model : Model
        Holds the bands; lower bounds are inclusive.
    """
    if not 0 <= dependency <= 1:
        raise ValueError("dependency lies in [0, 1].")
    return [band.rho for band in model.recourse_rho if dependency >= band.from_dependency][-1]


def pd_with_recourse(debtor: float, seller: float, rho: Fraction | None, phi: Fraction) -> float:
    """Return the PD that is left: (1 - φ)·a + φ·Φ2(a, b; rho).

    Parameters
    ----------
    debtor, seller : float
        PD of the debtor over the item, of the seller until the end of its call window.
    rho : Fraction or None
        Correlation; None leaves the debtor's PD as it is.
    phi : Fraction
        Share of the calls that a seller alive honours, in [0, 1].

    Returns
    -------
    float
        Never above the debtor's PD, to the last bit.

    Examples
    --------
    >>> round(pd_with_recourse(0.01326159, 0.02593365, Fraction(3, 10), Fraction(9, 10)), 8)
    0.00264425
    """
    if rho is None:
        return debtor
    return debtor - float(phi) * (debtor - joint_pd(debtor, seller, float(rho)))
