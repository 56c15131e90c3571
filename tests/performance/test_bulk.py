"""One command over five hundred things beside five hundred commands over one thing each."""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.db.platform import Platform
from scf.documents.commands import StoreDocuments
from scf.documents.intake import read_items
from scf.documents.models import Invoice
from scf.documents.slices import Item, Slice
from scf.kernel.actor import Actor, Role
from scf.ledger.models import Entry
from scf.parties.service import resolve_party
from tests.performance.conftest import Store
from tests.performance.measure import ROUNDS, Report, Turns, Work, take_turns
from tests.performance.papers import INVOICE_MAPPING, invoice_table, order_table, suppliers
from tests.performance.trade import import_orders, open_trade
from tests.support.deals import APPROVER, Deals, table

INVOICE = table(Invoice)
ENTRY = table(Entry)
ITEMS = 500
GOAL = 10.0
TODAY = dt.date(2026, 3, 31)


@pytest.mark.bench
def test_five_hundred_documents_are_stored_in_one_command(store: Store, report: Report) -> None:
    firms = suppliers(50)
    count = 2 * ITEMS * ROUNDS
    platform, clerk = open_trade(store.fresh(), firms)
    import_orders(platform, clerk, order_table(count, firms))
    upload = _received(platform, clerk)
    items = list(
        read_items(
            invoice_table(count, firms, bad=False),
            SimpleNamespace(
                format="csv",
                document_type="invoice",
                mapping=INVOICE_MAPPING.model_dump(mode="json"),
            ),
            TODAY,
        )
    )
    turns = take_turns(list(_store_turns(platform, clerk, upload, items)))
    with platform.db.snapshot() as conn:
        state = (INVOICE.c.document_state, INVOICE.c.match_state)
        states = conn.execute(select(*state, func.count()).group_by(*state)).all()
    assert [tuple(row) for row in states] == [("VALIDATED", "MATCHED", count)]
    platform.close()
    _tell(report, f"bulk_store_{store.engine}", "documents.store", turns)


def _received(platform: Platform, clerk: Actor) -> str:
    received = platform.run(
        "upload.receive", {"name": "a.csv", "content": b"by hand"}, clerk, key="receive"
    )
    return str(received.result["upload_id"])


def _store_turns(
    platform: Platform, clerk: Actor, upload: str, items: Sequence[Item]
) -> Iterator[tuple[Work, Work]]:
    parties = {
        party
        for item in items
        if item.document is not None
        for party in (item.document.seller, item.document.buyer)
    }
    with platform.db.snapshot() as conn:
        known = {
            party: resolve_party(conn, party.identifiers, party.name, party.country, clerk.org_id)
            for party in parties
        }
    importer = Actor(clerk.user_id, clerk.org_id, frozenset({Role.OPERATOR}))

    def put(part: Sequence[Item], key: str) -> int:
        payload = StoreDocuments(upload_id=upload, slice_number=0, content=Slice(part, known))
        stored = platform.run("documents.store", payload, importer, key=key).result
        assert stored["stored"] == len(part)
        return len(part)

    def each(part: Sequence[Item], keys: Sequence[str]) -> None:
        for item, key in zip(part, keys, strict=True):
            put([item], key)

    for start in range(0, len(items), 2 * ITEMS):
        bulk, single = items[start : start + ITEMS], items[start + ITEMS : start + 2 * ITEMS]
        keys = [f"single:{start}:{number}" for number in range(ITEMS)]
        yield partial(put, bulk, f"bulk:{start}"), partial(each, single, keys)


@pytest.mark.bench
def test_five_hundred_invoices_are_accepted_in_one_command(store: Store, report: Report) -> None:
    count = 2 * ITEMS * ROUNDS
    db = Database(store.fresh())
    deals = Deals(db)
    invoices = [deals.invoice("1,000.00", accepted=False) for _ in range(count)]
    turns = take_turns(list(_accept_turns(deals, invoices)))
    with db.snapshot() as conn:
        word = (INVOICE.c.acceptance_state, INVOICE.c.accepted_minor, INVOICE.c.ipu)
        accepted = conn.execute(select(*word, func.count()).group_by(*word)).all()
        booked = conn.execute(
            select(func.count()).where(ENTRY.c.event_kind == "invoice_accepted")
        ).scalar_one()
    assert [tuple(row) for row in accepted] == [("ACCEPTED", 100_000, True, count)]
    assert booked == count
    db.close()
    _tell(report, f"bulk_accept_{store.engine}", "invoice.accept", turns)


def _accept_turns(deals: Deals, invoices: Sequence[str]) -> Iterator[tuple[Work, Work]]:
    def accept(part: Sequence[str]) -> Any:  # noqa: ANN401 - an answer
        return deals.run("invoice.accept", APPROVER, items=[{"invoice_id": one} for one in part])

    def each(part: Sequence[str]) -> None:
        for one in part:
            accept([one])

    for start in range(0, len(invoices), 2 * ITEMS):
        bulk, single = invoices[start : start + ITEMS], invoices[start + ITEMS : start + 2 * ITEMS]
        yield partial(accept, bulk), partial(each, single)


def _tell(report: Report, name: str, command: str, turns: Turns) -> None:
    ratio = turns.faster()
    report.add(
        name,
        turns.rate(ITEMS),
        "items/s",
        peer={
            "name": f"{command}, one item a command",
            "value": turns.peer_rate(ITEMS),
            "unit": "items/s",
        },
        ratio=ratio,
        goal=f"ratio >= {GOAL:g}",
        met=ratio >= GOAL,
        command=command,
        items=ITEMS,
    )
