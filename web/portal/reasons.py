"""Why finance is not possible, told to a person: what it is, whose turn it is, what helps.

The codes are those of ``scf.offers.eligibility``. A code without words of its own is told by the
rule's own message.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _

from scf.kernel.errors import Refusal
from web.refusals import translated


@dataclass(frozen=True)
class Told:
    """One reason as a page shows it; ``remedy`` names the act that a page may offer for it."""

    code: str
    text: str
    owner: str
    remedy: str = ""
    frees_on: Any = None
    next_step: str = ""


_YOU: Final = _("you")
_BUYER: Final = _("your buyer")
_BANK: Final = _("the bank")
_TIME: Final = _("nobody: it is a question of time")

# code → what, whose turn, which act helps
_WORDS: Final[dict[str, tuple[Any, Any, str]]] = {
    "NOT_ACCEPTED": (_("The buyer has not confirmed it yet"), _BUYER, "ask_buyer"),
    "DOCUMENT_MISSING": (_("Something is missing in the invoice"), _YOU, "open"),
    "MATCH_EXCEPTION": (_("It does not match its order"), _YOU, "open"),
    "TITLE_PRIOR": (_("The claim belongs to somebody else already"), _YOU, ""),
    "ALREADY_FINANCED": (_("It is being financed already"), _TIME, "open"),
    "DUPLICATE_SUSPECT": (_("A check of the bank stands in the way"), _BANK, "open"),
    "CURRENCY": (_("The programme does not finance this currency"), _BANK, ""),
    "INVOICE_AGE": (_("It is too old for the programme"), _TIME, ""),
    "TENOR_SHORT": (_("It is due too soon: the buyer pays in a few days"), _TIME, ""),
    "TENOR_LONG": (_("It is due too late for the programme"), _TIME, ""),
    "AMOUNT_MIN": (_("The amount is below what the programme finances"), _TIME, ""),
    "AMOUNT_STEP": (_("Parts come in fixed steps"), _YOU, ""),
    "CAPACITY": (_("Nothing is left of it to finance"), _TIME, "open"),
    "DISPUTED": (_("The buyer disputes it"), _BUYER, "open"),
    "OVER_ADVANCE_OPEN": (_("More was financed than it is worth now"), _YOU, "open"),
    "CREDIT_NOTE_OPEN": (_("A credit note of yours names no invoice"), _YOU, ""),
    "OVERDUE_OBLIGOR": (_("The buyer is late with a financed invoice"), _BUYER, ""),
    "PROGRAMME_SUSPENDED": (_("The programme gives no new finance now"), _BANK, ""),
    "NO_PROGRAMME": (_("No bank finances this buyer's invoices here yet"), _BANK, ""),
    "KYB_EXPIRED": (_("The bank has not approved both firms"), _BANK, ""),
    "ACCOUNT_UNVERIFIED": (_("The bank has verified no account of yours"), _BANK, "accounts"),
    "FIXING_MISSING": (_("The bank has not entered today's rate"), _BANK, ""),
    "CUTOFF_PASSED": (_("The cut-off for this day has passed"), _TIME, ""),
    "PRICE_ABOVE_CAP": (_("Its price would be above the highest rate allowed"), _TIME, ""),
    "RISK_BELOW_FLOOR": (_("It is outside the bank's own risk policy"), _BANK, ""),
    "MODEL_UNAVAILABLE": (_("The bank's figures of today are not there yet"), _BANK, ""),
    "LIMIT_SELLER": (_("Your limit with the bank is used up"), _BANK, ""),
    "CHECK_NEEDED": (_("The document needs a check. Please contact the bank."), _BANK, ""),
    "FINANCIER_POLICY": (_("It does not fit what the bank may finance now"), _BANK, ""),
    "CONTRA": (_("It is set off against what your buyer sells to you"), _BANK, ""),
    "OVERDUE_SELLER": (_("Something that you owe the bank is overdue"), _YOU, ""),
    "PROOF_MISSING": (_("Proof of the trade is missing"), _YOU, ""),
    "RECOURSE_OPEN": (_("The bank has asked for a repayment that is still open"), _YOU, ""),
    "TAX_VOID": (_("The tax invoice is void"), _YOU, ""),
    "TAX_CREDITED": (_("The tax authority has a credit note that is not here"), _YOU, ""),
    "TAX_MISMATCH": (_("The tax authority has it otherwise than we do"), _YOU, "open"),
    "TAX_NOT_FOUND": (_("The tax authority does not know it"), _YOU, "open"),
    "TAX_UNCHECKED": (_("The tax authority has not confirmed it yet"), _YOU, "open"),
    "TAX_IDENTITY": (_("It does not say under what the tax authority knows it"), _YOU, "open"),
    "RULES_WAITING": (_("Its e-invoice rules are being looked at"), _TIME, ""),
    "RULES_BROKEN": (_("It breaks rules of the e-invoice standard"), _YOU, "open"),
    "RULES_UNJUDGED": (_("Its e-invoice rules could not be looked at"), _BANK, ""),
    "RULES_UNDECLARED": (_("It is no e-invoice that declares EN 16931"), _YOU, ""),
    "QUOTE_EXPIRED": (_("The price is no longer held: ask for a new one"), _YOU, ""),
    "OTHER": (_("The bank gave another reason; please ask it"), _BANK, ""),
}
_NO_ORDER: Final = _("Its order is not here yet")
_LIMIT: Final = _("The bank's limit for this buyer or programme is used up")


def told(refusal: Refusal) -> Told:
    """Tell a refusal in the reader's words."""
    text, owner, remedy = _WORDS.get(refusal.code) or (
        (_LIMIT, _BANK, "")
        if refusal.code.startswith("LIMIT_")
        else (translated(refusal.message), _BANK, "")
    )
    if refusal.code == "MATCH_EXCEPTION" and refusal.measured == "UNMATCHED":
        text, owner = _NO_ORDER, _BUYER
    return Told(
        refusal.code, str(text), str(owner), remedy, refusal.frees_on, translated(refusal.next_step)
    )
