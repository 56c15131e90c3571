"""How often something may be tried: fixed windows in one table, so all workers share them.

A limit held in a worker's memory is multiplied by the number of workers. What is tried often is
therefore taken from the table in blocks (:class:`Meter`), so that not every call has to write.
"""

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.db.engine import Database
from scf.parties.models import RateWindow

_table = RateWindow.__table__  # type: ignore[attr-defined]
_KEEP = dt.timedelta(days=1)


def _counting(make: Any) -> Any:  # noqa: ANN401 - each dialect has an insert of its own
    adding = make(_table)
    return adding.on_conflict_do_update(
        index_elements=["key", "window_start"],
        set_={"tries": _table.c.tries + adding.excluded.tries},
    ).returning(_table.c.tries)


_HIT: dict[str, Any] = {
    "sqlite": _counting(sqlite.insert),
    "postgresql": _counting(postgresql.insert),
}
# A meter takes this part of a limit at once, and remembers so many callers.
_BLOCKS = 20
_REMEMBERED = 10_000


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


def hit(
    db: Database, what: str, who: str, limit: Limit, now: dt.datetime, *, count: int = 1
) -> Verdict:
    """Count one try, or a block of them, and tell whether it is still within the limit.

    The table keeps a digest of ``who``, never an address or a name in clear.
    """
    start, left = _window(limit, now)
    key = _key(what, who)
    with db.writer.begin() as conn:
        tries = conn.execute(
            _HIT[db.dialect], {"key": key, "window_start": start, "tries": count}
        ).scalar_one()
        if tries == count:  # a window just opened: the moment to forget old ones
            conn.execute(delete(_table).where(_table.c.window_start < now - _KEEP))
    return Verdict(tries <= limit.tries, tries, left)


def give_back(db: Database, what: str, who: str, limit: Limit, now: dt.datetime) -> None:
    """Take one try back that turned out well, where only failures are to count.

    Counting first and giving back afterwards keeps the limit under concurrent tries; asking first
    and counting failures afterwards would not.
    """
    start, _left = _window(limit, now)
    with db.writer.begin() as conn:
        conn.execute(
            update(_table)
            .where(
                _table.c.key == _key(what, who), _table.c.window_start == start, _table.c.tries > 0
            )
            .values(tries=_table.c.tries - 1)
        )


def _window(limit: Limit, now: dt.datetime) -> tuple[dt.datetime, int]:
    """Give the start of the window that is open, and the seconds until it ends."""
    epoch = int(now.timestamp())
    start = dt.datetime.fromtimestamp(epoch - epoch % limit.seconds, dt.UTC)
    ends = start + dt.timedelta(seconds=limit.seconds)
    return start, max(1, int((ends - now).total_seconds()))


def _key(what: str, who: str) -> str:
    return f"{what}:{hashlib.sha256(who.encode()).hexdigest()}"


class Meter:
    """One process's share of limits that are asked at every call.

    It takes a twentieth of a limit from the shared table at once and hands it out from memory, so
    that a call seldom writes, and all processes together never grant more than the limit. What a
    process took and did not use is lost until the window ends; a refusal is remembered as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._granted: dict[tuple[str, dt.datetime], int] = {}

    def hit(self, db: Database, what: str, who: str, limit: Limit, now: dt.datetime) -> Verdict:
        """Count one try and tell whether it is still within the limit."""
        start, left = _window(limit, now)
        place = (_key(what, who), start)
        with self._lock:
            granted = self._granted.get(place)
            if granted is not None and granted != 0:
                return self._one_of(place, granted, limit, left)
        # Two threads may take a block each; both are counted, so nothing is granted twice.
        block = max(1, limit.tries // _BLOCKS)
        taken = hit(db, what, who, limit, now, count=block)
        granted = block - max(0, taken.tries - limit.tries)
        with self._lock:
            if len(self._granted) >= _REMEMBERED:
                self._granted.clear()  # each caller merely takes its next block sooner
            more = max(0, self._granted.get(place, 0)) + max(0, granted)
            return self._one_of(place, more or -1, limit, left)

    def _one_of(
        self, place: tuple[str, dt.datetime], granted: int, limit: Limit, left: int
    ) -> Verdict:
        """Use one of what was granted; below zero stands for a refusal that lasts."""
        if granted < 0:
            self._granted[place] = -1
            return Verdict(allowed=False, tries=limit.tries + 1, retry_after=left)
        self._granted[place] = granted - 1
        return Verdict(allowed=True, tries=limit.tries - granted, retry_after=left)
