"""The legal steps of a period of a book."""

from typing import Final

from scf.kernel.states import Lifecycle

PERIOD: Final = Lifecycle(
    "accounting period",
    {
        ("CLOSING", "confirm"): "CLOSED",
        ("CLOSING", "withdraw"): "OPEN",
        ("CLOSED", "reopen"): "OPENING",
        ("OPENING", "confirm"): "OPEN",
        ("OPENING", "withdraw"): "CLOSED",
    },
)
# While one person wants it open again and nobody else has said so, it takes nothing.
SHUT: Final = ("CLOSED", "OPENING")
