"""What makes one financing technique different from another: a module each, behind one protocol.

A technique is data (the terms of a programme) plus these few pure functions. The machines of
documents, offers, financing and settlement ask them and never ask for a technique's name.
"""

from typing import TYPE_CHECKING, Any, Final

from scf.programmes.techniques import payables_finance, receivables_discounting
from scf.programmes.techniques.protocol import Obligation, Technique

if TYPE_CHECKING:
    from scf.programmes.terms import Terms

__all__ = ["Obligation", "Technique", "obligation", "technique_of"]

_ALL: Final[dict[str, Technique]] = {
    one.name: one for one in (payables_finance.TECHNIQUE, receivables_discounting.TECHNIQUE)
}


def technique_of(terms: "Terms") -> Technique:
    """Give the policy of the technique that a programme uses."""
    return _ALL[terms.technique]


def obligation(terms: "Terms", invoice_row: Any) -> Obligation:  # noqa: ANN401 - a row of invoice
    """Say who owes an invoice financed under these terms, and whether anybody answers for it."""
    return technique_of(terms).obligation(terms, invoice_row)
