"""What the machines ask of a technique."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from scf.programmes.terms import Terms

Party = Literal["anchor", "seller"]


@dataclass(frozen=True, slots=True)
class Obligation:
    """Who owes a financed invoice, and what stands behind it.

    ``undertaking``: the obligor has irrevocably undertaken to pay, so that nothing dilutes it.
    ``recourse``: whether, and from how many days overdue, the seller answers for the obligor.
    ``disclosed``: whether the obligor knows that it owes the financier.
    """

    obligor_id: str
    undertaking: bool
    recourse: Literal["none", "full", "after_days"]
    recourse_after_days: int
    disclosed: bool


class Technique(Protocol):
    """The policy of one technique: pure functions of terms and facts.

    Who owes, and whether the sale is one, follow from the terms alone and are worked out here;
    a technique for which they do not says so itself.
    """

    @property
    def name(self) -> str:
        """The word in the programme file."""

    @property
    def agreed_with(self) -> Party:
        """The firm that the financier makes the agreement with."""

    def problems(self, terms: "Terms") -> Iterator[str]:
        """Name what these terms say that the technique cannot mean."""

    def accepted_enough(self, acceptance_state: str) -> bool:
        """Tell whether the buyer's word on an invoice, or its silence, allows finance."""

    def obligation(self, terms: "Terms", invoice: Any) -> Obligation:  # noqa: ANN401 - a row
        """Say who owes an invoice, by its undertaking if it gave one, and who answers for it."""
        return Obligation(
            str(invoice.buyer_id),
            undertaking=bool(invoice.ipu),
            recourse=terms.recourse,
            recourse_after_days=terms.recourse_after_days,
            disclosed=terms.disclosed,
        )

    def is_loan(self, terms: "Terms") -> bool:
        """Tell whether the books show a loan: whoever answers for the obligor has borrowed."""
        return terms.recourse != "none"

    def largest_face(self, terms: "Terms", eligible: int) -> int:
        """Give the most of an invoice that can be financed, from what of it is eligible."""

    def reserve(self, terms: "Terms", face: int) -> int:
        """Give the part of the face that is held back until the obligor has paid."""

    def runs_a_reserve(self, terms: "Terms") -> bool:
        """Tell whether the seller's account is settled only when the obligor has paid."""

    def takes_credit_notes(self, *, undertaking: bool) -> bool:
        """Tell whether a credit note lowers a financed invoice, and is not carried further."""
