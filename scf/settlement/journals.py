"""What each event of an advance's life means in the books of seller, obligor and financier.

Pure: amounts and organisations in, journals out. One function per row of the posting tables: 4.1
and 4.2 pay-out, income and repayment, 4.3 lateness, 4.4 early repayment, 4.12 receipts that do
not fit, 4.13 pay-outs that fail. Where an event needs no entry in a book, the journal carries the
reason instead.

Money passes through two accounts that show what is under way: *payments in transit* between the
order to the bank and its booking, *suspense* between a bank credit and knowing what it pays. So a
row of the tables that names cash is here two events; their sum is the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scf.ledger.service import Journal, Line, credit, debit

CASH: Final = "cash"
SUSPENSE: Final = "suspense"
IN_TRANSIT: Final = "payments_in_transit"
RECEIVABLES_PURCHASED: Final = "receivables_purchased"
LOANS_TO_SELLERS: Final = "loans_to_sellers"
RESERVE: Final = "due_to_sellers_reserve"
RESERVE_OF_SELLER: Final = "due_from_factor"
OUTPUT_TAX: Final = "output_tax"
INPUT_TAX: Final = "input_tax"
UNEARNED_DISCOUNT: Final = "unearned_discount"
DISCOUNT_INCOME: Final = "discount_income"
DEFERRED_FEE: Final = "deferred_service_fee"
FEE_INCOME: Final = "service_fee_income"
FEE_EXPENSE: Final = "service_fee_expense"
PENALTY_RECEIVABLE: Final = "penalty_receivable"
PENALTY_INCOME: Final = "penalty_income"
PENALTY_COST: Final = "finance_cost_late_payment"
ACCRUED_PENALTY: Final = "accrued_penalty"
REBATE_PAYABLE: Final = "rebate_payable"
REBATE_RECEIVABLE: Final = "rebate_receivable"
REBATE_INCOME: Final = "finance_income"
RECOVERIES: Final = "recoveries_of_amounts_written_off"
DUE_TO_PAYERS: Final = "due_to_payers"
DUE_TO_SELLERS: Final = "collections_due_to_sellers"
DUE_FROM_FINANCIER: Final = "due_from_financier"
TRADE_RECEIVABLES: Final = "trade_receivables"
TRADE_PAYABLES: Final = "trade_payables"
ARRANGEMENT: Final = "payables_in_supplier_finance_arrangement"
BORROWINGS: Final = "borrowings"
FINANCE_COST: Final = "finance_cost"
DEFERRED_COST: Final = "deferred_finance_cost_contra_borrowings"
LOSS_ON_SALE: Final = "finance_cost_loss_on_derecognition"
HELD_FOR_FINANCIER: Final = "collections_held_for_financier"
HELD_BY_FINANCIER: Final = "cash_clearing_held_by_factor"
MISDIRECTED: Final = "claim_on_supplier_misdirected"

# Anchors disclose how much of the liability has been paid to suppliers already.
MEMO_PAID_EARLY: Final = "IAS 7.44H(b)(ii)"

Journals = tuple[Journal, ...]


@dataclass(frozen=True, slots=True)
class Books:
    """The three books an advance is kept in, and the facts that choose their accounts.

    With ``recourse`` the seller keeps the risk: a loan, not a sale (IFRS 9 3.2.6). When the
    obligor has ``undertaken`` to pay, its debt stands among the payables of the arrangement. An
    obligor of a ``silent`` programme is not told that its invoice is financed: why its book has
    no entry is not said in its book either.
    """

    seller_id: str
    obligor_id: str
    financier_id: str
    recourse: bool = False
    undertaken: bool = True
    silent: bool = False

    @property
    def claim(self) -> str:
        """The financier's account for the face."""
        return LOANS_TO_SELLERS if self.recourse else RECEIVABLES_PURCHASED

    @property
    def debt(self) -> str:
        """The obligor's account for what it owes."""
        return ARRANGEMENT if self.undertaken else TRADE_PAYABLES

    def journals(
        self,
        *,
        seller: Sequence[Line] | str,
        obligor: Sequence[Line] | str,
        financier: Sequence[Line] | str,
        obligor_memo: str | None = None,
    ) -> Journals:
        """Give the three journals; a text is the reason for no entry."""
        own, theirs = _journal(self.seller_id, seller), _journal(self.financier_id, financier)
        if self.silent and isinstance(obligor, str):
            return own, theirs
        return own, _journal(self.obligor_id, obligor, obligor_memo), theirs


def books_of(advance: Any, *, undertaken: bool, silent: bool) -> Books:  # noqa: ANN401 - a row of advance
    """Give the books of an advance."""
    return Books(
        advance.seller_id,
        advance.obligor_id,
        advance.financier_id,
        recourse=advance.recourse,
        undertaken=undertaken,
        silent=silent,
    )


