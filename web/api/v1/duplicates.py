"""Possible duplicates: what buyer and financier are shown, their own words, the seller's appeal.

The seller has no list: whoever may have written a copy is not told by what it was known.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from sqlmodel import Session, col

from scf.db.types import Count
from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.duplicates.verdicts import Copy, Outcome, Said
from scf.documents.models import Invoice
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one

resource = Blueprint("duplicates", __name__)


class OwnWord(Answer):
    """What your organisation has said; PROPOSED waits for a second person, APPEALED for another."""

    outcome: str
    copy_id: str | None
    state: str
    reason: str
    appeal: str | None
    at: dt.datetime
    version: int


class DuplicateOut(Answer):
    """Two invoices that may be one claim, by which rule; ``word`` is your own organisation's.

    ``invoice_id`` is the later one's and ``twin_id`` the earlier one's, each where you may see it.
    Of papers of different firms nothing is compared.
    """

    id: str
    invoice_id: str | None
    twin_id: str | None
    code: str
    days: int | None
    difference: Amount | None
    same_order: bool | None
    same_lines: bool | None
    found_at: dt.datetime
    word: OwnWord | None


class DuplicatePage(Answer):
    """Some of the possible duplicates."""

    items: list[DuplicateOut]
    next_cursor: str


class DuplicatesQuery(PageQuery):
    """Of which invoice."""

    invoice_id: str = Field(default="", max_length=64)


class Decide(BaseModel):
    """Two claims or one, and which paper is then the copy; the version that was read, or 0."""

    model_config = ConfigDict(extra="forbid")
    outcome: Outcome
    copy_is: Copy = "LATER"
    reason: Said
    version: Count = 0


class Decided(Answer):
    """The own word as it stands now."""

    id: str
    outcome: str
    state: str
    version: int


class Appeal(BaseModel):
    """Why the invoice is a claim of its own."""

    model_config = ConfigDict(extra="forbid")
    note: Said


class Appealed(Answer):
    """How many stopped it, and will look again."""

    invoice_id: str
    appealed: int


@endpoint(resource, "GET", "/duplicates", action="duplicate.read", answer=DuplicatePage)
def list_duplicates(query: DuplicatesQuery) -> DuplicatePage:
    """List the possible duplicates among the invoices that you may see."""
    statement = select(DuplicateSuspicion)
    if query.invoice_id:
        statement = statement.where(
            or_(
                col(DuplicateSuspicion.invoice_id) == query.invoice_id,
                col(DuplicateSuspicion.twin_id) == query.invoice_id,
            )
        )
    with reader() as session:
        rows, following = page(session, statement, query, col(DuplicateSuspicion.id))
        return DuplicatePage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/duplicates/<suspicion_id>",
    action="duplicate.read",
    answer=DuplicateOut,
)
def get_duplicate(suspicion_id: str) -> DuplicateOut:
    """Show one possible duplicate."""
    with reader() as session:
        return _shown(session, [one(session, DuplicateSuspicion, suspicion_id)])[0]


@endpoint(
    resource,
    "POST",
    "/duplicates/<suspicion_id>/decide",
    action="duplicate.decide",
    answer=Decided,
)
def decide_duplicate(suspicion_id: str, json: Decide) -> Decided:
    """Say whether they are two claims or one; of the buyer, one claim rejects the copy."""
    payload = {"suspicion_id": suspicion_id, **json.model_dump()}
    return Decided.model_validate(run("duplicate.decide", payload).result)


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/appeal",
    action="duplicate.appeal",
    answer=Appealed,
)
def appeal(invoice_id: str, json: Appeal) -> Appealed:
    """Say why your invoice is a claim of its own; another person then looks again."""
    payload = {"invoice_id": invoice_id, "note": json.note}
    return Appealed.model_validate(run("duplicate.appeal", payload).result)


def _shown(session: Session, rows: Sequence[DuplicateSuspicion]) -> list[DuplicateOut]:
    ids = {id_ for row in rows for id_ in (row.invoice_id, row.twin_id)}
    found = session.execute(select(Invoice).where(col(Invoice.id).in_(ids))).scalars()
    currencies = {row.id: row.currency for row in found}
    verdicts = session.execute(
        select(DuplicateVerdict).where(
            col(DuplicateVerdict.suspicion_id).in_([row.id for row in rows])
        )
    ).scalars()
    words = {row.suspicion_id: row for row in verdicts}
    return [_one(row, currencies, words.get(row.id)) for row in rows]


def _one(
    row: DuplicateSuspicion, currencies: Mapping[str, str], word: DuplicateVerdict | None
) -> DuplicateOut:
    facts = row.facts
    currency = currencies.get(row.invoice_id) or currencies[row.twin_id]
    return DuplicateOut(
        id=row.id,
        invoice_id=row.invoice_id if row.invoice_id in currencies else None,
        twin_id=row.twin_id if row.twin_id in currencies else None,
        code=row.code,
        days=facts.get("days"),
        difference=amount(facts["difference_minor"], currency) if facts else None,
        same_order=facts.get("same_order"),
        same_lines=facts.get("same_lines"),
        found_at=row.found_at,
        word=_word(word),
    )


def _word(row: DuplicateVerdict | None) -> OwnWord | None:
    if row is None:
        return None
    return OwnWord(
        outcome=row.outcome,
        copy_id=row.copy_id,
        state=row.state,
        reason=row.reason,
        appeal=row.appeal,
        at=row.second_at or row.at,
        version=row.version,
    )
