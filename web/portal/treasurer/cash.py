"""What comes in by itself: money that buyers owe and nobody has advanced, week by week."""

import datetime as dt
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.reporting.forecast import UNFINANCED
from web.i18n import money, month_day, short_amount

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
WEEKS: Final = 8
_DAYS: Final = 7


def weeks(conn: Connection, seller_id: str, currency: str, today: dt.date) -> list[dict[str, Any]]:
    """Give the bars of the chart: what is due in each coming week, without what was advanced."""
    end = today + dt.timedelta(days=WEEKS * _DAYS)
    rows = conn.execute(
        select(_INVOICE.c.due_on, func.sum(UNFINANCED))
        .where(
            _INVOICE.c.seller_id == seller_id,
            _INVOICE.c.payment_state.in_(("OPEN", "PART_PAID")),
            _INVOICE.c.due_on >= today,
            _INVOICE.c.due_on < end,
            _INVOICE.c.currency == currency,
            _INVOICE.c.document_state == "VALIDATED",
            UNFINANCED > 0,
        )
        .group_by(_INVOICE.c.due_on)
    )
    sums = [0] * WEEKS
    for due_on, total in rows:
        sums[(due_on - today).days // _DAYS] += int(total)
    return [
        {
            "label": month_day(today + dt.timedelta(days=place * _DAYS)),
            "value": total,
            "shown": money(total, currency),
        }
        for place, total in enumerate(sums)
    ]


def scale(bars: list[dict[str, Any]], currency: str) -> tuple[str, str]:
    """Give the words at the top and the middle line of the chart."""
    top = max((bar["value"] for bar in bars), default=0)
    return (short_amount(top, currency), short_amount(top // 2, currency)) if top else ("", "")
