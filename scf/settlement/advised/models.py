"""Papers that explain a bank credit: what payers and platforms say of it."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    Currency,
    Id,
    IdKey,
    Instant,
    Json,
    Minor,
    OptDay,
    OptId,
    OptInstant,
    Record,
    Text,
    table_args,
)


class PaymentAdvice(Record, table=True):
    """A remittance advice or a platform's settlement, as its sender wrote it; read once.

    ``lines`` carry place, kind, number, amount_minor (signed), reason and paper, and add up to
    ``net_minor``. ``bank_entry_id`` is the credit that it explains.
    """

    __tablename__ = "payment_advice"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_advice_financier"),
        ForeignKeyConstraint(["bank_entry_id"], ["bank_entry.id"], name="fk_advice_entry"),
        UniqueConstraint("financier_id", "kind", "sender_id", "number", name="uq_payment_advice"),
        UniqueConstraint("bank_entry_id", name="uq_payment_advice_entry"),
        Index("ix_payment_advice_waiting", "financier_id", "state", "net_minor"),
        CheckConstraint("net_minor > 0", name="ck_payment_advice_net"),
        CheckConstraint(
            "state IN ('WAITING', 'MATCHED', 'WITHDRAWN')", name="ck_payment_advice_state"
        ),
    )
    id: IdKey
    financier_id: Id
    kind: Code  # remittance platform
    number: Text
    sender_id: Id  # who pays
    merchant_id: OptId  # of a settlement: whose sales were paid
    reference: Text
    currency: Currency
    paid_on: OptDay
    net_minor: Minor
    lines: Json
    mark: Code  # fingerprint of what it says
    sha256: Code  # of the file it came in
    name: Text
    state: Code = "WAITING"
    bank_entry_id: OptId
    created_by: Id
    created_at: Instant
    matched_at: OptInstant
