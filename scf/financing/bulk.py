"""Approving several similar small cases at once; what stands out is left for a look of its own."""

from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from scf.db.runner import Context, command
from scf.db.types import Count, Id
from scf.financing import advances, authority, checks, decide, guards, requests
from scf.financing.lifecycle import DECIDABLE
from scf.financing.models import FinancingRequest
from scf.financing.seeing import seen
from scf.financing.signing import signed
from scf.kernel.errors import Conflict, RuleViolation, ScfError
from scf.parties.service import business_date
from scf.programmes.terms import Terms

MOST: Final = 10
# So many times the middle amount is no similar case any more.
OUTLIER: Final = 3


class Item(BaseModel):
    """One case, as it was read."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    version: Count


class ApproveMany(BaseModel):
    """Up to ten small cases of one programme, and the one reason for all."""

    model_config = ConfigDict(extra="forbid")
    items: list[Item] = Field(min_length=1, max_length=MOST)
    note: str = Field(min_length=3, max_length=4000)


@command("request.approve_many", ApproveMany)
def approve_many(ctx: Context, data: ApproveMany) -> dict[str, Any]:
    """One officer approves what is small, alike and complete; the rest is named with its reason.

    Each case gets a word of its own, over its own digest.
    """
    wanted = {item.request_id: item.version for item in data.items}
    for request_id in sorted(wanted):
        ctx.visible(FinancingRequest, request_id)
    rows = ctx.lock(FinancingRequest, wanted)
    lines = _lines(ctx, rows)
    amounts = median_low([row.face_minor for row in rows.values()])
    first = rows[data.items[0].request_id]
    done, skipped = [], []
    for request_id, version in wanted.items():
        row = rows[request_id]
        try:
            terms = _fits(ctx, row, version, lines[request_id], (first, amounts))
        except ScfError as why:
            skipped.append({"id": request_id, "code": why.code, "message": why.message})
            continue
        requests.record_decision(
            ctx,
            row,
            step=1,
            outcome="APPROVE",
            note=data.note,
            signed_digest=signed(ctx.conn, row, lines[request_id], row.version),
            seen=seen(ctx.conn, row, lines[request_id]),
        )
        after = decide.approve(ctx, row, lines[request_id], terms)
        done.append({"id": request_id, "state": after.state, "version": after.version})
    return {"approved": done, "skipped": skipped}


def _lines(ctx: Context, rows: Mapping[str, Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Lock the advances of all cases together, in the one order."""
    found: dict[str, list[Row[Any]]] = {
        request_id: advances.of_request(ctx.conn, request_id) for request_id in rows
    }
    locked = advances.lock(ctx, [one.id for some in found.values() for one in some])
    return {
        request_id: [locked[one.id] for one in some if locked[one.id].state != "CANCELLED"]
        for request_id, some in found.items()
    }


def _fits(
    ctx: Context,
    row: Row[Any],
    version: int,
    lines: Sequence[Row[Any]],
    others: tuple[Row[Any], int],
) -> Terms:
    """Stop at a case that is not one of several alike, or that could not be approved alone."""
    first, middle = others
    if row.financier_id != ctx.actor.org_id:
        raise Conflict("NOT_ALLOWED", "Only the financier of the request does this.")
    requests.same_version(row, version)
    if row.state not in DECIDABLE:
        raise Conflict("DECISION_STATE", "The request is %(state)s.", state=row.state)
    if requests.is_late(ctx, row):
        raise RuleViolation("QUOTE_EXPIRED", "The decision deadline has passed.")
    if (row.programme_id, row.currency) != (first.programme_id, first.currency):
        raise RuleViolation("NOT_SIMILAR", "This case is of another programme or currency.")
    if row.face_minor > OUTLIER * middle:
        raise RuleViolation("OUTLIER", "The amount stands out among these cases.")
    if requests.standing(ctx.conn, row) is not None:
        raise Conflict("REPRICED", "Another price is proposed here; it needs a word of its own.")
    made = requests.decisions_of(ctx.conn, row)
    terms = checks.terms_of(ctx, row)
    if made or not authority.may_say(ctx.conn, ctx.actor, row, terms, made).last:
        raise RuleViolation("TOO_LARGE", "This case needs two people.")
    guards.need_checks(ctx.conn, row.id, terms.checks_before_decision)
    guards.answered(ctx.conn, row.financier_id, lines, ctx.now)
    today = business_date(ctx.conn, row.financier_id)
    guards.still_good(ctx.conn, row.programme_id, lines, today)
    return terms