def _journal(org_id: str, lines: Sequence[Line] | str, memo: str | None = None) -> Journal:
    if isinstance(lines, str):
        return Journal(org_id, reason=lines, memo=memo)
    return Journal(org_id, tuple(lines), memo=memo)


def reversed_journals(journals: Journals, reason: str) -> Journals:
    """Give the journals that undo others line by line; what had no entry needs none now."""
    return tuple(
        Journal(one.org_id, tuple(Line(line.account, -line.amount_minor) for line in one.lines))
        if one.lines
        else Journal(one.org_id, reason=reason)
        for one in journals
    )


# --- 4.1, 4.2: pay-out and income ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terms:
    """What a pay-out is made of; a loan is lent without its reserve, a sale owes it."""

    face: int
    discount: int
    fee: int = 0
    tax: int = 0
    reserve: int = 0

    @property
    def net(self) -> int:
        """The cash paid out."""
        return self.face - self.reserve - self.discount - self.fee - self.tax

    def claim(self, books: Books) -> int:
        """What the financier has bought or lent."""
        return self.face - self.reserve if books.recourse else self.face

    def given(self, books: Books) -> list[Line]:
        """The financier's side of the claim, without the cash."""
        return [
            credit(UNEARNED_DISCOUNT, self.discount),
            credit(DEFERRED_FEE, self.fee),
            credit(OUTPUT_TAX, self.tax),
            credit(RESERVE, 0 if books.recourse else self.reserve),
        ]


def payout_instructed(books: Books, **amounts: int) -> Journals:
    """The financier has told its bank to pay; nobody has the money yet."""
    paid = Terms(**amounts)
    return books.journals(
        seller="nothing has been received yet",
        obligor="the debt is unchanged",
        financier=[
            debit(books.claim, paid.claim(books)),
            credit(IN_TRANSIT, paid.net),
            *paid.given(books),
        ],
    )


def payout_settled(books: Books, **amounts: int) -> Journals:
    """The bank has booked the pay-out: the seller has the money, and has sold or borrowed."""
    paid = Terms(**amounts)
    net, discount = paid.net, paid.discount
    received = [debit(CASH, net), debit(FEE_EXPENSE, paid.fee), debit(INPUT_TAX, paid.tax)]
    if books.recourse:
        seller = [
            *received,
            debit(DEFERRED_COST, discount),
            credit(BORROWINGS, paid.claim(books)),
        ]
    else:
        seller = [
            *received,
            debit(LOSS_ON_SALE, discount),
            debit(RESERVE_OF_SELLER, paid.reserve),
            credit(TRADE_RECEIVABLES, paid.face),
        ]
    return books.journals(
        seller=seller,
        obligor="the debt is unchanged; this much of it is paid to the supplier already",
        obligor_memo=MEMO_PAID_EARLY,
        financier=[debit(IN_TRANSIT, net), credit(CASH, net)],
    )


def income(books: Books, *, earned: int, fee: int = 0) -> Journals:
    """Discount (and fee) earned since the last close; a negative amount takes income back."""
    return books.journals(
        seller=[debit(FINANCE_COST, earned), credit(DEFERRED_COST, earned)]
        if books.recourse
        else "the whole discount was a cost at the sale",
        obligor="the financier's income is no cost of the obligor",
        financier=[
            debit(UNEARNED_DISCOUNT, earned),
            credit(DISCOUNT_INCOME, earned),
            debit(DEFERRED_FEE, fee),
            credit(FEE_INCOME, fee),
        ],
    )


# --- 4.1 to 4.3, 4.12: money in -------------------------------------------------------------------


def received(financier_id: str, amount: int) -> Journals:
    """A booked bank credit, posted before anybody knows what it pays."""
    return (Journal(financier_id, (debit(CASH, amount), credit(SUSPENSE, amount))),)


def debited(financier_id: str, amount: int) -> Journals:
    """A booked bank debit that nobody knows: cash is right at once, the cause is open."""
    return (Journal(financier_id, (debit(SUSPENSE, amount), credit(CASH, amount))),)


def amounts_of(advance: Any) -> dict[str, int]:  # noqa: ANN401 - a row of advance
    """Give what the pay-out of an advance is made of."""
    return {
        "face": advance.face_minor,
        "discount": advance.discount_minor,
        "fee": advance.fee_minor,
        "tax": advance.tax_minor,
        "reserve": advance.reserve_minor,
    }


def principal_paid(books: Books, amount: int) -> Journals:
    """The obligor has paid so much of the face."""
    return books.journals(
        seller=[debit(BORROWINGS, amount), credit(TRADE_RECEIVABLES, amount)]
        if books.recourse
        else "the receivable was sold",
        obligor=[debit(books.debt, amount), credit(CASH, amount)],
        financier=[debit(SUSPENSE, amount), credit(books.claim, amount)],
    )


