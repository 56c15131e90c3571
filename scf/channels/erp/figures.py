"""How a connection goes, in figures: what came, what was written, what did not go over."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.channels.erp.models import ErpItem, ErpStream, ErpWrite
from scf.channels.erp.port import PULLS, PUSHES


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of thing: how many are over, how many are not, and when one last went."""

    name: str
    done: int
    waiting: int
    last_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that did not go over: where, what, why in our code and in the system's words."""

    where: str
    what: str
    code: str
    said: str | None
    next_at: dt.datetime | None


def pulled(reading: Session, connection_id: str, wanted: Collection[str]) -> list[Flow]:
    """Give per stream how many records are here, how many are not, and the last day."""
    rows = reading.execute(
        select(
            col(ErpItem.stream),
            func.count() - func.count(col(ErpItem.problem)),
            func.count(col(ErpItem.problem)),
            func.max(col(ErpItem.taken_at)),
        )
        .where(col(ErpItem.connection_id) == connection_id)
        .group_by(col(ErpItem.stream))
    ).all()
    found = {stream: Flow(stream, count, bad, last) for stream, count, bad, last in rows}
    begun = set(
        reading.execute(
            select(col(ErpStream.stream)).where(col(ErpStream.connection_id) == connection_id)
        ).scalars()
    )
    order = [one for one in PULLS if one in wanted or one in begun]
    return [found.get(one, Flow(one, 0, 0, None)) for one in order]


def pushed(reading: Session, connection_id: str, wanted: Collection[str]) -> list[Flow]:
    """Give per kind how many things were written, how many wait, and the last."""
    rows = reading.execute(
        select(
            col(ErpWrite.kind), col(ErpWrite.state), func.count(), func.max(col(ErpWrite.done_at))
        )
        .where(col(ErpWrite.connection_id) == connection_id)
        .group_by(col(ErpWrite.kind), col(ErpWrite.state))
    ).all()
    found = {(kind, state): (count, last) for kind, state, count, last in rows}
    nothing = (0, None)
    return [
        Flow(
            one,
            found.get((one, "DONE"), nothing)[0],
            found.get((one, "FAILED"), nothing)[0],
            found.get((one, "DONE"), nothing)[1],
        )
        for one in PUSHES
        if one in wanted or (one, "DONE") in found
    ]


def troubles(reading: Session, connection_id: str, most: int) -> list[Trouble]:
    """Give what did not go over, at most so many of either way, the newest first."""
    records = reading.execute(
        select(ErpItem)
        .where(col(ErpItem.connection_id) == connection_id, col(ErpItem.problem).is_not(None))
        .order_by(col(ErpItem.id).desc())
        .limit(most)
    ).scalars()
    writes = reading.execute(
        select(ErpWrite)
        .where(col(ErpWrite.connection_id) == connection_id, col(ErpWrite.state) == "FAILED")
        .order_by(col(ErpWrite.id).desc())
        .limit(most)
    ).scalars()
    return [
        *(_trouble(one, one.stream, None) for one in records),
        *(_trouble(one, one.kind, one.next_at) for one in writes),
    ]


def _trouble(one: Any, where: str, following: dt.datetime | None) -> Trouble:  # noqa: ANN401 - a row
    return Trouble(where, one.label, one.problem, one.said, following)
