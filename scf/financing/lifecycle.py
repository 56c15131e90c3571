"""The legal steps of a request and of an advance.

Every state of finance.md section 3 that can be reached today stands here. A step whose automatic
source does not exist yet (screening, tax status, e-signature, registry) is taken on an officer's
recorded check, never silently.
"""

from typing import Final

from scf.kernel.states import Lifecycle

_OPEN_REQUEST: Final = ("SUBMITTED", "IN_REVIEW")

REQUEST: Final = Lifecycle(
    "financing request",
    {
        ("DRAFT", "submit"): "SUBMITTED",
        ("SUBMITTED", "review"): "IN_REVIEW",
        ("IN_REVIEW", "approve"): "APPROVED",
        **{(state, "decline"): "DECLINED" for state in (*_OPEN_REQUEST, "APPROVED")},
        **{(state, "withdraw"): "WITHDRAWN" for state in (*_OPEN_REQUEST, "APPROVED")},
        **{(state, "expire"): "EXPIRED" for state in _OPEN_REQUEST},
    },
)

# In the order in which money comes nearer; before INSTRUCTED everything can still be undone.
BEFORE_SIGNED: Final = ("REQUESTED", "HELD", "PRECHECKED", "DECIDED")
BEFORE_INSTRUCTED: Final = (*BEFORE_SIGNED, "SIGNED", "REGISTERED", "RECHECKED")
# Money is out and something is owed.
OUT: Final = ("FUNDED", "PART_REPAID", "GRACE", "OVERDUE")
# Nothing is held, used or owed any more.
ENDED: Final = ("DECLINED", "CANCELLED", "EXPIRED", "UNWOUND", "CLOSED")

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
        # A signed hold has no time to live: only a person ends it.
        **{(state, "expire"): "EXPIRED" for state in BEFORE_SIGNED},
        ("INSTRUCTED", "fund"): "FUNDED",
        ("INSTRUCTED", "fail"): "FAILED",
        ("INSTRUCTED", "lose"): "UNKNOWN",
        ("UNKNOWN", "fund"): "FUNDED",
        ("UNKNOWN", "fail"): "FAILED",
        ("FAILED", "resend"): "INSTRUCTED",
        ("FAILED", "unwind"): "UNWOUND",
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
            for state in ("GRACE", "OVERDUE")
            for event in ("reopen", "reopen_all")
        },
        **{(state, "over_advance"): state for state in OUT},
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
