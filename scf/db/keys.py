"""Rows by keys of several columns, found through an index on either engine.

SQLite reads the whole table where such keys are listed as values, however few they are, and seeks
each one in the index where they come out of a query. PostgreSQL plans a list of a thousand keys as
a thousand conditions; out of a query they cost it nothing to plan, and the driver nothing to write.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    false,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection


def not_among(column: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
    """Say that a column is none of what a query of one column gives.

    PostgreSQL asks a ``NOT IN`` of more rows than fit its memory for a hash once per row: minutes
    for a hundred thousand. This it joins.
    """
    found = rows.subquery()
    (only,) = found.c
    return ~select(literal(1)).where(only == column).exists()


def one_of(column: ColumnElement[Any], name: str = "ids") -> dict[str, ColumnElement[bool]]:
    """Say, for either engine, that a column is one of the texts of a parameter.

    A slice has a thousand of them, which nobody has to spell out one by one; :func:`told` gives
    the parameter's value. For statements that are made once.
    """
    texts: BindParameter[Any] = bindparam(name, type_=String)
    each = func.json_each(texts).table_valued("value", name="told")
    return {
        "sqlite": column.in_(select(each.c.value)),
        "postgresql": column == func.any(bindparam(name, type_=ARRAY(String))),
    }


def told(conn: Connection, keys: Iterable[str]) -> str | list[str]:
    """Give texts as the parameter of :func:`one_of`."""
    wanted = sorted(set(keys))
    return json.dumps(wanted) if conn.dialect.name == "sqlite" else wanted


def among(
    conn: Connection, columns: Sequence[ColumnElement[Any]], keys: Iterable[Sequence[str | int]]
) -> ColumnElement[bool]:
    """Say that these columns together are one of the keys, each of texts or whole numbers."""
    wanted = sorted({tuple(key) for key in keys})
    if conn.dialect.name != "sqlite":
        if not wanted:
            return false()
        lists = (
            literal(list(one), ARRAY(BigInteger if isinstance(one[0], int) else String))
            for one in zip(*wanted, strict=True)
        )
        names = [f"part_{place}" for place in range(len(columns))]
        listed = func.unnest(*lists).table_valued(*names, name="told").render_derived()
        return tuple_(*columns).in_(select(*listed.c))
    each = func.json_each(json.dumps(wanted)).table_valued("value", name="told")
    cells = (func.json_extract(each.c.value, f"$[{place}]") for place in range(len(columns)))
    return tuple_(*columns).in_(select(*cells))
