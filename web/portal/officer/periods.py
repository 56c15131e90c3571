"""Periods of the own book: what to look at before closing, and the word of two people."""

import datetime as dt
from typing import Any, Final

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlmodel import col

from scf.kernel.errors import ScfError
from scf.ledger.models import Period
from scf.parties.access import may
from scf.parties.service import people_names
from scf.reporting import closing
from web.context import actor
from web.portal.books import day_asked
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.second_factor import check, digest_of

_LEAST_WORDS: Final = 3
STATES: Final = {
    "CLOSING": _l("closing is proposed"),
    "CLOSED": _l("closed"),
    "OPENING": _l("opening again is proposed"),
    "OPEN": _l("open again"),
}


@page("/books/periods", "ledger.read")
def periods() -> str:
    """Show the periods, what stands in the way of the next closing, and who has to say what."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    who = actor()
    with reading() as session:
        found = closing.periods_of(session, who.org_id)
        until = _day(form.get("to_on", "")) or day_asked("to") or found.suggested
        if found.waiting is not None and found.waiting.state == "CLOSING":
            until = found.waiting.to_on
        checks = closing.checks(session, who.org_id, until)
        people = people_names(
            session.connection(),
            {one for row in found.rows for one in (row.proposed_by, row.confirmed_by) if one},
        )
    waiting = found.waiting
    return render_template(
        "officer/periods.html",
        found=found,
        checks=checks,
        until=until,
        states=STATES,
        people=people,
        signed=_signed(waiting) if waiting is not None else "",
        own=waiting is not None and waiting.proposed_by == who.user_id,
        form=form,
        errors=errors,
        may_close=may(who, "period.close"),
        may_revalue=may(who, "ledger.revalue"),
        revaluable=not checks.revalued
        and not checks.revaluation.gaps
        and checks.day_over
        and (found.first_open is None or until >= found.first_open),
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _signed(row: Any) -> str:  # noqa: ANN401 - a row of a period
    """Give the digest of what the second person signs: this period, this proposal."""
    return digest_of(
        period=row.id,
        from_on=row.from_on.isoformat(),
        to_on=row.to_on.isoformat(),
        state=row.state,
        version=row.version,
        proposed_by=row.proposed_by,
    )


@page("/books/periods", "period.close", method="POST")
def close_period() -> Any:  # noqa: ANN401 - a page or a way on
    """Propose to close the book up to a day."""
    form = {"to_on": typed("to_on", 20), "note": typed("note", 1000)}
    errors = {}
    on = _day(form["to_on"])
    if on is None:
        errors["to_on"] = _("Say which day is the last one.")
    if len(form["note"]) < _LEAST_WORDS:
        errors["note"] = _("Say in a few words what it rests on.")
    if errors:
        return _page(form, errors), 422
    try:
        act("period.close", {"to_on": on, "note": form["note"]})
    except ScfError as refusal:
        return _page(form, errors_of(refusal, ("to_on", "note"))), refusal.http_status
    return done(_("The closing is proposed. A second person confirms it."), _here())


@page("/books/periods/revalue", "ledger.revalue", method="POST")
def revalue() -> Any:  # noqa: ANN401 - a page or a way on
    """Book what the close of a day makes of balances in other currencies."""
    form = {"to_on": typed("to_on", 20)}
    on = _day(form["to_on"])
    if on is None:
        return _page({}, {"revalue": _("Say which day is the last one.")}), 422
    try:
        made = act("ledger.revalue", {"on": on}).result
    except ScfError as refusal:
        return _page(form, {"revalue": errors_of(refusal)["form"]}), refusal.http_status
    said = _("%(count)s balances are revalued.", count=made["balances"])
    return done(said, url_for("officer.periods", to=on.isoformat()))


def _row(period_id: str) -> Period:
    with reading() as session:
        row: Period | None = session.execute(
            select(Period).where(col(Period.id) == period_id)
        ).scalar_one_or_none()
    if row is None:
        raise missing("period")
    return row


@page("/books/periods/<period_id>/confirm", "period.confirm", method="POST")
def confirm_period(period_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say, as the second person and signed, that a period is closed, or open again."""
    row = _row(period_id)
    try:
        check(_signed(row))
        after = act("period.confirm", {"period_id": period_id, "note": typed("note", 1000)}).result
    except ScfError as refusal:
        return _page({}, {"confirm": errors_of(refusal)["form"]}), refusal.http_status
    closed = after["state"] == "CLOSED"
    return done(_("The period is closed.") if closed else _("The period is open again."), _here())


@page("/books/periods/<period_id>/withdraw", "period.withdraw", method="POST")
def withdraw_period(period_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Take a proposal back, or do not agree to it."""
    return _move(period_id, "withdraw", _("The proposal is dropped."))


@page("/books/periods/<period_id>/reopen", "period.reopen", method="POST")
def reopen_period(period_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose to open the last closed period again."""
    return _move(period_id, "reopen", _("The opening is proposed. A second person confirms it."))


def _move(period_id: str, event: str, said: str) -> Any:  # noqa: ANN401 - a page or a way on
    _row(period_id)
    why = typed("reason", 1000)
    if len(why) < _LEAST_WORDS:
        return _page({"reason": why}, {event: _("Say why, in a few words.")}), 422
    try:
        act(f"period.{event}", {"period_id": period_id, "note": why})
    except ScfError as refusal:
        return _page({"reason": why}, {event: errors_of(refusal)["form"]}), refusal.http_status
    return done(said, _here())


def _here() -> str:
    return url_for("officer.periods")
