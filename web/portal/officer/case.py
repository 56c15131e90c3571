"""One case on one page, and everything an officer does on it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from scf.documents.einvoice.shown import verdicts as verdicts_on
from scf.documents.taxcheck.shown import taxes as taxes_of
from scf.financing.reasons import DECLINE_CODES, letter
from scf.kernel.errors import InvalidInput, ScfError
from scf.reporting import casefile
from scf.reporting.alike import alike_of
from scf.reporting.registry import answers
from web.context import actor, now
from web.forms import minor_of
from web.portal import chain
from web.portal.alike import RULES
from web.portal.gate import kept
from web.portal.officer import caseview, verdicts
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.portal.officer.queue import cases
from web.portal.officer.words import decline_name, told_name
from web.refusals import refusal_text
from web.second_factor import check

_CODE_FIELDS: Final = ("code1", "code2", "code3")
_FIRST: Final = frozenset({"STALE", "DECISION_STATE", "ILLEGAL_TRANSITION"})
_LEAST_WORDS: Final = 3


@page("/cases/<request_id>", "request.read")
def case(request_id: str) -> str:
    """Show everything that the decision rests on, and the form for this officer's word."""
    return _one(request_id, {})


def file_of(request_id: str) -> casefile.CaseFile:
    """Read everything about a case, or say that there is none."""
    with reading() as session:
        found = casefile.case_file(session, actor(), request_id, now())
    if found is None:
        raise missing("request")
    return found


def _one(request_id: str, errors: Mapping[str, str], told: list[str] | None = None) -> str:
    file = file_of(request_id)
    sides = file.sides
    picture = chain.around(sides)
    numbers = {line.invoice_id: line.number for line in file.lines}
    with reading() as session:
        rules = verdicts_on(session, list(numbers))
        taxes = taxes_of(session, list(numbers))
        papers = alike_of(session, actor(), list(numbers))
        asked = answers(session, list(numbers))
    return render_template(
        "officer/case.html",
        case=caseview.view(file, actor()),
        overrides=verdicts.of_case(file, actor()),
        place=_place(request_id),
        typed={name: value[:4000] for name, value in request.form.items()},
        errors=errors,
        lost=kept.typed() if errors else [],
        letter=told,
        decline_codes=[(code, decline_name(code)) for code in DECLINE_CODES],
        rules=rules,
        taxes=taxes,
        alike=papers,
        alike_rules=RULES,
        registry=asked,
        numbers=numbers,
        picture=picture,
        highlight=sides,
    )


def _place(request_id: str) -> dict[str, Any]:
    """Give where the case stands in the queue that the officer came from."""
    view = request.values.get("view", "team")
    _rows, shown = cases(view)
    ids = [one.id for one in shown]
    at = ids.index(request_id) if request_id in ids else -1

    def way(to: int) -> str:
        there = 0 <= to < len(ids) and ids[to] != request_id
        return url_for("officer.case", request_id=ids[to], view=view) if there else ""

    return {
        "view": view,
        "number": at + 1,
        "total": len(ids) if at >= 0 else 0,
        "next": way(at + 1),
        "previous": way(at - 1) if at > 0 else "",
    }


# --- Checks -----------------------------------------------------------------------------------


