"""Say which column of a table means what, once per sender, and keep it as a JSON file.

A mapping is explicit: what it does not name is not read. ``propose_mapping`` fills one from the
header and some rows, so that a person confirms instead of typing; what it cannot decide from the
data (is 03/04 March or April? is 1,234 a thousand?) it says, and leaves to that person.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scf.documents.canonical import Kind
from scf.documents.readers.text import either
from scf.documents.readers.values import (
    DATE_FORMATS,
    DateFormat,
    fits_comma,
    fits_point,
    read_date,
)
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

SCHEMES: Final = ("lei", "vat", "uscc", "gln", "duns", "reg", "id")
_PARTY: Final = ("name", "country", *SCHEMES)
_ROLES: Final = {
    Kind.PAYMENT: ("payer", "payee"),
    Kind.INVOICE: ("seller", "buyer", "payee"),
    Kind.CREDIT_NOTE: ("seller", "buyer"),
    Kind.ORDER: ("seller", "buyer"),
}
LINE_FIELDS: Final = (
    "line_id",
    "item_name",
    "item_id",
    "quantity",
    "unit",
    "price",
    "line_net",
    "order_line",
)
AMOUNT_FIELDS: Final = (
    "payable",
    "gross",
    "net",
    "tax",
    "prepaid",
    "rounding",
    "allowance",
    "charge",
    "line_net",
)
DATE_FIELDS: Final = ("issue_on", "due_on", "delivered_on")
_PLAIN: Final = (
    "number",
    "issue_on",
    "due_on",
    "delivered_on",
    "currency",
    "type_code",
    "payable",
    "gross",
    "net",
    "tax",
    "prepaid",
    "rounding",
    "order_reference",
    "contract_reference",
    "billing_reference",
    "despatch_reference",
    "receipt_reference",
    "iban",
    "bic",
    "payment_reference",
    "payment_terms",
    "note",
)
_PAYMENT: Final = ("amount", "paid_on", "reference", "currency", "note", "iban", "bic")


def fields_of(kind: Kind) -> frozenset[str]:
    """List the fields that a table of this kind may hold."""
    parties = {f"{role}_{part}" for role in _ROLES[kind] for part in _PARTY}
    if kind is Kind.PAYMENT:
        return frozenset(parties | set(_PAYMENT))
    return frozenset(parties | set(_PLAIN) | set(LINE_FIELDS))


def required_fields_of(kind: Kind) -> tuple[str, ...]:
    """List the fields without which no row of this kind can be read."""
    if kind is Kind.PAYMENT:
        return ("paid_on", "amount", "currency")
    if kind is Kind.ORDER:
        return ("number", "issue_on", "currency")
    return ("number", "issue_on", "payable", "currency")


class ColumnMapping(BaseModel):
    """How one sender's table is read: column by field, constants, date and decimal convention.

    Empty ``delimiter`` and ``encoding`` mean "find out and say so". ``header_row`` counts lines of
    the file from one; what stands above it is a preamble and is not read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    columns: dict[str, str] = Field(max_length=100)
    constants: dict[str, str] = Field(default_factory=dict, max_length=100)
    date_formats: tuple[DateFormat, ...] = Field(default=("YYYY-MM-DD",), min_length=1)
    decimal: Literal["point", "comma"] = "point"
    default_currency: str = ""
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    encoding: str = ""
    header_row: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _known_fields(self) -> "ColumnMapping":
        """Refuse a field that this kind does not have, and a mapping that misses a required one."""
        if self.kind not in _ROLES:
            raise ValueError(f"a table cannot hold {self.kind} documents")
        known = fields_of(self.kind)
        unknown = (self.columns.keys() | self.constants.keys()) - known
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        twice = self.columns.keys() & self.constants.keys()
        if twice:
            raise ValueError(f"both column and constant: {', '.join(sorted(twice))}")
        if self.default_currency and self.default_currency not in EXPONENTS:
            raise ValueError("default_currency is no currency of ISO 4217")
        given = self.columns.keys() | self.constants.keys()
        if self.default_currency:
            given = given | {"currency"}
        missing = [name for name in required_fields_of(self.kind) if name not in given]
        if missing:
            raise ValueError(f"no column or constant for: {', '.join(missing)}")
        return self

    @classmethod
    def from_json(cls, text: str) -> "ColumnMapping":
        """Read a mapping file.

        Raises
        ------
        InvalidInput
            MAPPING, with the first thing that is wrong.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(
                "MAPPING", "%(place)s: %(reason)s", place=place, reason=first["msg"]
            ) from None

    def to_json(self) -> str:
        """Write the mapping as a file a person can read and change."""
        return self.model_dump_json(indent=2)


# --- Proposing one ------------------------------------------------------------------------------

# Words of headers by field: English, German, Chinese. Compared without case, blanks and signs.
_PARTY_WORDS: Final = {
    "seller": "seller supplier vendor creditor lieferant verkäufer kreditor 供应商 卖方 销售方",
    "buyer": "buyer customer debtor bodyname organisation kunde käufer debitor"
    " 采购方 买方 购买方 核心企业",
}
_PART_WORDS: Final = {
    "name": ("", "name", "名称"),
    "id": ("id", "no", "number", "code", "nr", "nummer", "编号", "代码"),
    "vat": ("vat", "vatid", "vatnumber", "vatno", "taxid", "ustid", "ustidnr", "umsatzsteuerid"),
    "uscc": ("uscc", "统一社会信用代码", "税号", "纳税人识别号"),
    "lei": ("lei",),
    "gln": ("gln",),
    "duns": ("duns",),
    "country": ("country", "countrycode", "land", "国家"),
}
_WORDS: Final = {
    "number": "invoicenumber invoiceno invoiceid invoice invoicenr billnumber documentnumber"
    " documentno rechnungsnummer rechnungsnr rechnung belegnummer belegnr beleg"
    " 发票号码 发票号 发票编号",
    "issue_on": "invoicedate issuedate issuedon dateofissue documentdate date rechnungsdatum"
    " belegdatum datum 开票日期 发票日期",
    "due_on": "duedate dueon due maturity paymentdue fälligkeit fälligkeitsdatum fälligam"
    " faelligkeit faelligam zahlbarbis 到期日 到期日期 付款到期日",
    "currency": "currency currencycode ccy währung waehrung 币种 货币",
    "payable": "amount amountdue payable payableamount totalamount total invoiceamount openamount"
    " betrag zahlbetrag rechnungsbetrag gesamtbetrag 金额 应付金额 价税合计",
    "gross": "gross grossamount brutto bruttobetrag 含税金额",
    "net": "net netamount amountexcludingtax netto nettobetrag 不含税金额",
    "tax": "tax taxamount vatamount mwst steuer steuerbetrag umsatzsteuer 税额",
    "order_reference": "ordernumber orderno po ponumber purchaseorder orderreference bestellnummer"
    " 订单号 订单编号 采购订单号",
    "contract_reference": "contract contractnumber vertrag vertragsnummer 合同号 合同编号",
    "type_code": "typecode invoicetypecode",
    "iban": "iban",
    "bic": "bic swift",
    "quantity": "quantity qty menge anzahl 数量",
    "unit": "unit uom einheit 单位",
    "price": "price unitprice preis einzelpreis 单价",
    "line_id": "line lineno linenumber position pos 行号",
    "item_name": "item itemname description article artikel bezeichnung 品名 货物名称",
    "line_net": "lineamount linenet linetotal positionsbetrag 行金额",
    "note": "note comment remark bemerkung 备注",
}
_ORDER_WORDS: Final = {
    "number": "ordernumber orderno orderid order po ponumber purchaseorder bestellnummer 订单号"
    " 订单编号 采购订单号",
    "issue_on": "orderdate date bestelldatum datum 订单日期 下单日期",
    "payable": "amount orderamount total totalamount betrag bestellwert 金额 订单金额",
}
_PAYMENT_WORDS: Final = {
    "paid_on": "paiddate paymentdate datepaid paidon date valuedate cleardate clearingdate"
    " zahldatum zahlungsdatum datum 付款日期 支付日期",
    "amount": "amount paidamount paymentamount value betrag zahlbetrag 金额 付款金额",
    "reference": "reference transno transactionno transactionnumber transaction paymentreference"
    " docno documentno verwendungszweck referenz 交易号 付款编号 凭证号",
    "currency": "currency currencycode ccy währung 币种",
}


class Proposal(NamedTuple):
    """What a header and some rows suggest, whole or not; a person completes and confirms it."""

    kind: Kind
    columns: dict[str, str]
    date_formats: tuple[DateFormat, ...]
    decimal: Literal["point", "comma"]
    findings: list[Finding]


def propose_mapping(
    header: Sequence[str], sample: Sequence[Sequence[str]], kind: Kind | None = None
) -> tuple[ColumnMapping | None, list[Finding]]:
    """Propose a mapping from the header and some rows; a person confirms it.

    Returns the mapping, or None where a required field finds no column, and what was decided or
    could not be.
    """
    found = propose_columns(header, sample, kind)
    missing = [name for name in required_fields_of(found.kind) if name not in found.columns]
    findings = found.findings + [
        Finding(
            Severity.ERROR,
            "COLUMN_MISSING",
            Words("No column looks like %(field)s.", field=name),
            "header",
        )
        for name in missing
    ]
    if missing:
        return None, findings
    mapping = ColumnMapping(
        kind=found.kind,
        columns=found.columns,
        date_formats=found.date_formats,
        decimal=found.decimal,
    )
    return mapping, findings


def propose_columns(
    header: Sequence[str], sample: Sequence[Sequence[str]], kind: Kind | None = None
) -> Proposal:
    """Propose what each column means, even where the table lacks something that it needs."""
    findings: list[Finding] = []
    plain = [_plain(name) for name in header]
    kind = kind or _kind_of(plain)
    words = _vocabulary(kind)
    columns: dict[str, str] = {}
    for position, name in enumerate(plain):
        field = words.get(name)
        if field is not None and field not in columns and header[position].strip():
            columns[field] = header[position]
    if kind is not Kind.PAYMENT and "payable" not in columns and "gross" in columns:
        # A list with one amount, tax included, says what is to be paid.
        columns["payable"] = columns.pop("gross")
    values = _by_field(header, columns, sample)
    formats = _date_formats(values, findings)
    return Proposal(kind, columns, formats, _decimal_of(values, findings), findings)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())


def _kind_of(plain: Sequence[str]) -> Kind:
    names = set(plain)
    paid = set(_PAYMENT_WORDS["paid_on"].split()) - {"date", "datum"}
    if names & paid:
        return Kind.PAYMENT
    if names & set(_WORDS["number"].split()):
        return Kind.INVOICE
    return Kind.ORDER if names & set(_ORDER_WORDS["number"].split()) else Kind.INVOICE


def _vocabulary(kind: Kind) -> dict[str, str]:
    """Give the field that each header word means for this kind."""
    if kind is Kind.PAYMENT:
        words, seller, buyer = _PAYMENT_WORDS, "payee", "payer"
    else:
        words = {**_WORDS, **(_ORDER_WORDS if kind is Kind.ORDER else {})}
        seller, buyer = "seller", "buyer"
    meanings: dict[str, str] = {}
    for field, spelt in words.items():
        for word in spelt.split():
            meanings.setdefault(word, field)
    for role, spelt in ((seller, _PARTY_WORDS["seller"]), (buyer, _PARTY_WORDS["buyer"])):
        for word in {*spelt.split(), role, *(("payee",) if role == "payee" else ())}:
            for part, endings in _PART_WORDS.items():
                for ending in endings:
                    meanings.setdefault(word + ending, f"{role}_{part}")
                    meanings.setdefault(ending + word, f"{role}_{part}")
    known = fields_of(kind)
    return {word: field for word, field in meanings.items() if field in known}


def _by_field(
    header: Sequence[str], columns: dict[str, str], sample: Sequence[Sequence[str]]
) -> dict[str, list[str]]:
    places = {field: header.index(column) for field, column in columns.items()}
    return {
        field: [row[place].strip() for row in sample if place < len(row) and row[place].strip()]
        for field, place in places.items()
    }


def _date_formats(values: dict[str, list[str]], findings: list[Finding]) -> tuple[DateFormat, ...]:
    """Take the form that reads the most dates: some bad rows are no reason to guess none."""
    texts = [text for field in (*DATE_FIELDS, "paid_on") for text in values.get(field, ())]
    read = {
        name: sum(read_date(text, (name,)) is not None for text in texts) for name in DATE_FORMATS
    }
    most = max(read.values())
    fitting = [name for name in DATE_FORMATS if most and read[name] == most]
    if texts and most < len(texts):
        message = "The dates of the sample have no one known form; say which in date_formats."
        findings.append(Finding(Severity.WARNING, "DATE_FORM", message, "", texts[0]))
    if not fitting:
        return ("YYYY-MM-DD",)
    if len(fitting) > 1:
        message = Words(
            "The dates could be %(forms)s; %(proposed)s is proposed.",
            forms=either(fitting),
            proposed=fitting[0],
        )
        findings.append(Finding(Severity.WARNING, "DATE_AMBIGUOUS", message, "", texts[0]))
    return (fitting[0],)


def _decimal_of(values: dict[str, list[str]], findings: list[Finding]) -> Literal["point", "comma"]:
    fields = (*AMOUNT_FIELDS, "amount", "price")
    texts = [text for field in fields for text in values.get(field, ())]
    marked = [text for text in texts if re.search(r"[.,]", text)]
    point = sum(fits_point(text) for text in marked)
    comma = sum(fits_comma(text) for text in marked)
    if marked and point == comma:
        message = "The amounts can be read with a decimal point or a comma; point is proposed."
        findings.append(Finding(Severity.WARNING, "DECIMAL_AMBIGUOUS", message, "", marked[0]))
    return "comma" if comma > point else "point"
