"""Rows by keys of several columns, found through an index on either engine.

SQLite reads the whole table where such keys are listed as values, however few they are, and seeks
each one in the index where they come out of a query.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.engine import Connection


def among(
    conn: Connection, columns: Sequence[ColumnElement[Any]], keys: Iterable[Sequence[str | int]]
) -> ColumnElement[bool]:
    """Say that these columns together are one of the keys, each of texts or whole numbers."""
    wanted = sorted({tuple(key) for key in keys})
    if conn.dialect.name != "sqlite":
        return tuple_(*columns).in_(wanted)
    told = func.json_each(json.dumps(wanted)).table_valued("value", name="told")
    cells = (func.json_extract(told.c.value, f"$[{place}]") for place in range(len(columns)))
    return tuple_(*columns).in_(select(*cells))
