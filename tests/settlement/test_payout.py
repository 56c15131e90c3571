"""Money out: two people, the same bytes for ever, and only the bank's booking counts."""

import datetime as dt

import pytest
from sqlalchemy import insert, update

from scf.demo import bank
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, NotAllowed, NotFound, RuleViolation
from scf.parties.models import BankAccount, User
from scf.programmes.models import LimitNode, ProgrammeClaim
from scf.settlement import payout
from scf.settlement.models import BankEntry, PaymentFile
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.world import (
    CHECKER,
    DUE,
    FINANCIER,
    MAKER,
    NAMES,
    SELLER,
    START,
    World,
    eur,
)  # fmt: skip
from tests.support.deals import table
from tests.support.racing import race

A_DAY = dt.timedelta(days=1)


def prepared(world: World, face: str = "1,000,000.00") -> tuple[str, str]:
    advance_id = world.advance(world.invoice("INV-1", face), face)
    done = world.run("payout.prepare")
    assert done["skipped"] == []
    return advance_id, done["files"][0]["file_id"]


def free_again(world: World, advance_id: str) -> None:
    row = world.get(Advance, advance_id)
    invoice = world.get(Invoice, row.invoice_id)
    assert row.state == "UNWOUND"
    assert (invoice.held_minor, invoice.outstanding_minor) == (0, 0)
    assert not any(one.live for one in world.all(ProgrammeClaim))
    assert not any(one.held_minor or one.utilised_minor for one in world.all(LimitNode))
    assert world.open_accounts(FINANCIER) == world.open_accounts(SELLER) == {}


# --- Prepare and release --------------------------------------------------------------------------


def test_preparing_instructs_nothing(world: World) -> None:
    advance_id, file_id = prepared(world)
    assert world.get(Advance, advance_id).state == "RECHECKED"
    assert world.book(FINANCIER) == {}
    with world.db.snapshot() as conn, pytest.raises(Conflict, match="NOT_RELEASED"):
        payout.content_of(conn, file_id, MAKER)


def test_what_is_prepared_is_not_prepared_twice(world: World) -> None:
    prepared(world)
    assert world.run("payout.prepare") == {"files": [], "skipped": []}


def test_who_prepared_cannot_release(world: World) -> None:
    both = Actor("u-both", FINANCIER, MAKER.roles | CHECKER.roles)
    world.advance(world.invoice("INV-1", "10.00"), "10.00")
    file_id = world.run("payout.prepare", both)["files"][0]["file_id"]
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        world.run("payout.release", both, file_id=file_id)
    assert world.get(PaymentFile, file_id).state == "CREATED"
    assert world.run("payout.release", CHECKER, file_id=file_id)["state"] == "SENT"


def test_who_prepared_cannot_release_by_another_account_of_the_same_mailbox(world: World) -> None:
    again = Actor("u-omar-2", FINANCIER, CHECKER.roles)
    with world.db.writer.begin() as conn:
        for user_id, email in (
            (MAKER.user_id, "omar@bank.example"),
            (again.user_id, "Omar+2@bank.example"),
        ):
            user = User(
                id=user_id, email=email, name=user_id, org_id=FINANCIER, password_hash=None,
                created_at=world.clock.now(),
            )  # fmt: skip
            conn.execute(insert(table(User)), user.model_dump())
    _advance_id, file_id = prepared(world)
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        world.run("payout.release", again, file_id=file_id)
    assert world.get(PaymentFile, file_id).state == "CREATED"


def test_another_financier_does_not_know_the_file(world: World) -> None:
    _advance_id, file_id = prepared(world)
    stranger = Actor("u-other", "other-bank", frozenset({Role.OFFICER_CHECKER}))
    with pytest.raises(NotFound):
        world.run("payout.release", stranger, file_id=file_id)
    with world.db.snapshot() as conn, pytest.raises(NotFound):
        payout.content_of(conn, file_id, stranger)


