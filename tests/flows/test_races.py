"""Many people do the same thing, or opposite things, at the same moment: one truth remains.

Races on one invoice, one limit, one key and one decision within a process stand in
``tests/financing/test_races.py``; here are those between processes and those of money on its way.
Source: promises.md P5, P7, P8, P9, P10, P16.
"""

import dataclasses
import datetime as dt
import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from scf.bootstrap import build
from scf.db.engine import Database
from scf.documents.models import Dispute, Invoice
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.errors import ScfError
from scf.ledger.models import Entry
from scf.reporting.verify import verify
from scf.settlement import day, payout, statements
from scf.settlement.models import Allocation, PaymentFile, PaymentInstruction, ReceiptProposal
from tests.settlement.world import CHECKER, FINANCIER, MAKER, OBLIGOR, SELLER, World, eur
from tests.support.deals import APPROVER, MORNING, TREASURER, Deals
from tests.support.racing import race

SOON = dt.date(2026, 3, 16)
PROCESSES = 8
EACH = 8


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    return World(db, tmp_path / "bank")


def must_be_right(made: World | Deals) -> None:
    assert verify(made.platform).breaches == []


def person(number: int, role: Role) -> Actor:
    return Actor(f"u-{number}", FINANCIER, frozenset({role}))


# --- Between processes ------------------------------------------------------------------------


def _submit(url: str, quotes: list[str], gate: Any, said: Connection) -> None:  # noqa: ANN401
    """Take quotes one after another in a process of one's own, once all processes are ready."""
    platform = build(url, clock=FixedClock(MORNING))
    with platform.db.snapshot():
        gate.wait()
    answers: Counter[str] = Counter()
    for quote in quotes:
        try:
            platform.run("request.submit", {"quote_id": quote}, TREASURER, key=f"take-{quote}")
        except ScfError as refusal:
            answers[refusal.code] += 1
        else:
            answers["IN_REVIEW"] += 1
    said.send(answers)
    platform.close()


