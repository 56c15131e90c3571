"""A financier's own book, out of the database: priced as the platform prices each claim itself."""

import dataclasses
import datetime as dt
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db.engine import Database
from scf.financing.lifecycle import OUT
from scf.reporting import book
from scf.reporting.book import Book
from scf.risk.appetite import in_force
from scf.risk.batch import engines
from scf.risk.batch.repricing import Asked, reprice, tables_in
from scf.risk.batch.special import special_of
from scf.risk.pricing import Claimed, Covered, price_claim
from scf.risk.reading import morning
from tests.risk.batch.books import Row, seen, told
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, BANK, DAY, SELLER
from tests.support.demo_world import DemoCopy


def by_batch(found: Book, folder: Path) -> tuple[dict[str, Row], Any]:
    """Write a book and price it in columns."""
    found.write(folder)
    paths: dict[str, Any] = tables_in(str(folder))
    asked = Asked(**paths, on=found.on, morning=found.morning.on)
    with engines.opened("duckdb") as engine:
        made = reprice(engine, asked, in_force())
        return seen(engine.fetched(made.prices)), made


def by_claim(
    conn: Connection, found: Book, bank: str, said: Mapping[str, Row] | None = None
) -> dict[str, Row]:
    """Price every receivable of a book by itself, on the stored assessments."""
    columns = found.tables["receivables"]
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    firms = {row[side] for row in rows for side in ("seller_id", "obligor_id")}
    known = morning(conn, bank, found.on, firms)
    assert known is not None
    names = {field.name for field in dataclasses.fields(Claimed)}
    priced = {}
    for row in rows:
        more = (said or {}).get(row["receivable_id"], {})
        claimed = Claimed(
            **{name: value for name, value in row.items() if name in names} | more,
            invoice_id="",
            face_minor=row["face"],
            fees_minor=0,
            tenor_days=(row["due_on"] - found.on).days,
        )
        one = price_claim(conn, known, claimed, in_force())
        priced[row["receivable_id"]] = told(
            one.result, one.route, one.route_reasons, claimed.basis, row, found.on
        )
    return priced


def test_a_random_world_is_priced_as_its_claims_are(db: Database, tmp_path: Path) -> None:
    rng = random.Random(4)
    firms = [f"firm-{at}" for at in range(6)]
    world = RiskWorld(db, *firms, "quiet")
    world.history()
    world.rated(ANCHOR)
    world.rated("firm-5", 1_000)
    world.rated("quiet")
    for week in range(30, 0, -1):
        world.at(DAY - dt.timedelta(days=7 * week))
        for _ in range(2):
            seller, buyer = rng.sample([*firms, SELLER, ANCHOR], 2)
            invoice_id = world.sale(f"{rng.randrange(100, 90_000)}.00", seller, buyer)
            if rng.random() < 0.6:
                world.pay(invoice_id, "50.00" if rng.random() < 0.2 else "100.00")
    world.at(DAY)
    for firm in firms[:3]:
        world.fact(
            firm, "statement", period_end_on=dt.date(2025, 12, 31),
            received_on=dt.date(2026, 2, 1), currency=rng.choice(("EUR", "USD")),
            revenue_minor=rng.randrange(10**9), equity_ppm=rng.randrange(-100_000, 600_000),
            liquidity_minor=rng.randrange(10**7), weekly_cost_minor=rng.randrange(1, 10**6),
        )  # fmt: skip
    world.morning()
    with db.snapshot() as conn:
        found = book.book_of(conn, BANK, in_force())
        assert not found.tables["receivables"]["receivable_id"], "nothing has been bought yet"
        parties = [*firms, SELLER, ANCHOR]
        bought = _bought(rng, parties, found.on)
        said = {f"r{at}": _more(rng, bought["face"][at]) for at in range(0, 120, 3)}
        for at in range(0, 120, 3):  # owed by whom a price can be made
            bought["obligor_id"][at] = "quiet"
        for at, face in enumerate(bought["face"]):
            more = json.loads(json.dumps(said.get(f"r{at}", {}), default=dataclasses.asdict))
            special = special_of(conn, found.morning, in_force(), more, face)
            for name, value in special.items():
                bought[name][at] = value
        found = dataclasses.replace(found, tables={**found.tables, "receivables": bought})
        wanted = by_claim(conn, found, BANK, said)
    prices, made = by_batch(found, tmp_path)
    assert prices == wanted
    assert not made.aside_by_reason
    assert len({row["rate_bp"] for row in wanted.values()}) > 20
    assert found.on == TODAY
    assert {wanted[one]["refusal"] for one in said} >= {"", "SAME_GROUP", "LEAF_NOT_PRICEABLE"}
    routes = [wanted[one]["route_reasons"] for one in said]
    assert any("COVER_COUNTS_FOR_NOTHING" in one for one in routes)


