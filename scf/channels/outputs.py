"""What is written into a channel's out/: events as they happen, and the day's journal.

Name and bytes follow from the event alone and are kept, so that writing again after a crash or a
loss gives the same file.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.accounting.journal import journal_lines
from scf.accounting.writers.table import to_csv
from scf.channels.folders import Folders
from scf.channels.models import Channel, ChannelOutput
from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.kernel.errors import InvalidInput
from scf.kernel.ids import new_id
from scf.ledger.models import Entry
from scf.notices.webhooks import events

_channel = Channel.__table__  # type: ignore[attr-defined]
_output = ChannelOutput.__table__  # type: ignore[attr-defined]
_entry = Entry.__table__  # type: ignore[attr-defined]

JOURNAL: Final = "journal.day"
CHOICES: Final = (*events.OF_TRADERS, JOURNAL)
MAX_AT_ONCE: Final = 200
_NEW: Final = {
    "sqlite": sqlite.insert(_output).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_output).on_conflict_do_nothing(),
}
_DAY_CLOSED: Final = "day.closed"


def wanted_outputs(wanted: Sequence[str]) -> list[str]:
    """Give the files that a channel is to write, once each and in order.

    Raises
    ------
    InvalidInput
        EVENTS for one that there is not.
    """
    if set(wanted) - set(CHOICES):
        raise InvalidInput("EVENTS", "These files are written: %(known)s.", known=list(CHOICES))
    return sorted(set(wanted))


def fan_out(platform: Platform, event: Claimed) -> int:
    """Lay an event down for every channel that writes it; twice is once."""
    if event.kind == _DAY_CLOSED:
        return _journals(platform, event)
    if event.kind not in CHOICES:
        return 0
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_channel).where(_channel.c.org_id == event.org_id, _channel.c.state != "REMOVED")
        ).all()
        wanting = [row for row in rows if event.kind in row.outputs]
        if not wanting:
            return 0
    body = events.body_for(platform, event)
    if body is None:
        return 0
    name = f"{event.kind}-{event.created_at:%Y%m%dT%H%M%SZ}-{event.id}.json"
    content = (body + "\n").encode()
    return _keep(platform, [_row(row, event, name, content) for row in wanting])


def _journals(platform: Platform, event: Claimed) -> int:
    """Lay the day's journal down for every firm that did business with the closing financier."""
    on = dt.date.fromisoformat(event.payload["on"])
    made = []
    with platform.db.snapshot() as conn:
        rows = conn.execute(select(_channel).where(_channel.c.state != "REMOVED")).all()
        wanting = [row for row in rows if JOURNAL in row.outputs]
        if not wanting:
            return 0
        of_financier = set(
            conn.execute(
                select(_entry.c.event_id).where(
                    _entry.c.org_id == event.org_id, _entry.c.booked_on == on
                )
            ).scalars()
        )
        for row in wanting:
            lines = [
                line
                for line in journal_lines(conn, row.org_id, on, on)
                if line.event_id in of_financier
            ]
            if lines:
                name = f"journal-{on.isoformat()}-{event.id}.csv"
                made.append(_row(row, event, name, to_csv(lines)))
    return _keep(platform, made)


def _row(
    channel: Any,  # noqa: ANN401 - a row
    event: Claimed,
    name: str,
    content: bytes,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "channel_id": channel.id,
        "org_id": channel.org_id,
        "event_id": event.id,
        "event_type": event.kind,
        "name": name,
        "content": content,
        "created_at": event.created_at,
    }


def _keep(platform: Platform, made: Sequence[dict[str, Any]]) -> int:
    if made:
        with platform.db.writer.begin() as conn:
            conn.execute(_NEW[platform.db.dialect], made)
    return len(made)


def write_due(platform: Platform, channel_id: str, folders: Folders) -> int:
    """Write what waits into out/; gives how many files that were."""
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_output)
            .where(_output.c.channel_id == channel_id, _output.c.written_at.is_(None))
            .order_by(_output.c.id)
            .limit(MAX_AT_ONCE)
        ).all()
    for row in rows:
        folders.put("out", row.name, row.content)
        with platform.db.writer.begin() as conn:
            conn.execute(
                update(_output)
                .where(_output.c.id == row.id)
                .values(written_at=platform.clock.now())
            )
    return len(rows)