@page("/cases/<request_id>/checks", "request.check", method="POST")
def check_case(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Put a check on record, or all that are open with one piece of evidence."""
    file = file_of(request_id)
    kind, result, evidence = typed("kind", 64), typed("result", 20), typed("evidence")
    if len(evidence) < _LEAST_WORDS:
        return _one(request_id, {f"check-{kind}": _("Say what you saw, in a few words.")}), 422
    kinds = caseview.open_checks(file) if kind == "all" else [kind]
    try:
        for one in kinds:
            payload = {"request_id": request_id, "kind": one, "result": result}
            act("request.check", {**payload, "evidence": evidence}, part=one)
    except ScfError as refusal:
        return _one(request_id, {f"check-{kind}": errors_of(refusal)["form"]}), refusal.http_status
    said = _("The check is recorded.") if result == "CLEAR" else _("The request is refused.")
    where = url_for("officer.case", request_id=request_id, view=request.values.get("view"))
    return done(said, f"{where}#checks")


# --- The word ---------------------------------------------------------------------------------


@page("/cases/<request_id>/decide", "request.decide", method="POST")
def decide_case(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say this officer's word, signed over exactly what the page showed."""
    file = file_of(request_id)
    outcome = typed("outcome", 20)
    codes = list(dict.fromkeys(code for name in _CODE_FIELDS if (code := typed(name, 64))))
    if request.form.get("step") == "preview":
        told = [told_name(code) for code in letter(code for code in codes if code in DECLINE_CODES)]
        return _one(request_id, {}, told)
    errors = _lacks(outcome, codes)
    if errors:
        return _one(request_id, errors), 422
    try:
        payload = _payload(file, outcome, codes)
        check(bound(file, payload["version"]))
        result = act("request.decide", payload).result
    except ScfError as refusal:
        return _refused(request_id, refusal)
    where = url_for("officer.case", request_id=request_id, view=request.values.get("view"))
    return done(_said(outcome, result), where)


def bound(file: casefile.CaseFile, version: int) -> str:
    """Return what this form's signature covers.

    On another version than the present one the word is refused by the command, or is the second
    press of a form whose word has been said: then it is what was shown that was signed.
    """
    return file.signed if version == file.request.version else request.form.get("signed", "")


def _lacks(outcome: str, codes: list[str]) -> dict[str, str]:
    """Give what is missing for a word, before anything is signed."""
    errors = {}
    if outcome not in {"APPROVE", "COUNTER", "DIFFER", "RETURN", "DECLINE"}:
        errors["form"] = _("Choose your word first.")
    if outcome == "DECLINE" and not codes:
        errors["code"] = _("Choose the reason that the firm reads.")
    if outcome == "RETURN" and len(typed("question")) < _LEAST_WORDS:
        errors["question"] = _("Write the question.")
    if outcome == "DIFFER" and len(typed("note")) < _LEAST_WORDS:
        errors["note"] = _("Say in what you differ.")
    return errors


def _payload(file: casefile.CaseFile, outcome: str, codes: list[str]) -> dict[str, Any]:
    version = request.form.get("version", "")
    payload: dict[str, Any] = {
        "request_id": file.request.id,
        "version": int(version) if version.isascii() and version.isdigit() else 0,
        "outcome": outcome,
        "note": typed("note"),
    }
    if outcome == "DECLINE":
        payload |= {"codes": codes, "gap": typed("gap", 1000)}
    if outcome == "RETURN":
        payload["question"] = typed("question", 2000)
    if outcome == "COUNTER":
        payload["lines"] = _less(file)
    return payload


def _less(file: casefile.CaseFile) -> list[dict[str, Any]]:
    """Read how much of each invoice would be financed; nothing leaves it out."""
    lines = []
    for line in file.lines:
        text = typed(f"face:{line.invoice_id}", 40) or "0"
        try:
            face = minor_of(text, file.request.currency)
        except InvalidInput as wrong:
            place = [{"place": "lines", "message": refusal_text(wrong)}]
            raise InvalidInput(
                "INPUT", "%(why)s", why=refusal_text(wrong), problems=place
            ) from None
        lines.append({"invoice_id": line.invoice_id, "face_minor": face})
    return lines


def _refused(request_id: str, refusal: ScfError) -> tuple[str, int]:
    """Show the page again with all that was typed; or who was first."""
    if refusal.code in _FIRST:
        file = file_of(request_id)
        view = caseview.view(file, actor())
        page_text = render_template(
            "officer/conflict.html",
            case=view,
            first=view["words"][-1] if view["words"] else None,
            typed=kept.typed(),
        )
        return page_text, refusal.http_status
    if refusal.code in {"SECOND_FACTOR", "SIGNED_OTHER"}:
        return _one(request_id, {"factor": errors_of(refusal)["form"]}), refusal.http_status
    errors = errors_of(refusal, ("lines", "codes", "question", "note"))
    if "codes" in errors:
        errors["code"] = errors.pop("codes")
    return _one(request_id, errors), refusal.http_status


def _said(outcome: str, result: Mapping[str, Any]) -> str:
    if outcome == "APPROVE" and result["state"] != "APPROVED":
        return str(_("Your word is recorded. Another person says the second one."))
    said = {
        "APPROVE": _("Approved."),
        "COUNTER": _("Your word for less is recorded."),
        "RETURN": _("The question is on its way; the clock stands still."),
        "DIFFER": _("The case goes back to a first word."),
    }
    return str(said.get(outcome, _("Declined. The firm reads the reason.")))


@page("/cases/<request_id>/undo", "request.undo", method="POST")
def undo_case(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Take one's own last word back within five minutes."""
    file_of(request_id)
    version = request.form.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() else 0
    try:
        act("request.undo", {"request_id": request_id, "version": number})
    except ScfError as refusal:
        return _one(request_id, errors_of(refusal)), refusal.http_status
    where: BaseResponse = done(
        _("Your word is taken back."), url_for("officer.case", request_id=request_id)
    )
    return where
