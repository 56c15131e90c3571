"""The pages of own bank accounts: how tables are read, tried before kept, and payments are sent."""

import base64
import json
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from scf.documents.readers.values import DATE_FORMATS
from scf.kernel.errors import ScfError
from scf.kernel.findings import Finding, Severity
from scf.parties.access import may
from scf.parties.service import is_financier, people_names
from scf.settlement.own_accounts import trying
from scf.settlement.own_accounts.reading import history_of, setup_of, setups_of
from scf.settlement.own_accounts.reading import own_accounts as accounts_of
from scf.settlement.readers.table import header_of
from scf.settlement.readers.table_mapping import Layout
from web.context import actor, platform
from web.forms import form_key
from web.portal.acting import must
from web.refusals import refusal_text

own_accounts = Blueprint("own_accounts", __name__, url_prefix="/own-accounts")
FORM_ROOM: Final = 65_536

# What a column of a bank's table can mean, in the order in which a person looks for it.
FIELDS: Final = (
    ("booked_on", _l("Booking day")), ("value_on", _l("Value date")), ("amount", _l("Amount")),
    ("mark", _l("Credit or debit mark")), ("credit", _l("Money in")), ("debit", _l("Money out")),
    ("currency", _l("Currency")), ("balance", _l("Balance after the row")),
    ("name", _l("Payer or payee")), ("counter_account", _l("Their account")),
    ("bic", _l("Their bank")), ("text", _l("Text")), ("text_2", _l("Text, second column")),
    ("text_3", _l("Text, third column")), ("reference", _l("The bank's unique reference")),
    ("end_to_end_id", _l("EndToEndId")), ("batch", _l("Batch")), ("account", _l("Own account")),
    ("return_reason", _l("Reason of a return")),
)  # fmt: skip
SHAPES: Final = {
    "auto": _l("SEPA where it can be, else as a foreign payment"),
    "sepa": _l("SEPA only"),
    "domestic": _l("domestic, no SEPA block"),
}


@own_accounts.before_request
def _only_readers() -> None:
    must("own_account.read" if request.method == "GET" else "own_account.set_up")


@own_accounts.get("/")
def home() -> str:
    """Show the own accounts, and how each is served."""
    with platform().db.read(actor()) as reading:
        conn = reading.connection()
        rows = accounts_of(conn, actor().org_id)
        setups = setups_of(conn, [row.id for row in rows])
        reads = is_financier(conn, actor().org_id)
    return render_template(
        "own_accounts/home.html", accounts=rows, setups=setups, shapes=SHAPES, reads=reads
    )


@own_accounts.get("/<own_account_id>")
def one(own_account_id: str) -> str:
    """Show one account: how payments go, how its tables are read, every version."""
    return _page(own_account_id)


@own_accounts.post("/<own_account_id>")
def keep(own_account_id: str) -> str | BaseResponse | tuple[str, int]:
    """Write a version: the payment form, or a mapping with the sample it was tried on."""
    with platform().db.read(actor()) as reading:
        trying.own_account(reading.connection(), own_account_id, actor())
        present = setup_of(reading.connection(), own_account_id)
    form = request.form
    said: dict[str, Any] = {
        "version": int(form.get("version", "")) if form.get("version", "").isdecimal() else 0,
        "mapping_name": present.mapping_name,
        "mapping": present.mapping.model_dump_json() if present.mapping is not None else "",
        "payment_version": present.payment_version,
        "shape": present.shape,
        "batch_booking": present.batch_booking,
        "cut_off": present.cut_off,
        "cut_off_zone": present.cut_off_zone,
    }
    if form.get("what") == "payments":
        said |= {
            "payment_version": form.get("payment_version", ""),
            "shape": form.get("shape", ""),
            "batch_booking": form.get("booking") == "one",
            "cut_off": form.get("cut_off", "").strip(),
            "cut_off_zone": form.get("cut_off_zone", "").strip() or "UTC",
        }
    elif form.get("what") == "drop":
        said |= {"mapping": "", "mapping_name": ""}
    else:
        said |= {
            "mapping_name": form.get("name", "").strip(),
            "mapping": form.get("mapping", ""),
            "sample": form.get("sample", ""),
            "sample_name": form.get("sample_name", "")[:200],
        }
    try:
        trying.set_up(platform(), actor(), own_account_id, trying.asked_of(said), key=form_key())
    except ScfError as refusal:
        if refusal.http_status in {403, 404}:
            raise
        return _page(own_account_id, error=refusal_text(refusal)), refusal.http_status
    flash(_("Kept. It counts from now on."), "ok")
    return redirect(url_for("own_accounts.one", own_account_id=own_account_id), 303)


