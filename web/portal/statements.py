"""From a balance to the paper behind it: the statement of an account, and one entry.

Both books show the same pages, a firm's and a bank's; ``Book`` says under which names.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, render_template, request, url_for
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import Role
from scf.ledger.models import Account, Entry, NoEntry
from scf.ledger.statement import (
    Place,
    Span,
    currencies_of,
    statement_page,
)
from scf.parties.access import may
from scf.parties.service import day_for
from scf.reporting.portfolio import booked
from scf.settlement.models import Allocation, BankEntry, PaymentInstruction
from web.accounts import csv_of, cursor_of, place_of
from web.context import actor, now, platform
from web.problems import BadRequest

PAGE: Final = 100
_PERIOD: Final = 30


@dataclass(frozen=True)
class Book:
    """Where a reader's book is shown: its first page, an account, an entry, a file."""

    home: str
    account: str
    entry: str
    file: str


FIRM: Final = Book("books.home", "books.account", "books.entry", "books.account_file")
BANK: Final = Book(
    "officer.books", "officer.book_account", "officer.book_entry", "officer.book_account_file"
)
_TRADERS: Final = frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})


def own_book() -> Book:
    """Give the book that the reader's role opens."""
    return FIRM if actor().roles & _TRADERS else BANK


def account_way(code: str, currency: str = "") -> str:
    """Give the page of an account's statement in the reader's own book."""
    days = {name: request.args[name] for name in ("from", "to") if name in request.args}
    if "on" in request.args:  # a trial balance is asked for by its day
        days["to"] = request.args["on"]
    if currency:
        days["currency"] = currency
    return url_for(own_book().account, account_code=code, **days)  # type: ignore[arg-type] # no option


def entry_way(entry_id: str) -> str:
    """Give the page of one entry of the reader's own book."""
    return url_for(own_book().entry, ledger_entry_id=entry_id)


def follow_way(invoice_id: str) -> str:
    """Give the page that follows an invoice."""
    return url_for("follow.invoice", invoice_id=invoice_id)


# --- The statement of an account ------------------------------------------------------------------


def account_page(book: Book, code: str) -> str:
    """Show the statement of one account in a period."""
    with platform().db.read(actor()) as reading:
        account, span, currencies = _asked(reading, code)
        after = _after(request.args.get("after", ""))
        found = statement_page(reading.connection(), span, after, PAGE)
        seen = subjects(reading, [line.subject_id for line in found.lines])
    kept = _kept(span)
    older = (
        url_for(book.account, account_code=code, after=cursor_of(found.following), **kept)
        if found.following
        else ""
    )
    return render_template(
        "books/account.html",
        book=book,
        account=account,
        span=span,
        page=found,
        behind=seen,
        currencies=[
            (one, url_for(book.account, account_code=code, **(kept | {"currency": one})),
             one == span.currency, None)
            for one in currencies
        ],
        file=url_for(book.file, account_code=code, **kept),
        newer=url_for(book.account, account_code=code, **kept) if after else "",
        older=older,
    )  # fmt: skip


