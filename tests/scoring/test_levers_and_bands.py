"""What would lower a price, for the bank; statements; bands from refits by clusters of firms."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.bands import refitted
from scoring.card import CardInputs, score
from scoring.hazard import hazard_of
from scoring.levers import (
    OfficeLever,
    OfficeLevers,
    office_what_ifs,
    reference,
    undertaken,
    with_statement,
)
from scoring.pricing import expert_band, price, price_band, price_leaf
from scoring.scale import better_grade, grade_of
from scoring.schema import FirmRisk, Insurance, PriceInputs, Recourse
from tests.scoring.quotes import ANCHOR, INSURED, LEAF, POLICY, Q1, Q2, Q3, Q3_WITHOUT, SELLER, T1

# --- The price band -------------------------------------------------------------------------------


def test_the_band_of_the_second_quote_is_the_worked_one() -> None:
    """Source: pricing.md 1.9: PD 1.6 and 3.4 % without a chain."""
    band = price_band(Q2, POLICY, 0.016, 0.034, "refits")
    assert band is not None
    assert (band.low_bp, band.high_bp, band.label) == (611, 738, "refits")
    assert price_band(dataclasses.replace(Q2, tenor_days=0), POLICY, 0.01, 0.02, "x") is None
    with pytest.raises(ValueError, match="rise"):
        price_band(Q2, POLICY, 0.03, 0.02, "x")
    rate = price(Q2, POLICY).rate_bp
    expert = expert_band(Q2, POLICY)
    assert rate is not None
    assert expert is not None
    assert expert.low_bp < rate < expert.high_bp


def test_refits_draw_whole_firms_and_give_an_answer_of_one_of_them() -> None:
    firms = np.repeat(np.arange(40), 5)
    fails = np.repeat((np.arange(40) % 4 == 0).astype(float), 5)
    seen: list[np.ndarray] = []

    def refit(rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return np.array([fails[rows].mean(), 0.5])

    low, high = refitted(firms, refit, seed=3)
    assert len(seen) == 200
    for rows in seen[:20]:
        _firm, counts = np.unique(firms[rows], return_counts=True)
        assert (counts % 5 == 0).all(), "a firm comes with all its rows"
    assert low[0] < 0.25 < high[0]
    assert (low[1], high[1]) == (0.5, 0.5)
    # By firms the band is wider than rows alone would have it: five rows of a firm are one news.
    narrow_low, narrow_high = refitted(np.arange(200), lambda rows: fails[rows][:, None].mean(0), 3)
    assert high[0] - low[0] > 1.5 * (narrow_high[0] - narrow_low[0])
    again = refitted(firms, refit, seed=3)
    assert np.array_equal(again[0], low)
    with pytest.raises(ValueError, match="draws"):
        refitted(firms, refit, seed=3, draws=1)
    with pytest.raises(ValueError, match="probability"):
        refitted(firms, lambda rows: np.array([2.0]), seed=3)
    with pytest.raises(ValueError, match="firm"):
        refitted(np.zeros(0, dtype=np.int64), refit, seed=3)


# --- For the bank ---------------------------------------------------------------------------------


def test_officers_read_exact_rates_of_what_lowers_one() -> None:
    base = price(Q3_WITHOUT, POLICY)
    levers = OfficeLevers(
        recourse=Recourse(Fraction("0.10")), insurance=INSURED.insurance, least_tenor=5
    )
    found = {one.lever: one for one in office_what_ifs(Q3_WITHOUT, base, levers, POLICY)}
    assert found[OfficeLever.RECOURSE].rate_bp == 636
    assert found[OfficeLever.RECOURSE].saves_bp == 978 - 636
    assert all(one.saves_bp == (base.rate_bp or 0) - one.rate_bp > 0 for one in found.values())
    assert set(found) >= {OfficeLever.UNDERTAKING, OfficeLever.INSURANCE, OfficeLever.BETTER_GRADE}
    insured = price(INSURED, POLICY)
    assert insured.rate_bp == 492
    # A cover that costs more than it saves is told where leaving it would help.
    strong = dataclasses.replace(INSURED, obligor=FirmRisk(0.0005, 0.0005, rated=True))
    (one,) = [
        one
        for one in office_what_ifs(strong, price(strong, POLICY), OfficeLevers(), POLICY)
        if one.lever is OfficeLever.NO_INSURANCE
    ]
    assert one.rate_bp == price(dataclasses.replace(strong, insurance=None), POLICY).rate_bp


def test_nothing_lowers_what_is_undertaken_but_its_own_risk_and_time() -> None:
    base = price(Q1, POLICY)
    levers = OfficeLevers(recourse=Recourse(Fraction(0)))
    found = {one.lever for one in office_what_ifs(Q1, base, levers, POLICY)}
    assert found <= {OfficeLever.SHORTER_TENOR, OfficeLever.BETTER_GRADE}
    gone = price(dataclasses.replace(Q1, tenor_days=0), POLICY)
    assert office_what_ifs(Q1, gone, levers, POLICY) == ()


def test_an_undertaking_takes_dilution_recourse_insurance_and_lateness_away() -> None:
    stripped = undertaken(dataclasses.replace(INSURED, recourse=Recourse(Fraction("0.1"))))
    assert stripped.is_undertaken
    assert (stripped.dilution, stripped.recourse, stripped.insurance) == (None, None, None)
    assert stripped.late_days == 0
    assert stripped.lgd.case == "other_debtor"
    assert undertaken(dataclasses.replace(Q2, obligor=ANCHOR)).lgd.case == "undertaking"


def test_a_better_grade_is_one_better_and_none_above_the_first() -> None:
    better = better_grade(T1, POLICY.scale)
    assert better is not None
    names = [grade.name for grade in POLICY.scale.grades]
    at = [grade_of(-np.expm1(-one.total_hazard), POLICY.scale).name for one in (T1, better)]
    assert names.index(at[1]) == names.index(at[0]) - 1
    best = FirmRisk(hazard_of(0.0006), hazard_of(0.0006), rated=True)
    assert better_grade(best, POLICY.scale) is None
    assert better_grade(dataclasses.replace(T1, defaulted=True), POLICY.scale) is None


def test_a_statement_moves_the_own_risk_by_as_much_as_the_card_would() -> None:
    known = CardInputs(late_share=Fraction("0.2"), revenue_eur=Fraction(5_000_000))
    card = POLICY.card
    middling = {row.input: reference(row) for row in card.rows}
    assert middling["equity_ratio"] == Fraction("0.10")
    assert middling["liquidity_weeks"] == Fraction("2.5")
    told = with_statement(SELLER, known, card)
    full = dataclasses.replace(
        known, equity_ratio=Fraction("0.10"), liquidity_weeks=Fraction("2.5")
    )
    factor = score(full, card).hazard / score(known, card).hazard
    assert told.own_hazard == pytest.approx(SELLER.own_hazard * factor)
    chain = SELLER.total_hazard - SELLER.own_hazard
    assert told.total_hazard - told.own_hazard == pytest.approx(chain)
    assert with_statement(ANCHOR, known, card) == ANCHOR
    assert with_statement(SELLER, full, card) == SELLER


# --- What always holds of mitigants ---------------------------------------------------------------

ITEMS = st.sampled_from((Q2, Q3_WITHOUT))
COVERS = st.builds(
    Insurance,
    cover=st.fractions(0, 1, max_denominator=20),
    insurer=st.floats(1e-5, 0.2).map(lambda hazard: FirmRisk(hazard, hazard, rated=True)),
)
RECOURSES = st.builds(
    Recourse,
    dependency=st.fractions(0, 1, max_denominator=20),
    after_days=st.sampled_from((0, 30, 90, 200)),
)


def exact(inputs: PriceInputs) -> int:
    return sum(part.micro_bp for part in price(inputs, POLICY).components)


@given(ITEMS, COVERS, st.integers(0, 400))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_insured_is_never_dearer_than_uninsured_before_the_premium(
    item: PriceInputs, cover: Insurance, premium: int
) -> None:
    insured = dataclasses.replace(item, insurance=cover)
    assert exact(insured) <= exact(item)
    paid = dataclasses.replace(cover, premium_bp=Fraction(premium))
    assert exact(dataclasses.replace(item, insurance=paid)) <= exact(item) + premium * 1_000_000


@given(ITEMS, RECOURSES)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_recourse_is_never_dearer_than_none(item: PriceInputs, recourse: Recourse) -> None:
    answered = dataclasses.replace(item, recourse=recourse)
    at_once = dataclasses.replace(answered, recourse=dataclasses.replace(recourse, after_days=0))
    assert exact(at_once) <= exact(answered) <= exact(item)


@given(ITEMS, COVERS, RECOURSES)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_mitigant_counts_once_and_cash_before_recourse_before_insurance(
    item: PriceInputs, cover: Insurance, recourse: Recourse
) -> None:
    both = dataclasses.replace(item, recourse=recourse, insurance=cover)
    same = dataclasses.replace(cover, same_as_seller=True)
    once = dataclasses.replace(both, insurance=same)
    assert exact(once) == exact(dataclasses.replace(item, recourse=recourse))
    assert exact(both) <= exact(once)
    covered = dataclasses.replace(both, cash_margin_minor=item.face_minor // 2)
    memo, half = price(both, POLICY).memo, price(covered, POLICY).memo
    assert memo is not None
    assert half is not None
    # Cash lowers what is exposed, recourse the PD, insurance the loss: each leaves the others be.
    assert (memo.pd_item, memo.lgd) == (half.pd_item, half.lgd)
    own = [
        next(part.micro_bp for part in price(one, POLICY).components if part.name == "default_own")
        for one in (both, covered)
    ]
    assert abs(own[0] - 2 * own[1]) <= 2


@given(st.integers(0, 30), ITEMS)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_leaf_is_dearer_with_each_hand_and_never_dearer_than_the_plain_claim(
    hands: int, plain: PriceInputs
) -> None:
    leaf = dataclasses.replace(
        LEAF, transfers=hands, face_minor=plain.face_minor, tenor_days=plain.tenor_days
    )
    further = dataclasses.replace(leaf, transfers=hands + 1)
    held, more = price(leaf, POLICY).rate_bp, price(further, POLICY).rate_bp
    assert held is not None
    assert more == held + 15
    sold, own = price_leaf(leaf, plain, POLICY).rate_bp, price(plain, POLICY).rate_bp
    assert sold is not None
    assert own is not None
    assert sold == min(held, own)


def test_the_uninsured_and_the_insured_second_quote_keep_their_parts() -> None:
    assert INSURED.insurance is not None
    free = dataclasses.replace(INSURED.insurance, premium_bp=Fraction(0))
    parts = [price(one, POLICY) for one in (Q2, dataclasses.replace(INSURED, insurance=free), Q3)]
    assert [one.rate_bp for one in parts[:2]] == [665, 457]
    for name in ("funding", "late_days", "dilution", "operating", "uncertainty", "margin"):
        exacts = [
            next(part.micro_bp for part in one.components if part.name == name) for one in parts[:2]
        ]
        assert exacts[0] == exacts[1]
