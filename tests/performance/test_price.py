"""One risk price beside the bare formulas: floats in one function, without policy or rounding.

What the platform adds is exact arithmetic, the checks of every value, the second price without the
chain for the memo, grade, route and refusal.
"""

import math
import statistics

import pytest

from scoring.pricing import price
from tests.performance.measure import ROUNDS, Report, take_turns
from tests.scoring.quotes import POLICY, Q2, SELLER, T1

PER_TURN = 500
GOAL_MICROSECONDS = 1_000


@pytest.mark.bench
def test_a_risk_price_takes_less_than_a_millisecond(report: Report) -> None:
    exact = sum(part.micro_bp for part in price(Q2, POLICY).components)  # imports what it needs
    assert math.isclose(_bare(), exact / 1e6, abs_tol=1e-5)
    turns = take_turns([(_ours, _peer)] * ROUNDS)
    each = 1e6 * statistics.median(turns.ours) / PER_TURN
    report.add(
        "price_quote",
        each,
        "µs",
        peer={
            "name": "the bare formulas in floats",
            "value": 1e6 * statistics.median(turns.peer) / PER_TURN,
            "unit": "µs",
        },
        ratio=turns.faster(),
        goal=f"< {GOAL_MICROSECONDS} µs",
        met=each < GOAL_MICROSECONDS,
    )


def _ours() -> None:
    for _ in range(PER_TURN):
        price(Q2, POLICY)


def _peer() -> None:
    for _ in range(PER_TURN):
        _bare()


def _bare() -> float:
    """Price the second worked quote with its figures written down."""
    from scipy.special import betaincc, ndtr, ndtri

    def capital(pd: float, lgd: float) -> float:
        weight = math.expm1(-50 * pd) / math.expm1(-50)
        r = 0.12 * weight + 0.24 * (1 - weight)
        stressed = ndtr((ndtri(pd) + math.sqrt(r) * ndtri(0.999)) / math.sqrt(1 - r))
        return float(lgd * (stressed - pd))

    funding, tau, window = 0.025, 0.25, 96
    pd_item = -math.expm1(-T1.total_hazard * window / 365)
    pd_year = -math.expm1(-T1.total_hazard)
    diluted = 0.01 * float(betaincc(1.2, 19.8, 0))
    lost = 1 - 0.9 * math.exp(-SELLER.total_hazard * (window + 60) / 365)
    k = capital(pd_year, 0.5) + capital(diluted * 365 / window, lost)
    risk = pd_item * 0.5 / tau + diluted * lost / tau + k * 1.3125 * (0.12 - funding) * window / 90
    return 1e4 * (funding + funding * 6 / 90 + risk) + 6 + 60 / math.sqrt(25) + 60
