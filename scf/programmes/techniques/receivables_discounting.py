"""Receivables discounting: a seller turns issued invoices on its debtors into cash.

The agreement is with the seller. The whole eligible invoice is bought; a part of it, the reserve,
is paid only when the debtor has paid, less what credit notes and interest have taken. The charge
is interest by day on the cash advanced, or a discount up front. The debtor need not accept: what
stands for its word are the documents, as far as the terms ask for a match.
Source: finance.md section 2 and golden 3.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from scf.kernel.rounding import PPM
from scf.programmes.techniques.protocol import Party, Technique

if TYPE_CHECKING:
    from scf.programmes.terms import Terms


class ReceivablesDiscounting(Technique):
    """The policy of receivables discounting."""

    name = "receivables_discounting"
    agreed_with: Party = "seller"

    def problems(self, terms: "Terms") -> Iterator[str]:
        """The debtor is no party: it owes no penalty, and gets nothing back."""
        if terms.advance_ppm + terms.reserve_ppm != PPM:
            yield "advance and reserve are together the whole invoice"
        if terms.ipu != "none":
            yield "the debtor gives no undertaking here: ipu is none"
        if terms.penalty_multiple_ppm:
            yield "the debtor has agreed to no penalty: penalty_multiple_ppm is 0"
        if terms.rebate_share_ppm:
            yield "a rebate has no place here: rebate_share_ppm is 0"
        if terms.charge == "arrears" and terms.rate_basis != "face":
            yield "interest in arrears is on the cash advanced: rate_basis is face"
        if terms.charge == "arrears" and terms.income_method != "straight_line":
            yield "interest by day is income by day: income_method is straight_line"

    def accepted_enough(self, acceptance_state: str) -> bool:
        """Silence is enough; a rejected invoice is none."""
        return acceptance_state != "REJECTED"

    def largest_face(self, terms: "Terms", eligible: int) -> int:  # noqa: ARG002 - the protocol's
        """The whole of what is eligible is bought; the advance rate bounds the cash."""
        return eligible

    def reserve(self, terms: "Terms", face: int) -> int:
        """The advance is cut to whole units, so that it never exceeds its share."""
        return face - face * terms.advance_ppm // PPM

    def runs_a_reserve(self, terms: "Terms") -> bool:  # noqa: ARG002 - the protocol's shape
        """Even without a reserve the seller's account closes with the debtor's payment."""
        return True

    def takes_credit_notes(self, *, undertaking: bool) -> bool:
        """From the reserve, then from the seller; after an undertaking the debtor still pays."""
        return not undertaking


TECHNIQUE: Final[Technique] = ReceivablesDiscounting()
