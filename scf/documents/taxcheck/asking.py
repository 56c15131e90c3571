"""What is known of invoices with their tax authority, what is asked next, and keeping the answers.

Reading and keeping go through the connection or context that is handed in; asking itself is done
between transactions, by whoever needs the answer.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Row, Table, bindparam, insert, or_, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.canonical import TaxIdentity
from scf.documents.models import Invoice
from scf.documents.rows import Draft
from scf.documents.taxcheck.models import TaxCheck, TaxIdentityRow
from scf.documents.taxcheck.port import WORDS, Answer
from scf.documents.taxcheck.schemes import (
    Ask,
    kinds_of_numbers,
    lacks,
    problems,
    said_numbers,
    tax_number,
)
from scf.documents.taxcheck.standing import Standing, Word
from scf.kernel.ids import new_id
from scf.parties.models import FirmIdentifier

IDENTITY: Final[Table] = TaxIdentityRow.__table__  # type: ignore[attr-defined]
CHECK: Final[Table] = TaxCheck.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_NUMBER: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_IDENTITIES: Final = select(IDENTITY).where(IDENTITY.c.invoice_id.in_(_IDS))
_NUMBERS: Final = select(_NUMBER.c.firm_id, _NUMBER.c.scheme, _NUMBER.c.value).where(
    _NUMBER.c.firm_id.in_(bindparam("firms", expanding=True)),
    _NUMBER.c.scheme.in_(sorted(kinds_of_numbers())),
    _NUMBER.c.scope_org_id == "",
)
_ANSWERS: Final = (
    select(CHECK)
    .where(
        CHECK.c.invoice_id.in_(_IDS),
        CHECK.c.scheme == bindparam("scheme"),
        or_(CHECK.c.financier_id.is_(None), CHECK.c.financier_id == bindparam("financier")),
    )
    .order_by(CHECK.c.asked_at, CHECK.c.id)
)


class Kept(NamedTuple):
    """An answer on its way into the database."""

    invoice_id: str
    scheme: str
    answer: Answer


# --- What is asked --------------------------------------------------------------------------------


def asks_for(conn: Connection, rows: Sequence[Row[Any]], scheme: str) -> dict[str, Ask]:
    """Give what an authority would be asked about each invoice, whether or not it is enough."""
    ids = [row.id for row in rows]
    identities = {row.invoice_id: row for row in conn.execute(_IDENTITIES, {"ids": ids})}
    firms = sorted({firm for row in rows for firm in (row.seller_id, row.buyer_id) if firm})
    numbers: dict[str, dict[str, str]] = {}
    for firm_id, kind, value in conn.execute(_NUMBERS, {"firms": firms}):
        numbers.setdefault(firm_id, {})[kind] = value
    asks = {}
    for row in rows:
        known = identities.get(row.id)
        same = known is not None and known.scheme == scheme
        asks[row.id] = Ask(
            row.id,
            scheme,
            known.code if same and known else "",
            known.number if same and known else "",
            known.check_code if same and known else "",
            row.number,
            _tax_number(row, "seller", scheme, numbers),
            _tax_number(row, "buyer", scheme, numbers),
            row.issue_on,
            row.net_minor,
            row.tax_minor,
            row.gross_minor,
            row.currency,
        )
    return asks


def _tax_number(
    row: Row[Any], side: str, scheme: str, numbers: Mapping[str, Mapping[str, str]]
) -> str:
    """Give what the document says of a side's tax number, else what the firm's register says."""
    said = tax_number(scheme, said_numbers(row.parties, side))
    return said or tax_number(scheme, numbers.get(getattr(row, f"{side}_id") or "", {}))


# --- What is known --------------------------------------------------------------------------------


def standings(
    conn: Connection, rows: Sequence[Row[Any]], scheme: str, financier_id: str
) -> dict[str, Standing]:
    """Give how each invoice stands with the authority, for one financier."""
    if not rows:
        return {}
    asks = asks_for(conn, rows, scheme)
    parts = {"ids": [row.id for row in rows], "scheme": scheme, "financier": financier_id}
    words: dict[str, Word] = {}
    failed: dict[str, Row[Any]] = {}
    for row in conn.execute(_ANSWERS, parts):
        if row.answer == "UNAVAILABLE":
            failed[row.invoice_id] = row
        else:
            failed.pop(row.invoice_id, None)
            words[row.invoice_id] = word_of(row)
    return {
        row.id: Standing(
            row.number,
            scheme,
            tuple(lacks(asks[row.id])),
            words.get(row.id),
            failed[row.id].asked_at if row.id in failed else None,
            failed[row.id].reason if row.id in failed else "",
        )
        for row in rows
    }


def last_words(conn: Connection, invoice_ids: Sequence[str]) -> dict[str, str]:
    """Give the last thing that any authority said of each invoice; nothing where none has."""
    rows = conn.execute(
        select(CHECK.c.invoice_id, CHECK.c.answer)
        .where(CHECK.c.invoice_id.in_(invoice_ids), CHECK.c.answer.in_(WORDS))
        .order_by(CHECK.c.asked_at, CHECK.c.id)
    )
    return {row.invoice_id: row.answer for row in rows}


def word_of(row: Any) -> Word:  # noqa: ANN401 - a row or a record of tax_check
    """Give a stored answer as a word."""
    return Word(
        row.answer,
        row.credited_minor,
        row.field,
        row.theirs,
        row.ours,
        row.reference,
        row.asked_at,
        row.source == "people",
    )


def invoices_of(conn: Connection, ids: Iterable[str]) -> list[Row[Any]]:
    """Read invoices by id, in the order of their ids."""
    wanted = sorted(set(ids))
    query = select(_INVOICE).where(_INVOICE.c.id.in_(wanted)).order_by(_INVOICE.c.id)
    return list(conn.execute(query))


# --- What is kept ---------------------------------------------------------------------------------


def keep_identities(ctx: Context, drafts: Sequence[Draft]) -> None:
    """Keep what the documents of a slice say of their tax identity; what cannot be one is left."""
    rows = [
        identity_row(made.id, said, made.origin.user_id, ctx.now)
        for made in drafts
        if (said := made.document.tax_identity) is not None and not any(problems(said))
    ]
    if rows:
        ctx.conn.execute(insert(IDENTITY), rows)


def identity_row(
    invoice_id: str, identity: TaxIdentity, who: str, now: dt.datetime
) -> dict[str, Any]:
    """Give the row that keeps an identity."""
    return {"invoice_id": invoice_id, **identity._asdict(), "stated_by": who, "stated_at": now}


def keep(
    ctx: Context,
    answers: Sequence[Kept],
    purpose: str,
    *,
    source: str = "authority",
    financier_id: str | None = None,
) -> list[str]:
    """Put answers on record; gives their ids, in order."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "invoice_id": one.invoice_id,
            "scheme": one.scheme,
            "answer": one.answer.state,
            "credited_minor": one.answer.credited_minor,
            "field": one.answer.field[:64],
            "theirs": one.answer.theirs,
            "ours": one.answer.ours,
            "reference": one.answer.reference,
            "authority_version": one.answer.version,
            "answered_at": one.answer.at,
            "reason": one.answer.reason[:64],
            "purpose": purpose,
            "source": source,
            "financier_id": financier_id,
            "asked_at": ctx.now,
        }
        for one in answers
    ]
    if rows:
        ctx.conn.execute(insert(CHECK), rows)
    for row in rows:
        ctx.change(
            "tax_check",
            row["id"],
            None,
            {
                "invoice_id": row["invoice_id"],
                "answer": row["answer"],
                "reference": row["reference"],
                "purpose": purpose,
            },
        )
    return [str(row["id"]) for row in rows]
