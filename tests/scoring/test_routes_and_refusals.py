"""Who decides on a price, and why there is none."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from scoring.hazard import hazard_of
from scoring.pricing import expert_band, price, price_leaf
from scoring.scale import floored, grade_of, is_documented, route_of
from scoring.schema import (
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdTerms,
    PriceInputs,
    PriceResult,
    Recourse,
)
from tests.scoring.quotes import (
    ANCHOR,
    INSURED,
    LEAF,
    POLICY,
    Q1,
    Q2,
    Q3,
    Q3_WITHOUT,
    SELLER,
)


def _firm(pd: float, **what: Any) -> FirmRisk:  # noqa: ANN401 - any field
    return FirmRisk(hazard_of(pd), hazard_of(pd), **what)


def _priced(inputs: PriceInputs, **changes: Any) -> PriceResult:  # noqa: ANN401 - any field
    return price(dataclasses.replace(inputs, **changes), POLICY)


def _code(priced: PriceResult) -> str | None:
    return priced.refusal.code if priced.refusal else None


# --- Grades and routes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pd", "grade", "route"),
    [
        (0.0, "A1", "auto"),
        (0.000999, "A1", "auto"),
        (0.001, "A2", "auto"),
        (0.004, "B1", "auto"),
        (0.008, "B2", "auto"),
        (0.014999, "B2", "auto"),
        (0.015, "C1", "auto"),
        (0.025, "C2", "officer"),
        (0.04, "D1", "officer"),
        (0.065, "D2", "two_officers"),
        (0.099999, "D2", "two_officers"),
        (0.10, "E", "refuse"),
        (1.0, "E", "refuse"),
    ],
)
def test_the_lower_bound_of_a_grade_belongs_to_it(pd: float, grade: str, route: str) -> None:
    found = grade_of(pd, POLICY.scale)
    assert found.name == grade
    assert route_of(found, 1_000_00) == route


def test_the_middle_grade_decides_itself_up_to_a_quarter_of_a_million() -> None:
    middle = grade_of(0.02, POLICY.scale)
    assert route_of(middle, 250_000_00) == "auto"
    assert route_of(middle, 250_000_01) == "officer"
    assert route_of(middle, 250_001, exponent=0) == "officer"
    priced = _priced(Q2, face_minor=250_000_01)
    assert (priced.grade, priced.route) == ("C1", "officer")
    assert priced.route_reasons == ("AMOUNT_ABOVE_AUTO",)


def test_a_debtor_with_fewer_than_three_settled_items_is_seen_by_an_officer() -> None:
    good = _firm(0.005)
    assert _priced(Q2, obligor=good, settled_items=3).route == "auto"
    priced = _priced(Q2, obligor=good, settled_items=2)
    assert (priced.route, priced.route_reasons) == ("officer", ("FEW_SETTLED_ITEMS",))
    assert _priced(Q2, obligor=dataclasses.replace(good, rated=True), settled_items=0).route == (
        "auto"
    )


def test_little_knowledge_costs_until_thirty_items_are_settled() -> None:
    exact = {m: _priced(Q2, settled_items=m).components[8].micro_bp for m in (0, 3, 24, 29, 30)}
    assert exact == {0: 60_000_000, 3: 30_000_000, 24: 12_000_000, 29: 10_954_451, 30: 0}


def test_the_grade_is_the_obligors_own_whatever_mitigates() -> None:
    assert price(Q3, POLICY).grade == price(Q3_WITHOUT, POLICY).grade == "D1"
    assert price(Q3, POLICY).route_reasons == ("GRADE",)


# --- Floors ---------------------------------------------------------------------------------------


def test_a_floor_that_binds_is_reported_and_is_the_firms_own() -> None:
    own, total, bound = floored(FirmRisk(0.0001, 0.0003), POLICY.scale)
    assert bound
    assert total == pytest.approx(hazard_of(0.003))
    assert total - own == pytest.approx(0.0002)
    priced = _priced(Q2, obligor=FirmRisk(0.0001, 0.0003))
    assert priced.memo is not None
    assert priced.memo.floors == ("obligor",)
    assert round(priced.memo.pd_one_year, 9) == 0.003
    assert priced.memo.pd_one_year == _pd_of(_priced(Q2, obligor=_firm(0.003)))


def test_a_rated_or_documented_firm_has_the_low_floor() -> None:
    for firm in (_firm(0.0001, rated=True), _firm(0.0001, documented=True)):
        assert round(_pd_of(_priced(Q2, obligor=firm)), 9) == 0.0005
    assert price(Q1, POLICY).memo is not None
    assert _pd_of(price(Q1, POLICY)) == pytest.approx(0.0015)


@pytest.mark.parametrize(
    ("statement", "revenue", "months", "documented"),
    [
        (18, 100_000_000, 24, True),
        (19, 100_000_000, 24, False),
        (18, 99_999_999, 24, False),
        (18, 100_000_000, 23, False),
        (None, 100_000_000, 24, False),
        (18, None, 24, False),
    ],
)
def test_a_firm_is_documented_by_statement_size_and_history(
    statement: int | None, revenue: int | None, months: int, documented: bool
) -> None:
    found = is_documented(
        POLICY.scale,
        statement_months=statement,
        revenue=None if revenue is None else Fraction(revenue),
        months_observed=months,
    )
    assert found is documented


def _pd_of(priced: PriceResult) -> float:
    assert priced.memo is not None
    return priced.memo.pd_one_year


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "route"),
    [
        ({"tenor_days": 0}, "TENOR_SHORT", "refuse"),
        ({"tenor_days": -3}, "TENOR_SHORT", "refuse"),
        ({"obligor": None}, "MODEL_UNAVAILABLE", "officer"),
        ({"seller": None}, "MODEL_UNAVAILABLE", "officer"),
        ({"obligor": _firm(0.01, defaulted=True)}, "OBLIGOR_IN_DEFAULT", "refuse"),
        ({"same_group": True}, "SAME_GROUP", "refuse"),
    ],
)
def test_an_item_without_a_price_is_answered_by_a_code(
    changes: dict[str, Any], code: str, route: str
) -> None:
    priced = _priced(Q2, **changes)
    assert _code(priced) == code
    assert (priced.route, priced.route_reasons) == (route, (code,))
    assert (priced.components, priced.rate_ppm, priced.net_minor) == ((), None, None)
    assert priced.grade == ("X" if code == "OBLIGOR_IN_DEFAULT" else None)
    assert priced.kind == "expert_prior"
    assert expert_band(dataclasses.replace(Q2, **changes), POLICY) is None


def test_a_risk_below_the_floor_is_priced_for_the_bank_and_not_offered() -> None:
    priced = _priced(Q2, obligor=_firm(0.1001))
    assert (_code(priced), priced.grade, priced.route) == ("RISK_BELOW_FLOOR", "E", "refuse")
    assert priced.rate_bp is not None
    assert _priced(Q2, obligor=_firm(0.0999)).route == "two_officers"


def test_a_rate_above_the_cap_is_refused_and_at_the_cap_is_not() -> None:
    assert _priced(Q2, legal_cap=Fraction("0.0665")).refusal is None
    priced = _priced(Q2, legal_cap=Fraction("0.0664"))
    assert _code(priced) == "PRICE_ABOVE_CAP"
    assert priced.refusal is not None
    assert dict(priced.refusal.facts) == {"rate_ppm": 66_500, "cap_ppm": 66_400}
    # A legal cap above that of the policy changes nothing.
    small = _priced(Q2, face_minor=500_00, legal_cap=Fraction(1))
    assert small.refusal is not None
    assert dict(small.refusal.facts) == {"rate_ppm": 185_900, "cap_ppm": 150_000}


def test_a_discount_that_eats_the_face_is_refused() -> None:
    priced = _priced(Q1, fees_minor=Q1.face_minor)
    assert (_code(priced), priced.effective_ppm) == ("NOTHING_LEFT", None)


@pytest.mark.parametrize("state", [LeafState.DRAFT, LeafState.DEFAULTED])
def test_a_leaf_that_is_not_there_has_no_price(state: LeafState) -> None:
    leaf = dataclasses.replace(LEAF, leaf=state)
    assert _code(price(leaf, POLICY)) == "LEAF_NOT_PRICEABLE"
    assert _code(price_leaf(leaf, Q3_WITHOUT, POLICY)) == "LEAF_NOT_PRICEABLE"


@pytest.mark.parametrize(
    ("inputs", "changes", "named"),
    [
        (Q1, {"face_minor": 0}, "face_minor"),
        (Q1, {"late_days": -1}, "late_days"),
        (Q1, {"cash_margin_minor": Q1.face_minor + 1}, "cash_margin_minor"),
        (Q1, {"fees_minor": -1}, "fees_minor"),
        (Q1, {"transfers": 1}, "transfers"),
        (Q1, {"leaf": LeafState.ACCEPTED}, "leaf"),
        (LEAF, {"leaf": None}, "leaf"),
        (LEAF, {"leaf": LeafState.ISSUED}, "dilution"),
        (Q2, {"dilution": None}, "dilution"),
    ],
)
def test_what_no_item_can_be_is_refused_by_name(
    inputs: PriceInputs, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(inputs, **changes)


def test_figures_that_are_none_are_refused_by_name() -> None:
    for own, total in ((0.2, 0.1), (-0.1, 0.1), (float("nan"), 0.1), (0.1, float("inf"))):
        with pytest.raises(ValueError, match="hazard"):
            FirmRisk(own, total)
    with pytest.raises(ValueError, match="share"):
        Dilution(Fraction(2))
    with pytest.raises(ValueError, match="dependency"):
        Recourse(Fraction(-1))
    with pytest.raises(ValueError, match="after_days"):
        Recourse(Fraction(0), after_days=-1)
    with pytest.raises(ValueError, match="cover"):
        Insurance(Fraction(2), ANCHOR)
    with pytest.raises(ValueError, match="premium"):
        Insurance(Fraction(1), ANCHOR, Fraction(-1))
    with pytest.raises(ValueError, match="advance"):
        LgdTerms("bank", credit_reserve_advance=Fraction(0))


# --- Who owes, what stacks ------------------------------------------------------------------------


def test_an_undertaking_has_no_dilution_no_late_days_and_no_recourse() -> None:
    loaded = dataclasses.replace(
        Q1,
        late_days=20,
        dilution=Dilution(Fraction("0.05")),
        recourse=Recourse(Fraction("0.1")),
        seller=SELLER,
    )
    plain, other = price(Q1, POLICY), price(loaded, POLICY)
    assert other.components == plain.components
    assert other.memo is not None
    assert (other.memo.k_dilution, other.memo.diluted) == (0, 0)


def test_an_acceptance_that_may_be_withdrawn_is_dearer() -> None:
    revocable = dataclasses.replace(
        Q1, claim=Claim.REVOCABLE, dilution=Dilution(Fraction("0.01")), seller=SELLER
    )
    assert _rate(revocable) > _rate(Q1)


def test_recourse_after_some_days_lies_between_recourse_and_none() -> None:
    later = dataclasses.replace(Q3, recourse=Recourse(Fraction("0.10"), after_days=90))
    exact = [sum(part.micro_bp for part in price(one, POLICY).components)
             for one in (Q3, later, Q3_WITHOUT)]  # fmt: skip
    assert exact[0] < exact[1] < exact[2]


def test_a_mitigant_counts_once() -> None:
    both = dataclasses.replace(INSURED, recourse=Recourse(Fraction("0.1")))
    assert both.insurance is not None
    same = dataclasses.replace(
        both, insurance=dataclasses.replace(both.insurance, same_as_seller=True)
    )
    without = dataclasses.replace(Q2, recourse=both.recourse)
    assert _rate(both) < _rate(same) == _rate(without) + 35  # the premium is paid all the same


def test_a_reserve_that_covers_credit_loss_no_longer_stands_before_dilution() -> None:
    reserve = dataclasses.replace(Q2, dilution=Dilution(Fraction("0.01"), Fraction("0.15")))
    spent = dataclasses.replace(
        reserve, lgd=LgdTerms("other_debtor", credit_reserve_advance=Fraction("0.85"))
    )
    held, gone = price(reserve, POLICY), price(spent, POLICY)
    assert held.bp("dilution") < gone.bp("dilution") == price(Q2, POLICY).bp("dilution")
    assert held.bp("default_own") > gone.bp("default_own")


def test_cash_comes_first_and_lowers_what_is_exposed_to_default_alone() -> None:
    half = dataclasses.replace(Q2, cash_margin_minor=Q2.face_minor // 2)
    full, covered = price(Q2, POLICY), price(half, POLICY)
    for name in ("default_own", "default_chain"):
        assert 2 * covered.bp(name) == pytest.approx(full.bp(name), abs=2)
    assert covered.bp("dilution") == full.bp("dilution")
    assert covered.bp("capital") < full.bp("capital")
    everything = price(dataclasses.replace(Q2, cash_margin_minor=Q2.face_minor), POLICY)
    assert everything.bp("default_own") == everything.bp("default_chain") == 0


def test_waiting_for_the_insurer_costs_late_days() -> None:
    assert INSURED.insurance is not None
    waiting = dataclasses.replace(INSURED.insurance, waiting_days=90)
    slow = price(dataclasses.replace(INSURED, insurance=waiting), POLICY)
    assert slow.components[1].micro_bp == to_micro_of(250, 96, 90)


def to_micro_of(funding: int, late: int, tenor: int) -> int:
    return round(Fraction(funding * late * 1_000_000, tenor))


def test_dilution_capital_may_follow_the_regulation() -> None:
    strict = dataclasses.replace(Q2, dilution=Dilution(Fraction("0.01"), capital="basel"))
    assert _rate(strict) > _rate(Q2)
    assert price(strict, POLICY).bp("dilution") == price(Q2, POLICY).bp("dilution")


def test_a_seller_in_default_buys_nothing_back() -> None:
    gone = dataclasses.replace(SELLER, defaulted=True)
    with_recourse = _priced(Q3, seller=gone)
    without = _priced(Q3_WITHOUT, seller=gone)
    assert with_recourse.components == without.components
    assert with_recourse.bp("dilution") > price(Q3, POLICY).bp("dilution")


def test_a_leaf_is_sold_at_the_lower_of_its_two_prices() -> None:
    assert price_leaf(LEAF, Q3_WITHOUT, POLICY).rate_bp == 361
    assert price_leaf(LEAF, None, POLICY).rate_bp == 361
    strong = dataclasses.replace(
        Q3_WITHOUT, obligor=_firm(0.0005, rated=True), dilution=Dilution(Fraction(0)), late_days=0
    )
    far = dataclasses.replace(LEAF, transfers=9)
    assert price_leaf(far, strong, POLICY) == price(strong, POLICY)
    refused = dataclasses.replace(strong, same_group=True)
    assert price_leaf(far, refused, POLICY) == price(far, POLICY)


def test_a_leaf_costs_more_with_every_hand_and_less_once_it_is_accepted() -> None:
    rates = [_rate(dataclasses.replace(LEAF, transfers=hands)) for hands in range(5)]
    assert rates == [331, 346, 361, 376, 391]
    issued = dataclasses.replace(
        LEAF, leaf=LeafState.ISSUED, dilution=Dilution(Fraction("0.01")), seller=SELLER
    )
    assert _rate(issued) > _rate(LEAF)


def test_the_price_never_falls_below_the_banks_money_and_its_least_margin() -> None:
    thin = dataclasses.replace(
        POLICY, charges=dataclasses.replace(POLICY.charges, margin_undertaking_bp=Fraction(0))
    )
    priced = price(dataclasses.replace(Q1, cash_margin_minor=Q1.face_minor), thin)
    assert priced.rate_bp == 290
    assert priced.components[-1].micro_bp == 39_400_000  # 40 less the handling of .6


def test_a_rate_on_proceeds_keeps_less_of_the_face() -> None:
    priced = _priced(Q1, rate_basis="proceeds")
    assert priced.rate_bp == 318
    growth = Fraction(318 * 90, 10_000 * 360)
    assert priced.discount_minor == round(Q1.face_minor * growth / (1 + growth))


def test_amounts_are_in_the_units_of_the_programme() -> None:
    whole = _priced(Q2, face_minor=100_000, exponent=0)
    assert whole.components == price(Q2, POLICY).components
    assert whole.discount_minor == 1_663  # 1,662.5


def _rate(inputs: PriceInputs) -> int:
    rate = price(inputs, POLICY).rate_bp
    assert rate is not None
    return rate
