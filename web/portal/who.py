"""Who is this? What documents say of a firm, side by side with the firms that may be meant."""

from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from scf.documents.identity.cases import case, cases
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotAllowed, NotFound, NotSignedIn, ScfError
from scf.parties.access import may
from web.context import actor, platform
from web.portal.acting import act, must
from web.portal.pages import portal
from web.refusals import refusal_text

_LEAST_WORDS: Final = 3
# What a reason of a score is called; its two sides stand beside it.
PARTS: Final = {
    "NUMBER_SAME": _l("The same number"),
    "NUMBER_OTHER": _l("Another number of the same kind"),
    "NAME_SAME": _l("The same name"),
    "NAME_SAME_BUT_FORM": _l("The same name, one without its legal form"),
    "NAME_OTHER_FORM": _l("The same name, another legal form"),
    "NAME_ORDER": _l("The same words in another order"),
    "NAME_TRANSCRIBED": _l("The same name in another script"),
    "NAME_PART": _l("One name is part of the other"),
    "NAME_CLOSE": _l("Almost the same name"),
    "NAME_OTHER_FIGURE": _l("Another figure in the name"),
    "NAME_DIFFERENT": _l("Another name"),
    "NAME_DISGUISED": _l("Letters of another script that look the same"),
    "NAME_MISSING": _l("No name to compare"),
    "COUNTRY_SAME": _l("The same country"),
    "COUNTRY_OTHER": _l("Another country"),
    "ADDRESS_SAME": _l("The same address"),
    "ADDRESS_OTHER": _l("Another address"),
    "MAILBOX_SAME": _l("The same mail domain"),
    "ACCOUNT_SAME": _l("The same bank account"),
}
TIERS: Final = {
    "certain": (_l("Its number"), "ok"),
    "likely": (_l("Likely"), "ok"),
    "possible": (_l("Possible"), "warn"),
    "none": (_l("Not this firm"), "bad"),
}
SIDES: Final = {
    "seller": _l("Seller"),
    "buyer": _l("Buyer"),
    "payee": _l("Payee"),
    "payer": _l("Payer"),
}


@portal.get("/who")
def who_list() -> str:
    """List the firms that waiting documents name and nobody could settle."""
    must("identity.decide")
    with platform().db.snapshot() as conn:
        rows = cases(conn, actor())
    return render_template(
        "who/list.html", cases=rows, tiers=TIERS, sides=SIDES, back=back_of(actor())
    )


@portal.get("/who/<finding_id>")
def who(finding_id: str) -> str:
    """Show what a document says of a firm beside the firms that may be meant."""
    must("identity.decide")
    return _page(finding_id, "")


def _page(finding_id: str, error: str) -> str:
    with platform().db.snapshot() as conn:
        asked = case(conn, actor(), finding_id)
    return render_template(
        "who/one.html",
        asked=asked,
        error=error,
        chosen=request.form.get("choice", ""),
        reason=request.form.get("reason", ""),
        parts=PARTS,
        tiers=TIERS,
        sides=SIDES,
        may_new=may(actor(), "firm.add"),
        back=back_of(actor()),
    )


@portal.post("/who/<finding_id>")
def decide_who(finding_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say who is meant; the documents that waited go on, or back to their sender."""
    must("identity.decide")
    choice, reason = request.form.get("choice", "")[:80], request.form.get("reason", "").strip()
    kind, _sign, firm_id = choice.partition(":")
    if kind not in {"KNOWN", "NEW", "SENT_BACK"}:
        return _page(finding_id, _("Choose one of the answers.")), 422
    if len(reason) < _LEAST_WORDS:
        return _page(finding_id, _("Say what you saw, in a few words.")), 422
    payload = {
        "finding_id": finding_id,
        "outcome": kind,
        "firm_id": firm_id or None,
        "reason": reason[:2000],
    }
    try:
        result = act("identity.decide", payload)
    except (NotFound, NotSignedIn):
        raise
    except NotAllowed as refusal:
        if refusal.code == "NOT_ALLOWED":
            raise
        return _page(finding_id, refusal_text(refusal)), refusal.http_status
    except ScfError as refusal:
        return _page(finding_id, refusal_text(refusal)), refusal.http_status
    return _after(result)


def _after(result: dict[str, Any]) -> BaseResponse:
    text = {
        "KNOWN": _("Settled. The documents that waited for it are looked at again."),
        "NEW": _("%(name)s is invited. A second person activates it.", name=result["name"]),
        "SENT_BACK": _("The documents went back to their sender with your reason."),
    }[result["outcome"]]
    flash(text, "ok")
    return redirect(url_for("portal.who_list"), 303)


def back_of(who_asks: Actor) -> tuple[str, str]:
    """Give the page that a person comes from: an officer's firms, a trader's uploads."""
    if who_asks.roles & {Role.OFFICER_MAKER, Role.OFFICER_CHECKER}:
        return _("Firms"), url_for("officer.firms")
    return _("Upload"), url_for("uploads.new")
