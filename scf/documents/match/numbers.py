"""Order numbers under lock, so that an order and a paper about it never miss each other.

On PostgreSQL neither of two open transactions sees what the other has stored. An order that comes
takes its number for itself alone, a paper that names an order shares it; whoever is second waits
until the first has committed and then finds it. These locks come before the order rows in the one
order of locks. SQLite has one writer, which is the same.
"""

import zlib
from collections.abc import Iterable
from typing import Final

from sqlalchemy import text

from scf.db.runner import Context

# Locks of one transaction are few however many documents it brings; two numbers that share a
# bucket only wait for each other for nothing.
_BUCKETS: Final = 256
_SPACE: Final = 0x0DE5  # of our advisory locks, the one for numbers of orders
# One statement takes them in the order of their numbers, whichever way each is held.
_TAKE: Final = text(
    "SELECT CASE WHEN alone THEN pg_advisory_xact_lock(:space, bucket)::text"
    " ELSE pg_advisory_xact_lock_shared(:space, bucket)::text END"
    " FROM unnest(CAST(:buckets AS int[]), CAST(:alone AS bool[])) AS held(bucket, alone)"
)

Number = tuple[str, ...]  # seller, buyer, canonical number


def take_numbers(ctx: Context, *, orders: Iterable[Number], papers: Iterable[Number]) -> None:
    """Hold the numbers of orders that come, and of papers about orders, until the commit."""
    if ctx.dialect != "postgresql":
        return
    alone = {_bucket(number) for number in orders}
    shared = {_bucket(number) for number in papers} - alone
    buckets = sorted(alone | shared)
    if buckets:
        held = [bucket in alone for bucket in buckets]
        ctx.conn.execute(_TAKE, {"space": _SPACE, "buckets": buckets, "alone": held})


def _bucket(number: Number) -> int:
    return zlib.crc32("\x1f".join(number[1:]).encode()) % _BUCKETS
