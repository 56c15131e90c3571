"""The matcher: what is certain is right, money is conserved, and order does not matter."""

import dataclasses
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.documents.fingerprints import canonical_number
from scf.settlement.reconcile import Entries, OpenItems, Verdict, reconcile
from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile.sums import adding_up
from tests.settlement.reconcile.counting import count
from tests.settlement.reconcile.payers import make


def items_of(*rows: tuple[str, int, str]) -> OpenItems:
    """Make items of (number, amount, payer), due one day after the other."""
    return OpenItems(
        ids=[f"i{place}" for place in range(len(rows))],
        numbers=[canonical_number(row[0]) for row in rows],
        amounts=[row[1] for row in rows],
        currencies=["EUR"] * len(rows),
        payers=[row[2] for row in rows],
        due=list(range(len(rows))),
        spellings=[row[0] for row in rows],
        names=[row[2] for row in rows],
    )


def said(items: OpenItems, *rows: tuple[int, str, str]) -> list[Verdict]:
    """Match entries of (amount, text, sender or nothing)."""
    entries = Entries(
        ids=[f"e{place}" for place in range(len(rows))],
        amounts=[row[0] for row in rows],
        currencies=["EUR"] * len(rows),
        texts=[row[1] for row in rows],
        senders=[(row[2],) if row[2] else () for row in rows],
        names=[""] * len(rows),
    )
    return reconcile(entries, items)


TWO = items_of(("INV-2026-0101", 1000, "A"), ("INV-2026-0202", 1000, "A"))


@pytest.mark.parametrize("amount", [1000, 400, 1400, 2000])
def test_money_of_the_seller_for_its_own_invoice_is_looked_at_by_two(amount: int) -> None:
    sold = dataclasses.replace(TWO, others=["S", "S"])
    text = "INV-2026-0101" + (" INV-2026-0202" if amount == 2000 else "")
    (verdict,) = said(sold, (amount, text, "S"))
    assert verdict.proposals
    assert not verdict.certain
    assert why.PAYER_OTHER in verdict.proposals[0].reasons
    assert all(why.PAYER not in one.reasons for one in verdict.proposals)
    (owed,) = said(sold, (amount, text, "A"))
    assert owed.certain


@pytest.mark.parametrize(
    ("amount", "text", "sender", "certain", "first", "reason"),
    [
        (1000, "INV-2026-0101", "A", True, {0: 1000}, why.REFERENCE),
        (2000, "inv 2026/101 and INV-2026-0202", "A", True, {0: 1000, 1: 1000}, why.AMOUNT_SUM),
        (400, "INV-2026-0101", "A", True, {0: 400}, why.AMOUNT_PART),
        (1400, "INV-2026-0101", "A", True, {0: 1000}, why.AMOUNT_OVER),
        (1000, "INV-2026-0110", "A", False, {0: 1000}, why.REFERENCE_NEAR),
        (1000, "XINV20260202Y", "A", False, {1: 1000}, why.REFERENCE_GLUED),
        (1000, "thank you", "A", False, {0: 1000}, why.AMOUNT),
        (2000, "thank you", "A", False, {0: 1000, 1: 1000}, why.AMOUNT_SUM),
        (1000, "INV-2026-0101", "B", False, {0: 1000}, why.PAYER_OTHER),
        (1000, "INV-2026-0101", "", False, {0: 1000}, why.PAYER_UNKNOWN),
    ],
)
def test_what_a_text_and_a_sum_tell(
    amount: int, text: str, sender: str, first: dict[int, int], reason: str, *, certain: bool
) -> None:
    (verdict,) = said(TWO, (amount, text, sender))
    assert verdict.certain is certain
    assert verdict.best is not None
    assert {one.item: one.amount for one in verdict.best.pays} == first
    assert reason in verdict.best.reasons


def test_a_damaged_number_is_certain_only_where_the_sum_is_the_payers_only_one() -> None:
    alone = items_of(("INV-2026-0101", 1000, "A"), ("INV-2026-0202", 1001, "A"))
    (verdict,) = said(alone, (1000, "INV-2026-0110", "A"))
    assert verdict.certain


def test_a_number_that_one_typo_makes_of_another_of_the_same_sum_goes_to_a_person() -> None:
    close = items_of(("INV-2026-0101", 1000, "A"), ("INV-2026-0102", 1000, "A"))
    (alone,) = said(close, (1000, "INV-2026-0101", "A"))
    assert not alone.certain
    assert alone.best is not None
    assert why.LOOK_ALIKE in alone.best.reasons
    # Each named by an entry of its own: then nobody can have meant the other.
    both = said(close, (1000, "INV-2026-0101", "A"), (1000, "INV-2026-0102", "A"))
    assert all(one.certain for one in both)


def test_one_item_paid_twice_goes_to_a_person_both_times() -> None:
    twice = said(TWO, (1000, "INV-2026-0101", "A"), (1000, "INV-2026-0101", "A"))
    assert [one.certain for one in twice] == [False, False]
    assert all(one.best and why.CONTESTED in one.best.reasons for one in twice)


