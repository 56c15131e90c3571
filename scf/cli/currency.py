"""The command line on currencies: what a book is kept in, exchange rates, revaluation."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from scf.cli.common import SESSION, show, show_list
from scf.ledger.currency.books import PUBLICATION, book_of, shown_book
from scf.ledger.currency.publishing import rates_in, rates_of_file, seen_of, shown_publication
from scf.parties.access import authorise

rates = typer.Typer(
    help="Published exchange rates, brought by one person and confirmed by another.",
    no_args_is_help=True,
)
book = typer.Typer(help="What the own book is kept in.", no_args_is_help=True)
DAY = ["%Y-%m-%d"]
Which = Annotated[str, typer.Argument(help="The publication's id")]


@rates.command("add")
def rates_add(
    base: Annotated[str, typer.Argument(help="One unit of this")],
    quote: Annotated[str, typer.Argument(help="is so many of this")],
    rate: Annotated[str, typer.Argument(help="with its published digits, such as 1.0870")],
    on: Annotated[dt.datetime, typer.Option(formats=DAY, help="The day it is published for")],
    source: Annotated[str, typer.Option(help="Who published it")] = "ECB",
) -> None:
    """Record one published rate; another person confirms it."""
    one = {"base": base, "quote": quote, "fixed_on": on.date(), "rate": rate}
    show(SESSION.run("rates.add", {"source": source, "rates": [one]}).result)


@rates.command("read")
def rates_read(
    file: Annotated[Path, typer.Argument(help="Reference rates of the ECB, XML or CSV")],
    currencies: Annotated[str, typer.Option(help="Only these, such as USD,JPY")] = "",
) -> None:
    """Record the rates of a file; another person confirms them together."""
    wanted = [code.strip().upper() for code in currencies.split(",") if code.strip()]
    made = rates_of_file(file.read_bytes(), file.name, wanted)
    show(SESSION.run("rates.add", made.model_dump()).result)


@rates.command("list")
def rates_list() -> None:
    """List the publications, the newest first."""
    authorise(SESSION.actor, "rates.read")
    with SESSION.reading() as conn:
        rows = conn.execute(
            select(PUBLICATION)
            .where(PUBLICATION.c.org_id == SESSION.actor.org_id)
            .order_by(PUBLICATION.c.created_at.desc(), PUBLICATION.c.id.desc())
        )
        show_list([shown_publication(row) for row in rows], "publications")


@rates.command("show")
def rates_show(which: Which) -> None:
    """Show the rates of one publication, and the fingerprint that confirming asks for."""
    authorise(SESSION.actor, "rates.read")
    with SESSION.reading() as conn:
        found = rates_in(conn, which, SESSION.actor.org_id)
        row = conn.execute(select(PUBLICATION).where(PUBLICATION.c.id == which)).one()
    lines = [
        {"base": base, "quote": quote, "fixed_on": day, "rate": text}
        for (base, quote, day), text in sorted(found.items())
    ]
    seen = seen_of(row.org_id, row.source, found)
    show(shown_publication(row) | {"seen": seen, "lines": lines})


@rates.command("confirm")
def rates_confirm(
    which: Which,
    seen: Annotated[str, typer.Option(help="The fingerprint that `rates show` gave")],
) -> None:
    """Confirm, as the second person, what you have held against the publication."""
    show(SESSION.run("rates.confirm", {"publication_id": which, "seen": seen}).result)


@rates.command("refuse")
def rates_refuse(which: Which, reason: Annotated[str, typer.Option(help="Why")]) -> None:
    """Strike out what nobody has confirmed."""
    show(SESSION.run("rates.refuse", {"publication_id": which, "reason": reason}).result)


@book.command("show")
def book_show() -> None:
    """Show what the own book is kept in, and whose rates it goes by."""
    authorise(SESSION.actor, "ledger.read")
    with SESSION.reading() as conn:
        show(shown_book(book_of(conn, SESSION.actor.org_id)))


@book.command("set")
def book_set(
    currency: Annotated[str, typer.Argument(help="ISO 4217, such as EUR")],
    source: Annotated[str, typer.Option(help="Whose rates it goes by")] = "ECB",
    max_age_days: Annotated[int, typer.Option(help="How old a rate may be")] = 10,
) -> None:
    """Say what the own book is kept in, while it is empty, and whose rates it goes by."""
    values = {"currency": currency, "source": source, "max_age_days": max_age_days}
    show(SESSION.run("book.set", values).result)


def revalue(
    on: Annotated[dt.datetime, typer.Argument(formats=DAY, help="A day that is over")],
) -> None:
    """Book what the close of a day makes of balances in other currencies."""
    show(SESSION.run("ledger.revalue", {"on": on.date()}).result)
