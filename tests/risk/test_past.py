"""What a model sees of a morning is what the book held then, whatever came in afterwards."""

import contextlib
import dataclasses
import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Row

from scf.db.engine import Database
from scf.db.runner import Context
from scf.documents import axes, invoice_state
from scf.documents.models import Dispute, Invoice
from scf.kernel.actor import Role
from scf.kernel.errors import NotFound, ScfError
from scf.risk import appetite
from scf.risk.asof import morning_on
from scf.risk.facts import days_past_due
from scf.risk.items import NO_DAY, Told, day_number, load
from scf.risk.past import NEVER, Past, past_of, spells_of
from scoring.features import KINDS, features, standing
from tests.risk.world import RiskWorld
from tests.support.deals import ANCHOR, BANK, SELLER, eur

FIRST = dt.date(2026, 1, 5)
FIRMS = ("one", "two", SELLER, ANCHOR)


class Book(RiskWorld):
    """A world in which anything that a document may go through happens to some invoice."""

    def __init__(self, db: Database, seed: int) -> None:
        super().__init__(db, "one", "two", ipu='"none"')
        self.chance = random.Random(seed)

    def live(self, day: dt.date, acts: int) -> None:
        """Let some things happen on a day; what is not possible then is left out."""
        for minute in range(acts):
            self.at(day)
            self.clock.advance(dt.timedelta(minutes=minute))
            act = self.chance.choice(ACTS)
            with contextlib.suppress(ScfError):
                act(self)

    def past(self, on: dt.date) -> Past:
        """Read what was known on a morning from what the database holds now."""
        with self.db.snapshot() as conn:
            return past_of(conn, morning_on(conn, BANK, on), appetite.in_force())

    def some(self) -> Row[Any]:
        """Choose an invoice; most have something open."""
        rows = self.all(Invoice)
        if not rows:
            raise NotFound("NONE", "There is none.")
        still = [row for row in rows if row.paid_minor < row.base_minor]
        return self.chance.choice(still or rows)

    def ago(self, most: int) -> dt.date:
        """Choose a day of the last ones."""
        return self.clock.now().date() - dt.timedelta(days=self.chance.randint(0, most))

    def on_axes(self, act: Callable[..., Any], *more: object, **named: object) -> None:
        """Do something in a transaction of its own."""
        with self.db.writer.begin() as conn:
            act(self.context(conn), *more, **named)


def sells(book: Book) -> None:
    seller, buyer = book.chance.sample(FIRMS, 2)
    issued = book.ago(70)  # many papers come long after their date
    book.sale(f"{book.chance.randint(1, 90)},000.00", seller, buyer, issued=issued,
              due=issued + dt.timedelta(days=30), accepted=book.chance.random() < 0.8)  # fmt: skip


def pays(book: Book) -> None:
    row = book.some()
    rest = row.base_minor - row.credited_minor - row.disputed_minor - row.paid_minor
    part = rest if book.chance.random() < 0.6 else rest // 3
    book.on_axes(axes.pay_rest, row.id, part, value_on=book.ago(9))


