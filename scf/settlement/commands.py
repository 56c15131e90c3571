"""The commands of this slice, by where the word comes from: officers, the bank, the clock."""

from scf.settlement import day, desk, handed_in, intake, payout, status

__all__ = ["day", "desk", "handed_in", "intake", "payout", "status"]