def submitted(deals: Deals, quotes: list[str]) -> Counter[str]:
    """Take the quotes through eight processes at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flows.test_races", "tests.support.crashing"])
    url = deals.db.url.render_as_string(hide_password=False)
    gate = context.Barrier(PROCESSES)
    started = []
    for number in range(PROCESSES):
        ears, mouth = context.Pipe(duplex=False)
        mine = quotes[number::PROCESSES]
        process = context.Process(target=_submit, args=(url, mine, gate, mouth))
        process.start()
        mouth.close()
        started.append((process, ears))
    total: Counter[str] = Counter()
    for process, ears in started:
        total.update(ears.recv())
        process.join()
        assert process.exitcode == 0
    return total


@pytest.mark.parametrize(("amount", "fit"), [("1,000.00", 1), ("100.00", 10)])
def test_eight_processes_finance_one_invoice_exactly(db: Database, amount: str, fit: int) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice("1,000.00")
    crowd = PROCESSES * EACH
    quotes = [deals.quote(invoice_id, amount=amount)["id"] for _ in range(crowd)]
    assert submitted(deals, quotes) == {"IN_REVIEW": fit, "ALREADY_FINANCED": crowd - fit}
    assert len(deals.all(Advance)) == len(deals.all(FinancingRequest)) == fit
    assert deals.get(Invoice, invoice_id).held_minor == eur("1,000.00")
    must_be_right(deals)


# --- Money out --------------------------------------------------------------------------------


def ready(world: World, number: str = "INV-1") -> str:
    return world.advance(world.invoice(number, "1,000.00", SOON), "1,000.00")


def test_one_payment_is_prepared_by_eight_at_once(world: World) -> None:
    ready(world)

    def act(number: int) -> str:
        who = person(number, Role.OFFICER_MAKER)
        done = world.platform.run("payout.prepare", {}, who, key=f"p{number}").result
        return "file" if done["files"] else "nothing"

    seen = race(8, act)
    assert seen["file"] == 1
    assert set(seen) <= {"file", "nothing", "PAYMENT_PREPARED"}
    assert len(world.all(PaymentFile)) == len(world.instructions()) == 1
    must_be_right(world)


def test_one_file_released_by_eight_at_once_is_one_order_of_the_same_bytes(world: World) -> None:
    advances = [ready(world, f"INV-{number}") for number in range(3)]
    (file,) = world.run("payout.prepare")["files"]
    seen_bytes = set()

    def act(number: int) -> str:
        who = person(number, Role.OFFICER_CHECKER)
        payload = {"file_id": file["file_id"]}
        done = world.platform.run("payout.release", payload, who, key=f"r{number}").result
        with world.db.snapshot() as conn:
            seen_bytes.add(payout.content_of(conn, file["file_id"], who))
        return "again" if done["again"] else "released"

    assert race(8, act) == {"released": 1, "again": 7}
    assert len(seen_bytes) == 1
    assert {row.state for row in world.instructions()} == {"SENT"}
    booked = [row for row in world.all(Entry) if row.event_kind == "payout.instructed"]
    assert len({row.event_id for row in booked}) == len(advances)
    must_be_right(world)


def test_a_withdrawal_against_the_release_of_its_payment_leaves_one_truth(world: World) -> None:
    treasurer = Actor("u-treasurer", SELLER, frozenset({Role.TREASURER}))
    for turn in range(4):
        advance_id = ready(world, f"INV-{turn}")
        (file,) = world.run("payout.prepare")["files"]
        acts: list[tuple[str, dict[str, Any], Actor]] = [
            ("payout.release", {"file_id": file["file_id"]}, CHECKER),
            ("request.withdraw", {"request_id": f"r-{advance_id}"}, treasurer),
        ]

        def act(number: int, turn: int = turn, acts: Any = acts) -> str:  # noqa: ANN401
            name, payload, who = acts[number]
            world.platform.run(name, payload, who, key=f"{turn}-{number}")
            return str(name)

        seen = race(2, act)
        state = world.get(Advance, advance_id).state
        if state == "INSTRUCTED":
            assert seen == {"payout.release": 1, "ILLEGAL_TRANSITION": 1}
        else:
            assert (state, seen) == ("CANCELLED", {"request.withdraw": 1, "NOT_READY": 1})
            world.run("payout.cancel", file_id=file["file_id"], note="withdrawn")
        must_be_right(world)


# --- Money in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("renamed", [False, True])
def test_one_statement_read_by_eight_at_once_is_posted_once(world: World, *, renamed: bool) -> None:
    one = world.financed("1,000.00", due_on=SOON)
    world.morning_of(SOON)
    name, data = world.receipt("1,010.00", "INV-1")

    def act(number: int) -> str:
        who = dataclasses.replace(MAKER, user_id=f"u-{number}")
        called = f"{number}.xml" if renamed else name
        done = statements.read_file(world.platform, who, data, called)
        return f"new {done['new_entries']}"

    assert race(8, act) == ({"new 1": 1, "new 0": 7} if renamed else {"new 1": 8})
    assert len(world.entries()) == 1
    assert world.get(Advance, one).state == "CLOSED"
    assert len([row for row in world.all(Entry) if row.event_kind == "bank.booked"]) == 1
    must_be_right(world)


def test_the_answer_to_a_payment_file_read_by_eight_at_once_counts_once(world: World) -> None:
    from scf.demo import bank

    advance_id = ready(world)
    (file,) = world.ordered()
    answers = bank.answer(file, on=world.today, state_dir=world.folder)

    def act(number: int) -> str:
        name, data = answers[number % 2]
        return str(statements.read_file(world.platform, MAKER, data, f"{number}{name}")["read"])

    assert race(8, act) == {"True": 8}
    assert world.get(Advance, advance_id).state == "FUNDED"
    assert [row.state for row in world.all(PaymentInstruction)] == ["SETTLED"]
    must_be_right(world)


def waiting(world: World) -> tuple[str, str, str]:
    """Give two advances and a receipt that nobody can place."""
    one = world.financed("1,000.00", "INV-1", SOON)
    other = world.financed("1,000.00", "INV-2", SOON)
    world.receive("1,000.00", "thank you", name="Somebody", account="XX1")
    (entry,) = (row for row in world.entries() if row.unallocated_minor)
    return one, other, entry.id


def test_one_receipt_placed_by_eight_at_once_pays_once(world: World) -> None:
    one, other, entry_id = waiting(world)
    invoices = [world.get(Advance, each).invoice_id for each in (one, other)]

    def act(number: int) -> str:
        pays = [{"invoice_id": invoices[number % 2], "amount_minor": eur("1,000.00")}]
        payload = {"entry_id": entry_id, "pays": pays, "note": "by telephone"}
        who = person(number, Role.OFFICER_MAKER)
        world.platform.run("receipt.identify", payload, who, key=f"i{number}")
        return "placed"

    assert race(8, act) == {"placed": 1, "AMOUNT_LEFT": 7}
    states = sorted(world.get(Advance, each).state for each in (one, other))
    assert states == ["CLOSED", "FUNDED"]
    must_be_right(world)


def test_proposals_for_one_receipt_accepted_by_eight_at_once_settle_one(world: World) -> None:
    both = [world.financed("1,000.00", f"INV-2026-{n}", SOON) for n in (1001, 2002)]
    world.morning_of(SOON)
    world.receive("1,000.00", "thank you")
    proposals = world.all(ReceiptProposal)
    assert len(proposals) == len(both)

    def act(number: int) -> str:
        one = proposals[number % 2]
        payload = {"entry_id": one.bank_entry_id, "proposal_id": one.id, "note": "by telephone"}
        who = person(number, Role.OFFICER_MAKER)
        world.platform.run("receipt.accept", payload, who, key=f"a{number}")
        return "placed"

    assert race(8, act) == {"placed": 1, "PROPOSAL_GONE": 7}
    assert sorted(world.get(Advance, each).state for each in both) == ["CLOSED", "FUNDED"]
    must_be_right(world)


def test_one_receipt_reversed_by_eight_at_once_is_as_before(world: World) -> None:
    one = world.financed("1,000.00", "INV-1", SOON)
    before = {org: world.book(org) for org in (SELLER, OBLIGOR, FINANCIER)}
    world.morning_of(world.today)
    world.receive("1,000.00", "INV-1")
    entry_id = world.last_entry().id

    def act(number: int) -> str:
        payload = {"entry_id": entry_id, "note": "meant another"}
        who = person(number, Role.OFFICER_MAKER)
        world.platform.run("receipt.reverse", payload, who, key=f"r{number}")
        return "reversed"

    assert race(8, act) == {"reversed": 1, "NOT_ALLOCATED": 7}
    assert world.get(Advance, one).state == "FUNDED"
    assert all(row.reversed_by for row in world.all(Allocation))
    after = {org: world.book(org) for org in (SELLER, OBLIGOR, FINANCIER)}
    after[FINANCIER]["cash"] -= eur("1,000.00")  # the bank has it; who sent it is in suspense
    assert after[FINANCIER].pop("suspense") == -eur("1,000.00")
    # Who paid and took it back has it open with the bank, not with its cash.
    assert (after[SELLER], after[FINANCIER]) == (before[SELLER], before[FINANCIER])
    must_be_right(world)


# --- The day and the buyer's word -------------------------------------------------------------


def test_the_end_of_one_day_run_by_four_at_once_is_one_day(world: World) -> None:
    one = world.financed("1,000,000.00", due_on=SOON)
    today = world.today

    def act(_number: int) -> str:
        return str(day.close_to(world.platform, FINANCIER, today)["business_date"])

    tomorrow = str(today + dt.timedelta(days=1))
    seen = race(4, act)
    assert seen[tomorrow] >= 1
    assert set(seen) <= {tomorrow, "NOT_TODAY"}
    assert str(world.today) == tomorrow
    row = world.get(Advance, one)
    assert (row.income_to, row.income_minor) == (today, eur("129.17"))
    closes = [each for each in world.all(Entry) if each.event_kind == "income.close"]
    assert len([each for each in closes if each.org_id == FINANCIER]) == 1
    must_be_right(world)


def test_an_acceptance_against_a_dispute_leaves_one_truth(db: Database) -> None:
    deals = Deals(db)
    for turn in range(6):
        invoice_id = deals.invoice("1,000.00", accepted=False)
        acts: list[tuple[str, dict[str, Any]]] = [
            ("invoice.accept", {"items": [{"invoice_id": invoice_id}]}),
            (
                "invoice.dispute",
                {"invoice_id": invoice_id, "amount_minor": eur("400.00"), "reason": "broken"},
            ),
        ]

        def act(number: int, turn: int = turn, acts: Any = acts) -> str:  # noqa: ANN401
            name, payload = acts[number]
            deals.platform.run(name, payload, APPROVER, key=f"{turn}-{number}")
            return str(name)

        assert race(2, act) == {"invoice.accept": 1, "invoice.dispute": 1}
        row = deals.get(Invoice, invoice_id)
        (dispute,) = deals.all(Dispute, invoice_id=invoice_id)
        # Accepted first it is a matter between the parties; contested first it stays out.
        assert (row.acceptance_state, row.dispute_state) == ("ACCEPTED", "DISPUTED")
        assert row.disputed_minor == (0 if dispute.commercial else eur("400.00"))
        free = eur("1,000.00") - row.disputed_minor
        assert deals.quote(invoice_id)["face_minor"] == free
    must_be_right(deals)
