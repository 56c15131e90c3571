"""Story S9: things go wrong, and in the end every loss and every euro is where the books say.

One financier, one anchor and one supplier, two programmes, eight receivables, and all that can
happen to them: through commands, with the bank as a process of its own. Source: product.md S9;
finance.md F9 and F11; promises.md P15.
"""

import datetime as dt
import json
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row

from scf.db.engine import Database
from scf.demo import bank, bank_process
from scf.documents import intake
from scf.documents.models import Dispute, Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor
from scf.parties.models import FirmIdentifier
from scf.programmes.models import LimitNode
from scf.reporting.verify import verify
from scf.settlement import statements
from scf.settlement.models import BankEntry
from tests.settlement.books import must_agree
from tests.settlement.provisions import agreed, provide, stands
from tests.settlement.stories import parts, state, waiting
from tests.settlement.world import (
    FINANCIER,
    MAKER,
    NAMES,
    OBLIGOR,
    SELLER,
    START,
    World,
    eur,
)

A_DAY = dt.timedelta(days=1)
DUE = START + 13 * A_DAY  # a Monday
SECONDS = 60
CLERK = Actor("u-clerk", OBLIGOR, frozenset({Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER}))
TREASURER = Actor("u-treasurer", SELLER, frozenset({Role.TREASURER}))
VAT = {SELLER: "FR83404833048", OBLIGOR: "DE136695976"}
FACTORING: dict[str, Any] = {
    "technique": "receivables_discounting", "ipu": "none", "charge": "arrears",
    "advance_ppm": 850_000, "reserve_ppm": 150_000, "penalty_multiple_ppm": 0,
    "recourse": "full",
}  # fmt: skip


def _serve(inbox: Path, out: Path, day: Path) -> None:
    bank_process.serve(
        inbox,
        out,
        today=lambda: dt.date.fromisoformat(day.read_text("ascii")),
        say=lambda _files: None,
        every=0.02,
    )


class Trouble(World):
    """The world, its bank as a process, and documents that are handed in as files."""

    def __init__(self, db: Database, folder: Path) -> None:
        super().__init__(db, folder / "out")
        self.inbox, self.day_file = folder / "in", folder / "day"
        self.inbox.mkdir(parents=True)
        with db.writer.begin() as conn:
            for firm, number in VAT.items():
                self._insert(
                    conn,
                    FirmIdentifier(
                        id=new_id(), firm_id=firm, scheme="vat", value=number,
                        created_at=self.clock.now(),
                    ),
                )  # fmt: skip

    def handed_over(self, **payload: Any) -> None:  # noqa: ANN401 - of the command
        """Prepare, release, put the files into the bank's folder; read what it puts out."""
        self.tell_day()
        files = self.ordered(**payload)
        assert files
        for number, data in enumerate(files):
            draft = self.inbox / f".{self.key()}-{number}"
            draft.write_bytes(data)
            draft.replace(self.inbox / f"{draft.name[1:]}.xml")
        deadline = time.monotonic() + SECONDS
        while any(self.inbox.glob("*.xml")):
            assert time.monotonic() < deadline, "the bank does not answer"
            time.sleep(0.02)
        self.read_all()

    def tell_day(self) -> None:
        """Tell the bank what day it is."""
        draft = self.day_file.with_suffix(".new")
        draft.write_text(self.today.isoformat(), "ascii")
        draft.replace(self.day_file)

    def read_all(self) -> None:
        """Read all that lies in the bank's folder, what was read before once more."""
        for path in sorted(self.folder.glob("*.xml")):
            statements.read_file(self.platform, MAKER, path.read_bytes(), path.name)

    def come_back(self, advance_id: str, reason: str) -> None:
        """Let the payee's bank return a pay-out."""
        name = f"{advance_id.replace('-', '')}-1"
        self.read([bank.give_back(name, on=self.today, state_dir=self.folder, reason=reason)])

    def credit_note(self, number: str, amount: str, invoice: str) -> None:
        """Let the supplier hand in a credit note as a file."""
        row = f"{number},{self.today},{amount.replace(',', '')},{invoice}"
        columns = {
            "number": "number", "issue_on": "date", "payable": "amount",
            "billing_reference": "invoice",
        }  # fmt: skip
        constants = {"currency": "EUR"}
        for side, firm in (("seller", SELLER), ("buyer", OBLIGOR)):
            constants |= {f"{side}_name": NAMES[firm], f"{side}_vat": VAT[firm]}
        kind = {"kind": "credit_note", "columns": columns, "constants": constants}
        received = self.run(
            "upload.receive", TREASURER, name=f"{number}.csv", format="csv",
            content=f"number,date,amount,invoice\n{row}\n".encode(),
            mapping=ColumnMapping.from_json(json.dumps(kind)),
        )  # fmt: skip
        done = intake.run_upload(self.platform, received["upload_id"])
        assert (done["state"], done["stored"]) == ("DONE", 1), done

    def balanced(self) -> None:
        """Every book balances, agrees with the rows, and no check finds anything."""
        must_agree(self)
        assert verify(self.platform).breaches == []
        for org in (SELLER, OBLIGOR, FINANCIER):
            assert sum(self.book(org).values()) == 0, org


