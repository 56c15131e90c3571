"""What the anchor has to pay: per due day, and to whom, as the notices of assignment say."""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, render_template, request, url_for
from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.errorfile import cell
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.kernel.money import format_minor
from scf.parties.service import firm_names
from scf.reporting.anchor import payees_of_record
from web.api.v1.files import attachment
from web.context import actor, platform
from web.portal.anchor.blueprint import anchor, bought, today, unpaid

PAGE: Final = 100
_MOST: Final = 50_000
ANSWERED: Final = ("ACCEPTED", "PART_ACCEPTED", "DEEMED")


@dataclass(frozen=True)
class Due:
    """One invoice to pay, and the payee of record."""

    row: Invoice
    owed: int
    payee: str
    seller: str
    to_bank: bool


@anchor.get("/payments")
def payments() -> str:
    """Show what is accepted and not paid, the next due day first."""
    after = request.args.get("after", "")[:100]
    with platform().db.read(actor()) as reading:
        found = _due()
        day, _sign, row_id = after.partition("~")
        if row_id and (since := _day(day)):
            found = found.where(
                (col(Invoice.due_on) > since)
                | ((col(Invoice.due_on) == since) & (col(Invoice.id) > row_id))
            )
        rows = list(reading.execute(found.limit(PAGE + 1)).scalars())
        shown = _told(reading, rows[:PAGE])
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        older = f"{last.due_on.isoformat()}~{last.id}" if last and last.due_on else ""
        return render_template(
            "anchor/payments.html",
            days=_by_day(shown),
            today=today(reading.connection()),
            newer=url_for("anchor.payments") if after else "",
            older=url_for("anchor.payments", after=older) if older else "",
        )


@anchor.get("/payments.csv")
def payments_csv() -> Response:
    """Give the same list as a file for the paying bank or the accounts."""
    with platform().db.read(actor()) as reading:
        rows = _told(reading, list(reading.execute(_due().limit(_MOST)).scalars()))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["due_on", "invoice", "supplier", "pay_to", "amount", "currency"])
    for one in rows:
        due_on = one.row.due_on.isoformat() if one.row.due_on else ""
        texts = [cell(text) for text in (one.row.number, one.seller, one.payee)]
        writer.writerow(
            [due_on, *texts, format_minor(one.owed, one.row.currency), one.row.currency]
        )
    return attachment(out.getvalue().encode("utf-8-sig"), "payments-due.csv", "text/csv")


def _due() -> Any:  # noqa: ANN401 - a select
    return (
        select(Invoice)
        .where(
            bought(),
            col(Invoice.acceptance_state).in_(ANSWERED),
            unpaid(),
            col(Invoice.document_state) == "VALIDATED",
            col(Invoice.due_on).is_not(None),
        )
        .order_by(col(Invoice.due_on), col(Invoice.id))
    )


def _told(reading: Session, rows: Sequence[Invoice]) -> list[Due]:
    conn = reading.connection()
    banks: dict[str, str] = {}
    for start in range(0, len(rows), 500):
        banks |= payees_of_record(conn, [row.id for row in rows[start : start + 500]])
    names = firm_names(conn, {row.seller_id for row in rows if row.seller_id} | set(banks.values()))
    return [
        Due(
            row,
            owed(row),
            names.get(banks.get(row.id) or row.seller_id or "", ""),
            names.get(row.seller_id or "", ""),
            row.id in banks,
        )
        for row in rows
        if owed(row)
    ]


def _by_day(rows: Sequence[Due]) -> list[tuple[dt.date, list[Due], list[tuple[str, int]]]]:
    days: dict[dt.date, list[Due]] = {}
    for one in rows:
        if one.row.due_on is not None:
            days.setdefault(one.row.due_on, []).append(one)
    return [(day, found, _sums(found)) for day, found in days.items()]


def _sums(rows: Sequence[Due]) -> list[tuple[str, int]]:
    total: dict[str, int] = {}
    for one in rows:
        total[one.row.currency] = total.get(one.row.currency, 0) + one.owed
    return sorted(total.items())


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
