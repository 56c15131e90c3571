"""Before a file is read into the books: what each column means, the first rows, and the word."""

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.documents import intake
from scf.documents.archives.opening import is_archive
from scf.documents.commands import READ_AT_ONCE
from scf.documents.layouts import header_digest
from scf.documents.models import Invoice, Upload
from scf.documents.readers.again import OURS
from scf.documents.readers.csvfile import Look, prepared
from scf.documents.readers.sheetfile import Workbook
from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.findings import Severity
from scf.kernel.money import EXPONENTS
from scf.parties.models import FirmIdentifier
from scf.parties.service import day_for, firm_names
from web.context import actor, now, platform
from web.portal.acting import tried
from web.portal.uploads import archives, preview, words
from web.portal.uploads.blueprint import content_of, one_upload, uploads
from web.portal.uploads.preview import Choice, Own
from web.portal.uploads.repaired import brings_again

_OTHERS: Final = 40  # mappings among which one for a similar header is looked for
PUBLIC_NUMBERS: Final = ("lei", "vat", "uscc", "gln", "duns")
_USUAL: Final = ("EUR", "USD", "GBP", "CNY")


@uploads.get("/<upload_id>/check")
def check(upload_id: str) -> str | Response:
    """Show how a waiting file would be read."""
    return _page(upload_id, None)


@uploads.post("/<upload_id>/check")
def look_again(upload_id: str) -> str | Response:
    """Show it for another choice of columns; nothing is stored."""
    return _page(upload_id, request.form.to_dict())


@uploads.post("/<upload_id>/start")
def start(upload_id: str) -> str | Response | tuple[str, int]:
    """Read the file as it was shown; a small one at once."""
    form = request.form.to_dict()
    mode = "atomic" if form.get("mode") == "atomic" else "keep-good"
    payload: dict[str, Any] = {"upload_id": upload_id, "mode": mode}
    with platform().db.read(actor()) as reading:
        content = content_of(reading, one_upload(reading, upload_id))
        own = own_firm(reading)
    if preview.is_table(content):
        look = preview.looked_into(prepared(content), form)
        header = look.header
        choice = _placed(preview.sent(form, len(header)), look)
        mapping, errors = preview.mapping_of(choice, header, own)
        if mapping is None:
            return _page(upload_id, form, errors), 422  # type: ignore[return-value]
        payload |= {
            "mapping": mapping,
            "document_type": choice.kind.value,
            "header_digest": header_digest(header),
        }
    small = len(content) <= READ_AT_ONCE and not is_archive(content)
    if tried("upload.start", payload) is not None and small:
        intake.run_upload(platform(), upload_id)
    return redirect(url_for("uploads.show", upload_id=upload_id), 303)


def _page(
    upload_id: str, form: dict[str, str] | None, errors: dict[str, str] | None = None
) -> str | Response:
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        if row.state != "STAGED":
            return redirect(url_for("uploads.show", upload_id=upload_id), 303)
        content = content_of(reading, row)
        today = intake.latest_business_date(reading.connection(), platform())
        shown: dict[str, Any] = {"row": row, "form": form or {}, "size": len(content)}
        if is_archive(content):
            return _archive_page(content, shown)
        if not preview.is_readable(content):
            return render_template("uploads/unreadable.html", **shown)
        if not preview.is_table(content):
            return render_template(
                "uploads/check.html",
                **shown,
                table=None,
                seen=preview.document_seen(content, today),
                errors={},
                today=day_for(reading.connection(), actor().org_id, now().date()),
            )
        own = own_firm(reading)
        try:
            source = prepared(content)
        except (InvalidInput, TooLarge) as refusal:
            return render_template("uploads/unreadable.html", **shown, reason=refusal.words)
        look = preview.looked_into(source, form)
        header = look.header
        choice = _choice(reading, source, look, form, own)
        mapping, found = preview.mapping_of(choice, header, own)
        seen = preview.table_seen(source, mapping, today) if mapping else None
        return render_template(
            "uploads/check.html",
            **shown,
            table={
                "choice": choice,
                "columns": [
                    (place, name, choice.fields[place], preview.samples(look.rows, place))
                    for place, name in enumerate(header)
                    if name not in OURS
                ],
                "fields": words.choices(choice.kind),
                "kinds": [(kind.value, words.kind_name(kind.value)) for kind in preview.KINDS],
                "currencies": currencies(),
                "dates": words.date_choices(preview.dates_in(look, choice), choice.date_format),
                "sheets": look.sheets,
                "sheet_choices": [(name, name) for name in look.sheets],
                "guessed": {one.value for one in choice.notes if one.code == "COLUMN_GUESSED"},
                "sheet": _told(look, "SHEET"),
                "encodings": [
                    ("", _("%(name)s, as found", name=_told(look, "ENCODING") or "utf-8")),
                    *((name, words.encoding_name(name)) for name in preview.ENCODINGS),
                ],
                "place": _place(look),
                "again": brings_again(reading, look),
                "delimiter": _told(look, "DELIMITER"),
                "own": own.name if preview.own_side(choice, own) else "",
                "side": preview.own_side_name(choice, own),
                "told": [one for one in look.findings if one.severity is not Severity.INFO],
            },
            seen=seen,
            errors=errors or found,
            today=today,
        )


