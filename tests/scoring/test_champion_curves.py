"""Prices by a champion's curve: order in time and risk, parts that add up, on many curves."""

import dataclasses
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from scoring import canonical
from scoring.explain import rungs
from scoring.hazard import Curve
from scoring.paths import paths_of
from scoring.pricing import expert_band, price
from scoring.schema import Claim, FirmRisk, PriceInputs, Recourse
from scoring.stack import stack, to_micro
from scoring.term import PLACES, TermStructure, rounded
from tests.scoring.quotes import POLICY, Q2, Q3

CURVES = 10_000
HORIZONS = (1, 29, 30, 31, 90, 180, 275, 330, 364, 365, 366, 500)


def drawn(rng: np.random.Generator) -> TermStructure:
    """Draw a firm's months: of any level and shape, its chain anything from nothing to most."""
    level = 10 ** rng.uniform(-7, -0.5)
    total = np.minimum(level * rng.gamma(0.7, size=12), 0.99)
    own = total * rng.choice([rng.uniform(size=12), np.ones(12), np.zeros(12)])
    return TermStructure.of("trained", own.tolist(), total.tolist())


def risk(term: TermStructure) -> FirmRisk:
    return FirmRisk.of(term, documented=False)


def test_ten_thousand_curves_keep_their_order_in_time_and_in_risk() -> None:
    rng = np.random.default_rng(101)
    for _ in range(CURVES):
        term = drawn(rng)
        here = paths_of(risk(term), POLICY.scale)
        by_time = [here.total.within(days) for days in HORIZONS]
        assert by_time == sorted(by_time)
        assert all(here.own.within(days) <= here.total.within(days) for days in HORIZONS)
        month = int(rng.integers(12))
        worse = list(term.total)
        worse[month] = rounded(min(0.995, float(worse[month]) + 10 ** rng.uniform(-12, -2)))
        more = paths_of(risk(dataclasses.replace(term, total=tuple(worse))), POLICY.scale).total
        assert all(
            before <= more.within(days) for before, days in zip(by_time, HORIZONS, strict=True)
        )


def test_a_curve_says_at_every_day_what_the_hazards_say() -> None:
    rng = np.random.default_rng(102)
    for _ in range(200):
        term = drawn(rng)
        curve = Curve(tuple(map(float, term.total)))
        for days in range(0, 366, 5):
            assert term.total_within(days) == pytest.approx(curve.pd_within(days), abs=2e-12)


def inputs(
    term: TermStructure, tenor: int = 90, seller: TermStructure | None = None
) -> PriceInputs:
    base = dataclasses.replace(Q2, obligor=risk(term), tenor_days=tenor)
    if seller is None:
        return base
    return dataclasses.replace(base, seller=risk(seller), recourse=Recourse(Fraction(1, 10)))


def test_parts_add_up_exactly_and_a_worse_firm_is_never_cheaper() -> None:
    rng = np.random.default_rng(103)
    for number in range(1_000):
        term, seller = drawn(rng), drawn(rng) if number % 2 else None
        item = inputs(term, int(rng.integers(1, 276)), seller)
        made = price(item, POLICY)
        assert all(part.micro_bp >= 0 and part.bp >= 0 for part in made.components)
        assert sum(part.bp for part in made.components) == made.rate_bp
        assert sum(rung.bp for rung in rungs(made, POLICY)) == made.rate_bp
        found = stack(item, POLICY)
        paths = paths_of(risk(term), POLICY.scale)
        default = found.micro_bp[2] + found.micro_bp[3]
        # The difference is taken of rounded wholes: own and chain are the whole, to the last digit.
        whole = dataclasses.replace(item, obligor=risk(dataclasses.replace(term, own=term.total)))
        assert default == stack(whole, POLICY).micro_bp[2]
        assert made.kind == "trained"
        worse = term.moved(*(2 * rate for rate in hazards(term)))
        again = price(dataclasses.replace(item, obligor=risk(worse)), POLICY)
        assert (again.rate_bp or 0) >= (made.rate_bp or 0)
        assert paths.total.within(365) == found.behind.pd_one_year


def hazards(term: TermStructure) -> tuple[float, float]:
    firm = risk(term)
    return firm.own_hazard, firm.total_hazard


