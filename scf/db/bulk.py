"""Many rows of one table at once, by the way that each engine takes them fastest.

A large import or a snapshot of the chain spends most of its time handing rows over: SQLite takes
tuples straight through its driver, PostgreSQL by COPY. Values are turned into what the engine
stores by the column's own type, column by column, and equal ones only once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam, column, func, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


def insert_mappings(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    same: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows that all name the same columns; ``same`` holds what is equal on all of them."""
    if not rows:
        return
    _insert(conn, table, {name: map(itemgetter(name), rows) for name in rows[0]}, len(rows), same)


def insert_rows(
    conn: Connection,
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    same: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows whose values stand in the order of ``names``, within the open transaction.

    Constraints and triggers speak as for any other insert.

    Raises
    ------
    DBAPIError
        As a single insert would.
    """
    columns = dict(zip(names, zip(*rows, strict=True), strict=False))
    if columns:
        _insert(conn, table, columns, len(columns[names[0]]), same)


def _insert(
    conn: Connection,
    table: Table,
    columns: Mapping[str, Iterable[Any]],
    many: int,
    same: Mapping[str, Any] | None,
) -> None:
    cells = [
        _converted(table.c[name], values, conn.dialect)
        for name, values in (
            *columns.items(),
            *((name, repeat(value, many)) for name, value in (same or {}).items()),
        )
    ]
    _hand_over(conn, table, [*columns, *(same or ())], list(zip(*cells, strict=True)))


class Setting:
    """An update of many rows by their id, each with values of its own, built once.

    PostgreSQL takes all of them in one statement, which spares it a plan and an answer per row.
    """

    def __init__(self, table: Table, *names: str, **others: ColumnElement[Any]) -> None:
        own = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        self._each = update(table).where(table.c.id == bindparam("row_id")).values(**own, **others)
        types = [table.c.id.type, *(table.c[name].type for name in names)]
        keys = ["row_id", *(f"new_{name}" for name in names)]
        lists = [
            bindparam(key, type_=ARRAY(of_type)) for key, of_type in zip(keys, types, strict=True)
        ]
        columns = [column(key, of_type) for key, of_type in zip(keys, types, strict=True)]
        told = func.unnest(*lists).table_valued(*columns, name="told").render_derived()
        self._all = (
            update(table)
            .where(table.c.id == told.c.row_id)
            .values(**{name: told.c[f"new_{name}"] for name in names}, **others)
        )
        self._keys = keys

    def run(self, conn: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Set the values of these rows: id first, then the columns in the order of their names."""
        if not rows:
            return
        if conn.dialect.name == "postgresql":
            lists = zip(self._keys, map(list, zip(*rows, strict=True)), strict=True)
            conn.execute(self._all, dict(lists))
        else:
            conn.execute(self._each, [dict(zip(self._keys, row, strict=True)) for row in rows])


def _hand_over(
    conn: Connection, table: Table, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    quote = conn.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(map(quote, names))})"
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        conn.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608 - our names
        return
    statement = f"COPY {into} FROM STDIN"
    cursor = conn.connection.cursor()
    try:
        with _as_sqlalchemy_tells(conn, statement), cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    finally:
        cursor.close()


@contextmanager
def _as_sqlalchemy_tells(conn: Connection, statement: str) -> Iterator[None]:
    """Raise the driver's errors as those that everybody above knows."""
    module: Any = conn.dialect.loaded_dbapi
    try:
        yield
    except module.Error as error:
        raise DBAPIError.instance(
            statement, None, error, module.Error,
            connection_invalidated=conn.dialect.is_disconnect(error, None, None),
            dialect=conn.dialect,
        ) from error  # fmt: skip


def _converted(column: Column[Any], values: Iterable[Any], dialect: Dialect) -> Iterable[Any]:
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    return _each_once(convert, list(values))


def _each_once(convert: Convert, values: Sequence[Any]) -> list[Any]:
    """Convert what is the same object only once: days, instants and parties stand on many rows."""
    known: dict[int, Any] = {}
    found = []
    for value in values:
        at = id(value)  # the row holds the value, so nothing else takes its place meanwhile
        if at not in known:
            known[at] = convert(value)
        found.append(known[at])
    return found