def test_released_again_or_sent_again_the_bytes_are_the_same(world: World) -> None:
    advance_id, file_id = prepared(world)
    world.run("payout.release", CHECKER, file_id=file_id)
    with world.db.snapshot() as conn:
        first = payout.content_of(conn, file_id, CHECKER)
    world.clock.advance(dt.timedelta(days=1))
    assert world.run("payout.release", CHECKER, file_id=file_id)["again"]
    assert world.run("payout.resend", CHECKER, file_id=file_id)["again"]
    with world.db.snapshot() as conn:
        assert payout.content_of(conn, file_id, CHECKER) == first
    row = world.get(Advance, advance_id)
    assert row.state == "INSTRUCTED"
    assert advance_id.replace("-", "").encode() + b"-1" in first
    assert NAMES[SELLER].encode() in first
    assert b"988375.00" in first


def test_the_same_file_sent_twice_is_paid_once(world: World) -> None:
    world.advance(world.invoice("INV-1", "1,000.00"), "1,000.00")
    (file,) = world.ordered()
    for _ in range(2):
        world.read(bank.answer(file, on=world.today, state_dir=world.folder))
    assert len(world.all(BankEntry)) == 1
    must_agree(world)


def test_a_price_for_an_earlier_day_needs_a_new_quote(world: World) -> None:
    advance_id, file_id = prepared(world)
    world.close_to(START)
    with pytest.raises(Conflict, match="VALUE_DATE_MOVED"):
        world.run("payout.release", CHECKER, file_id=file_id)
    world.run("payout.cancel", file_id=file_id, note="too late")
    assert world.run("payout.prepare") == {"files": [], "skipped": []}
    (advance,) = [row for row in world.all(Advance) if row.id == advance_id]
    # The end of day takes the approval back: the seller is offered the next day instead.
    assert (advance.state, advance.value_on) == ("PRECHECKED", START)


def test_a_payee_whose_account_was_closed_is_left_out(world: World) -> None:
    advance_id, file_id = prepared(world)
    with world.db.writer.begin() as conn:
        table = BankAccount.__table__  # type: ignore[attr-defined]
        conn.execute(update(table).where(table.c.id == f"account-{SELLER}").values(state="CLOSED"))
    with pytest.raises(RuleViolation, match="ACCOUNT_UNVERIFIED"):
        world.run("payout.release", CHECKER, file_id=file_id)
    world.run("payout.cancel", file_id=file_id, note="account closed")
    skipped = world.run("payout.prepare")["skipped"]
    assert skipped == [{"kind": "advance", "id": advance_id, "code": "ACCOUNT_UNVERIFIED"}]


def test_an_advance_that_lacks_a_step_is_not_paid(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "10.00"), "10.00", ready=False)
    assert world.run("payout.prepare") == {"files": [], "skipped": []}
    skipped = world.run("payout.prepare", advance_ids=[advance_id])["skipped"]
    assert [one["code"] for one in skipped] == ["NOT_READY"]


def test_a_released_file_cannot_be_cancelled(world: World) -> None:
    _advance_id, file_id = prepared(world)
    world.run("payout.release", CHECKER, file_id=file_id)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        world.run("payout.cancel", file_id=file_id, note="changed our mind")


# --- What the bank answers ------------------------------------------------------------------------


def test_settled_in_an_answer_is_no_money_before_it_is_booked(world: World) -> None:
    advance_id, _file_id = prepared(world)
    (file_id,) = [row.id for row in world.all(PaymentFile)]
    world.run("payout.release", CHECKER, file_id=file_id)
    with world.db.snapshot() as conn:
        data = payout.content_of(conn, file_id, CHECKER)
    answer, statement = bank.answer(data, on=START, state_dir=world.folder)
    world.read([answer])
    (one,) = world.instructions()
    assert (one.state, one.status_code) == ("ACKED", "ACSC")
    assert world.get(Advance, advance_id).state == "INSTRUCTED"
    world.read([statement])
    assert world.get(Advance, advance_id).state == "FUNDED"
    # The order of the two does not matter: the answer again changes nothing.
    assert world.read([answer], keep_rejected=True)[0]["findings"] == []


