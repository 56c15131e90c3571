"""Say which column of a table means what, once per sender, and keep it as a JSON file.

A mapping is explicit: what it does not name is not read. ``proposing`` fills one from the header
and the rows, so that a person confirms instead of typing.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scf.documents.canonical import Kind
from scf.documents.readers.values import DateFormat
from scf.kernel.errors import InvalidInput
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
# What makes a row of a list of invoices a credit note: its type, or its minus with the invoice that
# it names. In a list of credit notes a minus says nothing else.
CreditBy = Literal["type", "sign"]
_CREDIT_BY: Final = {Kind.INVOICE: {"type", "sign"}, Kind.CREDIT_NOTE: {"sign"}}
# What is money in a table, of payments too.
AMOUNTS_READ: Final = frozenset({*AMOUNT_FIELDS, "amount", "price"})
# Under what a tax authority knows the invoice: which system, and the three parts of it.
TAX_FIELDS: Final = ("tax_scheme", "tax_invoice_number", "tax_invoice_code", "tax_invoice_check")
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
    *TAX_FIELDS,
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

    Empty ``delimiter``, ``encoding`` and ``sheet`` mean "find out and say so". ``header_row``
    counts lines of the file from one; what stands above it is a preamble and is not read. A header
    of two lines (``header_lines``) has the names of its groups above those of its columns.
    ``credit_by`` says what makes a row a credit note; empty, no row of a list of invoices is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    columns: dict[str, str] = Field(max_length=100)
    constants: dict[str, str] = Field(default_factory=dict, max_length=100)
    date_formats: tuple[DateFormat, ...] = Field(default=("YYYY-MM-DD",), min_length=1)
    decimal: Literal["point", "comma"] = "point"
    default_currency: str = ""
    credit_by: tuple[CreditBy, ...] = ()
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    encoding: str = ""
    header_row: int = Field(default=1, ge=1, le=1000)
    header_lines: int = Field(default=1, ge=1, le=2)
    sheet: str = Field(default="", max_length=200)

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
        if not {*self.credit_by} <= _CREDIT_BY.get(self.kind, set()):
            raise ValueError(f"credit_by has no such meaning in a table of {self.kind} documents")
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
