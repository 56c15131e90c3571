"""The states of a programme."""

from typing import Final

from scf.kernel.states import Lifecycle

PROGRAMME: Final = Lifecycle(
    "programme",
    {
        ("DRAFT", "approve"): "APPROVED",
        ("APPROVED", "activate"): "ACTIVE",
        ("ACTIVE", "suspend"): "SUSPENDED",
        ("SUSPENDED", "resume"): "ACTIVE",
        ("ACTIVE", "run_off"): "RUN_OFF",
        ("SUSPENDED", "run_off"): "RUN_OFF",
        ("RUN_OFF", "close"): "CLOSED",
    },
)
