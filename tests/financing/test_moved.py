"""An approved price whose day passed: offered for another day, confirmed, decided on again."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.financing import guards
from scf.financing.models import Advance, CounterOffer, FinancingRequest
from scf.kernel.errors import RuleViolation
from tests.support.deals import CHECKER, DAY, HEAD, MAKER, MORNING, TREASURER, Deals, eur
from tests.support.racing import race

TOMORROW = DAY + dt.timedelta(days=1)


def slipped(db: Database, **terms: str) -> tuple[Deals, str]:
    """Approve a request, do not pay it, and let the end of day come."""
    deals = Deals(db, **terms)
    request_id = str(deals.request(deals.invoice())["id"])
    deals.ready(request_id)
    deals.set_date(TOMORROW)
    deals.clock.advance(dt.timedelta(days=1))
    deals.run("request.expire", HEAD)
    return deals, request_id


def test_the_seller_confirms_the_new_day_once_and_officers_decide_on_its_amounts(
    db: Database,
) -> None:
    deals, request_id = slipped(db)
    (offer,) = deals.all(CounterOffer)
    assert deals.get(FinancingRequest, request_id).state == "COUNTER_OFFERED"
    # Golden 1 with 89 days instead of 90: 1,000,000.00 x 4.65 % x 89 / 360 = 11,495.83.
    assert (offer.value_on, offer.discount_minor) == (TOMORROW, eur("11495.83"))
    assert offer.net_minor == eur("988504.17")
    (advance,) = deals.all(Advance)
    assert (advance.state, advance.net_minor) == ("PRECHECKED", eur("988375.00"))
    assert deals.get(Invoice, advance.invoice_id).held_minor == eur("1000000.00")

    version = deals.version(request_id)
    told = race(
        8,
        lambda n: str(
            deals.run(
                "request.take_offer", TREASURER, f"take-{n}",
                counter_offer_id=offer.id, version=version,
            )["state"]
        ),
    )  # fmt: skip
    assert told == {"IN_REVIEW": 1, "STALE": 7}
    (advance,) = deals.all(Advance)
    assert (advance.value_on, advance.days, advance.net_minor) == (TOMORROW, 89, offer.net_minor)
    assert deals.get(FinancingRequest, request_id).net_minor == offer.net_minor

    deals.decide(request_id, MAKER)
    deals.decide(request_id, CHECKER)
    (advance,) = deals.all(Advance)
    assert advance.state == "DECIDED"  # what the seller signed were other amounts
    deals.check(request_id, "e_signature", "recheck")
    (advance,) = deals.all(Advance)
    assert advance.state == "RECHECKED"
    with db.snapshot() as conn:
        guards.may_instruct(conn, [advance], TOMORROW, deals.clock.now())
        evening = deals.clock.now() + dt.timedelta(hours=8)  # 17:00 UTC, past 16:00 in Berlin
        with pytest.raises(RuleViolation, match="CUTOFF_PASSED"):
            guards.may_instruct(conn, [advance], TOMORROW, evening)


def test_what_is_not_confirmed_lapses_and_frees_everything(db: Database) -> None:
    deals, request_id = slipped(db)
    deals.set_date(TOMORROW + dt.timedelta(days=1))
    deals.clock.advance(dt.timedelta(days=1))
    deals.run("request.expire", HEAD)
    assert deals.get(FinancingRequest, request_id).state == "LAPSED"
    (advance,) = deals.all(Advance)
    assert advance.state == "EXPIRED"
    assert deals.get(Invoice, advance.invoice_id).held_minor == 0


def test_a_day_that_leaves_too_few_days_is_not_offered(db: Database) -> None:
    deals, request_id = slipped(db, tenor_min_days="90")
    assert deals.get(FinancingRequest, request_id).state == "EXPIRED"
    assert deals.all(CounterOffer) == []


def test_a_holiday_of_either_country_moves_the_day_of_the_money(db: Database) -> None:
    deals = Deals(db)
    deals.change_country("seller", "DE89370400440532013000", "CZ6508000000192000145399")
    deals.set_date(dt.date(2026, 5, 8))  # a Friday: liberation day in Prague, a TARGET day
    deals.clock.advance(dt.datetime(2026, 5, 8, 9, tzinfo=dt.UTC) - MORNING)
    deals.fix("3.45", dt.date(2026, 5, 7))
    quote = deals.quote(deals.invoice())
    assert quote["value_on"] == "2026-05-11"
