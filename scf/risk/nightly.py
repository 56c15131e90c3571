"""The night's work: every firm of the newest snapshot is assessed, outside any transaction.

What was read and computed is then stored in slices, each one command. Done again after a crash it
goes on where it stopped; a day that is assessed stays as it is.
"""

import dataclasses
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.parties.models import BusinessDate
from scf.risk import appetite as policies
from scf.risk.asof import morning_of
from scf.risk.assessing import WorkedOut, assessed_from, work_out
from scf.risk.chainstate import packed, state_from
from scf.risk.members import firms_of
from scf.risk.opinions import NOBODY, ask
from scf.risk.writing import ASSESSMENT, SLICE, About, Batch

_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_DATE: Final[Table] = BusinessDate.__table__  # type: ignore[attr-defined]


def assess_day(platform: Platform, financier_id: str) -> dict[str, Any]:
    """Assess the firms of a financier's newest snapshot, unless they are.

    Without a snapshot or a risk appetite there is nothing to assess with: prices by risk are then
    refused, and the answer says why.
    """
    if not policies.is_in_force():
        return {"assessed": 0, "reason": "MODEL_UNAVAILABLE"}
    with platform.db.snapshot() as conn:
        snapshot = _newest(conn, financier_id)
        if snapshot is None:
            return {"assessed": 0, "reason": "GRAPH_MISSING"}
        done = _done(conn, snapshot.id)
        morning = morning_of(conn, snapshot, next(iter(done.values()), None))
        appetite = policies.in_force()
        firms = firms_of(conn, morning, snapshot.id)
        made: WorkedOut | None = None
        heard = NOBODY
        if set(firms) - done.keys():
            heard = ask(conn, morning, appetite, firms)
            made = work_out(conn, morning, appetite, firms)
    assessed = [] if made is None else assessed_from(made, appetite, champion=heard.champion)
    about = About(snapshot.id, morning.on.isoformat(), morning.sequence, appetite.digest)
    actor = dataclasses.replace(OPERATOR, org_id=financier_id)
    stored = 0
    for start in range(0, len(assessed), SLICE):
        batch = Batch(about, appetite, assessed[start : start + SLICE], heard)
        payload = {"snapshot_id": snapshot.id, "slice": str(start), "content": batch}
        done_now = platform.run("risk.assess", payload, actor, key=f"{snapshot.id}:{start}")
        stored += int(done_now.result["assessed"])
    if made is not None:
        state = state_from(made, snapshot.id, morning, appetite.policy.scale)
        payload = {
            "snapshot_id": snapshot.id,
            "policy_digest": appetite.digest,
            "content": packed(state),
        }
        platform.run("risk.keep_chain", payload, actor, key=f"{snapshot.id}:{appetite.digest}")
    return {
        "assessed": stored,
        "firms": len(firms),
        "snapshot_id": snapshot.id,
        "as_of_on": about.as_of_on,
    }


def assess_all(platform: Platform) -> list[dict[str, Any]]:
    """Assess for every financier; after a crash what is missing."""
    with platform.db.snapshot() as conn:
        wanted = list(
            conn.execute(select(_DATE.c.financier_id).order_by(_DATE.c.financier_id)).scalars()
        )
    return [assess_day(platform, financier_id) for financier_id in wanted]


def assessed_firms(conn: Connection, snapshot_id: str) -> list[str]:
    """Name the firms that were assessed with a snapshot."""
    return sorted(_done(conn, snapshot_id))


def _newest(conn: Connection, financier_id: str) -> Row[Any] | None:
    return conn.execute(
        select(_SNAPSHOT)
        .where(_SNAPSHOT.c.financier_id == financier_id)
        .order_by(_SNAPSHOT.c.as_of_on.desc())
        .limit(1)
    ).one_or_none()


def _done(conn: Connection, snapshot_id: str) -> dict[str, int]:
    """Give the firms that are assessed, with the last fact that could be seen."""
    rows = conn.execute(
        select(ASSESSMENT.c.firm_id, ASSESSMENT.c.sequence).where(
            ASSESSMENT.c.snapshot_id == snapshot_id
        )
    )
    return {row.firm_id: row.sequence for row in rows}
