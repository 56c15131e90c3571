"""The financier's book: trial balance, entries of a day, files for other programs, the proof."""

import datetime as dt
from typing import Final

from flask import render_template, request
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting.translated import translate
from scf.ledger.models import Entry
from scf.parties.service import day_for
from scf.reporting import portfolio, standing
from web.context import actor, now
from web.portal import statements
from web.portal.books import behind, day_asked, files_of, journal_file
from web.portal.officer.desk import page, reading

MOST_ENTRIES: Final = 200


@page("/books", "ledger.read")
def books() -> str:
    """Show the trial balance at the close of a day, and whether the book stands as it must."""
    with reading() as session:
        today = day_for(session.connection(), actor().org_id, now().date())
        on = day_asked("on") or today
        found = standing.books(session, actor().org_id, on)
        translated = translate(session.connection(), actor().org_id, on, found.lines)
        proof = standing.proof(session)
        day = standing.day_state(session, actor().org_id)
    return render_template(
        "officer/books.html",
        books=found,
        translated=translated,
        proof=proof,
        day_state=day,
        on=on,
        today=today,
        files=files_of("officer.export_journal", currencies=found.totals),
    )


@page("/books/entries", "ledger.read")
def entries() -> str:
    """Show the entries booked on a day, each with its lines."""
    with reading() as session:
        today = day_for(session.connection(), actor().org_id, now().date())
        on = day_asked("on") or today
        found = portfolio.booked(session, col(Entry.booked_on) == on, most=MOST_ENTRIES)
        about = behind(session, actor(), (entry.subject_id for entry in found))
    return render_template(
        "officer/entries.html",
        entries=found,
        behind=about,
        on=on,
        today=today,
        cut=len(found) == MOST_ENTRIES,
        before=on - dt.timedelta(days=1),
        after=on + dt.timedelta(days=1),
    )


@page("/books/export", "journal.read")
def export_journal() -> BaseResponse:
    """Give the whole journal between two days as a file."""
    return journal_file(request.args.get("format", ""), day_asked("from"), day_asked("to"))


@page("/books/accounts/<account_code>", "ledger.read")
def book_account(account_code: str) -> str:
    """Show the statement of one account of the financier's book."""
    return statements.account_page(statements.BANK, account_code)


@page("/books/accounts/<account_code>/file", "ledger.read")
def book_account_file(account_code: str) -> BaseResponse:
    """Give the statement of one account as a file."""
    return statements.account_csv(account_code)


@page("/books/entries/<ledger_entry_id>", "ledger.read")
def book_entry(ledger_entry_id: str) -> str:
    """Show one entry of the financier's book, and what stands behind it."""
    return statements.entry_page(statements.BANK, ledger_entry_id)
