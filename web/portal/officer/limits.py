"""The limit tree: what is granted, set aside and out; less at once, more by two people."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, ScfError
from scf.kernel.money import EXPONENTS
from scf.parties.access import may
from scf.parties.models import Firm
from scf.programmes.limits import KINDS
from scf.programmes.models import Programme
from scf.reporting import exposure
from web.context import actor
from web.forms import minor_of
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.refusals import refusal_text
from web.second_factor import check, digest_of

_LEAST_WORDS = 3
_NAMED = ("financier", "programme", "obligor", "seller", "insured")


@page("/limits", "limit.read")
def limits() -> str:
    """Show the tree by currency, with what is near its limit or over it first in sight."""
    with reading() as session:
        lines = exposure.limit_tree(session)
    currencies = sorted({line.currency for line in lines if line.taken_minor}) or sorted(
        {line.currency for line in lines}
    )
    every = sorted({line.currency for line in lines})
    chosen = request.args.get("currency", "")
    if chosen not in every:
        chosen = currencies[0] if currencies else ""
    chosen_filter = request.args.get("show", "")
    shown = [
        line
        for line in lines
        if line.currency == chosen and (chosen_filter != "near" or line.level != "fine")
    ]
    return render_template(
        "officer/limits.html",
        lines=shown,
        total=sum(1 for line in lines if line.currency == chosen),
        waiting=[line for line in lines if line.proposal is not None],
        near=sum(1 for line in lines if line.level != "fine" and line.currency == chosen),
        currencies=every,
        chosen=chosen,
        filter=chosen_filter,
        may_set=may(actor(), "limit.set"),
    )


@page("/limits/new", "limit.set")
def new_limit() -> str:
    """Show the form for a limit that is not there yet."""
    return _new_form({"kind": request.args.get("kind", "obligor"), "currency": "EUR"}, {})


@page("/limits/new", "limit.set", method="POST")
def add_limit() -> Any:  # noqa: ANN401 - a page or a way on
    """Set a limit on something that had none."""
    form = {name: typed(name, 200) for name in ("kind", "subject_id", "currency", "limit")}
    try:
        if form["currency"] not in EXPONENTS:
            return _new_form(form, {"currency": _("There is no such currency.")}), 422
        amount = _amount(form["limit"], form["currency"])
        kind, _sep, subject = form["subject_id"].partition(":")
        payload = {"kind": kind, "subject_id": subject, "currency": form["currency"]}
        result = act("limit.set", {**payload, "limit_minor": amount, "version": 0}).result
    except ScfError as refusal:
        return _new_form(form, _said(refusal)), refusal.http_status
    return done(_told(result), url_for("officer.limits", currency=form["currency"]))


def _told(result: dict[str, Any]) -> str:
    if result["waits_for_second"]:
        return str(_("The limit is proposed. A second person grants it."))
    return str(_("The limit is set."))


def _new_form(form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        return render_template(
            "officer/limit_new.html", form=form, errors=errors, subjects=_subjects(session)
        )


def _subjects(session: Session) -> list[tuple[str, str, str]]:
    """Give what a limit may be set on: (kind, id, name)."""
    firms = session.execute(
        select(col(Firm.id), col(Firm.name), col(Firm.kind)).order_by(col(Firm.name))
    ).all()
    programmes = session.execute(
        select(col(Programme.id), col(Programme.name)).order_by(col(Programme.name))
    ).all()
    own = actor().org_id
    found = [("financier", row.id, row.name) for row in firms if row.id == own]
    found += [("programme", row.id, row.name) for row in programmes]
    traders = [row for row in firms if row.kind == "trader"]
    found += [(kind, row.id, row.name) for kind in _NAMED[2:] for row in traders]
    return [one for one in found if one[0] in _NAMED and one[0] in KINDS]


@page("/limits/<node_id>", "limit.read")
def limit(node_id: str) -> str:
    """Show one node with the form that changes it."""
    return _one(node_id, "", {})


@page("/limits/<node_id>", "limit.set", method="POST")
def set_limit(node_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Show what a change would mean; the second press makes it."""
    line = _line(node_id)
    text = typed("limit", 60)
    try:
        amount = _amount(text, line.currency)
        if request.form.get("step") != "confirm":
            return _one(node_id, text, {}, amount)
        payload = {
            "kind": line.kind,
            "subject_id": line.subject_id,
            "currency": line.currency,
            "limit_minor": amount,
            "version": _version(),
        }
        result = act("limit.set", payload, reason=typed("why", 1000)).result
    except ScfError as refusal:
        return _one(node_id, text, _said(refusal)), refusal.http_status
    return done(_told(result), url_for("officer.limits", currency=line.currency))