def recovered(books: Books, amount: int) -> Journals:
    """Money on face that had been written off; for the obligor a payment as any other."""
    return books.journals(
        seller=[debit(BORROWINGS, amount), credit(TRADE_RECEIVABLES, amount)]
        if books.recourse
        else "the receivable was sold",
        obligor=[debit(books.debt, amount), credit(CASH, amount)],
        financier=[debit(SUSPENSE, amount), credit(RECOVERIES, amount)],
    )


def penalty_paid(books: Books, amount: int) -> Journals:
    """The obligor has paid so much of the penalty for lateness."""
    return books.journals(
        seller="the penalty is between obligor and financier",
        obligor=[debit(ACCRUED_PENALTY, amount), credit(CASH, amount)],
        financier=[debit(SUSPENSE, amount), credit(PENALTY_RECEIVABLE, amount)],
    )


def collected_for_seller(books: Books, amount: int) -> Journals:
    """The obligor has paid the part that nobody financed: it is the seller's money."""
    return books.journals(
        seller=[debit(HELD_BY_FINANCIER, amount), credit(TRADE_RECEIVABLES, amount)],
        obligor=[debit(books.debt, amount), credit(CASH, amount)],
        financier=[debit(SUSPENSE, amount), credit(DUE_TO_SELLERS, amount)],
    )


def overpaid(financier_id: str, payer_id: str, amount: int) -> Journals:
    """More came than was owed: a liability to whoever paid."""
    return (
        Journal(payer_id, (debit(DUE_FROM_FINANCIER, amount), credit(CASH, amount))),
        Journal(financier_id, (debit(SUSPENSE, amount), credit(DUE_TO_PAYERS, amount))),
    )


def recourse_met(books: Books, amount: int) -> Journals:
    """The seller pays in place of the obligor, who still owes the seller."""
    return books.journals(
        seller=[debit(BORROWINGS, amount), credit(CASH, amount)],
        obligor="still owes the seller",
        financier=[debit(SUSPENSE, amount), credit(books.claim, amount)],
    )


def penalty_accrued(books: Books, amount: int) -> Journals:
    """Penalty for lateness up to a close; a negative amount takes days back."""
    return books.journals(
        seller="the penalty is between obligor and financier",
        obligor=[debit(PENALTY_COST, amount), credit(ACCRUED_PENALTY, amount)],
        financier=[debit(PENALTY_RECEIVABLE, amount), credit(PENALTY_INCOME, amount)],
    )


# --- 4.4: early repayment -------------------------------------------------------------------------


def early_release(books: Books, *, unearned: int, rebate: int, payee_id: str) -> Journals:
    """Paid before the due date: unearned discount becomes a rebate and income at once."""
    kept = unearned - rebate
    given = {payee_id: [debit(REBATE_RECEIVABLE, rebate), credit(REBATE_INCOME, rebate)]}
    seller: list[Line] = list(given.get(books.seller_id, []))
    if books.recourse:
        seller += [debit(FINANCE_COST, unearned), credit(DEFERRED_COST, unearned)]
    return books.journals(
        seller=seller or "the whole discount was a cost at the sale",
        obligor=given.get(books.obligor_id, "the rebate goes to the bearer of the cost"),
        financier=[
            debit(UNEARNED_DISCOUNT, unearned),
            credit(REBATE_PAYABLE, rebate),
            credit(DISCOUNT_INCOME, kept),
        ],
    )


# --- Money that is somebody else's: rebates, over-payments, the seller's part ---------------------

# kind of allocation → the financier's liability, the payee's claim
OWED: Final[dict[str, tuple[str, str]]] = {
    "payer": (DUE_TO_PAYERS, DUE_FROM_FINANCIER),
    "seller": (DUE_TO_SELLERS, HELD_BY_FINANCIER),
    "rebate": (REBATE_PAYABLE, REBATE_RECEIVABLE),
    "reserve": (RESERVE, RESERVE_OF_SELLER),
    "surplus": (DUE_TO_SELLERS, HELD_BY_FINANCIER),
    "excess": (DUE_TO_PAYERS, DUE_FROM_FINANCIER),
}


def owed_instructed(financier_id: str, payee_id: str, kind: str, amount: int) -> Journals:
    """The financier has told its bank to pay on what it owes."""
    liability, _claim = OWED[kind]
    return (
        Journal(payee_id, reason="nothing has been received yet"),
        Journal(financier_id, (debit(liability, amount), credit(IN_TRANSIT, amount))),
    )


