"""Another price than the model's: proposed by one, decided by two, taken by the seller or not."""

import datetime as dt
from typing import Any

import pytest
from sqlmodel import select

from scf.db.engine import Database
from scf.financing import guards, retelling
from scf.financing.acts import acts_of
from scf.financing.models import Advance, CounterOffer, FinancingRequest, RequestOverride
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation, ScfError
from scf.offers.models import Quote, QuoteLine
from scf.programmes import limits
from scf.programmes.models import LimitNode
from scf.programmes.service import terms_of_version
from scf.risk.replay import breaches, replay
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, CHECKER, HEAD, MAKER, TREASURER, Deals, eur
from tests.support.racing import race

DUE = dt.date(2026, 6, 9)


@pytest.fixture
def world(db: Database) -> RiskWorld:
    """An anchor with a rating and a history; 333 bp for 90 days, of them 40 margin."""
    made = RiskWorld(db, checks_before_payout='["recheck"]')
    made.history()
    made.rated(ANCHOR)
    made.sale("40,000.00", due=DUE)
    made.morning()
    made.at(TODAY)
    return made


def asked(world: RiskWorld) -> str:
    """Ask for the money of the newest invoice; one officer may decide on it."""
    quote_id = str(world.quote(world.all_invoices()[-1])["id"])
    world.change(Quote, quote_id, route="officer")
    return str(world.submit(quote_id)["id"])


def move(
    world: Deals, request_id: str, bp: int, who: Actor = MAKER, key: str = "", **said: object
) -> dict[str, Any]:
    values = {
        "version": said.get("version") or world.version(request_id),
        "code": "RELATION_KNOWN",
        "note": "eleven years with the group",
        **said,
    }
    return world.run(
        "request.reprice", who, key, request_id=request_id, margin_shift_bp=bp,
        **values,
    )  # fmt: skip


def take(world: RiskWorld, request_id: str, key: str = "") -> dict[str, Any]:
    (offer,) = world.all(CounterOffer, request_id=request_id, state="OPEN")
    return world.run(
        "request.take_offer", TREASURER, key,
        counter_offer_id=offer.id, version=world.version(request_id),
    )  # fmt: skip


def funding(world: RiskWorld) -> int:
    with world.db.snapshot() as conn:
        assert limits.recompute(conn) == []
    return int(world.all(LimitNode, kind="financier", currency="EUR")[0].held_minor)


def replayed(world: RiskWorld, quote_id: str) -> None:
    lines = [row.id for row in world.all(QuoteLine, quote_id=quote_id)]
    with world.db.snapshot() as conn:
        found = replay(conn, lines)
        assert (found.lines, found.differences) == (len(lines), ())
        assert list(breaches(conn)) == []


@pytest.mark.parametrize(
    ("bp", "rate", "net"), [(-20, "3.13", 3_968_700), (100, "4.33", 3_956_700)]
)
def test_a_cheaper_or_a_dearer_price_is_paid_once_the_seller_has_taken_it(
    world: RiskWorld, bp: int, rate: str, net: int
) -> None:
    request_id = asked(world)
    before = world.get(FinancingRequest, request_id)
    assert (before.net_minor, funding(world)) == (3_966_700, 3_966_700)
    assert move(world, request_id, bp)["rate_percent"] == rate
    assert world.decide(request_id, CHECKER)["state"] == "COUNTER_OFFERED"
    (advance,) = world.all(Advance)
    assert (advance.net_minor, advance.rate_percent) == (3_966_700, "3.33"), "not before the word"
    taken = take(world, request_id)
    assert (taken["state"], taken["net_minor"]) == ("APPROVED", net)
    world.check(request_id, "recheck")
    (advance,) = world.all(Advance)
    assert (advance.net_minor, advance.rate_percent, advance.state) == (net, rate, "RECHECKED")
    assert funding(world) == net
    after = world.get(FinancingRequest, request_id)
    quote = world.get(Quote, after.quote_id)
    assert (quote.state, quote.instead_of, quote.rate_percent) == ("USED", before.quote_id, rate)
    (line,) = world.all(QuoteLine, quote_id=quote.id)
    assert sum(line.components.values()) == 333 + bp
    assert line.components["margin"] == 40 + bp
    replayed(world, quote.id)
    replayed(world, before.quote_id)
    with world.db.writer.begin() as conn:  # what is signed is what is paid
        guards.may_instruct(conn, world.all(Advance), TODAY)
        assert retelling.replay(retelling.events_of(conn, advance.id)).state == "RECHECKED"


# --- Who ----------------------------------------------------------------------------------------


