"""The blueprint of the upload pages, who may open them, and what they share."""

from typing import Any

from flask import Blueprint, request
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.documents.archives.results import placed, with_its_files
from scf.documents.commands import MAX_UPLOAD
from scf.documents.models import DocumentFinding, Original, Upload
from scf.documents.readers.values import DATE_FORMATS
from scf.documents.transfers.rules import SLICE_BYTES
from scf.kernel.findings import Severity
from scf.parties.models import Firm
from web import sessions
from web.context import actor
from web.portal.acting import must
from web.portal.uploads import words

uploads = Blueprint("uploads", __name__, url_prefix="/uploads")
FORM_ROOM = 65_536  # what stands around the file in its form
MAX_FINDINGS = 20_000
_MAX_PARTNERS = 500


@uploads.url_value_preprocessor
def _room_for_a_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Read more than other pages do where a file is handed in, and only from people we know.

    The token against foreign pages stands in the same form, so this comes before its check.
    """
    room = {"uploads.receive": MAX_UPLOAD + FORM_ROOM, "uploads.bring": SLICE_BYTES}
    if endpoint in room and sessions.may_bring_a_file(request):
        request.max_content_length = room[endpoint]


@uploads.context_processor
def _words() -> dict[str, Any]:
    """Give templates the names of states and kinds."""
    return {
        "upload_state": words.state_name,
        "kind_name": words.kind_name,
        "date_formats": [(form, words.date_form_name(form)) for form in DATE_FORMATS],
    }


@uploads.before_request
def _only_traders() -> None:
    must("upload.receive")


def one_upload(session: Session, upload_id: str) -> Upload:
    """Read an upload of the person's own firm.

    Raises
    ------
    NotFound
        For a missing one and one of others alike.
    """
    row: Upload | None = session.execute(
        select(Upload).where(col(Upload.id) == upload_id)
    ).scalar_one_or_none()
    if row is None:
        raise not_found("upload", upload_id)
    return row


def content_of(session: Session, row: Upload) -> bytes:
    """Read the file of an upload."""
    found = select(Original).where(col(Original.id) == row.original_id)
    kept: Original = session.execute(found).scalar_one()
    return kept.content


def open_errors(session: Session, upload_id: str) -> list[DocumentFinding]:
    """Read what kept documents of a file out and has not been put right since.

    Of an archive it is what kept documents of its files out, each with the name of its file.
    """
    found = list(
        session.execute(
            select(DocumentFinding)
            .where(
                col(DocumentFinding.upload_id).in_(with_its_files(upload_id)),
                col(DocumentFinding.severity) == Severity.ERROR.value,
                col(DocumentFinding.document_id).is_(None),
                col(DocumentFinding.resolved_at).is_(None),
            )
            .order_by(col(DocumentFinding.id))
            .limit(MAX_FINDINGS)
        ).scalars()
    )
    return placed(session, upload_id, found)


def partners(reading: Session) -> list[tuple[str, str]]:
    """Read id and name of the firms that this one trades with."""
    rows = reading.execute(
        select(col(Firm.id), col(Firm.name))
        .where(
            col(Firm.kind) == "trader",
            col(Firm.state) == "ACTIVE",
            col(Firm.id) != actor().org_id,
        )
        .order_by(col(Firm.name))
        .limit(_MAX_PARTNERS)
    )
    return [(row.id, row.name) for row in rows]
