"""A million stored invoices, made by the database itself within a minute or two.

What they share is copied from one that the product's models made; what differs is worked out of its
number, by whole-number arithmetic that both engines do alike. The indexes are built when all rows
are there: kept up row by row, they cost several times as much.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, insert, select, text
from sqlalchemy.types import TypeEngine

from scf.db import bulk
from scf.db.engine import Database
from scf.documents.duplicates.rules import place_key
from scf.documents.models import Invoice, InvoiceLine
from scf.kernel.actor import Actor
from tests.performance.crowded import analyse
from tests.performance.trade import NOON
from tests.support.deals import EUR, table

INVOICE, LINE = table(Invoice), table(InvoiceLine)
DAYS: Final = 1_095
LEAST: Final = 50_000  # amounts from 500.00 to 64,000.00, as many in each doubling
_DOUBLINGS: Final = 7
_LAST: Final = NOON.date()
_NUMBERS: Final = {
    "sqlite": "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up"
    " WHERE n + 1 < {}) SELECT n FROM up",
    "postgresql": "SELECT n FROM generate_series(CAST(1 AS BIGINT), {} - 1) AS n",
}
# Of the number n: the amount m, the day, the seller; every tenth is of the first one.
_OCTAVE: Final = f"({LEAST} << CAST(n * 7919 % {_DOUBLINGS} AS INTEGER))"
_AMOUNT: Final = f"{_OCTAVE} + n * 15485863 % {_OCTAVE}"
_AGO: Final = f"n * 104729 % 999983 % {DAYS}"
_WHOSE: Final = "CASE WHEN n % 10 = 0 THEN 0 ELSE n * 32452843 % 999979 % {} END"
_SIZE: Final = "(CASE {} END)".format(
    " ".join(f"WHEN m < {1 << size} THEN {size}" for size in range(16, 25))
)
_OWN: Final = {
    "id": "'i' || n",
    "number": "'INV-' || substr(CAST(10000000 + n AS TEXT), 2)",
    "canonical_number": "'INV' || n",
    "duplicate_key": "'k' || n",
    "seller_id": "bench_seller.value",
    "issue_on": "bench_issued.value",
    "due_on": "bench_due.value",
    **dict.fromkeys(("net_minor", "gross_minor", "payable_minor", "base_minor"), "m"),
    "place_key": f"bench_pair.value + ({_SIZE} << 4) + ((m << 4) >> ({_SIZE} - 1))",
    "order_number": "CASE WHEN n % 20 <> 0 THEN 'PO-' || (n / 3) END",
    "order_canonical": "CASE WHEN n % 20 <> 0 THEN 'PO' || (n / 3) END",
    "match_state": "CASE WHEN n % 20 <> 0 THEN 'MATCHED' ELSE 'UNMATCHED' END",
    "upload_id": "'u' || (n / 50)",
    "lines_least": "CASE WHEN n % 5 = 0 THEN n * 611953 % 1000003 END",
    "lines_next": "CASE WHEN n % 5 = 0 THEN 1000003 + n * 611957 % 1000003 END",
}
_OF_LINE: Final = {
    "id": "'l' || invoice.id",
    "invoice_id": "invoice.id",
    "item": "'part ' || (payable_minor % 900)",
    "net_minor": "payable_minor",
}


def invoice(number: int, amount: int, issued: dt.date, seller: str, clerk: Actor) -> dict[str, Any]:
    """Give one invoice as the product stores it, named and numbered like the million."""
    order = None if number % 20 == 0 else f"PO-{number // 3}"
    return Invoice(
        id=f"i{number}", number=f"INV-{number:07}", canonical_number=f"INV{number}",
        duplicate_key=f"k{number}", seller_id=seller, buyer_id=clerk.org_id, issue_on=issued,
        due_on=issued + dt.timedelta(days=60), currency=EUR, type_code="380", net_minor=amount,
        tax_minor=0, gross_minor=amount, payable_minor=amount, base_minor=amount,
        place_key=place_key(seller, clerk.org_id, amount), order_number=order,
        order_canonical=order and order.replace("-", ""), order_id=None, match_code=None,
        accepted_minor=None, parties={}, document_state="VALIDATED",
        match_state="MATCHED" if order else "UNMATCHED", org_id=clerk.org_id,
        upload_id=f"u{number // 50}", original_id="o", created_at=NOON,
    ).model_dump()  # fmt: skip


def keep(conn: Connection, row: dict[str, Any]) -> None:
    """Insert one invoice with its line."""
    bulk.insert_mappings(conn, INVOICE, [row])
    line = InvoiceLine(
        id=f"l{row['id']}", invoice_id=row["id"], item=f"part {row['payable_minor'] % 900}",
        quantity_micro=1_000_000, net_minor=row["payable_minor"], line_ref="1", place=1,
        unit=None, order_line_ref=None, order_line_id=None,
    )  # fmt: skip
    bulk.insert_mappings(conn, LINE, [line.model_dump()])


def fill(
    db: Database, clerk: Actor, sellers: list[str], count: int, say: Callable[[str], None]
) -> None:
    """Store ``count`` invoices of three years, one line each; ``say`` is told what is done."""
    indexes = sorted((one for of in (INVOICE, LINE) for one in of.indexes), key=_name)
    with db.writer.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")  # a page never asks for this
        keep(conn, invoice(0, LEAST, _LAST, sellers[0], clerk))
        for index in indexes:
            index.drop(conn)
        _copy(conn, clerk, sellers, count)
        say("rows")
        for index in indexes:
            index.create(conn)
    say("indexes")
    analyse(db)
    say("statistics")
    with db.snapshot() as conn:
        told = select(
            INVOICE.c.place_key, INVOICE.c.seller_id, INVOICE.c.buyer_id, INVOICE.c.payable_minor
        )
        assert all(key == place_key(*of) for key, *of in conn.execute(told.limit(1_000)))


def _name(index: Any) -> str:  # noqa: ANN401 - an index
    return str(index.name)


def _copy(conn: Connection, clerk: Actor, sellers: list[str], count: int) -> None:
    issued = [_LAST - dt.timedelta(days=ago) for ago in range(DAYS)]
    later = [day + dt.timedelta(days=60) for day in issued]
    _beside(conn, "bench_issued", INVOICE.c.issue_on.type, issued)
    _beside(conn, "bench_due", INVOICE.c.due_on.type, later)
    _beside(conn, "bench_seller", INVOICE.c.seller_id.type, sellers)
    pairs = [place_key(seller, clerk.org_id, 0) for seller in sellers]
    _beside(conn, "bench_pair", INVOICE.c.place_key.type, pairs)
    numbers = _NUMBERS[conn.dialect.name].format(count)
    told = f"""
        (SELECT n, {_AMOUNT} AS m, {_AGO} AS ago, {_WHOSE.format(len(sellers))} AS whose
        FROM ({numbers}) AS up) AS told
        JOIN bench_issued ON bench_issued.place = ago
        JOIN bench_due ON bench_due.place = ago
        JOIN bench_seller ON bench_seller.place = whose
        JOIN bench_pair ON bench_pair.place = whose
        JOIN invoice AS one ON one.id = 'i0'
    """  # noqa: S608 - our own words
    _like_the_first(conn, INVOICE, _OWN, told)
    _like_the_first(
        conn,
        LINE,
        _OF_LINE,
        "invoice JOIN invoice_line AS one ON one.invoice_id = 'i0' WHERE invoice.id <> 'i0'",
    )


def _like_the_first(conn: Connection, of: Table, own: dict[str, str], told: str) -> None:
    same = [name for name in of.c.keys() if name not in own]  # noqa: SIM118 - of columns
    made = (*own.values(), *(f"one.{name}" for name in same))
    conn.execute(
        text(
            f"INSERT INTO {of.name} ({', '.join((*own, *same))})"  # noqa: S608 - our own words
            f" SELECT {', '.join(made)} FROM {told}"
        )
    )


def _beside(conn: Connection, name: str, of: TypeEngine[Any], values: Iterable[Any]) -> None:
    """Keep a list for this connection, to be joined by place."""
    place: Column[int] = Column("place", BigInteger, primary_key=True)
    kept = Table(name, MetaData(), place, Column("value", of), prefixes=["TEMPORARY"])
    kept.create(conn)
    rows = [{"place": at, "value": value} for at, value in enumerate(values)]
    conn.execute(insert(kept), rows)
