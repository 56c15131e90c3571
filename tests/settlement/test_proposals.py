"""Money that reconciliation only proposes for: a person accepts, two where the sender is another.

Told on both engines; after each story the books say what the rows say.
"""

import datetime as dt
from typing import Any

import pytest

from scf.financing.models import Advance
from scf.kernel.errors import Conflict, NotAllowed
from scf.settlement.models import Allocation, ReceiptProposal
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.setting import CHECKER
from tests.settlement.stories import Stories, Story, parts, state, waiting
from tests.settlement.world import FINANCIER, World, eur

SOON = dt.date(2026, 3, 16)
STORIES = Stories()
story = STORIES.story


def standing(world: World) -> list[Any]:
    return [row for row in world.all(ReceiptProposal) if row.state in {"OPEN", "AGREED"}]


def accept(world: World, one: Any, *actor: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    return world.run(
        "receipt.accept", *actor, entry_id=one.bank_entry_id, proposal_id=one.id, note="asked"
    )


@story()
def equal_sums_without_a_number_wait_and_are_chosen_among(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    other = world.financed("5,000.00", "INV-2026-2002", SOON)
    world.morning_of(SOON)
    said = world.receive("5,000.00", "thank you")
    assert [found["code"] for found in said["findings"]] == ["TO_REVIEW"]
    assert world.book(FINANCIER)["suspense"] == -eur("5,000.00")
    first, second = standing(world)
    assert first.confidence_ppm == second.confidence_ppm < 900_000
    (chosen,) = (
        row for row in (first, second)
        if row.pays[0]["invoice_id"] == world.get(Advance, other).invoice_id
    )  # fmt: skip
    accept(world, chosen)
    assert (state(world, one), state(world, other)) == ("FUNDED", "CLOSED")
    # The other officer was slower.
    with pytest.raises(Conflict, match="meanwhile"):
        accept(world, first if chosen is second else second, CHECKER)
    assert not standing(world)


@story()
def a_damaged_number_of_the_only_such_sum_settles_by_itself(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    other = world.financed("7,000.00", "INV-2026-2002", SOON)
    world.morning_of(SOON)
    world.receive("7,000.00", "INV-2026-2020")
    assert (state(world, one), state(world, other)) == ("FUNDED", "CLOSED")
    assert not standing(world)


@story()
def a_number_that_is_not_open_waits_although_the_sum_fits(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    world.morning_of(SOON)
    world.receive("5,000.00", "PO 88-771234")
    assert (state(world, one), waiting(world).reason) == ("FUNDED", "TO_REVIEW")
    (only,) = standing(world)
    assert "UNEXPLAINED" in only.reasons
    accept(world, only)
    assert state(world, one) == "CLOSED"


@story()
def money_of_somebody_unknown_needs_two_people(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    world.morning_of(SOON)
    world.receive("5,000.00", "INV-2026-1001", name="Somebody", account="XX123")
    (only,) = standing(world)
    assert accept(world, only)["proposal_state"] == "AGREED"
    assert (state(world, one), world.count(Allocation)) == ("FUNDED", 0)
    with pytest.raises(NotAllowed, match="Another person"):
        accept(world, only)
    assert accept(world, only, CHECKER)["proposal_state"] == "ACCEPTED"
    assert state(world, one) == "CLOSED"


@story()
def what_was_found_late_counts_from_its_own_day(world: World) -> None:
    """Golden 5 and its numbers, by way of a proposal."""
    one = world.financed("1,000,000.00", "INV-2026-1001", SOON)
    late = SOON + dt.timedelta(days=12)
    world.morning_of(late)
    found = SOON + dt.timedelta(days=5)
    world.receive("400,000.00", "INV-2026-1001", value_on=found, name="Somebody", account="XX1")
    (only,) = standing(world)
    accept(world, only)
    accept(world, only, CHECKER)
    row = world.get(Advance, one)
    assert row.repaid_minor == eur("399,031.25")
    assert parts(world)["penalty"] == eur("968.75")
    world.receive("601,783.81", "INV-2026-1001")
    assert state(world, one) == "CLOSED"


@story()
def proposals_are_made_anew_when_more_is_open(world: World) -> None:
    world.receive("5,000.00", "thank you")
    assert not standing(world)
    one = world.financed("2,000.00", "INV-2026-1001", SOON)
    other = world.financed("3,000.00", "INV-2026-2002", SOON)
    world.morning_of(SOON)
    assert world.run("receipt.propose") == {"tried": 1, "proposals": 1}
    (only,) = standing(world)
    assert sorted(pay["amount_minor"] for pay in only.pays) == [eur("2,000"), eur("3,000")]
    accept(world, only)
    assert (state(world, one), state(world, other)) == ("CLOSED", "CLOSED")


@story()
def a_whole_number_that_one_slip_makes_of_another_of_that_sum_waits(world: World) -> None:
    """The road of the statement is the matcher's: number and sum are one witness only here."""
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    other = world.financed("5,000.00", "INV-2026-1002", SOON)
    world.morning_of(SOON)
    world.receive("5,000.00", "INV-2026-1001")
    assert waiting(world).reason == "TO_REVIEW"
    first, _second = sorted(standing(world), key=lambda row: row.rank)
    assert "LOOK_ALIKE" in first.reasons
    accept(world, first)
    assert (state(world, one), state(world, other)) == ("CLOSED", "FUNDED")
    # Now nothing else is open that could be meant.
    world.receive("5,000.00", "INV-2026-1002")
    assert state(world, other) == "CLOSED"


@story()
def what_is_over_and_is_just_what_another_one_owes_waits(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    other = world.financed("3,000.00", "INV-2026-2002", SOON)
    world.morning_of(SOON)
    world.receive("8,000.00", "INV-2026-1001")
    (both,) = (row for row in standing(world) if len(row.pays) > 1)
    accept(world, both)
    assert (state(world, one), state(world, other)) == ("CLOSED", "CLOSED")


def _short_of_three(world: World, *closed: int) -> None:
    """Three are named and the money is for one and a half: the agreed order decides."""
    faces = ("4,000.00", "6,000.00", "2,000.00")
    made = [
        world.financed(face, f"INV-2026-{1111 * (place + 1)}", SOON + dt.timedelta(days=place))
        for place, face in enumerate(faces)
    ]
    world.morning_of(SOON)
    amount = ("4,500.00", "6,500.00", "2,500.00")[closed[0]]
    world.receive(amount, "INV-2026-1111, INV-2026-2222, INV-2026-3333")
    states = [state(world, one) for one in made]
    assert [place for place, one in enumerate(states) if one == "CLOSED"] == list(closed)
    assert states.count("PART_REPAID") == 1
    assert not standing(world)


@story(allocation_order="fifo")
def short_of_several_pays_the_first_due(world: World) -> None:
    _short_of_three(world, 0)


@story(allocation_order="lifo")
def short_of_several_pays_the_last_due(world: World) -> None:
    _short_of_three(world, 2)


@story(allocation_order="largest")
def short_of_several_pays_the_largest(world: World) -> None:
    _short_of_three(world, 1)


@story(allocation_order="smallest")
def short_of_several_pays_the_smallest(world: World) -> None:
    _short_of_three(world, 2)


@story()
def what_a_bank_kept_is_proposed_and_never_written_off(world: World) -> None:
    one = world.financed("5,000.00", "INV-2026-1001", SOON)
    world.morning_of(SOON)
    world.receive("4,985.00", "PO 88-771234")
    (only,) = standing(world)
    assert "AMOUNT_NEAR" in only.reasons
    accept(world, only)
    row = world.get(Advance, one)
    assert (row.state, row.face_minor - row.repaid_minor) == ("PART_REPAID", eur("15.00"))


@pytest.mark.parametrize(
    ("terms", "tell"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES]
)
def test_proposals(make_world: MakeWorld, terms: dict[str, Any], tell: Story) -> None:
    world = make_world(**terms)
    tell(world)
    must_agree(world)
