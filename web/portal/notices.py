"""What happened that concerns the person: one line each, and the way to its page."""

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.visibility import not_found
from scf.kernel.actor import Actor, Role
from scf.notices.models import Notice
from scf.parties.access import may
from web.context import actor, around, platform
from web.portal.acting import act, must
from web.portal.pages import portal

PAGE: Final = 30
_BUYS: Final = frozenset({Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})


@portal.get("/notices")
def notices() -> str:
    """List the person's notices, the newest first."""
    who, after = actor(), request.args.get("after", "")[:64]
    query = select(Notice).order_by(col(Notice.id).desc()).limit(PAGE + 1)
    if after:
        query = query.where(col(Notice.id) < after)
    with platform().db.read(who) as reading:
        rows = list(reading.execute(query).scalars())
        return render_template(
            "notices.html",
            rows=[(row, _page_of(row, who)) for row in rows[:PAGE]],
            mail=bool(around().options.mail_from),
            newer=url_for("portal.notices") if after else "",
            older=url_for("portal.notices", after=rows[PAGE - 1].id) if len(rows) > PAGE else "",
        )


@portal.post("/notices/read")
def read_notices() -> BaseResponse:
    """Note that the person has read all there is."""
    must("notice.mark_read")
    act("notice.mark_read", {})
    return redirect(url_for("portal.notices"), 303)


@portal.get("/notices/<notice_id>")
def notice(notice_id: str) -> BaseResponse:
    """Lead to what a notice is about, from an e-mail; opening a page notes nothing as read."""
    who = actor()
    with platform().db.read(who) as reading:
        row = _own(reading, notice_id)
        return redirect(_page_of(row, who) or url_for("portal.notices"), 303)


@portal.post("/notices/<notice_id>/open")
def open_notice(notice_id: str) -> BaseResponse:
    """Note that the person has read one, and lead to what it is about."""
    who = actor()
    with platform().db.read(who) as reading:
        row = _own(reading, notice_id)
        target = _page_of(row, who) or url_for("portal.notices")
    act("notice.mark_read", {"ids": [notice_id]}, part=notice_id)
    return redirect(target, 303)


def _own(reading: Session, notice_id: str) -> Notice:
    query = select(Notice).where(col(Notice.id) == notice_id)
    row: Notice | None = reading.execute(query).scalar_one_or_none()
    if row is None:
        raise not_found("notice", notice_id)
    return row


def _page_of(row: Notice, who: Actor) -> str:
    """Return the address of what a notice is about, if the person's roles still open it."""
    pages: dict[str, tuple[bool, str, dict[str, Any]]] = {
        "upload": (may(who, "upload.read"), "uploads.show", {"upload_id": row.subject_id}),
        "request": (
            Role.TREASURER in who.roles,
            "treasurer.request",
            {"request_id": row.subject_id},
        ),
        "invoice_sold": (
            Role.TREASURER in who.roles,
            "treasurer.invoice",
            {"invoice_id": row.subject_id},
        ),
        "invoice_bought": (
            bool(who.roles & _BUYS),
            "anchor.invoice",
            {"invoice_id": row.subject_id},
        ),
        "account": (True, "account.overview", {}),
        "webhook": (
            may(who, "webhook.read"),
            "connections.webhook",
            {"webhook_id": row.subject_id},
        ),
        "tax_alert": (may(who, "tax.alerts"), "officer.tax_checks", {"_anchor": row.subject_id}),
        "card_alarm": (may(who, "risk.read"), "officer.watched_card", {"_anchor": "alarms"}),
        "risk_model": (may(who, "risk.read"), "officer.model", {"model_id": row.subject_id}),
        "channel": (
            may(who, "channel.read"),
            "connections.channel",
            {"channel_id": row.subject_id},
        ),
        "reminder": (
            may(who, "reminder.read"),
            "reminders.reminder",
            {"reminder_id": row.subject_id},
        ),
        "provision": (
            may(who, "allowance.read"),
            "officer.provision",
            {"advance_id": row.subject_id},
        ),
        "erp": (
            may(who, "erp.read"),
            "connections.erp",
            {"connection_id": row.subject_id},
        ),
    }
    opens, endpoint, values = pages.get(row.subject, (False, "", {}))
    return url_for(endpoint, **values) if opens else ""
