"""Golden 5: penalty with grace, part payments and payments found late."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.money import format_minor
from scf.kernel.rates import Payment, Penalty, PenaltyTerms, penalty, percent_to_fraction

FACE = 100_000_000
DUE, PAID = date(2026, 6, 8), date(2026, 6, 20)
RATE = percent_to_fraction("4.65")
PLAIN = PenaltyTerms(RATE, DayCount.ACT_360)
FREE_GRACE = PenaltyTerms(RATE, DayCount.ACT_360, grace_days=3, grace_free=True)
GRACE = PenaltyTerms(RATE, DayCount.ACT_360, grace_days=3)
EXTRA = PenaltyTerms(RATE, DayCount.ACT_360, extra_only=True)
EXTRA_FREE_GRACE = PenaltyTerms(
    RATE, DayCount.ACT_360, extra_only=True, grace_days=3, grace_free=True
)
PRINCIPAL_FIRST = PenaltyTerms(RATE, DayCount.ACT_360, principal_first=True)
FOUND = Payment(date(2026, 6, 13), 40_000_000)


def euros(minor: int) -> str:
    return format_minor(minor, "EUR")


def test_the_penalty_rate_is_150_percent_of_the_contract_rate() -> None:
    assert PLAIN.penalty_rate == percent_to_fraction("6.975")
    assert EXTRA.penalty_rate == percent_to_fraction("2.325")


@pytest.mark.parametrize(
    ("terms", "total"),
    [
        (PLAIN, "2325.00"),
        (FREE_GRACE, "1743.75"),
        (GRACE, "2325.00"),
        (EXTRA, "775.00"),
        (EXTRA_FREE_GRACE, "581.25"),
    ],
)
def test_golden_5_twelve_days_late(terms: PenaltyTerms, total: str) -> None:
    assert euros(penalty(FACE, DUE, PAID, terms).total) == total


@pytest.mark.parametrize(
    ("days", "total"), [(0, "0.00"), (1, "0.00"), (3, "0.00"), (4, "775.00"), (12, "2325.00")]
)
def test_golden_5_grace_that_is_not_free_costs_from_the_due_date(days: int, total: str) -> None:
    assert euros(penalty(FACE, DUE, DUE + timedelta(days=days), GRACE).total) == total


def test_golden_5_a_line_is_rounded_once() -> None:
    # a daily 64.58 times twelve would be 774.96
    assert euros(penalty(33_333_333, DUE, PAID, PLAIN).total) == "775.00"


def test_golden_5_a_payment_found_late_is_worked_out_from_its_value_date() -> None:
    before = penalty(FACE, DUE, PAID, PLAIN)
    after = penalty(FACE, DUE, PAID, PLAIN, [FOUND])
    assert [euros(line.amount) for line in after.lines] == ["968.75", "815.06"]
    (allocation,) = after.allocations
    assert euros(allocation.penalty) == "968.75"
    assert euros(allocation.principal) == "399031.25"
    assert euros(after.unpaid_face) == "600968.75"
    assert euros(after.unpaid_penalty) == "815.06"
    assert euros(after.total) == "1783.81"
    assert euros(after.total - before.total) == "-541.19"


def test_golden_5_principal_first() -> None:
    result = penalty(FACE, DUE, PAID, PRINCIPAL_FIRST, [FOUND])
    assert euros(result.total) == "1782.50"
    assert euros(result.unpaid_face) == "600000.00"


def test_the_rest_received_settles_face_and_penalty_to_zero() -> None:
    rest = Payment(PAID, 60_178_381)  # 601,783.81
    result = penalty(FACE, DUE, PAID, PLAIN, [rest, FOUND])
    assert (result.unpaid_face, result.unpaid_penalty) == (0, 0)
    assert [allocation.surplus for allocation in result.allocations] == [0, 0]
    assert euros(result.total) == "1783.81"


def test_more_than_is_owed_is_a_surplus() -> None:
    result = penalty(FACE, DUE, PAID, PLAIN, [Payment(PAID, FACE + 232_500 + 1)])
    (allocation,) = result.allocations
    assert (allocation.penalty, allocation.principal, allocation.surplus) == (232_500, FACE, 1)


def test_a_part_paid_within_grace_bears_no_penalty() -> None:
    early = Payment(DUE + timedelta(days=3), 40_000_000)
    result = penalty(FACE, DUE, PAID, GRACE, [early])
    assert [(line.start, line.end, line.base) for line in result.lines] == [(DUE, PAID, 60_000_000)]
    assert result.allocations[0].principal == 40_000_000


def test_a_payment_before_the_due_date_lowers_the_base() -> None:
    early = Payment(DUE - timedelta(days=10), 40_000_000)
    assert euros(penalty(FACE, DUE, PAID, PLAIN, [early]).total) == "1395.00"


def test_penalty_bears_no_penalty() -> None:
    small = Payment(date(2026, 6, 13), 10_000)  # covers part of the 968.75
    result = penalty(FACE, DUE, PAID, PLAIN, [small])
    assert result.unpaid_face == FACE
    assert euros(result.total) == "2325.00"
    assert euros(result.unpaid_penalty) == "2225.00"


def test_a_rate_below_zero_never_rewards_lateness() -> None:
    terms = PenaltyTerms(percent_to_fraction("-0.5"), DayCount.ACT_360)
    assert penalty(FACE, DUE, PAID, terms).total == 0


@pytest.mark.parametrize(
    ("face", "payments", "code"),
    [
        (-1, [], "AMOUNT_RANGE"),
        (FACE, [Payment(DUE, 0)], "AMOUNT_RANGE"),
        (FACE, [Payment(DUE, -5)], "AMOUNT_RANGE"),
        (FACE, [Payment(PAID + timedelta(days=1), 5)], "PAYMENT_AFTER_CLOSE"),
    ],
)
def test_impossible_payments_are_refused(face: int, payments: Sequence[Payment], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        penalty(face, DUE, PAID, PLAIN, payments)
    assert refused.value.code == code


_payments = st.lists(
    st.builds(
        Payment,
        st.integers(-5, 40).map(lambda days: DUE + timedelta(days=days)),
        st.integers(1, 3 * FACE // 2),
    ),
    max_size=5,
)
_terms = st.builds(
    PenaltyTerms,
    st.integers(0, 200_000).map(lambda ppm: percent_to_fraction("0.0001") * ppm),
    st.sampled_from(DayCount),
    multiple_ppm=st.integers(1_000_000, 3_000_000),
    extra_only=st.booleans(),
    grace_days=st.integers(0, 10),
    grace_free=st.booleans(),
    principal_first=st.booleans(),
)


def _owed(result: Penalty) -> int:
    return result.unpaid_face + result.unpaid_penalty


@given(st.integers(0, FACE), _terms, _payments)
def test_every_cent_of_every_payment_is_accounted_for(
    face: int, terms: PenaltyTerms, payments: list[Payment]
) -> None:
    result = penalty(face, DUE, DUE + timedelta(days=40), terms, payments)
    given_out = sum(a.penalty + a.principal + a.surplus for a in result.allocations)
    paid = sum(payment.amount for payment in payments)
    surplus = sum(allocation.surplus for allocation in result.allocations)
    assert given_out == paid
    assert _owed(result) == face + result.total - paid + surplus
    assert result.unpaid_face >= 0
    assert result.unpaid_penalty >= 0
    assert all(a.penalty >= 0 and a.principal >= 0 and a.surplus >= 0 for a in result.allocations)
    assert not any(a.surplus for a in result.allocations) or result.unpaid_face == 0


@given(st.integers(0, FACE), _terms, _payments)
def test_the_order_in_which_payments_are_found_does_not_matter(
    face: int, terms: PenaltyTerms, payments: list[Payment]
) -> None:
    until = DUE + timedelta(days=40)
    by_day = {payment.value_on: payment for payment in payments}
    distinct = list(by_day.values())
    assert penalty(face, DUE, until, terms, distinct) == penalty(
        face, DUE, until, terms, distinct[::-1]
    )
