"""Commands on papers: kept once, taken back, and held against their credit."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Code, Currency, Id, OptDay, OptId, SignedMinor, Text
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id
from scf.parties.models import Firm
from scf.settlement.advised import placing
from scf.settlement.advised.evidence import ADVICE, Credit, partners, senders_of
from scf.settlement.advised.models import PaymentAdvice
from scf.settlement.advised.papers import MOST_LINES, PLATFORM
from scf.settlement.models import BankEntry


def _twice() -> Conflict:
    return Conflict("STALE", "Somebody hands in the same paper at this moment.")


constraint_means(
    "uq_payment_advice",
    "payment_advice.financier_id, payment_advice.kind, payment_advice.sender_id,"
    " payment_advice.number",
    _twice,
)
constraint_means("uq_payment_advice_entry", "payment_advice.bank_entry_id", _twice)


class LineIn(BaseModel):
    """One line of a paper; amounts that take off are negative."""

    model_config = ConfigDict(extra="forbid")

    place: Text
    kind: Code
    number: Text
    amount_minor: SignedMinor
    reason: Text = ""
    paper: Text = ""


class KeepAdvice(BaseModel):
    """A paper as it was read, its parties found."""

    model_config = ConfigDict(extra="forbid")

    kind: Code
    number: Text = Field(min_length=1)
    sender_id: Id
    merchant_id: OptId = None
    reference: Text = ""
    currency: Currency
    paid_on: OptDay = None
    net_minor: SignedMinor = Field(gt=0)
    lines: list[LineIn] = Field(min_length=1, max_length=2 * MOST_LINES)
    mark: Code
    sha256: Code
    name: Text = ""


class PairAdvice(BaseModel):
    """A waiting paper, and the credit that it may speak of."""

    model_config = ConfigDict(extra="forbid")

    advice_id: Id
    entry_id: Id


class WithdrawAdvice(BaseModel):
    """A paper that was handed in by mistake, and why."""

    model_config = ConfigDict(extra="forbid")

    advice_id: Id
    note: Text = Field(min_length=1, max_length=4000)


@command("advice.keep", KeepAdvice)
def keep_advice(ctx: Context, data: KeepAdvice) -> dict[str, Any]:
    """The paper waits for its credit; handed in again it changes nothing.

    Raises
    ------
    Conflict
        ADVICE_CHANGED, when this sender's paper of this number says something else.
    InvalidInput
        ADVICE_SUM, when the lines are not the net sum.
    """
    if sum(one.amount_minor for one in data.lines) != data.net_minor:
        raise InvalidInput("ADVICE_SUM", "The lines do not add up to the net sum.")
    if (data.merchant_id is None) is (data.kind == PLATFORM):
        raise InvalidInput("ADVICE_MERCHANT", "A settlement of a platform names its merchant.")
    for firm_id in filter(None, (data.sender_id, data.merchant_id)):
        ctx.visible(Firm, firm_id)
    known = ctx.conn.execute(
        select(ADVICE).where(
            ADVICE.c.financier_id == ctx.actor.org_id,
            ADVICE.c.kind == data.kind,
            ADVICE.c.sender_id == data.sender_id,
            ADVICE.c.number == data.number,
        )
    ).one_or_none()
    if known is not None:
        if known.mark != data.mark:
            raise Conflict(
                "ADVICE_CHANGED",
                "A paper of this number is here already and says something else.",
                advice_id=known.id,
            )
        if known.state == "WITHDRAWN":
            ctx.conn.execute(update(ADVICE).where(ADVICE.c.id == known.id).values(state="WAITING"))
            ctx.change("payment_advice", known.id, {"state": "WITHDRAWN"}, {"state": "WAITING"})
            return {"advice_id": known.id, "state": "WAITING", "again": True}
        return {"advice_id": known.id, "state": known.state, "again": True}
    row = {
        "id": new_id(),
        "financier_id": ctx.actor.org_id,
        "state": "WAITING",
        "bank_entry_id": None,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
        "matched_at": None,
        **data.model_dump(exclude={"lines"}),
        "lines": [one.model_dump() for one in data.lines],
    }
    ctx.conn.execute(insert(ADVICE), row)
    told = {"number": data.number, "net_minor": data.net_minor, "sha256": data.sha256}
    ctx.change("payment_advice", str(row["id"]), None, told)
    return {"advice_id": row["id"], "state": "WAITING", "again": False}


@command("advice.pair", PairAdvice)
def pair_advice(ctx: Context, data: PairAdvice) -> dict[str, Any]:
    """Hold a paper against its credit: placed where all agrees, else proposed to a person.

    Refunds of a platform lower the financed orders that they name, which opens an over-advance;
    then the credit is swept over the merchant's advances.

    Raises
    ------
    Conflict
        ADVICE_PAIRED, when paper or credit moved on, or a second credit or paper fits as well.
    """
    ctx.visible(BankEntry, data.entry_id)
    ctx.visible(PaymentAdvice, data.advice_id)
    entry = ctx.lock(BankEntry, [data.entry_id])[data.entry_id]
    paper = ctx.lock(PaymentAdvice, [data.advice_id])[data.advice_id]
    if not placing.waits_whole(entry) or paper.state != "WAITING":
        raise _moved_on()
    found = partners(
        ctx.conn, entry.financier_id, [Credit(entry, senders_of(ctx.conn, entry))]
    ).get(entry.id)
    if found is None or found.id != paper.id:
        raise _moved_on()
    ctx.conn.execute(
        update(ADVICE)
        .where(ADVICE.c.id == paper.id)
        .values(state="MATCHED", bank_entry_id=entry.id, matched_at=ctx.now)
    )
    ctx.change(
        "payment_advice",
        paper.id,
        {"state": "WAITING"},
        {"state": "MATCHED", "bank_entry_id": entry.id},
    )
    return placing.place(ctx, paper, entry, senders_of(ctx.conn, entry))


@command("advice.withdraw", WithdrawAdvice)
def withdraw_advice(ctx: Context, data: WithdrawAdvice) -> dict[str, Any]:
    """A waiting paper explains nothing any more.

    Raises
    ------
    Conflict
        ADVICE_PAIRED, once it has explained a credit: take that receipt back instead.
    """
    ctx.visible(PaymentAdvice, data.advice_id)
    row = ctx.lock(PaymentAdvice, [data.advice_id])[data.advice_id]
    if row.state != "WAITING":
        raise _moved_on()
    ctx.conn.execute(update(ADVICE).where(ADVICE.c.id == row.id).values(state="WITHDRAWN"))
    ctx.change(
        "payment_advice", row.id, {"state": row.state}, {"state": "WITHDRAWN", "note": data.note}
    )
    return {"advice_id": row.id, "state": "WITHDRAWN"}


def _moved_on() -> Conflict:
    return Conflict("ADVICE_PAIRED", "This paper or its credit has moved on; look again.")
