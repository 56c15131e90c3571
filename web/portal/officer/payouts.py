"""Money out: files prepared by one person, released by another with the second factor."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from scf.kernel.errors import NotAllowed, ScfError
from scf.parties.access import may
from scf.parties.service import business_date
from scf.reporting import payouts as reporting
from scf.settlement import payout
from web.api.v1.files import attachment
from web.context import actor, demo_world
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.portal.officer.words import reason
from web.second_factor import check

MOST_ADVANCES = 500


@page("/pay-outs", "payment_file.read")
def pay_outs() -> str:
    """Show what is decided and waits to be paid, and the files on their way."""
    return _overview({})


def _overview(errors: dict[str, str]) -> str:
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        waiting = reporting.waiting(session, today)
        files = reporting.files(session)
    ready: dict[tuple[Any, str], list[int]] = {}
    for row in waiting:
        if not row.hurdle:
            ready.setdefault((row.value_on, row.currency), []).append(row.net_minor)
    return render_template(
        "officer/payouts.html",
        today=today,
        waiting=waiting,
        ready={key: (len(sums), sum(sums)) for key, sums in sorted(ready.items())},
        open_files=[file for file in files if file.state == "CREATED"],
        files=[file for file in files if file.state != "CREATED"],
        errors=errors,
        may_prepare=may(actor(), "payout.prepare"),
    )


@page("/pay-outs/prepare", "payout.prepare", method="POST")
def prepare_payout() -> Any:  # noqa: ANN401 - a page or a way on
    """Write payment files for the advances that were ticked, or for all that is ready."""
    chosen = request.form.getlist("advance")[:MOST_ADVANCES]
    asked = {
        "advance_ids": chosen,
        "owed": not chosen,
        "version": request.form.get("version") or None,
        "batch_booking": {"one": True, "each": False}.get(request.form.get("booking", "")),
    }
    try:
        result = act("payout.prepare", asked).result
    except ScfError as refusal:
        return _overview(errors_of(refusal)), refusal.http_status
    files = result["files"]
    if not files:
        codes = sorted({reason(one["code"]) for one in result["skipped"]})
        text = " ".join(codes) or _("Nothing is ready to be paid.")
        return _overview({"form": text}), 422
    text = ngettext(
        "The file is prepared. A second person releases it.",
        "%(num)d files are prepared. A second person releases them.",
        len(files),
    )
    if len(files) == 1:
        return done(text, url_for("officer.pay_out", file_id=files[0]["file_id"]))
    return done(text, url_for("officer.pay_outs"))


@page("/pay-outs/<file_id>", "payment_file.read")
def pay_out(file_id: str) -> str:
    """Show one file with its payments and what may be done with it."""
    return _one(file_id, {})


def _file(file_id: str) -> reporting.FileHead:
    with reading() as session:
        file = reporting.file_of(session, file_id)
    if file is None:
        raise missing("payment file")
    return file


def _one(file_id: str, errors: dict[str, str]) -> str:
    file = _file(file_id)
    return render_template(
        "officer/payout.html",
        file=file,
        errors=errors,
        may_release=may(actor(), "payout.release"),
        may_cancel=may(actor(), "payout.cancel"),
        may_resend=may(actor(), "payout.resend"),
        own=file.prepared_by_id == actor().user_id,
        demo=demo_world(),
    )


@page("/pay-outs/<file_id>/release", "payout.release", method="POST")
def release_payout(file_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Release a file as its second person; what is signed is the digest of the file itself."""
    file = _file(file_id)
    try:
        if file.prepared_by_id == actor().user_id:
            raise NotAllowed("FOUR_EYES", "Who prepared a payment file cannot release it.")
        check(file.sha256)
        act("payout.release", {"file_id": file_id})
    except ScfError as refusal:
        errors = errors_of(refusal)
        if refusal.code == "SECOND_FACTOR":
            errors = {"code": errors["form"]}
        return _one(file_id, errors), refusal.http_status
    return done(
        _("The file is released. Hand it to the bank."), url_for("officer.pay_out", file_id=file_id)
    )


@page("/pay-outs/<file_id>/resend", "payout.resend", method="POST")
def resend_payout(file_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Note that the same bytes go to the bank once more."""
    _file(file_id)
    try:
        act("payout.resend", {"file_id": file_id})
    except ScfError as refusal:
        return _one(file_id, errors_of(refusal)), refusal.http_status
    return redirect(url_for("officer.pay_out_content", file_id=file_id), 303)


@page("/pay-outs/<file_id>/cancel", "payout.cancel", method="POST")
def cancel_payout(file_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Drop a file that was not released; what it would have paid can be prepared again."""
    _file(file_id)
    note = typed("note")
    if not note:
        return _one(file_id, {"note": _("Say why the file is dropped.")}), 422
    try:
        act("payout.cancel", {"file_id": file_id, "note": note})
    except ScfError as refusal:
        return _one(file_id, errors_of(refusal)), refusal.http_status
    return done(_("The file is dropped."), url_for("officer.pay_outs"))


@page("/pay-outs/<file_id>/content", "payment_file.read")
def pay_out_content(file_id: str) -> Response:
    """Give the released file for the bank, the same bytes every time."""
    with reading() as session:
        content = payout.content_of(session.connection(), file_id, actor())
    return attachment(content, f"{_file(file_id).message_id}.xml", "application/xml")
