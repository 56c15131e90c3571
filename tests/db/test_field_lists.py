"""A field type binds the field lists that tables and answers share, and makes the right column."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import BigInteger, String
from sqlmodel import SQLModel

from scf.db.types import (
    Code,
    Currency,
    Id,
    IdKey,
    Minor,
    OptCode,
    OptCurrency,
    OptId,
    OptMinor,
    OptText,
    Record,
    Text,
)
from scf.kernel.money import MAX_MINOR

GOOD: dict[str, Any] = {
    "id": "a", "code": "", "text": "", "currency": "EUR", "amount_minor": 0,
    "opt_id": None, "opt_code": None, "opt_text": None, "opt_currency": None,
    "opt_minor": None,
}  # fmt: skip


class Fields(SQLModel):
    """As a field list."""

    id: Id
    code: Code
    text: Text
    currency: Currency
    amount_minor: Minor
    opt_id: OptId
    opt_code: OptCode
    opt_text: OptText
    opt_currency: OptCurrency
    opt_minor: OptMinor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (field, word)
            for field in ("currency", "opt_currency")
            for word in ("eur", "EU", "EURO", "E1R", "EUR\n", " EUR", "", "\u0415UR", 978)
        ),
        ("id", ""),
        *((field, "x" * 65) for field in ("id", "code", "opt_id", "opt_code")),
        *((field, "x" * 4001) for field in ("text", "opt_text")),
        *((field, 7) for field in ("id", "code", "text", "opt_id", "opt_code", "opt_text")),
        *(
            (field, number)
            for field in ("amount_minor", "opt_minor")
            for number in (-1, MAX_MINOR + 1, "1", 1.0, True)
        ),
        *((field, None) for field in ("id", "code", "text", "currency", "amount_minor")),
    ],
)
def test_what_a_type_forbids_is_refused_in_a_field_list(field: str, value: object) -> None:
    Fields.model_validate(GOOD)
    with pytest.raises(ValidationError) as refused:
        Fields.model_validate(GOOD | {field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_what_a_type_allows_passes() -> None:
    whole = GOOD | {
        "opt_id": "b", "opt_code": "c", "opt_text": "t" * 4000, "opt_currency": "JPY",
        "opt_minor": MAX_MINOR, "id": "x" * 64,
    }  # fmt: skip
    assert Fields.model_validate(whole).model_dump() == whole


def test_the_columns_are_what_the_types_say() -> None:
    class Kept(Record, table=True):
        __tablename__ = "kept_for_a_test"

        id: IdKey
        currency: Currency
        opt_currency: OptCurrency
        amount_minor: Minor

    table = Kept.__table__  # type: ignore[attr-defined]
    SQLModel.metadata.remove(table)
    assert [type(table.c[name].type) for name in ("currency", "opt_currency")] == [String, String]
    assert (table.c.currency.nullable, table.c.opt_currency.nullable) == (False, True)
    assert isinstance(table.c.amount_minor.type, BigInteger)
