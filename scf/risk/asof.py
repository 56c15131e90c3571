"""As of when something was known: a business date, and the last dated fact that could be seen.

A feature may rest only on what the platform stored before the day began where the financier is
(``known_on < t``, strictly), and on facts numbered up to the one noted then. Source: pricing.md 4.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
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


def as_of(conn: Connection, financier_id: str, on: dt.date, sequence: int | None = None) -> AsOf:
    """Give the morning of a day; without a sequence, with all facts known by now before it."""
    before = start_of_day(conn, financier_id, on)
    if sequence is None:
        sequence = conn.execute(
            select(func.coalesce(func.max(_FACT.c.sequence), 0)).where(_FACT.c.known_at < before)
        ).scalar_one()
    return AsOf(financier_id, on, before, int(sequence), zone_of(conn, financier_id))
