"""How far a file is, and what came of it."""

import datetime as dt
import json
from typing import Final

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.models import Job
from scf.documents import errorfile, intake
from scf.documents.archives.opening import is_archive
from scf.documents.archives.results import with_its_files
from scf.documents.models import (
    CreditNote,
    DocumentFinding,
    Invoice,
    Order,
    Receipt,
    TradePayment,
    Upload,
)
from scf.documents.progress import pace
from scf.documents.repairs.answering import rows_of
from scf.kernel.actor import Role
from scf.parties import identifiers as numbers
from scf.parties.access import may
from web.api.v1.files import attachment
from web.context import actor, platform
from web.forms import form_key
from web.portal.acting import must, tried
from web.portal.uploads import archives, preview
from web.portal.uploads.blueprint import content_of, one_upload, open_errors, partners, uploads
from web.portal.uploads.credited import credited
from web.portal.uploads.fixing import grid_of
from web.portal.uploads.repaired import repaired
from web.refusals import findings_told

REFRESH: Final = 3
_UNKNOWN: Final = 50
_TOLD: Final = 25


@uploads.get("/<upload_id>")
def show(upload_id: str) -> Response | BaseResponse:
    """Show progress while a file is read (the page may be closed), afterwards the report."""
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        if row.state == "STAGED":
            return redirect(url_for("uploads.check", upload_id=upload_id), 303)
        running = row.state in {"RECEIVED", "RUNNING"}
        content = b"" if running else content_of(reading, row)  # asked for every few seconds
        job = reading.execute(
            select(Job).where(col(Job.kind) == "documents.import", col(Job.key) == row.id)
        ).scalar_one_or_none()
        errors = [] if running else open_errors(reading, upload_id)
        table = not running and preview.is_table(content)
        fixes = row.mode == "keep-good" and table and bool(errors)
        starts = rows_of(reading.connection(), upload_id) if fixes else []
        grid = grid_of(row, content, errors, starts, _after()) if fixes else None
        told = [one for one in errors if grid is None or errorfile.row_of(one.place) is None]
        packed = not running and is_archive(content)
        unknown = [] if running else _unknown(reading, upload_id)
        page = render_template(
            "uploads/show.html",
            row=row,
            running=running,
            failed=job is not None and job.state == "FAILED",
            pace=pace(job.progress if job else None) if running else None,
            grid=grid,
            archive=_archive_of(reading, row),
            files=archives.files_of(reading, row) if packed else None,
            result_name=archives.result_name,
            told=told[:_TOLD],
            told_more=max(0, len(told) - _TOLD),
            has_errors=bool(errors),
            unknown=unknown,
            partners=partners(reading) if unknown else [],
            same_name=numbers.alias,
            waiting=_waiting(reading, upload_id) if row.incomplete_count else 0,
            may_invite=may(actor(), "firm.add"),
            after_links=_after_links(),
            took=_took(row),
            repairs=[] if running else repaired(reading, upload_id),
            credited=[] if running else credited(reading, upload_id),
            left_out=_left_out(reading, upload_id) if table else 0,
            known_since=0 if running else _known_since(reading, upload_id),
            refresh=REFRESH,
        )
    answer = make_response(page)
    if running:
        # Without a script the page loads itself again; with one only its progress is replaced.
        answer.headers["Refresh"] = str(REFRESH * 5)
    elif request.headers.get("HX-Request"):
        answer.headers["HX-Refresh"] = "true"  # it is read: the whole page is another one
    return answer


@uploads.post("/<upload_id>/invite")
def invite(upload_id: str) -> BaseResponse:
    """Invite the firm that a document names; what waits for it goes on when it is active."""
    must("firm.add")
    finding_id = request.form.get("finding", "")[:64]
    done = tried("firm.add", {"finding_id": finding_id}, part=finding_id)
    if done is not None:
        flash(
            _(
                "%(name)s is invited. Its documents go on by themselves once the bank has"
                " checked the firm.",
                name=done["name"],
            ),
            "ok",
        )
    return redirect(url_for("uploads.show", upload_id=upload_id), 303)


