"""The amounts of an invoice: no part is financed twice, none is lost."""

import datetime as dt
import functools
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from scf.db.engine import Database
from scf.db.runner import Context
from scf.documents import axes, conservation, rules
from scf.documents.axes import Word
from scf.documents.disputes import open_dispute, resolve_dispute
from scf.documents.models import Acceptance, Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation, ScfError
from tests.documents.trade import CREDIT_NOTES, DUE, Trade, credit_table, trade_on


@pytest.fixture
def trade(db: Database) -> Trade:
    made = trade_on(db)
    made.invoices({"number": "A-1", "amount": "10000.00"})
    return made


def accepted(trade: Trade, amount: int = 1_000_000, *, ipu: bool = False) -> None:
    trade.on(
        "A-1",
        lambda ctx, row: axes.accept(
            ctx, row, amount_minor=amount, due_on=None, ipu=ipu, reason="goods are here"
        ),
    )


def test_golden_14_what_is_eligible_after_finance_hold_credit_and_dispute(trade: Trade) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 500_000))
    trade.on("A-1", lambda ctx, row: axes.finance(ctx, row.id, 400_000))
    trade.on("A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=30_000, reason="scratch"))
    trade.hand_in(*_credit("C-1", "500.00"))
    row = trade.invoice("A-1")
    assert (row.outstanding_minor, row.held_minor) == (400_000, 100_000)
    # The credit note is not over the contested amount, so it is about something else.
    assert (row.credited_minor, row.disputed_minor) == (50_000, 30_000)
    assert rules.eligible(row) == 420_000


def test_a_credit_note_over_the_contested_amount_ends_the_dispute(trade: Trade) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=30_000, reason="scratch"))
    trade.hand_in(*_credit("C-1", "300.00"))
    row = trade.invoice("A-1")
    assert (row.credited_minor, row.disputed_minor) == (30_000, 0)
    assert (row.dispute_state, rules.eligible(row)) == ("RESOLVED_FOR_BUYER", 970_000)


def _credit(number: str, amount: str, invoice: str = "A-1") -> tuple[bytes, ColumnMapping]:
    return credit_table([{"number": number, "amount": amount, "invoice": invoice}]), CREDIT_NOTES


def test_golden_14_a_payment_on_the_financed_part_leaves_the_rest_as_it_is(trade: Trade) -> None:
    accepted(trade)
    trade.hand_in(*_credit("C-1", "500.00"))
    trade.on("A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=30_000, reason="scratch"))
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 500_000))
    trade.on("A-1", lambda ctx, row: axes.finance(ctx, row.id, 400_000))
    assert rules.eligible(trade.invoice("A-1")) == 420_000
    trade.on("A-1", lambda ctx, row: axes.repay(ctx, row.id, 400_000))
    row = trade.invoice("A-1")
    assert (rules.eligible(row), row.payment_state, row.repaid_minor) == (
        420_000,
        "PART_PAID",
        400_000,
    )
    trade.on("A-1", lambda ctx, row: axes.reopen_payment(ctx, row.id, 400_000, financed=True))
    trade.on("A-1", lambda ctx, row: axes.repurchase(ctx, row.id, 400_000))
    row = trade.invoice("A-1")
    assert (rules.eligible(row), row.payment_state) == (820_000, "OPEN")


def test_golden_15_two_advances_share_an_invoice_and_a_short_payment(trade: Trade) -> None:
    accepted(trade)
    for part in (400_000, 300_000):
        amounts = {trade.invoice("A-1").id: part}
        trade.act(functools.partial(axes.hold_many, amounts=amounts))
        trade.act(functools.partial(axes.finance_many, amounts=amounts))
    assert rules.finance_state(trade.invoice("A-1")) == "PART_FINANCED"
    trade.on("A-1", lambda ctx, row: axes.repay(ctx, row.id, 600_000))
    row = trade.invoice("A-1")
    assert (row.outstanding_minor, rules.eligible(row), rules.owed(row)) == (
        100_000,
        300_000,
        400_000,
    )
    trade.on("A-1", lambda ctx, row: axes.repay(ctx, row.id, 100_000))
    trade.on("A-1", lambda ctx, row: axes.pay_rest(ctx, row.id, 300_000))
    row = trade.invoice("A-1")
    assert (row.payment_state, rules.finance_state(row)) == ("PAID", "CLOSED")


def test_more_than_eligible_is_refused_with_the_figures(trade: Trade) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 900_000))
    with pytest.raises(RuleViolation) as refusal:
        trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 100_001))
    assert refusal.value.code == "ALREADY_FINANCED"
    assert refusal.value.facts["eligible_minor"] == 100_000
    with pytest.raises(RuleViolation, match="CAPACITY"):
        trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 1_000_001))


@pytest.mark.parametrize("amount", [0, -1, True])
def test_an_amount_is_a_whole_number_above_zero(trade: Trade, amount: int) -> None:
    accepted(trade)
    with pytest.raises(InvalidInput, match="AMOUNT_RANGE"):
        trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, amount))


