"""What a seller reads of its price says nothing of another client's private affairs.

Pairs of worlds differ only in what another client keeps to itself: its orders and sales, how it is
paid and pays, its disputes and credit notes, what it has financed and with what recourse, who owns
whom, what the bank's officers know of it. The seller's answer must be the same, byte
for byte, but for the rate with the money that follows from it, and the rungs.
Source: pricing.md section 5, "Test".
"""

import dataclasses
import datetime as dt
import itertools
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from scf.chain.commands import BuildGraph, build_graph
from scf.chain.models import GraphSnapshot
from scf.db.engine import Database
from scf.db.runner import Context
from scf.db.types import Record
from scf.documents.models import Invoice, InvoiceFact, Order, TradePayment
from scf.kernel.actor import OPERATOR
from scf.offers.commands import MakeQuote, store_quote
from scf.risk import appetite
from scf.risk.asof import morning_of
from scf.risk.assessing import assess
from scf.risk.firmfacts import FACT
from scf.risk.members import firms_of
from scf.risk.writing import About, Batch, store
from tests.risk.debts import Debts
from tests.risk.world import TODAY
from tests.support.deals import ANCHOR, BANK, DAY, SELLER, TREASURER, table
from web.api.v1.quotes import QuoteOut, _money_of
from web.portal.treasurer.offer import cheaper_shown, reasons_shown

PAGES = Flask("pages")
Babel(PAGES)
STRANGERS = ("client", "its-buyer", "its-seller")
# The buyer's own sales are as private as the other client's.
TRADES = (
    ("client", ANCHOR), ("client", "its-buyer"), ("its-seller", "client"),
    (ANCHOR, "its-buyer"), (ANCHOR, "its-seller"),
)  # fmt: skip
# The rate, the money that follows from it, and names made at random.
MAY_DIFFER = {
    "id", "discount", "net", "rate_percent", "rate_ppm", "fixing_percent", "all_in_ppm",
    "effective_ppm", "rungs", "inputs_digest",
    # Of a lever: to about what rate it would lead. Which ones are open may not differ.
    "about_bp", "saves_bp",
}  # fmt: skip


def pairs_that_differ(db: Database, pairs: int, seed: int) -> list[tuple[str, str]]:
    """Tell the same seller's price in so many pairs of worlds; give the texts that differ."""
    world = Debts(db, *STRANGERS, items=5)
    world.agree("answered", recourse='"full"')
    world.fact(ANCHOR, "registry", founded_on=dt.date(1990, 1, 1))
    world.fact(
        ANCHOR, "statement", period_end_on=dt.date(2025, 12, 31), received_on=DAY,
        currency="EUR", revenue_minor=20_000_000_00, equity_ppm=450_000,
        liquidity_minor=9_000_000_00, weekly_cost_minor=300_000_00,
    )  # fmt: skip
    invoice_id = world.sale("40,000.00", due=dt.date(2026, 6, 9), accepted=False)
    world.at(TODAY)
    world.set_date(TODAY)
    chance = random.Random(seed)
    found, rates = [], set()
    for _ in range(pairs):
        one, other = (_told(world, invoice_id, chance.getrandbits(32)) for _ in range(2))
        rates |= {one[1], other[1]}
        if one[0] != other[0]:
            found.append((one[0], other[0]))
    assert len(rates) > 1, "the worlds do differ: the price feels them"
    return found


def _told(world: Debts, invoice_id: str, seed: int) -> tuple[str, int]:
    """Let one world be, ask for a price in it, and take it back."""
    with world.db.writer.connect() as conn, conn.begin() as transaction:
        bank = dataclasses.replace(OPERATOR, org_id=BANK)
        ctx = world.context(conn, bank)
        _private(conn, random.Random(seed), itertools.count())
        build_graph(ctx, BuildGraph())
        _assess(ctx)
        quoted = world.context(conn, TREASURER)
        result = store_quote(quoted, MakeQuote(invoice_ids=[invoice_id], programme_id=world.own_id))
        answer = QuoteOut.model_validate(_money_of(result)).model_dump(mode="json")
        transaction.rollback()
    told = [json.dumps(dict(_restricted(answer)), sort_keys=True), *_sentences(result)]
    return "\n".join(told), answer["rate_ppm"]


def _sentences(result: dict[str, Any]) -> Iterator[str]:
    """Tell what the page says of reasons and levers, with every rate in them struck out."""
    with PAGES.app_context():
        yield from reasons_shown(result["reasons"])
        for one in result["what_ifs"]:
            # Whether a lever helps follows from the rates; its sentence is looked at either way.
            (said,) = cheaper_shown([{**one, "saves_bp": one["saves_bp"] or 5}], "EUR")
            yield re.sub(r"[0-9.]+%", "%", said)


