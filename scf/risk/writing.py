"""Storing the assessments of a snapshot."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table, insert, select

from scf.db.runner import Context
from scf.kernel.ids import digest, new_id
from scf.risk import appetite as policies
from scf.risk.assessing import Assessed
from scf.risk.models import RiskAssessment
from scf.risk.opinions import NOBODY, SCORE, Heard, row_of

ASSESSMENT: Final[Table] = RiskAssessment.__table__  # type: ignore[attr-defined]
SLICE: Final = 500


@dataclasses.dataclass(frozen=True, slots=True)
class About:
    """Which morning a batch of assessments is of."""

    snapshot_id: str
    as_of_on: str
    sequence: int
    policy_digest: str


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """Up to a thousand firms of one snapshot, worked out, with what each model said of them."""

    about: About
    appetite: policies.Appetite
    assessed: Sequence[Assessed]
    heard: Heard = NOBODY


def store(ctx: Context, batch: Batch) -> int:
    """Store assessments that are not there yet; gives how many are new."""
    about, policy = batch.about, batch.appetite.policy
    policies.keep(ctx, batch.appetite)
    there = set(
        ctx.conn.execute(
            select(ASSESSMENT.c.firm_id).where(ASSESSMENT.c.snapshot_id == about.snapshot_id)
        ).scalars()
    )
    rows = [
        {
            "id": new_id(),
            "financier_id": ctx.actor.org_id,
            "snapshot_id": about.snapshot_id,
            "firm_id": one.firm_id,
            "as_of_on": dt.date.fromisoformat(about.as_of_on),
            "sequence": about.sequence,
            "kind": one.kind,
            "model_id": one.model_id,
            "policy_digest": about.policy_digest,
            "policy_version": policy.version,
            "grade": one.grade,
            "defaulted": one.defaulted,
            "inputs": one.inputs,
            "result": one.result,
            "splits": one.splits,
            "digest": digest([one.inputs, one.result]),
            "command_id": ctx.command_id,
            "at": ctx.now,
        }
        for one in batch.assessed
        if one.firm_id not in there
    ]
    if rows:
        ctx.conn.execute(insert(ASSESSMENT), rows)
        _store_scores(ctx, batch, [str(row["firm_id"]) for row in rows])
        ctx.change(
            "graph_snapshot",
            about.snapshot_id,
            None,
            {"assessed": len(rows), "digest": digest([row["digest"] for row in rows])},
        )
    return len(rows)


def _store_scores(ctx: Context, batch: Batch, firms: Sequence[str]) -> None:
    """Keep what the models said of firms that are assessed with it."""
    about = batch.about
    same = {
        "financier_id": ctx.actor.org_id,
        "snapshot_id": about.snapshot_id,
        "as_of_on": dt.date.fromisoformat(about.as_of_on),
        "command_id": ctx.command_id,
        "at": ctx.now,
    }
    rows = [
        {"id": new_id(), "firm_id": firm, **same, **row_of(said)}
        for firm in firms
        for said in batch.heard.of(firm)
    ]
    if rows:
        ctx.conn.execute(insert(SCORE), rows)
