"""Money to the firm: payments of banks, and the statement of what was paid early."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting.advices.reading import PAID, advice_of
from scf.accounting.advices.ubl import to_remittance_advice
from scf.accounting.writers.harmless import cell
from scf.db.visibility import not_found
from scf.financing.models import Advance
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.money import format_minor
from scf.offers.basket import currencies
from scf.parties.service import day_for, firm_names
from scf.settlement.models import PaymentInstruction
from scf.settlement.seller_account import Movement, Statement, statement_of
from web.api.v1.files import attachment
from web.api.v1.trade import one as one_of
from web.context import actor, now, platform
from web.pdf import pdf_of
from web.portal.treasurer.blueprint import treasurer
from web.refusals import refusal_text

PAGE: Final = 50
_LONGEST: Final = 400  # days of one statement
_COLUMNS: Final = (
    "date", "kind", "invoice", "buyer", "currency", "face", "discount", "fee", "tax", "reserve",
    "received", "all_in_percent", "outstanding",
)  # fmt: skip


@treasurer.get("/payments")
def payments() -> str:
    """Show what banks have paid or are about to pay to the firm, the newest first."""
    who, after = actor(), request.args.get("after", "")
    with platform().db.read(who) as reading:
        query = select(PaymentInstruction).where(col(PaymentInstruction.payee_id) == who.org_id)
        if after:
            query = query.where(col(PaymentInstruction.id) < after)
        ordered = query.order_by(col(PaymentInstruction.id).desc()).limit(PAGE + 1)
        rows = list(reading.execute(ordered).scalars())
        more = rows[PAGE - 1].id if len(rows) > PAGE else ""
        rows = rows[:PAGE]
        return render_template(
            "treasurer/payments.html",
            rows=[(row, *_state(row.state)) for row in rows],
            names=firm_names(reading.connection(), {row.financier_id for row in rows}),
            requests=_requests(reading, [row.advance_id for row in rows if row.advance_id]),
            kinds=_kinds(),
            advised=PAID,
            following=url_for("treasurer.payments", after=more) if more else "",
            start=url_for("treasurer.payments") if after else "",
        )


def _requests(reading: Session, advance_ids: list[str]) -> dict[str, str]:
    rows = reading.execute(select(Advance).where(col(Advance.id).in_(advance_ids))).scalars()
    return {row.id: row.request_id for row in rows}


def _kinds() -> dict[str, str]:
    return {
        "advance": _("Paid early"),
        "seller": _("Rest of an invoice"),
        "rebate": _("Rebate"),
        "payer": _("Paid back"),
        "reserve": _("Reserve"),
        "surplus": _("Rest after what was financed"),
        "excess": _("Paid more than was owed"),
    }


def _state(state: str) -> tuple[str, str]:
    """Give the words of a payment's state, and their colour."""
    words = {
        "SETTLED": (_("In your account"), "ok"),
        "REJECTED": (_("Refused by the bank"), "bad"),
        "RETURNED": (_("Came back"), "bad"),
        "UNKNOWN": (_("Being looked into"), "warn"),
        "CANCELLED": (_("Cancelled"), ""),
    }
    return words.get(state, (_("On its way"), "info"))


@treasurer.get("/payments/<payment_id>/remittance")
def remittance(payment_id: str) -> BaseResponse:
    """Explain one payment, printed in the reader's language or as UBL for the firm's system."""
    who = actor()
    with platform().db.read(who) as reading:
        payment = one_of(reading, PaymentInstruction, payment_id)
        if payment.payee_id != who.org_id:
            raise not_found("payment_instruction", payment_id)
        try:
            advice = advice_of(reading.connection(), payment)
        except Conflict as refused:
            flash(refusal_text(refused), "bad")
            return redirect(url_for("treasurer.payments"), 303)
    if request.args.get("format") == "ubl":
        name = f"remittance-{advice.reference}.xml"
        return attachment(to_remittance_advice(advice), name, "application/xml")
    words = {"face": _("Face value"), "reserve": _("Reserve kept back"), "discount": _("Discount")}
    words |= {"fee": _("Service fee"), "tax": _("Tax on the fee"), **_kinds()}
    text = render_template("treasurer/remittance_print.html", advice=advice, words=words)
    name = f"remittance-{advice.reference}.pdf"
    return attachment(pdf_of(text), name, "application/pdf")


