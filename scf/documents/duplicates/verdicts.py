"""What people say of two documents that may be one claim: the buyer, and each financier for itself.

The seller is not told which rule caught a document. It is told that a check stands in the way, and
may say why these are two claims; then another person looks again.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Count, Id
from scf.documents import axes
from scf.documents.disputes import open_dispute
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.duplicates.standing import VERDICT, stands_against
from scf.documents.models import Invoice
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.service import same_person

_BANK: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
Said = Annotated[str, Field(min_length=3, max_length=2000)]
Outcome = Literal["DISTINCT", "SAME"]
Copy = Literal["LATER", "EARLIER"]

constraint_means(
    "uq_verdict",
    "duplicate_verdict.suspicion_id, duplicate_verdict.org_id",
    lambda: Conflict("STALE", "Somebody has just decided this. Look at it again."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecideDuplicate(_Input):
    """One organisation's word: two claims (DISTINCT), or the same one twice (SAME), and why.

    ``copy_is`` says which of the two papers of SAME is not the claim. ``version`` is that of the
    verdict that was read; 0 where there was none.
    """

    suspicion_id: Id
    outcome: Outcome
    copy_is: Copy = "LATER"
    reason: Said
    version: Count = 0


class AppealDuplicate(_Input):
    """Why the seller's invoice is a claim of its own."""

    invoice_id: Id
    note: Said


@command("duplicate.decide", DecideDuplicate)
def decide_duplicate(ctx: Context, data: DecideDuplicate) -> dict[str, Any]:
    """Two documents are two claims, or one; remembered for the organisation that says so.

    SAME of a financier blocks the copy there for good, and the other paper where money went on the
    copy; of the buyer, it rejects the copy, also an accepted one. One that the buyer has undertaken
    to pay is disputed instead. Where money is held or out on one of them, or a verdict
    is appealed, a second person says the same before it holds.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the second word of one person.
    Conflict
        STALE when it has been decided meanwhile; what ``axes.reject`` refuses.
    RuleViolation
        ALREADY_FINANCED of a buyer's copy on which money hangs without an undertaking.
    NotFound
        Where the earlier paper is called the copy by somebody who may not see it.
    """
    seen = ctx.visible(DuplicateSuspicion, data.suspicion_id)
    if data.copy_is == "EARLIER":
        ctx.visible(Invoice, seen.twin_id)
    invoices = ctx.lock(Invoice, [seen.invoice_id, seen.twin_id])
    before = _verdict(ctx, seen.id)
    if (before.version if before else 0) != data.version:
        raise Conflict("STALE", "Somebody has just decided this. Look at it again.")
    if before is not None and before.state == "DECIDED":
        raise Conflict("DECISION_STATE", "This has been decided.", state=before.outcome)
    if before is not None:
        if same_person(ctx.conn, ctx.actor.user_id, [before.user_id]):
            raise NotAllowed("FOUR_EYES", "Another person has to look at this now.")
        other = (before.outcome, before.copy_id) != (data.outcome, _copy(seen, data))
        if before.state == "PROPOSED" and other:
            return _store(ctx, seen, before, data, "PROPOSED")  # begins again, with that word
        return _settle(ctx, seen, before, data, "DECIDED")
    of_bank = bool(ctx.actor.roles & _BANK)
    money = any(row.held_minor + row.outstanding_minor for row in invoices.values())
    return _settle(ctx, seen, None, data, "PROPOSED" if of_bank and money else "DECIDED")


def _copy(seen: Row[Any], data: DecideDuplicate) -> str | None:
    """Give the paper that is called no claim of its own."""
    if data.outcome == "DISTINCT":
        return None
    return str(seen.invoice_id if data.copy_is == "LATER" else seen.twin_id)


def _verdict(ctx: Context, suspicion_id: str) -> Row[Any] | None:
    return ctx.conn.execute(
        select(VERDICT).where(
            VERDICT.c.suspicion_id == suspicion_id, VERDICT.c.org_id == ctx.actor.org_id
        )
    ).one_or_none()