def returns(book: Book) -> None:
    row = book.chance.choice(book.all(Invoice))
    book.on_axes(axes.reopen_payment, row.id, row.paid_minor // 2 or 1, financed=False)


def disputes(book: Book) -> None:
    row = book.some()
    book.run("invoice.dispute", book.as_buyer(row.buyer_id), invoice_id=row.id,
             amount_minor=row.base_minor // 4, reason="broken on arrival")  # fmt: skip


def decides(book: Book) -> None:
    dispute = book.chance.choice([*book.all(Dispute)])
    invoice = book.get(Invoice, dispute.invoice_id)
    outcome = book.chance.choice(("buyer", "seller"))
    who = invoice.seller_id if outcome == "buyer" else invoice.buyer_id
    actor = dataclasses.replace(book.as_buyer(who), roles=frozenset({*Role} - {Role.OPERATOR}))
    book.run("dispute.resolve", actor, dispute_id=dispute.id, outcome=outcome)


def says_otherwise(book: Book) -> None:
    row = book.some()
    item = {
        "invoice_id": row.id, "amount_minor": row.payable_minor * 3 // 4,
        "due_on": row.due_on + dt.timedelta(days=20),
    }  # fmt: skip
    book.run("invoice.accept", book.as_buyer(row.buyer_id), items=[item])


def withdraws(book: Book) -> None:
    row = book.some()
    book.run("invoice.reject", book.as_buyer(row.buyer_id), invoice_ids=[row.id],
             reason="wrong price")  # fmt: skip


def sold(book: Book) -> None:
    row = book.some()
    book.on_axes(axes.hold, row.id, row.base_minor // 2)
    book.on_axes(axes.finance, row.id, row.base_minor // 2)


def changes(book: Book) -> None:
    """A credit note, an undertaking, another paper in its place."""
    row = book.some()
    column, value = book.chance.choice(
        (("credited_minor", row.base_minor // 5), ("ipu", True), ("document_state", "SUPERSEDED"))
    )

    def done(ctx: Context) -> None:
        before = invoice_state.states(ctx, [row.id])
        after = dataclasses.replace(before[row.id])
        setattr(after, column, value)
        invoice_state.write(ctx, before, [after])

    book.on_axes(done)


def reports(book: Book) -> None:
    end = book.ago(300)
    book.fact(
        book.chance.choice(FIRMS), "statement", period_end_on=end, received_on=end,
        currency="EUR", revenue_minor=eur("9,000,000.00") * book.chance.randint(1, 9),
        equity_ppm=book.chance.randint(-90_000, 450_000),
        liquidity_minor=eur("900,000.00"), weekly_cost_minor=eur("30,000.00"),
    )  # fmt: skip


ACTS = (
    sells, sells, sells, pays, pays, returns, disputes, decides, says_otherwise, withdraws, sold,
    changes, reports,
)  # fmt: skip


def of_firms(past: Past, on: dt.date) -> dict[str, bytes]:
    """Give each firm's features on a morning, to the last bit."""
    found = features(past.events, day_number(on))
    return {firm: found[at].tobytes() for at, firm in enumerate(past.firms)}


def test_features_of_the_whole_book_are_those_of_the_book_as_it_stood(db: Database) -> None:
    """Source: risk.md 8, test 1. The book is read as it stands on each morning, and at the end."""
    book = Book(db, seed=20)
    as_it_stood: dict[dt.date, tuple[dict[str, bytes], set[str]]] = {}
    for week in range(20):
        day = FIRST + dt.timedelta(days=7 * week)
        past = book.past(day)
        late = [past.firms[at] for at in np.flatnonzero(past.in_default(day_number(day)))]
        as_it_stood[day] = of_firms(past, day), set(late)
        book.live(day, acts=9)
    whole = book.past(day + dt.timedelta(days=1))
    assert set(whole.events.changes.kind.tolist()) == set(KINDS)
    assert len(whole.events.statements) > 3
    for day, (wanted, in_default) in as_it_stood.items():
        found = of_firms(whole, day)
        assert {firm: found[firm] for firm in wanted} == wanted, day
        here = np.flatnonzero(whole.in_default(day_number(day)))
        assert {whole.firms[at] for at in here} == in_default, day
    assert in_default
    as_the_card_reads_it(book, whole, day)


def as_the_card_reads_it(book: Book, past: Past, on: dt.date) -> None:
    """Hold every invoice against what the expert's card makes of the same facts."""
    with book.db.snapshot() as conn:
        items = load(conn, morning_on(conn, BANK, on), appetite.in_force())
    t = day_number(on)
    state = standing(past.events.before(t), t)
    assert len(items) > 20
    # What no longer counts has no row there, and is worth nothing here.
    counts = state.base > 0
    for name in ("net", "rest", "sold", "diluted", "settled"):
        assert (getattr(state, name)[counts] == getattr(items, name)).all(), name
    assert (state.dpd[counts] == days_past_due(items, t)).all()


# --- Default, by hand -----------------------------------------------------------------------------


def told(*facts: tuple[int, int, int, int, int]) -> Told:
    """Facts of invoices of 10,000 each: invoice, due, paid and contested euros, day known."""
    invoice, due, paid, contested, known = np.array(facts, np.int64).T
    nothing, size = np.zeros(len(facts), np.int64), len(facts)
    return Told(
        ids=["invoice"] * size,
        seller=["seller"] * size, buyer=["buyer"] * size, issued=nothing, due=due,
        base=nothing + 1_000_000, credited=nothing, disputed=contested * 100, conceded=nothing,
        paid=paid * 100, outstanding=nothing, recourse=nothing, ipu=nothing > 0,
        counts=nothing == 0,
        paid_on=nothing + NO_DAY, known=known, crumb=nothing + 50_000, euro=np.ones(size),
        ends=np.flatnonzero(np.append(invoice[1:] != invoice[:-1], True)), group=invoice,
    )  # fmt: skip


PAID_LATE = [(0, 30, 0, 0, 2), (0, 30, 10_000, 0, 140)]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        # Ninety days past due is none, one more is; it was paid, told on day 140, and is clean.
        (PAID_LATE, [(121, 231)]),
        ([(0, 30, 0, 0, 2), (0, 30, 10_000, 0, 120)], []),
        ([(0, 30, 0, 0, 2)], [(121, NEVER)]),
        # What stays open is a crumb, or contested, or not due; a contested part comes back.
        ([(0, 30, 9_600, 0, 2)], []),
        ([(0, 30, 0, 9_600, 2)], []),
        ([(0, NO_DAY, 0, 0, 2)], []),
        ([(0, 30, 0, 10_000, 2), (0, 30, 0, 0, 160)], [(161, NEVER)]),
        # A second one within ninety days of the first belongs to it; after that it is another.
        (
            [
                (0, 30, 0, 0, 2),
                (0, 30, 10_000, 0, 140),
                (1, 130, 0, 0, 9),
                (1, 130, 10_000, 0, 250),
            ],
            [(121, 341)],
        ),
        (
            [
                (0, 30, 0, 0, 2),
                (0, 30, 10_000, 0, 140),
                (1, 141, 0, 0, 9),
                (1, 141, 10_000, 0, 250),
            ],
            [(121, 231), (232, 341)],
        ),
        # Accepted long after it fell due: a default from the day after that was stored.
        ([(0, 30, 0, 0, 200)], [(201, NEVER)]),
        ([(0, 30, 0, 0, 400)], []),
    ],
)
def test_a_default_lasts_from_the_ninety_first_day_until_ninety_clean_ones(
    facts: list[tuple[int, int, int, int, int]], wanted: list[tuple[int, int]]
) -> None:
    """Source: pricing.md 4, label; EBA/GL/2016/07 on the return after three months."""
    book = told(*facts)
    rows = np.arange(len(facts))
    _, start, end = spells_of(book, rows, np.zeros(len(facts), np.int64), today=400)
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == wanted
