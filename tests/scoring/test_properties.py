"""What holds for every price, on ten thousand items and on whatever hypothesis finds."""

import dataclasses
import random
from fractions import Fraction
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.explain import ChainSplits, officer_lines, rungs
from scoring.pricing import price
from scoring.recourse import joint_pd
from scoring.schema import (
    COMPONENTS,
    MICRO,
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdTerms,
    PriceInputs,
    Recourse,
)
from scoring.stack import largest_remainders, stack, whole_bp
from tests.scoring.quotes import POLICY

CASES: tuple[Literal["undertaking", "bank", "large_debtor", "other_debtor"], ...] = (
    "undertaking",
    "bank",
    "large_debtor",
    "other_debtor",
)
INSURER = FirmRisk(0.001, 0.001, rated=True)


def _firm(dice: random.Random) -> FirmRisk:
    total = dice.choice((0.0, 10 ** dice.uniform(-5, -1)))
    return FirmRisk(total * dice.random(), total, rated=dice.random() < 0.2)


def _item(dice: random.Random) -> PriceInputs:
    claim = dice.choice(tuple(Claim))
    leaf = dice.choice((LeafState.ISSUED, LeafState.ACCEPTED)) if claim is Claim.LEAF else None
    face = round(10 ** dice.uniform(4, 10))
    return PriceInputs(
        claim,
        face,
        dice.randint(1, 360),
        _firm(dice),
        LgdTerms(dice.choice(CASES), silent=dice.random() < 0.2, cross_border=dice.random() < 0.2),
        dice.choice((0, 2, 3, 29, 30, 500)),
        seller=_firm(dice),
        late_days=dice.choice((0, 0, 3, 9, 40)),
        dilution=Dilution(
            Fraction(dice.choice((0, 5, 10, 80)), 1000), Fraction(dice.choice((0, 5, 15)), 100)
        ),
        recourse=Recourse(Fraction(dice.randint(0, 100), 100), dice.choice((0, 30))),
        cash_margin_minor=dice.choice((0, 0, face // 5)),
        leaf=leaf,
        transfers=dice.randint(0, 4) if leaf else 0,
        basis=dice.choice((360, 365)),
    )  # fmt: skip


def test_ten_thousand_prices_sum_up_and_move_the_right_way() -> None:
    dice = random.Random(20261122)
    for _ in range(10_000):
        item = _item(dice)
        exact = stack(item, POLICY)
        components = whole_bp(exact.micro_bp)
        assert sum(part.bp for part in components) == exact.rate_bp
        assert min(exact.micro_bp) >= 0
        assert all(0 <= part.bp * MICRO - part.micro_bp + MICRO < 2 * MICRO for part in components)

        # What can only make it riskier can only make it dearer, to the millionth.
        total = sum(exact.micro_bp)
        assert item.obligor is not None
        higher = item.obligor.total_hazard * 1.3 + 1e-5
        riskier = dataclasses.replace(item.obligor, total_hazard=higher)
        worse = dataclasses.replace(item, obligor=riskier)
        assert sum(stack(worse, POLICY).micro_bp) >= total
        alone = dataclasses.replace(item, recourse=None)
        assert sum(stack(alone, POLICY).micro_bp) >= total
        covered = dataclasses.replace(item, insurance=Insurance(Fraction("0.9"), INSURER))
        assert sum(stack(covered, POLICY).micro_bp) <= total


def test_the_same_item_has_the_same_price() -> None:
    dice = random.Random(7)
    items = [_item(dice) for _ in range(200)]
    first = [price(item, POLICY) for item in items]
    assert [price(item, POLICY) for item in reversed(items)] == first[::-1]
    for item, priced in zip(items, first, strict=True):
        assert len(priced.components) == len(COMPONENTS)
        assert sum(rung.bp for rung in rungs(priced, POLICY)) == priced.rate_bp
        lines = officer_lines(item, priced, POLICY, ChainSplits(by_hop=(("1", 2.0), ("2", 1.0))))
        assert sum(line.bp for line in lines) == priced.rate_bp
        assert sum(bp for _, bp in lines[3].by_hop) == lines[3].bp
        assert (priced.refusal is None) == (priced.route != "refuse")


PROBABILITY = st.floats(0, 1, allow_subnormal=False)


def test_a_point_between_equal_remainders_goes_to_the_earlier_part() -> None:
    assert largest_remainders((1_500_000, 2_500_000, 500_000), 5, MICRO) == (2, 3, 0)


@given(PROBABILITY, PROBABILITY, st.sampled_from((-0.5, 0.0, 0.3, 0.5, 0.95)))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_joint_default_stays_within_its_bounds(first: float, second: float, rho: float) -> None:
    joint = joint_pd(first, second, rho)  # raises beyond the bounds
    assert max(0.0, first + second - 1) <= joint <= min(first, second)
    if rho > 0:
        assert joint >= first * second - 1e-12


@given(st.lists(st.integers(0, 400 * MICRO), min_size=11, max_size=11))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_whole_points_sum_and_nothing_becomes_something(exact: list[int]) -> None:
    wanted = (2 * sum(exact) + MICRO) // (2 * MICRO)
    shares = largest_remainders(tuple(exact), wanted, MICRO)
    assert sum(shares) == wanted
    for part, share in zip(exact, shares, strict=True):
        assert share in {part // MICRO, part // MICRO + 1}
        assert part or not share