# --- Statement --------------------------------------------------------------------------------


@treasurer.get("/statement")
def statement() -> str | Response:
    """Show a period: opening, every line with its cost, closing; as a page, CSV or PDF."""
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, now().date())
        known = currencies(conn, who.org_id, dt.date.min) or ["EUR"]
        asked = request.args.get("currency", "")
        currency = asked if asked in known else known[0]
        from_on, to_on = _period(today)
        found = statement_of(conn, who.org_id, currency, from_on, to_on)
        ids = {who.org_id, *(one.obligor_id for one in found.movements)}
        names = firm_names(conn, ids)
        form = request.args.get("format", "")
        writer = _WRITERS.get(form)
        if writer is not None:
            return writer(found, names, who)
        return render_template(
            "treasurer/statement.html",
            statement=found,
            names=names,
            today=today,
            lines=_running(found),
            tabs=[(code, _way(found, currency=code), code == currency, None) for code in known],
            ways={name: _way(found, format=name) for name in _WRITERS},
            with_bom=_way(found, format="csv", bom="1"),
        )


def _way(found: Statement, **more: str) -> str:
    query = {"currency": found.currency, "from": found.from_on, "to": found.to_on, **more}
    return url_for("treasurer.statement", **query)  # type: ignore[arg-type] # query words


def _period(today: dt.date) -> tuple[dt.date, dt.date]:
    """Read the period that was asked for; the present month without one.

    Raises
    ------
    InvalidInput
        PERIOD when it runs backwards or is longer than a year and a month.
    """
    from_on = _day("from") or today.replace(day=1)
    to_on = _day("to") or max(today, from_on)
    if not 0 <= (to_on - from_on).days <= _LONGEST:
        raise InvalidInput("PERIOD", "A statement runs forward and over at most 400 days.")
    return from_on, to_on


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _running(found: Statement) -> list[tuple[Movement, int]]:
    """Give each line with what is outstanding after it."""
    balance, lines = found.opening_minor, []
    for one in found.movements:
        balance += one.change_minor
        lines.append((one, balance))
    return lines


def _csv(found: Statement, names: dict[str, str], _who: Actor) -> Response:
    """Write the statement for a spreadsheet: ISO dates, dot decimals, no cell that runs."""
    out = io.StringIO(newline="")
    if request.args.get("bom") == "1":
        out.write("\ufeff")  # some spreadsheets read UTF-8 only behind it
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one, balance in _running(found):
        amounts = (
            one.change_minor, one.discount_minor, one.fee_minor, one.tax_minor,
            one.reserve_minor, one.net_minor,
        )  # fmt: skip
        writer.writerow(
            [
                one.on.isoformat(),
                one.kind,
                cell(one.number),
                cell(names.get(one.obligor_id, "")),
                found.currency,
                *(format_minor(amount, found.currency) for amount in amounts),
                f"{one.all_in_ppm // 10_000}.{one.all_in_ppm % 10_000:04}",
                format_minor(balance, found.currency),
            ]
        )
    return _file(out.getvalue().encode(), "text/csv; charset=utf-8", found, "csv")


def _pdf(found: Statement, names: dict[str, str], who: Actor) -> Response:
    """Print the same page that the screen shows."""
    text = render_template(
        "treasurer/statement_print.html",
        statement=found,
        names=names,
        lines=_running(found),
        organisation=names.get(who.org_id, ""),
    )
    return _file(pdf_of(text), "application/pdf", found, "pdf")


def _file(content: bytes, kind: str, found: Statement, ending: str) -> Response:
    name = f"statement-{found.currency}-{found.from_on}-{found.to_on}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, content_type=kind)


_WRITERS: Final[dict[str, Callable[[Statement, dict[str, str], Actor], Response]]] = {
    "csv": _csv,
    "pdf": _pdf,
}
