"""The treasurer's list of invoices: five views of one list, searched and paged by key.

A page is read by its key (due date and id), never by counting rows, so that the last page of a
hundred thousand costs what the first does.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, literal_column, or_, select, tuple_
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.offers.basket import ACCEPTED

PAGE: Final = 50
SHOWS: Final = ("ready", "waiting", "financed", "paid", "all")
_UNPAID: Final = ("OPEN", "PART_PAID")
_MOST_UNDATED: Final = 25
_AMOUNT_DIGITS: Final = 15
_ID_LENGTH: Final = 36


@dataclass(frozen=True)
class Asked:
    """Which part of the list: the view, words, currency, and after which row."""

    show: str = "all"
    words: str = ""
    currency: str = ""
    after: tuple[dt.date, str] | None = None

    @classmethod
    def sent(cls, args: Any) -> "Asked":  # noqa: ANN401 - the query string's mapping
        """Read the query string; what is none of ours counts as not asked."""
        show = args.get("show", "")
        return cls(
            show if show in SHOWS else "all",
            " ".join(args.get("q", "").split())[:60],
            args.get("currency", "")[:3].upper(),
            _after(args.get("after", "")),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.words or self.currency or self.show != "all")

    @property
    def counts_up(self) -> bool:
        """Whether the next due comes first; what is over is read from its end."""
        return self.show in {"ready", "waiting", "financed"}


def _after(text: str) -> tuple[dt.date, str] | None:
    day, _dot, row_id = text.partition(".")
    try:
        found = dt.date.fromisoformat(day)
    except ValueError:
        return None
    return (found, row_id) if len(row_id) == _ID_LENGTH else None


def page(
    reading: Session, seller_id: str, asked: Asked, today: dt.date
) -> tuple[Sequence[Invoice], str]:
    """Read one page; gives its rows and the key of the next page, or nothing.

    What has no due date yet stands on top of the first page.
    """
    wanted = [col(Invoice.seller_id) == seller_id, *_view(asked.show, today), *_words(asked)]
    key = tuple_(col(Invoice.due_on), col(Invoice.id))
    dated = select(Invoice).where(*wanted, col(Invoice.due_on).is_not(None))
    if asked.after is not None:
        mark = tuple_(*asked.after)
        dated = dated.where(key > mark if asked.counts_up else key < mark)
    ways = (col(Invoice.due_on), col(Invoice.id))
    ordered = [way.asc() if asked.counts_up else way.desc() for way in ways]
    rows = list(reading.execute(dated.order_by(*ordered).limit(PAGE + 1)).scalars())
    following = ""
    if len(rows) > PAGE:
        rows = rows[:PAGE]
        following = f"{rows[-1].due_on}.{rows[-1].id}"
    if asked.after is None and asked.show in {"waiting", "all"}:
        undated = select(Invoice).where(*wanted, col(Invoice.due_on).is_(None))
        rows = [*reading.execute(undated.limit(_MOST_UNDATED)).scalars(), *rows]
    return rows, following


def _view(show: str, today: dt.date) -> list[ColumnElement[bool]]:
    accepted = col(Invoice.acceptance_state).in_(ACCEPTED)
    valid = col(Invoice.document_state) == "VALIDATED"
    unpaid = col(Invoice.payment_state).in_(_UNPAID)
    # As the partial index says it: a bound value would not be known to mean the same.
    taken: ColumnElement[int] = literal_column("held_minor + outstanding_minor")
    views = {
        "ready": [
            valid,
            unpaid,
            accepted,
            col(Invoice.due_on) > today,
            taken == literal_column("0"),
        ],
        "waiting": [
            unpaid,
            or_(col(Invoice.document_state) == "INCOMPLETE", and_(valid, ~accepted)),
        ],
        "financed": [taken > literal_column("0")],
        "paid": [col(Invoice.payment_state) == "PAID"],
        "all": [],
    }
    return views[show]


def _words(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.currency:
        found.append(col(Invoice.currency) == asked.currency)
    if asked.words:
        fits = [col(Invoice.number).startswith(asked.words, autoescape=True)]
        digits = "".join(char for char in asked.words if char.isascii() and char.isdigit())
        is_amount = not any(char.isalpha() for char in asked.words)
        if is_amount and 0 < len(digits) <= _AMOUNT_DIGITS:
            fits.append(col(Invoice.payable_minor).in_([int(digits), int(digits) * 100]))
        found.append(or_(*fits))
    return found
