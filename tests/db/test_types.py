"""A field type says the same in a table and in a plain input."""

import pytest
from pydantic import BaseModel, ValidationError

from scf.db.types import Code, Currency, Id, Minor, OptCurrency, OptMinor, Ppm
from scf.kernel.money import MAX_MINOR


class Plain(BaseModel):
    amount_minor: Minor
    other_minor: OptMinor = None
    rate_ppm: Ppm = 0
    currency: Currency = "EUR"
    other_currency: OptCurrency = None
    id: Id = "x"
    code: Code = "x"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", "5"),
        ("amount_minor", 5.0),
        ("amount_minor", True),
        ("amount_minor", -1),
        ("amount_minor", MAX_MINOR + 1),
        ("other_minor", "5"),
        ("other_minor", -1),
        ("rate_ppm", 1.5),
        ("currency", "eur"),
        ("currency", "EU"),
        ("currency", "EURO"),
        ("other_currency", "eur"),
        ("id", ""),
        ("id", "x" * 65),
        ("code", "x" * 65),
    ],
)
def test_what_a_field_type_forbids_is_refused_in_a_plain_model(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Plain.model_validate({"amount_minor": 1} | {field: value})


def test_what_it_allows_passes() -> None:
    allowed = {"amount_minor": MAX_MINOR, "other_minor": None, "other_currency": "JPY"}
    assert Plain.model_validate(allowed).amount_minor == MAX_MINOR
