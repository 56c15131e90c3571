"""Which open items a bank's credits pay: references first, then what is left of them, then sums.

Pure: columns of entries and open items in, verdicts with confidence and reasons out; no database
and no clock. Only what two independent witnesses tell is certain; a person reviews the rest.
"""

from scf.settlement.reconcile.columns import Entries, OpenItems, Paper, Pays, Proposal, Verdict
from scf.settlement.reconcile.matcher import reconcile

__all__ = ["Entries", "OpenItems", "Paper", "Pays", "Proposal", "Verdict", "reconcile"]