@pytest.fixture
def world(db: Database, tmp_path: Path) -> Iterator[Trouble]:
    made = Trouble(db, tmp_path)
    made.tell_day()
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_serve, args=(made.inbox, made.folder, made.day_file))
    process.start()
    try:
        yield made
    finally:
        process.kill()
        process.join(SECONDS)


def test_things_go_wrong_and_every_euro_is_where_the_books_say(world: Trouble) -> None:
    provide()
    of = {
        name: world.advance(world.invoice(number, "100,000.00", DUE), "100,000.00")
        for number, name in (
            ("INV-1", "returned"), ("INV-2", "unwound"), ("INV-3", "misdirected"),
            ("INV-4", "disputed"), ("INV-5", "defaulted"), ("INV-6", "lost"),
        )
    }  # fmt: skip
    world.agree("factoring", **FACTORING)
    for number, name in (("INV-7", "called"), ("INV-8", "diluted")):
        invoice = world.invoice(number, "100,000.00", DUE)
        of[name] = world.advance(invoice, "100,000.00", fee="500.00", rate="6.2")
    world.handed_over()
    assert {state(world, one) for one in of.values()} == {"FUNDED"}

    _the_buyer_contests_after_its_undertaking(world, of)
    _pay_outs_come_back(world, of)
    _the_loan_loses_security(world, of)
    world.balanced()

    world.morning_of(DUE)
    _what_is_due_is_paid_or_goes_astray(world, of)
    world.morning_of(DUE + 3 * A_DAY)
    _recourse(world, of)
    _default_and_write_off(world, of)
    world.balanced()
    _recovery(world, of)

    assert {name: state(world, one) for name, one in of.items()} == {
        "returned": "CLOSED", "unwound": "UNWOUND", "misdirected": "CLOSED",
        "disputed": "CLOSED", "defaulted": "RECOVERED", "lost": "WRITTEN_OFF",
        "called": "REPURCHASED", "diluted": "CLOSED",
    }  # fmt: skip
    _where_everything_is(world, world.get(Advance, of["lost"]))


def _pay_outs_come_back(world: Trouble, of: dict[str, str]) -> None:
    """Two are returned on the second day: one goes to another account, one is undone."""
    world.close_to(START + A_DAY)
    for name in ("returned", "unwound"):
        world.come_back(of[name], "AC04")
        assert state(world, of[name]) == "RETURNED"
    account = world.another_account(SELLER, "FR7630006000011234567890189")
    world.run(
        "payout.repair", advance_id=of["returned"], account_id=account, note="new bank, called back"
    )
    world.run("payout.unwind", advance_id=of["unwound"], note="the sale was called off")
    world.handed_over(advance_ids=[of["returned"]], owed=False)
    row = world.get(Advance, of["returned"])
    assert (row.state, row.funded_on) == ("FUNDED", world.today)
    undone = world.get(Advance, of["unwound"])
    assert (undone.income_minor, world.get(Invoice, undone.invoice_id).outstanding_minor) == (0, 0)


def _the_buyer_contests_after_its_undertaking(world: Trouble, of: dict[str, str]) -> None:
    """A dispute stops nothing; the seller gives way by a credit note, which waits to be carried."""
    invoice_id = world.get(Advance, of["disputed"]).invoice_id
    said = world.run(
        "invoice.dispute", CLERK, invoice_id=invoice_id, amount_minor=eur("30,000"),
        reason="a third of the pieces is bent",
    )  # fmt: skip
    assert said["commercial"]
    world.run("dispute.resolve", TREASURER, dispute_id=said["id"], outcome="buyer")
    world.credit_note("CN-4", "30,000.00", "INV-4")
    assert [row.state for row in world.all(Dispute)] == ["RESOLVED_FOR_BUYER"]
    assert world.get(Invoice, invoice_id).outstanding_minor == eur("100,000")
    assert world.book(OBLIGOR)["credit_notes_due_from_supplier"] == eur("30,000")


