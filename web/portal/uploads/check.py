"""Before a file is read into the books: what each column means, the first rows, and the word."""

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.documents import intake
from scf.documents.models import Invoice, Upload
from scf.kernel.actor import Role
from scf.kernel.money import EXPONENTS
from scf.parties.models import FirmIdentifier
from scf.parties.service import day_for, firm_names
from web.context import actor, now, platform
from web.portal.acting import tried
from web.portal.uploads import preview, words
from web.portal.uploads.blueprint import content_of, one_upload, uploads
from web.portal.uploads.preview import Choice, Own

READ_AT_ONCE: Final = 65_536
_PUBLIC: Final = ("lei", "vat", "uscc", "gln", "duns")
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
        own = _own(reading)
    if preview.is_table(content):
        header, _rows = preview.header_of(content, preview.header_row_of(form))
        choice = preview.sent(form, len(header))
        mapping, errors = preview.mapping_of(choice, header, own)
        if mapping is None:
            return _page(upload_id, form, errors), 422  # type: ignore[return-value]
        payload |= {
            "mapping": mapping,
            "document_type": choice.kind.value,
            "header_digest": preview.header_digest(header),
        }
    if tried("upload.start", payload) is not None and len(content) <= READ_AT_ONCE:
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
        own = _own(reading)
        line = preview.header_row_of(form) if form else preview.likely_header_row(content)
        header, sample = preview.header_of(content, line)
        choice = _choice(reading, header, sample, form)
        if form is None and not choice.remembered:
            choice.header_row = line
        if choice.remembered and choice.header_row != 1:
            header, sample = preview.header_of(content, choice.header_row)
        mapping, found = preview.mapping_of(choice, header, own)
        seen = preview.table_seen(content, mapping, today) if mapping else None
        return render_template(
            "uploads/check.html",
            **shown,
            table={
                "choice": choice,
                "columns": [
                    (place, name, choice.fields[place], preview.samples(sample, place))
                    for place, name in enumerate(header)
                ],
                "fields": words.choices(choice.kind),
                "kinds": [(kind.value, words.kind_name(kind.value)) for kind in preview.KINDS],
                "currencies": _currencies(),
                "own": own.name if preview.own_side(choice, own) else "",
                "side": preview.own_side_name(choice, own),
            },
            seen=seen,
            errors=errors or found,
            today=today,
        )


def _choice(
    reading: Session, header: list[str], sample: list[list[str]], form: dict[str, str] | None
) -> Choice:
    """Take what the form says, else what was chosen for this header last, else a proposal."""
    if form is not None and form.get("kind") == form.get("kind_before"):
        return preview.sent(form, len(header))
    if form is not None:
        # Another kind of document has other fields: proposed anew.
        chosen = preview.sent(form, len(header))
        fresh = preview.proposed(header, sample, chosen.kind)
        fresh.header_row, fresh.currency = chosen.header_row, chosen.currency
        return fresh
    stored = reading.execute(
        select(col(Upload.mapping))
        .where(
            col(Upload.header_digest) == preview.header_digest(header),
            col(Upload.org_id) == actor().org_id,
            col(Upload.mapping).is_not(None),
        )
        .order_by(col(Upload.id).desc())
        .limit(1)
    ).scalar_one_or_none()
    if stored:
        return preview.remembered(header, stored)
    choice = preview.proposed(header, sample, None)
    choice.currency = _last_currency(reading)
    return choice


def _last_currency(reading: Session) -> str:
    """Give the currency of the firm's latest invoice, for a table that names none."""
    found = select(col(Invoice.currency)).order_by(col(Invoice.id).desc()).limit(1)
    return reading.execute(found).scalar_one_or_none() or ""


def _currencies() -> list[tuple[str, str]]:
    rest = sorted(set(EXPONENTS) - set(_USUAL))
    return [("", "–"), *((code, code) for code in (*_USUAL, *rest))]


def _own(reading: Session) -> Own:
    """Read the person's own firm and the public numbers by which documents name it."""
    who = actor()
    numbers = reading.execute(
        select(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
        .where(col(FirmIdentifier.firm_id) == who.org_id, col(FirmIdentifier.scheme).in_(_PUBLIC))
        .order_by(col(FirmIdentifier.scheme))
    ).all()
    unique: dict[str, str] = {row.scheme: row.value for row in numbers}
    return Own(
        firm_names(reading.connection(), {who.org_id}).get(who.org_id, ""),
        tuple(unique.items()),
        is_buyer=Role.TREASURER not in who.roles,
    )
