"""Firms and their accounts: who is unknown, who waits, and the second person's word."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting import newcomers
from web.context import actor
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.refusals import refusal_text

_LEAST_WORDS = 3


@page("/firms", "firm.read")
def firms() -> str:
    """Show parties nobody knows, then the firms, those that wait for a word first."""
    return _list({})


def _list(errors: dict[str, str]) -> str:
    state = request.args.get("state", "")
    text = request.args.get("q", "").strip()[:100]
    with reading() as session:
        unknown = newcomers.unknown(session)
        rows = newcomers.firms(session, state if state in {"INVITED", "SUSPENDED"} else "", text)
        waiting = [
            one for one in newcomers.accounts(session, actor().org_id) if one.state == "UNVERIFIED"
        ]
        joinings = newcomers.joinings(session)
    return render_template(
        "officer/firms.html",
        joinings=joinings,
        may_merge=may(actor(), "firm.merge"),
        may_name=may(actor(), "identity.decide"),
        unknown=unknown,
        firms=rows,
        accounts=waiting,
        state=state,
        text=text,
        errors=errors,
        may_add=may(actor(), "firm.add"),
    )


@page("/firms/from-finding", "firm.add", method="POST")
def firm_from_finding() -> Any:  # noqa: ANN401 - a page or a way on
    """Invite the party of a finding, or link it to a firm that is known."""
    finding, known = typed("finding_id", 64), typed("firm_id", 64)
    try:
        if known:
            act("firm.identify", {"firm_id": known, "finding_id": finding})
            firm_id, text = known, _("The party is linked; its documents are looked at again.")
        else:
            added = act("firm.add", {"finding_id": finding}).result
            firm_id, text = added["id"], _("The firm is invited. A second person activates it.")
    except ScfError as refusal:
        return _list({finding: errors_of(refusal)["form"]}), refusal.http_status
    return done(text, url_for("officer.firm", firm_id=firm_id))


@page("/firms/<firm_id>", "firm.read")
def firm(firm_id: str) -> str:
    """Show one firm, its numbers and its accounts."""
    return _one(firm_id, {}, {})


def _one(firm_id: str, form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        row = newcomers.firm(session, firm_id)
        if row is None:
            raise missing("firm")
        accounts = newcomers.accounts(session, actor().org_id, firm_id)
    return render_template(
        "officer/firm.html",
        firm=row,
        accounts=accounts,
        form=form,
        errors=errors,
        own=row.added_by_id == actor().user_id,
        me=actor().user_id,
        may_activate=may(actor(), "firm.activate"),
        may_suspend=may(actor(), "firm.suspend"),
        may_add=may(actor(), "account.add"),
        may_verify=may(actor(), "account.verify"),
        may_merge=may(actor(), "firm.merge"),
    )


def known_firm(firm_id: str) -> newcomers.FirmLine:
    """Give a firm, or the answer for what is not there."""
    with reading() as session:
        row = newcomers.firm(session, firm_id)
    if row is None:
        raise missing("firm")
    return row


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


@page("/firms/<firm_id>/activate", "firm.activate", method="POST")
def activate_firm(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let a firm trade, with what showed that it is what it says."""
    return _word(firm_id, "firm.activate", "evidence", _("The firm may trade."))


@page("/firms/<firm_id>/suspend", "firm.suspend", method="POST")
def suspend_firm(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let a firm trade no further for now."""
    return _word(firm_id, "firm.suspend", "reason", _("The firm is suspended."))


def _word(firm_id: str, command: str, field: str, said: str) -> Any:  # noqa: ANN401
    known_firm(firm_id)
    text = typed(field, 2000)
    if len(text) < _LEAST_WORDS:
        return _one(firm_id, {field: text}, {field: _("Say what you saw, in a few words.")}), 422
    try:
        act(command, {"firm_id": firm_id, field: text, "version": _version()})
    except ScfError as refusal:
        return _one(firm_id, {field: text}, errors_of(refusal, (field,))), refusal.http_status
    return done(said, url_for("officer.firm", firm_id=firm_id))


_NATIONAL = (
    "number",
    "bic",
    "clearing_system",
    "clearing_member",
    "street",
    "postcode",
    "town",
    "country",
)
_PLACES = {
    "BIC": "bic",
    "ACCOUNT_BIC": "clearing_member",
    "CLEARING_MEMBER": "clearing_member",
    "CLEARING_SYSTEM": "clearing_system",
    "ADDRESS": "town",
}


@page("/firms/<firm_id>/accounts", "account.add", method="POST")
def add_account(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Record an account of a firm; it receives nothing before a second person verified it."""
    known_firm(firm_id)
    form = {name: typed(name, 100) for name in ("iban", "currency", "holder", *_NATIONAL)}
    payload = {"firm_id": firm_id, **{name: text for name, text in form.items() if text}}
    try:
        act("account.add", payload)
    except ScfError as refusal:
        errors = errors_of(refusal, ("iban", "currency", "holder", *_NATIONAL))
        if "IBAN" in refusal.code or refusal.code == "ACCOUNT_NUMBER":
            errors = {"number" if form["number"] else "iban": refusal_text(refusal)}
        elif refusal.code in _PLACES:
            errors = {_PLACES[refusal.code]: refusal_text(refusal)}
        return _one(firm_id, form, errors), refusal.http_status
    return done(
        _("The account is recorded. A second person verifies it."),
        url_for("officer.firm", firm_id=firm_id),
    )


@page("/accounts/<account_id>/verify", "account.verify", method="POST")
def verify_account(account_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say that an account is the firm's, and what showed it."""
    with reading() as session:
        found = newcomers.accounts(session, actor().org_id, account_id=account_id)
    if not found:
        raise missing("account")
    account = found[0]
    evidence = typed("evidence", 2000)
    place = f"evidence-{account_id}"
    if len(evidence) < _LEAST_WORDS:
        errors = {place: _("Say what you saw, in a few words.")}
        return _one(account.firm_id, {place: evidence}, errors), 422
    try:
        result = act("account.verify", {"account_id": account_id, "evidence": evidence}).result
    except ScfError as refusal:
        errors = {place: errors_of(refusal)["form"]}
        return _one(account.firm_id, {place: evidence}, errors), refusal.http_status
    text = _("The account is verified.")
    if result["usable_on"]:
        text = _("The account is verified. Money goes there after the cooling-off.")
    return done(text, url_for("officer.firm", firm_id=account.firm_id))
