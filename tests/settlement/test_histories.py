"""Random histories of several advances: whatever happens, nothing is lost and the books agree."""

import datetime as dt
import random

import pytest

from scf.demo import bank
from scf.financing.models import Advance
from scf.kernel.errors import Conflict, RuleViolation
from scf.kernel.money import format_minor
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.world import START, STRANGER, World

DUE = START + dt.timedelta(days=8)
STEPS = 25


class History:
    """One seeded story: a few invoices, part financed, and money going both ways."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.numbers = [f"INV-{n}" for n in range(3)]
        for number in self.numbers:
            whole = self.chance.randrange(2, 50_000_000)
            invoice = world.invoice(number, text(whole), DUE + dt.timedelta(days=len(number) % 3))
            left = whole
            for _ in range(self.chance.randrange(1, 3)):
                face = self.chance.randrange(1, left + 1)
                left -= face
                world.advance(invoice, text(face), recourse=self.chance.random() < 0.3)
                if left == 0:
                    break
        world.pay_out()

    def step(self) -> None:
        acts = (
            self.receive, self.receive, self.receive, self.days, self.days, self.take_back,
            self.pay_on, self.come_back, self.stranger,
        )  # fmt: skip
        self.chance.choice(acts)()

    def receive(self) -> None:
        back = self.chance.randrange(5)
        on = max(START, self.world.today - dt.timedelta(days=back))
        named = self.chance.sample(self.numbers, self.chance.randrange(3))
        amount = self.chance.choice([1, 99, 10_000, self.chance.randrange(1, 60_000_000)])
        self.world.receive(text(amount), " ".join(named), value_on=on, on=self.world.today)

    def stranger(self) -> None:
        self.world.receive("17.23", self.numbers[0], firm=STRANGER)

    def days(self) -> None:
        self.world.close_to(self.world.today + dt.timedelta(days=self.chance.randrange(3)))

    def take_back(self) -> None:
        entries = self.world.entries()
        if not entries:
            return
        entry = self.chance.choice(entries)
        if self.chance.random() < 0.3 and entry.state not in {"REVERSED", "REFUNDED"}:
            self.world.taken_back(entry)
            return
        try:
            self.world.run("receipt.reverse", entry_id=entry.id, note="by chance")
        except (Conflict, RuleViolation) as refusal:
            assert refusal.code in {"NOT_ALLOCATED", "PAID_OUT", "RETURN_UNKNOWN"}  # noqa: PT017

    def pay_on(self) -> None:
        self.world.pay_out(reject=self.chance.random() < 0.2)

    def come_back(self) -> None:
        settled = [row for row in self.world.instructions() if row.state == "SETTLED"]
        fresh = [row for row in settled if row.kind != "advance" or self.unpaid(row.advance_id)]
        if fresh:
            name = self.chance.choice(fresh).end_to_end_id
            self.world.read(
                [bank.give_back(name, on=self.world.today, state_dir=self.world.folder)]
            )
        for row in self.world.all(Advance):
            if row.state == "RETURNED" and self.chance.random() < 0.5:
                self.world.run("payout.unwind", advance_id=row.id, note="by chance")

    def unpaid(self, advance_id: str) -> bool:
        return bool(self.world.get(Advance, advance_id).state == "FUNDED")


def text(minor: int) -> str:
    return format_minor(minor, "EUR")


def told(world: World, seed: int, steps: int) -> None:
    history = History(world, seed)
    for _ in range(steps):
        history.step()
        must_agree(world)


TERMS = {"rebate_share_ppm": 800_000, "grace_days": 2}


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_in_a_random_history(make_world: MakeWorld, seed: int) -> None:
    told(make_world(**TERMS), seed, STEPS)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_nothing_is_lost_in_many_random_histories(make_world: MakeWorld, seed: int) -> None:
    told(make_world(**TERMS), seed, 2 * STEPS)