def test_refused_it_is_unwound_and_the_others_stay(world: World) -> None:
    one = world.financed()
    other = world.advance(world.invoice("INV-2", "50.00"), "50.00")
    world.pay_out(reject=True)
    assert (world.get(Advance, one).state, world.get(Advance, other).state) == ("FUNDED", "UNWOUND")
    must_agree(world)


def test_the_only_pay_out_refused_leaves_no_trace_in_any_book(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    world.pay_out(reject=True)
    free_again(world, advance_id)
    assert world.book(FINANCIER) == {}
    must_agree(world)


def test_refused_and_kept_it_goes_again_the_same_day_under_a_new_name(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    files = bank.answer(file, on=START, state_dir=world.folder, reject=True)
    world.read(files, keep_rejected=True)
    assert world.get(Advance, advance_id).state == "FAILED"
    assert world.run("payout.prepare")["files"] == []
    for data in world.ordered(advance_ids=[advance_id]):
        world.read(bank.answer(data, on=START, state_dir=world.folder))
    assert [row.attempt for row in world.instructions()] == [1, 2]
    assert world.get(Advance, advance_id).state == "FUNDED"
    must_agree(world)


def test_refused_it_goes_to_another_verified_account_as_a_linked_payment(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    new = world.another_account(SELLER, "FR7630006000011234567890189")
    repair = {"advance_id": advance_id, "account_id": new, "note": "called back, new bank"}
    with pytest.raises(Conflict, match="NOT_READY"):  # the first may still be on its way
        world.run("payout.repair", **repair)
    refused = bank.answer(file, on=START, state_dir=world.folder, reject=True)
    world.read(refused, keep_rejected=True)
    skipped = world.run("payout.prepare", advance_ids=[advance_id])["skipped"]
    assert [one["code"] for one in skipped] == ["PAYEE_CHANGED"]
    told = race(4, lambda n: str(world.run("payout.repair", **repair)["account_id"]))
    assert told == {new: 1, "ACCOUNT_SAME": 3}
    for data in world.ordered(advance_ids=[advance_id]):
        assert b"FR7630006000011234567890189" in data
        world.read(bank.answer(data, on=START, state_dir=world.folder))
    first, second = world.instructions()
    assert (first.state, second.state) == ("REJECTED", "SETTLED")
    assert (second.replaces_id, second.amount_minor) == (first.id, first.amount_minor)
    must_agree(world)


def test_refused_it_goes_on_a_later_day_at_the_price_of_that_day(world: World) -> None:
    """The same rate over 88 days: 11,366.67 for 11,625.00 over 90; the seller has the rest."""
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    again = {"advance_id": advance_id, "note": "the bank has mended its form"}
    with pytest.raises(Conflict, match="NOT_READY"):  # it may still be on its way
        world.run("payout.redate", **again)
    world.read(bank.answer(file, on=START, state_dir=world.folder, reject=True), keep_rejected=True)
    with pytest.raises(Conflict, match="NOT_READY"):  # today it goes as it is
        world.run("payout.redate", **again)
    world.close_to(START + A_DAY)
    world.clock.advance(days=2)
    skipped = world.run("payout.prepare", advance_ids=[advance_id])["skipped"]
    assert [one["code"] for one in skipped] == ["VALUE_DATE_MOVED"]
    told = race(4, lambda _n: str(world.run("payout.redate", **again)["net_minor"]))
    assert told == {str(eur("988,633.33")): 1, "NOT_READY": 3}
    must_agree(world)
    assert world.book(FINANCIER) == {
        "receivables_purchased": eur("1,000,000"),
        "payments_in_transit": -eur("988,633.33"),
        "unearned_discount": -eur("11,366.67"),
    }
    for data in world.ordered(advance_ids=[advance_id]):
        assert b"988633.33" in data
        world.read(bank.answer(data, on=world.today, state_dir=world.folder))
    row = world.get(Advance, advance_id)
    assert (row.state, row.funded_on, row.days) == ("FUNDED", START + 2 * A_DAY, 88)
    assert [one.attempt for one in world.instructions()] == [1, 2]
    assert all(
        one.utilised_minor == eur("988,633.33")
        for one in world.all(LimitNode)
        if one.kind == "financier"
    )
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    assert world.book(FINANCIER) == {"cash": eur("11,366.67"), "discount_income": -eur("11,366.67")}
    must_agree(world)


def test_returned_sent_again_and_refused_it_goes_on_any_day_as_it_was(world: World) -> None:
    advance_id = world.financed()
    come_back(world, advance_id)
    (file,) = world.ordered(advance_ids=[advance_id])
    refused = bank.answer(file, on=world.today, state_dir=world.folder, reject=True)
    world.read(refused, keep_rejected=True)
    assert world.get(Advance, advance_id).state == "FAILED"
    world.close_to(START + A_DAY)
    with pytest.raises(Conflict, match="NOT_READY"):  # the seller had the money: no new price
        world.run("payout.redate", advance_id=advance_id, note="on another day")
    (file,) = world.ordered(advance_ids=[advance_id])
    world.answer(file)
    row = world.get(Advance, advance_id)
    assert (row.state, row.net_minor) == ("FUNDED", eur("988,375.00"))
    must_agree(world)


def test_refused_too_late_it_is_only_unwound(world: World) -> None:
    soon = START + 2 * A_DAY
    advance_id = world.advance(world.invoice("INV-1", "1,000.00", soon), "1,000.00")
    (file,) = world.ordered()
    world.read(bank.answer(file, on=START, state_dir=world.folder, reject=True), keep_rejected=True)
    world.close_to(soon)
    world.clock.advance(days=3)
    with pytest.raises(RuleViolation, match="TENOR"):
        world.run("payout.redate", advance_id=advance_id, note="try once more")
    world.run("payout.unwind", advance_id=advance_id, note="too late")
    free_again(world, advance_id)


def test_refused_and_kept_it_can_still_be_unwound(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    files = bank.answer(file, on=START, state_dir=world.folder, reject=True)
    world.read(files, keep_rejected=True)
    must_agree(world)
    world.run("payout.unwind", advance_id=advance_id, note="the seller has gone")
    assert world.book(FINANCIER) == {}
    must_agree(world)


def test_a_refusal_after_the_booking_is_a_finding_and_changes_nothing(world: World) -> None:
    advance_id = world.financed()
    file = world.get(PaymentFile, world.all(PaymentFile)[0].id)
    said = world.run(
        "status.read", sha256="x", original_message_id=file.msg_id,
        group={"id": "", "code": "RJCT"},
    )  # fmt: skip
    assert [one["code"] for one in said["findings"]] == ["STATUS_CONTRADICTS"]
    assert world.get(Advance, advance_id).state == "FUNDED"


def test_money_that_is_out_cannot_be_unwound(world: World) -> None:
    advance_id = world.financed()
    with pytest.raises(Conflict):
        world.run("payout.unwind", advance_id=advance_id, note="no")


def test_booked_late_it_is_funded_with_the_banks_value_date(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    world.pay_out(delay=True)
    assert world.get(Advance, advance_id).state == "INSTRUCTED"
    world.close_to(START + 2 * A_DAY)
    assert world.instructions()[0].state == "ACKED"
    world.read(bank.release(on=world.today, state_dir=world.folder))
    row = world.get(Advance, advance_id)
    assert (row.state, row.funded_on) == ("FUNDED", world.today)
    world.close_to(world.today)
    assert world.get(Advance, advance_id).income_minor == eur("516.67")  # four days, no more
    must_agree(world)


def test_unanswered_it_is_unknown_and_never_goes_under_a_new_name(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    world.close_to(START + A_DAY)
    assert world.get(Advance, advance_id).state == "UNKNOWN"
    done = world.run("payout.prepare", advance_ids=[advance_id])
    assert [one["code"] for one in done["skipped"]] == ["PAYMENT_PREPARED"]
    assert world.run("payout.resend", CHECKER, file_id=world.all(PaymentFile)[0].id)["again"]
    must_agree(world)
    world.read(bank.answer(file, on=world.today, state_dir=world.folder))
    assert world.get(Advance, advance_id).state == "FUNDED"
    must_agree(world)


# --- What comes back ------------------------------------------------------------------------------


def come_back(world: World, advance_id: str) -> None:
    name = f"{advance_id.replace('-', '')}-1"
    world.read([bank.give_back(name, on=world.today, state_dir=world.folder)])


@pytest.mark.parametrize("recourse", [False, True], ids=["sale", "loan"])
def test_returned_and_unwound_after_two_days_nothing_remains(
    world: World, *, recourse: bool
) -> None:
    advance_id = world.financed(recourse=recourse, fee="10.00")
    world.close_to(START + A_DAY)
    assert world.get(Advance, advance_id).income_minor == eur("258.33")
    come_back(world, advance_id)
    assert world.get(Advance, advance_id).state == "RETURNED"
    assert world.book(SELLER)["due_from_financier"] == eur("988,365.00")
    must_agree(world)
    world.close_to(world.today)
    assert world.get(Advance, advance_id).income_minor == eur("258.33")  # nothing earned since
    world.run("payout.unwind", advance_id=advance_id, note="the account is gone")
    free_again(world, advance_id)
    assert world.book(SELLER) == {}
    must_agree(world)


def test_returned_and_sent_again_nothing_is_unwound(world: World) -> None:
    advance_id = world.financed()
    world.close_to(START + A_DAY)
    come_back(world, advance_id)
    for data in world.ordered(advance_ids=[advance_id]):
        world.read(bank.answer(data, on=world.today, state_dir=world.folder))
    row = world.get(Advance, advance_id)
    assert (row.state, row.funded_on) == ("FUNDED", world.today)
    assert world.open_accounts(SELLER) == {}
    must_agree(world)
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    assert world.book(FINANCIER) == {"cash": eur("11625"), "discount_income": -eur("11625")}
    must_agree(world)


def test_returned_and_refused_the_second_time_it_is_unwound(world: World) -> None:
    advance_id = world.financed()
    world.close_to(START + A_DAY)
    come_back(world, advance_id)
    for data in world.ordered(advance_ids=[advance_id]):
        world.read(bank.answer(data, on=world.today, state_dir=world.folder, reject=True))
    free_again(world, advance_id)
    must_agree(world)


def test_money_that_the_obligor_pays_while_the_pay_out_is_in_doubt_waits(world: World) -> None:
    advance_id = world.financed()
    come_back(world, advance_id)
    world.receive("1,000,000.00", "INV-1")
    entry = world.last_entry()
    assert (entry.reason, entry.unallocated_minor) == ("HELD_PART", eur("1,000,000"))
    must_agree(world)


# --- Debits that nobody expects -------------------------------------------------------------------


def test_fee_and_effective_income_end_at_zero_too(make_world: MakeWorld) -> None:
    world = make_world(income_method="effective")
    advance_id = world.financed(fee="100.00")
    world.close_to(dt.date(2026, 3, 30))
    # Golden 2 on the same discount; the fee earns by the straight line.
    assert world.get(Advance, advance_id).income_minor == eur("2,700.35")
    assert world.book(FINANCIER)["service_fee_income"] == -eur("23.33")
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    assert world.book(FINANCIER) == {
        "cash": eur("11,725.00"),
        "discount_income": -eur("11,625.00"),
        "service_fee_income": -eur("100.00"),
    }
    must_agree(world)


def test_a_loan_with_recourse_leaves_the_seller_its_cost_only(world: World) -> None:
    world.financed(recourse=True)
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    assert world.book(SELLER) == {
        "cash": eur("988,375.00"),
        "finance_cost": eur("11,625.00"),
        "trade_receivables": -eur("1,000,000.00"),
    }
    must_agree(world)
