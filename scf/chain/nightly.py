"""The snapshot of every financier, after its day is closed."""

import dataclasses
from typing import Any

from sqlalchemy import select

from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.parties.models import BusinessDate
from scf.parties.service import business_date

_date: Any = BusinessDate.__table__  # type: ignore[attr-defined]


def build(platform: Platform, financier_id: str) -> dict[str, Any]:
    """Build the snapshot of one financier's present business date, unless it is there."""
    with platform.db.snapshot() as conn:
        on = business_date(conn, financier_id)
    actor = dataclasses.replace(OPERATOR, org_id=financier_id)
    return platform.run("graph.build", {}, actor, key=f"{financier_id}:{on}").result


def build_all(platform: Platform) -> list[dict[str, Any]]:
    """Build the snapshots of all financiers; after a crash those that are missing."""
    with platform.db.snapshot() as conn:
        financiers = conn.execute(
            select(_date.c.financier_id).order_by(_date.c.financier_id)
        ).scalars()
        wanted = list(financiers)
    return [build(platform, financier_id) for financier_id in wanted]