@page("/limits/<node_id>/confirm", "limit.confirm", method="POST")
def confirm_limit(node_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Grant what another person has proposed, signed over exactly that amount."""
    line = _line(node_id)
    proposal = line.proposal
    try:
        if proposal is None:
            raise Conflict("NOTHING_WAITS", "No proposal waits on this limit.")
        if proposal.by_id == actor().user_id:
            raise NotAllowed("FOUR_EYES", "Another person grants what you have proposed.")
        check(_signed(line, proposal))
        act("limit.confirm", {"items": [{"limit_id": node_id, "limit_minor": proposal.minor}]})
    except ScfError as refusal:
        return _one(node_id, "", {"factor": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The limit is granted."), url_for("officer.limits", currency=line.currency))


def _signed(line: exposure.LimitLine, proposal: exposure.Proposal) -> str:
    """Give the digest of what the second person signs: this much on that name, by that person."""
    return digest_of(
        limit=line.id, before=line.limit_minor, granted=proposal.minor, by=proposal.by_id
    )


@page("/limits/<node_id>/refuse", "limit.refuse", method="POST")
def refuse_limit(node_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Drop a proposal that waits."""
    line = _line(node_id)
    why = typed("reason", 1000)
    if len(why) < _LEAST_WORDS:
        return _one(node_id, "", {"reason": _("Say why, in a few words.")}), 422
    try:
        act("limit.refuse", {"limit_id": node_id, "reason": why})
    except ScfError as refusal:
        return _one(node_id, "", {"reason": errors_of(refusal)["form"]}), refusal.http_status
    return done(_("The proposal is dropped."), url_for("officer.limits", currency=line.currency))


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _amount(text: str, currency: str) -> int:
    """Read the amount, told apart from other errors by its place."""
    try:
        return minor_of(text, currency)
    except InvalidInput as wrong:
        place = [{"place": "limit", "message": refusal_text(wrong)}]
        raise InvalidInput(wrong.code, "%(why)s", why=refusal_text(wrong), problems=place) from None


def _said(refusal: ScfError) -> dict[str, str]:
    if refusal.code.startswith("AMOUNT"):
        return {"limit": str(_("Write an amount such as 1,250,000.00."))}
    return errors_of(refusal, ("limit", "currency", "subject_id"))


def _line(node_id: str) -> exposure.LimitLine:
    with reading() as session:
        line = exposure.limit_line(session, node_id)
    if line is None:
        raise missing("limit")
    return line


def _one(node_id: str, text: str, errors: dict[str, str], proposed: int | None = None) -> str:
    line = _line(node_id)
    if line.proposal is None:  # somebody was faster: its form is gone, what it said is not
        errors = {
            "form" if name in {"factor", "reason"} else name: said for name, said in errors.items()
        }
    return render_template(
        "officer/limit.html",
        line=line,
        text=text,
        errors=errors,
        proposed=proposed,
        may_set=may(actor(), "limit.set"),
        may_confirm=may(actor(), "limit.confirm"),
        own=line.proposal is not None and line.proposal.by_id == actor().user_id,
        signed=_signed(line, line.proposal) if line.proposal is not None else "",
    )
