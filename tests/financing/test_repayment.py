"""Money out and back as advances see it: fund, fail, return, repay, undo, be late."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Row

from scf.db.engine import Database
from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.financing import advances, retelling
from scf.financing.models import Advance
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.parties.models import BankAccount
from scf.programmes import limits
from scf.programmes.models import LimitNode, ProgrammeClaim
from tests.support.deals import DAY, HEAD, Deals, eur

DUE = dt.date(2026, 6, 8)
Act = Callable[[Context, Row[Any]], object]


class Life:
    """One advance of 1,000.00 whose checks are done."""

    def __init__(self, db: Database, **terms: str) -> None:
        self.deals = Deals(db, **terms)
        self.invoice_id = self.deals.invoice("1,000.00")
        self.request_id = self.deals.request(self.invoice_id)["id"]
        self.deals.ready(self.request_id)
        self.id = self.row.id

    @property
    def row(self) -> Row[Any]:
        return self.deals.all(Advance)[0]

    @property
    def invoice(self) -> Row[Any]:
        return self.deals.get(Invoice, self.invoice_id)

    def do(self, act: Act) -> None:
        with self.deals.db.writer.begin() as conn:
            ctx = self.deals.context(conn)
            act(ctx, advances.lock(ctx, [self.id])[self.id])
        with self.deals.db.snapshot() as conn:
            assert limits.recompute(conn) == []
            told = retelling.replay(retelling.events_of(conn, self.id))
        row = self.row
        assert (told.state, told.version, told.repaid_minor, told.penalty_paid_minor) == (
            row.state,
            row.version,
            row.repaid_minor,
            row.penalty_paid_minor,
        )
        assert (told.funded_on, told.closed_on) == (row.funded_on, row.closed_on)

    def instruct(self, on: dt.date = DAY) -> None:
        self.do(lambda ctx, _: advances.instructed(ctx, [self.id], on))

    def fund(self) -> None:
        self.instruct()
        self.do(lambda ctx, _: advances.fund(ctx, [self.id], DAY))

    def repay(self, principal: str, penalty: str = "0.00", on: dt.date = DUE) -> None:
        self.do(
            lambda ctx, row: advances.repay(
                ctx, row, principal=eur(principal), penalty=eur(penalty), value_on=on
            )
        )

    def reopen(self, principal: str, penalty: str = "0.00") -> None:
        self.do(
            lambda ctx, row: advances.reopen(
                ctx, row, principal=eur(principal), penalty=eur(penalty), value_on=DUE
            )
        )

    def amounts(self) -> tuple[int, int, int, int]:
        row = self.invoice
        return row.held_minor, row.outstanding_minor, row.paid_minor, row.repaid_minor

    def in_use(self) -> dict[str, tuple[int, int]]:
        return {row.kind: (row.held_minor, row.utilised_minor) for row in self.deals.all(LimitNode)}

    def is_claimed(self) -> bool:
        return bool(self.deals.all(ProgrammeClaim, live=True))


@pytest.fixture
def life(db: Database) -> Life:
    return Life(db)


THOUSAND = eur("1,000.00")
NET = eur("988.37")  # 1,000.00 less 11.63, half up


def test_funding_turns_holds_into_use(life: Life) -> None:
    life.fund()
    row = life.row
    assert (row.state, row.funded_on) == ("FUNDED", DAY)
    assert life.amounts() == (0, THOUSAND, 0, 0)
    assert life.in_use()["programme"] == (0, THOUSAND)
    assert life.in_use()["financier"] == (0, NET)


def test_paid_on_the_day_it_closes_and_leaves_nothing(life: Life) -> None:
    life.fund()
    life.repay("1,000.00")
    assert (life.row.state, life.row.closed_on) == ("CLOSED", DUE)
    assert life.amounts() == (0, 0, THOUSAND, THOUSAND)
    assert set(life.in_use().values()) == {(0, 0)}
    assert not life.is_claimed()


def test_paid_before_the_day_it_is_an_early_repayment(life: Life) -> None:
    life.fund()
    life.repay("1,000.00", on=dt.date(2026, 5, 19))
    with life.deals.db.snapshot() as conn:
        events = [row.event for row in retelling.events_of(conn, life.id)]
    assert events[-2:] == ["repay_early", "close"]
    assert life.row.state == "CLOSED"


def test_part_payments_lower_limits_and_invoice_alike(life: Life) -> None:
    life.fund()
    life.repay("300.00")
    assert life.row.state == "PART_REPAID"
    assert life.in_use()["obligor"] == (0, eur("700.00"))
    assert life.in_use()["financier"] == (0, eur("691.86"))  # 988.37 × 0.7, half up
    assert life.amounts() == (0, eur("700.00"), eur("300.00"), eur("300.00"))
    assert life.is_claimed()
    life.repay("700.00")
    assert life.row.state == "CLOSED"
    assert set(life.in_use().values()) == {(0, 0)}


def test_part_paid_is_still_overdue_until_penalty_too_is_paid(life: Life) -> None:
    life.fund()
    life.do(lambda ctx, row: advances.late(ctx, [row], "grace", DUE))
    life.do(lambda ctx, row: advances.late(ctx, [row], "overdue", DUE + dt.timedelta(days=4)))
    life.repay("600.00", on=DUE + dt.timedelta(days=5))
    assert life.row.state == "OVERDUE"
    life.deals.change(Advance, life.id, penalty_minor=eur("2.33"))
    life.repay("400.00", "1.00", on=DUE + dt.timedelta(days=6))
    assert life.row.state == "OVERDUE"
    assert not life.is_claimed()
    life.repay("0.00", "1.33", on=DUE + dt.timedelta(days=7))
    assert life.row.state == "CLOSED"


def test_more_than_is_owed_is_never_taken(life: Life) -> None:
    life.fund()
    with pytest.raises(Conflict, match="REPAID_TOO_MUCH"):
        life.repay("1,000.01")
    with pytest.raises(Conflict, match="REPAID_TOO_MUCH"):
        life.repay("0.00", "0.01")
    for nothing in ("0.00",):
        with pytest.raises(InvalidInput, match="AMOUNT_RANGE"):
            life.repay(nothing)


def test_a_row_read_before_a_step_cannot_take_another(life: Life) -> None:
    life.fund()
    old = life.row
    life.repay("1.00")
    with pytest.raises(Conflict, match="STALE"):
        life.do(lambda ctx, _: advances.repay(ctx, old, principal=100, penalty=0, value_on=DUE))


def test_a_repayment_that_the_bank_takes_back_is_owed_again(life: Life) -> None:
    life.fund()
    life.repay("400.00")
    life.repay("600.00")
    life.reopen("600.00")
    assert (life.row.state, life.row.closed_on) == ("PART_REPAID", None)
    assert life.amounts() == (0, eur("600.00"), eur("400.00"), eur("400.00"))
    assert life.in_use()["programme"] == (0, eur("600.00"))
    assert life.is_claimed()
    life.reopen("400.00")
    assert life.row.state == "FUNDED"
    assert life.in_use()["financier"] == (0, NET)
    with pytest.raises(Conflict, match="REPAID_TOO_LITTLE"):
        life.reopen("0.01")
    life.repay("1,000.00")
    assert life.row.state == "CLOSED"


# --- Pay-outs that go wrong -------------------------------------------------------------------


def test_a_refused_payout_keeps_title_until_it_is_unwound(life: Life) -> None:
    life.instruct()
    life.do(lambda ctx, _: advances.fail(ctx, life.id, "AC04"))
    assert life.amounts() == (THOUSAND, 0, 0, 0)
    life.do(lambda ctx, _: advances.unwind(ctx, life.id, "account closed"))
    assert life.row.state == "UNWOUND"
    assert life.amounts() == (0, 0, 0, 0)
    assert set(life.in_use().values()) == {(0, 0)}
    assert not life.is_claimed()
    again = life.deals.quote(life.invoice_id)
    assert again["face_minor"] == THOUSAND


def test_a_refused_payout_goes_again(life: Life) -> None:
    life.instruct()
    life.do(lambda ctx, _: advances.fail(ctx, life.id, "AC04"))
    life.do(lambda ctx, _: advances.resend(ctx, life.id))
    life.do(lambda ctx, _: advances.fund(ctx, [life.id], DAY))
    assert life.amounts() == (0, THOUSAND, 0, 0)


def test_an_unknown_payout_waits_for_evidence(life: Life) -> None:
    life.instruct()
    life.do(lambda ctx, _: advances.lose(ctx, life.id, "no answer"))
    for act in (advances.resend, advances.unwind):
        with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
            life.do(lambda ctx, _, act=act: act(ctx, life.id))  # type: ignore[misc]
    life.do(lambda ctx, _: advances.fund(ctx, [life.id], DAY))
    assert life.row.state == "FUNDED"


@pytest.mark.parametrize("ending", ["sent again", "unwound"])
def test_a_returned_payout(life: Life, ending: str) -> None:
    life.fund()
    life.do(lambda ctx, _: advances.returned(ctx, life.id, "MS03"))
    assert life.amounts() == (0, THOUSAND, 0, 0)
    if ending == "unwound":
        life.do(lambda ctx, _: advances.unwind(ctx, life.id, "wrong account"))
        assert life.amounts() == (0, 0, 0, 0)
        assert set(life.in_use().values()) == {(0, 0)}
        return
    life.do(lambda ctx, _: advances.resend(ctx, life.id))
    life.do(lambda ctx, _: advances.fund(ctx, [life.id], DAY + dt.timedelta(days=2)))
    assert life.amounts() == (0, THOUSAND, 0, 0)
    assert life.in_use()["programme"] == (0, THOUSAND)


# --- Just before paying -----------------------------------------------------------------------


def test_the_title_is_searched_again_on_the_day_of_payment(db: Database) -> None:
    life = Life(db, value_date_offset="1")
    tomorrow = DAY + dt.timedelta(days=1)
    life.deals.set_date(tomorrow)
    with pytest.raises(RuleViolation, match="RECHECK_STALE"):
        life.instruct(tomorrow)
    life.deals.check(life.request_id, "recheck")
    life.instruct(tomorrow)
    assert life.row.state == "INSTRUCTED"


def test_a_price_is_not_paid_after_its_value_date(life: Life) -> None:
    with pytest.raises(RuleViolation, match="VALUE_DATE_MOVED"):
        life.instruct(DAY + dt.timedelta(days=1))


@pytest.mark.parametrize("missing", ["e_signature", "registration", "recheck"])
def test_no_payment_while_a_check_is_missing(db: Database, missing: str) -> None:
    from scf.programmes.terms import CHECKS_BEFORE_PAYOUT

    deals = Deals(db)
    request_id = deals.request(deals.invoice("1,000.00"))["id"]
    deals.approve(request_id)
    done = CHECKS_BEFORE_PAYOUT[: CHECKS_BEFORE_PAYOUT.index(missing)]
    deals.check(request_id, *done)
    row = deals.all(Advance)[0]
    with db.writer.begin() as conn:
        ctx = deals.context(conn)
        advances.lock(ctx, [row.id])
        with pytest.raises(RuleViolation, match="CHECK_MISSING") as refused:
            advances.instructed(ctx, [row.id], DAY)
    left = CHECKS_BEFORE_PAYOUT[CHECKS_BEFORE_PAYOUT.index(missing) :]
    assert refused.value.facts["missing"] == list(left)


def test_an_undecided_advance_is_not_paid(db: Database) -> None:
    deals = Deals(db)
    deals.request(deals.invoice("1,000.00"))
    row = deals.all(Advance)[0]
    with db.writer.begin() as conn:
        ctx = deals.context(conn)
        advances.lock(ctx, [row.id])
        with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
            advances.instructed(ctx, [row.id], DAY)


def test_payment_looks_at_programme_invoice_and_payee_again(life: Life) -> None:
    deals = life.deals
    deals.run("programme.suspend", HEAD, programme_id=deals.programme_id, reason="review")
    with pytest.raises(RuleViolation, match="PROGRAMME_SUSPENDED"):
        life.instruct()
    deals.run("programme.resume", HEAD, programme_id=deals.programme_id, reason="review done")
    deals.change(Invoice, life.invoice_id, ipu=False, disputed_minor=1, over_advance_minor=1)
    with pytest.raises(RuleViolation, match="DISPUTED"):
        life.instruct()
    deals.change(Invoice, life.invoice_id, disputed_minor=0, over_advance_minor=0)
    for account in deals.all(BankAccount):
        deals.change(BankAccount, account.id, state="CLOSED")
    with pytest.raises(RuleViolation, match="ACCOUNT_UNVERIFIED"):
        life.instruct()
