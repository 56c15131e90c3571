"""What officers do: take and close alerts, and look up in two what an authority cannot say."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id
from scf.documents.models import Invoice
from scf.documents.taxcheck import asking
from scf.documents.taxcheck.port import Answer
from scf.documents.taxcheck.standing import Standing
from scf.financing.lifecycle import ENDED
from scf.financing.models import Advance
from scf.financing.taxwatch.demands import demands_of
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
from scf.financing.taxwatch.standstill import ALERT
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.service import same_person

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
VOUCH: Final[Table] = TaxVouch.__table__  # type: ignore[attr-defined]
Outcome = Literal["RECOURSE", "CREDIT_NOTE", "CLEARED", "UNDERTAKING"]

constraint_means(
    "uq_tax_vouch_waiting",
    "tax_vouch.invoice_id, tax_vouch.financier_id",
    lambda: Conflict("STALE", "Somebody has just said what they saw of this invoice."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class TakeAlert(_Input):
    """An alert that somebody makes their own."""

    alert_id: Id


class CloseAlert(TakeAlert):
    """What became of an alert, and what that rests on."""

    outcome: Outcome
    note: str = Field(min_length=3)


class AskAuthority(_Input):
    """An invoice about which its tax authority is asked now."""

    invoice_id: Id


class Vouch(_Input):
    """An invoice whose authority is away, and what a person saw of it elsewhere."""

    invoice_id: Id
    evidence: str = Field(min_length=3)


class DecideVouch(_Input):
    """The second person's word on what the first one saw."""

    vouch_id: Id
    agree: bool


@command("tax.ask", AskAuthority)
def ask_authority(ctx: Context, data: AskAuthority) -> dict[str, Any]:
    """The worker asks the tax authority about an invoice, where a programme wants its word.

    Raises
    ------
    NotAllowed
        For a firm that is not the seller.
    """
    ctx.visible(Invoice, data.invoice_id)
    invoice = ctx.lock(Invoice, [data.invoice_id])[data.invoice_id]
    if Role.TREASURER in ctx.actor.roles and invoice.seller_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only its seller and its banks ask about an invoice.")
    key = f"{invoice.id}:{ctx.now.isoformat()}"
    job_id = ctx.enqueue("tax.ask", {"invoice_ids": [invoice.id]}, key)
    ctx.change("tax_check", invoice.id, None, {"asked": True})
    return {"invoice_id": invoice.id, "job_id": job_id}


# --- Alerts ---------------------------------------------------------------------------------------


@command("tax.take_alert", TakeAlert)
def take_alert(ctx: Context, data: TakeAlert) -> dict[str, Any]:
    """An officer makes an alert their own; whoever had it before is relieved of it.

    Raises
    ------
    Conflict
        ALERT_CLOSED.
    """
    row = _open(ctx, data.alert_id)
    values = {"state": "TAKEN", "owner_id": ctx.actor.user_id, "taken_at": ctx.now}
    ctx.conn.execute(update(ALERT).where(ALERT.c.id == row.id).values(**values))
    ctx.change(
        "tax_alert",
        row.id,
        {"state": row.state, "owner_id": row.owner_id},
        {"state": "TAKEN", "owner_id": ctx.actor.user_id},
    )
    return {"alert_id": row.id, "state": "TAKEN", "owner_id": ctx.actor.user_id}


@command("tax.close_alert", CloseAlert)
def close_alert(ctx: Context, data: CloseAlert) -> dict[str, Any]:
    """An alert is over, for a reason that the books and documents bear out.

    Raises
    ------
    RuleViolation
        ALERT_STANDS when the outcome is not what they say.
    Conflict
        ALERT_CLOSED.
    """
    row = _open(ctx, data.alert_id)
    invoice = ctx.lock(Invoice, [row.invoice_id])[row.invoice_id]
    if not _is_so(ctx, row, invoice, data.outcome):
        raise RuleViolation(
            "ALERT_STANDS",
            "Books and documents do not say so yet; the alert stays open.",
            alert_id=row.id,
            outcome=data.outcome,
        )
    values = {
        "state": "CLOSED",
        "outcome": data.outcome,
        "note": data.note,
        "closed_by": ctx.actor.user_id,
        "closed_at": ctx.now,
    }
    ctx.conn.execute(update(ALERT).where(ALERT.c.id == row.id).values(**values))
    ctx.change(
        "tax_alert", row.id, {"state": row.state}, {"state": "CLOSED", "outcome": data.outcome}
    )
    return {"alert_id": row.id, "state": "CLOSED", "outcome": data.outcome}


def _open(ctx: Context, alert_id: str) -> Row[Any]:
    ctx.visible(TaxAlert, alert_id)
    row = ctx.conn.execute(select(ALERT).where(ALERT.c.id == alert_id).with_for_update()).one()
    if row.state == "CLOSED":
        raise Conflict("ALERT_CLOSED", "Somebody has closed this alert.", alert_id=row.id)
    return row


