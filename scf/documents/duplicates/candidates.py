"""Which stored invoices a rule could hold against new ones, asked by the keys that rules share.

Each question is a seek in one index and gives few rows: the same number, the same order, or about
the same amount within days with one more sign. What nearly fits is left to the rules; what is
refused here, no rule would take. One statement answers for all invoices of a slice, so that it
costs the same few seeks each whether a pair of firms has ten of them or a hundred thousand.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Date, String, bindparam, text
from sqlalchemy.engine import Connection

from scf.documents.duplicates.rules import (
    NEAR_NUMBER_DAYS,
    NEAR_PPM,
    SAME_AMOUNT_DAYS,
    SAME_LINES_DAYS,
    SAME_NUMBER_DAYS,
    SAME_ORDER_DAYS,
)
from scf.documents.invoice_state import INVOICE
from scf.kernel.rates import PPM

# Of one invoice by one sign. Where more look alike, the sign says nothing.
_MOST: Final = 30
# Of the same amount on the same day.
_MOST_HERE: Final = 5_000
_BESIDE: Final = max(NEAR_NUMBER_DAYS, SAME_AMOUNT_DAYS, SAME_LINES_DAYS)
# The bounds of a near amount in whole numbers, a little wider than the rules'.
_LESS: Final = PPM // NEAR_PPM
_MORE: Final = (PPM - NEAR_PPM) // NEAR_PPM - 1

_LIVE: Final = "IN ('VALIDATED', 'INCOMPLETE')"
_FIT: Final = "match_state IN ('MATCHED', 'WAIVED')"
# One series in one file.
_RUN: Final = """own.upload_id = twin.upload_id
        AND rtrim(own.canonical_number, '0123456789') = rtrim(twin.canonical_number, '0123456789')
"""
# Where one sign of a number is changed, swapped, added or left out, its last two signs are the
# same, or all but its last three; or one number begins with the other.
_NEARLY: Final = """
        substr(twin.canonical_number, length(twin.canonical_number) - 1)
            = substr(own.canonical_number, length(own.canonical_number) - 1)
        OR substr(twin.canonical_number, 1, <greatest>(length(own.canonical_number) - 3, 0))
            = substr(own.canonical_number, 1, <greatest>(length(own.canonical_number) - 3, 0))
        OR substr(twin.canonical_number, 1, length(own.canonical_number)) = own.canonical_number
        OR substr(own.canonical_number, 1, length(twin.canonical_number)) = twin.canonical_number
"""
_NEAR: Final = f"""
    twin.payable_minor BETWEEN own.payable_minor - own.payable_minor / {_LESS} - 1
        AND own.payable_minor + own.payable_minor / {_MORE} + 1
"""
_BESIDE_IT: Final = f"""
    {_NEAR} AND twin.issue_on BETWEEN <first {_BESIDE}> AND <last {_BESIDE}>
    AND NOT (own.{_FIT} AND twin.{_FIT})
    AND (
        twin.lines_print = own.lines_print
        OR (twin.payable_minor = own.payable_minor AND NOT ({_RUN}))
        OR {_NEARLY}
    )
"""
_IN_PART: Final = f"""
    twin.lines_least IS NOT NULL AND own.lines_least IS NOT NULL
    AND twin.issue_on BETWEEN <first {SAME_LINES_DAYS}> AND <last {SAME_LINES_DAYS}>
    AND NOT (own.{_FIT} AND twin.{_FIT})
    AND (own.order_canonical IS NULL OR twin.order_canonical IS NULL
        OR own.order_canonical = twin.order_canonical)
    AND NOT ({_RUN})