def test_no_counter_gives_back_more_than_it_holds(trade: Trade) -> None:
    accepted(trade)
    invoice_id = trade.invoice("A-1").id
    for name in ("free", "finance", "unwind", "repay", "unoffer", "repurchase"):
        back: Callable[..., None] = getattr(axes, f"{name}_many")
        with pytest.raises(Conflict, match="AMOUNT_STATE"):
            trade.act(functools.partial(back, amounts={invoice_id: 1}))
    with pytest.raises(Conflict, match="AMOUNT_STATE"):
        trade.on("A-1", lambda ctx, row: axes.reopen_payment(ctx, row.id, 1, financed=False))


def test_the_database_itself_refuses_an_overdrawn_invoice(trade: Trade) -> None:
    accepted(trade)
    with pytest.raises(RuleViolation, match="ALREADY_FINANCED"):
        trade.act(lambda ctx: ctx.conn.execute(text("UPDATE invoice SET held_minor = 1000001")))


@pytest.mark.parametrize(("amount", "winners"), [(1_000_000, 1), (100_000, 10)])
def test_64_racers_take_an_invoice_exactly_once_or_ten_tenths(
    trade: Trade, amount: int, winners: int
) -> None:
    accepted(trade)
    start, results = threading.Barrier(64), []

    def race() -> None:
        start.wait()
        try:
            trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, amount))
            results.append("held")
        except ScfError as refusal:
            results.append(refusal.code)

    racers = [threading.Thread(target=race) for _ in range(64)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert results.count("held") == winners
    assert set(results) <= {"held", "ALREADY_FINANCED"}
    assert trade.invoice("A-1").held_minor == 1_000_000


# --- Acceptance -------------------------------------------------------------------------------


def test_an_accepted_part_is_the_base_of_finance(trade: Trade) -> None:
    accepted(trade, 600_000)
    row = trade.invoice("A-1")
    assert (row.acceptance_state, row.base_minor, rules.eligible(row)) == (
        "PART_ACCEPTED",
        600_000,
        600_000,
    )
    accepted(trade, 1_000_000)
    row = trade.invoice("A-1")
    assert (row.acceptance_state, row.acceptance_version) == ("ACCEPTED", 2)
    with trade.db.snapshot() as conn:
        said = conn.execute(select(Acceptance.__table__)).all()  # type: ignore[attr-defined]
    assert sorted((one.version, one.amount_minor) for one in said) == [(1, 600_000), (2, 1_000_000)]


def test_an_undertaking_is_neither_withdrawn_nor_lowered(trade: Trade) -> None:
    accepted(trade, ipu=True)
    with pytest.raises(RuleViolation, match="UNDERTAKING"):
        trade.on("A-1", lambda ctx, row: axes.reject(ctx, row, reason="changed my mind"))
    with pytest.raises(RuleViolation, match="UNDERTAKING"):
        accepted(trade, 999_999)


def test_a_plain_acceptance_is_withdrawn_only_while_nothing_hangs_on_it(trade: Trade) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 1))
    with pytest.raises(RuleViolation, match="ALREADY_FINANCED"):
        trade.on("A-1", lambda ctx, row: axes.reject(ctx, row, reason="broken"))
    trade.on("A-1", lambda ctx, row: axes.free(ctx, row.id, 1))
    trade.on("A-1", lambda ctx, row: axes.reject(ctx, row, reason="broken"))
    assert trade.invoice("A-1").acceptance_state == "REJECTED"


@pytest.mark.parametrize(
    ("days", "code"), [(1, "CONSENT_NEEDED"), (-1, "EARLIER_DUE_DATE"), (-600, "DUE_DATE_ORDER")]
)
def test_the_due_date_stands_while_money_hangs_on_it(trade: Trade, days: int, code: str) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 1))
    invoice_id = trade.invoice("A-1").id
    word = Word(invoice_id, 1_000_000, DUE + dt.timedelta(days=days))
    with pytest.raises(ScfError, match=code):
        trade.act(lambda ctx: axes.accept_many(ctx, [word]))


def test_no_more_than_the_invoice_is_accepted(trade: Trade) -> None:
    with pytest.raises(RuleViolation, match="ACCEPT_ABOVE_INVOICE"):
        accepted(trade, 1_000_001)


# --- Disputes ---------------------------------------------------------------------------------


def test_a_dispute_takes_its_amount_out_and_its_end_brings_it_back(trade: Trade) -> None:
    accepted(trade)
    made = trade.on(
        "A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=300_000, reason="late")
    )
    row = trade.invoice("A-1")
    assert (row.dispute_state, rules.eligible(row)) == ("DISPUTED", 700_000)
    trade.act(lambda ctx: resolve_dispute(ctx, made["id"], outcome="split", buyer_minor=100_000))
    row = trade.invoice("A-1")
    assert (row.dispute_state, rules.eligible(row)) == ("SPLIT", 900_000)
    # The seller's credit note takes the place of what the buyer won; nothing is lowered twice.
    trade.hand_in(*_credit("C-1", "1000.00"))
    row = trade.invoice("A-1")
    assert (row.credited_minor, row.disputed_minor, rules.eligible(row)) == (100_000, 0, 900_000)
    with pytest.raises(Conflict, match="DISPUTE_STATE"):
        trade.act(lambda ctx: resolve_dispute(ctx, made["id"], outcome="seller"))


