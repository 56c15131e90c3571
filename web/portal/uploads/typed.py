"""One credit note typed in: written as a table of one row, and read as any table of credit notes.

So a typed credit note is held to the same checks, and kept as what its person typed.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from typing import Final

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response

from scf.documents import intake
from scf.documents.canonical import Kind
from scf.documents.commands import ReceiveUpload
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import format_minor
from scf.parties.models import FirmIdentifier
from web.context import actor, platform
from web.forms import minor_of
from web.portal.acting import tried
from web.portal.uploads.blueprint import partners, uploads
from web.portal.uploads.check import PUBLIC_NUMBERS, currencies, last_currency, own_firm
from web.portal.uploads.preview import Choice, Own, own_side
from web.refusals import refusal_text, translated

_TYPED: Final = ("number", "issue_on", "currency", "payable", "tax", "billing_reference", "note")
_FIELDS: Final = (*_TYPED, "partner", "name", "vat")
_LONGEST: Final = {"billing_reference": 1_000, "note": 1_000}
_COLUMN: Final = re.compile(r"column (\w+)$")
Form = dict[str, str]


@uploads.get("/credit-note")
def credit_note() -> str:
    """Show the form for one credit note."""
    return _page({}, {})


@uploads.post("/credit-note")
def type_credit_note() -> str | Response | tuple[str, int]:
    """Take one credit note in; what is wrong with it is told before anything is stored."""
    form = {name: request.form.get(name, "").strip()[: _LONGEST.get(name, 200)] for name in _FIELDS}
    with platform().db.read(actor()) as reading:
        own = own_firm(reading)
        today = intake.latest_business_date(reading.connection(), platform())
        partner = _partner(reading, form)
    errors: dict[str, str] = {}
    if not form["partner"] and not form["name"] and not form["vat"]:
        errors["partner"] = _("Say who the other side is.")
    row = _row(form, errors)
    content, mapping = _table(row, partner, own)
    if not errors:
        errors = _wrong(content, mapping, today)
    if errors:
        return _page(form, errors), 422
    done = tried(
        "upload.receive",
        ReceiveUpload(
            name=f"{form['number']}.csv",
            content=content,
            document_type="credit_note",
            mapping=mapping,
        ),
    )
    if done is None:
        return _page(form, errors), 422
    intake.run_upload(platform(), done["upload_id"])
    return redirect(url_for("uploads.show", upload_id=done["upload_id"]), 303)


def _page(form: Form, errors: Mapping[str, str]) -> str:
    with platform().db.read(actor()) as reading:
        own = own_firm(reading)
        return render_template(
            "uploads/credit_note.html",
            form=form,
            errors=errors,
            own=own,
            partners=[("", _("Another firm")), *partners(reading)],
            currencies=currencies(),
            currency=form.get("currency") or last_currency(reading),
            issued=_day(form.get("issue_on", "")),
        )


def _partner(reading: Session, form: Form) -> dict[str, str]:
    """Give the words and numbers of the other side: a partner's own, or what was typed."""
    if not form["partner"]:
        return {"name": form["name"], "vat": form["vat"]}
    name = dict(partners(reading)).get(form["partner"], "")
    numbers = reading.execute(
        select(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
        .where(
            col(FirmIdentifier.firm_id) == form["partner"],
            col(FirmIdentifier.scheme).in_(PUBLIC_NUMBERS),
        )
        .order_by(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
    ).all()
    return {"name": name, **{row.scheme: row.value for row in numbers}}


def _row(form: Form, errors: dict[str, str]) -> dict[str, str]:
    """Give the cells as they are kept: amounts as machines write them, whatever the language."""
    row = {name: form[name] for name in _TYPED}
    for name in ("payable", "tax"):
        if form[name] and form["currency"]:
            try:
                row[name] = format_minor(minor_of(form[name], form["currency"]), form["currency"])
            except InvalidInput as refused:
                errors[name] = refusal_text(refused)
    if not form["currency"]:
        errors["currency"] = _("Say which currency the amounts are in.")
    if not form["issue_on"]:
        errors["issue_on"] = _("Say which day the credit note is of.")
    return row


def _table(
    row: Mapping[str, str], partner: Mapping[str, str], own: Own
) -> tuple[bytes, ColumnMapping]:
    side = "seller" if own.is_buyer else "buyer"
    cells = {**row, **{f"{side}_{part}": text for part, text in partner.items()}}
    mine = own_side(Choice(Kind.CREDIT_NOTE, [f"{side}_name"]), own)
    whole = {**cells, **mine}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(whole)
    writer.writerow(whole.values())
    columns = {name: name for name in whole}
    return out.getvalue().encode(), ColumnMapping(
        kind=Kind.CREDIT_NOTE, columns=columns, delimiter=",", encoding="utf-8"
    )


def _wrong(content: bytes, mapping: ColumnMapping, today: dt.date) -> dict[str, str]:
    """Say what keeps the credit note out, by the field of the form."""
    table = open_table(content, mapping, today=today)
    found = [*table.findings, *(one for row in table.rows() for one in row.findings)]
    errors: dict[str, str] = {}
    for one in found:
        if one.severity is Severity.ERROR:
            errors.setdefault(_field(one), str(translated(one.message)))
    return errors


def _field(found: Finding) -> str:
    at = _COLUMN.search(found.place)
    name = at[1] if at else ""
    return (
        name if name in _FIELDS else "partner" if name.startswith(("seller", "buyer")) else "number"
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
