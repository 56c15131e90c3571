"""A person's word on what reconciliation proposed for a waiting receipt."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select, update

from scf.db.runner import Context, command
from scf.db.types import Id, Text
from scf.documents.models import Invoice
from scf.kernel.errors import Conflict, NotAllowed
from scf.parties.service import business_date
from scf.settlement import desk, proposing
from scf.settlement.advised.evidence import ADVICE
from scf.settlement.lifecycle import PROPOSAL
from scf.settlement.models import BankEntry
from scf.settlement.receipts import ENTRY
from scf.settlement.reconcile import columns as why

# Money of somebody who does not owe it, or whom nobody knows, is looked at by two people.
NEEDS_TWO: Final = frozenset({why.PAYER_OTHER, why.PAYER_UNKNOWN, why.PAYER_NAME})
MAX_REVIEWED: Final = 500


class AcceptProposal(BaseModel):
    """One proposal, and what shows that it is right."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)

    entry_id: Id
    proposal_id: Id
    note: Text = Field(min_length=1, max_length=4000)


class Reconsider(BaseModel):
    """Look at everything that waits once more; nothing is posted."""

    model_config = ConfigDict(extra="forbid")


@command("receipt.accept", AcceptProposal)
def accept_proposal(ctx: Context, data: AcceptProposal) -> dict[str, Any]:
    """Let a waiting receipt pay what was proposed, with its own value date.

    Where the sender does not owe it, or nobody knows the sender, the first person's word is kept
    and a second person's settles.

    Raises
    ------
    Conflict
        PROPOSAL_GONE, when the receipt was decided, or its proposals made anew, meanwhile.
    NotAllowed
        FOUR_EYES, for the person who agreed to it already.
    RuleViolation
        As for a receipt that a person identifies: VALUE_DATE_AHEAD, HELD_PART, AMOUNT_LEFT.
    """
    ctx.visible(BankEntry, data.entry_id)
    entry = ctx.lock(BankEntry, [data.entry_id])[data.entry_id]
    # Whoever writes on proposals holds their receipt; as it stands now, it is read again.
    table = proposing.PROPOSALS
    one = ctx.conn.execute(
        select(table).where(table.c.id == data.proposal_id, table.c.bank_entry_id == entry.id)
    ).one_or_none()
    if (
        one is None
        or one.state not in proposing.STANDING
        or entry.unallocated_minor != entry.amount_minor
    ):
        raise Conflict("PROPOSAL_GONE", "This receipt was decided meanwhile.", state=entry.state)
    if NEEDS_TWO & set(one.reasons) and one.state == "OPEN":
        return _agreed(ctx, one, entry, data.note)
    if one.agreed_by == ctx.actor.user_id:
        raise NotAllowed("FOUR_EYES", "Another person says the second word on this receipt.")
    today = business_date(ctx.conn, entry.financier_id)
    for pay in one.pays:
        ctx.visible(Invoice, pay["invoice_id"])
    said = desk.IdentifyReceipt(
        entry_id=entry.id,
        pays=[desk.PayInvoice(**pay) for pay in one.pays],
        note=data.note,
    )
    after = desk.placed(ctx, entry, said, today)
    state = PROPOSAL.after(one.state, "accept")
    _mark(ctx, one, state=state, decided_by=ctx.actor.user_id)
    proposing.drop(ctx, [entry.id])
    return {"proposal_id": one.id, "proposal_state": state, **after}


def _agreed(ctx: Context, one: Row[Any], entry: Row[Any], note: str) -> dict[str, Any]:
    state = PROPOSAL.after(one.state, "agree")
    _mark(ctx, one, state=state, agreed_by=ctx.actor.user_id)
    ctx.change("receipt_proposal", one.id, {"state": one.state}, {"state": state, "note": note})
    return {"proposal_id": one.id, "proposal_state": state, **desk.said(entry)}


def _mark(ctx: Context, one: Row[Any], **values: str | None) -> None:
    table = proposing.PROPOSALS
    ctx.conn.execute(update(table).where(table.c.id == one.id).values(**values))


@command("receipt.propose", Reconsider)
def reconsider(ctx: Context, _data: Reconsider) -> dict[str, Any]:
    """Propose anew for receipts that wait whole: what is open has changed since they came.

    What one person of two has agreed to stays.
    """
    agreed = select(proposing.PROPOSALS.c.bank_entry_id).where(
        proposing.PROPOSALS.c.state == "AGREED"
    )
    # What the sender's own paper proposes is better than what the text alone would.
    advised = select(ADVICE.c.bank_entry_id).where(ADVICE.c.bank_entry_id.is_not(None))
    ids = ctx.conn.execute(
        select(ENTRY.c.id)
        .where(
            ENTRY.c.financier_id == ctx.actor.org_id,
            ENTRY.c.amount_minor > 0,
            ENTRY.c.unallocated_minor == ENTRY.c.amount_minor,
            ENTRY.c.state == "RECEIVED",
            ENTRY.c.id.not_in(agreed),
            ENTRY.c.id.not_in(advised),
        )
        .order_by(ENTRY.c.value_on, ENTRY.c.id)
        .limit(MAX_REVIEWED)
    ).scalars()
    rows = ctx.lock(BankEntry, list(ids))
    waiting = [one for row in rows.values() if (one := proposing.look_again(ctx.conn, row))]
    weighed = proposing.weigh(ctx.conn, ctx.actor.org_id, waiting)
    count = proposing.keep(ctx, [one.entry for one in waiting], weighed)
    return {"tried": len(waiting), "proposals": count}
