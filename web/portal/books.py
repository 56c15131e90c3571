"""The books of a seller or an anchor: what happened, entry by entry, and files for its own system.

A bank's people have their own page of the same, with the proof of the day (``officer/books.py``).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting import files
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import RuleViolation
from scf.ledger.models import Entry, NoEntry
from scf.parties.access import may
from scf.parties.service import day_for
from scf.reporting import portfolio, standing
from web.api.v1.files import attachment
from web.context import actor, now, platform
from web.portal import statements
from web.portal.acting import must
from web.refusals import refusal_text

books = Blueprint("books", __name__, url_prefix="/books")
MOST_ENTRIES: Final = 200
_PERIOD: Final = 30  # days shown when none were asked for


@books.record_once
def _ways(state: BlueprintSetupState) -> None:
    """Let every page lead from an account, an entry or an invoice to what stands behind it."""
    state.app.jinja_env.globals.update(
        account_way=statements.account_way,
        entry_way=statements.entry_way,
        follow_way=statements.follow_way,
    )


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
        files=files_of("books.file", from_on, to_on, balance.totals),
    )


@books.get("/file")
def file() -> BaseResponse:
    """Give the journal between two days, both included, as a file for another program."""
    return journal_file(request.args.get("format", ""), day_asked("from"), day_asked("to"))


@books.get("/accounts/<account_code>")
def account(account_code: str) -> str:
    """Show the statement of one account of the own book."""
    return statements.account_page(statements.FIRM, account_code)


@books.get("/accounts/<account_code>/file")
def account_file(account_code: str) -> BaseResponse:
    """Give the statement of one account as a file."""
    return statements.account_csv(account_code)


@books.get("/entries/<ledger_entry_id>")
def entry(ledger_entry_id: str) -> str:
    """Show one entry of the own book, and what stands behind it."""
    return statements.entry_page(statements.FIRM, ledger_entry_id)


def files_of(
    endpoint: str,
    from_on: dt.date | None = None,
    to_on: dt.date | None = None,
    currencies: Iterable[str] = (),
) -> list[tuple[str, str]]:
    """Give title and address of the journal in every format; one a currency where it holds one."""
    days = {
        name: day.isoformat() for name, day in (("from", from_on), ("to", to_on)) if day is not None
    }
    several = sorted(currencies)
    found = []
    for name, title in files.TITLES.items():
        each = several if name == "saft" and len(several) > 1 else [""]
        for one in each:
            asked = days | ({"currency": one} if one else {})
            way = url_for(endpoint, format=name, **asked)  # type: ignore[arg-type] # no option
            found.append((f"{title} {one}".strip(), way))
    return found


def journal_file(name: str, from_on: dt.date | None, to_on: dt.date | None) -> BaseResponse:
    """Answer with the journal of the reader's own book, or lead to what it lacks.

    Raises
    ------
    InvalidInput
        EXPORT_FORMAT, for a format that is not written.
    """
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, now().date())
        currency = request.args.get("currency", "")
        wanted = files.Wanted(who.org_id, from_on, to_on, today, now(), currency)
        try:
            found = files.journal_file(conn, name, wanted)
        except RuleViolation as refused:
            flash(refusal_text(refused), "bad")
            if refused.code == "ACCOUNTS_UNMAPPED":
                return redirect(url_for("mapping.home", system=name), 303)
            home = "books.home" if may(who, "book.read") else "officer.books"
            return redirect(url_for(home), 303)
    return attachment(found.content, found.name, found.media)


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
