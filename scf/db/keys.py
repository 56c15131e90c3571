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
    ColumnElement,
    String,
    false,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection


def one_of(
    conn: Connection, column: ColumnElement[Any], keys: Iterable[str]
) -> ColumnElement[bool]:
    """Say that a column is one of a slice's texts, without a thousand parameters to spell out."""
    wanted = sorted(set(keys))
    if conn.dialect.name != "sqlite":
        return column == func.any(literal(wanted, ARRAY(String)))
    told = func.json_each(json.dumps(wanted)).table_valued("value", name="told")
    return column.in_(select(told.c.value))


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
    told = func.json_each(json.dumps(wanted)).table_valued("value", name="told")
    cells = (func.json_extract(told.c.value, f"$[{place}]") for place in range(len(columns)))
    return tuple_(*columns).in_(select(*cells))
