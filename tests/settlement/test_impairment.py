"""Losses: set aside, agreed on, written off, recovered; table 4.11 met by one life."""

import datetime as dt
import os
import warnings
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import update

from scf.accounting import check
from scf.db.platform import Platform
from scf.financing.models import Advance
from scf.impairment import measuring, proof
from scf.impairment.models import AllowanceMovement, ImpairmentProposal, LossAllowance
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.ledger.models import Entry, NoEntry
from scf.settlement import day
from tests.settlement.books import must_agree
from tests.settlement.posting_tables import row
from tests.settlement.provisions import agreed, proposed, provide, stands, told
from tests.settlement.stories import parts, state
from tests.settlement.test_day import booked
from tests.settlement.world import CHECKER, DUE, FINANCIER, MAKER, OBLIGOR, START, World, eur
from tests.support.racing import race

A_DAY = dt.timedelta(days=1)
HOUSE = replace(OPERATOR, org_id=FINANCIER)
RECEIPTS = ("bank.booked", "principal.paid", "recovery.paid", "penalty.paid")


def more(world: World, before: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """What receipts have booked since."""
    after = booked(world, *RECEIPTS)
    found = {key: after.get(key, 0) - before.get(key, 0) for key in after}
    return {key: value for key, value in found.items() if value}


def test_case_five_books_every_row_of_table_4_11(world: World) -> None:
    provide()
    advance_id = world.financed()
    world.close_to(START)
    assert booked(world, "impairment.originated") == row("4.11 stage 1")
    agreed(world, advance_id, "allowance", eur("400,000.00"))
    assert booked(world, "impairment.agreed") == row("4.11 stage 3")
    world.morning_of(DUE + 12 * A_DAY)
    assert booked(world, "penalty.close") == row("4.3 twelve closes")
    assert booked(world, "penalty.suspended") == row("4.11 penalty off")
    must_agree(world)
    before = booked(world, *RECEIPTS)
    world.receive("600,000.00", "INV-1")
    assert more(world, before) == row("4.11 proceeds")
    world.close_to(world.today)
    assert stands(world, advance_id).allowance_minor == eur("400,000.00")
    agreed(world, advance_id, "write_off")
    assert booked(world, "impairment.written_off") == row("4.11 write-off")
    assert state(world, advance_id) == "WRITTEN_OFF"
    assert world.open_accounts(FINANCIER) == {}
    must_agree(world)
    world.close_to(world.today + 3 * A_DAY)
    before = booked(world, *RECEIPTS)
    world.receive("50,000.00", "INV-1")
    assert more(world, before) == row("4.11 recovery")
    assert parts(world) == {"principal": eur("600,000.00"), "recovery": eur("50,000.00")}
    assert world.open_accounts(FINANCIER) == {}
    assert world.open_accounts(OBLIGOR)["payables_in_supplier_finance_arrangement"] == -eur(
        "350,000.00"
    )
    dashes = {one.org_id: one.reason for one in world.all(NoEntry) if "written" in one.event_kind}
    assert dashes[OBLIGOR] == "the debt lives until it is legally discharged"
    must_agree(world)


def test_what_is_recovered_in_full_is_over(world: World) -> None:
    provide()
    advance_id = world.financed()
    world.morning_of(DUE + 90 * A_DAY)
    assert (stands(world, advance_id).stage, stands(world, advance_id).reason) == (2, "PAST_DUE_30")
    world.close_to(world.today)
    found = stands(world, advance_id)
    assert (found.stage, found.reason, found.allowance_minor) == (3, "PAST_DUE_90", eur("400,000"))
    agreed(world, advance_id, "write_off")
    # The allowance was brought to what was carried first.
    assert told(world)[-2:] == [("AGREED", 3, eur("1,000,000")), ("WRITTEN_OFF", 3, 0)]
    penalty = world.get(Advance, advance_id).penalty_minor
    world.receive("1,000,000.00", "INV-1")
    row_now = world.get(Advance, advance_id)
    assert (row_now.state, row_now.recovered_minor) == ("WRITTEN_OFF", eur("1,000,000"))
    assert row_now.penalty_minor == penalty  # lateness stopped with the write-off
    world.receive(f"{penalty / 100:.2f}", "INV-1")
    assert state(world, advance_id) == "RECOVERED"
    assert world.open_accounts(FINANCIER) == world.open_accounts(OBLIGOR) == {}
    must_agree(world)
    taken = next(one for one in world.entries() if one.amount_minor == eur("1,000,000"))
    world.taken_back(taken)
    assert state(world, advance_id) == "WRITTEN_OFF"
    must_agree(world)


def test_stages_follow_lateness_and_a_payment_releases_everything(world: World) -> None:
    provide()
    advance_id = world.financed()
    world.close_to(START)
    stage_1 = stands(world, advance_id)
    assert (stage_1.stage, stage_1.allowance_minor) == (1, eur("146.31"))
    world.close_to(DUE + 5 * A_DAY)
    late = [one for one in world.all(AllowanceMovement) if one.source == "matrix"]
    assert (late[-1].to_stage, late[-1].pd, late[-1].days_past_due) == (1, "0.0100", 1)
    assert late[-1].after_minor == eur("4,000.00")
    world.close_to(DUE + 31 * A_DAY)
    assert (stands(world, advance_id).stage, stands(world, advance_id).since_on) == (
        2, DUE + 31 * A_DAY,
    )  # fmt: skip
    assert stands(world, advance_id).allowance_minor == eur("40,000.00")
    must_agree(world)
    owed = world.get(Advance, advance_id)
    world.receive(f"{(owed.face_minor + owed.penalty_minor) / 100:.2f}", "INV-1")
    assert told(world)[-1] == ("ENDED", 2, 0)
    assert world.open_accounts(FINANCIER) == {}
    must_agree(world)


def test_a_receipt_found_late_takes_back_what_was_set_aside_since(world: World) -> None:
    provide()
    advance_id = world.financed()
    world.morning_of(DUE + 40 * A_DAY)
    assert stands(world, advance_id).allowance_minor == eur("40,000.00")
    found = DUE + 5 * A_DAY
    world.receive("400,000.00", "INV-1", value_on=found, on=found)
    assert told(world)[-1] == ("CORRECTED", 2, eur("4,000.00"))  # as on that morning
    reversed_now = booked(world, "impairment.corrected")
    assert reversed_now["F", "loss allowance"] == eur("36,000.00")
    must_agree(world)
    world.close_to(world.today)
    left = world.get(Advance, advance_id)
    carried = left.face_minor - left.repaid_minor
    assert stands(world, advance_id).allowance_minor == round(carried * 4 / 100)
    must_agree(world)


def test_closing_again_and_after_a_crash_sets_nothing_aside_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide()
    for number in range(7):
        world.financed("100.00", f"INV-{number}")
    monkeypatch.setattr(measuring, "SLICE", 2)

    def dies(world: World) -> None:
        """Close until three slices are measured, then be gone without a word."""
        run, seen = world.platform.run, Counter[str]()

        def one(name: str, *args: object, **how: object) -> object:
            seen[name] += 1
            if seen["allowance.measure"] > 3:
                os._exit(0)
            return run(name, *args, **how)  # type: ignore[arg-type]

        object.__setattr__(world, "platform", _Watched(world.platform, one))
        day.close_to(world.platform, FINANCIER, START)

    world.db.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            dies(world)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.count(LossAllowance) == 6
    with pytest.raises(Conflict, match="not provided for"):
        world.platform.run(
            "day.finish",
            {"on": START},
            HOUSE,
            key="too early",
        )
    world.close_to(START)
    assert Counter(one.advance_id for one in world.all(AllowanceMovement)).most_common(1)[0][1] == 1
    assert world.count(LossAllowance) == 7
    entries = world.count(Entry)
    world.set_date(START)
    again = world.platform.run(
        "allowance.measure", {"on": START, "slice": 0}, HOUSE, key="once more"
    ).result
    assert again["measured"] == 0
    assert world.count(Entry) == entries
    must_agree(world)


class _Watched:
    """A platform whose commands are counted."""

    def __init__(self, platform: Platform, run: object) -> None:
        self._platform, self.run = platform, run

    def __getattr__(self, name: str) -> object:
        return getattr(self._platform, name)


def test_who_proposes_does_not_agree_and_a_loss_needs_its_stage_and_day(world: World) -> None:
    provide()
    advance_id = world.financed()
    with pytest.raises(RuleViolation, match="next close"):
        proposed(world, advance_id, "allowance", 1)
    world.close_to(START)
    with pytest.raises(RuleViolation, match="stage 3"):
        proposed(world, advance_id, "write_off")
    with pytest.raises(RuleViolation, match="than is carried"):
        proposed(world, advance_id, "allowance", eur("1,000,000.01"))
    with pytest.raises(NotAllowed):
        world.run("impairment.decide", MAKER, proposal_id="x", agree=True)
    done = world.run(
        "impairment.propose", CHECKER, advance_id=advance_id, kind="allowance",
        amount_minor=eur("5,000.00"), ground="unlikely_to_pay", note="lost its licence",
    )  # fmt: skip
    with pytest.raises(NotAllowed, match="Another person"):
        world.run("impairment.decide", CHECKER, proposal_id=done["proposal_id"], agree=True)
    with pytest.raises(Conflict, match="waits"):
        proposed(world, advance_id, "allowance", 1)
    world.run("impairment.decide", CHECKER, proposal_id=done["proposal_id"], agree=False)
    assert stands(world, advance_id).stage == 1
    agreed(world, advance_id, "allowance", eur("5,000.00"))
    with pytest.raises(RuleViolation, match="when it is due"):
        proposed(world, advance_id, "write_off")
    agreed(world, advance_id, "rule")
    found = stands(world, advance_id)
    assert (found.stage, found.specific_minor) == (1, None)
    world.close_to(world.today)
    must_agree(world)


def in_default(world: World) -> str:
    """An advance past its due date, in stage 3 by the word of two officers."""
    provide()
    due_on = START + 5 * A_DAY
    advance_id = world.financed(due_on=due_on)
    world.morning_of(due_on + 4 * A_DAY)
    agreed(world, advance_id, "allowance", eur("400,000.00"))
    world.close_to(world.today)  # what comes in from the next day on pays the face first
    return advance_id


def test_two_who_write_off_at_once_write_off_once(world: World) -> None:
    advance_id = in_default(world)
    proposal_id = proposed(world, advance_id, "write_off")

    def one(number: int) -> str:
        payload = {"proposal_id": proposal_id, "agree": True}
        world.platform.run("impairment.decide", payload, CHECKER, key=f"race-{number}")
        return "done"

    assert race(4, one) == {"done": 1, "DECIDED": 3}
    assert world.get(Advance, advance_id).written_off_minor == eur("1,000,000")
    must_agree(world)


def test_money_that_comes_while_it_is_written_off_is_counted_once(world: World) -> None:
    advance_id = in_default(world)
    proposal_id = proposed(world, advance_id, "write_off")
    receipt = world.receipt("250,000.00", "INV-1")

    def one(number: int) -> str:
        if number:
            payload = {"proposal_id": proposal_id, "agree": True}
            world.platform.run("impairment.decide", payload, CHECKER, key="race")
            return "written off"
        world.read([receipt])
        return "received"

    found = race(2, one)
    assert found in ({"received": 1, "written off": 1}, {"received": 1, "CHANGED": 1})
    after = world.get(Advance, advance_id)
    if found["written off"]:
        assert (after.state, after.recovered_minor) == ("WRITTEN_OFF", eur("250,000"))
    else:
        assert (after.state, after.written_off_minor) == ("OVERDUE", 0)
    must_agree(world)


def test_verify_finds_what_somebody_changed_by_hand(world: World) -> None:
    provide()
    advance_id = world.financed()
    world.close_to(START)
    agreed(world, advance_id, "allowance", eur("400,000.00"))
    must_agree(world)
    breaks = (
        (LossAllowance, {"allowance_minor": 1}, {"ALLOWANCE_BOOKS", "ALLOWANCE_STATE"}),
        (LossAllowance, {"stage": 1}, {"ALLOWANCE_STATE"}),
        (LossAllowance, {"penalty_off_minor": 5}, {"PENALTY_OFF"}),
        (AllowanceMovement, {"pd": "0.000370000000"}, {"ALLOWANCE_FIGURE"}),
        (AllowanceMovement, {"exposure_minor": 5}, {"ALLOWANCE_FIGURE"}),
        (AllowanceMovement, {"before_minor": 5}, {"ALLOWANCE_CHAIN"}),
        (AllowanceMovement, {"kind": "WRITTEN_OFF"}, {"ALLOWANCE_ALONE", "WRITTEN_OFF"}),
        (ImpairmentProposal, {"state": "REFUSED"}, {"ALLOWANCE_ALONE"}),
    )
    for model, values, codes in breaks:
        table = model.__table__  # type: ignore[union-attr]
        with world.db.writer.connect() as conn:
            statement = update(table).values(**values)
            if model is AllowanceMovement:
                statement = statement.where(table.c.number == 1)
            conn.execute(statement)
            found = {one.code for one in proof.breaches(conn)}
            off = {one.rule for one in check.agrees(conn)}
            conn.rollback()
        assert found == codes, values
        assert bool(off) == (values == {"penalty_off_minor": 5})
    must_agree(world)
