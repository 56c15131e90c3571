"""The three worked quotes, with hazards from first principles instead of rounded figures."""

import dataclasses
import math
import tomllib
from fractions import Fraction
from importlib.resources import files
from statistics import NormalDist

from scoring.hazard import hazard_of
from scoring.policy import Policy
from scoring.schema import (
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdTerms,
    PriceInputs,
    Recourse,
)

# What else the file holds belongs to the room that reads it.
_PARTS = {field.name for field in dataclasses.fields(Policy)}
_FILE = tomllib.loads(files("config").joinpath("risk_appetite.toml").read_text("utf-8"))
MAPPING = {name: part for name, part in _FILE.items() if name in _PARTS}
POLICY = Policy.from_mapping(MAPPING)

# Own PDs of 2.41, 6.30 and 3.00 %, three quarters of each their own, and an anchor rated .15 %.
_A = hazard_of(0.0015)
_T1, _T2, _X = (0.75 * hazard_of(pd) for pd in (0.0241, 0.0630, 0.0300))


def _weight(x: float) -> float:
    return NormalDist().cdf(math.log(x) / 0.8)


_T1_TOTAL = _T1 + _weight(0.33) * _A + _weight(0.55) * _X
_T2_TOTAL = _T2 + _weight(0.44 / 0.6) * _T1_TOTAL

ANCHOR = FirmRisk(_A, _A, rated=True)
T1 = FirmRisk(_T1, _T1_TOTAL)
T2 = FirmRisk(_T2, _T2_TOTAL)
SELLER = FirmRisk(0.02, 0.0328284704)

Q1 = PriceInputs(Claim.UNDERTAKING, 1_000_000_00, 90, ANCHOR, LgdTerms("undertaking"), 0)
Q2 = PriceInputs(
    Claim.PLAIN, 100_000_00, 90, T1, LgdTerms("other_debtor"), 24,
    seller=SELLER, late_days=6, dilution=Dilution(Fraction("0.01")),
)  # fmt: skip
Q3 = PriceInputs(
    Claim.PLAIN, 40_000_00, 75, T2, LgdTerms("other_debtor"), 8,
    seller=SELLER, late_days=9, dilution=Dilution(Fraction("0.015")),
    recourse=Recourse(Fraction("0.10")),
)  # fmt: skip
Q3_WITHOUT = dataclasses.replace(Q3, recourse=None)
INSURED = dataclasses.replace(
    Q2,
    insurance=Insurance(
        Fraction("0.9"), FirmRisk(hazard_of(0.001), hazard_of(0.001), rated=True), Fraction(35)
    ),
)
LEAF = PriceInputs(
    Claim.LEAF, 40_000_00, 75, ANCHOR, LgdTerms("undertaking"), 0,
    leaf=LeafState.ACCEPTED, transfers=2,
)  # fmt: skip