def test_an_item_is_watched_for_ninety_days_after_due_and_beyond_the_year_by_a_person() -> None:
    months = tuple(map(rounded, (0.001,) * 3 + (0.004,) * 9))
    term = TermStructure("trained", months, months)
    made = price(inputs(term, 90), POLICY)
    assert made.memo is not None
    assert made.memo.pd_item == pytest.approx(0.01491324, abs=5e-9)  # 180 days
    assert made.memo.pd_one_year == pytest.approx(0.03832016, abs=5e-9)
    # A late payer waits no longer for its default to show.
    late = dataclasses.replace(inputs(term, 90), late_days=60)
    later = price(late, POLICY)
    assert later.memo is not None
    assert later.memo.pd_item == made.memo.pd_item
    quiet = (rounded(0.0005),) * 12
    calm = TermStructure("trained", quiet, quiet)
    last, beyond = (price(inputs(calm, days), POLICY) for days in (275, 276))
    assert (last.route, "BEYOND_CURVE" in last.route_reasons) == ("auto", False)
    assert (beyond.route, beyond.route_reasons) == ("officer", ("BEYOND_CURVE",))
    assert last.memo is not None
    assert beyond.memo is not None
    assert beyond.memo.pd_item >= last.memo.pd_item


def test_the_sellers_word_is_worth_what_its_own_curve_says() -> None:
    quiet, loud = (tuple(map(rounded, (h,) * 12)) for h in (0.0005, 0.02))
    debtor = TermStructure("trained", loud, loud)
    good, bad = (TermStructure("trained", months, months) for months in (quiet, loud))
    plain, with_good, with_bad = (
        price(one, POLICY)
        for one in (inputs(debtor), inputs(debtor, seller=good), inputs(debtor, seller=bad))
    )
    for one in (plain, with_good, with_bad):
        assert one.memo is not None
    assert plain.memo is not None
    assert with_good.memo is not None
    assert with_bad.memo is not None
    assert with_good.memo.pd_item < with_bad.memo.pd_item < plain.memo.pd_item
    assert with_good.memo.pd_seller_call == pytest.approx(
        paths_of(risk(good), POLICY.scale).total.within(90 + Q2.late_days + 60)
    )
    # A rated debtor is by its rating; what its seller is worth may still come from a model.
    assert price(dataclasses.replace(Q3, seller=risk(good)), POLICY).kind == "trained"
    assert price(Q3, POLICY).kind == "expert_prior"


def test_the_floor_holds_at_every_time_and_is_the_firms_own() -> None:
    nothing = TermStructure.of("trained", [0.0] * 12, [0.0] * 12)
    made = price(inputs(nothing), POLICY)
    assert made.memo is not None
    assert made.memo.floors[0] == "obligor"
    assert made.memo.pd_one_year == pytest.approx(float(POLICY.scale.floor_other))
    assert made.bp("default_chain") == 0
    assert made.bp("default_own") > 0


def test_a_band_moves_the_whole_curve() -> None:
    months = (rounded(0.002),) * 12
    item = inputs(TermStructure("trained", months, months))
    band, made = expert_band(item, POLICY), price(item, POLICY)
    assert band is not None
    assert band.low_bp < (made.rate_bp or 0) < band.high_bp


def test_of_two_kinds_the_lesser_is_told_and_both_read_back_to_the_last_digit() -> None:
    months = (rounded(0.002),) * 12
    trained, drawn_ = (TermStructure(kind, months, months) for kind in ("trained", "simulated"))
    item = inputs(trained, seller=drawn_)
    assert price(item, POLICY).kind == "simulated"
    again = canonical.load(PriceInputs, canonical.dump(item))
    assert again == item
    assert canonical.dump(price(again, POLICY)) == canonical.dump(price(item, POLICY))
    assert '"0.002000000000"' in canonical.dump(item)


def test_a_chain_that_would_help_is_no_part_of_the_price() -> None:
    term = TermStructure.of("trained", [0.02] * 12, [0.01] * 12)
    assert term.own == term.total
    assert price(inputs(term), POLICY).bp("default_chain") == 0


@pytest.mark.parametrize(
    "months",
    [
        (Decimal("0.1"),) * 11,
        (Decimal("NaN"),) * 12,
        (Decimal(1),) * 12,
        (Decimal("-0.1"),) * 12,
    ],
)
def test_what_are_no_twelve_chances_is_refused(months: tuple[Decimal, ...]) -> None:
    with pytest.raises(ValueError, match="own"):
        TermStructure("trained", months, months)


def test_no_rating_and_no_default_has_a_curve() -> None:
    months = (PLACES,) * 12
    term = TermStructure("trained", months, months)
    with pytest.raises(ValueError, match="before any model"):
        FirmRisk(0.1, 0.1, rated=True, term=term)
    assert Q2.claim == Claim.PLAIN
    assert to_micro(0.0) == 0
