"""How signing in goes in the organisation: good and failed by day, and the last failures."""

import datetime as dt
from typing import Any, Final

from flask import render_template
from sqlalchemy import select
from sqlmodel import Session, col

from scf.parties.factors.models import SignInEvent
from web.context import now, platform
from web.portal.admin.blueprint import admin, administrator, names_of

DAYS: Final = 14
_LAST: Final = 25
_MOST: Final = 50_000


@admin.get("/sign-ins")
def sign_ins() -> str:
    """Show two weeks of sign-ins, and who failed last."""
    who = administrator()
    today = now().date()
    first = today - dt.timedelta(days=DAYS - 1)
    with platform().db.read(who) as reading:
        names = names_of(reading, who)
        days = _days(reading, first, today)
        failed = [
            {
                "at": row.at,
                "person": names.get(row.user_id, row.user_id),
                "user_id": row.user_id,
                "outcome": row.outcome,
                "device": row.device,
                "place": row.place,
            }
            for row in reading.execute(
                select(SignInEvent)
                .where(col(SignInEvent.outcome) != "SIGNED_IN")
                .order_by(col(SignInEvent.at).desc())
                .limit(_LAST)
            ).scalars()
        ]
    good, bad = sum(day["good"] for day in days), sum(day["bad"] for day in days)
    return render_template(
        "admin/sign_ins.html", days=days, failed=failed, good=good, bad=bad, share=_share(good, bad)
    )


def _days(reading: Session, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    start = dt.datetime.combine(first, dt.time(), dt.UTC)
    rows: Any = reading.execute(
        select(col(SignInEvent.at), col(SignInEvent.outcome))
        .where(col(SignInEvent.at) >= start)
        .order_by(col(SignInEvent.at).desc())
        .limit(_MOST)
    )
    days = [last - dt.timedelta(days=back) for back in range((last - first).days + 1)]
    counts = {day: [0, 0] for day in days}
    for at, outcome in rows:
        if at.date() in counts:
            counts[at.date()][outcome != "SIGNED_IN"] += 1
    return [
        {"day": day, "good": good, "bad": bad, "share": _share(good, bad)}
        for day, (good, bad) in counts.items()
    ]


def _share(good: int, bad: int) -> int | None:
    """Return the share of failures in parts per million, or nothing where nobody tried."""
    return bad * 1_000_000 // (good + bad) if good + bad else None
