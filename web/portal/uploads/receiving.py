"""The door for files: the list of what was handed in, and a new one."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response

from scf.documents.commands import ReceiveUpload
from scf.documents.identity.cases import waiting
from scf.documents.models import Upload
from scf.documents.transfers.rules import SLICE_BYTES
from scf.kernel.findings import shown
from web.context import actor, platform
from web.portal.acting import tried
from web.portal.uploads.blueprint import content_of, one_upload, uploads
from web.portal.uploads.sending import on_their_way

PAGE = 20


@uploads.get("/")
def new() -> str:
    """Show the place for a file and what was handed in before, the newest first."""
    after = request.args.get("after", "")[:64]
    statement = select(Upload).where(col(Upload.archive_id).is_(None))
    statement = statement.order_by(col(Upload.id).desc()).limit(PAGE + 1)
    if after:
        statement = statement.where(col(Upload.id) < after)
    with platform().db.read(actor()) as reading:
        rows = list(reading.execute(statement).scalars())
        older = url_for("uploads.new", after=rows[PAGE - 1].id) if len(rows) > PAGE else ""
        return render_template(
            "uploads/home.html",
            rows=rows[:PAGE],
            newer=url_for("uploads.new") if after else "",
            older=older,
            on_their_way=[] if after else on_their_way(reading),
            slice_bytes=SLICE_BYTES,
            unknown=waiting(reading.connection(), actor().org_id),
        )


@uploads.post("/")
def receive() -> Response:
    """Keep a file; nothing of it is read into the books before its sender says so."""
    sent = request.files.get("file")
    content = sent.read() if sent is not None else b""
    if sent is None or not content:
        flash(_("Choose a file first; an empty one holds nothing to read."), "warn")
        return redirect(url_for("uploads.new"), 303)
    return _staged(shown(sent.filename or "file", 400), content)


@uploads.post("/<upload_id>/again")
def again(upload_id: str) -> Response:
    """Take the same file once more, to be read in another way."""
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        content, name = content_of(reading, row), row.name
    return _staged(name, content)


def _staged(name: str, content: bytes) -> Response:
    done = tried("upload.receive", ReceiveUpload(name=name, content=content, hold=True))
    if done is None:
        return redirect(url_for("uploads.new"), 303)
    if done["seen_before"]:
        flash(
            _("You have handed in exactly this file before. What is stored is not stored twice."),
            "info",
        )
    return redirect(url_for("uploads.check", upload_id=done["upload_id"]), 303)
