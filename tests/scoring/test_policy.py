"""The risk appetite as data: read whole, each figure with its provenance, or refused."""

import copy
import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from scoring.canonical import dump, load
from scoring.card import CardInputs, score
from scoring.policy import PROVENANCE, Policy
from scoring.pricing import price
from scoring.schema import FirmRisk, PriceInputs, PriceResult
from tests.scoring.quotes import INSURED, LEAF, MAPPING, POLICY, Q1, Q2, Q3

Spoil = Callable[[dict[str, Any]], object]

SPOILT: dict[str, tuple[Spoil, str]] = {
    "a figure without provenance": (lambda m: m["charges"].pop("provenance"), "charges.hurdle"),
    "an unknown word": (lambda m: m["lgd"]["silent"].update(provenance="rumour"), "rumour"),
    "an unknown figure": (lambda m: m["charges"].update(bonus="1"), "bonus"),
    "a missing figure": (lambda m: m["charges"].pop("hurdle"), "hurdle"),
    "no number": (lambda m: m["charges"].update(hurdle="much"), "hurdle"),
    "a margin below nothing": (lambda m: m["charges"].update(margin_bp="-1"), "margin_bp"),
    "a negative benchmark": (lambda m: m["funding"][0].update(rate="-0.001"), "funding"),
    "more lost than there is": (lambda m: m["lgd"]["cases"]["bank"].update(value="1.1"), "lgd"),
    "another kind": (lambda m: m.update(kind="trained"), "kind"),
    "falling bands": (lambda m: m["card"]["rows"][0]["bands"].reverse(), "late_share"),
    "two first bands": (
        lambda m: m["card"]["rows"][0]["bands"].insert(1, {"points": 0}), "minus infinity",
    ),
    "falling grades": (lambda m: m["scale"]["grades"].reverse(), "scale.grades"),
    "no first grade": (lambda m: m["scale"]["grades"].pop(0), "begin at 0"),
    "no funding": (lambda m: m["funding"].clear(), "funding"),
}  # fmt: skip


def test_every_figure_says_where_it_comes_from() -> None:
    words = dict(POLICY.provenance)
    assert set(words.values()) <= set(PROVENANCE)
    assert words["charges.hurdle"] == words["card.rows.1.bands.3.points"] == "prior"
    assert words["lgd.cases.undertaking"] == "cited"
    assert len(words) > 150
    assert (POLICY.version, POLICY.kind) == ("expert-1", "expert_prior")


def test_the_figures_are_exact() -> None:
    assert POLICY.charges.capital_ratio == Fraction(105, 1000)
    assert POLICY.model.kappa == Fraction(3, 4)
    assert [(point.days, point.rate) for point in POLICY.funding] == [
        (30, Fraction("0.0230")),
        (60, Fraction("0.0240")),
        (90, Fraction("0.0250")),
        (180, Fraction("0.0270")),
        (365, Fraction("0.03")),
    ]


@pytest.mark.parametrize(("spoil", "named"), SPOILT.values(), ids=SPOILT)
def test_a_policy_that_is_not_whole_is_refused_by_name(spoil: Spoil, named: str) -> None:
    mapping = copy.deepcopy(MAPPING)
    spoil(mapping)
    with pytest.raises(ValueError, match=named):
        Policy.from_mapping(mapping)


def test_a_stored_price_prices_again_to_the_last_digit() -> None:
    policy = load(Policy, dump(POLICY))
    assert policy == POLICY
    for inputs in (Q1, Q2, Q3, LEAF, INSURED):
        stored = dump(inputs)
        result = price(inputs, POLICY)
        assert load(PriceInputs, stored) == inputs
        assert dump(load(PriceInputs, stored)) == stored
        assert load(PriceResult, dump(result)) == result
        assert price(load(PriceInputs, stored), policy) == result


def test_a_stored_score_scores_again_to_the_last_digit() -> None:
    inputs = CardInputs(late_share=Fraction(13, 80), months_observed=7)
    assert score(load(CardInputs, dump(inputs)), POLICY.card) == score(inputs, POLICY.card)


def test_equal_values_have_one_text() -> None:
    firm = FirmRisk(0.1, 0.30000000000000004)
    again = dataclasses.replace(firm)
    assert dump(firm) == dump(again)
    assert "0.30000000000000004" in dump(firm)
