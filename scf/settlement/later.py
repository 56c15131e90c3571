"""What a later file tells of money that is booked already: the payments inside one sum.

A statement (camt.053) may book a batch as one entry and leave its payments to a notification
(camt.054), which comes before or after it and books the same entry with details, or each payment by
itself. Either way the money is counted once, and what the notification tells is used.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import format_minor
from scf.ledger.service import LedgerEvent, post
from scf.settlement import journals, matching
from scf.settlement.expected import EntryIn, Match, PartIn
from scf.settlement.models import BankEntry, BankStatement
from scf.settlement.receipts import ENTRY

_STATEMENT: Final[Table] = BankStatement.__table__  # type: ignore[attr-defined]
_BOOKS: Final = "camt.053"
_TELLS: Final = "camt.054"
# What is kept of an entry as the bank told it.
KEPT: Final = frozenset(
    {"is_reversal", "return_reason", "text", "reference", "parts", "batch_ids", "batch_count"}
)


class Parts(NamedTuple):
    """Entries that are new, those known inside a batch, and batches with their payments."""

    new: list[EntryIn]
    known: list[EntryIn]
    batches: list[tuple[Row[Any], EntryIn]]


def told(given: EntryIn) -> Finding:
    """Say of an entry that its money is counted already."""
    return Finding(
        Severity.INFO,
        "PART_OF_BATCH",
        Words("This money is counted already, as a batch or as its payments one by one."),
        given.place,
        f"{format_minor(given.amount_minor, given.currency)} {given.currency}",
    )


def parts_of_batches(
    conn: Connection, account: tuple[str, str], form: str, entries: Sequence[EntryIn]
) -> Parts:
    """Find entries whose money another file has booked: a sum for its payments, or the reverse.

    The account is (whose, number). Both must name the batch (message or payment information id),
    and be the same sum of one day to the cent; anything else is new.
    """
    if form == _BOOKS:
        return _sums(conn, account, entries)
    if form == _TELLS:
        return _singles(conn, account, entries)
    return Parts(list(entries), [], [])


def _sums(conn: Connection, account: tuple[str, str], entries: Sequence[EntryIn]) -> Parts:
    """A statement's sum of payments that were notified one by one is none of its own."""
    parts = Parts([], [], [])
    batches = [one for one in entries if one.batch_ids and one.batch_count != 1]
    stored = _stored(conn, account, _TELLS, {one.booked_on for one in batches})
    for one in entries:
        notified = [
            row
            for row in stored
            if one.batch_ids
            and row.identity != one.identity
            and _same_side(row, one)
            and _ids_of(row.details) & set(one.batch_ids)
        ]
        counted = one.batch_count in {None, len(notified)}
        whole = sum(row.amount_minor for row in notified) == one.amount_minor
        (parts.known if notified and counted and whole else parts.new).append(one)
    return parts


def _singles(conn: Connection, account: tuple[str, str], entries: Sequence[EntryIn]) -> Parts:
    """Payments notified one by one after their sum was booked add their details to it."""
    groups: dict[tuple[str, dt.date, str, bool], list[EntryIn]] = {}
    for one in entries:
        for name in {*one.batch_ids, *(name for part in one.parts for name in part.ids)}:
            key = (name, one.booked_on, one.currency, one.amount_minor > 0)
            groups.setdefault(key, []).append(one)
    stored = _stored(conn, account, _BOOKS, {key[1] for key in groups})
    known: dict[str, EntryIn] = {}
    batches: list[tuple[Row[Any], EntryIn]] = []
    for (name, *_rest), group in groups.items():
        total = sum(one.amount_minor for one in group)
        for row in stored:
            if (
                name in row.details.get("batch_ids", ())
                and _same_side(row, group[0])
                and row.amount_minor == total
                and row.identity not in {one.identity for one in group}
                and not known.keys() & {one.identity for one in group}
            ):
                known |= {one.identity: one for one in group}
                batches.append((row, _batch(row, group)))
    return Parts([one for one in entries if one.identity not in known], [*known.values()], batches)


def _stored(
    conn: Connection, account: tuple[str, str], form: str, days: set[dt.date]
) -> list[Row[Any]]:
    if not days:
        return []
    return list(
        conn.execute(
            select(ENTRY)
            .join(_STATEMENT, _STATEMENT.c.id == ENTRY.c.statement_id)
            .where(
                ENTRY.c.financier_id == account[0],
                ENTRY.c.account == account[1],
                ENTRY.c.booked_on.in_(sorted(days)),
                _STATEMENT.c.form == form,
            )
            .order_by(ENTRY.c.id)
        )
    )


def _same_side(row: Row[Any], one: EntryIn) -> bool:
    return (row.currency, row.booked_on, row.amount_minor > 0) == (
        one.currency,
        one.booked_on,
        one.amount_minor > 0,
    )


def _ids_of(details: dict[str, Any]) -> set[str]:
    ids = {name for part in details["parts"] for name in part.get("ids", ())}
    return ids | set(details.get("batch_ids", ()))


def _batch(row: Row[Any], group: Sequence[EntryIn]) -> EntryIn:
    """Give a booked sum with the payments that were told of it."""
    parts: list[PartIn] = []
    for one in group:
        for part in one.parts or [PartIn()]:
            alone = part.amount_minor is None and len(one.parts) <= 1
            parts.append(
                part.model_copy(update={"amount_minor": abs(one.amount_minor)}) if alone else part
            )
    details = {name: row.details[name] for name in KEPT if name in row.details}
    return EntryIn(
        **{
            **details,
            "parts": parts,
            "identity": row.identity,
            "place": group[0].place,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "booked_on": row.booked_on,
            "value_on": row.value_on,
        }
    )


def told_more(
    ctx: Context, again: Iterable[tuple[Row[Any], EntryIn]]
) -> list[tuple[Row[Any], EntryIn]]:
    """Keep what a file tells beyond what was known of entries that still wait, whole.

    An entry that has paid something, or that a person has spoken on, stays as it is.
    """
    more = {row.id: given for row, given in again if _told(given) > _told_of(row.details)}
    rows = ctx.lock(BankEntry, more)
    found = []
    for row in rows.values():
        waits_whole = row.unallocated_minor == abs(row.amount_minor)
        if row.state != "RECEIVED" or not waits_whole or row.reason == matching.TAKEN_BACK:
            continue
        given = more[row.id]
        fresh = ctx.conn.execute(
            update(ENTRY)
            .where(ENTRY.c.id == row.id)
            .values(details=given.model_dump(mode="json", include=set(KEPT)))
            .returning(ENTRY)
        ).one()
        found.append((fresh, given))
    return found


def _told(given: EntryIn) -> int:
    return _told_of(given.model_dump(mode="json", include={"parts"}))


def _told_of(details: dict[str, Any]) -> int:
    """Count what tells who paid and what for."""
    return sum(
        len(part["references"])
        + sum(bool(part[name]) for name in ("end_to_end_id", "name", "account", "amount_minor"))
        for part in details["parts"]
    )


def unpark(ctx: Context, matched: Iterable[Match], today: dt.date) -> None:
    """Take debits out of suspense that a later file has explained; then they settle as any other.

    A debit was booked when it came, before anybody knew which payment it was.
    """
    post(
        ctx,
        [
            LedgerEvent(
                one.row.id,
                "bank.explained",
                one.row.id,
                one.row.currency,
                today,
                one.row.value_on,
                "Unknown debit explained",
                journals.reversed_journals(
                    journals.debited(one.row.financier_id, -one.row.amount_minor), ""
                ),
            )
            for one in matched
            if one.settles
        ],
    )
