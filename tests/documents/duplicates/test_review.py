"""The review tier: copies with another number are shown to a person, honest neighbours are not.

The thresholds were fixed on seeds 1 to 5; these are others.
"""

import datetime as dt
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from scf.documents.duplicates.rules import (
    Print,
    compare,
    lines_print,
    lines_sketch,
    named_lines,
    suspicions,
)
from tests.documents.duplicates.fraudsim import Paper, honest, prints, with_copies, with_parts

DAY = dt.date(2026, 3, 2)
ONE = Print("1", "INV-104", "104", DAY, 1_250_000)


def other(days: int = 0, **changes: Any) -> Print:  # noqa: ANN401 - any field of a print
    issued = ONE.issue_on + dt.timedelta(days=days)
    usual: dict[str, Any] = {"id": "2", "number": "INV-990", "canonical": "990"}
    return ONE._replace(**(usual | {"issue_on": issued} | changes))


def code(one: Print, two: Print) -> str:
    found = compare(one, two)
    return found.code if found else ""


def test_the_same_amount_within_three_days_is_looked_at() -> None:
    assert code(ONE, other(3)) == "SAME_AMOUNT"
    assert code(ONE, other(4)) == ""
    assert code(ONE, other(3, amount=ONE.amount + 1)) == ""


def test_a_near_number_with_a_near_amount_within_a_week_is_looked_at() -> None:
    near = {"number": "INV-1045", "canonical": "1045", "amount": 1_274_000}
    assert code(ONE, other(7, **near)) == "NEAR_NUMBER"
    assert code(ONE, other(8, **near)) == ""
    assert code(ONE, other(7, **near | {"amount": 1_280_000})) == ""


@pytest.mark.parametrize(
    ("canonical", "is_near"),
    [("A1042", True), ("AB1402", True), ("AB104", True), ("AB10429", True), ("X1042", False)],
)
def test_near_is_one_sign_changed_swapped_added_or_left_out(canonical: str, is_near: bool) -> None:
    one = ONE._replace(canonical="AB1042")
    two = other(5, canonical=canonical, amount=1_260_000)
    assert (code(one, two) == "NEAR_NUMBER") is is_near


def test_the_next_numbers_of_a_supplier_are_not_near() -> None:
    assert code(ONE, other(5, canonical="105", amount=1_260_000)) == ""


def test_the_same_order_twice_is_looked_at_unless_it_bounds_both() -> None:
    first = ONE._replace(order="PO7")
    assert code(first, other(40, order="PO7", amount=1_240_000)) == "SAME_ORDER"
    bounded = first._replace(fits_order=True)
    assert code(bounded, other(40, order="PO7", fits_order=True)) == ""
    assert code(bounded, other(40, order="PO7", fits_order=False)) == "SAME_ORDER"
    assert code(first, other(0, order="PO8")) == ""


def test_part_shipments_with_equal_amounts_pass_while_their_order_is_not_exceeded() -> None:
    first = ONE._replace(number="INV-104-1", canonical="1041", order="PO7")
    second = other(3, number="INV-104-2", canonical="1042", order="PO7")
    assert code(first, second) == ""
    assert code(first, second._replace(fits_order=False)) == "SAME_ORDER"


def test_a_billing_day_of_one_file_passes_and_a_copy_in_another_does_not() -> None:
    first = ONE._replace(upload="monday")
    next_one = other(number="INV-105", canonical="105", upload="monday")
    assert code(first, next_one) == ""
    assert code(first, next_one._replace(upload="tuesday")) == "SAME_AMOUNT"


def test_a_monthly_fee_passes() -> None:
    fee = lines_print(["fee"])
    assert code(ONE._replace(lines=fee), other(28, lines=fee)) == ""
    assert code(ONE._replace(lines=fee), other(6, lines=fee)) == "SAME_LINES"


def test_a_number_dated_over_the_new_year_is_looked_at_and_next_years_own_is_not() -> None:
    assert code(ONE, other(20, canonical="104")) == "SAME_NUMBER"
    assert code(ONE, other(365, canonical="104")) == ""


