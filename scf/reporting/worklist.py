"""The officers' queue: what waits for a word, the shortest clock and the most money first."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection
from sqlmodel import Session, col

from scf.financing import authority, guards, requests
from scf.financing.lifecycle import DECIDABLE
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.kernel.actor import Actor
from scf.kernel.errors import NotAllowed
from scf.offers.models import Quote
from scf.parties.service import firm_names, people_names
from scf.programmes.service import terms_of_version
from scf.programmes.terms import Terms

_REQUEST: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_DECISION: Final[Table] = Decision.__table__  # type: ignore[attr-defined]
VIEWS: Final = ("mine", "team", "second", "returned")
RETURNED: Final = ("RETURNED", "COUNTER_OFFERED")
MOST: Final = 300


@dataclass(frozen=True, slots=True)
class Waiting:
    """One case of the queue.

    ``mine``: this person may say the next word. ``alike``: that word alone would decide, and
    every check before it is in, so the case may be approved together with others.
    """

    id: str
    version: int
    state: str
    seller: str
    obligor: str
    invoices: int
    currency: str
    face_minor: int
    net_minor: int
    grade: str
    route: str
    decide_by: dt.datetime
    clock_stopped: bool
    late: bool
    maker: str
    maker_said: str
    missing: tuple[str, ...]
    second: bool
    mine: bool
    alike: bool
    programme_id: str


def waiting(session: Session, who: Actor, now: dt.datetime) -> list[Waiting]:
    """Give every case that nobody has the last word on, in the order of the queue."""
    conn = session.connection()
    rows = conn.execute(
        select(_REQUEST)
        .where(
            _REQUEST.c.financier_id == who.org_id,
            _REQUEST.c.state.in_((*DECIDABLE, *RETURNED)),
        )
        .order_by(_REQUEST.c.decide_by, _REQUEST.c.id)
        .limit(MOST)
    ).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    quotes = _quotes(session, rows)
    made = _first_words(conn, rows)
    sides = _sides(session, ids)
    people = people_names(conn, {word.user_id for word in made.values()})
    names = firm_names(
        conn,
        {row.seller_id for row in rows} | {firm for found in sides.values() for firm in found},
    )
    terms: dict[str, Terms] = {}
    found = []
    for row in rows:
        quote = quotes[row.quote_id]
        if quote.programme_version_id not in terms:
            terms[quote.programme_version_id] = terms_of_version(conn, quote.programme_version_id)
        agreed = terms[quote.programme_version_id]
        word = _word(conn, who, row, agreed)
        first = made.get(row.id)
        missing = tuple(guards.missing_checks(conn, row.id, agreed.checks_before_decision))
        found.append(
            Waiting(
                row.id,
                row.version,
                row.state,
                names.get(row.seller_id, ""),
                ", ".join(dict.fromkeys(names.get(one, "") for one in sides.get(row.id, ()))),
                len(sides.get(row.id, ())),
                row.currency,
                row.face_minor,
                row.net_minor,
                quote.grade or "",
                row.route,
                row.decide_by,
                row.clock_stopped_at is not None,
                now > row.decide_by,
                people.get(first.user_id, "") if first else "",
                first.outcome if first else "",
                missing,
                first is not None and row.state in DECIDABLE,
                word is not None,
                word is not None and word.last and word.step == 1 and not missing,
                row.programme_id,
            )
        )
    return sorted(found, key=lambda one: _rank(one, now))


def _rank(one: Waiting, now: dt.datetime) -> tuple[bool, int, int, str]:
    """Put what still waits for us first, by the hours left, then by the money."""
    hours = int((one.decide_by - now).total_seconds() // 3600)
    return (one.state in RETURNED, max(hours, 0), -one.net_minor, one.id)


def of_view(rows: Sequence[Waiting], view: str) -> list[Waiting]:
    """Give those cases of the queue that belong to one of its views."""
    if view == "mine":
        return [one for one in rows if one.mine and one.state in DECIDABLE]
    if view == "second":
        return [one for one in rows if one.second]
    if view == "returned":
        return [one for one in rows if one.state in RETURNED]
    return list(rows)


def _quotes(session: Session, rows: Sequence[Row[Any]]) -> dict[str, Quote]:
    found = session.execute(
        select(Quote).where(col(Quote.id).in_([row.quote_id for row in rows]))
    ).scalars()
    return {quote.id: quote for quote in found}


def _first_words(conn: Connection, rows: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
    """Give the first word of each case's present round."""
    rounds = {row.id: row.round for row in rows}
    found = conn.execute(
        select(_DECISION)
        .where(_DECISION.c.request_id.in_(rounds))
        .order_by(_DECISION.c.round, _DECISION.c.step.desc())
    )
    return {word.request_id: word for word in found if word.round == rounds[word.request_id]}


def _sides(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """Give the obligor of each invoice of each case."""
    found: dict[str, list[str]] = {}
    rows = session.execute(
        select(col(Advance.request_id), col(Advance.obligor_id), func.count())
        .where(col(Advance.request_id).in_(ids), col(Advance.state) != "CANCELLED")
        .group_by(col(Advance.request_id), col(Advance.obligor_id))
        .order_by(col(Advance.request_id), col(Advance.obligor_id))
    )
    for request_id, obligor_id, count in rows:
        found.setdefault(request_id, []).extend([obligor_id] * count)
    return found


def _word(conn: Connection, who: Actor, row: Row[Any], terms: Terms) -> authority.Word | None:
    if row.state not in DECIDABLE:
        return None
    try:
        return authority.may_say(conn, who, row, terms, requests.decisions_of(conn, row))
    except NotAllowed:
        return None