def _more(rng: random.Random, face: int) -> Row:
    """Draw what no column says: a cover of a rated insurer or of none, cash, a group, a leaf."""
    cover = Covered(
        insurer_id=rng.choice(("firm-5", "firm-1")), cover_ppm=rng.choice((500_000, 900_000)),
        premium_ppm=3_500, waiting_days=rng.choice((0, 60)), is_own=rng.random() < 0.2,
        is_seller=rng.random() < 0.2,
    )  # fmt: skip
    kind = rng.randrange(4)
    if kind == 0:
        state = rng.choice(("draft", "issued", "accepted", "accepted"))
        return {"claim": "leaf", "leaf": state, "transfers": rng.randrange(3)}
    if kind == 1:
        return {"same_group": True}
    if kind == 2:
        return {"cash_margin_minor": face // rng.choice((1, 3, 10)), "insurance": cover}
    return {"insurance": cover}


def _bought(rng: random.Random, parties: list[str], on: dt.date) -> dict[str, list[Any]]:
    rows = []
    for at in range(120):
        seller, obligor = rng.sample(parties, 2)
        rows.append(
            {
                "receivable_id": f"r{at}", "seller_id": seller, "obligor_id": obligor,
                "currency": rng.choice(("EUR", "USD")), "face": rng.randrange(1, 10**9),
                "due_on": on + dt.timedelta(days=rng.randrange(1, 200)),
                "claim": rng.choice(("undertaking", "revocable", "plain")),
                "basis": rng.choice((360, 365)), "rate_basis": rng.choice(("face", "proceeds")),
                "disclosed": rng.random() < 0.5, "cross_border": rng.random() < 0.5,
                "recourse": rng.random() < 0.5, "recourse_after_days": rng.choice((0, 30)),
                "reserve_ppm": rng.choice((0, 100_000)),
                "reserve_covers_credit": rng.random() < 0.5,
                "dilution_capital": rng.choice(("economic", "basel")), "legal_cap_ppm": None,
                "margin_shift_bp": 0, "bought_ppm": 40_000, "special": None,
            }
        )  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_the_book_of_the_demo_world_is_priced_as_its_claims_are(
    demo_copy: DemoCopy, tmp_path: Path
) -> None:
    bank = demo_copy.served.world.people["omar"].org_id
    with demo_copy.platform.db.snapshot() as conn:
        found = book.book_of(conn, bank, in_force())
        wanted = by_claim(conn, found, bank)
        advances = conn.execute(
            select(book._ADVANCE.c.id).where(
                book._ADVANCE.c.financier_id == bank, book._ADVANCE.c.state.in_(OUT)
            )
        ).scalars()
        assert set(found.tables["receivables"]["receivable_id"]) <= set(advances)
    prices, made = by_batch(found, tmp_path)
    assert prices == wanted
    assert len(prices) > 10
    assert not made.aside_by_reason
    assert json.dumps(made.seconds)
