"""The trail of an invoice: each step to whoever may see it, no cent lost, to strangers nothing."""

import datetime as dt
from typing import Any

import pytest

from scf.demo import bank
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.ledger.statement import Span, StatementLine, statement_lines, statement_page
from scf.reporting import trail as trails
from tests.settlement.conftest import MakeWorld
from tests.settlement.setting import CHECKER, FINANCIER, OBLIGOR, SELLER, STRANGER
from tests.settlement.test_reserve_life import credit_note
from tests.settlement.world import MAKER, START, World, eur

SOON = START.replace(day=30)  # a Monday
TREASURER = Actor("T", SELLER, frozenset({Role.TREASURER}), "t")
APPROVER = Actor("A", OBLIGOR, frozenset({Role.ANCHOR_APPROVER}), "a")
CLERK = Actor("K", OBLIGOR, frozenset({Role.ANCHOR_CLERK}), "k")
FOREIGN = Actor("X", STRANGER, frozenset({Role.OFFICER_CHECKER}), "x")


def followed(world: World, who: Actor, invoice_id: str) -> trails.Trail | None:
    with world.platform.db.read(who) as reading:
        found = trails.follow_invoice(reading, who, invoice_id)
        if found is not None:
            reading.expunge_all()
        return found


@pytest.fixture
def lived(make_world: MakeWorld) -> tuple[World, str]:
    """A pay-out that came back and went again, closes, a short payment, the rest, a refund."""
    world = make_world()
    advance = world.financed(due_on=SOON)
    world.close_to(START + dt.timedelta(days=1))
    sent = world.instructions()[0].end_to_end_id
    world.read([bank.give_back(sent, on=world.today, state_dir=world.folder)])
    for file in world.ordered(advance_ids=[advance]):
        world.answer(file)
    world.morning_of(SOON)
    world.receive("400,000.00", "INV-1")
    world.receive("610,000.00", "INV-1")
    return world, world.get(Advance, advance).invoice_id


def test_each_side_follows_its_own_and_nothing_is_lost(lived: tuple[World, str]) -> None:
    world, invoice = lived
    shown = {who: followed(world, who, invoice) for who in (MAKER, TREASURER, APPROVER, CLERK)}
    kinds = {
        who: {step.kind for step in found.steps}
        for who, found in shown.items()
        if found is not None
    }
    assert {"payment", "paid_out", "money_in", "advance", "entry", "closes"} <= kinds[MAKER]
    assert {"payment", "paid_out", "advance", "paid", "entry"} <= kinds[TREASURER]
    assert {"paid", "entry"} <= kinds[APPROVER]
    # What a seller has agreed with a bank is not its buyer's to see, nor a book its clerk's.
    theirs = {"payment", "paid_out", "advance", "request", "decision", "money_in", "closes"}
    assert not (kinds[APPROVER] | kinds[CLERK]) & theirs
    assert not kinds[CLERK] & {"entry", "closes"}
    assert followed(world, FOREIGN, invoice) is None
    for found in shown.values():
        assert found is not None
        laws = trails.laws_of(found.rows)
        assert laws
        assert [law for law in laws if not law.holds] == []
    ours = shown[MAKER]
    assert ours is not None
    assert [(one.paid_minor, one.settled_minor, one.open_minor) for one in
            trails.figures_of(ours.rows)] == [(eur("1,000,000"), eur("1,000,000"), 0)]  # fmt: skip
    days = [step.on for step in ours.steps]
    assert days == sorted(days)


def test_a_cent_that_is_changed_behind_the_platforms_back_breaks_a_law(
    lived: tuple[World, str],
) -> None:
    world, invoice = lived
    found = followed(world, CHECKER, invoice)
    assert found is not None
    for rows, name in (
        (found.rows.invoices, "paid_minor"),
        (found.rows.advances, "net_minor"),
        (found.rows.bank, "amount_minor"),
    ):
        row: Any = rows[-1]
        setattr(row, name, getattr(row, name) + 1)
        assert any(not law.holds for law in trails.laws_of(found.rows)), name
        setattr(row, name, getattr(row, name) - 1)
    assert all(law.holds for law in trails.laws_of(found.rows))


def test_a_statement_in_pages_is_the_statement_as_a_whole(lived: tuple[World, str]) -> None:
    """Whatever the size of a page and wherever the period begins, each balance is the same."""
    world, _invoice = lived
    with world.db.snapshot() as conn:
        for code in ("cash", "unearned_discount"):
            whole = list(statement_lines(conn, Span(FINANCIER, code, "EUR", START, SOON)))
            assert whole[-1].balance_minor == world.book(FINANCIER).get(code, 0)
            since = START.replace(day=15)
            late = Span(FINANCIER, code, "EUR", since, SOON)
            walked: list[StatementLine] = []
            after = None
            while True:
                page = statement_page(conn, late, after, 3)
                assert page.before_minor == (
                    walked[-1].balance_minor if walked else page.totals.opening_minor
                )
                walked += page.lines
                after = page.following
                if after is None:
                    break
            assert walked == [line for line in whole if line.at.booked_on >= since]
            assert page.totals.closing_minor == whole[-1].balance_minor
            assert page.totals.lines == len(walked)


def test_what_goes_wrong_is_followed_too_and_still_no_cent_is_lost(world: World) -> None:
    """S9: a credit note after finance, the buyer's money at the seller, who turns it over late."""
    advance = world.financed(due_on=SOON)
    invoice = world.get(Advance, advance).invoice_id
    credit_note(world, "30,000.00")
    world.morning_of(SOON)
    world.run(
        "receipt.misdirected", advance_id=advance, amount_minor=eur("1,000,000"),
        value_on=SOON.isoformat(), note="the obligor says so",
    )  # fmt: skip
    world.morning_of(SOON + dt.timedelta(days=12))
    world.receive("1,000,000.00", "INV-1", firm=SELLER)
    booked = {
        MAKER: {"penalty.close", "bank.booked", "payout.settled"},
        TREASURER: {"misdirected", "payout.settled"},
        APPROVER: {"misdirected", "penalty.close"},
    }
    for who, wanted in booked.items():
        found = followed(world, who, invoice)
        assert found is not None
        assert wanted <= {step.code for step in found.steps if step.entries}
        assert [law for law in trails.laws_of(found.rows) if not law.holds] == []
    late = followed(world, MAKER, invoice)
    assert late is not None
    assert {"OVERDUE"} <= {step.code for step in late.steps if step.kind == "advance"}
    assert trails.figures_of(late.rows)[0].outstanding_minor > 0
