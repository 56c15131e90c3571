"""Why an invoice is proposed for a receipt, and how sure that is, in plain words."""

from collections.abc import Iterable
from typing import Final

from flask_babel import lazy_gettext as _l

from scf.settlement import matching
from scf.settlement.advised import placing
from scf.settlement.reconcile import columns as why

_REASONS: Final = {
    why.REFERENCE: _l("The invoice number stands in the text."),
    why.REFERENCE_NEAR: _l("The text has the number but for one sign."),
    why.REFERENCE_GLUED: _l("The number stands in the text, run together with other words."),
    why.REFERENCE_CUT: _l("The text has a piece of the number."),
    why.REFERENCE_FAR: _l("The text has the number but for two signs."),
    why.AMOUNT: _l("The sum is exactly what is open."),
    why.AMOUNT_SOLE: _l("The sum is exactly what is open, and of nothing else of this payer."),
    why.AMOUNT_SUM: _l("Together it is exactly what is open."),
    why.AMOUNT_PART: _l("The sum is less than what is open: a part payment."),
    why.AMOUNT_NEAR: _l("The sum is less by no more than a bank would charge."),
    why.AMOUNT_OVER: _l("The sum is more than what is open."),
    why.PAYER: _l("It comes from who owes the invoice."),
    why.PAYER_NAME: _l("The account is unknown, but the sender's name is like the debtor's."),
    why.PAYER_OTHER: _l("It does not come from who owes the invoice."),
    why.PAYER_UNKNOWN: _l("Nobody knows who sent it."),
    why.LOOK_ALIKE: _l("Another open invoice has nearly this number."),
    why.IN_TURN: _l("Less than all it names: first the one that the programme puts first."),
    why.AMOUNT_ELSEWHERE: _l("This sum, or what is over, is just what is open elsewhere."),
    why.PAPER: _l("A paper of who pays says so."),
    why.PAPER_OTHER: _l("A paper of somebody else says so."),
    why.CONTESTED: _l("Another payment claims the same invoice."),
    why.UNEXPLAINED: _l("The text names something that is not open here."),
    placing.DEDUCTED: _l("The sender has taken something off; what it took off stays owed."),
    placing.PART: _l("Some of what the paper names is not open here."),
    matching.VALUE_DATE_AHEAD: _l("The money counts from a later day."),
}
_GRADES: Final = (
    (950_000, _l("very likely"), "ok"),
    (850_000, _l("likely"), "info"),
    (650_000, _l("possible"), "warn"),
    (0, _l("a guess"), ""),
)


def because(codes: Iterable[str]) -> list[str]:
    """Return the reasons of a proposal as sentences."""
    return [str(_REASONS.get(code, code)) for code in codes]


def grade(confidence_ppm: int) -> tuple[str, str]:
    """Return the word for a confidence, and the kind of its chip."""
    return next((str(word), kind) for least, word, kind in _GRADES if confidence_ppm >= least)