def _the_loan_loses_security(world: Trouble, of: dict[str, str]) -> None:
    """Without an undertaking a credit note takes the reserve, then asks the seller.

    The note that waited is set against the first invoice of the pair that is free again.
    """
    world.credit_note("CN-8", "20,000.00", "INV-8")
    free = world.get(Invoice, world.get(Advance, of["unwound"]).invoice_id)
    assert (free.number, free.credited_minor) == ("INV-2", eur("30,000"))
    row = world.get(Advance, of["diluted"])
    assert (row.reserve_left_minor, row.gap_minor) == (0, eur("5,000"))
    world.receive("5,000.00", "INV-8", firm=SELLER)
    assert world.get(Advance, of["diluted"]).gap_paid_minor == eur("5,000")


def _what_is_due_is_paid_or_goes_astray(world: Trouble, of: dict[str, str]) -> None:
    world.receive("100,010.00", "INV-1")  # ten euro too much
    world.receive("100,000.00", "INV-4")
    world.receive("80,000.00", "INV-8")
    world.run(
        "receipt.misdirected", advance_id=of["misdirected"], amount_minor=eur("100,000"),
        value_on=world.today.isoformat(), note="the obligor sent its bank's proof",
    )  # fmt: skip
    world.receive("60,000.00", "INV-5")  # the rest of it never comes in time
    world.receive("7,000.00", "no idea", firm=OBLIGOR, name="Somebody", account="XX1")
    assert waiting(world).unallocated_minor == eur("7,000")
    assert state(world, of["misdirected"]) == "FUNDED", "the item stays due"


def _recourse(world: Trouble, of: dict[str, str]) -> None:
    """The supplier hands over what was not its own, and pays in the buyer's place."""
    world.receive("100,000.00", "INV-3", firm=SELLER)
    late = world.get(Advance, of["misdirected"])
    world.receive(format_minor(late.penalty_minor, "EUR"), "INV-3")
    called = world.run("recourse.call", advance_id=of["called"], note="the buyer has stopped")
    world.receive(format_minor(called["due_minor"], "EUR"), "INV-7", firm=SELLER)
    assert world.get(Advance, of["called"]).lent_paid_minor == eur("85,000")
    row = world.get(Advance, of["diluted"])
    rest = row.interest_minor - row.interest_paid_minor + eur("85,000") - row.lent_paid_minor
    world.receive(format_minor(rest, "EUR"), "INV-8", firm=SELLER)


def _default_and_write_off(world: Trouble, of: dict[str, str]) -> None:
    """Two officers put both in stage 3 and write off what is still carried."""
    world.close_to(world.today)
    for name, rest in (("defaulted", "40,000"), ("lost", "100,000")):
        agreed(world, of[name], "allowance", eur(rest))
        assert stands(world, of[name]).stage == 3
        agreed(world, of[name], "write_off")
        assert world.get(Advance, of[name]).written_off_minor == eur(rest)


def _recovery(world: Trouble, of: dict[str, str]) -> None:
    """One debt is recovered whole, lateness included; of the other a part comes after all."""
    world.close_to(world.today + 5 * A_DAY)
    row = world.get(Advance, of["defaulted"])
    world.receive(format_minor(eur("40,000") + row.penalty_minor, "EUR"), "INV-5")
    world.run(
        "receipt.identify", entry_id=waiting(world).id, note="the administrator's first dividend",
        pays=[{
            "invoice_id": world.get(Advance, of["lost"]).invoice_id, "amount_minor": eur("7,000"),
        }],
    )  # fmt: skip
    assert parts(world)["recovery"] == eur("47,000")


def _where_everything_is(world: Trouble, lost: Row[Any]) -> None:
    """The bank's account is our cash; the loss is what two people wrote off less what came."""
    assert world.open_accounts(FINANCIER) == {"due_to_payers": -eur("10")}
    world.handed_over()  # the over-payment goes back
    world.close_to(world.today)
    world.balanced()
    account = next(row.account for row in world.all(BankEntry))
    assert bank.balance(account, "EUR", state_dir=world.folder) == world.cash()
    book = world.book(FINANCIER)
    assert world.open_accounts(FINANCIER) == {}
    assert book["recoveries_of_amounts_written_off"] == -eur("47,000")
    assert book["impairment_loss"] == eur("140,000")
    assert world.open_accounts(SELLER) == {}
    assert world.open_accounts(OBLIGOR) == {
        # What of the lost debt was never paid, and the invoice that was given back: they live.
        "payables_in_supplier_finance_arrangement": -eur("193,000"),
        "accrued_penalty": -lost.penalty_minor,
    }
    assert not any(row.held_minor or row.utilised_minor for row in world.all(LimitNode))
