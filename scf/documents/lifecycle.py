"""The legal steps of a document, one table per axis; the finance axis is derived in ``rules``.

An invoice never has one status: what a document is, whether it matches its order, whether the
buyer accepted it, whether it is paid and whether it is contested move independently.
"""

from typing import Final

from scf.kernel.states import Lifecycle

DOCUMENT: Final = Lifecycle(
    "document",
    {
        ("RECEIVED", "validate"): "VALIDATED",
        ("RECEIVED", "miss"): "INCOMPLETE",
        ("RECEIVED", "void"): "VOID",
        ("INCOMPLETE", "miss"): "INCOMPLETE",
        ("INCOMPLETE", "validate"): "VALIDATED",
        ("INCOMPLETE", "void"): "VOID",
        ("VALIDATED", "supersede"): "SUPERSEDED",
        ("VALIDATED", "void"): "VOID",
    },
)

_MATCH_STATES: Final = ("UNMATCHED", "PARTIAL", "MATCHED", "EXCEPTION")
MATCH: Final = Lifecycle(
    "match",
    {
        **{(state, "part"): "PARTIAL" for state in _MATCH_STATES},
        **{(state, "match"): "MATCHED" for state in _MATCH_STATES},
        **{(state, "except"): "EXCEPTION" for state in _MATCH_STATES},
        ("UNMATCHED", "find_none"): "UNMATCHED",
        ("EXCEPTION", "find_none"): "UNMATCHED",
        ("EXCEPTION", "waive"): "WAIVED",
        ("EXCEPTION", "reject"): "REJECTED",
    },
)

ACCEPTANCE: Final = Lifecycle(
    "acceptance",
    {
        **{
            (state, event): to
            for state in ("NONE", "SENT")
            for event, to in (
                ("accept", "ACCEPTED"),
                ("accept_part", "PART_ACCEPTED"),
                ("reject", "REJECTED"),
                ("deem", "DEEMED"),
            )
        },
        ("NONE", "send"): "SENT",
        ("REJECTED", "send"): "SENT",
        # A further acceptance is a new version: another due date, or more of the amount.
        **{
            (state, event): to
            for state in ("ACCEPTED", "PART_ACCEPTED", "DEEMED")
            for event, to in (("accept", "ACCEPTED"), ("accept_part", "PART_ACCEPTED"))
        },
        # Only where no undertaking was given and nothing is held; the act itself checks that.
        **{(state, "reject"): "REJECTED" for state in ("ACCEPTED", "PART_ACCEPTED", "DEEMED")},
    },
)

_PAYMENT_STATES: Final = ("OPEN", "PART_PAID", "PAID")
PAYMENT: Final = Lifecycle(
    "payment",
    {
        **{(state, "nothing"): "OPEN" for state in _PAYMENT_STATES},
        **{(state, "part"): "PART_PAID" for state in _PAYMENT_STATES},
        **{(state, "full"): "PAID" for state in _PAYMENT_STATES},
        ("OPEN", "write_off"): "WRITTEN_OFF",
        ("PART_PAID", "write_off"): "WRITTEN_OFF",
    },
)

_RESOLUTIONS: Final = (
    ("resolve_for_seller", "RESOLVED_FOR_SELLER"),
    ("resolve_for_buyer", "RESOLVED_FOR_BUYER"),
    ("split", "SPLIT"),
)
DISPUTE: Final = Lifecycle(
    "dispute",
    {
        ("CLEAR", "open"): "DISPUTED",
        ("DISPUTED", "open"): "DISPUTED",
        **{("DISPUTED", event): to for event, to in _RESOLUTIONS},
        **{(to, "open"): "DISPUTED" for _, to in _RESOLUTIONS},
    },
)

CREDIT: Final = Lifecycle(
    "credit note",
    {
        ("RECEIVED", "link"): "LINKED",
        ("RECEIVED", "find_none"): "UNLINKED",
        ("UNLINKED", "link"): "LINKED",
        ("LINKED", "allocate"): "ALLOCATED",
        ("UNLINKED", "allocate"): "ALLOCATED",
        ("ALLOCATED", "allocate"): "ALLOCATED",
        ("LINKED", "apply"): "APPLIED",
        ("UNLINKED", "apply"): "APPLIED",
        ("ALLOCATED", "apply"): "APPLIED",
        ("RECEIVED", "refuse"): "REFUSED",
        ("LINKED", "refuse"): "REFUSED",
        ("UNLINKED", "refuse"): "REFUSED",
    },
)