def account_csv(code: str) -> Response:
    """Give the same statement, whole, as a file."""
    with platform().db.read(actor()) as reading:
        _account, span, _currencies = _asked(reading, code)
        content = "".join(csv_of(reading, span))
    name = f"{code}-{span.currency}-{span.from_on}-{span.to_on}.csv"
    return Response(
        content.encode("utf-8-sig"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(reading: Session, code: str) -> tuple[Account, Span, list[str]]:
    account = reading.execute(select(Account).where(col(Account.code) == code)).scalar_one_or_none()
    if account is None:
        raise not_found("account", code)
    conn, who = reading.connection(), actor()
    currencies = currencies_of(conn, who.org_id, code)
    today = day_for(conn, who.org_id, now().date())
    to_on = _day("to") or today
    from_on = min(_day("from") or to_on - dt.timedelta(days=_PERIOD), to_on)
    asked = request.args.get("currency", "")
    currency = asked if asked in currencies else currencies[0]
    return account, Span(who.org_id, code, currency, from_on, to_on), currencies


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _kept(span: Span) -> dict[str, Any]:
    days = {"from": span.from_on.isoformat(), "to": span.to_on.isoformat()}
    return days | {"currency": span.currency}


def _after(cursor: str) -> Place | None:
    try:
        return place_of(cursor) if cursor else None
    except BadRequest:
        return None


# --- One entry ------------------------------------------------------------------------------------


def entry_page(book: Book, entry_id: str) -> str:
    """Show one entry: its lines, its event, what it is about, and the decision behind it."""
    with platform().db.read(actor()) as reading:
        found = booked(reading, col(Entry.id) == entry_id)
        if not found:
            raise not_found("entry", entry_id)
        row = reading.execute(select(Entry).where(col(Entry.id) == entry_id)).scalar_one()
        same = booked(
            reading, col(Entry.event_id) == row.event_id, col(Entry.id) != entry_id, most=PAGE
        )
        dashes = list(
            reading.execute(
                select(NoEntry).where(col(NoEntry.event_id) == row.event_id).limit(PAGE)
            ).scalars()
        )
        behind = subjects(reading, [row.subject_id]).get(row.subject_id)
        ways = _ways(reading, row)
    return render_template(
        "books/entry.html",
        book=book,
        entry=found[0],
        row=row,
        same=same,
        dashes=dashes,
        behind=behind,
        ways=ways,
    )


def subjects(reading: Session, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Give by subject the invoice behind it, with its number, as far as the reader sees it."""
    wanted = set(ids)
    owner = {one: one for one in wanted}
    for model in (Advance, Allocation):
        rows = reading.execute(
            select(col(model.id), col(model.invoice_id)).where(col(model.id).in_(wanted))
        )
        owner |= {row[0]: row[1] for row in rows if row[1]}
    single = select(col(Allocation.bank_entry_id), col(Allocation.invoice_id)).where(
        col(Allocation.bank_entry_id).in_(wanted), col(Allocation.invoice_id).is_not(None)
    )
    for entry_id, invoice_id in reading.execute(single):
        owner[entry_id] = invoice_id
    numbers = _numbers(reading, set(owner.values()))
    return {one: (numbers[to], to) for one, to in owner.items() if to in numbers}


def _numbers(reading: Session, ids: set[str]) -> dict[str, str]:
    rows = reading.execute(
        select(col(Invoice.id), col(Invoice.number)).where(col(Invoice.id).in_(ids))
    )
    return {row[0]: row[1] for row in rows}


def _ways(reading: Session, row: Entry) -> dict[str, str]:
    """Give the pages behind an entry: request, decision, advance, payment, receipt."""
    who, found = actor(), {}
    advance = reading.execute(
        select(Advance).where(col(Advance.id) == row.subject_id)
    ).scalar_one_or_none()
    if advance is not None and may(who, "advance.read"):
        if book_is_banks():
            found["advance"] = url_for("officer.advance", advance_id=advance.id)
            found["case"] = url_for("officer.case", request_id=advance.request_id)
        else:
            found["request"] = url_for("treasurer.request", request_id=advance.request_id)
    if book_is_banks():
        ids = [row.event_id, row.subject_id]
        payment = reading.execute(
            select(PaymentInstruction).where(col(PaymentInstruction.id) == row.event_id)
        ).scalar_one_or_none()
        if payment is not None and payment.file_id:
            found["file"] = url_for("officer.pay_out", file_id=payment.file_id)
        receipt = reading.execute(
            select(col(BankEntry.id)).where(col(BankEntry.id).in_(ids)).limit(1)
        ).scalar_one_or_none()
        if receipt is not None:
            found["receipt"] = url_for("officer.receipt", entry_id=receipt)
    return found


def book_is_banks() -> bool:
    """Tell whether the reader's book is a bank's."""
    return own_book() is BANK
