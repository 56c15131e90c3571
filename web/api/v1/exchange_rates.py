"""Published exchange rates, and the currency that one's own book is kept in. Financiers only."""

import datetime as dt
from typing import Final

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlmodel import col

from scf.db.runner import invalid_input
from scf.db.types import Currency
from scf.ledger.currency.books import SetBook, book_of, shown_book
from scf.ledger.currency.models import RatePublication
from scf.ledger.currency.publishing import AddRates, rates_in, rates_of_file, seen_of
from web.api.v1 import described
from web.api.v1.files import sent_file
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer, Reason
from web.api.v1.shell import endpoint, reader, run
from web.context import actor

resource = Blueprint("exchange-rates", __name__)
MAX_FILE: Final = 8 * 1024 * 1024


class PublicationOut(Answer):
    """Rates that were brought together; WAITING for a second person, CONFIRMED or REFUSED."""

    id: str
    source: str
    file_name: str
    rates: int
    state: str
    created_at: dt.datetime


class PublicationPage(Answer):
    """Some of the publications."""

    items: list[PublicationOut]
    next_cursor: str


class RateOut(Answer):
    """One unit of ``base`` is ``rate`` units of ``quote``, digits as published."""

    base: Currency
    quote: Currency
    fixed_on: dt.date
    rate: str


class PublicationRead(Answer):
    """A publication with its rates, and the fingerprint that confirming asks for."""

    id: str
    source: str
    state: str
    seen: str
    rates: list[RateOut]


class RatesAdded(Answer):
    """What was recorded; no id where all of it stands already."""

    id: str | None
    rates: int
    superseding: int
    waits_for_second: bool
    seen: str


class RatesSeen(BaseModel):
    """The fingerprint of what the second person has read."""

    model_config = ConfigDict(extra="forbid")
    seen: str = Field(min_length=1, max_length=64)


class RatesDecided(Answer):
    """A publication after a person's word."""

    id: str
    source: str
    rates: int
    state: str
    waits_for_second: bool


class BookOut(Answer):
    """What the book is kept in, whose rates it goes by, and how many days old they may be."""

    currency: Currency
    source: str
    max_age_days: int
    version: int


class FileQuery(BaseModel):
    """How to read the file; ``currencies`` are codes with commas between them, all when empty."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=400)
    currencies: str = Field(default="", max_length=400, pattern=r"^[A-Z,]*$")


@endpoint(resource, "GET", "/exchange-rates", action="rates.read", answer=PublicationPage)
def list_publications(query: PageQuery) -> PublicationPage:
    """List what rates your organisation has recorded, the newest first."""
    with reader() as session:
        rows, following = page(session, select(RatePublication), query, col(RatePublication.id))
        items = [
            PublicationOut(
                id=row.id,
                source=row.source,
                file_name=row.file_name,
                rates=row.rates,
                state=row.state,
                created_at=row.created_at,
            )
            for row in rows
        ]
    return PublicationPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/exchange-rates/<publication_id>",
    action="rates.read",
    answer=PublicationRead,
)
def read_publication(publication_id: str) -> PublicationRead:
    """Show the rates of one publication."""
    org_id = actor().org_id
    with reader() as session:
        found = rates_in(session.connection(), publication_id, org_id)
        row = session.execute(
            select(RatePublication).where(col(RatePublication.id) == publication_id)
        ).scalar_one()
        rates = [
            RateOut(base=base, quote=quote, fixed_on=day, rate=text)
            for (base, quote, day), text in sorted(found.items())
        ]
        return PublicationRead(
            id=row.id,
            source=row.source,
            state=row.state,
            seen=seen_of(org_id, row.source, found),
            rates=rates,
        )


@endpoint(resource, "POST", "/exchange-rates", action="rates.add", answer=RatesAdded, status=201)
def add_rates(json: AddRates) -> tuple[RatesAdded, int]:
    """Record published rates; books follow once another person confirms them."""
    return RatesAdded.model_validate(run("rates.add", json).result), 201


described.takes_file("/exchange-rates/files", "application/xml", "text/csv", form={})


@endpoint(
    resource,
    "POST",
    "/exchange-rates/files",
    action="rates.add",
    answer=RatesAdded,
    status=201,
    raw_body=True,
    max_body=MAX_FILE,
)
def read_rates_file(query: FileQuery) -> tuple[RatesAdded, int]:  # noqa: ARG001 - read with the file
    """Record the euro reference rates of a file of the European Central Bank, XML or CSV."""
    sent = sent_file()
    try:
        how = FileQuery.model_validate(sent.said)
    except ValidationError as error:
        raise invalid_input(error) from None
    wanted = [code for code in how.currencies.split(",") if code]
    made = rates_of_file(sent.content, sent.name, wanted)
    return RatesAdded.model_validate(run("rates.add", made).result), 201


@endpoint(
    resource,
    "POST",
    "/exchange-rates/<publication_id>/confirm",
    action="rates.confirm",
    answer=RatesDecided,
)
def confirm_rates(publication_id: str, json: RatesSeen) -> RatesDecided:
    """Confirm the rates that another person has recorded."""
    outcome = run("rates.confirm", {"publication_id": publication_id, "seen": json.seen})
    return RatesDecided.model_validate(outcome.result)


@endpoint(
    resource,
    "POST",
    "/exchange-rates/<publication_id>/refuse",
    action="rates.refuse",
    answer=RatesDecided,
)
def refuse_rates(publication_id: str, json: Reason) -> RatesDecided:
    """Strike out rates that nobody has confirmed."""
    outcome = run("rates.refuse", {"publication_id": publication_id, **json.model_dump()})
    return RatesDecided.model_validate(outcome.result)


@endpoint(resource, "GET", "/ledger/book", action="rates.read", answer=BookOut)
def read_book() -> BookOut:
    """Show what your book is kept in, and whose rates it goes by."""
    with reader() as session:
        return BookOut.model_validate(shown_book(book_of(session.connection(), actor().org_id)))


@endpoint(resource, "PUT", "/ledger/book", action="book.set", answer=BookOut)
def set_book(json: SetBook) -> BookOut:
    """Say what your book is kept in, while it is empty, and whose rates it goes by."""
    return BookOut.model_validate(run("book.set", json).result)
