"""What an invoice is worth to finance, and how its states follow from its amounts.

Pure: every function takes a row (or anything with the same attributes) and returns a value.
"""

import datetime as dt
from typing import Literal, Protocol

from scf.documents.fingerprints import canonical_number, duplicate_key

# What an invoice must match before it is financed: nothing, its order, also what was received
# (three-way), also what was sent (four-way). Source: finance.md, "match mode", F10.
MatchMode = Literal["none", "order", "receipt", "despatch"]


class InvoiceAmounts(Protocol):
    """The counters of an invoice, in minor units of its currency."""

    @property
    def base_minor(self) -> int: ...  # noqa: D102 - a column, see the table
    @property
    def credited_minor(self) -> int: ...  # noqa: D102
    @property
    def disputed_minor(self) -> int: ...  # noqa: D102
    @property
    def paid_minor(self) -> int: ...  # noqa: D102
    @property
    def retention_minor(self) -> int: ...  # noqa: D102
    @property
    def offered_minor(self) -> int: ...  # noqa: D102
    @property
    def held_minor(self) -> int: ...  # noqa: D102
    @property
    def outstanding_minor(self) -> int: ...  # noqa: D102
    @property
    def repaid_minor(self) -> int: ...  # noqa: D102


class InvoiceStates(InvoiceAmounts, Protocol):
    """The counters and the states of an invoice."""

    @property
    def document_state(self) -> str: ...  # noqa: D102 - a column, see the table
    @property
    def acceptance_state(self) -> str: ...  # noqa: D102
    @property
    def payment_state(self) -> str: ...  # noqa: D102
    @property
    def dispute_state(self) -> str: ...  # noqa: D102
    @property
    def due_on(self) -> dt.date | None: ...  # noqa: D102


def capacity(row: InvoiceAmounts) -> int:
    """Give how much of the claim finance could ever rest on.

    Source: finance.md section 3, "capacity": base − credit notes − open disputes − payments by
    the obligor − retention.
    """
    return (
        row.base_minor
        - row.credited_minor
        - row.disputed_minor
        - row.paid_minor
        - row.retention_minor
    )


def eligible(row: InvoiceAmounts) -> int:
    """Give how much may still be financed: the capacity that nobody holds or has financed.

    A payment on a financed part lowers capacity and outstanding alike, so that nothing is
    subtracted twice.
    """
    return max(0, capacity(row) - row.held_minor - row.outstanding_minor)


def owed(row: InvoiceAmounts) -> int:
    """Give what the obligor has still to pay, contested or not."""
    return max(0, row.base_minor - row.credited_minor - row.paid_minor)


def payment_event(row: InvoiceAmounts) -> str:
    """Name what the amounts say about payment: ``nothing``, ``part`` or ``full``."""
    if owed(row) == 0:
        return "full"
    return "part" if row.paid_minor else "nothing"


def finance_state(row: InvoiceAmounts) -> str:
    """Derive the finance axis from its amounts."""
    if row.outstanding_minor:
        return "PART_FINANCED" if row.held_minor or eligible(row) else "FINANCED"
    if row.held_minor:
        return "HELD"
    if row.offered_minor:
        return "OFFERED"
    if row.repaid_minor and eligible(row) == 0:
        return "CLOSED"
    return "FREE"


def label(row: InvoiceStates, on: dt.date, *, early_pay: bool = False) -> str:
    """Give the one word that a screen shows for an invoice; disputes are badges besides.

    Parameters
    ----------
    on
        The business date, against which "overdue" is judged.
    early_pay
        Whether an offer of finance is open to the seller.

    Source: finance.md section 3, "Label precedence".
    """
    finance = finance_state(row)
    accepted = row.acceptance_state in {"ACCEPTED", "PART_ACCEPTED", "DEEMED"}
    overdue = row.due_on is not None and row.due_on < on and owed(row) > 0
    candidates = (
        ("VOID", row.document_state in {"VOID", "SUPERSEDED"}),
        ("WRITTEN_OFF", row.payment_state == "WRITTEN_OFF"),
        ("PAID", row.payment_state == "PAID"),
        ("OVERDUE", overdue and row.document_state == "VALIDATED"),
        ("PART_PAID", row.payment_state == "PART_PAID"),
        ("FINANCED", finance == "FINANCED"),
        ("PART_FINANCED", finance == "PART_FINANCED"),
        ("FUNDING_IN_PROGRESS", finance == "HELD"),
        ("DISPUTED", row.dispute_state == "DISPUTED"),
        ("EARLY_PAY_AVAILABLE", accepted and early_pay and eligible(row) > 0),
        ("APPROVED", row.acceptance_state in {"ACCEPTED", "DEEMED"}),
        ("PART_APPROVED", row.acceptance_state == "PART_ACCEPTED"),
        ("REJECTED", row.acceptance_state == "REJECTED"),
        ("IN_PROCESS", row.document_state in {"RECEIVED", "VALIDATED"}),
    )
    return next((name for name, holds in candidates if holds), "INCOMPLETE")


__all__ = [
    "InvoiceAmounts",
    "InvoiceStates",
    "canonical_number",
    "capacity",
    "duplicate_key",
    "eligible",
    "finance_state",
    "label",
    "owed",
    "payment_event",
]
