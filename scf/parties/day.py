"""The business date of a financier: opened once, then moved only by its end of day."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.calendar import zone
from scf.kernel.errors import Conflict, NotFound
from scf.parties.models import BusinessDate, Firm

_firm = Firm.__table__  # type: ignore[attr-defined]
_date = BusinessDate.__table__  # type: ignore[attr-defined]


def _opened() -> Conflict:
    return Conflict("DAY_OPENED", "The financier's books are open; only the end of day moves them.")


constraint_means("business_date_pkey", "business_date.financier_id", _opened)


class OpenDay(BaseModel):
    """The first day of a financier's books."""

    model_config = ConfigDict(extra="forbid")
    financier_id: str
    on: dt.date
    zone: str = Field(default="UTC", max_length=60)


@command("day.open", OpenDay)
def open_day(ctx: Context, data: OpenDay) -> dict[str, Any]:
    """The financier's books open on this day, once.

    Raises
    ------
    Conflict
        ``DAY_OPENED`` when they are open already.
    NotFound
        When there is no such financier.
    InvalidInput
        For a zone that nobody knows.
    """
    zone(data.zone)
    kind = ctx.conn.execute(
        select(_firm.c.kind).where(_firm.c.id == data.financier_id)
    ).scalar_one_or_none()
    if kind != "financier":
        raise NotFound("NOT_FOUND", "No financier with this id.", id=data.financier_id)
    row = {"financier_id": data.financier_id, "current_on": data.on, "zone": data.zone}
    row["opened_at"] = ctx.now
    ctx.conn.execute(insert(_date), row)
    ctx.change("business_date", data.financier_id, None, {"current_on": data.on.isoformat()})
    return {"financier_id": data.financier_id, "current_on": data.on.isoformat()}
