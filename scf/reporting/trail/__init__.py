"""One order or invoice followed to the books: documents, finance, money, entries, and the sums.

Reads only, through a session that shows each reader the own side; what a role may not ask for
at all is not read.
"""

from scf.reporting.trail.following import follow_invoice, follow_order
from scf.reporting.trail.sums import Figures, Law, figures_of, funded, laws_of
from scf.reporting.trail.things import Step, Trail

__all__ = [
    "Figures",
    "Law",
    "Step",
    "Trail",
    "figures_of",
    "follow_invoice",
    "follow_order",
    "funded",
    "laws_of",
]