def _restricted(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in answer.items():
        if name in {"lines", "what_ifs"}:
            yield name, [dict(_restricted(line)) for line in value]
        elif name in MAY_DIFFER:
            yield name, sorted(value) if isinstance(value, dict) else "told"
        else:
            yield name, value


def _assess(ctx: Context) -> None:
    snapshot = ctx.conn.execute(select(table(GraphSnapshot))).one()
    policy, morning = appetite.in_force(), morning_of(ctx.conn, snapshot)
    made = assess(ctx.conn, morning, policy, firms_of(ctx.conn, morning, snapshot.id))
    about = About(snapshot.id, morning.on.isoformat(), morning.sequence, policy.digest)
    store(ctx, Batch(about, policy, made))
    assert {one.firm_id for one in made} >= {ANCHOR, SELLER}


def _private(conn: Connection, chance: random.Random, number: Iterator[int]) -> None:
    """Write the other client's year: what it sold to the same buyer, what it owes, how it pays."""
    for seller, buyer in TRADES:
        for _ in range(chance.choice((0, 1, 3, 6, 15))):
            _item(conn, chance, f"p-{next(number)}", seller, buyer)
        for _ in range(chance.randint(0, 2)):
            _traded(conn, chance, f"t-{next(number)}", seller, buyer)
    for firm in STRANGERS:
        for said in _known(chance, firm):
            conn.execute(insert(FACT), {"id": f"f-{next(number)}", **said})


def _known(chance: random.Random, firm: str) -> Iterator[dict[str, Any]]:
    """Say what the bank's officers know of a firm, each kind in about half of the worlds."""
    about = {
        "financier_id": BANK, "firm_id": firm, "evidence": "x", "entered_by": "x", "equity_ppm": 0,
        "notches": 0, "entered_at": _at(DAY), "known_at": _at(DAY),
    }  # fmt: skip
    valid_to = dt.date(2027, 12, 31)
    kinds: list[dict[str, Any]] = [
        {"kind": "registry", "founded_on": dt.date(chance.randint(1990, 2025), 3, 1)},
        {
            "kind": "statement", "period_end_on": dt.date(2025, chance.randint(1, 12), 28),
            "received_on": DAY, "currency": "EUR", "equity_ppm": chance.randint(-300_000, 900_000),
            "revenue_minor": chance.randint(1, 10**11), "weekly_cost_minor": 100_000_00,
            "liquidity_minor": chance.randint(0, 10**9),
        },
        {"kind": "rating", "pd_ppm": chance.randint(300, 200_000), "valid_to": valid_to},
        {"kind": "grade", "notches": chance.randint(-2, 4), "code": "x", "valid_to": valid_to},
        {"kind": "owner", "owner_id": chance.choice([one for one in STRANGERS if one != firm])},
    ]  # fmt: skip
    for one in kinds:
        if chance.random() < 0.5:
            yield about | one


def _traded(conn: Connection, chance: random.Random, row_id: str, seller: str, buyer: str) -> None:
    """Let the buyer hand in an order, or say that it paid."""
    amount, on = (
        chance.randint(1_000_00, 90_000_00),
        DAY - dt.timedelta(days=chance.randint(1, 300)),
    )
    shared: dict[str, Any] = {
        "id": row_id, "currency": "EUR", "document_state": "VALIDATED", "parties": {},
        "duplicate_key": row_id, "org_id": buyer, "upload_id": "u", "created_at": _at(on),
    }  # fmt: skip
    row: Record
    if chance.random() < 0.5:
        row = Order(
            number=row_id, canonical_number=row_id, seller_id=seller, buyer_id=buyer,
            issue_on=on, total_minor=amount, original_id="o", **shared,
        )  # fmt: skip
    else:
        row = TradePayment(
            payer_id=buyer, payee_id=seller, payer_name=buyer, payee_name=seller, paid_on=on,
            amount_minor=amount, reference="r", invoice_id=None, row_number=1, **shared,
        )  # fmt: skip
    conn.execute(insert(table(type(row))), row.model_dump())


def _at(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(8), dt.UTC)


def _item(conn: Connection, chance: random.Random, item_id: str, seller: str, buyer: str) -> None:
    amount = chance.randint(1_000_00, 60_000_00)
    issued = DAY - dt.timedelta(days=chance.randint(20, 330))
    due = issued + dt.timedelta(days=60)
    late = chance.choice((0, 0, 2, 8, 20))
    contested = amount // 3 if chance.random() < 0.2 else 0
    conceded = contested // 2 if chance.random() < 0.5 else 0
    financed = amount // chance.randint(1, 4) if chance.random() < 0.5 else 0
    recourse = financed if chance.random() < 0.5 else 0
    credited = amount // 10 if chance.random() < 0.2 else 0
    paid_on = due + dt.timedelta(days=late)
    row = Invoice(
        id=item_id, number=item_id, seller_id=seller, buyer_id=buyer, issue_on=issued,
        currency="EUR", type_code="380", canonical_number=item_id, duplicate_key=item_id,
        due_on=due, net_minor=amount, tax_minor=0, gross_minor=amount, payable_minor=amount,
        order_number=None, order_canonical=None, order_id=None, match_code=None,
        document_state="VALIDATED", acceptance_state="ACCEPTED", accepted_minor=amount,
        base_minor=amount, parties={}, org_id=seller, upload_id="u", original_id="o",
        created_at=_at(issued),
    )  # fmt: skip
    conn.execute(insert(table(Invoice)), row.model_dump())
    fact = {
        "invoice_id": item_id, "document_state": "VALIDATED", "acceptance_state": "ACCEPTED",
        "ipu": False, "due_on": due, "base_minor": amount, "credited_minor": 0,
        "disputed_minor": contested, "conceded_minor": conceded, "paid_minor": 0,
        "outstanding_minor": financed, "recourse_minor": recourse, "paid_on": None,
        "known_at": _at(issued),
    }  # fmt: skip
    conn.execute(insert(table(InvoiceFact)), fact)
    if paid_on < DAY:
        rest = amount - credited - contested
        paid = {"paid_minor": rest, "paid_on": paid_on, "known_at": _at(paid_on)}
        paid |= {"outstanding_minor": 0, "recourse_minor": 0}
        conn.execute(insert(table(InvoiceFact)), fact | {"credited_minor": credited} | paid)


def test_a_sellers_texts_are_the_same_in_two_worlds(db: Database) -> None:
    assert pairs_that_differ(db, 10, seed=20260311) == []


@pytest.mark.long
def test_a_sellers_texts_are_the_same_in_five_hundred_pairs_of_worlds(db: Database) -> None:
    assert pairs_that_differ(db, 500, seed=7) == []
