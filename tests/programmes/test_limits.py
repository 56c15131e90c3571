"""The limit tree: what is measured, taken, used, repaid and freed. Source: finance.md golden 16."""

import datetime as dt
from collections.abc import Iterator

import pytest

from scf.db.engine import Database
from scf.db.runner import Context
from scf.kernel.errors import Conflict, RuleViolation
from scf.programmes import limits
from scf.programmes.models import LimitHold, LimitNode
from tests.support.deals import ANCHOR, BANK, DAY, EUR, SELLER, Deals, eur, refusals_of

FACE, NET = eur("1,000,000.00"), eur("988,375.00")


def held(deals: Deals) -> dict[str, int]:
    return {row.kind: row.held_minor for row in deals.all(LimitNode)}


def used(deals: Deals) -> dict[str, int]:
    return {row.kind: row.utilised_minor for row in deals.all(LimitNode)}


def test_golden_16_face_everywhere_cash_at_the_funding_node_nothing_at_the_seller(
    db: Database,
) -> None:
    deals = Deals(db)
    deals.limit("country", "DE", "10,000,000.00")
    deals.limit("tenor", "to-90", "10,000,000.00")
    deals.limit("relationship", limits.relationship_subject(SELLER, ANCHOR), "10,000,000.00")
    deals.request(deals.invoice("1,000,000.00"))
    assert held(deals) == {
        "financier": NET,
        "programme": FACE,
        "obligor": FACE,
        "seller": 0,
        "country": FACE,
        "tenor": FACE,
        "relationship": FACE,
    }
    assert {row.kind for row in deals.all(LimitNode) if row.kind_rank != limits.RANK[row.kind]} == (
        set()
    )


def test_golden_16_with_recourse_the_seller_carries_the_face_too(db: Database) -> None:
    deals = Deals(db, recourse='"full"')
    deals.request(deals.invoice("1,000,000.00"))
    assert held(deals) == {"financier": NET, "programme": FACE, "obligor": FACE, "seller": FACE}


# --- Inner functions, on a bare tree ----------------------------------------------------------


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db, limits="1,000.00")


@pytest.fixture
def ctx(deals: Deals) -> Iterator[Context]:
    with deals.db.writer.begin() as conn:
        yield deals.context(conn)


def uses(deals: Deals, face: str, net: str) -> list[tuple[str, str, int]]:
    return [
        ("financier", BANK, eur(net)),
        ("programme", deals.programme_id, eur(face)),
        ("obligor", ANCHOR, eur(face)),
        ("seller", SELLER, 0),
    ]


def take(deals: Deals, ctx: Context, advance_id: str, face: str, net: str) -> None:
    limits.take(
        ctx,
        financier_id=BANK,
        currency=EUR,
        advance_id=advance_id,
        uses=uses(deals, face, net),
    )


def tree(ctx: Context) -> dict[str, tuple[int, int]]:
    from sqlalchemy import select

    nodes = LimitNode.__table__  # type: ignore[attr-defined]
    assert limits.recompute(ctx.conn) == []
    return {
        row.kind: (row.held_minor, row.utilised_minor) for row in ctx.conn.execute(select(nodes))
    }


def test_a_life_of_an_advance_in_the_tree(deals: Deals, ctx: Context) -> None:
    take(deals, ctx, "a", "600.00", "590.01")
    assert tree(ctx)["financier"] == (eur("590.01"), 0)
    limits.utilise(ctx, "a")
    assert tree(ctx)["programme"] == (0, eur("600.00"))
    limits.reduce(ctx, "a", eur("200.00"))
    assert tree(ctx)["obligor"] == (0, eur("400.00"))
    assert tree(ctx)["financier"] == (0, eur("393.34"))  # 590.01 × 400/600
    limits.reduce(ctx, "a", eur("400.00"))
    assert set(tree(ctx).values()) == {(0, 0)}
    limits.restore(ctx, "a", eur("400.00"))
    assert tree(ctx)["financier"] == (0, eur("393.34"))
    limits.restore(ctx, "a", eur("200.00"))
    assert tree(ctx)["financier"] == (0, eur("590.01"))
    limits.free(ctx, "a")
    assert set(tree(ctx).values()) == {(0, 0)}


