"""The bank's files again, in pieces, and at once; and the same act by two people at once."""

import threading
from collections.abc import Callable

from scf.db.platform import Platform
from scf.demo import bank
from scf.financing.models import Advance
from scf.kernel.errors import ScfError
from scf.kernel.ids import new_id
from scf.ledger.models import Entry
from scf.settlement import statements
from scf.settlement.expected import EntryIn, PartIn
from scf.settlement.models import BankEntry, BankStatement
from tests.settlement.books import must_agree
from tests.settlement.world import CHECKER, DUE, MAKER, World, eur


def credit(world: World, identity: str, amount: str, reference: str) -> EntryIn:
    account = "DE89370400440532013000"
    return EntryIn(
        identity=identity, place="Ntry", amount_minor=eur(amount), currency="EUR",
        booked_on=world.today, value_on=world.today,
        parts=[PartIn(name="Obligor AG", account=account, references=[reference])],
    )  # fmt: skip


def test_overlapping_statements_post_only_what_is_new(world: World) -> None:
    world.financed("300.00")
    one, two, three = (credit(world, f"id-{n}", "100.00", "INV-1") for n in range(3))
    counts = [
        world.run("statement.read", **world.slice(rows))["new_entries"]
        for rows in ([one, two], [two, three], [three, two, one])
    ]
    assert counts == [2, 1, 0]
    assert world.all(Advance)[0].state == "CLOSED"
    must_agree(world)


def test_pages_out_of_order_give_the_same_end(world: World) -> None:
    world.financed("300.00")
    rows = [credit(world, f"id-{n}", "100.00", "INV-1") for n in range(3)]
    for row in reversed(rows):
        world.run("statement.read", **world.slice([row]))
    assert world.all(Advance)[0].state == "CLOSED"
    must_agree(world)


def test_two_genuinely_equal_payments_are_both_kept(world: World) -> None:
    world.financed("300.00")
    for _ in range(2):
        world.receive("100.00", "INV-1")
    assert len(world.entries()) == 2
    assert world.all(Advance)[0].repaid_minor == eur("200.00")


def test_a_long_statement_enters_in_slices(world: World, monkeypatch: object) -> None:
    monkeypatch.setattr(statements, "SLICE", 2)  # type: ignore[attr-defined]
    for number in range(5):
        world.advance(world.invoice(f"INV-{number}", "100.00"), "100.00")
    (file,) = world.ordered()
    answers = bank.answer(file, on=world.today, state_dir=world.folder)
    said = world.read(answers)[-1]
    assert (said["entries"], said["new_entries"], said["settled"]) == (5, 5, 5)
    assert world.count(BankStatement) == 1
    # Half of it was read before the process died: the rest follows, nothing is doubled.
    assert world.read(answers)[-1]["entries"] == 5
    assert world.count(BankEntry) == 5
    must_agree(world)


def test_a_statement_that_does_not_add_up_posts_nothing(world: World) -> None:
    name, data = world.receipt("100.00", "INV-1")
    (said,) = world.read([(name, data.replace(b"100.00</Amt>", b"999.00</Amt>", 1))])
    assert said["read"] is False
    assert said["findings"]
    assert world.count(BankEntry) == world.count(BankStatement) == 0


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Run an act in threads that start together; gives results and refusals."""
    gate = threading.Barrier(count)
    outcomes: list[object] = [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            outcomes[number] = act(number)
        except ScfError as refusal:
            outcomes[number] = refusal.code

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_same_movement_told_by_eight_files_at_once_is_posted_once(world: World) -> None:
    world.financed("300.00")
    slices = [world.slice([credit(world, "same", "300.00", "INV-1")]) for _ in range(8)]
    keys = [new_id() for _ in slices]
    platform: Platform = world.platform
    done = at_once(
        8, lambda n: platform.run("statement.read", slices[n], MAKER, key=keys[n]).result
    )
    news = [one["new_entries"] if isinstance(one, dict) else one for one in done]
    assert sorted(news, key=str) == [0] * 7 + [1]
    must_agree(world)


def test_a_receipt_is_taken_back_once_however_often_it_is_asked(world: World) -> None:
    """P16: every reversal twice at once; as many successes as refusals, and the state is back."""
    world.financed("900.00")
    before = world.book("financier")
    world.morning_of(DUE)
    for _ in range(3):
        world.receive("300.00", "INV-1")
    entries = [row.id for row in world.entries()] * 2
    platform: Platform = world.platform
    done = at_once(
        6,
        lambda n: platform.run(
            "receipt.reverse", {"entry_id": entries[n], "note": "x"}, MAKER, key=f"r{n}"
        ).result["state"],
    )
    assert sorted(map(str, done)) == ["NOT_ALLOCATED"] * 3 + ["RECEIVED"] * 3
    row = world.all(Advance)[0]
    assert (row.state, row.repaid_minor) == ("FUNDED", 0)
    assert world.book("financier")["receivables_purchased"] == before["receivables_purchased"]
    must_agree(world)


def test_two_people_release_one_file_at_once_and_it_is_booked_once(world: World) -> None:
    world.advance(world.invoice("INV-1", "100.00"), "100.00")
    file_id = world.run("payout.prepare")["files"][0]["file_id"]
    platform: Platform = world.platform
    done = at_once(
        4,
        lambda n: platform.run("payout.release", {"file_id": file_id}, CHECKER, key=f"k{n}").result[
            "again"
        ],
    )
    assert sorted(map(str, done)) == ["False", "True", "True", "True"]
    assert sum(1 for one in world.all(Entry) if one.event_kind == "payout.instructed") == 1
    must_agree(world)


def test_two_people_prepare_at_once_and_it_is_paid_once(world: World) -> None:
    """An advance, a refund and a rest that is the seller's, each by six people at once."""
    world.financed("100.00", invoice="300.00")
    world.receive("307.00", "INV-1")
    world.advance(world.invoice("INV-2", "100.00"), "100.00")
    platform: Platform = world.platform
    done = at_once(
        6, lambda n: platform.run("payout.prepare", {}, MAKER, key=f"k{n}").result["files"]
    )
    files = [file for one in done if isinstance(one, list) for file in one]
    assert sum(file["count"] for file in files) == 3
    rows = [row for row in world.instructions() if row.state == "CREATED"]
    assert sorted(row.kind for row in rows) == ["advance", "payer", "seller"]
    must_agree(world)
