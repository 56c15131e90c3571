"""Say which column of a bank's table means what; kept as a JSON file beside the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json, to_json

from scf.db.types import OptCurrency
from scf.documents.readers.values import DateFormat
from scf.kernel.errors import InvalidInput
from scf.kernel.ids import digest
from scf.kernel.money import EXPONENTS

FIELDS: Final = (
    "account", "booked_on", "value_on", "amount", "credit", "debit", "mark", "currency", "balance",
    "reference", "end_to_end_id", "batch", "name", "counter_account", "bic", "text", "text_2",
    "text_3", "return_reason",
)  # fmt: skip
MAX_MAPPING: Final = 20_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table's header stands and how its text is written; empty means: find out."""

    encoding: str = ""
    delimiter: str = ""
    header_row: int = 1

    @classmethod
    def of(cls, mapping: "StatementMapping") -> "Layout":
        """Give what a mapping says of it."""
        return cls(mapping.encoding, mapping.delimiter, mapping.header_row)


class StatementMapping(BaseModel):
    """How one bank's table is read: column by field, constants, dates and decimal sign.

    The amount stands in one signed column (``amount``), in one unsigned column with a ``mark``, or
    in two (``credit`` and ``debit``). A row whose mark is one of ``debit_marks`` went out; any
    other mark than those of ``credit_marks`` is refused. ``account`` and ``currency`` may be
    constants. ``balance`` is the running balance after the row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    columns: dict[str, str] = Field(max_length=len(FIELDS))
    account: str = Field(default="", max_length=64)
    currency: OptCurrency = None
    date_formats: tuple[DateFormat, ...] = Field(default=("YYYY-MM-DD",), min_length=1)
    decimal: Literal["point", "comma"] = "point"
    debit_marks: tuple[str, ...] = ("D", "DBIT", "S", "-", "DR")
    credit_marks: tuple[str, ...] = ("C", "CRDT", "H", "+", "CR")
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    encoding: str = Field(default="", max_length=40)
    header_row: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        """Refuse a field that no table of a bank has, and a mapping that leaves money open."""
        unknown = self.columns.keys() - set(FIELDS)
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        given = set(self.columns)
        for name in ("account", "currency"):
            if (name in given) is bool(getattr(self, name)):
                raise ValueError(f"{name} is a column or a constant, one of the two")
        if self.currency is not None and self.currency not in EXPONENTS:
            raise ValueError("currency is none of ISO 4217")
        if "booked_on" not in given:
            raise ValueError("no column for: booked_on")
        if ("amount" in given) is bool(given & {"credit", "debit"}):
            raise ValueError("the money stands in amount, or in credit and debit")
        if "mark" in given and "amount" not in given:
            raise ValueError("a mark needs an amount")
        if "amount" not in given and not {"credit", "debit"} <= given:
            raise ValueError("credit and debit are two columns")
        return self

    @property
    def mark(self) -> str:
        """A fingerprint of what the mapping says."""
        return digest(self.model_dump(mode="json"))

    @classmethod
    def from_json(
        cls, text: str | bytes, *, account: str = "", currency: str = ""
    ) -> "StatementMapping":
        """Read a mapping file; of a known account, its number and currency are the constants.

        Raises
        ------
        InvalidInput
            MAPPING, with the first thing that is wrong.
        """
        if len(text) > MAX_MAPPING:
            raise InvalidInput("MAPPING", "%(place)s: %(reason)s", place="", reason="too long")
        try:
            if not account:
                return cls.model_validate_json(text)
            said = from_json(text)
            given: dict[str, Any] = dict(said) if isinstance(said, dict) else {}
            columns = given.get("columns")
            named: dict[str, Any] = columns if isinstance(columns, dict) else {}
            given["account"] = "" if "account" in named else account
            if "currency" not in named:
                given["currency"] = given.get("currency") or currency
            return cls.model_validate_json(to_json(given))
        except ValueError as error:
            if not isinstance(error, ValidationError):
                raise InvalidInput(
                    "MAPPING", "%(place)s: %(reason)s", place="", reason="no JSON"
                ) from None
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(
                "MAPPING", "%(place)s: %(reason)s", place=place, reason=first["msg"]
            ) from None

    @classmethod
    def of_stored(cls, stored: Mapping[str, Any]) -> "StatementMapping":
        """Give a mapping that was kept, and checked then, as a value."""
        return cls.model_validate(dict(stored), strict=False)
