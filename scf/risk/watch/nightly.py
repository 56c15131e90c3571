"""The night's look: what has moved since the reference; stored, and alarming where it must be.

Read and computed outside any transaction, like the assessments; done again it adds nothing.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import digest
from scf.parties.models import BusinessDate
from scf.risk.promoting import TABLE as MODEL
from scf.risk.watch import mornings as reading
from scf.risk.watch.commands import MORNING
from scf.risk.watch.drifting import Watched, of_card
from scf.risk.watch.ofmodels import of_model

_DATE: Final[Table] = BusinessDate.__table__  # type: ignore[attr-defined]
_WATCHED: Final = ("CHALLENGER", "CHAMPION")


def watch_day(platform: Platform, financier_id: str) -> dict[str, Any]:
    """Look at the newest assessed morning, and at the first of each month nobody looked at yet."""
    with platform.db.snapshot() as conn:
        rows = reading.snapshots(conn, financier_id)
        found = list(_due(conn, financier_id, rows)) if rows else []
    if not found:
        return {"mornings": 0, "alarms": []}
    newest = rows[-1].id
    about = digest(sorted(f"{one.subject} {one.on.isoformat()}" for one in found))
    actor = dataclasses.replace(OPERATOR, org_id=financier_id)
    payload = {"snapshot_id": newest, "content": found}
    return platform.run("risk.watch", payload, actor, key=f"watch:{newest}:{about[:16]}").result


def watch_all(platform: Platform) -> list[dict[str, Any]]:
    """Look for every financier."""
    with platform.db.snapshot() as conn:
        wanted = list(
            conn.execute(select(_DATE.c.financier_id).order_by(_DATE.c.financier_id)).scalars()
        )
    return [
        {"financier_id": financier_id, **watch_day(platform, financier_id)}
        for financier_id in wanted
    ]


def _due(conn: Connection, financier_id: str, rows: list[Row[Any]]) -> Iterator[Watched]:
    done = {
        (row.subject, row.as_of_on)
        for row in conn.execute(
            select(MORNING.c.subject, MORNING.c.as_of_on).where(
                MORNING.c.financier_id == financier_id
            )
        )
    }
    firsts = reading.monthly(rows)
    known = {on for _subject, on in done}
    wanted = [row for row in firsts if row.as_of_on not in known]
    if rows[-1].as_of_on not in known and rows[-1] not in wanted:
        wanted.append(rows[-1])
    if wanted:
        months = [reading.morning(conn, row) for row in firsts]
        for row in wanted:
            yield of_card(reading.morning(conn, row), months)
    newest = rows[-1]
    models = conn.execute(
        select(MODEL).where(MODEL.c.financier_id == financier_id, MODEL.c.state.in_(_WATCHED))
    )
    for model in models:
        if (model.id, newest.as_of_on) not in done:
            yield of_model(conn, model, newest)
