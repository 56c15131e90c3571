"""The schedule is pure: golden figures, and nothing lost whatever is paid when."""

import datetime as dt
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from scf.kernel.daycount import DayCount
from scf.kernel.penalty import PenaltyTerms
from scf.kernel.rates import early_rebate, percent_to_fraction
from scf.settlement.schedule import Loan, Money, plan

START, DUE = dt.date(2026, 3, 10), dt.date(2026, 6, 8)
A_DAY = dt.timedelta(days=1)
TERMS = PenaltyTerms(percent_to_fraction("4.65"), DayCount.ACT_360)
CASE_ONE = Loan("a", 100_000_000, 1_162_500, 0, START, DUE, TERMS, rebate_share_ppm=800_000)


def loan(name: str, face: int, **how: object) -> Loan:
    values = {
        "discount": face // 50, "fee": face // 900, "start": START, "due_on": DUE,
        "penalty": TERMS, "rebate_share_ppm": 800_000,
    }  # fmt: skip
    return Loan(name, face, **(values | how))  # type: ignore[arg-type]


def test_golden_six_splits_the_unearned_discount() -> None:
    paid = Money("x", dt.date(2026, 5, 19), 100_000_000)
    standing = plan([CASE_ONE], [paid], 0, paid.value_on).standings["a"]
    (release,) = standing.releases
    assert (release.unearned, release.rebate) == (258_333, 206_667)
    assert standing.income == 1_162_500 - 206_667
    golden = early_rebate(1_162_500, START, DUE, paid.value_on, 800_000)
    assert (golden.unearned, golden.rebate) == (release.unearned, release.rebate)


def test_golden_five_in_whatever_order_the_payments_are_found() -> None:
    paid = [
        Money("x", dt.date(2026, 6, 13), 40_000_000),
        Money("y", dt.date(2026, 6, 20), 60_178_381),
    ]
    for order in itertools.permutations(paid):
        standing = plan([CASE_ONE], order, 0, dt.date(2026, 6, 20)).standings["a"]
        assert (standing.penalty, standing.penalty_paid) == (178_381, 178_381)
        assert standing.repaid == 100_000_000


def test_golden_fifteen_leaves_the_seller_nothing() -> None:
    loans = [
        loan("a", 40_000_000),
        loan("b", 30_000_000, start=dt.date(2026, 4, 9)),
    ]
    made = plan(loans, [Money("x", DUE, 60_000_000)], 30_000_000, DUE)
    assert [(one.kind, one.loan_id, one.amount) for one in made.parts] == [
        ("principal", "a", 40_000_000),
        ("principal", "b", 20_000_000),
    ]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Loan], list[Money], int]:
    faces = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=3))
    grace = draw(st.sampled_from([0, 3]))
    terms = PenaltyTerms(
        percent_to_fraction("4.65"), DayCount.ACT_360, grace_days=grace,
        grace_free=draw(st.booleans()),
    )  # fmt: skip
    share = draw(st.sampled_from([0, 333_333, 800_000, 1_000_000]))
    effective = draw(st.booleans())
    loans = [
        loan(f"l{n}", face, penalty=terms, rebate_share_ppm=share, effective=effective)
        for n, face in enumerate(faces)
    ]
    days = st.integers(1, 120)
    amounts = st.integers(1, 2 * max(faces))
    paid = draw(st.lists(st.tuples(days, amounts), max_size=6))
    payments = [Money(f"p{n}", START + day * A_DAY, amount) for n, (day, amount) in enumerate(paid)]
    return loans, payments, draw(st.integers(0, 10**9))


@given(histories())
def test_every_payment_is_shared_out_to_the_last_unit(
    history: tuple[list[Loan], list[Money], int],
) -> None:
    loans, payments, rest = history
    made = plan(loans, payments, rest, START + 130 * A_DAY)
    for one in payments:
        assert sum(part.amount for part in made.of(one.key)) == one.amount
    assert sum(part.amount for part in made.parts if part.kind == "seller") <= rest
    for each in loans:
        standing = made.standings[each.id]
        own = [part for part in made.parts if part.loan_id == each.id]
        assert standing.repaid == sum(one.amount for one in own if one.kind == "principal")
        assert standing.penalty_paid == sum(one.amount for one in own if one.kind == "penalty")
        assert 0 <= standing.repaid <= each.face
        assert 0 <= standing.penalty_paid <= standing.penalty


@given(histories())
def test_a_life_earns_its_discount_and_fee_exactly(
    history: tuple[list[Loan], list[Money], int],
) -> None:
    loans, payments, rest = history
    made = plan(loans, payments, rest, START + 130 * A_DAY)
    for each in loans:
        standing = made.standings[each.id]
        assert standing.income + standing.rebates == each.discount
        assert standing.fee == each.fee
        assert all(0 <= one.rebate <= one.unearned for one in standing.releases)


@given(histories())
@settings(max_examples=50)
def test_income_and_lateness_only_grow_while_nothing_is_found_late(
    history: tuple[list[Loan], list[Money], int],
) -> None:
    loans, payments, rest = history
    before = None
    for day in range(1, 130, 7):
        today = START + day * A_DAY
        known = [one for one in payments if one.value_on <= today]
        now = plan(loans, known, rest, today).standings
        if before is not None:
            for name, standing in now.items():
                assert standing.income >= before[name].income
                assert standing.penalty >= before[name].penalty
        before = now
