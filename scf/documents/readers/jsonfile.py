"""Read documents from JSON in the platform's own shape, for programs that talk to the API.

``{"documents": [{"kind": "invoice", "number": …}]}``: the names are those of the canonical
document. Amounts are whole numbers of minor units and never fractions; quantities, prices and
rates are decimal text, so that no parser on the way rounds them. Each document is judged alone.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Identifier,
    Kind,
    Line,
    Party,
    Reference,
    Source,
    TaxIdentity,
    TaxSubtotal,
    Word,
)
from scf.documents.fingerprints import worldwide_id
from scf.documents.readers.derived import compare_tax, derive_totals, refer_by_lines
from scf.documents.readers.edi_scope import MAX_LINES, Reading
from scf.documents.readers.text import plain_decimal, plausible_date, squeeze, unsafe_character
from scf.documents.readers.ubl_parts import mail_domain, one_line
from scf.documents.taxcheck.schemes import tidy
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import MAX_MINOR
from scf.kernel.strict_json import loads

MAX_DOCUMENTS: Final = 5_000
MAX_LISTED: Final = 1_000
_MAX_FINDINGS: Final = 100


def _visible(text: str) -> str:
    text = squeeze(text)
    if unsafe_character(text):
        message = "it holds a character that cannot be seen"
        raise ValueError(message)
    return text


def _decimal(text: str) -> str:
    plain = plain_decimal(text) if text else ""
    if plain is None:
        message = "it is no plain decimal such as 12.5"
        raise ValueError(message)
    return plain


def _day(text: str) -> dt.date:
    day = plausible_date(text)
    if day is None:
        message = "a date is written YYYY-MM-DD and lies between 1980 and 2199"
        raise ValueError(message)
    return day


_Text = Annotated[str, Field(max_length=2000), AfterValidator(_visible)]
_Decimal = Annotated[str, Field(max_length=40), AfterValidator(_decimal)]
_Day = Annotated[str, Field(max_length=10), AfterValidator(_day)]
_Minor = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Identifier(_Shape):
    scheme: _Text
    value: _Text


class _Party(_Shape):
    name: _Text = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    trading_name: _Text = ""
    address: _Text = ""
    mail: _Text = ""
    identifiers: list[_Identifier] = Field(default=[], max_length=50)


class _Account(_Shape):
    iban: _Text = ""
    bic: _Text = ""
    number: _Text = ""
    holder: _Text = ""


class _Reference(_Shape):
    number: _Text
    issue_on: _Day | None = None


class _TaxIdentity(_Shape):
    scheme: _Text
    code: _Text = ""
    number: _Text = ""
    check_code: _Text = ""


class _TaxSubtotal(_Shape):
    category: _Text = ""
    percent: _Decimal = ""
    taxable_minor: _Minor | None = None
    tax_minor: _Minor | None = None


class _Line(_Shape):
    line_id: _Text = ""
    item_name: _Text = ""
    item_ids: list[_Identifier] = Field(default=[], max_length=50)
    quantity: _Decimal = ""
    unit: _Text = ""
    price: _Decimal = ""
    price_quantity: _Decimal = ""
    net_minor: _Minor | None = None
    allowance_minor: _Minor = 0
    charge_minor: _Minor = 0
    order_line: _Text = ""
    order_reference: _Text = ""
    receipt_line: _Text = ""
    invoice_reference: _Text = ""
    tax_category: _Text = ""
    tax_percent: _Decimal = ""
    rejected_quantity: _Decimal = ""
    short_quantity: _Decimal = ""
    delivered_on: _Day | None = None
    note: _Text = ""
    word: Annotated[str, Field(pattern=f"^({'|'.join(Word)})?$")] = ""


class _Document(_Shape):
    kind: Annotated[Kind, Field(strict=False)]
    number: _Text = ""
    issue_on: _Day | None = None
    due_on: _Day | None = None
    currency: _Text = ""
    type_code: _Text = ""
    seller: _Party = _Party()
    buyer: _Party = _Party()
    payee: _Party | None = None
    payable_minor: _Minor | None = None
    gross_minor: _Minor | None = None
    net_minor: _Minor | None = None
    tax_minor: _Minor | None = None
    lines_minor: _Minor | None = None
    allowance_minor: _Minor | None = None
    charge_minor: _Minor | None = None
    prepaid_minor: _Minor | None = None
    rounding_minor: _Minor | None = None
    withheld_minor: _Minor | None = None
    tax_identity: _TaxIdentity | None = None
    uuid: _Text = ""
    tax_subtotals: list[_TaxSubtotal] = Field(default=[], max_length=MAX_LISTED)
    order_reference: _Text = ""
    sales_order_reference: _Text = ""
    contract_reference: _Text = ""
    buyer_reference: _Text = ""
    despatch_references: list[_Text] = Field(default=[], max_length=MAX_LISTED)
    receipt_references: list[_Text] = Field(default=[], max_length=MAX_LISTED)
    billing_references: list[_Reference] = Field(default=[], max_length=MAX_LISTED)
    delivered_on: _Day | None = None
    accounts: list[_Account] = Field(default=[], max_length=20)
    payment_reference: _Text = ""
    payment_terms: _Text = ""
    notes: list[_Text] = Field(default=[], max_length=20)
    lines: list[_Line] = Field(default=[], max_length=MAX_LINES)
    word: Annotated[str, Field(pattern=f"^({'|'.join(Word)})?$")] = ""


# Rules name an amount without its unit; the key has it.
_PLACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        name.removesuffix("_minor"): name
        for name in _Document.model_fields
        if name.endswith("_minor")
    }
)
_LINE_PLACES: Final[Mapping[str, str]] = MappingProxyType({"": "lines", "net": "net_minor"})
_AMOUNTS: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER})


def read_json(data: bytes) -> Iterator[Reading]:
    """Read a file of documents, one by one."""
    try:
        said = loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        broken = Words("The file is no JSON with one meaning: %(reason)s.", reason=str(error)[:200])
        yield None, [Finding(Severity.ERROR, "JSON", broken, "/")], ()
        return
    documents = said.get("documents") if isinstance(said, dict) else None
    if not isinstance(documents, list) or not documents or set(said) != {"documents"}:
        message = 'The file must be one object with the list "documents" and nothing else.'
        yield None, [Finding(Severity.ERROR, "JSON_SHAPE", message, "/")], ()
        return
    if len(documents) > MAX_DOCUMENTS:
        many = Words("More than %(limit)s documents are not read.", limit=MAX_DOCUMENTS)
        yield None, [Finding(Severity.ERROR, "JSON_TOO_MANY", many, "/documents")], ()
        return
    for position, one in enumerate(documents, start=1):
        yield _read(one, f"documents[{position}]")


def _read(one: object, root: str) -> Reading:
    try:
        shape = _Document.model_validate(one)
    except ValidationError as error:
        return None, _findings(error, root), ()
    told = _Told(Source("json", 0, root, _PLACES, _LINE_PLACES))
    fields = _fields(shape) | {"source": told.source}
    compare_tax(told, fields["tax_subtotals"], shape.tax_minor)
    if shape.kind in _AMOUNTS:
        derive_totals(fields)
    if shape.kind in _AMOUNTS - {Kind.ORDER}:
        refer_by_lines(fields)
    return CanonicalDocument(**fields), told.findings, told.unread


class _Told:
    """What was found in one document besides its shape."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.unread: set[str] = set()

    def add(self, severity: Severity, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding."""
        self.findings.append(Finding(severity, code, message, place, value))

    def error(self, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding that keeps the document out."""
        self.add(Severity.ERROR, code, message, place, value)


def _findings(error: ValidationError, root: str) -> list[Finding]:
    """Tell what is wrong with the shape, each with its path; at most a hundred of them."""
    found = []
    for one in error.errors(include_url=False)[:_MAX_FINDINGS]:
        place = f"/{root}" + "".join(
            f"[{part + 1}]" if isinstance(part, int) else f"/{part}" for part in one["loc"]
        )
        value = one["input"] if isinstance(one["input"], str | int | bool) else ""
        message: str = Words("This cannot be read: %(reason)s.", reason=one["msg"])
        if one["type"] == "missing":
            message = "This is missing."
        elif one["type"] == "extra_forbidden":
            message = "No field of a document has this name."
        found.append(Finding(Severity.ERROR, "JSON_FIELD", message, place, str(value)))
    return found


def _fields(shape: _Document) -> dict[str, Any]:
    """Make the fields of the canonical document."""
    fields = {name: getattr(shape, name) for name in _Document.model_fields}
    return fields | {
        "seller": _party(shape.seller),
        "buyer": _party(shape.buyer),
        "payee": _party(shape.payee) if shape.payee else None,
        "tax_identity": _tax_identity(shape.tax_identity),
        "uuid": worldwide_id(shape.uuid),
        "tax_subtotals": tuple(TaxSubtotal(**dict(one)) for one in shape.tax_subtotals),
        "despatch_references": tuple(shape.despatch_references),
        "receipt_references": tuple(shape.receipt_references),
        "billing_references": tuple(Reference(**dict(one)) for one in shape.billing_references),
        "accounts": tuple(Account(**dict(one)) for one in shape.accounts),
        "notes": tuple(shape.notes),
        "lines": tuple(
            Line(**dict(line) | {"item_ids": _identifiers(line.item_ids)}) for line in shape.lines
        ),
    }


def _tax_identity(shape: _TaxIdentity | None) -> TaxIdentity | None:
    return tidy(TaxIdentity(**dict(shape))) if shape is not None else None


def _party(shape: _Party) -> Party:
    return Party(
        shape.name,
        shape.country,
        _identifiers(shape.identifiers),
        shape.trading_name,
        one_line([shape.address]),
        mail_domain(shape.mail),
    )


def _identifiers(shapes: Sequence[_Identifier]) -> tuple[Identifier, ...]:
    return tuple(dict.fromkeys(Identifier(one.scheme, one.value) for one in shapes))
