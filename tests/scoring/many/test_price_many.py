"""Many items priced in columns are priced as each of them would be alone, to the last bit."""

import dataclasses
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from scoring.many import CLAIMS, REFUSALS, Prices, price_many
from scoring.many.columns import no_prices
from scoring.policy import Policy
from scoring.pricing import price
from tests.scoring.many.random_books import Row, book, rows
from tests.scoring.quotes import POLICY, Q1, Q2, Q3

REFUSED = (
    "TENOR_SHORT", "MODEL_UNAVAILABLE", "OBLIGOR_IN_DEFAULT", "PRICE_BELOW_HURDLE",
    "RISK_BELOW_FLOOR", "PRICE_ABOVE_CAP", "LEAF_NOT_PRICEABLE", "SAME_GROUP",
)  # fmt: skip
_SEEN_BY_ROW = {"by_row"}


def one_by_one(drawn: list[Row], policy: Policy) -> Prices:
    """Price every item with the single price; the judge."""
    columns, judged = book(drawn), no_prices(len(drawn))
    for row in range(len(drawn)):
        judged.set_row(row, price(columns.inputs_at(row, policy), policy), policy)
    return judged


def differing(made: Prices, judged: Prices) -> dict[str, list[int]]:
    """Give the rows of each column that are not the same to the last bit."""
    found = {}
    for field in dataclasses.fields(Prices):
        if field.name in _SEEN_BY_ROW:
            continue
        ours, theirs = getattr(made, field.name), getattr(judged, field.name)
        both_missing = np.isnan(ours) & np.isnan(theirs)
        wrong = np.flatnonzero(~((ours == theirs) | both_missing).reshape(len(ours), -1).all(1))
        if len(wrong):
            found[field.name] = wrong.tolist()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_columns_and_rows_say_the_same_to_the_last_bit(seed: int) -> None:
    drawn = rows(random.Random(seed), 1_500)
    made = price_many(book(drawn), POLICY)
    assert differing(made, one_by_one(drawn, POLICY)) == {}
    assert (made.rate_bp >= 0).sum() > 300, "the draw has to price something"
    assert {REFUSALS[one] for one in np.unique(made.refusal)} >= set(REFUSED)


def test_few_rows_of_an_ordinary_book_need_the_single_price() -> None:
    drawn = [
        one
        for one in rows(random.Random(9), 6_000)
        if one.fields["face_minor"] < 10**11 and one.special is None
    ]
    made = price_many(book(drawn), POLICY)
    priced = made.rate_bp >= 0
    assert priced.sum() > 1_000
    assert (made.by_row & priced).sum() < 0.05 * priced.sum()


def test_the_worked_quotes_come_out_of_columns() -> None:
    """Source: pricing.md 2.5."""
    for inputs in (Q1, Q2, Q3):
        judged = price(inputs, POLICY)
        dilution = inputs.dilution.share if inputs.dilution else Fraction(0)
        row = Row(
            {
                "claim": CLAIMS.index(inputs.claim),
                "case": {"undertaking": 0, "other_debtor": 3}[inputs.lgd.case],
                "face_minor": inputs.face_minor, "fees_minor": 0,
                "tenor_days": inputs.tenor_days, "basis": 360, "exponent": 2,
                "silent": False, "cross_border": False,
                "settled_items": inputs.settled_items, "late_days": inputs.late_days,
                "reserve_ppm": 0, "covers_credit": False, "basel": False,
                # Without items the prior stands; with a million their own share comes near.
                "credited_minor": 0, "gross_minor": 0, "items": 0,
                "recourse": inputs.recourse is not None, "after_days": 0,
                "pair_sales": 10, "seller_sales": 100, "proceeds": False,
                "legal_cap_ppm": -1, "margin_shift_bp": 0,
            },
            inputs.obligor,
            inputs.seller,
        )  # fmt: skip
        made = price_many(book([row]), POLICY)
        if dilution in {0, Fraction("0.01")}:  # the prior itself
            assert made.rate_bp.tolist() == [judged.rate_bp]
            assert made.bp[0].tolist() == [part.bp for part in judged.components]
        assert made.pd_one_year[0] == (judged.memo.pd_one_year if judged.memo else None)


@pytest.mark.parametrize(
    "charges",
    [
        {"operating_variable_bp": Fraction("2.5")},
        {"operating_variable_bp": Fraction(1, 3_000_000)},
        {"uncertainty_until_items": 0},
        {"hurdle": Fraction("0.001")},
        {"operating_fixed": Fraction(0)},
    ],
)
def test_another_policy_prices_in_columns_as_by_row(charges: dict[str, Any]) -> None:
    policy = dataclasses.replace(POLICY, charges=dataclasses.replace(POLICY.charges, **charges))
    drawn = rows(random.Random(3), 300)
    assert differing(price_many(book(drawn), policy), one_by_one(drawn, policy)) == {}


def test_an_empty_book_has_no_prices() -> None:
    columns = book(rows(random.Random(1), 2)).take(np.zeros(0, dtype=np.int64))
    assert len(price_many(columns, POLICY).rate_bp) == 0
