"""The orders that the documents of a slice bring, name or credit, held before all else."""

from collections.abc import Mapping, Sequence
from typing import Final

from scf.db.runner import Context
from scf.documents import rows as build
from scf.documents.canonical import Kind
from scf.documents.fingerprints import canonical_number
from scf.documents.match.book import OrderKey
from scf.documents.match.credits_read import orders_credited
from scf.documents.match.numbers import take_numbers
from scf.documents.messages.arriving import OF_ORDERS
from scf.documents.orderbook import Orders
from scf.documents.rows import Draft

_NAMING: Final = frozenset({Kind.INVOICE, Kind.RECEIPT}) | OF_ORDERS


def hold_orders(ctx: Context, drafts: Mapping[Kind, Sequence[Draft]]) -> None:
    """Hold the numbers of these orders, and their rows where several kinds need them in turn."""
    coming = orders_of(drafts.get(Kind.ORDER, ()))
    named: set[OrderKey] = set()
    for kind, made in drafts.items():
        if kind in _NAMING:
            named |= _named(made)
    take_numbers(ctx, orders=coming, papers=named)
    if len(drafts) > 1:
        # The first kind locks invoices before the next asks for orders.
        credited = drafts.get(Kind.CREDIT_NOTE, ())
        notes = [build.credit_row(made, made.origin.columns()) for made in credited]
        Orders.load(ctx, coming | named | orders_credited(ctx.conn, notes))


def orders_of(drafts: Sequence[Draft]) -> set[OrderKey]:
    """Give the numbers of orders that are complete."""
    return {
        (str(made.seller_id), str(made.buyer_id), made.canonical)
        for made in drafts
        if made.state == "VALIDATED"
    }


def _named(drafts: Sequence[Draft]) -> set[OrderKey]:
    """Give the orders that papers name, as their rows will."""
    keys = set()
    for made in drafts:
        number = made.document.order_reference or build.shared_order(made.document)
        if number and made.state == "VALIDATED":
            keys.add((str(made.seller_id), str(made.buyer_id), canonical_number(number)))
    return keys
