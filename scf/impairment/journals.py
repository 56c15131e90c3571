"""What impairment means in the books of seller, obligor and financier: posting table 4.11. Pure."""

from typing import Any, Final

from scf.ledger.service import Journal, credit, debit

ALLOWANCE: Final = "loss_allowance"
LOSS: Final = "impairment_loss"
PENALTY_RECEIVABLE: Final = "penalty_receivable"
PENALTY_INCOME: Final = "penalty_income"
LOANS_TO_SELLERS: Final = "loans_to_sellers"
RECEIVABLES_PURCHASED: Final = "receivables_purchased"

Journals = tuple[Journal, ...]


def provided(row: Any, more: int, *, first: bool) -> Journals:  # noqa: ANN401 - a row of advance
    """So much more is set aside; a negative amount is released. The dashes are said once."""
    own = Journal(row.financier_id, (debit(LOSS, more), credit(ALLOWANCE, more)))
    return (
        *_dashes(row, "the loss is the financier's", "the debt is unchanged", say=first),
        own,
    )


def penalty_suspended(row: Any, more: int, *, first: bool) -> Journals:  # noqa: ANN401 - a row
    """Penalty that nobody expects any more leaves the book; negative: it is expected again."""
    own = Journal(row.financier_id, (debit(PENALTY_INCOME, more), credit(PENALTY_RECEIVABLE, more)))
    why = "the penalty is between obligor and financier"
    return (*_dashes(row, why, "the penalty is owed all the same", say=first), own)


def written_off(row: Any, amount: int) -> Journals:  # noqa: ANN401 - a row of advance
    """What is still carried is taken from the allowance and leaves the book."""
    claim = LOANS_TO_SELLERS if row.recourse else RECEIVABLES_PURCHASED
    seller = "the loan is owed all the same" if row.recourse else "the receivable was sold"
    return (
        *_dashes(row, seller, "the debt lives until it is legally discharged"),
        Journal(row.financier_id, (debit(ALLOWANCE, amount), credit(claim, amount))),
    )


def _dashes(row: Any, seller: str, obligor: str, *, say: bool = True) -> Journals:  # noqa: ANN401
    if not say:
        return ()
    return Journal(row.seller_id, reason=seller), Journal(row.obligor_id, reason=obligor)
