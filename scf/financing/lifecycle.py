"""The legal steps of a request and of an advance.

Every state of finance.md section 3 that can be reached today stands here. A step whose automatic
source does not exist yet (screening, tax status, e-signature, registry) is taken on an officer's
recorded check, never silently.
"""

from typing import Final

from scf.kernel.states import Lifecycle

# An officer can decide on it.
DECIDABLE: Final = ("SUBMITTED", "IN_REVIEW")
# Nobody has the last word yet; the seller may owe one, to a question or a counter-offer.
UNDECIDED: Final = (*DECIDABLE, "RETURNED", "COUNTER_OFFERED")

REQUEST: Final = Lifecycle(
    "financing request",
    {
        ("DRAFT", "submit"): "SUBMITTED",
        # In the command that submits: the policy decides by itself, or says why a person must.
        ("SUBMITTED", "accept_by_policy"): "AUTO_OK",
        ("AUTO_OK", "approve"): "APPROVED",
        **{(state, "review"): "IN_REVIEW" for state in DECIDABLE},
        **{(state, "approve"): "APPROVED" for state in DECIDABLE},
        **{(state, "offer_less"): "COUNTER_OFFERED" for state in DECIDABLE},
        **{(state, "return"): "RETURNED" for state in DECIDABLE},
        ("RETURNED", "answer"): "SUBMITTED",
        ("COUNTER_OFFERED", "take"): "APPROVED",
        ("COUNTER_OFFERED", "lapse"): "LAPSED",
        # The day of an approved price passed before it was paid: the seller confirms another, and
        # officers decide on that.
        ("APPROVED", "move_date"): "COUNTER_OFFERED",
        ("COUNTER_OFFERED", "confirm"): "IN_REVIEW",
        **{(state, "undo"): "IN_REVIEW" for state in ("RETURNED", "COUNTER_OFFERED", "APPROVED")},
        **{(state, "decline"): "DECLINED" for state in (*UNDECIDED, "APPROVED")},
        **{(state, "withdraw"): "WITHDRAWN" for state in (*UNDECIDED, "APPROVED")},
        # An approval too, where its value date is over and no other day can be offered.
        **{(state, "expire"): "EXPIRED" for state in (*DECIDABLE, "RETURNED", "APPROVED")},
    },
)

# In the order in which money comes nearer; before INSTRUCTED everything can still be undone.
BEFORE_SIGNED: Final = ("REQUESTED", "HELD", "PRECHECKED", "DECIDED")
BEFORE_INSTRUCTED: Final = (*BEFORE_SIGNED, "SIGNED", "REGISTERED", "RECHECKED")
# Money is out and something is owed.
OUT: Final = ("FUNDED", "PART_REPAID", "GRACE", "OVERDUE", "RECOURSE_CALLED")
# Nothing is held, used or owed any more.
ENDED: Final = (
    "DECLINED", "CANCELLED", "EXPIRED", "UNWOUND", "CLOSED", "REPURCHASED", "RECOVERED",
)  # fmt: skip
# Somebody still owes it: out, or out of the book and not forgiven.
COLLECTIBLE: Final = (*OUT, "WRITTEN_OFF")

