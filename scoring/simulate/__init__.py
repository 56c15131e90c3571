"""ChainSim-1: firms in four tiers that sell, pay late and fail, drawn from a seed.

A model trained on it prices nothing but the demo world, and says so.
"""

from scoring.simulate.regimes import (
    HORIZON,
    REGIMES,
    TEST_WEEKS,
    TRAIN_WEEKS,
    VERSION,
    WEEKS,
    Regime,
    digest,
)
from scoring.simulate.running import Chain, morning_of, simulate

__all__ = [
    "HORIZON",
    "REGIMES",
    "TEST_WEEKS",
    "TRAIN_WEEKS",
    "VERSION",
    "WEEKS",
    "Chain",
    "Regime",
    "digest",
    "morning_of",
    "simulate",
]