@own_accounts.post("/<own_account_id>/try")
def try_mapping(own_account_id: str) -> str | tuple[str, int]:
    """Read the columns of a sample, or the sample by the mapping as it is chosen."""
    with platform().db.read(actor()) as reading:
        account = trying.own_account(reading.connection(), own_account_id, actor())
    form = request.form
    file = request.files.get("file")
    named = file.filename or "" if file is not None else ""
    content = file.read(trying.MAX_SAMPLE + 1) if file is not None and named else b""
    tried: dict[str, Any] = {"name": (named or form.get("sample_name", ""))[:200]}
    try:
        if not content:
            content = trying.decoded(form.get("sample", ""))
        tried["sample"] = base64.b64encode(content).decode()
        if not content:
            return _page(own_account_id, error=_("Choose a table of the bank.")), 422
        layout = _layout()
        if len(content) <= trying.MAX_SAMPLE:
            tried["header"] = header_of(content, layout)
        if named or not tried.get("header"):
            tried["first"] = True
            return _page(own_account_id, tried=tried)
        text = json.dumps(_mapping(layout))
        mapping = trying.read_mapping(text, account.number, account.currency)
        tried["trial"] = trying.try_on(mapping, content, tried["name"], account.number)
        tried["mapping"] = text
    except ScfError as refusal:
        if not tried.get("header"):
            tried = {}
        return _page(own_account_id, tried, error=refusal_text(refusal)), refusal.http_status
    return _page(own_account_id, tried), 200 if tried["trial"].fits else 422


def _layout() -> Layout:
    form = request.form
    row = form.get("header_row", "")
    sign = {"tab": "\t"}.get(form.get("delimiter", ""), form.get("delimiter", ""))
    number = int(row) if row.isdecimal() and len(row) <= 3 else 1  # noqa: PLR2004 - three digits
    return Layout(form.get("encoding", "").strip()[:40], sign[:1], max(1, number))


def _mapping(layout: Layout) -> dict[str, Any]:
    form = request.form
    columns = {
        name: column for name, _label in FIELDS if (column := form.get(f"column.{name}", ""))
    }
    marks = {
        f"{side}_marks": [mark.strip() for mark in given.split(",") if mark.strip()]
        for side in ("credit", "debit")
        if (given := form.get(f"{side}_marks", ""))
    }
    return {
        "columns": columns,
        "date_formats": [form.get("date_format", "")],
        "decimal": form.get("decimal", "point"),
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "header_row": layout.header_row,
        **marks,
    }


def _page(own_account_id: str, tried: dict[str, Any] | None = None, *, error: str = "") -> str:
    with platform().db.read(actor()) as reading:
        conn = reading.connection()
        account = trying.own_account(conn, own_account_id, actor())
        setup = setup_of(conn, own_account_id)
        versions = history_of(conn, own_account_id)
        people = people_names(conn, [row.created_by for row in versions])
        reads = is_financier(conn, actor().org_id)
    kept = setup.mapping
    chosen = {f"column.{name}": column for name, column in kept.columns.items()} if kept else {}
    if kept:
        chosen |= {
            "date_format": kept.date_formats[0], "decimal": kept.decimal,
            "encoding": kept.encoding, "header_row": str(kept.header_row),
            "delimiter": "tab" if kept.delimiter == "\t" else kept.delimiter,
            "credit_marks": ", ".join(kept.credit_marks),
            "debit_marks": ", ".join(kept.debit_marks),
        }  # fmt: skip
    return render_template(
        "own_accounts/one.html",
        account=account,
        setup=setup,
        versions=versions,
        people=people,
        reads=reads,
        tried=tried,
        chosen=chosen | request.form.to_dict(),
        error=error,
        fields=FIELDS,
        shapes=SHAPES,
        date_formats=DATE_FORMATS,
        is_error=_is_error,
        may_set=may(actor(), "own_account.set_up"),
    )


def _is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR
