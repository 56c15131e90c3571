"""The port to a duplicate registry: what is asked, and what may be answered."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

Act = Literal["search", "register", "release", "void"]
# FREE: nobody has it. OWN: this member has. HELD: another has the very claim. SIMILAR: another has
# one of the same firms, amount and day, or a paper with the same identifier. DONE: let go.
# UNAVAILABLE: nobody could say.
State = Literal["FREE", "OWN", "HELD", "SIMILAR", "DONE", "UNAVAILABLE"]
STATES: Final[tuple[str, ...]] = get_args(State)
EXACT: Final = ("number",)
MOST_AT_ONCE: Final = 100


class Print(NamedTuple):
    """One keyed fingerprint of a claim; nobody without the key can guess what it was made from."""

    kind: str  # number: the very claim; money: its amount and day; paper: what it is known by
    key_version: int
    value: str


class Claim(NamedTuple):
    """A claim as a registry sees it: a name that only its member understands, and its prints."""

    ref: str
    prints: tuple[Print, ...]


class Answer(NamedTuple):
    """What a registry says of one claim; ``reason`` belongs to UNAVAILABLE."""

    state: State
    reference: str = ""
    version: int = 0
    at: dt.datetime | None = None
    reason: str = ""


class Registry(Protocol):
    """A book that several financiers share. It raises nothing: what fails is UNAVAILABLE."""

    def ask(self, act: Act, member: str, claims: Sequence[Claim]) -> list[Answer]:
        """Answer for each claim, in the order asked; at most :data:`MOST_AT_ONCE`."""


class Membership(NamedTuple):
    """Under which name and keys a financier takes part in a registry, and how it is reached."""

    consortium: str
    member: str
    keys: dict[int, bytes]  # every version that still counts; the highest is the present one
    registry: Registry


# How a member of one consortium reaches its registry: from the platform and the member's name.
Connect = Callable[[Any, str], Membership]


def away(claims: Sequence[Claim], reason: str) -> list[Answer]:
    """Say of each claim that nobody could be asked."""
    return [Answer("UNAVAILABLE", reason=reason) for _ in claims]
