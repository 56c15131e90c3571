"""Random lives of discounted receivables: after every act the books are right, in the end zero.

Payments of the obligor in any parts and with any value date, credit notes, what the seller owes or
too much of it, recourse, money that the bank takes back, and pay-outs of what is released, in any
order; then everybody pays what is owed. Seeds make a failing history the same again.
"""

import datetime as dt
import random
from collections.abc import Callable

import pytest

from scf.financing.models import Advance, OverAdvance
from scf.financing.reserve import open_face
from scf.kernel.errors import RuleViolation, ScfError
from scf.kernel.money import format_minor
from scf.reporting.verify import verify
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.test_reserve_life import DUE, TERMS, credit_note, nothing_open
from tests.settlement.world import SELLER, START, World

ACTS = 7
KINDS = [
    {},
    {"recourse": "full", "grace_days": 0},
    {"recourse": "after_days", "recourse_after_days": 5},
    {"charge": "upfront", "advance_ppm": 900_000, "reserve_ppm": 100_000},
    {"charge": "upfront", "advance_ppm": 1_000_000, "reserve_ppm": 0, "recourse": "full"},
]


class Life:
    """One invoice, financed in one or two parts, and what may happen to it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)
        invoice_id = world.invoice("INV-1", "500,000.00", DUE)
        faces = ["500,000.00"] if seed % 3 else ["200,000.00", "250,000.00"]
        self.ids = [
            world.advance(invoice_id, face, fee="100.01", tax="6.00", rate="6.2") for face in faces
        ]
        world.pay_out()

    @property
    def acts(self) -> list[Callable[[], None]]:
        return [
            self.obligor_pays, self.obligor_pays, self.credit_note, self.seller_pays,
            self.days_pass, self.call, self.bank_takes_back, self.release,
        ]  # fmt: skip

    def rows(self) -> list[Advance]:
        return [self.world.get(Advance, one) for one in self.ids]  # type: ignore[misc]

    def part(self, amount: int) -> str:
        """Give some of an amount, all of it, or more."""
        share = self.draw.choice([1, 1, 2, 3, 7])
        return format_minor(max(1, amount // share + self.draw.choice([0, 0, 123])), "EUR")

    def obligor_pays(self) -> None:
        back = self.draw.choice([0, 0, 9])
        value_on = max(START, self.world.today - dt.timedelta(days=back))
        amount = sum(open_face(row) for row in self.rows())
        self.world.receive(self.part(amount), "INV-1", value_on=value_on)

    def credit_note(self) -> None:
        amount = sum(open_face(row) for row in self.rows()) // self.draw.choice([3, 8, 20])
        if amount:
            credit_note(self.world, format_minor(amount, "EUR"))

    def seller_pays(self) -> None:
        self.world.receive(self.part(self.seller_owes()), "INV-1", firm=SELLER)

    def seller_owes(self) -> int:
        owed = 0
        for row in self.rows():
            if row.state in {"CLOSED", "REPURCHASED"}:
                continue
            owed += row.interest_minor - row.interest_paid_minor
            if row.recourse:
                owed += row.face_minor - row.reserve_minor - row.lent_paid_minor
            else:
                owed += row.gap_minor - row.gap_paid_minor
                if row.called_on:
                    owed += max(0, open_face(row) - row.reserve_left_minor)
        return owed

    def days_pass(self) -> None:
        days = self.draw.choice([1, 2, 90])
        if days == 90:
            self.world.set_date(self.world.today + dt.timedelta(days=days))
        else:
            self.world.close_to(self.world.today + dt.timedelta(days=days - 1))

    def call(self) -> None:
        try:
            self.world.run(
                "recourse.call",
                advance_id=self.draw.choice(self.ids),
                cause=self.draw.choice(["unpaid", "breach"]),
                note="so it is",
            )
        except ScfError as refused:
            assert refused.code in {  # noqa: PT017 - which of several refusals is left to chance
                "NO_RECOURSE", "RECOURSE_EARLY", "NOTHING_OWED", "ILLEGAL_TRANSITION",
            }  # fmt: skip

    def bank_takes_back(self) -> None:
        entries = [row for row in self.world.entries() if row.state == "POSTED"]
        if entries:
            entry = self.draw.choice(entries)
            try:
                self.world.run("receipt.reverse", entry_id=entry.id, note="the bank says so")
            except RuleViolation as refused:
                assert refused.code == "PAID_OUT"  # noqa: PT017 - depends on the history
            else:
                must_agree(self.world)
                self.world.run(
                    "receipt.identify", entry_id=entry.id, refund_to="obligor", note="sent back"
                )

    def release(self) -> None:
        self.world.pay_out()

    def end(self) -> None:
        """Everybody pays what is owed, the obligor first."""
        self.world.set_date(max(self.world.today, DUE))
        for _ in range(4):
            amount = sum(open_face(row) for row in self.rows())
            if amount:
                self.world.receive(format_minor(amount, "EUR"), "INV-1")
            owed = self.seller_owes()
            if owed:
                self.world.receive(format_minor(owed, "EUR"), "INV-1", firm=SELLER)
        self.world.pay_out()


@pytest.mark.parametrize("seed", range(10))
def test_every_life_of_a_discounted_receivable_ends_at_zero(
    make_world: MakeWorld, seed: int
) -> None:
    life = Life(make_world(**TERMS | KINDS[seed % len(KINDS)]), seed)
    world = life.world
    for _ in range(ACTS):
        life.draw.choice(life.acts)()
        must_agree(world)
    assert verify(world.platform).breaches == []
    life.end()
    must_agree(world)
    assert {row.state for row in life.rows()} <= {"CLOSED", "REPURCHASED"}
    assert {row.state for row in world.all(OverAdvance)} <= {"CURED"}
    for entry in world.entries():
        if entry.unallocated_minor:  # what the seller paid too much waits for a person
            world.run("receipt.identify", entry_id=entry.id, refund_to=SELLER, note="too much")
    world.pay_out()
    must_agree(world)
    nothing_open(world)
    assert verify(world.platform).breaches == []
