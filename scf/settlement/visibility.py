"""Who sees payments and bank entries: the financier whose bank it is; a payee, what it is paid."""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.settlement.models import (
    Allocation,
    BankEntry,
    BankStatement,
    PaymentFile,
    PaymentInstruction,
    ReceiptProposal,
)


@visible_to(PaymentFile)
def _own_files(actor: Actor) -> ColumnElement[bool]:
    return col(PaymentFile.financier_id) == actor.org_id


@visible_to(PaymentInstruction)
def _own_payments(actor: Actor) -> ColumnElement[bool]:
    return or_(
        col(PaymentInstruction.financier_id) == actor.org_id,
        col(PaymentInstruction.payee_id) == actor.org_id,
    )


@visible_to(BankStatement)
def _own_statements(actor: Actor) -> ColumnElement[bool]:
    return col(BankStatement.financier_id) == actor.org_id


@visible_to(BankEntry)
def _own_entries(actor: Actor) -> ColumnElement[bool]:
    return col(BankEntry.financier_id) == actor.org_id


@visible_to(ReceiptProposal)
def _own_proposals(actor: Actor) -> ColumnElement[bool]:
    return col(ReceiptProposal.financier_id) == actor.org_id


@visible_to(Allocation)
def _own_allocations(actor: Actor) -> ColumnElement[bool]:
    own = select(col(BankEntry.id)).where(col(BankEntry.financier_id) == actor.org_id)
    return or_(
        col(Allocation.payee_id) == actor.org_id,
        col(Allocation.bank_entry_id).in_(own),
    )
