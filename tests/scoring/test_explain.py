"""What each reader is told: rungs and reasons for the seller, lines for the bank."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from scoring.explain import ChainSplits, chain_stands_apart, officer_lines, rungs, split_bp
from scoring.hazard import hazard_of
from scoring.levers import Lever, Levers, WhatIf, what_ifs
from scoring.pricing import price
from scoring.reasons import OwnFacts, Reason, reasons, refusal_code
from scoring.schema import COMPONENTS, Dilution, FirmRisk, Recourse, Refusal
from tests.scoring.quotes import ANCHOR, LEAF, POLICY, Q1, Q2, Q3, Q3_WITHOUT, T1

# --- The ladder -----------------------------------------------------------------------------------


def test_four_rungs_sum_to_the_rate() -> None:
    def ladder(inputs: Any) -> dict[str, int]:  # noqa: ANN401 - an item
        return {rung.name: rung.bp for rung in rungs(price(inputs, POLICY), POLICY)}

    names = ["bank_funding", "buyer_credit", "record_and_size", "service"]
    assert list(ladder(Q1)) == names
    assert list(ladder(Q1).values()) == [250, 28, 0, 40]
    assert list(ladder(Q2).values()) == [250, 337, 18, 60]
    assert list(ladder(Q3).values()) == [245, 293, 38, 60]
    assert sum(ladder(Q2).values()) == 665
    assert ladder(dataclasses.replace(Q2, tenor_days=0)) == {}


@pytest.mark.parametrize(
    ("first_hop", "apart"),
    [
        ((), False),
        ((0.5, 0.5), False),
        ((0.5, 0.5, 0.0), False),
        ((0.70, 0.15, 0.15), True),
        ((0.71, 0.15, 0.14), False),
        ((1.0, 1.0, 1.0, 1.0), True),
    ],
)
def test_the_chain_stands_apart_only_where_no_firm_can_be_told(
    first_hop: tuple[float, ...], apart: bool
) -> None:
    assert chain_stands_apart(first_hop, POLICY) is apart
    ladder = {rung.name: rung.bp for rung in rungs(price(Q2, POLICY), POLICY, first_hop)}
    assert sum(ladder.values()) == 665
    assert ladder["buyer_credit"] == (337 - 28 if apart else 337)
    assert ladder.get("your_chain") == (28 if apart else None)


# --- The officer's lines --------------------------------------------------------------------------


def test_the_chains_line_splits_by_origin_and_by_hop() -> None:
    first = ChainSplits(by_origin=(("X", 0.00519579), ("A", 0.00012444)))
    second = ChainSplits(
        by_origin=(("T1", 0.00638765), ("X", 0.00181396), ("A", 0.00004345)),
        by_first_hop=(("T1", 0.00824506),),
        by_hop=(("1", 0.00638765), ("2", 0.00185741)),
    )
    line = officer_lines(Q2, price(Q2, POLICY), POLICY, first)[3]
    assert (line.name, line.bp, line.micro_bp) == ("default_chain", 28, 27_832_034)
    assert line.by_origin == (("X", 27), ("A", 1))
    line = officer_lines(Q3, price(Q3, POLICY), POLICY, second)[3]
    assert line.by_origin == (("T1", 5), ("X", 2), ("A", 0))
    assert line.by_first_hop == (("T1", 7),)
    assert line.by_hop == (("1", 5), ("2", 2))


def test_an_officer_sees_eleven_lines_with_what_they_come_from() -> None:
    lines = officer_lines(Q2, price(Q2, POLICY), POLICY)
    assert tuple(line.name for line in lines) == COMPONENTS
    facts = {line.name: dict(line.facts) for line in lines}
    assert facts["uncertainty"] == {
        "settled_items": 24, "rated": "no", "uncertainty_bp": 60, "free_from_items": 30,
    }  # fmt: skip
    assert facts["default_own"]["own_hazard"] == T1.own_hazard
    assert facts["default_chain"]["effect_on_rate_bp"] == 38
    assert facts["capital"]["hurdle"] == 0.12
    assert facts["floor_addon"] == {"funding_rate": 0.025, "floor_over_funding_bp": 40}
    assert all(not line.by_origin for line in lines)
    assert officer_lines(Q2, price(dataclasses.replace(Q2, obligor=None), POLICY), POLICY) == ()
    with pytest.raises(ValueError, match="expert-1"):
        officer_lines(Q2, price(Q2, POLICY), dataclasses.replace(POLICY, version="expert-2"))


def test_a_split_of_nothing_is_nothing() -> None:
    assert split_bp(0, [("X", 0.0)]) == ()
    assert split_bp(0, [("X", 1.0)]) == (("X", 0),)
    with pytest.raises(ValueError, match="weights"):
        split_bp(1, [("X", -1.0)])


# --- Reasons for the seller -----------------------------------------------------------------------

PLAIN = OwnFacts(
    undertaken=False, face_minor=100_000_00, tenor_days=60, pair_items=24, statement_months=6
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, [Reason.BUYERS_CREDIT]),
        ({"undertaken": True}, [Reason.ANCHOR_UNDERTAKES]),
        ({"undertaken": True, "transfers": 2}, [Reason.ANCHOR_UNDERTAKES, Reason.HANDED_ON]),
        ({"undertaken": True, "statement_months": None, "pair_items": 0, "late_buyers": 3,
          "pair_credited": Fraction(1), "largest_customer": Fraction(1)},
         [Reason.ANCHOR_UNDERTAKES]),
        ({"largest_customer": Fraction("0.5")}, [Reason.BUYERS_CREDIT, Reason.FEW_CUSTOMERS]),
        ({"largest_customer": Fraction("0.49")}, [Reason.BUYERS_CREDIT]),
        ({"buyers": 3, "late_buyers": 1}, [Reason.BUYERS_CREDIT, Reason.A_BUYER_PAYS_LATE]),
        ({"buyers": 2, "late_buyers": 1}, [Reason.BUYERS_CREDIT, Reason.PAYMENT_TIMES]),
        ({"pair_credited": Fraction("0.02")}, [Reason.BUYERS_CREDIT, Reason.CREDIT_NOTES]),
        ({"pair_items": 2}, [Reason.BUYERS_CREDIT, Reason.SHORT_RECORD]),
        ({"statement_months": 19}, [Reason.BUYERS_CREDIT, Reason.NO_STATEMENT]),
        ({"statement_months": None}, [Reason.BUYERS_CREDIT, Reason.NO_STATEMENT]),
        ({"face_minor": 90_000_00}, [Reason.BUYERS_CREDIT, Reason.SMALL_AMOUNT]),
        ({"tenor_days": 91}, [Reason.BUYERS_CREDIT, Reason.LONG_TENOR]),
    ],
)  # fmt: skip
def test_a_reason_is_told_from_the_sellers_own_facts(
    changes: dict[str, Any], told: list[Reason]
) -> None:
    assert list(reasons(dataclasses.replace(PLAIN, **changes), POLICY)) == told


def test_at_most_four_reasons_are_told_in_the_order_of_the_list() -> None:
    everything = OwnFacts(
        undertaken=False, face_minor=1_000_00, tenor_days=180, buyers=1, late_buyers=1,
        pair_credited=Fraction("0.1"), largest_customer=Fraction(1),
    )  # fmt: skip
    assert list(reasons(everything, POLICY)) == [
        Reason.BUYERS_CREDIT, Reason.FEW_CUSTOMERS, Reason.PAYMENT_TIMES, Reason.CREDIT_NOTES,
    ]  # fmt: skip


def test_a_refusal_that_would_tell_of_the_buyer_has_one_common_code() -> None:
    of_the_buyer = {"RISK_BELOW_FLOOR", "PRICE_ABOVE_CAP", "OBLIGOR_IN_DEFAULT"}
    assert {refusal_code(Refusal(code)) for code in of_the_buyer} == {"OUTSIDE_RISK_POLICY"}
    assert refusal_code(Refusal("MODEL_UNAVAILABLE")) == "NOT_ASSESSED_YET"
    for own in ("TENOR_SHORT", "SAME_GROUP", "LEAF_NOT_PRICEABLE", "NOTHING_LEFT"):
        assert refusal_code(Refusal(own)) == own


# --- What would change it -------------------------------------------------------------------------


def test_an_undertaking_would_bring_about_three_sixty() -> None:
    levers = Levers(undertaking=ANCHOR, transfers=2)
    found = what_ifs(Q3_WITHOUT, price(Q3_WITHOUT, POLICY), levers, POLICY)
    assert found == (WhatIf(Lever.UNDERTAKING, about_bp=360, saves_bp=620),)
    direct = what_ifs(Q3_WITHOUT, price(Q3_WITHOUT, POLICY), Levers(undertaking=ANCHOR), POLICY)
    assert direct[0].about_bp == 330


def test_an_anchor_without_a_rating_is_judged_by_its_own_items() -> None:
    base, unrated = price(Q2, POLICY), dataclasses.replace(ANCHOR, rated=False)
    rates = [
        what_ifs(Q2, base, Levers(undertaking=unrated, undertaking_items=items), POLICY)[0].about_bp
        for items in (0, 3, 30)
    ]
    assert [rates[0] - rates[2], rates[1] - rates[2]] == [60, 30]


def test_each_lever_is_priced_anew_and_rounded_to_five() -> None:
    levers = Levers(
        undertaking=ANCHOR,
        confirmation=(Dilution(Fraction("0.005")), 4),
        statement=FirmRisk(0.01, 0.02),
        recourse=Recourse(Fraction("0.10")),
        tenor_days=45,
        face_minor=Q3_WITHOUT.face_minor * 3,
    )
    base = price(Q3_WITHOUT, POLICY)
    found = what_ifs(Q3_WITHOUT, base, levers, POLICY)
    assert [one.lever for one in found] == list(Lever)
    assert {one.lever: one.about_bp for one in found}[Lever.RECOURSE] == 635  # 636
    rests = set()
    for days in range(30, 75):
        exact = price(dataclasses.replace(Q3_WITHOUT, tenor_days=days), POLICY).rate_bp
        assert exact is not None
        (shorter,) = what_ifs(Q3_WITHOUT, base, Levers(tenor_days=days), POLICY)
        assert abs(shorter.about_bp - exact) <= 2
        rests.add(exact % 5)
    assert rests == {0, 1, 2, 3, 4}
    assert all(one.about_bp % 5 == 0 and one.saves_bp % 5 == 0 for one in found)


def test_a_lever_is_told_whether_or_not_it_saves() -> None:
    worse = Levers(statement=FirmRisk(0.05, 0.06))
    base = price(Q2, POLICY)
    assert base.rate_bp is not None
    (told,) = what_ifs(Q2, base, worse, POLICY)
    assert (told.lever, told.saves_bp) == (Lever.STATEMENT, 0)
    assert told.about_bp >= base.rate_bp


def test_levers_that_are_not_open_or_end_in_a_refusal_are_left_out() -> None:
    of_plain = Levers(undertaking=ANCHOR, statement=T1, recourse=Recourse(Fraction(0)))
    assert what_ifs(LEAF, price(LEAF, POLICY), of_plain, POLICY) == ()
    longer = Levers(tenor_days=Q2.tenor_days, face_minor=Q2.face_minor)
    assert what_ifs(Q2, price(Q2, POLICY), longer, POLICY) == ()
    bad = FirmRisk(hazard_of(0.2), hazard_of(0.2))
    refused = dataclasses.replace(Q2, obligor=bad)
    assert what_ifs(refused, price(refused, POLICY), Levers(tenor_days=30), POLICY) == ()
    (way_out,) = what_ifs(refused, price(refused, POLICY), Levers(undertaking=ANCHOR), POLICY)
    assert (way_out.lever, way_out.saves_bp) == (Lever.UNDERTAKING, 0)
