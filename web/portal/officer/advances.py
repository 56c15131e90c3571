"""Advances: the late ones first, and one with its whole life."""

import datetime as dt
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.financing.lifecycle import ADVANCE
from scf.kernel.errors import RuleViolation, ScfError
from scf.parties.access import may
from scf.parties.service import business_date, verified_account
from scf.reporting import portfolio
from scf.settlement.redating import priced_again, wants_another_day
from web.context import actor, now
from web.portal.officer.desk import act, advance_of, done, errors_of, missing, page, reading, typed
from web.refusals import refusal_text

_MAX_PAGE_DIGITS = 6
_FEW = 8
_CAUSES: Final = {
    "unpaid": _l("The buyer has not paid"),
    "breach": _l("The invoice is not what the seller warranted"),
    "dilution": _l("The buyer owes less than the invoice says"),
    "fraud": _l("Fraud"),
}


@page("/advances", "advance.read")
def advances() -> str:
    """Show the advances by group, what is late at the top."""
    group = request.args.get("show", "")
    asked = request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() else 1
    number = number if len(asked) <= _MAX_PAGE_DIGITS else 1
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        found = portfolio.advances(
            session, today, group if group in portfolio.GROUPS else "", number
        )
    return render_template("officer/advances.html", page=found, group=group, today=today)


@page("/advances/<advance_id>", "advance.read")
def advance(advance_id: str) -> str:
    """Show one advance: where it stands, its steps, its payments and its entries."""
    return _one(advance_id, {})


def _one(advance_id: str, errors: dict[str, str]) -> str:
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        life = portfolio.life(session, advance_id, today)
    if life is None:
        raise missing("advance")
    return render_template(
        "officer/advance.html",
        life=life,
        row=life.row,
        line=life.line,
        shown=_newest(life.entries),
        today=today,
        errors=errors,
        may_unwind=may(actor(), "payout.unwind") and life.row.state in {"FAILED", "RETURNED"},
        account=_other_account(life.row),
        another_day=_another_day(life.row, today),
        may_prepare=may(actor(), "payout.prepare"),
        may_call=may(actor(), "recourse.call") and _callable(life),
        # Without recourse the seller never answers for a buyer that does not pay.
        causes=[one for one in _CAUSES.items() if life.row.recourse or one[0] != "unpaid"],
        form=request.form,
    )


def _other_account(row: Any) -> Any:  # noqa: ANN401 - a row of bank_account, if there is one
    """Give the account that a refused payment could go to instead."""
    if row.state not in {"FAILED", "RETURNED"} or not may(actor(), "payout.repair"):
        return None
    with reading() as session:
        found = verified_account(
            session.connection(), row.seller_id, row.currency, financier_id=row.financier_id
        )
    return found if found is not None and found.id != row.payee_account_id else None


@page("/advances/<advance_id>/repair", "payout.repair", method="POST")
def repair_advance(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Direct a refused or returned payment to the seller's other verified account."""
    advance_of(advance_id)
    note = typed("why_account")
    if not note:
        return _one(advance_id, {"why_account": _("Say what showed the account.")}), 422
    payload = {"advance_id": advance_id, "account_id": typed("account"), "note": note}
    try:
        act("payout.repair", payload)
    except ScfError as refusal:
        return _one(advance_id, errors_of(refusal)), refusal.http_status
    return done(
        _("The next payment goes to that account; prepare it once more."),
        url_for("officer.advance", advance_id=advance_id),
    )


def _another_day(row: Any, today: dt.date) -> Any:  # noqa: ANN401 - the money of that day
    """Give what a refused payment would be on the next day, or why it cannot go again."""
    if not wants_another_day(row, today) or not may(actor(), "payout.redate"):
        return None
    with reading() as session:
        try:
            return priced_again(session.connection(), row, now())
        except RuleViolation as refusal:
            return refusal_text(refusal)


@page("/advances/<advance_id>/redate", "payout.redate", method="POST")
def redate_advance(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let a payment that was refused on an earlier day stand for the next one."""
    advance_of(advance_id)
    note = typed("why_day")
    if not note:
        return _one(advance_id, {"why_day": _("Say what showed that it can be paid now.")}), 422
    try:
        act("payout.redate", {"advance_id": advance_id, "note": note})
    except ScfError as refusal:
        return _one(advance_id, errors_of(refusal)), refusal.http_status
    return done(
        _("It stands for another day now; prepare it once more."),
        url_for("officer.advance", advance_id=advance_id),
    )


def _callable(life: portfolio.Life) -> bool:
    """Tell whether the seller may have to pay: late with recourse, or an alert by its fault."""
    can = life.bought_back and "call_recourse" in ADVANCE.allowed(life.row.state)
    late = bool(life.row.recourse and life.line.days_late)
    return can and (late or life.next_step in {"RECOURSE", "CORRECT", "CREDIT_NOTE"})


@page("/advances/<advance_id>/recourse", "recourse.call", method="POST")
def call_recourse(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Ask the seller to pay what is open; the claim is its own again once it has paid."""
    cause, note = typed("cause"), typed("why")
    advance_of(advance_id)
    errors = {} if note else {"why": _("Say what it rests on.")}
    if cause not in _CAUSES:
        errors["cause"] = _("Choose why the seller has to pay.")
    if errors:
        return _one(advance_id, errors), 422
    try:
        act("recourse.call", {"advance_id": advance_id, "cause": cause, "note": note})
    except ScfError as refusal:
        return _one(advance_id, {"recourse": errors_of(refusal)["form"]}), refusal.http_status
    return done(
        _("The seller is asked to pay and has been told."),
        url_for("officer.advance", advance_id=advance_id),
    )


def _newest(entries: list[portfolio.Booked]) -> list[portfolio.Booked]:
    """Give the newest entries first; income is booked each day, so few of them tell enough."""
    newest = entries[::-1]
    return newest if request.args.get("entries") == "all" else newest[:_FEW]


@page("/advances/<advance_id>/unwind", "payout.unwind", method="POST")
def unwind_advance(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Undo an advance whose pay-out failed or came back."""
    advance_of(advance_id)
    note = typed("note")
    if not note:
        return _one(advance_id, {"note": _("Say why it is not sent again.")}), 422
    try:
        act("payout.unwind", {"advance_id": advance_id, "note": note})
    except ScfError as refusal:
        return _one(advance_id, errors_of(refusal)), refusal.http_status
    return done(
        _("The advance is unwound; everything it held is free."),
        url_for("officer.advance", advance_id=advance_id),
    )
