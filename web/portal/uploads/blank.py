"""Blank tables to fill in, for who has no list to export: one per kind of document."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from flask import Response, abort
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill

from scf.documents.canonical import Kind
from scf.kernel.actor import Role
from web.api.v1.files import attachment
from web.context import actor
from web.portal.uploads.blueprint import uploads
from web.portal.uploads.words import column_name

_FIELDS: Final = {
    Kind.INVOICE: ("number", "issue_on", "due_on", "{}_name", "{}_vat", "currency", "net", "tax",
                   "payable", "order_reference", "tax_invoice_number", "tax_invoice_code",
                   "tax_invoice_check", "note"),
    Kind.CREDIT_NOTE: ("number", "issue_on", "{}_name", "{}_vat", "currency", "net", "tax",
                       "payable", "billing_reference", "note"),
    Kind.ORDER: ("number", "issue_on", "{}_name", "{}_vat", "currency", "payable", "note"),
    Kind.PAYMENT: ("reference", "paid_on", "{}_name", "currency", "amount", "note"),
}  # fmt: skip
_DATED: Final = frozenset({"issue_on", "due_on", "paid_on"})
_AMOUNTS: Final = frozenset({"net", "tax", "payable", "amount"})
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ROWS: Final = 500  # that are formatted beforehand
_WIDTH: Final = 18


@uploads.get("/blank/<kind>.<ending>")
def blank(kind: str, ending: str) -> Response:
    """Give a blank table with the names of its columns in the person's language.

    Handed in filled, its columns are known by these names.
    """
    fields = _FIELDS.get(Kind(kind)) if kind in list(Kind) else None
    if fields is None or ending not in {"csv", "xlsx"}:
        abort(404)
    buys = Role.TREASURER not in actor().roles
    roles = ("payee", "payer") if kind == Kind.PAYMENT else ("seller", "buyer")
    fields = tuple(name.format(roles[not buys]) for name in fields)
    names = [column_name(name, Kind(kind)) for name in fields]
    if ending == "csv":
        return attachment(_text(names), f"{kind}.csv", "text/csv; charset=utf-8")
    return attachment(_sheet(fields, names), f"{kind}.xlsx", _SHEET)


def _text(names: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(names)
    return out.getvalue().encode("utf-8-sig")  # spreadsheets take it for UTF-8 by its mark only


def _sheet(fields: Sequence[str], names: list[str]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(names)
    sheet.freeze_panes = "A2"
    for place, name in enumerate(fields, start=1):
        head = sheet.cell(1, place)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor="E3EFEC")
        sheet.column_dimensions[head.column_letter].width = _WIDTH
        form = "yyyy-mm-dd" if name in _DATED else "#,##0.00" if name in _AMOUNTS else "@"
        for row in range(2, _ROWS + 2):
            sheet.cell(row, place).number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
