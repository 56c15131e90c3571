"""Seals over the audit trail: what makes a later change of a sealed row visible.

The sealer (worker, every five seconds, and the end of day) takes the rows that no seal holds yet,
writes a digest over their digests that also covers the previous seal, and hands the seal to an
exporter. Rows are found by *not being sealed*, never by "number > last seen": sequence numbers
become visible out of order.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Connection

from scf.db.audit import AUDIT_TABLE, row_digest
from scf.db.models import AuditSeal, AuditSealRow, WorkerHeartbeat

_seal = AuditSeal.__table__  # type: ignore[attr-defined]
_seal_row = AuditSealRow.__table__  # type: ignore[attr-defined]
_heartbeat = WorkerHeartbeat.__table__  # type: ignore[attr-defined]

GENESIS = "0" * 64
MAX_UNSEALED = dt.timedelta(seconds=60)
_PAGE = 5000


@dataclass(frozen=True)
class Breach:
    """A place where the trail does not say what it once said."""

    code: str
    where: str
    message: str


def seal(conn: Connection, now: dt.datetime) -> int | None:
    """Seal every row that is not sealed yet; call it in a writing transaction.

    Gives the number of the new seal, or nothing when there was nothing to seal.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(7305)"))  # one sealer at a time
    rows = conn.execute(
        select(AUDIT_TABLE.c.seq, AUDIT_TABLE.c.digest)
        .outerjoin(_seal_row, _seal_row.c.audit_seq == AUDIT_TABLE.c.seq)
        .where(_seal_row.c.audit_seq.is_(None))
        .order_by(AUDIT_TABLE.c.seq)
    ).all()
    if not rows:
        return None
    last = conn.execute(select(_seal).order_by(_seal.c.seq.desc()).limit(1)).one_or_none()
    previous = last.digest if last else GENESIS
    seq = last.seq + 1 if last else 1
    over = rows_digest([row.digest for row in rows])
    new = {
        "seq": seq,
        "rows": len(rows),
        "rows_digest": over,
        "previous": previous,
        "digest": seal_digest(seq, len(rows), over, previous, now),
        "sealed_at": now,
    }
    conn.execute(insert(_seal), new)
    conn.execute(
        insert(_seal_row),
        [{"audit_seq": row.seq, "seal_seq": seq, "place": place} for place, row in enumerate(rows)],
    )
    return int(seq)


def since(conn: Connection, seq: int) -> list[dict[str, Any]]:
    """Give the seals after this one as plain data for export, the oldest first."""
    rows = conn.execute(select(_seal).where(_seal.c.seq > seq).order_by(_seal.c.seq))
    return [
        dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        | {"sealed_at": row.sealed_at.isoformat(timespec="microseconds")}
        for row in rows
    ]


def rows_digest(digests: list[str]) -> str:
    """Digest a list of row digests in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def seal_digest(seq: int, rows: int, over: str, previous: str, at: dt.datetime) -> str:
    """Digest one seal, which covers the one before it."""
    stamp = at.isoformat(timespec="microseconds")
    return hashlib.sha256(f"{seq}|{rows}|{over}|{previous}|{stamp}".encode()).hexdigest()


def verify(conn: Connection, now: dt.datetime) -> Iterator[Breach]:
    """Check every audit row, every seal and the chain; yield what does not hold.

    A row whose content does not give its digest, a seal whose rows do not give its digest, a gap
    in the chain, and rows unsealed for over a minute while a worker is alive.
    """
    yield from _rows_that_changed(conn)
    yield from _seals_that_changed(conn)
    yield from _unsealed_too_long(conn, now)


def _rows_that_changed(conn: Connection) -> Iterator[Breach]:
    last = 0
    while True:
        page = conn.execute(
            select(AUDIT_TABLE)
            .where(AUDIT_TABLE.c.seq > last)
            .order_by(AUDIT_TABLE.c.seq)
            .limit(_PAGE)
        ).all()
        for row in page:
            if row_digest(dict(row._mapping)) != row.digest:  # noqa: SLF001 - SQLAlchemy's public name
                yield Breach(
                    "AUDIT_ROW_CHANGED",
                    f"audit_log seq {row.seq}",
                    f"The row of command {row.command} ({row.command_id}) was changed.",
                )
        if len(page) < _PAGE:
            return
        last = page[-1].seq


def _seals_that_changed(conn: Connection) -> Iterator[Breach]:
    previous, expected = GENESIS, 1
    for sealed in conn.execute(select(_seal).order_by(_seal.c.seq)).all():
        where = f"audit_seal seq {sealed.seq}"
        if sealed.seq != expected or sealed.previous != previous:
            yield Breach("SEAL_CHAIN_BROKEN", where, "A seal is missing or was replaced.")
        rows = conn.execute(
            select(AUDIT_TABLE.c.digest)
            .select_from(
                _seal_row.outerjoin(AUDIT_TABLE, AUDIT_TABLE.c.seq == _seal_row.c.audit_seq)
            )
            .where(_seal_row.c.seal_seq == sealed.seq)
            .order_by(_seal_row.c.place)
        ).scalars()
        digests = [value or "missing" for value in rows]
        if len(digests) != sealed.rows or rows_digest(digests) != sealed.rows_digest:
            yield Breach("SEALED_ROWS_CHANGED", where, "Rows under this seal were changed.")
        if sealed.digest != seal_digest(
            sealed.seq, sealed.rows, sealed.rows_digest, sealed.previous, sealed.sealed_at
        ):
            yield Breach("SEAL_CHANGED", where, "The seal itself was changed.")
        previous, expected = sealed.digest, sealed.seq + 1


def _unsealed_too_long(conn: Connection, now: dt.datetime) -> Iterator[Breach]:
    alive = conn.execute(select(func.max(_heartbeat.c.at))).scalar_one()
    if alive is None or now - alive > MAX_UNSEALED:
        return  # no worker lives, nobody was there to seal
    oldest = conn.execute(
        select(AUDIT_TABLE.c.seq, AUDIT_TABLE.c.at)
        .outerjoin(_seal_row, _seal_row.c.audit_seq == AUDIT_TABLE.c.seq)
        .where(_seal_row.c.audit_seq.is_(None))
        .order_by(AUDIT_TABLE.c.at)
        .limit(1)
    ).one_or_none()
    if oldest is not None and now - oldest.at > MAX_UNSEALED:
        yield Breach(
            "UNSEALED_TOO_LONG", f"audit_log seq {oldest.seq}", "A row waits for its seal too long."
        )
