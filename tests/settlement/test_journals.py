"""Every row of the posting tables 4.1 to 4.4 and 4.11 to 4.14, booked in the real ledger.

A row is compared as the sum of its event group: where the page writes cash, we book the order
and its settlement, or the receipt and its identification.
"""

from collections import defaultdict
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from scf.bootstrap import load_chart
from scf.db.engine import Database
from scf.db.runner import Context
from scf.impairment import journals as impairment
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import new_id
from scf.ledger.models import NoEntry
from scf.ledger.service import Chart, Journal, LedgerEvent, balances, post
from scf.settlement import credit_notes, journals
from scf.settlement.journals import Books, Journals
from tests.settlement.posting_tables import TABLES, Row, row

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
FACE, DISCOUNT, NET = 100_000_000, 1_162_500, 98_837_500
SALE = Books("S", "O", "F")
LOAN = Books("S", "O", "F", recourse=True, undertaken=False)
M = 100  # cents of a euro
CASE_FIVE = SimpleNamespace(seller_id="S", obligor_id="O", financier_id="F", recourse=False)

in_f = journals.received


def paid(books: Books, principal: int, penalty: int = 0) -> Journals:
    """A receipt in one row: what came in, and what it paid."""
    parts = journals.principal_paid(books, principal)
    if penalty:
        parts += journals.penalty_paid(books, penalty)
    return in_f("F", principal + penalty) + parts


def payout(books: Books) -> Journals:
    return journals.payout_instructed(
        books, face=FACE, discount=DISCOUNT
    ) + journals.payout_settled(books, face=FACE, discount=DISCOUNT)


def owed(kind: str, amount: int) -> Journals:
    return journals.owed_instructed("F", "O", kind, amount) + journals.owed_settled(
        "F", "O", kind, amount
    )


GROUPS: dict[str, Journals] = {
    "4.1 instructed": journals.payout_instructed(SALE, face=FACE, discount=DISCOUNT),
    "4.1 settled": journals.payout_settled(SALE, face=FACE, discount=DISCOUNT),
    "4.1 first close": journals.income(SALE, earned=12_917),
    "4.1 all closes": journals.income(SALE, earned=DISCOUNT),
    "4.1 maturity": paid(SALE, FACE),
    "4.2 pay-out": payout(LOAN),
    "4.2 all closes": journals.income(LOAN, earned=DISCOUNT),
    "4.2 debtor pays": paid(LOAN, FACE),
    "4.2 recourse met": in_f("F", FACE) + journals.recourse_met(LOAN, FACE),
    "4.3 twelve closes": journals.penalty_accrued(SALE, 232_500),
    "4.3 full receipt": paid(SALE, FACE, 232_500),
    "4.3 step 1": journals.penalty_accrued(SALE, -135_625),
    "4.3 step 2": paid(SALE, 39_903_125, 96_875),
    "4.3 step 3": journals.penalty_accrued(SALE, 81_506),
    "4.3 step 4": paid(SALE, 60_096_875, 81_506),
    "4.4 face": paid(SALE, FACE),
    "4.4 release": journals.early_release(SALE, unearned=258_333, rebate=206_667, payee_id="O"),
    "4.4 rebate paid": owed("rebate", 206_667),
    "4.11 stage 1": impairment.provided(CASE_FIVE, 14_631, first=True),
    "4.11 stage 3": impairment.provided(CASE_FIVE, 39_985_369, first=False),
    "4.11 penalty off": impairment.penalty_suspended(CASE_FIVE, 232_500, first=True),
    "4.11 proceeds": paid(SALE, 600_000 * M),
    "4.11 write-off": impairment.written_off(CASE_FIVE, 400_000 * M),
    "4.11 recovery": in_f("F", 50_000 * M) + journals.recovered(SALE, 50_000 * M),
    "4.12 unidentified": in_f("F", FACE),
    "4.12 identified": journals.principal_paid(SALE, FACE),
    "4.12 over-payment": in_f("F", FACE + 10_000 * M)
    + journals.principal_paid(SALE, FACE)
    + journals.overpaid("F", "O", 10_000 * M),
    "4.12 refund": owed("payer", 10_000 * M),
    "4.12 short": paid(SALE, 950_000 * M),
    "4.12 misdirected": journals.misdirected(SALE, FACE),
    "4.12 turned over": in_f("F", FACE)
    + journals.turned_over(SALE, journals.principal_paid(SALE, FACE), FACE),
    "4.13 rejected": journals.payout_rejected(SALE, face=FACE, discount=DISCOUNT),
    "4.13 returned": in_f("F", NET) + journals.payout_returned(SALE, NET),
    "4.13 income reversed": journals.income(SALE, earned=-25_833),
    "4.14 accepted": credit_notes.carried("S", "O", "F", 30_000 * M),
    "4.14 set": credit_notes.set_against("S", "O", 30_000 * M),
    "4.13 sale undone": journals.sale_undone(SALE, face=FACE, discount=DISCOUNT),
}


