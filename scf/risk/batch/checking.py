"""Bad rows are set aside with a reason, before anything is added up; a bad table is refused."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from scf.kernel.errors import InvalidInput
from scf.kernel.money import exponent
from scf.risk.batch.layout import INVOICES, MOST, NO, RECEIVABLES, Column

_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_WHOLE: Final = r"^-?[0-9]{1,18}$"
_PPM: Final = 1_000_000
_FLOAT_EXACT: Final = float(2**53)


def typed(table: Any, columns: Sequence[Column], name: str) -> Any:  # noqa: ANN401 - of ibis
    """Give a table's columns as text, day numbers since 1970, whole numbers and flags.

    A cell that cannot be read so is empty, and its column's name stands in ``broken``.

    Raises
    ------
    InvalidInput
        COLUMNS_WRONG with every column that is missing or of a kind that cannot be read so.
    """
    import ibis

    schema = table.schema()
    missing = [one.name for one in columns if not one.absent and one.name not in schema]
    made: dict[str, Any] = {}
    bad: list[tuple[Any, str]] = []
    wrong: list[str] = []
    for column in columns:
        if column.name not in schema:
            made[column.name] = ibis.null(_NULLS[column.kind])
            continue
        cell = table[column.name]
        reader = _readers(cell.type()).get(column.kind)
        if reader is None:
            wrong.append(f"{column.name}: {cell.type()}")
            continue
        value = reader(cell)
        made[column.name] = value
        empty = cell.isnull()
        if cell.type().is_string():
            empty |= cell.strip() == ""
        absent = ibis.literal(NO) if column.optional else empty
        bad.append((absent | (value.isnull() & ~empty), column.name))
    if missing or wrong:
        raise InvalidInput(
            "COLUMNS_WRONG",
            "The table %(table)s has not the columns that it needs.",
            table=name,
            missing=missing,
            wrong=wrong,
        )
    return table.select(**made, broken=ibis.cases(*bad, else_=""))


_NULLS: Final = {
    "text": "string", "number": "string", "day": "int64", "whole": "int64", "flag": "boolean",
}  # fmt: skip


def _readers(dtype: Any) -> dict[str, Callable[[Any], Any]]:  # noqa: ANN401, C901, PLR0911 - one answer a type
    """Give how a cell of a type is read as each kind."""
    import ibis

    def day(value: Any) -> Any:  # noqa: ANN401
        return value.delta(ibis.date(1970, 1, 1), unit="day").cast("int64")

    def only(holds: Any, value: Any) -> Any:  # noqa: ANN401
        return ibis.ifelse(holds, value, None)

    if dtype.is_string():

        def flag(cell: Any) -> Any:  # noqa: ANN401
            word = cell.strip().lower()
            return only(word.isin(["true", "1"]) | word.isin(["false", "0"]),
                        word.isin(["true", "1"]))  # fmt: skip

        return {
            "text": lambda cell: cell.strip().nullif(""),
            "number": lambda cell: cell.strip().nullif(""),
            "day": lambda cell: day(
                only(cell.strip().re_search(_DAY), cell.strip()).try_cast("date")
            ),
            "whole": lambda cell: only(cell.strip().re_search(_WHOLE), cell.strip()).try_cast(
                "int64"
            ),
            "flag": flag,
        }
    if dtype.is_integer():
        return {
            "whole": lambda cell: cell.cast("int64"),
            "number": lambda cell: cell.cast("string"),
        }
    if dtype.is_floating():
        return {
            "whole": lambda cell: only(
                ~cell.isnan() & (cell.abs() < _FLOAT_EXACT) & (cell == cell.floor()), cell
            ).try_cast("int64"),
            "number": lambda cell: cell.cast("string"),
        }
    if dtype.is_decimal():
        return {
            "whole": lambda cell: only(cell == cell.floor(), cell).try_cast("int64"),
            "number": lambda cell: cell.cast("string"),
        }
    if dtype.is_date():
        return {"day": day}
    if dtype.is_timestamp():
        return {"day": lambda cell: day(cell.date())}
    if dtype.is_boolean():
        return {"flag": lambda cell: cell}
    return {}


def invoices(table: Any, numbers: Any, t: int) -> Any:  # noqa: ANN401
    """Give typed invoices with the numbers of their firms, and why a row is set aside.

    Parameters
    ----------
    table
        As :func:`typed` gives it.
    numbers
        Table of ``firm_id`` and ``number``.
    t
        The morning as days since 1970: what became known on it or later is not known.
    """
    amounts = ("net", "sold", "rest", "diluted", "kept")
    rows = _twice(table, "invoice_id")
    rows = _numbered(rows, numbers, "seller_id", "seller")
    rows = _numbered(rows, numbers, "buyer_id", "buyer")

    def some(holds: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        found = holds(rows[amounts[0]])
        for name in amounts[1:]:
            found |= holds(rows[name])
        return found

    later = [rows[name] >= t for name in ("settled_known_on", "closed_known_on")]
    return _reasoned(
        rows,
        ("CELL_UNREADABLE", rows.broken != ""),
        ("DUPLICATE", rows.twice),
        ("SELF_LOOP", rows.seller_id == rows.buyer_id),
        ("UNKNOWN_FIRM", rows.seller.isnull() | rows.buyer.isnull()),
        ("AMOUNT_NOT_POSITIVE", rows.base <= 0),
        ("AMOUNT_NEGATIVE", some(lambda cell: cell < 0)),
        ("AMOUNT_TOO_LARGE", (rows.base > MOST) | some(lambda cell: cell > MOST)),
        ("AMOUNT_ABOVE_BASE", (rows.net > rows.base) | (rows.sold > rows.base)
         | (rows.rest > rows.net) | (rows.kept > rows.rest)),
        ("DATES_INCOMPLETE", rows.settled_on.isnull() != rows.settled_known_on.isnull()),
        ("KNOWN_LATER", later[0].fill_null(NO) | later[1].fill_null(NO)),
    )  # fmt: skip


def receivables(table: Any, numbers: Any, currencies: Sequence[str]) -> Any:  # noqa: ANN401
    """Give typed receivables with the numbers of their firms, and why a row is set aside."""
    rows = _twice(table, "receivable_id")
    rows = _numbered(rows, numbers, "seller_id", "seller")
    rows = _numbered(rows, numbers, "obligor_id", "buyer")
    terms = (
        ~rows.claim.isin(["undertaking", "revocable", "plain"])
        | ~rows.basis.isin([360, 365])
        | ~rows.rate_basis.isin(["face", "proceeds"])
        | ~rows.dilution_capital.isin(["economic", "basel"])
        | (rows.recourse_after_days < 0)
        | ~rows.reserve_ppm.between(0, _PPM - 1)
        | (rows.legal_cap_ppm < 0).fill_null(NO)
    )
    return _reasoned(
        rows,
        ("CELL_UNREADABLE", rows.broken != ""),
        ("DUPLICATE", rows.twice),
        ("SELF_LOOP", rows.seller_id == rows.obligor_id),
        ("UNKNOWN_FIRM", rows.seller.isnull() | rows.buyer.isnull()),
        ("AMOUNT_NOT_POSITIVE", rows.face <= 0),
        ("AMOUNT_TOO_LARGE", rows.face > MOST),
        ("CURRENCY_UNKNOWN", ~rows.currency.isin(list(currencies))),
        ("TERMS_WRONG", terms),
    )


def digits(currencies: Sequence[str]) -> dict[str, int]:
    """Give the decimals of each currency."""
    return {one: exponent(one) for one in currencies}


def set_aside(table: Any, name: str) -> Any:  # noqa: ANN401
    """Give the rows that are set aside: which, why, and the cell that could not be read."""
    import ibis

    keys = {"invoices": INVOICES, "receivables": RECEIVABLES}
    return table.filter(table.reason != "").select(
        table=ibis.literal(name),
        row=table[keys[name][0].name],
        reason=table.reason,
        column=table.broken,
    )


def _twice(table: Any, key: str) -> Any:  # noqa: ANN401
    """Mark rows whose id stands in more than one; none of them is taken."""
    counted = table.group_by(key).aggregate(rows_of_id=table.count())
    double = counted.filter(counted.rows_of_id > 1).select(double_id=counted[key])
    joined = table.left_join(double, table[key] == double.double_id)
    return joined.mutate(twice=joined.double_id.notnull()).drop("double_id")


def _numbered(table: Any, numbers: Any, key: str, name: str) -> Any:  # noqa: ANN401
    """Put the number of a firm beside its id; nothing where nobody knows the firm."""
    known = numbers.select(**{f"id_of_{name}": numbers.firm_id, name: numbers.number})
    joined = table.left_join(known, table[key] == known[f"id_of_{name}"])
    return joined.drop(f"id_of_{name}")


def _reasoned(rows: Any, *reasons: tuple[str, Any]) -> Any:  # noqa: ANN401
    import ibis

    branches = [(holds.fill_null(NO), code) for code, holds in reasons]
    return rows.mutate(reason=ibis.cases(*branches, else_=""))
