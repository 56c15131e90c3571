"""Provisions: expected losses by stage and days past due, and two people's word on single cases."""

import datetime as dt
from typing import Any, Final, get_args

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.financing.lifecycle import OUT
from scf.impairment.acts import Ground
from scf.kernel.errors import InvalidInput, ScfError
from scf.parties.access import may
from scf.parties.service import business_date, people_names
from scf.reporting import portfolio
from scf.reporting import provisions as reading_of
from web.context import actor
from web.forms import minor_of
from web.portal.officer.desk import act, advance_of, done, errors_of, missing, page, reading, typed

_FEW: Final = 8
REASONS: Final = {
    "PERFORMING": _l("pays as agreed"),
    "PD_WORSENED": _l("default has become much likelier"),
    "PAST_DUE_30": _l("more than 30 days past due"),
    "PAST_DUE_90": _l("more than 90 days past due"),
    "OBLIGOR_DEFAULT": _l("the obligor is in default"),
    "OFFICERS": _l("two officers' word"),
}
KINDS: Final = {
    "allowance": _l("Set aside an amount"),
    "rule": _l("Back to what the policy says"),
    "write_off": _l("Write off what is still carried"),
}
GROUNDS: Final = {
    "default": _l("Default"),
    "insolvency": _l("Insolvency"),
    "unlikely_to_pay": _l("Unlikely to pay"),
    "uncollectible": _l("Cannot be collected"),
    "settlement": _l("Settlement with the debtor"),
    "recovered": _l("The debtor has recovered"),
}
MOVES: Final = {
    "ORIGINATED": _l("First set aside"),
    "TRANSFERRED": _l("Another stage"),
    "REMEASURED": _l("Measured anew"),
    "CORRECTED": _l("A late fact taken into account"),
    "AGREED": _l("Agreed by two people"),
    "ENDED": _l("Released"),
    "WRITTEN_OFF": _l("Written off"),
}
LINES: Final = {
    "opening": _l("Opening"),
    "originated": _l("New advances"),
    "transferred": _l("Moved between stages"),
    "remeasured": _l("Measured anew"),
    "released": _l("Released, paid or bought back"),
    "written_off": _l("Written off"),
    "closing": _l("Closing"),
}
BUCKETS: Final = {
    "not_due": _l("Not past due"),
    "1_30": _l("1 to 30 days"),
    "31_60": _l("31 to 60 days"),
    "61_90": _l("61 to 90 days"),
    "over_90": _l("Over 90 days"),
}
STATES: Final = {
    "PROPOSED": _l("waits for a second person"),
    "AGREED": _l("agreed"),
    "REFUSED": _l("refused"),
}


@page("/provisions", "allowance.read")
def provisions() -> str:
    """Show stages, days past due, the movement of the allowance, and the cases."""
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        first = _day(request.args.get("from", ""), today.replace(day=1), today)
        found = reading_of.provisions(session, first, today)
    return render_template(
        "officer/provisions.html",
        found=found,
        first=first,
        today=today,
        lines=LINES,
        buckets=BUCKETS,
        reasons=REASONS,
        kinds=KINDS,
    )


def _day(text: str, usual: dt.date, latest: dt.date) -> dt.date:
    try:
        return min(dt.date.fromisoformat(text), latest)
    except ValueError:
        return usual


@page("/provisions/<advance_id>", "allowance.read")
def provision(advance_id: str) -> str:
    """Show what is set aside for one advance, how it was measured, and what is proposed."""
    return _one(advance_id, {})


def _one(advance_id: str, errors: dict[str, str]) -> str:
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        life = portfolio.life(session, advance_id, today)
        if life is None:
            raise missing("advance")
        found = reading_of.provision(session, advance_id)
        said = {one.proposed_by for one in found.proposals}
        said |= {one.decided_by for one in found.proposals if one.decided_by}
        people = people_names(session.connection(), said)
    waiting = found.waiting
    open_to_words = life.row.state in OUT and found.stands is not None and waiting is None
    kinds = [
        one
        for one in KINDS.items()
        if one[0] != "rule" or (found.stands and found.stands.specific_minor is not None)
    ]
    return render_template(
        "officer/provision.html",
        row=life.row,
        line=life.line,
        found=found,
        # A figure moves every day; the newest tell enough.
        shown=found.movements if request.args.get("moves") == "all" else found.movements[:_FEW],
        stands=found.stands,
        waiting=waiting,
        own=waiting is not None and waiting.proposed_by == actor().user_id,
        may_propose=may(actor(), "impairment.propose") and open_to_words,
        may_decide=may(actor(), "impairment.decide"),
        kinds=kinds,
        kind_words=KINDS,
        grounds=list(GROUNDS.items()),
        ground_words=GROUNDS,
        moves=MOVES,
        reasons=REASONS,
        states=STATES,
        people=people,
        form=request.form,
        errors=errors,
    )


@page("/provisions/<advance_id>", "impairment.propose", method="POST")
def propose_provision(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose an allowance, the policy's word again, or a write-off."""
    row = advance_of(advance_id)
    kind, ground, note = typed("kind"), typed("ground"), typed("note")
    payload: dict[str, Any] = {
        "advance_id": advance_id, "kind": kind, "ground": ground, "note": note,
    }  # fmt: skip
    errors: dict[str, str] = {} if note else {"note": str(_("Say what it rests on."))}
    if kind not in KINDS:
        errors["kind"] = str(_("Choose what is proposed."))
    if ground not in get_args(Ground):
        errors["ground"] = str(_("Choose a ground."))
    if kind == "allowance":
        try:
            payload["amount_minor"] = minor_of(typed("amount", 40), row.currency)
        except InvalidInput:
            errors["amount"] = str(_("Write an amount such as 1,250,000.00."))
    if errors:
        return _one(advance_id, errors), 422
    try:
        act("impairment.propose", payload, reason=note)
    except ScfError as refusal:
        return _one(advance_id, errors_of(refusal)), refusal.http_status
    return done(
        _("Proposed. Another person agrees before anything is booked."),
        url_for("officer.provision", advance_id=advance_id),
    )


@page("/provisions/<advance_id>/decide", "impairment.decide", method="POST")
def decide_provision(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Agree to what another person proposed, which books it, or refuse it."""
    advance_of(advance_id)
    agree, answer = typed("word") == "agree", typed("answer")
    payload = {"proposal_id": typed("proposal"), "agree": agree, "note": answer}
    try:
        act("impairment.decide", payload, reason=answer)
    except ScfError as refusal:
        return _one(advance_id, errors_of(refusal)), refusal.http_status
    said = _("Agreed and booked.") if agree else _("Refused; nothing was booked.")
    return done(said, url_for("officer.provision", advance_id=advance_id))
