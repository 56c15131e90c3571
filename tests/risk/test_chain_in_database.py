"""The golden chain of pricing.md 1.7, from invoices in the database to the last digit."""

import datetime as dt
import json

import pytest

from scf.db.engine import Database
from scf.risk import appetite
from scf.risk.asof import morning_of
from scf.risk.assessing import Assessed, assess
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import DAY

ANCHOR_A, X, T1, T2, ELSEWHERE = "a", "x", "t1", "t2", "elsewhere"
OWN = {X: 0.03, T1: 0.0241, T2: 0.063}
LONG_AGO = DAY - dt.timedelta(days=300)


def sell(world: RiskWorld, seller: str, buyer: str, weekly: int, receivable: int) -> None:
    """Trade so much a week for a quarter, and leave so much of older sales open."""
    quarter = 13 * weekly
    paid = quarter - min(quarter, receivable)
    invoice_id = world.sale(f"{quarter}.00", seller, buyer, issued=DAY - dt.timedelta(days=30))
    if paid:
        world.pay(invoice_id, f"{paid}.00")
    if receivable > quarter:
        older = f"{receivable - quarter}.00"
        world.sale(older, seller, buyer, issued=LONG_AGO, due=DAY + dt.timedelta(days=9))


def golden(db: Database) -> RiskWorld:
    """The worked chain: T2 sells to T1, T1 to the rated A and to X; both also elsewhere."""
    world = RiskWorld(db, ANCHOR_A, X, T1, T2, ELSEWHERE)
    world.rated(ANCHOR_A)
    sell(world, T1, ANCHOR_A, 30_000, 240_000)
    sell(world, T1, X, 50_000, 400_000)
    sell(world, T1, ELSEWHERE, 120_000, 0)
    sell(world, T2, T1, 20_000, 160_000)
    sell(world, T2, ELSEWHERE, 40_000, 0)
    world.morning(TODAY)
    return world


@pytest.fixture
def chain(db: Database) -> dict[str, Assessed]:
    world = golden(db)
    with db.snapshot() as conn:
        made = assess(
            conn,
            morning_of(conn, world.snapshot()),
            appetite.in_force(),
            [ANCHOR_A, X, T1, T2],
            own_pd=OWN,
        )
    return {one.firm_id: one for one in made}


def test_the_golden_chain_comes_out_of_the_database(chain: dict[str, Assessed]) -> None:
    """Source: pricing.md 1.7, "Golden chain"."""

    def hazards(firm: str) -> tuple[float, float]:
        risk = json.loads(chain[firm].result)["risk"]
        return round(risk["own_hazard"], 8), round(risk["total_hazard"], 8)

    assert hazards(ANCHOR_A) == (0.00150113, 0.00150113)
    assert hazards(X)[0] == 0.02284441
    assert hazards(T1) == (0.01829637, 0.02361660)
    assert hazards(T2) == (0.04880400, 0.05704906)
    assert round(json.loads(chain[T1].result)["pd"], 8) == 0.02333991
    assert round(json.loads(chain[T2].result)["pd"], 8) == 0.05545227


def test_the_three_splits_of_the_golden_chain_are_stored(chain: dict[str, Assessed]) -> None:
    t1, t2 = chain[T1].splits, chain[T2].splits
    assert t1 is not None
    assert t2 is not None
    assert chain[X].splits is None  # it sells to nobody
    weights = {hop["firm"]: round(hop["weight"], 8) for hop in t1["by_first_hop"]}
    assert weights == {ANCHOR_A: 0.08289967, X: 0.22744238}
    assert {firm: round(part, 8) for firm, part in t1["by_origin"]} == {
        ANCHOR_A: 0.00012444,
        X: 0.00519579,
    }
    assert {firm: round(part, 8) for firm, part in t2["by_origin"]} == {
        T1: 0.00638765,
        X: 0.00181396,
        ANCHOR_A: 0.00004345,
    }
    assert [(hop["firm"], round(hop["part"], 8)) for hop in t2["by_first_hop"]] == [
        (T1, 0.00824506)
    ]
    assert [round(part, 8) for part in t2["by_hop"][:3]] == [0.04880400, 0.00638765, 0.00185741]
    assert t2["own"] == t2["by_hop"][0]
