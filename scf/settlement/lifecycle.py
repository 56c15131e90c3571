"""The legal steps of a payment instruction, of the file it travels in, and of a bank entry."""

from typing import Final

from scf.kernel.states import Lifecycle

FILE: Final = Lifecycle(
    "payment file",
    {
        ("CREATED", "approve"): "APPROVED",
        ("CREATED", "cancel"): "CANCELLED",
        ("APPROVED", "send"): "SENT",
        ("SENT", "send"): "SENT",  # again: identical bytes
    },
)

# Only a booked entry settles; an answer of the bank never does. What settled can still come back.
INSTRUCTION: Final = Lifecycle(
    "payment instruction",
    {
        ("CREATED", "approve"): "APPROVED",
        ("CREATED", "cancel"): "CANCELLED",
        ("APPROVED", "send"): "SENT",
        **{
            (state, event): to
            for state in ("SENT", "ACKED", "UNKNOWN")
            for event, to in (
                ("acknowledge", "ACKED"),
                ("lose", "UNKNOWN"),
                ("reject", "REJECTED"),
                ("settle", "SETTLED"),
            )
        },
        ("SETTLED", "return"): "RETURNED",
    },
)

# After these the same thing may be paid by another instruction, under its own name.
OVER: Final = frozenset({"REJECTED", "RETURNED", "CANCELLED"})
UNDER_WAY: Final = frozenset({"SENT", "ACKED", "UNKNOWN"})

RECEIPT: Final = Lifecycle(
    "bank entry",
    {
        ("RECEIVED", "identify"): "IDENTIFIED",
        ("IDENTIFIED", "identify"): "IDENTIFIED",
        ("IDENTIFIED", "allocate"): "ALLOCATED",
        ("ALLOCATED", "post"): "POSTED",
        ("ALLOCATED", "identify"): "IDENTIFIED",
        ("RECEIVED", "reverse"): "REVERSED",
        ("IDENTIFIED", "reverse"): "REVERSED",
        ("POSTED", "take_back"): "RECEIVED",
        ("IDENTIFIED", "take_back"): "RECEIVED",
        ("POSTED", "refund"): "REFUNDED",
    },
)

# What a sender who does not owe has paid needs two people; "agree" is the first one's word.
PROPOSAL: Final = Lifecycle(
    "receipt proposal",
    {
        ("OPEN", "agree"): "AGREED",
        ("OPEN", "accept"): "ACCEPTED",
        ("AGREED", "accept"): "ACCEPTED",
        ("OPEN", "replace"): "REPLACED",
        ("AGREED", "replace"): "REPLACED",
    },
)
