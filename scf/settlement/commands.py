"""The commands of this slice, by where the word comes from: officers, the bank, the clock."""

from scf.settlement import day, desk, dilution, handed_in, intake, payout, recourse, repair, status

__all__ = [
    "day",
    "desk",
    "dilution",
    "handed_in",
    "intake",
    "payout",
    "recourse",
    "repair",
    "status",
]
