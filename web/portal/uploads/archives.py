"""An archive on the upload pages: what is in it before it is read, and what became of each file."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from flask import request, url_for
from flask_babel import gettext as _
from sqlmodel import Session, col

from scf.documents.archives import results
from scf.documents.archives.models import ArchiveFile
from scf.documents.archives.opening import OpenedZip, Packed
from scf.documents.models import Upload
from scf.documents.readers import Format, format_of
from scf.kernel.findings import Finding

SHOWN: Final = 50


@dataclass
class Inside:
    """The first files of an archive: what each looks like, or why it is not read."""

    total: int
    left_out: int
    files: list[tuple[Packed, str, Finding | None]] = field(default_factory=list)


def looked_into(content: bytes) -> Inside:
    """Measure an archive and look at its first files.

    Raises
    ------
    InvalidInput
        What makes the archive unreadable as a whole.
    TooLarge
        What asks for more than an archive may.
    """
    opened = OpenedZip(content)
    inside = Inside(len(opened), opened.left_out)
    for packed, found in islice(opened.files(), SHOWN):
        if isinstance(found, Finding):
            inside.files.append((packed, "", found))
        else:
            inside.files.append((packed, _form_name(format_of(found.content)), None))
    return inside


def files_of(reading: Session, row: Upload) -> dict[str, Any]:
    """Read some of an archive's files with what became of each, for its page."""
    after = request.args.get("file", "")[:64]
    statement = results.all_of(row.id).limit(SHOWN + 1)
    if after:
        statement = statement.where(col(ArchiveFile.id) > after)
    rows = list(reading.execute(statement).scalars())
    more = len(rows) > SHOWN
    following = url_for("uploads.show", upload_id=row.id, file=rows[SHOWN - 1].id) if more else ""
    return {
        "rows": results.became(reading, rows[:SHOWN]),
        "newer": url_for("uploads.show", upload_id=row.id) if after else "",
        "older": following,
    }


def result_name(result: str) -> tuple[str, str]:
    """Return the word and the colour for what became of a file."""
    names = {
        "stored": (_("Stored"), "ok"),
        "waits": (_("Waits"), "warn"),
        "duplicate": (_("Here before"), ""),
        "partly": (_("In part"), "warn"),
        "refused": (_("Not stored"), "bad"),
    }
    return names.get(result, (_("Being read"), "info"))


def _form_name(form: Format) -> str:
    names = {
        Format.XML: "XML",
        Format.SIGNED: _("XML, signed"),
        Format.CSV: "CSV",
        Format.XLSX: _("Workbook"),
        Format.EDIFACT: "EDIFACT",
        Format.X12: "X12",
        Format.JSON: "JSON",
        Format.PDF: "PDF",
    }
    return str(names.get(form, form))
