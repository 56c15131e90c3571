"""A firm's grade by people: what stands, what another would do, and the second person's word."""

import datetime as dt
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting import newcomers
from scf.reporting.grading import Effect, effect, words_on
from scf.risk.grading import newest
from web.context import actor
from web.i18n import percent
from web.portal.officer import modelwords, words
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.portal.officer.repricing import shift_of

_LEAST_WORDS: Final = 3
CODES: Final = {
    "EVIDENCE_SEEN": _l("I have seen evidence that the model does not know"),
    "RELATION_KNOWN": _l("We have known the firm for long"),
    "GROUP_SUPPORT": _l("A parent stands behind it, or has stopped to"),
    "BAD_NEWS": _l("Bad news from outside"),
    "MODEL_LIMIT": _l("The card was not made for such a firm"),
}


@page("/firms/<firm_id>/grade", "risk.read")
def grade(firm_id: str) -> Any:  # noqa: ANN401 - a page, and whether all is well
    """Show how the firm is graded, by whom, and with a number typed what it would be."""
    return _page(firm_id, request.args.get("notches", "").strip()[:4], {}, 200)


def notches_name(notches: int) -> str:
    """Return columns of the scale in words."""
    if not notches:
        return str(_("as the model has it"))
    count = abs(notches)
    if notches > 0:
        return str(ngettext("%(num)d column worse", "%(num)d columns worse", count))
    return str(ngettext("%(num)d column better", "%(num)d columns better", count))


def _page(firm_id: str, text: str, errors: dict[str, str], status: int) -> tuple[str, int]:
    notches = shift_of(text)
    if text and notches is None:
        errors, status = {"notches": _("Write a whole number, for example 1 or -1.")}, 422
    with reading() as session:
        firm = newcomers.firm(session, firm_id)
        if firm is None:
            raise missing("firm")
        said = words_on(session, firm_id)
        found = effect(session, actor(), firm_id, notches) if notches is not None else None
        assessed = newest(session.connection(), actor().org_id, firm_id)
    body = render_template(
        "officer/grade.html",
        firm=firm,
        kind=modelwords.kind(assessed.kind if assessed is not None else "expert_prior"),
        said=[(one, notches_name(one.notches), CODES.get(one.code, one.code)) for one in said],
        effect=_shown(found) if found is not None else None,
        unknown=notches is not None and found is None,
        notches=text,
        codes=[(code, str(name)) for code, name in CODES.items()],
        me=actor().user_id,
        may_say=may(actor(), "firm.fact"),
        may_confirm=may(actor(), "firm.fact.confirm"),
        typed={name: value[:2000] for name, value in request.form.items()},
        errors=errors,
    )
    return body, status


def _shown(found: Effect) -> dict[str, Any]:
    firm = found.firm
    return {
        "what": notches_name(firm.notches),
        "rows": [
            (_("Grade"), firm.grade_before, firm.grade_after),
            (_("Default risk, 1 year"), percent(firm.pd_before_ppm), percent(firm.pd_after_ppm)),
            (
                _("The price asks for"),
                words.price_asks_for(firm.route_before),
                words.price_asks_for(firm.route_after),
            ),
        ],
        "cases": [
            {
                "id": one.request_id,
                "before": f"{one.rate_before_bp} bp",
                "after": str(_("no price"))
                if one.rate_after_bp is None
                else f"{one.rate_after_bp} bp",
                "parts": [
                    (words.component(name), f"{now} bp", f"{then} bp")
                    for name, now, then in one.parts
                ],
            }
            for one in found.cases
        ],
    }


@page("/firms/<firm_id>/grade", "firm.fact", method="POST")
def grade_firm(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say how the firm is to be graded; what is better waits for another person."""
    text, evidence, until = typed("notches", 4), typed("evidence", 2000), typed("valid_to", 10)
    notches = shift_of(text)
    if notches is None:
        return _page(firm_id, text or "?", {}, 422)
    errors = {}
    if len(evidence) < _LEAST_WORDS:
        errors["evidence"] = _("Say what you saw, in a few words.")
    try:
        valid_to = dt.date.fromisoformat(until)
    except ValueError:
        errors["valid_to"] = _("Say until which day.")
    if errors:
        return _page(firm_id, text, errors, 422)
    payload = {
        "firm_id": firm_id,
        "kind": "grade",
        "notches": notches,
        "code": typed("why", 64),
        "valid_to": valid_to,
        "evidence": evidence,
    }
    try:
        result = act("firm.fact", payload).result
    except ScfError as refusal:
        return _page(firm_id, text, errors_of(refusal, ("valid_to",)), refusal.http_status)
    said = (
        _("Kept. Another person confirms it; until then the model's grade counts.")
        if result["waits_for_second"]
        else _("Kept. It counts from tomorrow's prices on.")
    )
    return done(said, url_for("officer.grade", firm_id=firm_id))


@page("/firms/<firm_id>/grade/confirm", "firm.fact.confirm", method="POST")
def confirm_grade(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Another person has seen the evidence."""
    try:
        act("firm.fact.confirm", {"fact_id": typed("fact_id", 64)})
    except ScfError as refusal:
        return _page(firm_id, "", errors_of(refusal), refusal.http_status)
    said = _("Confirmed. It counts from tomorrow's prices on.")
    return done(said, url_for("officer.grade", firm_id=firm_id))