def test_after_an_undertaking_a_dispute_is_between_buyer_and_seller(trade: Trade) -> None:
    accepted(trade, ipu=True)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 600_000))
    made = trade.on(
        "A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=900_000, reason="late")
    )
    assert made["commercial"]
    row = trade.invoice("A-1")
    assert (row.dispute_state, rules.eligible(row)) == ("DISPUTED", 400_000)
    trade.on("A-1", lambda ctx, row: axes.finance(ctx, row.id, 600_000))
    trade.act(lambda ctx: resolve_dispute(ctx, made["id"], outcome="seller"))
    assert trade.invoice("A-1").dispute_state == "RESOLVED_FOR_SELLER"


def test_what_is_financed_without_an_undertaking_cannot_be_contested_away(trade: Trade) -> None:
    accepted(trade)
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 900_000))
    with pytest.raises(RuleViolation, match="ALREADY_FINANCED"):
        trade.on("A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=200_000, reason="x"))


def test_contested_money_that_is_paid_all_the_same_is_no_longer_withheld(trade: Trade) -> None:
    trade.on("A-1", lambda ctx, row: open_dispute(ctx, row, amount_minor=300_000, reason="late"))
    trade.on("A-1", lambda ctx, row: axes.pay_rest(ctx, row.id, 1_000_000))
    row = trade.invoice("A-1")
    assert (row.payment_state, row.disputed_minor, rules.capacity(row)) == ("PAID", 0, 0)
    with trade.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []


# --- Random histories against a plain model (F2) ----------------------------------------------

STEPS = (
    "hold", "free", "finance", "unwind", "repay", "pay_rest", "reopen_financed", "reopen_rest",
    "repurchase",
)  # fmt: skip


class Model:
    """The finance and payment axes, written down in the fewest words."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.held = self.financed = self.paid = self.repaid = 0

    @property
    def free(self) -> int:
        return self.base - self.paid - self.held - self.financed

    def step(self, name: str, n: int) -> bool:
        allowed = {
            "hold": self.free,
            "free": self.held,
            "finance": self.held,
            "unwind": self.financed,
            "repurchase": self.financed,
            "repay": self.financed,
            "pay_rest": self.free,
            "reopen_financed": self.repaid,
            "reopen_rest": self.paid - self.repaid,
        }[name]
        if n > allowed:
            return False
        if name == "hold":
            self.held += n
        elif name == "free":
            self.held -= n
        elif name == "finance":
            self.held, self.financed = self.held - n, self.financed + n
        elif name in {"unwind", "repurchase"}:
            self.financed -= n
        elif name == "repay":
            self.financed -= n
            self.paid, self.repaid = self.paid + n, self.repaid + n
        elif name == "pay_rest":
            self.paid += n
        elif name == "reopen_financed":
            self.financed += n
            self.paid, self.repaid = self.paid - n, self.repaid - n
        else:
            self.paid -= n
        return True


def _do(ctx: Context, invoice_id: str, name: str, n: int) -> None:
    if name.startswith("reopen_"):
        axes.reopen_payment(ctx, invoice_id, n, financed=name == "reopen_financed")
    else:
        getattr(axes, name)(ctx, invoice_id, n)


_HISTORIES = st.lists(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 12)), min_size=5, max_size=40),
    min_size=1,
    max_size=6,
)


def test_random_histories_agree_with_a_plain_model(db: Database) -> None:
    trade = trade_on(db)
    count = [0]

    @settings(max_examples=25)
    @given(_HISTORIES)
    def histories(batch: list[list[tuple[str, int]]]) -> None:
        numbers = []
        for _ in batch:
            count[0] += 1
            numbers.append(f"H-{count[0]}")
        trade.invoices(*({"number": number, "amount": "0.10"} for number in numbers))
        ids = {row.number: row.id for row in trade.rows()}
        for number, steps in zip(numbers, batch, strict=True):
            model = Model(10)

            def history(
                ctx: Context,
                number: str = number,
                steps: list[tuple[str, int]] = steps,
                model: Model = model,
            ) -> None:
                for name, n in steps:
                    try:
                        _do(ctx, ids[number], name, n)
                        done = True
                    except ScfError:
                        done = False
                    assert done == model.step(name, n), (name, n)

            trade.act(history)
            row = trade.invoice(number)
            assert (row.held_minor, row.outstanding_minor, row.paid_minor, row.repaid_minor) == (
                model.held,
                model.financed,
                model.paid,
                model.repaid,
            )
            assert row.held_minor + row.outstanding_minor <= rules.capacity(row)
            state = "PAID" if model.paid == 10 else "PART_PAID" if model.paid else "OPEN"
            assert row.payment_state == state

    histories()
    with trade.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []
        assert conn.execute(select(Invoice.__table__).limit(1)).first()  # type: ignore[attr-defined]