def booked(db: Database, group: Journals) -> Row:
    """Book a group as one event each and give the sums by book and account name."""
    load_chart()
    books: dict[str, list[Journal]] = defaultdict(list)
    for one in group:
        books[one.org_id].append(one)
    with db.writer.begin() as conn:
        ctx = Context(conn, OPERATOR, NOW, "test", new_id(), "k", "", db.dialect)
        post(
            ctx,
            [
                LedgerEvent(f"e{n}", "tried", "life", "EUR", TODAY, TODAY, "", [journal])
                for n, journal in enumerate(group)
            ],
        )
        return {
            (org, Chart.lines[code].name.lower()): amount
            for org in "SOF"
            for (code, _currency), amount in balances(conn, org).items()
            if amount
        }


@pytest.mark.parametrize("name", GROUPS)
def test_the_books_show_what_the_table_says(db: Database, name: str) -> None:
    assert booked(db, GROUPS[name]) == row(name)


def test_every_row_of_the_tables_is_tried() -> None:
    elsewhere = {"4.1 undertaking", "4.13 sent again"}  # below, and with the acceptance
    assert GROUPS.keys() | elsewhere == TABLES.keys()


def test_a_pay_out_sent_again_leaves_the_seller_with_the_money(db: Database) -> None:
    group = (
        in_f("F", NET) + journals.payout_returned(SALE, NET) + journals.payout_sent_again(SALE, NET)
    )
    again = booked(db, journals.payout_sent_again(SALE, NET))
    assert {key: value for key, value in again.items() if key[0] == "F"} == row("4.13 sent again")
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for journal in group:
        for line in journal.lines:
            sums[journal.org_id, line.account] += line.amount_minor
    assert not any(sums.values())


def test_the_reason_for_no_entry_is_kept(db: Database) -> None:
    booked(db, GROUPS["4.1 settled"])
    with db.snapshot() as conn:
        dash = conn.execute(select(NoEntry.__table__)).one()  # type: ignore[attr-defined]
    assert (dash.org_id, dash.memo) == ("O", journals.MEMO_PAID_EARLY)
    assert "paid to the supplier" in dash.reason


@pytest.mark.parametrize("books", [SALE, LOAN], ids=["sale", "loan"])
def test_a_whole_life_leaves_nothing_but_cash_income_and_cost(books: Books) -> None:
    """F11: with fee, lateness, over-payment and the seller's own part."""
    face, discount, fee = 400_000, 4_650, 500
    life = (
        journals.payout_instructed(books, face=face, discount=discount, fee=fee)
        + journals.payout_settled(books, face=face, discount=discount, fee=fee)
        + journals.income(books, earned=discount, fee=fee)
        + journals.penalty_accrued(books, 930)
        + in_f("F", face + 930 + 600_000 + 70)
        + journals.penalty_paid(books, 930)
        + journals.principal_paid(books, face)
        + journals.collected_for_seller(books, 600_000)
        + journals.overpaid("F", "O", 70)
        + journals.owed_instructed("F", "S", "seller", 600_000)
        + journals.owed_settled("F", "S", "seller", 600_000)
        + owed("payer", 70)
    )
    # The debt was there before: the undertaking put it into the arrangement's account.
    assert _open_accounts(life) == ({("O", books.debt): 1_000_000} if books.undertaken else {})


@pytest.mark.parametrize("books", [SALE, LOAN], ids=["sale", "loan"])
def test_an_unwound_pay_out_leaves_nothing_at_all(books: Books) -> None:
    face, discount, fee = 400_000, 4_650, 500
    net = face - discount - fee
    life = (
        journals.payout_instructed(books, face=face, discount=discount, fee=fee)
        + journals.payout_settled(books, face=face, discount=discount, fee=fee)
        + journals.income(books, earned=103, fee=11)
        + in_f("F", net)
        + journals.payout_returned(books, net)
        + journals.income(books, earned=-103, fee=-11)
        + journals.sale_undone(books, face=face, discount=discount, fee=fee)
    )
    assert _sums(life) == {}


def test_a_misdirected_payment_that_is_turned_over_leaves_nothing_open() -> None:
    for books in (SALE, LOAN):
        life = (
            payout(books)
            + journals.income(books, earned=DISCOUNT)
            + journals.misdirected(books, FACE)
            + in_f("F", FACE)
            + journals.turned_over(books, journals.principal_paid(books, FACE), FACE)
        )
        assert _open_accounts(life).keys() <= {("O", journals.ARRANGEMENT)}


def test_what_is_reversed_cancels_line_by_line() -> None:
    group = payout(LOAN) + journals.misdirected(LOAN, 5)
    assert _sums(group + journals.reversed_journals(group, "undone")) == {}


def _sums(group: Journals) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for journal in group:
        assert sum(line.amount_minor for line in journal.lines) == 0
        assert journal.lines or journal.reason
        for line in journal.lines:
            sums[journal.org_id, line.account] += line.amount_minor
    return {key: value for key, value in sums.items() if value}


def _open_accounts(group: Journals) -> dict[tuple[str, str], int]:
    load_chart()
    return {key: value for key, value in _sums(group).items() if Chart.lines[key[1]].clears}