ADVANCE: Final = Lifecycle(
    "advance",
    {
        ("NEW", "request"): "REQUESTED",
        ("REQUESTED", "hold"): "HELD",
        ("HELD", "precheck"): "PRECHECKED",
        ("PRECHECKED", "decide"): "DECIDED",
        ("DECIDED", "sign"): "SIGNED",
        ("SIGNED", "register"): "REGISTERED",
        ("REGISTERED", "recheck"): "RECHECKED",
        ("RECHECKED", "recheck"): "RECHECKED",  # again, on the day the money goes
        ("RECHECKED", "instruct"): "INSTRUCTED",
        **{(state, "decline"): "DECLINED" for state in BEFORE_INSTRUCTED},
        **{(state, "cancel"): "CANCELLED" for state in BEFORE_INSTRUCTED},
        # A hold has no time of its own to live: it ends with the price, when the deadline of an
        # undecided request is over, or the value date of an approved one that no other day suits.
        **{(state, "expire"): "EXPIRED" for state in BEFORE_INSTRUCTED},
        # The seller takes less than it asked for, the same at another price, or on another day.
        ("PRECHECKED", "lessen"): "PRECHECKED",
        ("PRECHECKED", "reprice"): "PRECHECKED",
        ("PRECHECKED", "redate"): "PRECHECKED",
        # An officer takes the last word back before anything is sent.
        **{
            (state, "undo"): "PRECHECKED"
            for state in ("PRECHECKED", "DECIDED", "SIGNED", "REGISTERED", "RECHECKED")
        },
        ("INSTRUCTED", "fund"): "FUNDED",
        ("INSTRUCTED", "fail"): "FAILED",
        ("INSTRUCTED", "lose"): "UNKNOWN",
        ("UNKNOWN", "fund"): "FUNDED",
        ("UNKNOWN", "fail"): "FAILED",
        ("FAILED", "resend"): "INSTRUCTED",
        ("FAILED", "unwind"): "UNWOUND",
        # A price is for its day: what was refused and goes on a later one is priced for that.
        ("FAILED", "redate"): "FAILED",
        # The account was wrong: what goes again goes to another one that has been verified.
        **{(state, "redirect"): state for state in ("FAILED", "RETURNED")},
        ("FUNDED", "return"): "RETURNED",
        ("RETURNED", "resend"): "INSTRUCTED",
        ("RETURNED", "unwind"): "UNWOUND",
        ("FUNDED", "repay"): "PART_REPAID",
        ("PART_REPAID", "repay"): "PART_REPAID",
        # Part paid is still late: it must not vanish from the reminders.
        ("GRACE", "repay"): "GRACE",
        ("OVERDUE", "repay"): "OVERDUE",
        **{(state, "close"): "CLOSED" for state in (*OUT, "EARLY_REPAID")},
        ("FUNDED", "repay_early"): "EARLY_REPAID",
        ("PART_REPAID", "repay_early"): "EARLY_REPAID",
        ("FUNDED", "grace"): "GRACE",
        ("PART_REPAID", "grace"): "GRACE",
        **{(state, "overdue"): "OVERDUE" for state in ("FUNDED", "PART_REPAID", "GRACE")},
        # The bank took a receipt back, or a correction found that it paid something else.
        **{(state, "reopen"): "PART_REPAID" for state in ("PART_REPAID", "CLOSED")},
        **{(state, "reopen_all"): "FUNDED" for state in ("PART_REPAID", "CLOSED")},
        **{
            (state, event): state
            for state in ("GRACE", "OVERDUE", "RECOURSE_CALLED")
            for event in ("reopen", "reopen_all")
        },
        # The seller answers for the obligor; the title goes back on its cash only.
        **{
            (state, "call_recourse"): "RECOURSE_CALLED"
            for state in ("FUNDED", "PART_REPAID", "GRACE", "OVERDUE")
        },
        ("RECOURSE_CALLED", "repay"): "RECOURSE_CALLED",
        ("RECOURSE_CALLED", "repurchase"): "REPURCHASED",
        **{("REPURCHASED", event): "RECOURSE_CALLED" for event in ("reopen", "reopen_all")},
        **{(state, "over_advance"): state for state in OUT},
        # In no book of the financier any more; the debt lives until it is paid.
        **{(state, "write_off"): "WRITTEN_OFF" for state in OUT},
        ("WRITTEN_OFF", "repay"): "WRITTEN_OFF",
        ("WRITTEN_OFF", "close"): "RECOVERED",
        # A receipt from before was taken back: that part stands in the book again.
        ("WRITTEN_OFF", "write_off"): "WRITTEN_OFF",
        **{
            (state, event): "WRITTEN_OFF"
            for state in ("WRITTEN_OFF", "RECOVERED")
            for event in ("reopen", "reopen_all")
        },
    },
)

# Which step of an advance a recorded check lets it take; the others are taken together, once all
# checks before the decision are in.
STEP_OF_CHECK: Final = {"e_signature": "sign", "registration": "register", "recheck": "recheck"}

# What a hit means for the request, as the code that the applicant is told.
CODE_OF_HIT: Final = {
    "duplicate": "DUPLICATE_SUSPECT",
    "screening": "SCREENING_HIT",
    "tax_status": "TAX_VOID",
    "title_search": "TITLE_PRIOR",
    "e_signature": "DOCUMENT_MISSING",
    "registration": "REGISTRY_DOWN",
    "recheck": "TITLE_PRIOR",
}
