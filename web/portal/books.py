"""The books of a seller or an anchor: what happened, entry by entry, and files for its own system.

A bank's people have their own page of the same, with the proof of the day (``officer/books.py``).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.accounting import journal, writers
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.ledger.models import Entry, NoEntry
from scf.parties.service import day_for
from scf.reporting import portfolio, standing
from web.api.v1.files import attachment
from web.context import actor, now, platform
from web.portal.acting import must

books = Blueprint("books", __name__, url_prefix="/books")
MOST_ENTRIES: Final = 200
_PERIOD: Final = 30  # days shown when none were asked for


@books.before_request
def _only_readers() -> None:
    must("book.read")


@books.get("/")
def home() -> str:
    """Show what was booked in a period, the trial balance at its end, and why some events are not.

    The newest entries come last, as a journal has them; a file holds all, however many.
    """
    who = actor()
    with platform().db.read(who) as reading:
        today = day_for(reading.connection(), who.org_id, now().date())
        to_on = day_asked("to") or today
        from_on = min(day_asked("from") or to_on - dt.timedelta(days=_PERIOD), to_on)
        within = (col(Entry.booked_on) >= from_on, col(Entry.booked_on) <= to_on)
        entries = portfolio.booked(reading, *within, most=MOST_ENTRIES + 1)
        dashes = list(
            reading.execute(
                select(NoEntry)
                .where(col(NoEntry.booked_on) >= from_on, col(NoEntry.booked_on) <= to_on)
                .order_by(col(NoEntry.booked_on), col(NoEntry.id))
                .limit(MOST_ENTRIES)
            ).scalars()
        )
        balance = standing.books(reading, who.org_id, to_on)
        shown = entries[:MOST_ENTRIES]
        about = behind(reading, who, (entry.subject_id for entry in shown))
    return render_template(
        "books/home.html",
        entries=shown,
        cut=len(entries) > MOST_ENTRIES,
        dashes=dashes,
        books=balance,
        behind=about,
        from_on=from_on,
        to_on=to_on,
        files=files_of("books.file", from_on, to_on),
    )


@books.get("/file")
def file() -> Response:
    """Give the journal between two days, both included, as a file for another program."""
    return journal_file(request.args.get("format", ""), day_asked("from"), day_asked("to"))


def files_of(
    endpoint: str, from_on: dt.date | None = None, to_on: dt.date | None = None
) -> list[tuple[str, str]]:
    """Give title and address of the journal in every format."""
    days = {
        name: day.isoformat() for name, day in (("from", from_on), ("to", to_on)) if day is not None
    }
    return [
        (form.title, url_for(endpoint, format=name, **days))  # type: ignore[arg-type] # no option
        for name, form in writers.FORMS.items()
    ]


def journal_file(name: str, from_on: dt.date | None, to_on: dt.date | None) -> Response:
    """Answer with the journal of the reader's own book.

    Raises
    ------
    InvalidInput
        EXPORT_FORMAT, for a format that is not written.
    """
    form, who = writers.form_of(name), actor()
    with platform().db.read(who) as reading:
        lines = journal.journal_lines(reading.connection(), who.org_id, from_on, to_on)
        content = form.write(lines)
    return attachment(content, f"journal.{form.ending}", f"{form.media}; charset=utf-8")


def day_asked(name: str) -> dt.date | None:
    """Give the day that an address names, or nothing."""
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def behind(reading: Session, who: Actor, subjects: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Give words and pages for what entries are about, as far as this reader sees it."""
    wanted = list(subjects)
    owed = {
        row.id: row
        for row in reading.execute(select(Advance).where(col(Advance.id).in_(wanted))).scalars()
    }
    ids = {*wanted, *(row.invoice_id for row in owed.values())}
    papers = {
        row.id: row
        for row in reading.execute(select(Invoice).where(col(Invoice.id).in_(ids))).scalars()
    }
    found = {}
    for one in wanted:
        row = owed.get(one)
        paper = papers.get(row.invoice_id if row is not None else one)
        way = _page_of(who, row, paper)
        if paper is not None and way:
            found[one] = (_("Invoice %(number)s", number=paper.number), way)
    return found


def _page_of(who: Actor, row: Advance | None, paper: Invoice | None) -> str:
    if Role.TREASURER in who.roles and row is not None:
        return url_for("treasurer.request", request_id=row.request_id)
    if who.roles & {Role.TREASURER, Role.ANCHOR_APPROVER}:
        page = "treasurer.invoice" if Role.TREASURER in who.roles else "anchor.invoice"
        return url_for(page, invoice_id=paper.id) if paper is not None else ""
    return url_for("officer.advance", advance_id=row.id) if row is not None else ""
