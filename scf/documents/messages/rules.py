"""What all messages about one order leave of it: pure, and the same in whatever order they came.

A buyer changes and cancels, a seller answers; what somebody else sends in their name is kept and
changes nothing. Source: UBL 2.1 ordering process; UNTDID 4343, 1229.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from scf.documents.canonical import Kind, Word
from scf.kernel.rates import round_half_up

_STANDING: Final[dict[str | None, str]] = {
    Word.ACCEPTED: "ACCEPTED",
    Word.CHANGED: "CHANGED",
    Word.REFUSED: "REFUSED",
}
# Whose word each kind is: the column of the message that names its sender.
SPEAKER: Final = {
    Kind.ORDER_CHANGE: "buyer_id",
    Kind.ORDER_CANCELLATION: "buyer_id",
    Kind.ORDER_RESPONSE: "seller_id",
}


Convert = Callable[[str, str, int], int]  # line, unit and quantity to the line's own unit


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is ordered on one line: quantity in millionths and amount, each if it is stated."""

    micro: int | None
    minor: int | None


@dataclass(frozen=True, slots=True)
class Left:
    """What messages leave of an order: its standing, its lines, and what was sent on each."""

    standing: str
    lines: Mapping[str, Ordered]
    added: Mapping[str, Mapping[str, Any]]
    despatched: Mapping[str, int]


def speaks(message: Mapping[str, Any]) -> bool:
    """Tell whether a message comes from who alone can say such a thing."""
    side = SPEAKER.get(Kind(message["kind"]))
    return side is None or message["org_id"] == message[side]


def left_of(
    stated: Mapping[str, Ordered], messages: Sequence[Mapping[str, Any]], convert: Convert
) -> Left:
    """Work out what counts of an order after everything that was said about it.

    Parameters
    ----------
    stated
        What the order itself said, by line number.
    messages
        The rows of all valid messages that name the order.
    convert
        Gives a despatched quantity in the unit of its order line.
    """
    lines = dict(stated)
    added: dict[str, Mapping[str, Any]] = {}
    despatched: dict[str, int] = {}
    standing = "OPEN"
    for message in sorted(messages, key=_turn):
        kind = Kind(message["kind"])
        if kind is Kind.DESPATCH:
            for line in message["lines"]:
                ref = line["order_line"] or _only(stated)
                sent = convert(ref, line["unit"], max(0, line["quantity_micro"] or 0))
                despatched[ref] = despatched.get(ref, 0) + sent
        elif not speaks(message):
            continue
        elif kind is Kind.ORDER_CHANGE:
            for line in message["lines"]:
                _change(lines, added, line)
        elif kind is Kind.ORDER_RESPONSE and standing != "CANCELLED":
            standing = _STANDING.get(message["word"], standing)
        elif kind is Kind.ORDER_CANCELLATION:
            standing = "CANCELLED"
    return Left(standing, lines, added, despatched)


def _turn(message: Mapping[str, Any]) -> tuple[int, Any, str]:
    """Put messages in the order in which their senders meant them, whenever they arrived."""
    return message["sequence"], message["issue_on"], message["canonical_number"]


def _only(stated: Mapping[str, Ordered]) -> str:
    return next(iter(stated)) if len(stated) == 1 else ""


def _change(
    lines: dict[str, Ordered], added: dict[str, Mapping[str, Any]], line: Mapping[str, Any]
) -> None:
    ref = line["order_line"]
    micro, minor = line["quantity_micro"], line["net_minor"]
    if not ref or (micro or 0) < 0 or (minor or 0) < 0:
        return
    if line["word"] == Word.CANCELLED:
        if ref in lines:
            lines[ref] = Ordered(0, 0)
        return
    old = lines.get(ref)
    if old is None:
        added[ref] = line
        lines[ref] = Ordered(micro, minor)
        return
    if minor is None and micro is not None and old.micro and old.minor is not None:
        # The price stays where a change names only the quantity.
        minor = round_half_up(Fraction(old.minor) * micro / old.micro)
    lines[ref] = Ordered(
        old.micro if micro is None else micro, old.minor if minor is None else minor
    )
