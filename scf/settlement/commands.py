"""The commands of this slice, by where the word comes from: officers, the bank, the clock."""

from scf.settlement import (
    accepting,
    day,
    desk,
    dilution,
    handed_in,
    intake,
    payout,
    recourse,
    redating,
    repair,
    status,
)

__all__ = [
    "accepting",
    "day",
    "desk",
    "dilution",
    "handed_in",
    "intake",
    "payout",
    "recourse",
    "redating",
    "repair",
    "status",
]
