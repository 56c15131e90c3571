"""Payment instructions and the files they travel in: writing them, moving their states.

Inner functions of this slice; the commands that use them lock first.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context
from scf.kernel.errors import Conflict
from scf.kernel.ids import new_id
from scf.kernel.money import Money
from scf.settlement.lifecycle import INSTRUCTION, OVER
from scf.settlement.models import PaymentFile, PaymentInstruction
from scf.settlement.writers import (
    VERSION_09,
    PaymentAccount,
    PaymentBatch,
    PaymentParty,
    end_to_end_id,
    write_pain001,
)
from scf.settlement.writers import PaymentInstruction as PaymentLine

FILE_TABLE: Final[Table] = PaymentFile.__table__  # type: ignore[attr-defined]
INSTRUCTION_TABLE: Final[Table] = PaymentInstruction.__table__  # type: ignore[attr-defined]

constraint_means(
    "uq_end_to_end",
    "payment_instruction.end_to_end_id",
    lambda: Conflict("PAYMENT_PREPARED", "Somebody has prepared one of these payments already."),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Payment:
    """Something to be paid: an advance to its seller, or money that is somebody else's."""

    kind: str
    subject_id: str
    advance_id: str | None
    payee_id: str
    amount: int
    currency: str
    value_on: dt.date
    remittance: str = ""
    invoice_number: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """How the bank wants a payment file: the version, whether it may debit one sum, its shape."""

    version: str = VERSION_09
    batch_booking: bool = False
    domestic: bool = False


def prepared(
    ctx: Context, due: Sequence[tuple[Payment, Row[Any]]], own: Row[Any], form: Form
) -> Row[Any]:
    """Write one payment file: payments of one currency and day, each with its payee's account.

    The bytes depend on ids and instants stored with the file only, so they never change.
    """
    first = due[0][0]
    file_id = new_id()
    before = _last_tries(ctx.conn, (payment.subject_id for payment, _ in due))
    rows = [
        {
            "id": new_id(),
            "financier_id": own.firm_id,
            "file_id": file_id,
            "kind": payment.kind,
            "advance_id": payment.advance_id,
            "subject_id": payment.subject_id,
            "payee_id": payment.payee_id,
            "account_id": account.id,
            "currency": payment.currency,
            "amount_minor": payment.amount,
            "end_to_end_id": end_to_end_id(
                payment.subject_id, before[payment.subject_id].attempt + 1
            ),
            "attempt": before[payment.subject_id].attempt + 1,
            "replaces_id": before[payment.subject_id].id,
            "state": "CREATED",
            "status_code": None,
            "value_on": payment.value_on,
            "settled_on": None,
            "created_at": ctx.now,
        }
        for payment, account in due
    ]
    message_id = file_id.replace("-", "")
    content = write_pain001(
        PaymentBatch(
            message_id=message_id,
            created_at=ctx.now,
            requested_on=first.value_on,
            debtor=party(own),
            version=form.version,
            batch_booking=form.batch_booking,
            domestic=form.domestic,
            instructions=tuple(
                PaymentLine(
                    end_to_end_id=str(row["end_to_end_id"]),
                    creditor=party(account),
                    amount=Money(payment.amount, payment.currency),
                    remittance=payment.remittance,
                    invoice_numbers=(payment.invoice_number,) if payment.invoice_number else (),
                )
                for row, (payment, account) in zip(rows, due, strict=True)
            ),
        )
    )
    file = ctx.conn.execute(
        insert(FILE_TABLE).returning(FILE_TABLE),
        {
            "id": file_id,
            "financier_id": own.firm_id,
            "msg_id": message_id,
            "state": "CREATED",
            "execution_on": first.value_on,
            "account_id": own.id,
            "currency": first.currency,
            "count": len(rows),
            "total_minor": sum(payment.amount for payment, _ in due),
            "content": content,
            "sha256": sha256(content).hexdigest(),
            "prepared_by": ctx.actor.user_id,
            "prepared_at": ctx.now,
            "released_by": None,
            "released_at": None,
        },
    ).one()
    ctx.conn.execute(insert(INSTRUCTION_TABLE), rows)
    ctx.change("payment_file", file_id, None, {"state": "CREATED", "sha256": file.sha256})
    return file


def _account(account: Row[Any]) -> PaymentAccount:
    if account.is_iban:
        return PaymentAccount(iban=account.number)
    return PaymentAccount(other=account.number, scheme="BBAN" if account.clearing_system else "")


def party(account: Row[Any]) -> PaymentParty:
    """Give the holder of an account as a side of a payment."""
    return PaymentParty(
        name=account.holder,
        account=_account(account),
        bic=account.bic or "",
        clearing_system=account.clearing_system or "",
        clearing_member=account.clearing_member or "",
        street=account.street,
        postcode=account.postcode,
        town=account.town,
        country=account.country or "",
    )


class _Try(NamedTuple):
    """The last instruction that tried to pay a thing; of what was never tried, number 0."""

    id: str | None
    attempt: int


def _last_tries(conn: Connection, subject_ids: Iterable[str]) -> dict[str, _Try]:
    wanted = sorted(set(subject_ids))
    rows = conn.execute(
        select(INSTRUCTION_TABLE.c.subject_id, INSTRUCTION_TABLE.c.id, INSTRUCTION_TABLE.c.attempt)
        .where(INSTRUCTION_TABLE.c.subject_id.in_(wanted))
        .order_by(INSTRUCTION_TABLE.c.attempt)
    )
    tried = {row.subject_id: _Try(row.id, row.attempt) for row in rows}
    return {subject: tried.get(subject, _Try(None, 0)) for subject in wanted}


def being_paid(conn: Connection, subject_ids: Iterable[str]) -> set[str]:
    """Give those of these things that an instruction is paying, or has paid, already."""
    wanted = sorted(set(subject_ids))
    if not wanted:
        return set()
    rows = conn.execute(
        select(INSTRUCTION_TABLE.c.subject_id).where(
            INSTRUCTION_TABLE.c.subject_id.in_(wanted),
            INSTRUCTION_TABLE.c.state.not_in(sorted(OVER)),
        )
    )
    return set(rows.scalars())


def of_file(conn: Connection, file_id: str) -> list[Row[Any]]:
    """Read the instructions of a file in the order of their making."""
    return list(
        conn.execute(
            select(INSTRUCTION_TABLE)
            .where(INSTRUCTION_TABLE.c.file_id == file_id)
            .order_by(INSTRUCTION_TABLE.c.id)
        )
    )


def move(
    ctx: Context,
    rows: Sequence[Row[Any]],
    event: str,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Take instructions one step together.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION.
    """
    by_state: dict[str, list[str]] = {}
    for row in rows:
        after = INSTRUCTION.after(row.state, event)
        by_state.setdefault(after, []).append(row.id)
        ctx.change(
            "payment_instruction", row.id, {"state": row.state}, {"state": after, "event": event}
        )
    for state, ids in by_state.items():
        ctx.conn.execute(
            update(INSTRUCTION_TABLE)
            .where(INSTRUCTION_TABLE.c.id.in_(ids))
            .values(state=state, **(values or {}))
        )