@uploads.post("/<upload_id>/recognise")
def recognise(upload_id: str) -> BaseResponse:
    """Take the firms that a file means by its names; what waited for them goes on at once."""
    must("firm.recognise")
    with platform().db.read(actor()) as reading:
        one_upload(reading, upload_id)
    known = 0
    for name, firm_id in request.form.items():
        mark, _sign, finding_id = name.partition(":")
        if mark != "firm" or not firm_id:
            continue
        ask = {"firm_id": firm_id[:64], "finding_id": finding_id[:64]}
        done = tried("firm.recognise", ask, part=finding_id[:64])
        if done is not None:
            known += 1
            intake.look_again(platform(), done["id"], f"{form_key()}:{finding_id[:64]}")
    if known:
        flash(ngettext("%(num)d firm is recognised.", "%(num)d firms are recognised.", known), "ok")
    return redirect(url_for("uploads.show", upload_id=upload_id), 303)


@uploads.get("/<upload_id>/errors")
def errors(upload_id: str) -> Response:
    """Give what is to be corrected as a file: of a table its bad rows, else the findings."""
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        content = content_of(reading, row)
        told = findings_told(open_errors(reading, upload_id))
        written = (
            errorfile.bad_rows(content, told, row.mapping, row.document_type, row.id)
            if preview.is_table(content)
            else errorfile.list_of(told)
        )
    return attachment(written, f"to-correct-{upload_id}.csv", "text/csv; charset=utf-8")


@uploads.get("/<upload_id>/original")
def original(upload_id: str) -> Response:
    """Give the file back exactly as it came."""
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        return attachment(content_of(reading, row), row.name)


def _after() -> int:
    text = request.args.get("after", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _took(row: Upload) -> dt.timedelta | None:
    return row.finished_at - row.created_at if row.finished_at else None


def _unknown(reading: Session, upload_id: str) -> list[DocumentFinding]:
    """Read which firms of a file and of its corrected rows nobody knows yet, each once."""
    own = select(col(Upload.id)).where(
        (col(Upload.id) == upload_id)
        | (col(Upload.corrects_id) == upload_id)
        | (col(Upload.archive_id) == upload_id)
    )
    found = reading.execute(
        select(DocumentFinding)
        .where(
            col(DocumentFinding.upload_id).in_(own),
            col(DocumentFinding.code) == "FIRM_UNKNOWN",
            col(DocumentFinding.resolved_at).is_(None),
        )
        .order_by(col(DocumentFinding.id))
        .limit(_UNKNOWN)
    ).scalars()
    return list({json.dumps(one.facts, sort_keys=True): one for one in found}.values())


def _waiting(reading: Session, upload_id: str) -> int:
    """Count the documents of a file that still wait for a firm or a date."""
    return sum(
        int(
            reading.execute(
                select(func.count())
                .select_from(kind)
                .where(
                    col(kind.upload_id).in_(with_its_files(upload_id)),
                    col(kind.document_state) == "INCOMPLETE",
                )
            ).scalar_one()
        )
        for kind in (Order, Receipt, Invoice, CreditNote, TradePayment)
    )


def _left_out(reading: Session, upload_id: str) -> int:
    """Count the rows that are no document and no mistake: sums, page numbers, headers again."""
    told = select(func.count()).where(
        col(DocumentFinding.upload_id) == upload_id,
        col(DocumentFinding.code).in_(("ROW_TOTAL", "ROW_HEADER", "ROW_WORDS")),
    )
    return int(reading.execute(told).scalar_one())


def _known_since(reading: Session, upload_id: str) -> int:
    """Count what was stored to wait and proved to be here already once its firms were known."""
    told = select(func.count()).where(
        col(DocumentFinding.upload_id).in_(with_its_files(upload_id)),
        col(DocumentFinding.code) == "DUPLICATE_EXACT",
        col(DocumentFinding.document_id).is_not(None),
    )
    return int(reading.execute(told).scalar_one())


def _archive_of(reading: Session, row: Upload) -> Upload | None:
    """Read the archive by which a file came."""
    if row.archive_id is None:
        return None
    return one_upload(reading, row.archive_id)


def _after_links() -> list[tuple[str, str]]:
    """Give where a person goes on from a file that is read."""
    if Role.TREASURER in actor().roles:
        return [(_("See what you can receive"), url_for("treasurer.home"))]
    return [(_("See what waits for acceptance"), url_for("anchor.acceptances"))]