def _is_so(ctx: Context, alert: Row[Any], invoice: Row[Any], outcome: Outcome) -> bool:
    if outcome == "UNDERTAKING":
        return bool(invoice.ipu)  # the buyer owes it whatever becomes of the paper
    if outcome == "RECOURSE":
        called = ("RECOURSE_CALLED", *ENDED)
        still = select(_ADVANCE.c.id).where(
            _ADVANCE.c.invoice_id == invoice.id,
            _ADVANCE.c.financier_id == alert.financier_id,
            _ADVANCE.c.state.not_in(called),
        )
        return ctx.conn.execute(still.limit(1)).first() is None
    raised = ctx.conn.execute(select(asking.CHECK).where(asking.CHECK.c.id == alert.check_id)).one()
    known = asking.standings(ctx.conn, [invoice], raised.scheme, alert.financier_id)
    word = known[invoice.id].word
    if word is None:
        return False
    if outcome == "CREDIT_NOTE":
        return word.answer == "CREDITED" and word.credited_minor <= invoice.credited_minor
    return word.answer == "VALID"


# --- While an authority is away -------------------------------------------------------------------


@command("tax.vouch", Vouch)
def vouch(ctx: Context, data: Vouch) -> dict[str, Any]:
    """An officer says where else an invoice was seen to be valid; another one has to agree.

    Raises
    ------
    RuleViolation
        TAX_ANSWERS while the authority can be asked, or has said anything against the invoice.
    Conflict
        STALE, when somebody's word waits already.
    """
    ctx.visible(Invoice, data.invoice_id)
    invoice = ctx.lock(Invoice, [data.invoice_id])[data.invoice_id]
    standing = _away(ctx, invoice)
    row = {
        "id": new_id(),
        "invoice_id": invoice.id,
        "financier_id": ctx.actor.org_id,
        "scheme": standing.scheme,
        "evidence": data.evidence,
        "state": "PROPOSED",
        "proposed_by": ctx.actor.user_id,
        "proposed_at": ctx.now,
        "decided_by": None,
        "decided_at": None,
    }
    ctx.conn.execute(insert(VOUCH), row)
    ctx.change("tax_vouch", str(row["id"]), None, {"state": "PROPOSED", "invoice_id": invoice.id})
    return {"vouch_id": row["id"], "state": "PROPOSED"}


@command("tax.decide_vouch", DecideVouch)
def decide_vouch(ctx: Context, data: DecideVouch) -> dict[str, Any]:
    """A second officer agrees: for a day their financier may go on as if the authority had spoken.

    Raises
    ------
    NotAllowed
        FOUR_EYES, for the person who looked first.
    RuleViolation
        TAX_ANSWERS, when the authority has spoken meanwhile.
    Conflict
        STALE, when it is decided.
    """
    ctx.visible(TaxVouch, data.vouch_id)
    row = ctx.conn.execute(select(VOUCH).where(VOUCH.c.id == data.vouch_id)).one()
    invoice = ctx.lock(Invoice, [row.invoice_id])[row.invoice_id]
    row = ctx.conn.execute(select(VOUCH).where(VOUCH.c.id == data.vouch_id)).one()
    if row.state != "PROPOSED":
        raise Conflict("STALE", "Somebody else has just decided this; read it again.")
    if data.agree:
        if same_person(ctx.conn, ctx.actor.user_id, [row.proposed_by]):
            raise NotAllowed("FOUR_EYES", "Another person has to look at this, too.")
        _away(ctx, invoice)
        kept = asking.Kept(invoice.id, row.scheme, Answer("VALID", reference=row.evidence))
        asking.keep(ctx, [kept], "person", source="people", financier_id=row.financier_id)
    state = "CONFIRMED" if data.agree else "REFUSED"
    ctx.conn.execute(
        update(VOUCH)
        .where(VOUCH.c.id == row.id)
        .values(state=state, decided_by=ctx.actor.user_id, decided_at=ctx.now)
    )
    ctx.change("tax_vouch", row.id, {"state": row.state}, {"state": state})
    return {"vouch_id": row.id, "state": state}


def _away(ctx: Context, invoice: Row[Any]) -> Standing:
    """Give how an invoice stands, which nobody could be asked about and nothing is held against."""
    own = [
        demand
        for demand in demands_of(ctx.conn, [invoice])[invoice.id]
        if demand.financier_id == ctx.actor.org_id
    ]
    for demand in own:
        known = asking.standings(ctx.conn, [invoice], demand.scheme, demand.financier_id)
        standing = known[invoice.id]
        bad = standing.word is not None and standing.word.answer != "VALID"
        if standing.failed_at is not None and not bad:
            return standing
    raise RuleViolation(
        "TAX_ANSWERS",
        "Two people look it up only while the tax authority is away.",
        invoice_id=invoice.id,
    )
