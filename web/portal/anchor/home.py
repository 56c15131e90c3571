"""The anchor's home: what waits for an answer, what is to be paid when, and who benefits."""

import datetime as dt
from typing import Any, Final

from flask import render_template, url_for
from sqlalchemy import exists, func, select
from sqlmodel import Session, col

from scf.documents.identity.cases import waiting as waiting_for_a_name
from scf.documents.models import Dispute, DocumentFinding, Invoice, Upload
from scf.parties.models import Firm
from scf.parties.service import firm_names
from scf.programmes.models import Programme
from scf.reporting.alike import waiting as waiting_alike
from scf.reporting.anchor import FEWEST_SUPPLIERS, effects
from web.context import actor, platform
from web.i18n import money, month_day, short_amount
from web.portal.anchor.blueprint import anchor, bought, today, unpaid, waiting
from web.portal.anchor.payments import ANSWERED

WEEKS: Final = 8
_WEEK: Final = 7
_YEAR: Final = 365


@anchor.get("/")
def home() -> str:
    """Show the programme, what is to be done, and what is to be paid in the coming weeks."""
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        on = today(conn)
        programmes = list(
            reading.execute(
                select(Programme)
                .where(col(Programme.anchor_id) == who.org_id)
                .order_by(col(Programme.id))
            ).scalars()
        )
        weeks = _weeks(reading, on)
        all_of_them, odd = waiting(reading)
        return render_template(
            "anchor/home.html",
            waiting=all_of_them,
            todo=_todo(reading, odd),
            programmes=programmes,
            banks=firm_names(conn, {row.financier_id for row in programmes}),
            effects=effects(conn, who.org_id, on - dt.timedelta(days=_YEAR)),
            fewest=FEWEST_SUPPLIERS,
            suppliers=_suppliers(reading),
            weeks=weeks,
        )


def _todo(reading: Session, odd: int) -> list[tuple[str, int, str]]:
    """Count what waits for the anchor's people, with the way to it."""

    def count(statement: Any) -> int:  # noqa: ANN401 - a select
        return int(reading.execute(statement).scalar_one())

    # Asked of each dispute, which are few, and not of each invoice of the buyer.
    own = exists(
        select(col(Invoice.id)).where(col(Invoice.id) == col(Dispute.invoice_id), bought())
    )
    disputes = select(func.count(col(Dispute.id))).where(col(Dispute.state) == "OPEN", own)
    fixes = select(func.count(col(DocumentFinding.id))).where(
        col(DocumentFinding.severity) == "ERROR",
        col(DocumentFinding.document_id).is_(None),
        col(DocumentFinding.resolved_at).is_(None),
        col(DocumentFinding.org_id) == actor().org_id,
    )
    staged = select(func.count(col(Upload.id))).where(col(Upload.state) == "STAGED")
    return [
        ("odd", odd, url_for("anchor.acceptances")),
        ("disputes", count(disputes), url_for("anchor.disputes")),
        ("fixes", count(fixes), url_for("uploads.new")),
        ("alike", count(waiting_alike(actor())), url_for("anchor.duplicates")),
        (
            "unknown",
            waiting_for_a_name(reading.connection(), actor().org_id),
            url_for("portal.who_list"),
        ),
        ("staged", count(staged), url_for("uploads.new")),
    ]


def _suppliers(reading: Session) -> tuple[int, int]:
    """Count the suppliers that trade, and those that are invited and wait for their check."""
    sellers = select(col(Invoice.seller_id)).where(bought(), col(Invoice.seller_id).is_not(None))
    of_ours = (col(Firm.invited_by) == actor().org_id) | col(Firm.id).in_(sellers)
    rows = reading.execute(
        select(col(Firm.state), func.count())
        .where(of_ours, col(Firm.id) != actor().org_id, col(Firm.kind) == "trader")
        .group_by(col(Firm.state))
    )
    found = {state: int(count) for state, count in rows}
    return found.get("ACTIVE", 0), found.get("INVITED", 0)


def _weeks(reading: Session, on: dt.date) -> list[dict[str, Any]]:
    """Give a chart of what falls due per week, one for each currency."""
    end = on + dt.timedelta(days=WEEKS * _WEEK)
    left = col(Invoice.base_minor) - col(Invoice.credited_minor) - col(Invoice.paid_minor)
    rows = reading.execute(
        select(col(Invoice.currency), col(Invoice.due_on), func.sum(left))
        .where(
            bought(),
            col(Invoice.acceptance_state).in_(ANSWERED),
            unpaid(),
            col(Invoice.document_state) == "VALIDATED",
            col(Invoice.due_on) >= on,
            col(Invoice.due_on) < end,
        )
        .group_by(col(Invoice.currency), col(Invoice.due_on))
    )
    sums: dict[str, list[int]] = {}
    for currency, due_on, total in rows:
        sums.setdefault(currency, [0] * WEEKS)[(due_on - on).days // _WEEK] += int(total)
    return [
        {
            "currency": currency,
            "total": sum(values),
            "top": short_amount(max(values), currency),
            "bars": [
                {
                    "label": month_day(on + dt.timedelta(days=place * _WEEK)),
                    "value": value,
                    "shown": money(value, currency),
                }
                for place, value in enumerate(values)
            ],
        }
        for currency, values in sorted(sums.items())
    ]
