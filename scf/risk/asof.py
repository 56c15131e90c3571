"""As of when something was known: a snapshot's morning, and the last dated fact it could see.

A feature may rest only on what the platform stored before the day began for the financier
(``known_on < t``, strictly), and on facts numbered up to the one noted then. The morning is that
of the chain's snapshot, which changes once a night: two quotes of one day rest on the same
knowledge. Source: pricing.md 4 and 5.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.documents.models import InvoiceFact
from scf.kernel.calendar import local_date
from scf.parties.service import start_of_day, zone_of

_FACT: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class AsOf:
    """One financier's morning."""

    financier_id: str
    on: dt.date
    before: dt.datetime  # what was stored from this instant on is not known
    sequence: int  # the last fact of an invoice that could be seen
    zone: ZoneInfo

    def day(self, at: dt.datetime) -> dt.date:
        """Give the financier's date of an instant."""
        return local_date(at, self.zone)


def morning_of(conn: Connection, snapshot: Any, sequence: int | None = None) -> AsOf:  # noqa: ANN401
    """Give the morning of a snapshot; without a sequence, with all facts known before it."""
    before = snapshot.known_before
    if sequence is None:
        sequence = _last_before(conn, before)
    zone = zone_of(conn, snapshot.financier_id)
    return AsOf(snapshot.financier_id, snapshot.as_of_on, before, sequence, zone)


def morning_on(conn: Connection, financier_id: str, on: dt.date) -> AsOf:
    """Give the morning of any day, with all that was stored before it began for the financier."""
    before = start_of_day(conn, financier_id, on)
    sequence = _last_before(conn, before)
    return AsOf(financier_id, on, before, sequence, zone_of(conn, financier_id))


def _last_before(conn: Connection, before: dt.datetime) -> int:
    return int(
        conn.execute(
            select(func.coalesce(func.max(_FACT.c.sequence), 0)).where(_FACT.c.known_at < before)
        ).scalar_one()
    )
