"""The closed lists: why a request is declined, what of that is told, why something is set aside."""

from collections.abc import Iterable
from typing import Final, Literal, get_args

# Source: finance.md section 3, "Refusal codes": those that an officer can find on a whole request.
DeclineCode = Literal[
    "AUTHORITY",
    "BUDGET_STOP",
    "CONCENTRATION",
    "CONTRA",
    "CREDIT_NOTE_OPEN",
    "DISPUTED",
    "DOCUMENT_MISSING",
    "DUPLICATE_SUSPECT",
    "INVOICE_AGE",
    "KYB_EXPIRED",
    "LIMIT_COUNTRY",
    "LIMIT_FINANCIER",
    "LIMIT_GROUP",
    "LIMIT_OBLIGOR",
    "LIMIT_PROGRAMME",
    "LIMIT_RELATIONSHIP",
    "LIMIT_SECTOR",
    "LIMIT_SELLER",
    "LIMIT_TENOR",
    "MATCH_EXCEPTION",
    "OTHER",
    "OVERDUE_OBLIGOR",
    "OVERDUE_SELLER",
    "PRICE_ABOVE_CAP",
    "PROOF_MISSING",
    "RECOURSE_OPEN",
    "RELATED_PARTY",
    "RISK_BELOW_FLOOR",
    "SCREENING_HIT",
    "TAX_VOID",
    "TENOR_LONG",
    "TITLE_PRIOR",
]
DECLINE_CODES: Final = get_args(DeclineCode)

# A hit of these is told to the seller as a check that is due, without what it was about.
_NOT_TOLD: Final = frozenset({"SCREENING_HIT", "DUPLICATE_SUSPECT", "RELATED_PARTY"})
# What rests on the financier's own books, or on others' data, is told as one neutral reason.
_OWN_BOOKS: Final = frozenset({"AUTHORITY", "BUDGET_STOP", "CONCENTRATION", "RISK_BELOW_FLOOR"})
CHECK_NEEDED: Final = "CHECK_NEEDED"
FINANCIER_POLICY: Final = "FINANCIER_POLICY"

OverrideCode = Literal[
    "DATA_CORRECTED",  # the input was wrong and has been put right since
    "EVIDENCE_SEEN",  # a document or fact outside the model's inputs
    "RELATION_KNOWN",  # long experience with the firm
    "MITIGANT_AGREED",  # security, insurance or an undertaking not yet on record
    "CAUTION",  # a person wants more eyes on it
]
ReviewCode = Literal["WRONG_INPUT", "WRONG_ROUTE", "MISSED_RISK", "CHECK_TOO_WEAK", "OTHER"]


def told(code: str) -> str:
    """Give the code under which the seller reads a reason of a decline."""
    if code in _NOT_TOLD:
        return CHECK_NEEDED
    if code in _OWN_BOOKS or code.startswith("LIMIT_"):
        return FINANCIER_POLICY
    return code


def letter(codes: Iterable[str]) -> list[str]:
    """Give what the letter to the firm would say: each of its codes once, in their rank."""
    return list(dict.fromkeys(told(code) for code in codes))