def test_odd_repayments_leave_nothing_behind(deals: Deals, ctx: Context) -> None:
    take(deals, ctx, "a", "1.00", "0.97")
    limits.utilise(ctx, "a")
    for part in (1, 1, 31, 33, 33, 1):
        limits.reduce(ctx, "a", part)
    assert set(tree(ctx).values()) == {(0, 0)}


def test_more_than_is_in_use_is_not_repaid(deals: Deals, ctx: Context) -> None:
    take(deals, ctx, "a", "1.00", "0.97")
    limits.utilise(ctx, "a")
    with pytest.raises(Conflict, match="LIMIT_USE"):
        limits.reduce(ctx, "a", 101)
    with pytest.raises(Conflict, match="LIMIT_USE"):
        limits.reduce(ctx, "nobody", 1)
    with pytest.raises(Conflict, match="LIMIT_USE"):
        limits.restore(ctx, "a", 1)


def test_several_takes_are_all_or_nothing(deals: Deals, ctx: Context) -> None:
    takes = [
        limits.Take(name, [limits.Use(*use) for use in uses(deals, "600.00", "1.00")])
        for name in ("a", "b")
    ]
    with pytest.raises(RuleViolation) as refused:
        limits.take_many(ctx, financier_id=BANK, currency=EUR, takes=takes)
    assert refused.value.code == "LIMIT_PROGRAMME"
    first, second = refusals_of(refused.value)
    assert (first["measured"], first["threshold"]) == ("1200.00", "less")
    assert second["code"] == "LIMIT_OBLIGOR"
    assert set(tree(ctx).values()) == {(0, 0)}


def test_the_last_unit_fits_and_one_more_does_not(deals: Deals, ctx: Context) -> None:
    take(deals, ctx, "a", "999.99", "1.00")
    take(deals, ctx, "b", "0.01", "0.01")
    with pytest.raises(RuleViolation, match="LIMIT_PROGRAMME"):
        take(deals, ctx, "c", "0.01", "0.01")


def test_a_node_of_another_currency_is_no_node(deals: Deals, ctx: Context) -> None:
    with pytest.raises(RuleViolation, match="LIMIT_FINANCIER"):
        limits.take(
            ctx,
            financier_id=BANK,
            currency="USD",
            advance_id="a",
            uses=uses(deals, "1.00", "1.00"),
        )


def test_a_tampered_counter_is_named(deals: Deals) -> None:
    deals.request(deals.invoice("500.00"))
    node = deals.all(LimitNode, kind="obligor")[0]
    deals.change(LimitNode, node.id, held_minor=1)
    with deals.db.snapshot() as conn:
        (broken,) = limits.recompute(conn)
    assert (broken["node_id"], broken["held_minor"]) == (node.id, 1)
    assert broken["recomputed_held_minor"] == eur("500.00")


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(1, "to-30"), (30, "to-30"), (31, "to-60"), (365, "to-365"), (366, "longer")],
)
def test_tenors_fall_into_buckets(days: int, bucket: str) -> None:
    assert limits.tenor_subject(days) == bucket


def test_a_hold_says_what_was_taken_and_what_is_left(deals: Deals) -> None:
    deals.request(deals.invoice("500.00", due_on=DAY + dt.timedelta(days=30)))
    assert {(row.taken_minor == row.amount_minor, row.state) for row in deals.all(LimitHold)} == {
        (True, "HELD")
    }


def test_a_refusal_does_not_tell_how_much_the_financier_has_left(
    deals: Deals, ctx: Context
) -> None:
    take(deals, ctx, "a", "876.54", "1.00")
    for amount, threshold in (("123.47", "less"), ("123.46", ""), ("0.01", "none")):
        if not threshold:
            take(deals, ctx, "b", amount, "1.00")
            continue
        with pytest.raises(RuleViolation, match="LIMIT_PROGRAMME") as refused:
            take(deals, ctx, "c", amount, "1.00")
        told = str(refused.value.facts) + refused.value.message
        assert refusals_of(refused.value)[0]["threshold"] == threshold
        assert "123.46" not in told
        assert "1000.00" not in told
