"""Capital and joint default worked out once more by other means, and prices at the edges."""

import dataclasses
import datetime as dt
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest

from scoring.capital import capital_share
from scoring.pricing import price
from scoring.recourse import joint_pd
from tests.scoring.quotes import POLICY, Q1, Q2, Q3

NORMAL = NormalDist()


def drawn_capital(pd: float, lgd: float, years: float) -> float:
    """Loss of a large portfolio in the thousandth-worst year of one factor, less what is expected.

    By bisection on the share that fails, not by the closed form: Vasicek (2002).
    """
    e = (1 - np.exp(-50 * pd)) / (1 - np.exp(-50))
    r = float(0.12 * e + 0.24 * (1 - e))
    low, high = 0.0, 1.0
    for _ in range(200):
        share = (low + high) / 2
        # P(share of failures <= x) = Φ((√(1-R) Φ⁻¹(x) - Φ⁻¹(PD)) / √R)
        at = ((1 - r) ** 0.5 * NORMAL.inv_cdf(share) - NORMAL.inv_cdf(pd)) / r**0.5
        low, high = (share, high) if NORMAL.cdf(at) < 0.999 else (low, share)
    b = float(np.square(0.11852 - 0.05478 * np.log(pd)))
    return lgd * (high - pd) * (1 + (years - 2.5) * b) / (1 - 1.5 * b)


@pytest.mark.parametrize("pd", [0.0005, 0.0015, 0.01, 0.02, 0.05, 0.1, 0.2, 0.6])
@pytest.mark.parametrize("years", [1.0, 2.5, 5.0])
def test_capital_is_the_thousandth_worst_year_found_by_search(pd: float, years: float) -> None:
    expected = drawn_capital(pd, 0.4, years)
    assert capital_share(pd, 0.4, years) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.3, 0.5, 0.9])
def test_joint_default_is_that_of_another_library(rho: float) -> None:
    """Genz's multivariate normal integration in scipy, against Owen's T here."""
    from scipy.stats import multivariate_normal

    both = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    for first in (0.0005, 0.01326159, 0.05, 0.3):
        for second in (0.001, 0.02593365, 0.06, 0.5):
            at = NORMAL.inv_cdf(first), NORMAL.inv_cdf(second)
            told = joint_pd(first, second, rho)
            assert told == pytest.approx(float(both.cdf(at)), abs=2e-7)


@pytest.mark.parametrize("item", [Q1, Q2, Q3], ids=["Q1", "Q2", "Q3"])
def test_a_currency_without_decimals_has_the_same_rate_and_whole_units(item: object) -> None:
    assert isinstance(item, type(Q1))
    euro = price(item, POLICY)
    yen = price(dataclasses.replace(item, face_minor=item.face_minor // 100, exponent=0), POLICY)
    assert (yen.rate_bp, yen.components) == (euro.rate_bp, euro.components)
    assert yen.rate_bp is not None
    whole = Decimal(item.face_minor // 100 * yen.rate_bp * item.tenor_days) / (10_000 * 360)
    assert yen.discount_minor == int(whole + Decimal("0.5"))
    assert yen.net_minor == item.face_minor // 100 - (yen.discount_minor or 0)


def test_a_note_over_the_29th_of_february_pays_for_that_day() -> None:
    """Two months from the first of January: 60 days in a leap year, 59 in another."""
    paid = {}
    for year in (2027, 2028):
        days = (dt.date(year, 3, 1) - dt.date(year, 1, 1)).days
        told = price(dataclasses.replace(Q1, tenor_days=days), POLICY)
        assert told.rate_bp is not None
        whole = Decimal(Q1.face_minor * told.rate_bp * days) / (10_000 * 360)
        assert told.discount_minor == int(whole + Decimal("0.5"))
        paid[year] = told.discount_minor
    assert paid[2028] is not None
    assert paid[2027] is not None
    assert paid[2028] > paid[2027]
    year_long = price(dataclasses.replace(Q1, tenor_days=366, basis=365), POLICY)
    if year_long.rate_bp is not None:
        whole = Decimal(Q1.face_minor * year_long.rate_bp * 366) / (10_000 * 365)
        assert year_long.discount_minor == int(whole + Decimal("0.5"))
