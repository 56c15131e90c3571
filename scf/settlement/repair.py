"""A refused or returned pay-out is repaired: it goes to another account that has been verified.

The money stays as it was decided. What was refused and is past its day is given another first, at
the price of that day (``redating.py``). The next instruction gets a name of its own and is
linked to the one it stands for; a second person releases it. Source: finance.md section 3
(settlement out: the changed instruction, approved again; a changed account cools off first).
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from scf.db.runner import Context, command
from scf.db.types import Id
from scf.financing import advances
from scf.financing.models import Advance
from scf.kernel.errors import Conflict, RuleViolation
from scf.parties.models import BankAccount
from scf.parties.service import business_date, verified_account
from scf.settlement import instructions
from scf.settlement.payout import AGAIN


class RepairPayout(BaseModel):
    """A failed or returned advance, the payee's account that it goes to now, and why."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    advance_id: Id
    account_id: Id
    note: str = Field(min_length=3, max_length=4000)


@command("payout.repair", RepairPayout)
def repair(ctx: Context, data: RepairPayout) -> dict[str, Any]:
    """The next payment of an advance goes to another account than the one that was refused.

    Raises
    ------
    Conflict
        NOT_READY while the money may still be out; PAYMENT_PREPARED while a file is about to pay
        it; ACCOUNT_SAME for the account that it went to.
    RuleViolation
        ACCOUNT_UNVERIFIED for an account that this financier has not verified, or that cools off.
    """
    ctx.visible(Advance, data.advance_id)
    ctx.visible(BankAccount, data.account_id)
    row = advances.lock(ctx, [data.advance_id])[data.advance_id]
    if row.state not in AGAIN:
        raise Conflict(
            "NOT_READY",
            "Only what the bank refused or returned is repaired; this is %(state)s.",
            state=row.state,
        )
    if instructions.being_paid(ctx.conn, [row.id]):
        raise Conflict("PAYMENT_PREPARED", "A payment file is about to pay this; cancel it first.")
    if data.account_id == row.payee_account_id:
        raise Conflict("ACCOUNT_SAME", "This is the account that the payment went to.")
    today = business_date(ctx.conn, row.financier_id)
    account = verified_account(
        ctx.conn, row.seller_id, row.currency, today, financier_id=row.financier_id
    )
    if account is None or account.id != data.account_id:
        raise RuleViolation(
            "ACCOUNT_UNVERIFIED",
            "This is not the account of the seller that you have verified and that may receive.",
            account_id=data.account_id,
        )
    facts = {"account_id": account.id, "instead_of": row.payee_account_id, "note": data.note}
    columns = {"payee_account_id": account.id}
    (after,) = advances.transition_many(ctx, [row], "redirect", today, facts, columns)
    return {"advance_id": row.id, "state": after.state, "account_id": account.id}
