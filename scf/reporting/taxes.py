"""The officer's desk of tax checks: alerts, second words, and what nobody could be asked."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.lifecycle import ENDED
from scf.financing.models import Advance
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
from scf.financing.taxwatch.standstill import SILENT
from scf.kernel.actor import Actor
from scf.parties.service import firm_names, people_names

MOST: Final = 100
CALLED: Final = frozenset({"RECOURSE_CALLED", "RECOURSE_CONTESTED"})


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert with the invoice it is about, what was answered, and whose work it is."""

    alert: Any  # the row
    check: Any  # the answer that raised it
    number: str
    seller: str
    buyer: str
    undertaken: bool
    owner: str
    closed_by: str
    advance_id: str
    next_step: str


@dataclass(frozen=True, slots=True)
class VouchLine:
    """What one officer saw of an invoice, waiting for another one."""

    vouch: Any
    number: str
    seller: str
    who: str


@dataclass(frozen=True, slots=True)
class AwayLine:
    """An invoice about which nobody could be asked."""

    invoice_id: str
    number: str
    seller: str
    currency: str
    payable_minor: int
    tried_at: dt.datetime
    reason: str


def alerts(session: Session, *, closed: bool = False) -> list[AlertLine]:
    """Give the alerts that the reader may see: open ones the oldest first, else the newest."""
    state = col(TaxAlert.state)
    rows = session.execute(
        select(TaxAlert, Invoice, TaxCheck)
        .join(Invoice, col(Invoice.id) == col(TaxAlert.invoice_id))
        .join(TaxCheck, col(TaxCheck.id) == col(TaxAlert.check_id))
        .where(state == "CLOSED" if closed else state != "CLOSED")
        .order_by(
            col(TaxAlert.closed_at).desc() if closed else col(TaxAlert.opened_at),
            col(TaxAlert.id),
        )
        .limit(MOST)
    ).all()
    conn = session.connection()
    firms = firm_names(
        conn, {one for _a, row, _c in rows for one in (row.seller_id, row.buyer_id) if one}
    )
    people = people_names(
        conn, {one for row, _i, _c in rows for one in (row.owner_id, row.closed_by) if one}
    )
    advances = {
        one.invoice_id: one
        for one in session.execute(
            select(Advance)
            .where(col(Advance.invoice_id).in_([row.id for _a, row, _c in rows]))
            .order_by(col(Advance.id))
        ).scalars()
    }
    return [
        AlertLine(
            alert,
            check,
            row.number,
            firms.get(row.seller_id or "", ""),
            firms.get(row.buyer_id or "", ""),
            row.ipu,
            people.get(alert.owner_id or "", ""),
            people.get(alert.closed_by or "", ""),
            *_place(alert.kind, row, advances.get(row.id)),
        )
        for alert, row, check in rows
    ]


def next_step(kind: str, *, undertaken: bool, state: str) -> str:
    """Name what a person does next about an alert; ``state`` is that of the advance.

    Source: under an irrevocable undertaking the buyer pays whatever becomes of the paper; else the
    seller has warranted the invoice and answers for it in every programme.
    """
    steps = (
        (kind == SILENT, "ASK_AGAIN"),
        (undertaken, "UNDERTAKING"),
        (state in CALLED, "WATCH"),
        (state in ENDED, "CLOSE"),
        (kind == "CREDITED", "CREDIT_NOTE"),
        (kind == "VOIDED", "RECOURSE"),
    )
    return next((step for holds, step in steps if holds), "CORRECT")


def _place(kind: str, invoice: Invoice, advance: Advance | None) -> tuple[str, str]:
    state = advance.state if advance is not None else ""
    step = next_step(kind, undertaken=invoice.ipu, state=state)
    return (advance.id if advance is not None else "", step)


def vouches(session: Session) -> list[VouchLine]:
    """Give what waits for a second person."""
    rows = session.execute(
        select(TaxVouch, Invoice)
        .join(Invoice, col(Invoice.id) == col(TaxVouch.invoice_id))
        .where(col(TaxVouch.state) == "PROPOSED")
        .order_by(col(TaxVouch.proposed_at), col(TaxVouch.id))
        .limit(MOST)
    ).all()
    conn = session.connection()
    firms = firm_names(conn, {row.seller_id for _v, row in rows if row.seller_id})
    people = people_names(conn, {vouch.proposed_by for vouch, _row in rows})
    return [
        VouchLine(
            vouch,
            row.number,
            firms.get(row.seller_id or "", ""),
            people.get(vouch.proposed_by, ""),
        )
        for vouch, row in rows
    ]


def away(session: Session, since: dt.datetime) -> list[AwayLine]:
    """Give the invoices whose last try since then had no answer, the newest try first."""
    later = aliased(TaxCheck)
    waiting = select(col(TaxVouch.id)).where(
        col(TaxVouch.invoice_id) == col(TaxCheck.invoice_id), col(TaxVouch.state) == "PROPOSED"
    )
    newer = select(col(later.id)).where(
        col(later.invoice_id) == col(TaxCheck.invoice_id),
        or_(
            col(later.asked_at) > col(TaxCheck.asked_at),
            (col(later.asked_at) == col(TaxCheck.asked_at)) & (col(later.id) > col(TaxCheck.id)),
        ),
    )
    rows = session.execute(
        select(TaxCheck, Invoice)
        .join(Invoice, col(Invoice.id) == col(TaxCheck.invoice_id))
        .where(
            col(TaxCheck.answer) == "UNAVAILABLE",
            col(TaxCheck.asked_at) >= since,
            ~newer.exists(),
            ~waiting.exists(),
        )
        .order_by(col(TaxCheck.asked_at).desc(), col(TaxCheck.id))
        .limit(MOST)
    ).all()
    firms = firm_names(session.connection(), {row.seller_id for _c, row in rows if row.seller_id})
    return [
        AwayLine(
            row.id,
            row.number,
            firms.get(row.seller_id or "", ""),
            row.currency,
            row.payable_minor,
            check.asked_at,
            check.reason,
        )
        for check, row in rows
    ]


def waiting(who: Actor) -> Select[int]:
    """Count the alerts that are not closed and the second words that this person may say."""
    open_alerts = select(func.count(col(TaxAlert.id))).where(
        col(TaxAlert.financier_id) == who.org_id, col(TaxAlert.state) != "CLOSED"
    )
    proposed = select(func.count(col(TaxVouch.id))).where(
        col(TaxVouch.financier_id) == who.org_id,
        col(TaxVouch.state) == "PROPOSED",
        col(TaxVouch.proposed_by) != who.user_id,
    )
    return select(open_alerts.scalar_subquery() + proposed.scalar_subquery())