def test_instalments_that_make_the_sum_are_certain_together() -> None:
    close = items_of(("INV-2026-0101", 1000, "A"), ("INV-2026-0102", 900, "A"))
    (alone,) = said(close, (400, "INV-2026-0101", "A"))
    assert not alone.certain  # it may be the other one's
    both = said(close, (400, "INV-2026-0101", "A"), (600, "INV-2026-0101", "A"))
    assert all(one.certain for one in both)


def test_a_number_that_is_not_open_here_speaks_against_the_sum() -> None:
    one = items_of(("INV-2026-0101", 1000, "A"))
    (verdict,) = said(one, (1000, "PO 88-771234", "A"))
    assert not verdict.certain
    assert verdict.unexplained
    (over,) = said(one, (1400, "INV-2026-0101 INV-2026-9876", "A"))
    assert not over.certain


def test_a_sum_of_several_is_found_and_told_from_one_of_many() -> None:
    assert adding_up(6, [0, 1, 2], [1, 2, 4]) == ((1, 2), True)
    assert adding_up(3, [0, 1, 2], [1, 2, 2]) == ((0, 1), False)
    assert adding_up(100, [0, 1], [1, 2]) == ((), False)
    assert adding_up(2**61, [0, 1], [2**60, 2**60]) == ((), False)


# --- Realistic payers -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_what_can_be_decided_is_decided_rightly(seed: int) -> None:
    made = make(4_000, seed)
    counted = count(made, reconcile(made.entries, made.items))
    assert counted.wrong == 0
    assert counted.right_share >= 0.995
    assert counted.certain > 0.7 * counted.entries
    assert counted.decidable > 0.9 * counted.entries


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_thousand_entries(seed: int) -> None:
    made = make(100_000, 100 + seed)
    counted = count(made, reconcile(made.entries, made.items))
    assert counted.wrong == 0
    assert counted.right_share >= 0.995


def _shown(made_ids: OpenItems, entries: Entries, verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        entries.ids[place]: (
            one.certain,
            [
                (sorted((made_ids.ids[pay.item], pay.amount) for pay in every.pays),
                 every.confidence_ppm, every.reasons)
                for every in one.proposals
            ],
        )
        for place, one in enumerate(verdicts)
    }  # fmt: skip


def test_the_order_of_entries_and_items_does_not_matter() -> None:
    made = make(1_500, 11)
    chance = random.Random(3)
    order = list(range(len(made.entries)))
    chance.shuffle(order)
    turned = list(range(len(made.items)))
    chance.shuffle(turned)
    entries = Entries(
        **{
            name: _turned(made.entries, name, order)
            for name in Entries.__slots__
            if getattr(made.entries, name)
        }
    )
    columns = {
        name: _turned(made.items, name, turned)
        for name in OpenItems.__slots__
        if getattr(made.items, name)
    }
    items = OpenItems(**columns)
    first = _shown(made.items, made.entries, reconcile(made.entries, made.items))
    assert _shown(items, entries, reconcile(entries, items)) == first


def _turned(columns: object, name: str, order: list[int]) -> list[Any]:
    column = getattr(columns, name)
    return [column[place] for place in order]


# --- Whatever comes -------------------------------------------------------------------------------

_NUMBERS = st.from_regex(r"(INV-|RE|)[0-9]{1,7}(/[0-9]{2})?", fullmatch=True)
_TEXTS = st.lists(st.one_of(_NUMBERS, st.text(max_size=12)), max_size=5).map(" ".join)
_SUMS = st.one_of(st.sampled_from([100, 200, 300, 1000]), st.integers(1, 10**15))
_ITEMS = st.lists(st.tuples(_NUMBERS, _SUMS, st.sampled_from("AB")), max_size=12)
_ENTRIES = st.lists(st.tuples(_SUMS, _TEXTS, st.sampled_from(["A", "B", ""])), max_size=12)


@settings(max_examples=150, deadline=None)
@given(_ITEMS, _ENTRIES, st.randoms(use_true_random=False))
def test_money_is_conserved_whatever_comes(
    items: list[tuple[str, int, str]],
    entries: list[tuple[int, str, str]],
    chance: random.Random,
) -> None:
    named = [*entries, *((row[1], row[0], row[2]) for row in items if chance.random() < 0.5)]
    columns = items_of(*items)
    verdicts = said(columns, *named)
    given: Counter[int] = Counter()
    for (amount, _text, _sender), verdict in zip(named, verdicts, strict=True):
        assert not verdict.certain or verdict.proposals
        for proposal in verdict.proposals:
            assert proposal.pays
            assert len({one.item for one in proposal.pays}) == len(proposal.pays)
            assert sum(one.amount for one in proposal.pays) <= amount
            assert all(0 < one.amount <= columns.amounts[one.item] for one in proposal.pays)
            assert 0 < proposal.confidence_ppm <= 1_000_000
            assert proposal.reasons
        if verdict.certain:
            given.update({one.item: one.amount for one in verdict.proposals[0].pays})
    assert all(amount <= columns.amounts[item] for item, amount in given.items())
    again = list(range(len(named)))
    chance.shuffle(again)
    turned = said(columns, *(named[place] for place in again))
    assert [turned[again.index(place)] for place in range(len(named))] == verdicts
