"""What the anchor has to pay: per due day, and to whom, as the notices of assignment say."""

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.documents.errorfile import cell
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.kernel.errors import InvalidInput, RuleViolation
from scf.kernel.money import format_minor
from scf.parties.access import may
from scf.parties.service import firm_names
from scf.reporting.anchor import payees_of_record
from scf.reporting.arrears import reminders_to
from scf.reporting.payrun import ToPay, Way, ways, write_run
from web.api.v1.files import attachment
from web.context import actor, platform
from web.i18n import day as day_words
from web.portal.anchor.blueprint import anchor, bought, today, unpaid
from web.portal.reminders import STEPS
from web.refusals import refusal_text

PAGE: Final = 100
_REMINDERS: Final = 3
_LATELY: Final = dt.timedelta(days=30)
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
    payee_id: str
    way: Way


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
        on = today(reading.connection())
        rows = list(reading.execute(found.limit(PAGE + 1)).scalars())
        shown = _told(reading, rows[:PAGE])
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        older = f"{last.due_on.isoformat()}~{last.id}" if last and last.due_on else ""
        return render_template(
            "anchor/payments.html",
            days=_by_day(shown),
            runs=_runs(reading, {row.due_on for row in rows[:PAGE] if row.due_on}),
            today=on,
            reminders=[]
            if after
            else reminders_to(reading, actor().org_id, on - _LATELY, _REMINDERS),
            steps=STEPS,
            newer=url_for("anchor.payments") if after else "",
            older=url_for("anchor.payments", after=older) if older else "",
            may_accounts=may(actor(), "own_account.read"),
        )


@anchor.get("/payments.csv")
def payments_csv() -> BaseResponse:
    """Give the same list as a file for the paying bank or the accounts; of one day, its run.

    A run names what the page showed (``seen``). If an invoice, a sum or a payee of record is
    another by now, no file is given: the person looks again first.
    """
    on = _day(request.args.get("on", ""))
    with platform().db.read(actor()) as reading:
        rows = _told(reading, list(reading.execute(_due(on).limit(_MOST)).scalars()))
    if on is not None and request.args.get("seen", "") != _digest(rows):
        flash(
            _(
                "Nothing was downloaded: what is due on %(day)s, or whom to pay, has changed since "
                "you looked. This is how it stands now.",
                day=day_words(on),
            ),
            "warn",
        )
        return redirect(url_for("anchor.payments"), 303)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([
        "due_on", "invoice", "supplier", "pay_to", "amount", "currency", "assigned",
        "owed_at_first", "credited", "paid", "account", "bic", "held",
    ])  # fmt: skip
    for one in rows:
        due_on = one.row.due_on.isoformat() if one.row.due_on else ""
        texts = [cell(text) for text in (one.row.number, one.seller, one.payee)]
        row, money = one.row, one.row.currency
        parts = (row.base_minor, row.credited_minor, row.paid_minor)
        sums = [format_minor(minor, money) for minor in parts]
        assigned = "yes" if one.to_bank else "no"
        account = one.way.account
        where = (
            [account.number, account.bic or "", ""]
            if account is not None
            else ["", "", one.way.held]
        )
        said = [due_on, *texts, format_minor(one.owed, money), money, assigned, *sums]
        writer.writerow([*said, *(cell(text) for text in where)])
    name = f"payment-run-{on.isoformat()}.csv" if on else "payments-due.csv"
    return attachment(out.getvalue().encode("utf-8-sig"), name, "text/csv")


@anchor.get("/payments.xml")
def payments_xml() -> BaseResponse:
    """Give the run of one day and currency as a payment file (pain.001) for the own bank.

    Bound to what the page showed, as the table is. What is held back is left out.
    """
    on, currency = _day(request.args.get("on", "")), request.args.get("currency", "")
    with platform().db.read(actor()) as reading:
        rows = _told(reading, list(reading.execute(_due(on).limit(_MOST)).scalars())) if on else []
        if on is None or request.args.get("seen", "") != _digest(rows):
            flash(
                _("Nothing was downloaded: what is due, or whom to pay, has changed meanwhile."),
                "warn",
            )
            return redirect(url_for("anchor.payments"), 303)
        wanted = [
            ToPay(one.row, one.owed, one.payee_id) for one in rows if one.row.currency == currency
        ]
        to = {(one.payee_id, one.row.currency): one.way for one in rows}
        pay_on = max(on, today(reading.connection()))
        try:
            content = write_run(reading.connection(), actor().org_id, wanted, to, pay_on)
        except (RuleViolation, InvalidInput) as refusal:
            flash(refusal_text(refusal), "bad")
            return redirect(url_for("anchor.payments"), 303)
    name = f"payment-run-{on.isoformat()}-{currency}.xml"
    return attachment(content, name, "application/xml")


@dataclass(frozen=True)
class Run:
    """The ways to one day's run: as a table, and as a payment file a currency."""

    table: str
    files: Sequence[tuple[str, str]]
    held: int


def _runs(reading: Session, days: set[dt.date]) -> dict[dt.date, Run]:
    """Give the ways to each day's run, bound to what stands on the page now."""
    found = {}
    for on in days:
        rows = _told(reading, list(reading.execute(_due(on).limit(_MOST)).scalars()))
        day, seen = on.isoformat(), _digest(rows)
        going = sorted({one.row.currency for one in rows if one.way.account is not None})
        found[on] = Run(
            url_for("anchor.payments_csv", on=day, seen=seen),
            [
                (one, url_for("anchor.payments_xml", currency=one, on=day, seen=seen))
                for one in going
            ],
            sum(1 for one in rows if one.way.held),
        )
    return found


def _digest(rows: Sequence[Due]) -> str:
    """Digest which invoices are to be paid, how much, to whom, and where."""
    told = [
        [one.row.id, one.owed, one.row.currency, one.payee_id, one.way.held]
        + ([one.way.account.id] if one.way.account is not None else [])
        for one in rows
    ]
    return sha256(json.dumps(told).encode()).hexdigest()


def _due(on: dt.date | None = None) -> Any:  # noqa: ANN401 - a select
    of_day = [col(Invoice.due_on) == on] if on is not None else []
    return (
        select(Invoice)
        .where(
            bought(),
            col(Invoice.acceptance_state).in_(ANSWERED),
            unpaid(),
            col(Invoice.document_state) == "VALIDATED",
            col(Invoice.due_on).is_not(None),
            *of_day,
        )
        .order_by(col(Invoice.due_on), col(Invoice.id))
    )


def _told(reading: Session, rows: Sequence[Invoice]) -> list[Due]:
    conn = reading.connection()
    banks: dict[str, str] = {}
    for start in range(0, len(rows), 500):
        banks |= payees_of_record(conn, [row.id for row in rows[start : start + 500]])
    names = firm_names(conn, {row.seller_id for row in rows if row.seller_id} | set(banks.values()))
    payees = {row.id: banks.get(row.id) or row.seller_id or "" for row in rows}
    to = ways(conn, {(payees[row.id], row.currency) for row in rows}, today(conn))
    return [
        Due(
            row,
            owed(row),
            names.get(banks.get(row.id) or row.seller_id or "", ""),
            names.get(row.seller_id or "", ""),
            row.id in banks,
            payees[row.id],
            to[payees[row.id], row.currency],
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
