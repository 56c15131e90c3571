"""The names by which people know the fields of a table and the states of an upload."""

from collections.abc import Sequence

from flask_babel import gettext as _

from scf.documents.canonical import Kind
from scf.documents.readers.mapping import SCHEMES, fields_of
from scf.documents.readers.values import DATE_FORMATS, read_date
from web.i18n import day as shown_day


def field_name(name: str) -> str:
    """Return the name of a field of a table."""
    names = {
        "number": _("Number"),
        "issue_on": _("Issue date"),
        "due_on": _("Due date"),
        "delivered_on": _("Delivery date"),
        "currency": _("Currency"),
        "type_code": _("Type code"),
        "payable": _("Amount payable"),
        "gross": _("Amount with tax"),
        "net": _("Amount without tax"),
        "tax": _("Tax"),
        "prepaid": _("Paid in advance"),
        "rounding": _("Rounding"),
        "order_reference": _("Order number"),
        "contract_reference": _("Contract number"),
        "tax_scheme": _("Tax register"),
        "tax_invoice_number": _("Tax invoice number"),
        "tax_invoice_code": _("Tax invoice code"),
        "tax_invoice_check": _("Tax invoice check code"),
        "billing_reference": _("Earlier invoice"),
        "despatch_reference": _("Delivery note"),
        "receipt_reference": _("Receipt advice"),
        "iban": _("IBAN"),
        "bic": _("BIC"),
        "payment_reference": _("Payment reference"),
        "payment_terms": _("Payment terms"),
        "note": _("Note"),
        "line_id": _("Line: number"),
        "item_name": _("Line: item"),
        "item_id": _("Line: item number"),
        "quantity": _("Line: quantity"),
        "unit": _("Line: unit"),
        "price": _("Line: price"),
        "line_net": _("Line: amount"),
        "order_line": _("Line: order line"),
        "amount": _("Amount"),
        "paid_on": _("Payment date"),
        "reference": _("Reference"),
    }
    if name in names:
        return str(names[name])
    role, _sign, part = name.partition("_")
    return f"{party_name(role)}: {_part(part)}"


def column_name(name: str, kind: Kind) -> str:
    """Return the name of a field as a column of a kind of table, by which it is known again."""
    if kind is Kind.CREDIT_NOTE:
        own = {"number": _("Credit note number"), "billing_reference": _("Invoice that it credits")}
        return str(own.get(name) or field_name(name))
    return field_name(name)


def party_name(role: str) -> str:
    """Return the name of a side."""
    names = {
        "seller": _("Supplier"),
        "buyer": _("Buyer"),
        "payer": _("Payer"),
        "payee": _("Payee"),
    }
    return str(names.get(role, role))


def _part(part: str) -> str:
    names = {
        "name": _("name"),
        "country": _("country"),
        "vat": _("VAT number"),
        "uscc": _("credit code (USCC)"),
        "id": _("own number"),
        "reg": _("register number"),
    }
    return str(names.get(part, part.upper() if part in SCHEMES else part))


_FIRST = ("number", "issue_on", "due_on", "paid_on", "payable", "amount", "currency", "reference")


def choices(kind: Kind) -> list[tuple[str, str]]:
    """Return what a column of this kind of table may mean, the usual first."""
    named = {name: column_name(name, kind) for name in fields_of(kind)}
    first = [name for name in _FIRST if name in named]
    rest = sorted(named.keys() - set(first), key=named.__getitem__)
    return [("", _("Not read")), *((name, named[name]) for name in [*first, *rest])]


def date_choices(dates: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return how dates may be written, each with the first date of the file as it would be read."""
    named: list[tuple[str, str]] = [] if chosen else [("", _("Please choose"))]
    for form in DATE_FORMATS:
        day = next((day for text in dates if (day := read_date(text, (form,)))), None)
        name = date_form_name(form)
        named.append((form, f"{name} · {shown_day(day)}" if day else name))
    return named


def date_form_name(form: str) -> str:
    """Return how a way to write dates is called: its letters, or what it counts."""
    return _("Days counted by a spreadsheet") if form == "serial" else form


def encoding_name(name: str) -> str:
    """Return the name of an encoding with the languages that it is used for."""
    names = {
        "utf-8": _("UTF-8, all languages"),
        "cp1252": _("Windows-1252, Western Europe"),
        "iso-8859-15": _("ISO 8859-15, Western Europe"),
        "cp1250": _("Windows-1250, Central Europe"),
        "iso-8859-2": _("ISO 8859-2, Central Europe"),
        "cp1251": _("Windows-1251, Cyrillic"),
        "gb18030": _("GB 18030, simplified Chinese"),
        "big5": _("Big5, traditional Chinese"),
        "shift_jis": _("Shift JIS, Japanese"),
        "cp949": _("Windows-949, Korean"),
        "utf-16": _("UTF-16, all languages"),
    }
    return str(names.get(name, name))


def kind_name(kind: str | None) -> str:
    """Return what a file holds, in one word."""
    names = {
        "order": _("Orders"),
        "invoice": _("Invoices"),
        "payment": _("Payments"),
        "receipt": _("Receipts"),
        "credit_note": _("Credit notes"),
    }
    return str(names.get(kind or "", _("As the file says")))


def state_name(state: str) -> tuple[str, str]:
    """Return the word and the colour for the state of an upload."""
    names = {
        "STAGED": (_("Waits for your check"), "warn"),
        "RECEIVED": (_("In line"), "info"),
        "RUNNING": (_("Being read"), "info"),
        "DONE": (_("Read"), "ok"),
        "REFUSED": (_("Nothing stored"), "bad"),
    }
    return names.get(state, (state, ""))
