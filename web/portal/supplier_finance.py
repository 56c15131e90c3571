"""An anchor's disclosure on supplier finance arrangements: a page, and the same figures as CSV."""

import csv
import datetime as dt
import io

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from scf.accounting.supplier_finance import AtDay, Figures, Report, supplier_finance
from scf.accounting.writers.harmless import cell
from scf.kernel.money import format_minor
from scf.parties.service import day_for, firm_names
from web.api.v1.files import attachment
from web.context import actor, now, platform
from web.names import event_name
from web.portal.acting import must
from web.portal.books import day_asked

disclosure = Blueprint("supplier_finance", __name__, url_prefix="/supplier-finance")


@disclosure.before_request
def _only_readers() -> None:
    must("book.read")


@disclosure.get("/")
def home() -> str | Response:
    """Show what IAS 7.44F to 44H asks of a buyer, counted from its own book; the year so far."""
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        to_on = day_asked("to") or day_for(conn, who.org_id, now().date())
        from_on = day_asked("from") or dt.date(to_on.year, 1, 1)
        found = supplier_finance(conn, who.org_id, min(from_on, to_on), to_on)
        names = firm_names(conn, {one.financier_id for one in found.arrangements})
    if request.args.get("format") == "csv":
        name = f"supplier-finance-{found.from_on}-{found.to_on}.csv"
        return attachment(_csv(found, names), name, "text/csv; charset=utf-8")
    period = {"from": found.from_on.isoformat(), "to": found.to_on.isoformat()}
    return render_template(
        "books/supplier_finance.html",
        report=found,
        names=names,
        rows={one.currency: _rows(one) for one in found.figures},
        file=url_for("supplier_finance.home", format="csv", **period),  # type: ignore[arg-type]
        techniques=_techniques(),
    )


def _techniques() -> dict[str, str]:
    return {
        "payables_finance": _("Payables finance"),
        "receivables_discounting": _("Receivables discounting"),
    }


def _rows(figures: Figures) -> list[tuple[str, str, AtDay]]:
    return [
        (_("Beginning"), "opening", figures.opening),
        (_("End"), "closing", figures.closing),
    ]


def _csv(found: Report, names: dict[str, str]) -> bytes:
    """Write the figures one a row: paragraph, what, day, currency, amount, days."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ["paragraph", "what", "of", "on", "currency", "amount", "invoices", "days_from", "days_to"]
    )
    for one in found.arrangements:
        about = f"{one.name}, {names.get(one.financier_id, '')}"
        writer.writerow(
            ["44H(a)", "arrangement", cell(about), found.to_on.isoformat(),
             " ".join(one.currencies), "", "", one.tenor_min_days, one.tenor_max_days]
        )  # fmt: skip
    for figures in found.figures:
        for day in (figures.opening, figures.closing):
            writer.writerows(_csv_day(day, figures.currency))
        for change in figures.changes:
            what = "with cash" if change.cash else "without cash"
            amount = format_minor(change.amount_minor, figures.currency)
            writer.writerow(
                ["44H(c)", f"change {what}", cell(str(event_name(change.kind))), "",
                 figures.currency, amount, change.entries, "", ""]
            )  # fmt: skip
    return out.getvalue().encode()


def _csv_day(day: AtDay, currency: str) -> list[list[object]]:
    on = day.on.isoformat()
    inside, outside = day.due, day.comparable

    def row(paragraph: str, what: str, minor: int, *more: object) -> list[object]:
        amount = format_minor(minor, currency)
        return [paragraph, what, "", on, currency, amount, *(more or ("", "", ""))]

    return [
        row("44H(b)(i)", "carrying amount", day.carrying_minor),
        row("44H(b)(ii)", "of which suppliers are paid", day.paid_to_suppliers_minor),
        row("44H(b)(iii)", "part of the arrangement", day.carrying_minor,
            inside.invoices, inside.shortest, inside.longest),
        row("44H(b)(iii)", "comparable payables", day.comparable_minor,
            outside.invoices, outside.shortest, outside.longest),
    ]  # fmt: skip