"""


class _Sign(NamedTuple):
    """What one index is asked: a condition, and where a column may have one of several values."""

    said: str
    column: str = ""
    values: str = ""


_PLACES: Final = ("place_key", "own.place_key, own.place_key - 1, own.place_key + 1")
_SIGNS: Final = (
    _Sign(
        f"""
        {_NEAR} AND twin.canonical_number = own.canonical_number
        AND twin.issue_on BETWEEN <first {SAME_NUMBER_DAYS}> AND <last {SAME_NUMBER_DAYS}>
        """
    ),
    _Sign(
        f"""
        {_NEAR} AND twin.order_canonical = own.order_canonical
        AND twin.issue_on BETWEEN <first {SAME_ORDER_DAYS}> AND <last {SAME_ORDER_DAYS}>
        AND NOT (own.{_FIT} AND twin.{_FIT})
        AND NOT (own.match_state <> 'EXCEPTION' AND twin.match_state <> 'EXCEPTION' AND {_RUN})
        """
    ),
    _Sign(f"twin.order_canonical IS NULL AND {_BESIDE_IT}", *_PLACES),
    _Sign(
        f"twin.order_canonical IS NOT NULL AND own.order_canonical IS NULL AND {_BESIDE_IT}",
        *_PLACES,
    ),
    _Sign(_IN_PART, "lines_least", "own.lines_least, own.lines_next"),
    _Sign(f"twin.lines_next = own.lines_least AND {_IN_PART}"),
)


def _twins(sign: _Sign, more: str) -> str:
    seller = "<seller_id>" if sign.column == "place_key" else "twin.seller_id"
    return f"""
        SELECT twin.id FROM invoice AS twin
        WHERE {seller} = own.seller_id AND {sign.said} {more}
        AND <buyer_id> = own.buyer_id
        AND twin.currency = own.currency
        AND twin.id <> own.id
        AND twin.credited_minor < twin.base_minor
        AND <document_state> {_LIVE}
        LIMIT {_MOST}
    """  # noqa: S608 - our own words


def _in_sqlite(sign: _Sign) -> str:
    return _twins(sign, f"AND twin.{sign.column} IN ({sign.values})" if sign.column else "")


def _in_postgresql(sign: _Sign) -> str:
    """Ask for each value by itself: a list may make the planner choose another index."""
    if not sign.column:
        return _twins(sign, "")
    return f"""
        SELECT here.id FROM unnest(ARRAY[{sign.values}]) AS value
        CROSS JOIN LATERAL ({_twins(sign, f"AND twin.{sign.column} = value")}) AS here
        LIMIT {_MOST}
    """  # noqa: S608 - our own words


def _all_twins(spelt: Callable[[_Sign], str]) -> str:
    return "\n UNION ALL ".join(
        f"SELECT id FROM ({spelt(sign)}) AS sign_{number}"  # noqa: S608 - our own words
        for number, sign in enumerate(_SIGNS)
    )


_OWN: Final = f"""own.seller_id IS NOT NULL AND own.buyer_id IS NOT NULL AND own.payable_minor > 0
    AND own.credited_minor < own.base_minor AND own.document_state {_LIVE}"""

_SQLITE: Final = f"""
    SELECT own.id, twin.id FROM invoice AS own
    JOIN invoice AS twin ON twin.id IN ({_all_twins(_in_sqlite)})
    WHERE own.id IN (SELECT value FROM json_each(:ids)) AND {_OWN}
"""  # noqa: S608 - our own words
_POSTGRESQL: Final = f"""
    SELECT own.id, twin.id FROM invoice AS own
    CROSS JOIN LATERAL ({_all_twins(_in_postgresql)}) AS twin
    WHERE own.id = ANY(:ids) AND {_OWN}
