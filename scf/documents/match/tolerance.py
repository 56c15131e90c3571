"""How far an invoice may lie beside its order and its receipts before somebody has to look.

A share is the law, and an absolute limit beside it narrows it: where both are agreed, both hold,
as buyers know it from their own systems. Over and under are separate. Without a programme nothing
is tolerated. What was agreed when an invoice was matched is kept with it.

Source: fraud.md 2.1 (a); finance.md F10.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from sqlalchemy.engine import Connection

from scf.documents.rules import MatchMode
from scf.kernel.rates import PPM

_DEPTH: Final[tuple[MatchMode, ...]] = ("none", "order", "receipt", "despatch")


@dataclasses.dataclass(frozen=True, slots=True)
class Tolerance:
    """What is let through; None of a narrowing limit is "no such limit".

    ``quantity_under_ppm`` says from when a line counts as complete; ``price_under_ppm`` None means
    that a price below the ordered one needs no look.
    """

    quantity_over_ppm: int = 0
    quantity_over_micro: int | None = None
    quantity_under_ppm: int = 0
    price_over_ppm: int = 0
    price_over_minor: int | None = None
    price_under_ppm: int | None = None
    amount_over_minor: int = 0

    def most(self, micro: int) -> int:
        """Give the most of a quantity that still is no excess."""
        over = micro * self.quantity_over_ppm // PPM
        if self.quantity_over_micro is not None:
            over = min(over, self.quantity_over_micro)
        return micro + over

    def enough(self, micro: int) -> int:
        """Give the least of a quantity that counts as all of it."""
        return micro - micro * self.quantity_under_ppm // PPM

    @property
    def price_share(self) -> Fraction:
        """The largest price as a share of the ordered one."""
        return 1 + Fraction(self.price_over_ppm, PPM)


@dataclasses.dataclass(frozen=True)
class Rules:
    """What an invoice of a pair must match, how closely, and which agreements say so."""

    mode: MatchMode = "order"
    tolerance: Tolerance = Tolerance()
    versions: tuple[str, ...] = ()
    clerk_minor: int = 0  # the difference that a clerk of the buyer may let pass

    @property
    def by_receipt(self) -> bool:
        """Whether no more may be invoiced than was received."""
        return covers(self.mode, "receipt")

    def ordered_bound(self, micro: int) -> int:
        """Give the most that may be invoiced of an ordered quantity.

        Where receipts are asked for, as much may be received as the tolerance lets, and as much
        invoiced as the tolerance lets of that.
        """
        once = self.tolerance.most(micro)
        return self.tolerance.most(once) if self.by_receipt else once

    def amount_bound(self, minor: int, micro: int | None) -> int:
        """Give the most money for an ordered amount: over-quantity at the highest price."""
        if not micro:
            return minor * self._whole.numerator // self._whole.denominator
        return int(minor * Fraction(self.ordered_bound(micro), micro) * self.tolerance.price_share)

    @functools.cached_property
    def _whole(self) -> Fraction:
        """How much of an amount without quantity may be asked; the same for every invoice."""
        return Fraction(self.ordered_bound(PPM), PPM) * self.tolerance.price_share

    def stored(self) -> dict[str, Any] | None:
        """Give what is kept with the match; nothing where nothing was agreed."""
        if self == STRICT:
            return None
        usual = dataclasses.asdict(Tolerance())
        values = {
            name: value
            for name, value in dataclasses.asdict(self.tolerance).items()
            if value != usual[name]
        }
        return {"mode": self.mode, "tolerance": values, "versions": list(self.versions)}


STRICT: Final = Rules()


def covers(mode: str, asked: str) -> bool:
    """Tell whether a match of one mode has looked at everything that another asks for."""
    modes: tuple[str, ...] = _DEPTH
    return modes.index(mode) >= modes.index(asked)


def rules_from(stored: Mapping[str, Any] | None) -> Rules:
    """Read back what :meth:`Rules.stored` gave."""
    if stored is None:
        return STRICT
    return Rules(stored["mode"], Tolerance(**stored["tolerance"]), tuple(stored["versions"]))


def strictest(agreed: Iterable[Rules]) -> Rules:
    """Give what satisfies each of several agreements: an invoice may be financed under any."""
    rules = list(agreed)
    if not rules:
        return STRICT
    least: dict[str, Any] = {
        field.name: _least(getattr(one.tolerance, field.name) for one in rules)
        for field in dataclasses.fields(Tolerance)
    }
    return Rules(
        max((one.mode for one in rules), key=_DEPTH.index),
        Tolerance(**least),
        tuple(version for one in rules for version in one.versions),
        min(one.clerk_minor for one in rules),
    )


def _least(values: Iterable[int | None]) -> int | None:
    limits = [value for value in values if value is not None]
    return min(limits) if limits else None


# --- Who knows what was agreed ----------------------------------------------------------------

Pair = tuple[str, str, str]  # seller, buyer, currency
Agreed = Callable[[Connection, Iterable[Pair]], Mapping[Pair, Rules]]


class _Registered:
    """The one source of agreements of this process; documents alone know of none."""

    agreed: Agreed | None = None


def agreed_by(source: Agreed) -> None:
    """Register who knows what pairs have agreed; called once, when its slice is loaded."""
    _Registered.agreed = source


def rules_for(conn: Connection, pairs: Iterable[Pair]) -> Mapping[Pair, Rules]:
    """Give what is to be matched, and how closely, per pair; a pair without agreement is absent."""
    wanted = set(pairs)
    if _Registered.agreed is None or not wanted:
        return {}
    return _Registered.agreed(conn, wanted)
