"""Payables finance: the anchor has accepted, and its word carries the finance.

The agreement is with the anchor. What it accepted is bought at a discount taken up front; the
discount is all the financier keeps, and a credit note is carried to the pair's next invoices.
Source: finance.md section 2.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from scf.kernel.rounding import PPM
from scf.programmes.techniques.protocol import Party, Technique

if TYPE_CHECKING:
    from scf.programmes.terms import Terms

ACCEPTED: Final = frozenset({"ACCEPTED", "PART_ACCEPTED", "DEEMED"})


class PayablesFinance(Technique):
    """The policy of payables finance."""

    name = "payables_finance"
    agreed_with: Party = "anchor"

    def problems(self, terms: "Terms") -> Iterator[str]:
        """Nothing is held back, the charge is a discount, and recourse has no waiting time."""
        if terms.reserve_ppm:
            yield "payables finance holds no reserve back"
        if terms.charge != "upfront":
            yield "payables finance takes its charge up front"
        if terms.recourse == "after_days":
            yield "payables finance has recourse in full or none"

    def accepted_enough(self, acceptance_state: str) -> bool:
        """Only what the anchor has accepted is financed."""
        return acceptance_state in ACCEPTED

    def largest_face(self, terms: "Terms", eligible: int) -> int:
        """The advance rate bounds the face that is bought."""
        return eligible * terms.advance_ppm // PPM

    def reserve(self, terms: "Terms", face: int) -> int:  # noqa: ARG002 - the protocol's shape
        """The face is paid out whole, less the discount."""
        return 0

    def runs_a_reserve(self, terms: "Terms") -> bool:  # noqa: ARG002 - the protocol's shape
        """The sale is settled at the pay-out."""
        return False

    def takes_credit_notes(self, *, undertaking: bool) -> bool:  # noqa: ARG002 - as above
        """The anchor pays the financed face; a credit note goes on to the next invoices."""
        return False


TECHNIQUE: Final[Technique] = PayablesFinance()
