"""A field that holds money, a rate or a currency says so in its type."""

import ast
import re
from collections.abc import Iterator

from tests.house.bans import names_in
from tests.house.sources import dotted, files, report, tree

# A default for a column of somebody's table is text about a currency, checked where it is used.
MONEY_NAME = re.compile(r"^(?!default_).*(?<![a-z])(minor|ppm|currency)$")
BARE = {"int", "str", "float", "Decimal", "Any", "object"}
CARRIES_A_COLUMN = {
    "Minor", "SignedMinor", "Ppm", "SignedPpm", "Count", "Currency",
    "Id", "Code", "Text", "Day", "Instant",
}  # fmt: skip
PLAIN_CLASSES = {"NamedTuple", "TypedDict", "Protocol", "StrEnum", "Enum", "Exception"}


def _fields(module: ast.Module) -> Iterator[tuple[ast.AnnAssign, str]]:
    """Fields of the classes that validate: a base, not a plain dataclass."""
    for node in ast.walk(module):
        if not isinstance(node, ast.ClassDef) or not node.bases:
            continue
        if any("dataclass" in names_in(decorator) for decorator in node.decorator_list):
            continue
        if {dotted(base).rpartition(".")[2] for base in node.bases} & PLAIN_CLASSES:
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                yield field, field.target.id


def _bare_money(module: ast.Module) -> Iterator[int]:
    for field, name in _fields(module):
        if MONEY_NAME.search(name) and names_in(field.annotation) & BARE:
            yield field.lineno


def _lost_columns(module: ast.Module) -> Iterator[int]:
    for field, _ in _fields(module):
        for part in ast.walk(field.annotation):
            union = isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr)
            optional = isinstance(part, ast.Subscript) and dotted(part.value).endswith("Optional")
            if (union or optional) and names_in(part) & CARRIES_A_COLUMN:
                yield field.lineno


def test_no_money_field_is_a_bare_number_or_text() -> None:
    found = [f"{f}:{line}" for f in files("scf", "web") for line in _bare_money(tree(f))]
    instead = "Minor, SignedMinor, Ppm or Currency of scf.db.types: bounds, strictness, 64 bits"
    assert not found, report(found, instead)


def test_no_optional_field_loses_its_column_type() -> None:
    found = [f"{f}:{line}" for f in files("scf", "web") for line in _lost_columns(tree(f))]
    instead = "the Opt… twin (OptMinor, OptDay, …): a union drops the column type in silence"
    assert not found, report(found, instead)


def test_the_rules_catch_what_they_name() -> None:
    bare = ast.parse("class X(SQLModel):\n    fee_minor: int\n    currency: str")
    assert list(_bare_money(bare)) == [2, 3]
    lost = ast.parse("class X(SQLModel):\n    fee_minor: Minor | None = None")
    assert list(_lost_columns(lost)) == [2]
    plain = ast.parse("@dataclass\nclass X(Y):\n    fee_minor: int")
    assert not list(_bare_money(plain))
