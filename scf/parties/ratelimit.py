"""How often something may be tried: fixed windows in one table, so all workers share them.

A limit held in a worker's memory is multiplied by the number of workers.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.engine import Database
from scf.parties.models import RateWindow

_table = RateWindow.__table__  # type: ignore[attr-defined]
_KEEP = dt.timedelta(days=1)
_HIT: dict[str, Any] = {
    "sqlite": sqlite.insert(_table)
    .on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"tries": _table.c.tries + 1}
    )
    .returning(_table.c.tries),
    "postgresql": postgresql.insert(_table)
    .on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"tries": _table.c.tries + 1}
    )
    .returning(_table.c.tries),
}


@dataclass(frozen=True)
class Limit:
    """At most ``tries`` in each window of ``seconds``."""

    tries: int
    seconds: int


@dataclass(frozen=True)
class Verdict:
    """Whether one more try is allowed, and if not, in how many seconds it will be."""

    allowed: bool
    tries: int
    retry_after: int


def hit(db: Database, what: str, who: str, limit: Limit, now: dt.datetime) -> Verdict:
    """Count one try and tell whether it is still within the limit.

    The table keeps a digest of ``who``, never an address or a name in clear.
    """
    epoch = int(now.timestamp())
    start = dt.datetime.fromtimestamp(epoch - epoch % limit.seconds, dt.UTC)
    key = f"{what}:{hashlib.sha256(who.encode()).hexdigest()}"
    with db.writer.begin() as conn:
        tries = conn.execute(
            _HIT[db.dialect], {"key": key, "window_start": start, "tries": 1}
        ).scalar_one()
        if tries == 1:  # a window just opened: the moment to forget old ones
            conn.execute(delete(_table).where(_table.c.window_start < now - _KEEP))
    ends = start + dt.timedelta(seconds=limit.seconds)
    return Verdict(tries <= limit.tries, tries, max(1, int((ends - now).total_seconds())))
