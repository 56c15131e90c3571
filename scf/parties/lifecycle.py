"""The states of a firm, as far as they exist.

The dossier that leads from INVITED to IN_REVIEW is not kept here yet: an officer who activates a
firm passes those steps by a manual check, recorded with its evidence.
"""

from scf.kernel.states import Lifecycle

FIRM = Lifecycle(
    "firm",
    {
        ("INVITED", "open_dossier"): "KYB_OPEN",
        ("KYB_OPEN", "hand_in"): "IN_REVIEW",
        ("IN_REVIEW", "approve"): "ACTIVE",
        ("ACTIVE", "suspend"): "SUSPENDED",
        ("SUSPENDED", "reinstate"): "ACTIVE",
    },
)

ACCOUNT = Lifecycle(
    "bank account",
    {
        ("OPEN", "verify"): "OPEN",  # what becomes of it stands with the financier that verifies
        ("OPEN", "close"): "CLOSED",
    },
)

# What one financier holds of an account. A verification that was withdrawn may be given again.
VERIFICATION = Lifecycle(
    "verification of a bank account",
    {
        ("UNVERIFIED", "verify"): "VERIFIED",
        ("VERIFIED", "withdraw"): "WITHDRAWN",
        ("WITHDRAWN", "verify"): "VERIFIED",
    },
)

# The steps that one activation takes from each state.
TO_ACTIVE: dict[str, tuple[str, ...]] = {
    "INVITED": ("open_dossier", "hand_in", "approve"),
    "KYB_OPEN": ("hand_in", "approve"),
    "IN_REVIEW": ("approve",),
    "SUSPENDED": ("reinstate",),
}