def _settle(
    ctx: Context, seen: Row[Any], before: Row[Any] | None, data: DecideDuplicate, state: str
) -> dict[str, Any]:
    copy_id = _copy(seen, data)
    if state == "DECIDED" and copy_id is not None and not ctx.actor.roles & _BANK:
        _refuse_copy(ctx, ctx.lock(Invoice, [copy_id])[copy_id], data.reason)
    answer = _store(ctx, seen, before, data, state)
    if state == "DECIDED":
        ctx.emit("duplicate.decided", {"suspicion_id": seen.id, "outcome": data.outcome})
    return answer


def _refuse_copy(ctx: Context, copy: Row[Any], reason: str) -> None:
    """Let the buyer's word reach the paper: it is rejected, and its acceptance withdrawn.

    An irrevocable undertaking stands; then all of the paper is contested, between the two firms.
    """
    if copy.acceptance_state == "REJECTED":
        return
    if copy.ipu:
        if copy.dispute_state != "DISPUTED":
            open_dispute(ctx, copy, amount_minor=copy.payable_minor, reason=reason)
        return
    if copy.held_minor or copy.outstanding_minor:
        raise RuleViolation(
            "ALREADY_FINANCED",
            "Invoice %(number)s can no longer be rejected: others rely on your acceptance. Call the"
            " other paper the copy; of one claim you then pay this one.",
            invoice_id=copy.id,
            number=copy.number,
        )
    axes.reject_many(ctx, [copy.id], reason=reason)


def _store(
    ctx: Context, seen: Row[Any], before: Row[Any] | None, data: DecideDuplicate, state: str
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "outcome": data.outcome, "copy_id": _copy(seen, data), "state": state,
        "reason": data.reason,
    }  # fmt: skip
    first = {"user_id": ctx.actor.user_id, "at": ctx.now, "second_id": None, "second_at": None}
    if before is None:
        row = {
            "id": new_id(),
            "suspicion_id": data.suspicion_id,
            "org_id": ctx.actor.org_id,
            **values,
            **first,
            "appeal": None,
            "appealed_at": None,
            "version": 1,
        }
        ctx.conn.execute(insert(VERDICT), row)
        verdict_id, version = str(row["id"]), 1
    else:
        agrees = before.state == "PROPOSED" and state == "DECIDED"
        who = {"second_id": ctx.actor.user_id, "second_at": ctx.now} if agrees else first
        verdict_id, version = before.id, before.version + 1
        ctx.conn.execute(
            update(VERDICT)
            .where(VERDICT.c.id == verdict_id)
            .values(**values, **who, version=version)
        )
    old = {"outcome": before.outcome, "state": before.state} if before else None
    ctx.change("duplicate_verdict", verdict_id, old, values)
    return {"id": verdict_id, "outcome": data.outcome, "state": state, "version": version}


@command("duplicate.appeal", AppealDuplicate)
def appeal_duplicate(ctx: Context, data: AppealDuplicate) -> dict[str, Any]:
    """The seller says why its invoice is a claim of its own; whoever blocked it looks again.

    Raises
    ------
    NotAllowed
        For anybody but the seller.
    RuleViolation
        NOTHING_BLOCKED when no verdict stands against the invoice.
    """
    invoice = ctx.visible(Invoice, data.invoice_id)
    if invoice.seller_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the seller of the invoice does this.")
    rows = ctx.conn.execute(
        update(VERDICT)
        .where(stands_against(invoice.id), VERDICT.c.state == "DECIDED")
        .values(
            state="APPEALED", appeal=data.note, appealed_at=ctx.now, version=VERDICT.c.version + 1
        )
        .returning(VERDICT.c.id, VERDICT.c.org_id)
    ).all()
    if not rows:
        raise RuleViolation("NOTHING_BLOCKED", "No check stands against this invoice.")
    for row in rows:
        ctx.change("duplicate_verdict", row.id, {"state": "DECIDED"}, {"state": "APPEALED"})
        ctx.emit("duplicate.appealed", {"verdict_id": row.id}, org_id=row.org_id)
    return {"invoice_id": invoice.id, "appealed": len(rows)}