"""  # noqa: S608 - our own words


# A column by which no index is to be read. By statistics that are older than the last large file a
# planner takes all that two firms have, or all that is valid, for a row or two.
_UNINDEXED: Final = {"sqlite": "+{}", "postgresql": "{} || ''"}


def _spelt(dialect: str, statement: str, first: str, last: str, greatest: str) -> str:
    statement = re.sub("<first ([0-9]+)>", first, statement)
    statement = re.sub("<last ([0-9]+)>", last, statement)
    statement = statement.replace("<greatest>", greatest)
    return re.sub(
        "<(seller_id|buyer_id|document_state)>",
        lambda found: _UNINDEXED[dialect].format(f"twin.{found[1]}"),
        statement,
    )


_PAIRS: Final = {
    "sqlite": text(
        _spelt(
            "sqlite",
            _SQLITE,
            r"date(own.issue_on, '-\1 days')",
            r"date(own.issue_on, '+\1 days')",
            "max",
        )
    ),
    "postgresql": text(
        _spelt(
            "postgresql",
            _POSTGRESQL,
            r"own.issue_on - \1",
            r"own.issue_on + \1",
            "greatest",
        )
    ).bindparams(bindparam("ids", type_=ARRAY(String))),
}


def candidates(conn: Connection, invoice_ids: Collection[str]) -> set[tuple[str, str]]:
    """Give each of these invoices with every stored one that a rule could hold against it."""
    if not invoice_ids:
        return set()
    ids = sorted(invoice_ids)
    dialect = conn.dialect.name
    asked = {"ids": json.dumps(ids) if dialect == "sqlite" else ids}
    return {(own, twin) for own, twin in conn.execute(_PAIRS[dialect], asked)}


class Place(NamedTuple):
    """The two firms, day and amount by which a document is known although its number differs."""

    seller: str
    buyer: str
    key: int
    day: dt.date
    amount: int


_SHOWN: Final = (
    "id",
    "seller_id",
    "buyer_id",
    "currency",
    "payable_minor",
    "issue_on",
    "number",
)
_CELLS: Final = ", ".join(
    f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(Place._fields)
)


def _here(dialect: str, *columns: str) -> str:
    """Look one place up by itself: joined, either engine may come to read the whole table."""
    bare = _UNINDEXED[dialect].format
    return " UNION ALL ".join(
        f"""SELECT * FROM (
            SELECT {", ".join(columns)} FROM invoice
            WHERE place_key = told.key AND issue_on = told.day AND payable_minor = told.amount
            AND {bare("seller_id")} = told.seller AND {bare("buyer_id")} = told.buyer
            AND {bare("document_state")} {_LIVE} AND order_canonical {order} LIMIT {_MOST_HERE}
        ) AS place_{number}"""  # noqa: S608 - our own words
        for number, order in enumerate(("IS NULL", "IS NOT NULL"))
    )


_SAME: Final = {
    "sqlite": f"""
        WITH told AS MATERIALIZED (SELECT {_CELLS} FROM json_each(:told))
        SELECT {", ".join(f"twin.{name}" for name in _SHOWN)}
        FROM told CROSS JOIN invoice AS twin ON twin.id IN ({_here("sqlite", "id")})
    """,  # noqa: S608 - our own words
    "postgresql": f"""
        SELECT here.*
        FROM unnest(:seller, :buyer, :key, :day, :amount) AS told(seller, buyer, key, day, amount)
        CROSS JOIN LATERAL ({_here("postgresql", *_SHOWN)}) AS here
    """,  # noqa: S608 - our own words
}
_ARRAYS: Final = [
    bindparam("seller", type_=ARRAY(String)),
    bindparam("buyer", type_=ARRAY(String)),
    bindparam("key", type_=ARRAY(BigInteger)),
    bindparam("day", type_=ARRAY(Date)),
    bindparam("amount", type_=ARRAY(BigInteger)),
]
_SAME_PLACE: Final = {
    dialect: text(said)
    .bindparams(*(_ARRAYS if dialect == "postgresql" else ()))
    .columns(*(INVOICE.c[name] for name in _SHOWN))
    for dialect, said in _SAME.items()
}


def same_place(conn: Connection, places: Iterable[Place]) -> Sequence[Any]:
    """Give the invoices of the very amount and day between the same two firms."""
    told = sorted(set(places))
    if not told:
        return ()
    asked: dict[str, Any] = {"told": json.dumps(told, default=str)}
    if conn.dialect.name == "postgresql":
        asked = dict(zip(Place._fields, map(list, zip(*told, strict=True)), strict=True))
    return conn.execute(_SAME_PLACE[conn.dialect.name], asked).all()
