"""The currency that a financier's book is kept in, and whose published rates it follows."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Currency
from scf.kernel.errors import Conflict
from scf.kernel.money import EXPONENTS, exponent
from scf.ledger.currency.models import Book, FxRate, RatePublication
from scf.ledger.currency.rates import Published, Rates
from scf.ledger.models import Entry
from scf.parties.models import Firm
from scf.parties.service import financier_only

BOOK: Final[Table] = Book.__table__  # type: ignore[attr-defined]
RATE: Final[Table] = FxRate.__table__  # type: ignore[attr-defined]
PUBLICATION: Final[Table] = RatePublication.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_MAKE: Final = {
    "sqlite": sqlite.insert(BOOK).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(BOOK).on_conflict_do_nothing(),
}
DEFAULT_SOURCE: Final = "ECB"
# Publications pause over Easter for five days and over the longest public holidays for nine.
DEFAULT_MAX_AGE: Final = 10
MAX_AGE: Final = 31
AnyBook = Book | Row[Any]
"""A row of ``ledger_book``, stored or as it would be."""
_ELSEWHERE: Final = "EUR"  # where a country has no currency of its own that anybody is paid in


class SetBook(BaseModel):
    """The currency of a book, whose rates it follows, and how old a rate may be."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    currency: Currency
    source: str = Field(default=DEFAULT_SOURCE, pattern=r"^[A-Z0-9-]{2,20}$")
    max_age_days: int = Field(default=DEFAULT_MAX_AGE, ge=0, le=MAX_AGE)


@command("book.set", SetBook)
def set_book(ctx: Context, data: SetBook) -> dict[str, Any]:
    """Say what a book is kept in, and whose published rates it goes by.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY.
    InvalidInput
        CURRENCY.
    Conflict
        BOOK_IN_USE for another currency once anything is booked.
    """
    org_id = financier_only(ctx.conn, ctx.actor)
    exponent(data.currency)
    before = locked(ctx, org_id)
    if data.currency != before.currency and _in_use(ctx.conn, org_id):
        raise Conflict(
            "BOOK_IN_USE",
            "The book is kept in %(currency)s, and its currency changes only while it is empty.",
            currency=before.currency,
        )
    values = data.model_dump()
    after = ctx.conn.execute(
        update(BOOK)
        .where(BOOK.c.id == org_id)
        .values(**values, version=BOOK.c.version + 1)
        .returning(BOOK)
    ).one()
    ctx.change("ledger_book", org_id, {name: getattr(before, name) for name in values}, values)
    return shown_book(after)


def shown_book(row: AnyBook) -> dict[str, Any]:
    """Give a book's currency as commands answer it."""
    return {
        "currency": row.currency,
        "source": row.source,
        "max_age_days": row.max_age_days,
        "version": row.version,
    }


def _in_use(conn: Connection, org_id: str) -> bool:
    found = select(_entry.c.id).where(_entry.c.org_id == org_id).limit(1)
    return conn.execute(found).first() is not None


def country_currency(country: str | None) -> str:
    """Return the currency that people are paid in in a country (CLDR), euro where none is known."""
    from babel.numbers import get_territory_currencies

    if not country:
        return _ELSEWHERE
    found = get_territory_currencies(country, tender=True)
    return next((code for code in found if code in EXPONENTS), _ELSEWHERE)


def book_of(conn: Connection, org_id: str) -> Book:
    """Return what a book is kept in: as it was set, else by the country of its organisation."""
    row = conn.execute(select(BOOK).where(BOOK.c.id == org_id)).one_or_none()
    if row is not None:
        return Book(**row._asdict())
    country = conn.execute(select(_firm.c.country).where(_firm.c.id == org_id)).scalar_one_or_none()
    return Book(
        id=org_id,
        currency=country_currency(country),
        source=DEFAULT_SOURCE,
        max_age_days=DEFAULT_MAX_AGE,
    )


def locked(ctx: Context, org_id: str) -> Row[Any]:
    """Lock a book's row, made on first use: who values a book or closes it comes in turn."""
    made = book_of(ctx.conn, org_id)
    ctx.conn.execute(_MAKE[ctx.conn.dialect.name], made.model_dump())
    return ctx.lock(Book, [org_id])[org_id]


def rates_of(
    conn: Connection,
    book: AnyBook,
    currencies: Iterable[str],
    known_no: int | None = None,
) -> Rates:
    """Return the rates that stand for a book, as far as they concern these currencies.

    Parameters
    ----------
    known_no
        As they stood after that many confirmed publications; now, where it is left out.
    """
    wanted = sorted({*currencies, book.currency})
    known = PUBLICATION.c.state == "CONFIRMED"
    if known_no is not None:
        known = and_(known, PUBLICATION.c.known_no <= known_no)
    newest = (
        func.row_number()
        .over(
            partition_by=(RATE.c.base, RATE.c.quote, RATE.c.fixed_on),
            order_by=PUBLICATION.c.known_no.desc(),
        )
        .label("newest")
    )
    found = (
        select(RATE.c.base, RATE.c.quote, RATE.c.fixed_on, RATE.c.rate, newest)
        .join(PUBLICATION, PUBLICATION.c.id == RATE.c.publication_id)
        .where(
            RATE.c.org_id == book.id,
            PUBLICATION.c.source == book.source,
            known,
            or_(RATE.c.base.in_(wanted), RATE.c.quote.in_(wanted)),
        )
        .subquery()
    )
    rows = conn.execute(select(found).where(found.c.newest == 1))
    return Rates(
        (Published(row.base, row.quote, row.fixed_on, Fraction(row.rate)) for row in rows),
        book.currency,
        book.max_age_days,
    )