def test_who_proposes_a_price_does_not_decide_on_it_alone(world: RiskWorld) -> None:
    request_id = asked(world)
    with world.db.snapshot() as conn:
        row = world.get(FinancingRequest, request_id)
        terms = terms_of_version(conn, world.all(Quote)[0].programme_version_id)
        first = {act.name: act for act in acts_of(conn, MAKER, row, terms, world.clock.now())}
    assert (first["approve"].last, first["reprice"].allowed) == (True, True)
    move(world, request_id, -10)
    assert world.decide(request_id, MAKER)["state"] == "IN_REVIEW"
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        world.decide(request_id, MAKER)
    assert world.decide(request_id, HEAD)["state"] == "COUNTER_OFFERED"


def test_a_first_word_is_void_once_the_price_is_another(world: RiskWorld) -> None:
    request_id = asked(world)
    move(world, request_id, -10)
    world.decide(request_id, MAKER)
    move(world, request_id, 10, CHECKER)
    assert world.decide(request_id, CHECKER)["state"] == "IN_REVIEW", "a first word again"
    assert world.decide(request_id, HEAD)["state"] == "COUNTER_OFFERED"
    (offer,) = world.all(CounterOffer, state="OPEN")
    assert world.get(Quote, offer.quote_id).rate_percent == "3.43"
    assert [row.state for row in world.all(Quote)] == ["USED", "WITHDRAWN", "OFFERED"]


def test_the_seller_learns_nothing_before_it_is_offered(world: RiskWorld) -> None:
    request_id = asked(world)
    move(world, request_id, -10)
    (proposed,) = world.all(CounterOffer)
    assert proposed.state == "PROPOSED"
    with pytest.raises(NotFound):
        world.run("request.take_offer", TREASURER, counter_offer_id=proposed.id, version=2)
    for model, seen in ((Quote, 1), (QuoteLine, 1), (CounterOffer, 0), (RequestOverride, 0)):
        with world.db.read(TREASURER) as session:
            assert len(session.exec(select(model)).all()) == seen
    with pytest.raises(NotFound):  # nor is it a quote that could be submitted
        world.submit(proposed.quote_id)
    world.decide(request_id, CHECKER)
    with pytest.raises(RuleViolation, match="QUOTE_EXPIRED"):
        world.submit(proposed.quote_id)


def test_the_seller_reads_the_same_whoever_proposed_it_and_why(world: RiskWorld) -> None:
    """Two worlds that differ only in what the bank keeps to itself: 0 differences."""
    request_id = asked(world)
    read = []
    for who, code, note in ((MAKER, "CAUTION", "fears a strike"), (HEAD, "RELATION_KNOWN", "kin")):
        move(world, request_id, -12, who, code=code, note=note)
        world.decide(request_id, CHECKER)
        read.append(told(world))
        undo = {"request_id": request_id, "version": world.version(request_id)}
        world.run("request.undo", CHECKER, **undo)
    assert read[0] == read[1]
    assert "3.21" in read[0]


def told(world: RiskWorld) -> str:
    """Give everything that the seller can read, without names made at random and counters."""
    made_up = {
        "id", "quote_id", "quote_line_id", "advance_id", "assessment_id", "signed_digest", "round",
        "version", "created_by",
    }  # fmt: skip
    with world.db.read(TREASURER) as session:
        found = [
            {name: value for name, value in row.model_dump().items() if name not in made_up}
            for model in (CounterOffer, Quote, QuoteLine, FinancingRequest, RequestOverride)
            for row in session.exec(select(model)).all()
        ]
    for row in found:
        if row.get("lines"):
            row["lines"] = [
                {k: v for k, v in line.items() if k not in made_up} for line in row["lines"]
            ]
    return repr(found)


# --- What ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bp", "code"),
    [(-41, "PRICE_BELOW_HURDLE"), (-30, "PRICE_BELOW_FLOOR"), (1_182, "PRICE_ABOVE_CAP")],
)
def test_hurdle_floor_and_cap_are_nobodys_to_set_aside(
    world: RiskWorld, bp: int, code: str
) -> None:
    """Of 400,000.00 at 319 bp: funds cost 250 and the rate stays 40 above; the law allows 15 %."""
    world.sale("400,000.00", due=DUE)
    request_id = asked(world)
    assert world.all(Advance)[0].rate_percent == "3.19"
    with pytest.raises(RuleViolation, match=code):
        move(world, request_id, bp, HEAD)
    nearer = bp + 1 if bp < 0 else bp - 1
    if code != "PRICE_BELOW_HURDLE":  # a basis point nearer there is a price
        assert move(world, request_id, nearer, HEAD)["state"] == "IN_REVIEW"


