"""When an invoice falls in value under what is financed on it: who is told, and what it may carry.

A credit note may lower a financed invoice where the technique says so. Documents know no advance;
a later slice registers as the carrier, says beforehand how much of each invoice it lets fall, and
is told in the same transaction, so that there is never a gap without its over-advance.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from scf.db.runner import Context
from scf.documents.invoice_state import State, states, write


class Fall(NamedTuple):
    """A credit note that took so much of a financed part; the invoice says so already."""

    invoice_id: str
    amount: int
    cause: str
    cause_id: str


class Carried(NamedTuple):
    """What became of a credit note in one command, beside the invoices that it names."""

    id: str
    number: str
    seller_id: str
    buyer_id: str
    currency: str
    version: int
    named: tuple[str, ...]
    on_named_minor: int
    elsewhere_minor: int
    left_minor: int


class Carrier(Protocol):
    """Whoever has money on invoices."""

    def room(self, ctx: Context, invoice_ids: Iterable[str]) -> Mapping[str, int]:
        """Give how much of the financed part of each invoice may fall, before any is locked."""

    def fell(self, ctx: Context, falls: Sequence[Fall]) -> None:
        """Open an over-advance for each fall and cure what can be cured at once."""

    def carried(self, ctx: Context, notes: Sequence[Carried]) -> None:
        """Book what a financed invoice did not bear, and what other invoices took of it."""


class _Nobody:
    """Without finance nothing is carried."""

    def room(self, _ctx: Context, _invoice_ids: Iterable[str]) -> Mapping[str, int]:
        """Nothing may fall."""
        return {}

    def fell(self, _ctx: Context, _falls: Sequence[Fall]) -> None:
        """Nothing has fallen."""

    def carried(self, _ctx: Context, _notes: Sequence[Carried]) -> None:
        """Nothing was kept whole."""


class _Registered:
    """The one carrier of this process."""

    carrier: Carrier = _Nobody()


def carried_by(carrier: Carrier) -> None:
    """Register who has money on invoices; called once, when its slice is loaded."""
    _Registered.carrier = carrier


def carrier() -> Carrier:
    """Give who has money on invoices."""
    return _Registered.carrier


def take(state: State, amount: int) -> None:
    """Let a credit note take a financed part: the over-advance rises until somebody cures it."""
    state.credited_minor += amount
    state.over_advance_minor += amount


def lower(ctx: Context, wants: Mapping[str, int], cause: str, cause_id: str) -> dict[str, int]:
    """Let something else than a credit note take from financed parts; gives what it took of each.

    As with a credit note: no more than their technique lets fall, and with its over-advance.
    """
    room = carrier().room(ctx, wants)
    before = states(ctx, sorted(wants))
    falls: list[Fall] = []
    after: list[State] = []
    for invoice_id, amount in sorted(wants.items()):
        taken = min(amount, room.get(invoice_id, 0))
        if taken > 0:
            lowered = dataclasses.replace(before[invoice_id])
            take(lowered, taken)
            after.append(lowered)
            falls.append(Fall(invoice_id, taken, cause, cause_id))
    if falls:
        write(ctx, before, after)
        carrier().fell(ctx, falls)
    return {fall.invoice_id: fall.amount for fall in falls}


# --- What the carrier does to the invoice -----------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """What changed on a financed part; each amount may be negative, when it is undone.

    ``paid`` by the obligor; ``returned``: title back to the seller; ``cured``: over-advance that
    reserve or seller have covered. ``kept`` says that the seller keeps the credit risk.
    """

    paid: int = 0
    returned: int = 0
    cured: int = 0
    kept: bool = False


def move(ctx: Context, invoice_id: str, moved: Moved, paid_on: dt.date | None = None) -> None:
    """Let the finance axis of an invoice follow what became of an advance on it."""
    before = states(ctx, [invoice_id])
    after = dataclasses.replace(before[invoice_id])
    ended = moved.paid + moved.returned + moved.cured
    after.outstanding_minor -= ended
    after.over_advance_minor -= moved.cured
    after.paid_minor += moved.paid
    after.repaid_minor += moved.paid
    after.reassigned_minor += moved.returned
    if moved.kept:
        after.recourse_minor -= ended
    after.recourse_minor = max(0, min(after.recourse_minor, after.outstanding_minor))
    write(ctx, before, [after], paid_on=paid_on)