def owed_settled(financier_id: str, payee_id: str, kind: str, amount: int) -> Journals:
    """The bank has booked the payment of what the financier owed."""
    _liability, claim = OWED[kind]
    return (
        Journal(payee_id, (debit(CASH, amount), credit(claim, amount))),
        Journal(financier_id, (debit(IN_TRANSIT, amount), credit(CASH, amount))),
    )


def owed_returned(financier_id: str, payee_id: str, kind: str, amount: int) -> Journals:
    """The payment came back: the financier owes it again."""
    liability, claim = OWED[kind]
    return (
        Journal(payee_id, (debit(claim, amount), credit(CASH, amount))),
        Journal(financier_id, (debit(SUSPENSE, amount), credit(liability, amount))),
    )


# --- 4.12: paid to the wrong one ------------------------------------------------------------------


def misdirected(books: Books, amount: int) -> Journals:
    """The obligor paid the seller after the assignment: the item stays due."""
    return books.journals(
        seller=[debit(CASH, amount), credit(HELD_FOR_FINANCIER, amount)],
        obligor=[debit(MISDIRECTED, amount), credit(CASH, amount)],
        financier="the item stays due; the clock of grace runs",
    )


def turned_over(books: Books, paid: Journals, amount: int) -> Journals:
    """The seller hands over what the obligor had paid it: it pays what the obligor would have."""
    seller, obligor, financier = paid
    handed = (debit(HELD_FOR_FINANCIER, amount), credit(CASH, amount))
    return (
        Journal(books.seller_id, (*handed, *seller.lines)),
        Journal(
            books.obligor_id,
            tuple(
                credit(MISDIRECTED, amount) if line.account == CASH else line
                for line in obligor.lines
            ),
        ),
        financier,
    )


# --- 4.13: pay-outs that fail ---------------------------------------------------------------------


def payout_rejected(books: Books, **amounts: int) -> Journals:
    """The bank refused the pay-out before it settled: as if it had never been instructed."""
    paid = Terms(**amounts)
    return books.journals(
        seller="nothing was received",
        obligor="the debt is unchanged",
        financier=_claim_undone(books, paid),
    )


def payout_redated(books: Books, before: Mapping[str, int], after: Mapping[str, int]) -> Journals:
    """A refused pay-out is to go on a later day: what is in transit is now that day's amount."""
    old, new = Terms(**before), Terms(**after)
    now = [credit(IN_TRANSIT, new.net), *new.given(books)]
    undone = [debit(IN_TRANSIT, old.net), *_opposite(old.given(books))]
    by_account: dict[str, int] = {}
    for line in (*undone, *now):
        by_account[line.account] = by_account.get(line.account, 0) + line.amount_minor
    return books.journals(
        seller="nothing has been received yet",
        obligor="the debt is unchanged",
        financier=[Line(account, amount) for account, amount in by_account.items()],
    )


def _opposite(lines: Sequence[Line]) -> list[Line]:
    return [Line(line.account, -line.amount_minor) for line in lines]


def _claim_undone(books: Books, paid: Terms) -> list[Line]:
    return [
        debit(IN_TRANSIT, paid.net),
        *_opposite(paid.given(books)),
        credit(books.claim, paid.claim(books)),
    ]


def payout_returned(books: Books, net: int) -> Journals:
    """The pay-out came back after it had settled: the seller is owed it again.

    The bank's credit stands in suspense already, as every credit does.
    """
    return books.journals(
        seller=[debit(DUE_FROM_FINANCIER, net), credit(CASH, net)],
        obligor="the debt is unchanged",
        financier=[debit(SUSPENSE, net), credit(IN_TRANSIT, net)],
    )


def payout_sent_again(books: Books, net: int) -> Journals:
    """A returned pay-out was sent again and has settled, with its new value date."""
    return books.journals(
        seller=[debit(CASH, net), credit(DUE_FROM_FINANCIER, net)],
        obligor="the debt is unchanged",
        financier=[debit(IN_TRANSIT, net), credit(CASH, net)],
    )


def sale_undone(books: Books, **amounts: int) -> Journals:
    """A returned pay-out is unwound: the title goes back, nobody owes anybody."""
    paid = Terms(**amounts)
    back = [
        credit(FEE_EXPENSE, paid.fee),
        credit(INPUT_TAX, paid.tax),
        credit(DUE_FROM_FINANCIER, paid.net),
    ]
    if books.recourse:
        seller = [
            debit(BORROWINGS, paid.claim(books)),
            credit(DEFERRED_COST, paid.discount),
            *back,
        ]
    else:
        seller = [
            debit(TRADE_RECEIVABLES, paid.face),
            credit(LOSS_ON_SALE, paid.discount),
            credit(RESERVE_OF_SELLER, paid.reserve),
            *back,
        ]
    return books.journals(
        seller=seller,
        obligor="the debt is unchanged",
        financier=_claim_undone(books, paid),
    )