def _archive_page(content: bytes, shown: dict[str, Any]) -> str:
    try:
        inside = archives.looked_into(content)
    except (InvalidInput, TooLarge) as refusal:
        return render_template("uploads/unreadable.html", **shown, reason=refusal.words)
    return render_template("uploads/archive.html", **shown, inside=inside)


def _told(look: Look, code: str) -> str:
    return next((one.value for one in look.findings if one.code == code), "")


def _place(look: Look) -> str:
    """Say where the header was found; in another place the columns are proposed anew."""
    return f"{_told(look, 'SHEET')}:{look.layout.header_row}"


def _placed(choice: Choice, look: Look) -> Choice:
    """Take the header where it was found or asked for."""
    choice.header_row, choice.header_lines = look.layout.header_row, look.layout.header_lines
    if choice.sheet == look.usual_sheet:
        choice.sheet = ""  # it is found anyway, next month perhaps under another name
    return choice


def _choice(
    reading: Session,
    source: bytes | Workbook,
    look: Look,
    form: dict[str, str] | None,
    own: Own,
) -> Choice:
    """Take what the form says, else what was chosen for this header last, else a proposal."""
    if form is not None:
        chosen = preview.sent(form, len(look.header))
        same = form.get("kind") == form.get("kind_before")
        if same and form.get("place_before") == _place(look):
            return _placed(chosen, look)
        # Another kind of document has other fields, another header other columns.
        fresh = preview.proposed(look, source, chosen.kind, form, own)
        fresh.currency = fresh.currency or chosen.currency
        fresh.sheet, fresh.encoding = chosen.sheet, chosen.encoding
        return _placed(fresh, look)
    stored, similar = _stored(reading, look)
    if stored is not None:
        choice = preview.remembered(look, stored)
        choice.similar = similar
        return _placed(choice, look)
    choice = preview.proposed(look, source, None, {}, own)
    choice.currency = choice.currency or last_currency(reading)
    return _placed(choice, look)


def _stored(reading: Session, look: Look) -> tuple[dict[str, Any] | None, bool]:
    """Give the mapping that the firm chose for this header last, or for one nearly like it."""
    mine = (col(Upload.org_id) == actor().org_id, col(Upload.mapping).is_not(None))
    newest = select(col(Upload.mapping)).where(*mine).order_by(col(Upload.id).desc())
    same = col(Upload.header_digest) == header_digest(look.header)
    stored: dict[str, Any] | None = reading.execute(
        newest.where(same).limit(1)
    ).scalar_one_or_none()
    if stored is not None:
        return stored, False
    known = col(Upload.header_digest).is_not(None)
    others = reading.execute(newest.where(known).limit(_OTHERS)).scalars().all()
    best = max(others, key=lambda one: preview.likeness(look, one), default=None)
    return (best, True) if best and preview.likeness(look, best) else (None, False)


def last_currency(reading: Session) -> str:
    """Give the currency of the firm's latest invoice, for a table that names none."""
    found = select(col(Invoice.currency)).order_by(col(Invoice.id).desc()).limit(1)
    return reading.execute(found).scalar_one_or_none() or ""


def currencies() -> list[tuple[str, str]]:
    """Give the currencies to choose from, the usual ones first."""
    rest = sorted(set(EXPONENTS) - set(_USUAL))
    return [("", "–"), *((code, code) for code in (*_USUAL, *rest))]


def own_firm(reading: Session) -> Own:
    """Read the person's own firm and the public numbers by which documents name it."""
    who = actor()
    numbers = reading.execute(
        select(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
        .where(
            col(FirmIdentifier.firm_id) == who.org_id,
            col(FirmIdentifier.scheme).in_(PUBLIC_NUMBERS),
        )
        .order_by(col(FirmIdentifier.scheme))
    ).all()
    unique: dict[str, str] = {row.scheme: row.value for row in numbers}
    return Own(
        firm_names(reading.connection(), {who.org_id}).get(who.org_id, ""),
        tuple(unique.items()),
        is_buyer=Role.TREASURER not in who.roles,
    )
