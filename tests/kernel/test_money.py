"""Money: currencies, sums within one currency, and splits that lose nothing."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.kernel.errors import InvalidInput
from scf.kernel.money import EXPONENTS, MAX_MINOR, Money, allocate, exponent, format_minor

# One currency per exponent, and those that other tables get wrong.
CURRENCIES = ["JPY", "EUR", "KWD", "CLF"]
_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "UYI": 0, "ISK": 0, "VND": 0, "XAF": 0}
_DIGITS |= {"EUR": 2, "USD": 2, "CNY": 2, "HUF": 2, "IDR": 2, "MGA": 2, "MRU": 2, "TWD": 2}
_DIGITS |= {"KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3, "IQD": 3, "LYD": 3}
_DIGITS |= {"CLF": 4, "UYW": 4}


@pytest.mark.parametrize(("currency", "digits"), _DIGITS.items())
def test_the_minor_unit_is_that_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_the_table_holds_the_current_currencies_only() -> None:
    assert len(EXPONENTS) == 165
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    withdrawn = {"DEM", "HRK", "BGN", "ANG", "ZWL", "SLL", "CUC", "VEF", "BYR"}
    assert withdrawn.isdisjoint(EXPONENTS)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (98_837_500, "EUR", "988375.00"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (0, "JPY", "0"),
        (-1234, "JPY", "-1234"),
        (1, "KWD", "0.001"),
        (12_345, "CLF", "1.2345"),
        (-1, "CLF", "-0.0001"),
        (MAX_MINOR, "EUR", "10000000000000.00"),
    ],
)
def test_amounts_are_written_with_a_dot_and_no_grouping(
    minor: int, currency: str, text: str
) -> None:
    assert format_minor(minor, currency) == text
    assert Money(minor, currency).text == text
    assert str(Money(minor, currency)) == f"{text} {currency}"


def test_money_adds_and_compares_within_a_currency() -> None:
    one, two = Money(100, "EUR"), Money.parse("2.00", "EUR")
    assert one + one == two
    assert two - one == one
    assert -one == Money(-100, "EUR")
    assert one < two
    assert one <= two
    assert two > one
    assert two >= one
    assert len({one, Money(100, "EUR")}) == 1


def test_two_currencies_never_meet() -> None:
    euro, dollar = Money(100, "EUR"), Money(100, "USD")
    assert euro != dollar
    for meet in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro <= dollar,
        lambda: euro > dollar,
        lambda: euro >= dollar,
    ):
        with pytest.raises(InvalidInput) as refused:
            meet()
        assert refused.value.code == "CURRENCY_MIXED"


def test_money_beyond_the_range_is_refused() -> None:
    top = Money(MAX_MINOR, "EUR")
    with pytest.raises(InvalidInput) as refused:
        top + Money(1, "EUR")
    assert refused.value.code == "AMOUNT_RANGE"


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_money_is_a_whole_number(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")  # type: ignore[arg-type]


# --- Allocate ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10_000, [1, 1, 1], [3333, 3333, 3334]),
        (-10_000, [1, 1, 1], [-3333, -3333, -3334]),
        (5, [50, 30, 20], [2, 2, 1]),
        (-5, [50, 30, 20], [-2, -2, -1]),
        (2, [1, 1, 1], [0, 1, 1]),
        (1, [1, 1, 1], [0, 0, 1]),
        (1, [3, 1], [1, 0]),
        (7, [0, 1, 0], [0, 7, 0]),
        (0, [1, 2], [0, 0]),
        (100, [100], [100]),
    ],
)
def test_allocate_gives_equal_remainders_to_the_later_parts(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert allocate(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [3, -1], [-1]])
def test_weights_that_split_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(InvalidInput) as refused:
        allocate(100, weights)
    assert refused.value.code == "WEIGHTS"


def must_conserve(total: int, currency: str, weights: list[int]) -> None:
    parts = [part.minor for part in Money(total, currency).allocate(weights)]
    whole = sum(weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - total * weight) < whole  # within one minor unit of exact
        assert part * total >= 0
        assert weight or part == 0


@settings(max_examples=2_000)
@given(
    st.integers(-MAX_MINOR, MAX_MINOR),
    st.sampled_from(CURRENCIES),
    st.lists(st.integers(0, MAX_MINOR), min_size=1, max_size=8).filter(any),
)
def test_a_split_conserves_the_total_and_is_fair(
    total: int, currency: str, weights: list[int]
) -> None:
    must_conserve(total, currency, weights)


def test_twenty_thousand_splits_of_every_size_conserve_the_total_and_are_fair() -> None:
    dice = random.Random(20260310)

    def amount() -> int:
        """Give an amount of any length, where the short ones are as common as the long."""
        return dice.randint(0, min(10 ** dice.randint(0, 15), MAX_MINOR))

    for _ in range(20_000):
        weights = [amount() for _ in range(dice.randint(1, 8))]
        weights[dice.randrange(len(weights))] += not any(weights)
        must_conserve(dice.choice((-1, 1)) * amount(), dice.choice(CURRENCIES), weights)


@pytest.mark.parametrize("rows", [20_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_a_million_splits_conserve_their_totals(rows: int) -> None:
    """A tenth of them at each run, the million in the long one."""
    width = 5
    dice = np.random.default_rng(20260310)
    for columns in range(2, 2 + width):
        totals = dice.integers(0, MAX_MINOR, rows, endpoint=True)
        totals[: rows // 2] %= 1_000  # small totals, where ties and remainders are common
        weights = dice.integers(0, 1_000, (rows, columns))
        weights[rows // 4 : rows // 2] = 1
        weights[:, 0] += 1  # no row without weight
        # the same rule, written for arrays: 10^15 × 10^3 stays within 64 bits
        whole = weights.sum(axis=1)
        shares = totals[:, None] * weights
        expected = shares // whole[:, None]
        left = totals - expected.sum(axis=1)
        # a stable sort of the reversed columns puts the later of two equal remainders first
        order = np.argsort(-(shares % whole[:, None])[:, ::-1], axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")[:, ::-1]
        expected += rank < left[:, None]
        ours = np.array(
            [allocate(t, w) for t, w in zip(totals.tolist(), weights.tolist(), strict=True)]
        )
        assert (ours.sum(axis=1) == totals).all()
        assert (ours == expected).all()
