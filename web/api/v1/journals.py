"""Journals: one's own book line by line, as JSON in pages, or whole as a file for other systems."""

import datetime as dt
import json
from typing import Any, Final, Literal

from flask import Blueprint, Response
from pydantic import ConfigDict, Field
from sqlalchemy import literal, select, tuple_
from sqlmodel import Session, col

from scf.accounting import files, writers
from scf.db.types import OptCurrency, OptDay
from scf.ledger.models import Account, Entry, Posting
from scf.parties.service import day_for
from web.api.v1 import described
from web.api.v1.files import attachment
from web.api.v1.paging import PageQuery, decode, encode
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor, now
from web.problems import BadRequest

resource = Blueprint("journals", __name__)


class JournalRow(Answer):
    """One posting with its entry; debit positive. One event joins the books of all its parties."""

    entry_id: str
    event_id: str
    event_kind: str
    subject_id: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    line: int
    account: str
    account_name: str
    account_kind: str
    amount: Amount


class JournalPage(Answer):
    """Lines in the order of booking; ``limit`` counts entries, which are never cut in two."""

    items: list[JournalRow]
    next_cursor: str


class JournalQuery(PageQuery):
    """Which days, and in which form; files hold everything, so only ``json`` has pages."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)
    from_on: OptDay = Field(default=None, alias="from")
    to_on: OptDay = Field(default=None, alias="to")
    format: Literal["json", "csv", "hledger", "beancount", "datev", "saft"] = "json"
    currency: OptCurrency = None  # for saft, of a book with several


MAX_SEQ: Final = 2**62
_ORDER: Final[tuple[Any, ...]] = (
    col(Entry.booked_on),
    col(Entry.created_at),
    col(Entry.seq),
    col(Entry.id),
)
described.gives_file(
    "/journals",
    # A whole book in JSON comes in pages.
    *dict.fromkeys(form.media for name, form in writers.FORMS.items() if name != "json"),
    *dict.fromkeys(form.media for form in files.SYSTEMS.values() if form.media != "text/csv"),
    model=JournalPage,
)


@endpoint(resource, "GET", "/journals", action="journal.read", answer=None)
def read_journal(query: JournalQuery) -> Response:
    """Read the journal of your book between two days, both included."""
    if query.format != "json":
        return _file(query)
    with reader() as session:
        entries, following = _page(session, query)
        rows = session.execute(
            select(Entry, Posting, Account)
            .join(Posting, col(Posting.entry_id) == col(Entry.id))
            .join(Account, col(Account.id) == col(Posting.account_id))
            .where(col(Entry.id).in_([entry.id for entry in entries]))
            .order_by(*_ORDER, col(Posting.place))
        )
        items = [_line(*row) for row in rows]
    answer = JournalPage(items=items, next_cursor=following)
    return Response(answer.model_dump_json(), content_type="application/json")


def _file(query: JournalQuery) -> Response:
    org_id = actor().org_id
    with reader() as session:
        conn = session.connection()
        today = day_for(conn, org_id, now().date())
        wanted = files.Wanted(
            org_id, query.from_on, query.to_on, today, now(), query.currency or ""
        )
        found = files.journal_file(conn, query.format, wanted)
    return attachment(found.content, found.name, found.media)


def _page(session: Session, query: JournalQuery) -> tuple[list[Entry], str]:
    """Read one page of entries in the order of booking, which several columns make."""
    statement = select(Entry)
    if query.from_on is not None:
        statement = statement.where(col(Entry.booked_on) >= query.from_on)
    if query.to_on is not None:
        statement = statement.where(col(Entry.booked_on) <= query.to_on)
    if query.cursor:
        after = _after(query.cursor)
        bounds = [literal(value, key.type) for value, key in zip(after, _ORDER, strict=True)]
        statement = statement.where(tuple_(*_ORDER) > tuple_(*bounds))
    found = session.execute(statement.order_by(*_ORDER).limit(query.limit + 1))
    rows = list(found.scalars())
    if len(rows) <= query.limit:
        return rows, ""
    last = rows[query.limit - 1]
    place = (last.booked_on.isoformat(), last.created_at.isoformat(), last.seq, last.id)
    return rows[: query.limit], encode(json.dumps(place))


def _after(cursor: str) -> tuple[dt.date, dt.datetime, int, str]:
    try:
        day, at, seq, entry_id = json.loads(decode(cursor, str))
        instant = dt.datetime.fromisoformat(at)
        place = (dt.date.fromisoformat(day), instant, int(seq), str(entry_id))
    except (TypeError, ValueError, OverflowError):
        place = None
    if place is None or place[1].tzinfo is None or abs(place[2]) > MAX_SEQ:
        raise BadRequest("CURSOR", "This is no cursor of this list.")
    return place


def _line(entry: Entry, posting: Posting, account: Account) -> JournalRow:
    return JournalRow(
        entry_id=entry.id,
        event_id=entry.event_id,
        event_kind=entry.event_kind,
        subject_id=entry.subject_id,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        narrative=entry.narrative,
        line=posting.place + 1,
        account=account.code,
        account_name=account.name,
        account_kind=account.kind,
        amount=amount(posting.amount_minor, posting.currency),
    )
