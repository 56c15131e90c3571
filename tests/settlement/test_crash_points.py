"""A pay-out dies before it is sent, between sending and noting, or after: the bank sees it once.

A process of its own releases the payment file, hands it to the bank and reads the bank's answers,
and dies without warning at the point that is asked for. Then four others finish the same work at
once, each from the start. Source: promises.md P8.
"""

import datetime as dt
import os
import warnings
from collections import Counter
from pathlib import Path

import pytest

from scf.db.platform import Platform
from scf.demo import bank, bank_process
from scf.demo.bank_memory import recall
from scf.kernel.errors import ScfError
from scf.settlement import payout, statements
from tests.settlement.books import must_agree
from tests.settlement.test_replay import at_once
from tests.settlement.world import CHECKER, MAKER, World

DEATHS = 50
POINTS = ("before it is sent", "sent and not noted", "noted")


def carry_out(platform: Platform, file_id: str, folder: Path, dies: str, day: str) -> None:
    """Release, send, let the bank answer, read: what an officer's tools do one after the other."""
    platform.run("payout.release", {"file_id": file_id}, CHECKER, key=f"release-{file_id}")
    if dies == POINTS[0]:
        os._exit(0)
    with platform.db.snapshot() as conn:
        content = payout.content_of(conn, file_id, CHECKER)
    inbox, out = folder / "in", folder / "out"
    inbox.mkdir(parents=True, exist_ok=True)
    draft = inbox / f".{os.getpid()}-{id(content)}"
    draft.write_bytes(content)
    draft.replace(inbox / f"{draft.name[1:]}.xml")
    bank_process.attend(inbox, out, on=dt.date.fromisoformat(day))
    if dies == POINTS[1]:
        os._exit(0)
    for path in sorted(out.glob("*.xml")):
        statements.read_file(platform, MAKER, path.read_bytes(), path.name)
    if dies == POINTS[2]:
        os._exit(0)


def died(world: World, file_id: str, point: str) -> None:
    """Let a process do the work until it is gone, in the middle of what it was doing."""
    world.db.close()  # no connection of ours may be shared with it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads; the child needs none
        child = os.fork()
    if child == 0:
        try:
            carry_out(world.platform, file_id, world.folder, point, world.today.isoformat())
        finally:
            os._exit(9)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def dies_and_is_done_again(world: World, point: str, turn: int) -> None:
    """Prepare three pay-outs, die at a point of carrying them out, and let four finish at once."""
    for number in range(3):
        world.advance(world.invoice(f"INV-{turn}-{number}", "100.00"), "100.00")
    file_id = world.run("payout.prepare")["files"][0]["file_id"]
    died(world, file_id, point)

    def again(_number: int) -> str:
        for _ in range(20):
            try:
                carry_out(world.platform, file_id, world.folder, "", world.today.isoformat())
            except (ScfError, FileNotFoundError):
                continue  # another was first with a file of the bank's
            return "done"
        return "never"

    assert at_once(4, again) == ["done"] * 4
    for path in (world.folder / "out").glob("*.xml"):
        path.unlink()  # read by all four


def must_be_paid_once(world: World, files: int) -> None:
    """The bank has seen each payment once and each file under one name, and our cash is its own."""
    memory = recall(world.folder / "out")
    paid = Counter(
        payment.end_to_end_id
        for statement in memory.statements.values()
        for entry in statement.entries
        for payment in entry.payments
    )
    assert paid == {row.end_to_end_id: 1 for row in world.instructions()}
    assert {row.state for row in world.instructions()} == {"SETTLED"}
    assert len(memory.files) == files  # the same name and bytes each time
    account, currency = next(iter(memory.balances)).split(" ")
    assert bank.balance(account, currency, state_dir=world.folder / "out") == world.cash()
    must_agree(world)


@pytest.mark.parametrize("point", POINTS)
def test_dead_at_any_point_and_done_again_by_four_at_once_it_is_paid_once(
    world: World, point: str
) -> None:
    dies_and_is_done_again(world, point, 0)
    must_be_paid_once(world, 1)


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
def test_fifty_deaths_at_each_point_and_the_bank_sees_each_payment_once(
    world: World, point: str
) -> None:
    for turn in range(DEATHS):
        dies_and_is_done_again(world, point, turn)
    must_be_paid_once(world, DEATHS)
