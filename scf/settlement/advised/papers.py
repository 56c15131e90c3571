"""A paper that explains one bank credit, as plain values, conserved to the minor unit."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

from scf.kernel.ids import digest

REMITTANCE: Final = "remittance"
PLATFORM: Final = "platform"
MOST_LINES: Final = 5_000


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line: ``amount_minor`` is what it adds to the payment; taken off, it is negative.

    ``kind`` is item or deduction in an advice; order, refund or fee in a settlement. ``number`` is
    that of the item or order, ``reason`` why something is taken off, ``paper`` its credit note.
    """

    place: str
    kind: str
    number: str
    amount_minor: int
    reason: str = ""
    paper: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A remittance advice or settlement statement; its lines add up to ``net_minor``.

    ``sender`` and ``merchant`` are words that name firms (an id or scheme:value).
    """

    kind: str
    number: str
    sender: str
    merchant: str
    reference: str
    currency: str
    paid_on: dt.date | None
    net_minor: int
    lines: tuple[PaperLine, ...]

    def total(self, *kinds: str) -> int:
        """Add up the lines of some kinds."""
        return sum(one.amount_minor for one in self.lines if one.kind in kinds)

    @property
    def mark(self) -> str:
        """A fingerprint of what the paper says, whatever file it came in."""
        said: dict[str, Any] = asdict(self)
        said["paid_on"] = self.paid_on.isoformat() if self.paid_on else None
        for line in said["lines"]:
            line.pop("place")
        return digest(said)
