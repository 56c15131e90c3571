"""The port to tax authorities: what is asked, what may be answered, and nobody at the other end."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol, get_args

from scf.documents.taxcheck.schemes import Ask

State = Literal["VALID", "VOIDED", "CREDITED", "NOT_FOUND", "MISMATCH", "UNAVAILABLE"]
STATES: Final[tuple[str, ...]] = get_args(State)
# An authority has spoken; UNAVAILABLE says only that somebody tried.
WORDS: Final = ("VALID", "VOIDED", "CREDITED", "NOT_FOUND", "MISMATCH")
# An authority's register has changed under a document, or never had it.
AGAINST: Final = ("VOIDED", "CREDITED", "NOT_FOUND", "MISMATCH")
MOST_AT_ONCE: Final = 200


class Answer(NamedTuple):
    """What an authority says of one invoice.

    ``credited_minor`` counts all its credit notes, with tax. ``field``, ``theirs`` and ``ours``
    belong to a MISMATCH, ``reason`` to UNAVAILABLE; reference, version and time are the
    authority's own.
    """

    state: State
    credited_minor: int = 0
    field: str = ""
    theirs: str = ""
    ours: str = ""
    reference: str = ""
    version: str = ""
    at: dt.datetime | None = None
    reason: str = ""


class TaxAuthority(Protocol):
    """Whoever answers for the registers of tax authorities.

    Never raises because a register is away: what could not be asked is UNAVAILABLE, with why.
    """

    def verify(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answer for each invoice, in the order asked; at most :data:`MOST_AT_ONCE`."""


class NotConnected:
    """Where no register is connected, none answers."""

    def verify(self, asks: Sequence[Ask]) -> list[Answer]:
        """Say of each that nobody could be asked."""
        return [Answer("UNAVAILABLE", reason="NOT_CONNECTED") for _ in asks]


class ByScheme:
    """Several registers behind one door, each for its own scheme."""

    def __init__(self, registers: dict[str, TaxAuthority]) -> None:
        self._registers = registers

    def verify(self, asks: Sequence[Ask]) -> list[Answer]:
        """Ask each register for what is its own, in one go; gives the answers in order."""
        found: dict[int, Answer] = {}
        for scheme in dict.fromkeys(ask.scheme for ask in asks):
            places = [place for place, ask in enumerate(asks) if ask.scheme == scheme]
            register = self._registers.get(scheme) or NotConnected()
            answers = register.verify([asks[place] for place in places])
            found.update(zip(places, answers, strict=True))
        return [found[place] for place in range(len(asks))]


__all__ = [
    "AGAINST",
    "MOST_AT_ONCE",
    "STATES",
    "WORDS",
    "Answer",
    "ByScheme",
    "NotConnected",
    "State",
    "TaxAuthority",
]