def test_a_price_by_contract_is_changed_by_a_new_version_only(db: Database) -> None:
    deals = Deals(db)
    request_id = str(deals.request(deals.invoice("1,000.00"))["id"])
    with pytest.raises(RuleViolation, match="PRICE_BY_CONTRACT"):
        move(deals, request_id, -5)


def test_the_models_price_comes_back_with_nothing_on_the_margin(world: RiskWorld) -> None:
    request_id = asked(world)
    with pytest.raises(InvalidInput, match="OVERRIDE_VALUE"):
        move(world, request_id, 0)
    move(world, request_id, -10)
    with pytest.raises(Conflict, match="REPRICED"):
        world.decide(request_id, CHECKER, "COUNTER", lines=[])
    assert move(world, request_id, 0, code="CAUTION")["rate_percent"] == "3.33"
    made = [(row.before, row.after) for row in world.all(RequestOverride)]
    assert made == [("3.33", "3.23"), ("3.23", "3.33")]
    assert world.decide(request_id, CHECKER)["state"] == "APPROVED"
    assert world.all(Advance)[0].rate_percent == "3.33"


def test_without_the_sellers_word_nothing_is_paid(world: RiskWorld) -> None:
    request_id = asked(world)
    move(world, request_id, -10)
    world.decide(request_id, CHECKER)
    with pytest.raises(Conflict, match="CHECK_STATE"):
        world.check(request_id, "recheck")
    with world.db.writer.begin() as conn, pytest.raises(ScfError):
        guards.may_instruct(conn, world.all(Advance), TODAY)
    world.clock.advance(hours=12)
    assert world.run("request.expire", HEAD)["expired"] == [request_id]
    assert (world.all(CounterOffer)[0].state, funding(world)) == ("LAPSED", 0)
    assert world.all(Quote)[-1].state == "WITHDRAWN"


def test_an_offer_is_taken_back_within_five_minutes(world: RiskWorld) -> None:
    request_id = asked(world)
    move(world, request_id, 10)
    world.decide(request_id, CHECKER)
    undone = world.run(
        "request.undo", CHECKER, request_id=request_id, version=world.version(request_id)
    )
    assert undone["state"] == "IN_REVIEW"
    assert (world.all(CounterOffer)[0].state, world.all(Quote)[-1].state) == (
        "WITHDRAWN", "WITHDRAWN",
    )  # fmt: skip
    assert world.decide(request_id, CHECKER)["state"] == "APPROVED", "at the price asked for"


def test_a_lower_price_needs_room_at_the_funding_limit(world: RiskWorld) -> None:
    request_id = asked(world)
    (node,) = world.all(LimitNode, kind="financier", currency="EUR")
    world.change(LimitNode, node.id, limit_minor=eur("39,667.00"))
    move(world, request_id, -20)
    world.decide(request_id, CHECKER)
    with pytest.raises(RuleViolation, match="LIMIT_FINANCIER"):
        take(world, request_id)
    assert (funding(world), world.all(Advance)[0].rate_percent) == (eur("39,667.00"), "3.33")
    world.change(LimitNode, node.id, limit_minor=eur("39,687.00"))
    assert take(world, request_id)["state"] == "APPROVED"


# --- Twice and at once --------------------------------------------------------------------------


def test_pressing_twice_has_one_effect(world: RiskWorld) -> None:
    request_id = asked(world)
    version = world.version(request_id)
    one, two = (move(world, request_id, -10, key="same", version=version) for _ in range(2))
    assert one == two
    world.decide(request_id, CHECKER)
    version = world.version(request_id)
    (offer,) = world.all(CounterOffer)
    said = {"counter_offer_id": offer.id, "version": version}
    assert world.run("request.take_offer", TREASURER, "take", **said) == world.run(
        "request.take_offer", TREASURER, "take", **said
    )
    assert (world.count(RequestOverride), world.count(CounterOffer), world.count(Quote)) == (
        1, 1, 2,
    )  # fmt: skip


def test_of_four_prices_at_once_one_stands_and_of_four_words_of_the_seller_one_counts(
    world: RiskWorld,
) -> None:
    request_id = asked(world)
    version = world.version(request_id)
    found = race(4, lambda n: move(world, request_id, n - 9, key=f"p{n}", version=version)["state"])
    assert found == {"IN_REVIEW": 1, "STALE": 3}
    world.decide(request_id, CHECKER)
    (offer,) = world.all(CounterOffer)
    said = {"counter_offer_id": offer.id, "version": world.version(request_id)}
    found = race(
        4, lambda n: str(world.run("request.take_offer", TREASURER, f"t{n}", **said)["state"])
    )
    assert found == {"APPROVED": 1, "STALE": 3}
    assert funding(world) == world.all(Advance)[0].net_minor
