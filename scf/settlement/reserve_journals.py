"""Posting tables 4.6, 4.7 and 4.8: the three journals where a reserve is run.

As in ``journals.py`` the numbers are those of the tables. A collection on a loan pays interest,
principal and the seller in one event each; together they are the table's two rows.
"""

from typing import Final

from scf.ledger.service import credit, debit
from scf.settlement.journals import (
    CASH,
    FINANCE_COST,
    RECEIVABLES_PURCHASED,
    RESERVE,
    RESERVE_OF_SELLER,
    SUSPENSE,
    TRADE_RECEIVABLES,
    Books,
    Journals,
    collected_for_seller,
    recourse_met,
)

INTEREST_RECEIVABLE: Final = "interest_receivable"
INTEREST_INCOME: Final = "interest_income"
ACCRUED_INTEREST: Final = "accrued_interest"
REPURCHASE_CLAIM: Final = "due_from_sellers_repurchase"
REPURCHASE_DEBT: Final = "due_to_factor_repurchase"
RETURNS: Final = "revenue_returns"
PURCHASES: Final = "purchases_or_inventory"


def interest_accrued(books: Books, amount: int) -> Journals:
    """Interest up to a close; a negative amount takes days back."""
    return books.journals(
        seller=[debit(FINANCE_COST, amount), credit(ACCRUED_INTEREST, amount)],
        obligor="the interest is between seller and financier",
        financier=[debit(INTEREST_RECEIVABLE, amount), credit(INTEREST_INCOME, amount)],
    )


def diluted(books: Books, *, amount: int, reserve: int) -> Journals:
    """A credit note took a financed part: the reserve pays, the seller owes what is beyond it."""
    debtor = [debit(books.debt, amount), credit(PURCHASES, amount)]
    if books.recourse:
        return books.journals(
            seller=[debit(RETURNS, amount), credit(TRADE_RECEIVABLES, amount)],
            obligor=debtor,
            financier="the loan is unchanged; its reserve, a memo, has fallen",
        )
    gap = amount - reserve
    return books.journals(
        seller=[
            debit(RETURNS, amount),
            credit(RESERVE_OF_SELLER, reserve),
            credit(REPURCHASE_DEBT, gap),
        ],
        obligor=debtor,
        financier=[
            debit(RESERVE, reserve),
            debit(REPURCHASE_CLAIM, gap),
            credit(RECEIVABLES_PURCHASED, amount),
        ],
    )


def interest_collected(books: Books, amount: int) -> Journals:
    """So much of the obligor's payment on a loan's security pays the seller's interest."""
    return books.journals(
        seller=[debit(ACCRUED_INTEREST, amount), credit(TRADE_RECEIVABLES, amount)],
        obligor=[debit(books.debt, amount), credit(CASH, amount)],
        financier=[debit(SUSPENSE, amount), credit(INTEREST_RECEIVABLE, amount)],
    )


def surplus_collected(books: Books, amount: int) -> Journals:
    """So much of the obligor's payment is left when the loan is paid: the seller's money."""
    return collected_for_seller(books, amount)


def gap_paid(books: Books, amount: int) -> Journals:
    """The seller repurchases what credit notes took beyond the reserve."""
    if books.recourse:
        return recourse_met(books, amount)
    return books.journals(
        seller=[debit(REPURCHASE_DEBT, amount), credit(CASH, amount)],
        obligor="the debt was lowered by the credit note",
        financier=[debit(SUSPENSE, amount), credit(REPURCHASE_CLAIM, amount)],
    )


def charge_paid(books: Books, amount: int) -> Journals:
    """The seller pays interest in cash."""
    return books.journals(
        seller=[debit(ACCRUED_INTEREST, amount), credit(CASH, amount)],
        obligor="the interest is between seller and financier",
        financier=[debit(SUSPENSE, amount), credit(INTEREST_RECEIVABLE, amount)],
    )


def bought_back(books: Books, amount: int) -> Journals:
    """The seller pays in the obligor's place: it buys the item back, or meets the recourse."""
    if books.recourse:
        return recourse_met(books, amount)
    return books.journals(
        seller=[debit(TRADE_RECEIVABLES, amount), credit(CASH, amount)],
        obligor="still owes the seller",
        financier=[debit(SUSPENSE, amount), credit(RECEIVABLES_PURCHASED, amount)],
    )


def reserve_settled(books: Books, *, interest: int, bought: int) -> Journals:
    """The reserve pays interest and the last of an item bought back; what is left is released."""
    return books.journals(
        seller=[
            debit(ACCRUED_INTEREST, interest),
            debit(TRADE_RECEIVABLES, bought),
            credit(RESERVE_OF_SELLER, interest + bought),
        ],
        obligor="the reserve is between seller and financier",
        financier=[
            debit(RESERVE, interest + bought),
            credit(INTEREST_RECEIVABLE, interest),
            credit(RECEIVABLES_PURCHASED, bought),
        ],
    )
