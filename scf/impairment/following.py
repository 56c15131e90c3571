"""What becomes of an allowance when money moves: paid advances release it, late facts correct it.

An inner function; the caller has locked the advances, and moved them.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.financing.lifecycle import COLLECTIBLE
from scf.financing.reserve import carried_face
from scf.impairment import policy as policies
from scf.impairment.booking import (
    ADVANCE,
    IMPAIRED,
    MOVEMENT,
    Step,
    penalty_open,
    standing_step,
    standings,
    store,
)

ENDED: Final = "ENDED"


def follow(
    ctx: Context, advance_ids: Iterable[str], today: dt.date, first: dt.date | None = None
) -> None:
    """Let allowances follow their advances after money has moved.

    Nothing carried, nothing set aside. What was found out to have happened on the day ``first``
    takes back what has been set aside since; the next close measures anew what is left.
    """
    wanted = sorted(set(advance_ids))
    stand = standings(ctx.conn, wanted) if wanted else {}
    if not stand:
        return
    policy = _policy_of(ctx.conn, stand)
    rows = ctx.conn.execute(
        select(ADVANCE).where(ADVANCE.c.id.in_(sorted(stand))).order_by(ADVANCE.c.id)
    )
    steps = [
        step
        for row in rows
        if (step := _step(ctx.conn, row, stand[row.id], first, today)) is not None
    ]
    store(ctx, steps, policy, today)


def _policy_of(conn: Connection, stand: dict[str, Row[Any]]) -> policies.Policy:
    """Take the policy in force, or the one by which these were measured."""
    now = policies.in_force()
    if now is not None and _is_kept(conn, now.digest):
        return now
    digest = conn.execute(
        select(MOVEMENT.c.policy_digest)
        .where(MOVEMENT.c.advance_id.in_(sorted(stand)))
        .order_by(MOVEMENT.c.id.desc())
        .limit(1)
    ).scalar_one()
    return policies.kept(conn, digest)


def _is_kept(conn: Connection, digest: str) -> bool:
    table = policies.TABLE
    return conn.execute(select(table.c.digest).where(table.c.digest == digest)).first() is not None


def _step(
    conn: Connection, row: Row[Any], before: Row[Any], first: dt.date | None, today: dt.date
) -> Step | None:
    open_now = row.state in COLLECTIBLE
    off = penalty_open(row) if open_now and before.stage == IMPAIRED else 0
    if not open_now or carried_face(row) == 0:
        if before.allowance_minor == 0 and before.penalty_off_minor == off:
            return None
        facts = {"allowance": 0, "exposure": 0, "penalty_off": off, "specific": None}
        return standing_step(row, before, ENDED, **facts)
    late = first is not None and first < today and first <= before.measured_on
    if late and before.specific_minor is None:
        stood = _stood_before(conn, row.id, first or today)
        if stood < before.allowance_minor:
            facts = {"allowance": stood, "penalty_off": off}
            return standing_step(row, before, "CORRECTED", **facts)
    if off != before.penalty_off_minor:
        return standing_step(row, before, "REMEASURED", penalty_off=off)
    return None


def _stood_before(conn: Connection, advance_id: str, first: dt.date) -> int:
    """Give what was set aside on the morning of a day."""
    found = conn.execute(
        select(MOVEMENT.c.after_minor)
        .where(MOVEMENT.c.advance_id == advance_id, MOVEMENT.c.on_date < first)
        .order_by(MOVEMENT.c.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    return int(found or 0)
