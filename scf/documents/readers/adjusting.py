"""Second thoughts about columns whose names say one thing and whose values another.

"Vendor" may hold the vendor's number, "Amount" of an order what one line comes to, and a ledger has
its amounts under "Debit" and "Credit". Every change is told as a guess, for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

from scf.documents.canonical import Kind
from scf.documents.readers.text import plain_decimal, scaled
from scf.documents.readers.values import plain_amount
from scf.documents.readers.vocabulary import LEDGER_SIDES, plain

_MOST: Final = 0.8
_DIGITS: Final = re.compile(r"[0-9][0-9 ./-]{2,}")
_NAMES: Final = ("name1", "name", "nom", "nombre", "nome", "naam", "nazwa", "名称", "名前")

Columns = Mapping[str, str]
Take = Callable[[str, str], None]


def numbers_are_no_names(
    header: Sequence[str], of: Callable[[str], list[str]], columns: dict[str, str], take: Take
) -> None:
    """A column of a firm that holds only digits is its number; the name may stand beside it."""
    free = {plain(name): name for name in header if name.strip()}
    for side in ("seller", "buyer", "payee", "payer"):
        column = columns.get(f"{side}_name")
        values = of(column) if column else []
        if column is None or not values or not all(map(_DIGITS.fullmatch, values)):
            continue
        del columns[f"{side}_name"]
        if f"{side}_id" not in columns:
            take(f"{side}_id", column)
        named = next((free[name] for name in map(plain, _NAMES) if name in free), "")
        if named and named not in columns.values():
            take(f"{side}_name", named)


def amount_of_a_line(rows: Sequence[Sequence[str]], header: Sequence[str], columns: Columns) -> str:
    """Give the column taken for the total of an order that is quantity times price in each row."""
    places = [columns.get(name, "") for name in ("quantity", "price", "payable")]
    if not all(places) or "line_net" in columns:
        return ""
    at = [header.index(name) for name in places]
    read = [[_number(row[place]) for place in at] for row in rows if max(at) < len(row)]
    known = [one for one in read if None not in one]
    fits = sum(quantity * price == total for quantity, price, total in known)  # type: ignore[operator]
    return places[2] if known and fits >= _MOST * len(known) else ""


def _number(text: str) -> Fraction | None:
    for comma in (False, True):
        plain_text = plain_amount(text.strip(), comma=comma, currency="")
        exact = plain_decimal(plain_text) if plain_text is not None else None
        if exact is not None:
            return Fraction(*scaled(exact))
    return None


def side_of_ledger(
    kind: Kind, header: Sequence[str], of: Callable[[str], list[str]], columns: Columns
) -> str:
    """Give the column of debits or of credits that holds the more amounts, if there are both."""
    if kind is Kind.PAYMENT or "payable" in columns:
        return ""
    free = [name for name in header if name.strip() and name not in columns.values()]
    sides = [[name for name in free if plain(name) in words] for words in LEDGER_SIDES]
    if not all(sides):
        return ""
    return max((side[0] for side in sides), key=lambda name: len(of(name)))