def test_lines_are_one_print_in_any_order_and_none_without_names() -> None:
    one = named_lines([("Bolt", 5), ("NUT ", 2)])
    assert one == named_lines([("nut", 2), ("bolt", 5)])
    assert one != named_lines([("bolt", 6), ("nut", 2)])
    assert lines_print(one) == lines_print(list(one))
    assert named_lines([("", 5)]) == named_lines([]) == ()
    assert lines_print(()) is None


def test_a_copy_with_a_line_less_or_more_is_looked_at() -> None:
    goods = named_lines([("bolt", 5), ("nut", 2), ("washer", 9)])
    first = ONE._replace(goods=goods)
    part = other(7, amount=400, upload="u2", goods=goods[:2])
    assert code(first, part) == code(part, first) == "SOME_LINES"
    assert code(first, part._replace(goods=(*goods, "freight"))) == "SOME_LINES"
    assert code(first, part._replace(goods=(*goods[:2], "oil", "tar"))) == ""
    assert code(first, part._replace(goods=goods[:1])) == ""
    assert code(first, other(8, amount=400, goods=goods[:2])) == ""
    assert code(first._replace(order="PO7"), part._replace(order="PO8")) == ""
    assert code(first._replace(fits_order=True), part._replace(fits_order=True)) == ""


@pytest.mark.parametrize("count", [3, 4, 9])
def test_whichever_line_is_left_out_the_sketches_share_a_number(count: int) -> None:
    goods = ["article twice", *(f"article {n // 2}" for n in range(count - 1))]
    whole = set(lines_sketch(goods))
    for lost in range(count):
        assert whole & set(lines_sketch(goods[:lost] + goods[lost + 1 :]))
    assert lines_sketch(goods[:1]) == lines_sketch([]) == (None, None)


# --- On simulated trade ---------------------------------------------------------------------------


def measured(seed: int, pairs: int, share: float) -> tuple[float, float, float]:
    """Give recall, share of honest invoices flagged, and precision."""
    clean = honest(seed, pairs)
    papers: list[Paper] = with_copies(seed, clean, share)
    flagged = {
        int(later)
        for rows in prints(papers).values()
        for later, _, _ in suspicions(combinations(rows, 2))
    }
    copies = {place for place, one in enumerate(papers) if one.fraud}
    right = len(flagged & copies)
    return right / len(copies), len(flagged - copies) / len(clean), right / len(flagged)


def test_copies_with_other_numbers_are_found_among_honest_lookalikes() -> None:
    recall, false, precision = measured(seed=11, pairs=600, share=0.02)
    assert recall >= 0.95
    assert false <= 0.005
    assert precision >= 0.5


def test_copies_of_a_part_are_found_and_add_no_false_flag() -> None:
    clean = honest(12, 600)
    papers = with_parts(12, clean, 60)
    found = [
        (int(later), suspicion.code)
        for rows in prints(papers).values()
        for later, _, suspicion in suspicions(combinations(rows, 2))
    ]
    parts = {place for place, one in enumerate(papers) if one.fraud}
    assert {later for later, _ in found} >= parts
    assert len({later for later, _ in found} - parts) <= 0.0005 * len(clean)


@pytest.mark.long
@pytest.mark.parametrize("share", [0.01, 0.001])
def test_recall_and_false_flags_on_unseen_seeds(share: float) -> None:
    rows = [measured(seed, 3_000, share) for seed in range(11, 21)]
    recall, false, precision = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    assert recall >= 0.95
    assert false <= 0.005
    assert precision >= {0.01: 0.9, 0.001: 0.5}[share]


def test_of_a_crowd_of_equal_amounts_each_raises_few_suspicions_the_nearest_first() -> None:
    crowd = [
        ONE._replace(id=f"{n:04d}", number=f"{n * 977}", canonical=f"{n * 977}", upload=f"{n}",
                     issue_on=DAY + dt.timedelta(days=n // 50))
        for n in range(1, 151)
    ]  # fmt: skip
    found = suspicions(combinations(crowd, 2))
    later = Counter(one for one, _, _ in found)
    assert set(later.values()) == {1, 2, 3}
    assert len(later) == len(crowd) - 1
    days = [one.facts["days"] for _, _, one in found]
    assert days.count(0) > len(days) * 9 // 10
