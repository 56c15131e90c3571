"""What the treasurer chose on the home page, and what that brings: the same reading for both acts.

The page that shows an offer and the act that makes quotes of it read the form through here, so
that what was seen is what is asked for.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sqlalchemy.engine import Connection

from scf.kernel.errors import InvalidInput
from scf.kernel.ids import digest
from scf.offers.basket import Basket, Board, board, choose, currencies, raise_sum
from web.forms import minor_of
from web.i18n import amount

LATEST: Final = 60  # days from today to which the slider reaches
PRESETS: Final = (0, 7, 14)
_DIGITS: Final = 3
_NONE_YET: Final = "EUR"  # names the zeros of a firm that has no invoice yet


@dataclass(frozen=True)
class Choice:
    """The form of the home page as it was sent."""

    currency: str = ""
    later: int = 0
    picked: frozenset[str] | None = None  # nothing: everything that is ready
    wanted: str = ""
    cheapest: bool = False

    @classmethod
    def sent(cls, form: Mapping[str, str], picked: Sequence[str]) -> "Choice":
        """Read the form; a sum asked for before stays while nothing else was changed."""
        wanted = form.get("amount", "").strip()
        same = form.get("kept", "") == _kept(picked, wanted)
        return cls(
            currency=form.get("currency", "")[:3],
            later=_days(form.get("on") or form.get("later", "")),
            picked=frozenset(picked),
            wanted=wanted,
            cheapest=form.get("do") == "cheapest" or (same and "do" not in form),
        )


@dataclass(frozen=True)
class Look:
    """What there is, what was chosen of it, and what to say about the sum asked for."""

    currency: str
    currencies: list[str]
    today: dt.date
    later: int
    board: Board
    basket: Basket
    wanted: str
    kept: str
    error: str

    @cached_property
    def chosen(self) -> frozenset[str]:
        """The invoices of the basket."""
        return frozenset(line.row.id for line in self.basket.lines)


def look(
    conn: Connection, seller_id: str, choice: Choice, today: dt.date, now: dt.datetime
) -> Look:
    """Work out what the seller could receive, and what the choice brings."""
    known = currencies(conn, seller_id, today)
    currency = choice.currency if choice.currency in known else next(iter(known), _NONE_YET)
    value_on = today + dt.timedelta(days=choice.later) if choice.later else None
    of = board(conn, seller_id, currency, today, now, value_on)
    basket, error = of.ready, ""
    if choice.cheapest:
        try:
            basket = raise_sum(conn, seller_id, of, minor_of(choice.wanted, currency), now)
        except InvalidInput as refused:
            error = refused.code
    elif choice.picked is not None:
        basket = choose(conn, seller_id, of, choice.picked, now)
    exact = choice.cheapest and not error
    wanted = choice.wanted if exact or error else amount(basket.net_minor, currency)
    ids = [line.row.id for line in basket.lines]
    kept = _kept(ids, wanted) if exact else ""
    return Look(currency, known, today, choice.later, of, basket, wanted, kept, error)


def _kept(ids: Sequence[str], wanted: str) -> str:
    return digest([sorted(ids), wanted])


def _days(text: str) -> int:
    plain = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return min(int(text), LATEST) if plain else 0
