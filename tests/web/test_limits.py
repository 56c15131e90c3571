"""Nobody asks the API without end, and guessing at tokens is slowed down per address."""

import threading

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.kernel.clock import FixedClock
from scf.parties.models import RateWindow
from scf.parties.ratelimit import Limit, Meter
from tests.support.people import NOON, small_prepare
from tests.support.served import HOST, Served, application, served_small

prepare = small_prepare  # every test begins in the small world

CALLS = Limit(tries=5, seconds=60)
UNKNOWN = Limit(tries=3, seconds=900)
FORGED = "Bearer trib_" + "A" * 43


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db, api_calls=CALLS, unknown_tokens=UNKNOWN)


def guess(served: Served, address: str = "192.0.2.7", token: str = FORGED) -> int:
    return (
        served.app.test_client()
        .get(
            "/api/v1/users/me",
            base_url=HOST,
            environ_base={"REMOTE_ADDR": address},
            headers={"Authorization": token},
        )
        .status_code
    )


def test_a_token_makes_so_many_calls_a_minute(served: Served) -> None:
    answers = [served.api("maker", "GET", "/users/me") for _ in range(CALLS.tries + 2)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    refused = answers[-1]
    assert refused.content_type == "application/problem+json"
    assert refused.get_json()["code"] == "TOO_MANY_TRIES"
    assert refused.headers["Retry-After"] == "60"
    # Somebody else's token is not touched, and a minute later this one is good again.
    assert served.api("checker", "GET", "/users/me").status_code == 200
    served.world.clock.advance(seconds=60)
    assert served.api("maker", "GET", "/users/me").status_code == 200


def test_a_refused_change_changes_nothing(served: Served) -> None:
    for _ in range(CALLS.tries):
        served.api("maker", "GET", "/users/me")
    assert served.api("maker", "POST", "/firms", json={"name": "A"}, key="k").status_code == 429
    served.world.clock.advance(seconds=60)
    again = served.api("maker", "POST", "/firms", json={"name": "A"}, key="k")
    assert (again.status_code, again.headers.get("Idempotency-Hit")) == (201, None)


def test_two_processes_share_one_limit(served: Served) -> None:
    other = Served(served.world, application(served.world, api_calls=CALLS, unknown_tokens=UNKNOWN))
    codes = [
        asked.api("maker", "GET", "/users/me").status_code
        for _ in range(CALLS.tries)
        for asked in (served, other)
    ]
    assert codes.count(200) == CALLS.tries


def test_unknown_tokens_are_slowed_down_per_address(served: Served) -> None:
    assert [guess(served) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert guess(served, token="Bearer short") == 429
    # Another address, and a person at this one whose token is right, notice nothing.
    assert guess(served, "192.0.2.8") == 401
    assert guess(served, token=f"Bearer {served.world.token('maker')}") == 200
    served.world.clock.advance(seconds=900)
    assert guess(served) == 401


def test_the_table_keeps_no_token_and_no_address(served: Served, db: Database) -> None:
    guess(served)
    served.api("maker", "GET", "/users/me")
    table = RateWindow.__table__  # type: ignore[attr-defined]
    with db.snapshot() as conn:
        kept = repr(conn.execute(select(table)).all())
    assert "192.0.2.7" not in kept
    assert served.world.token("maker") not in kept


# --- The meter ------------------------------------------------------------------------------------


def tries(db: Database) -> list[int]:
    table = RateWindow.__table__  # type: ignore[attr-defined]
    with db.snapshot() as conn:
        return list(conn.execute(select(table.c.tries).order_by(table.c.window_start)).scalars())


def test_a_meter_writes_once_for_a_block(db: Database) -> None:
    meter, limit = Meter(), Limit(tries=100, seconds=60)
    seen = []
    for _ in range(6):
        assert meter.hit(db, "x", "me", limit, NOON).allowed
        seen.append(tries(db)[0])
    assert seen == [5, 5, 5, 5, 5, 10]


def test_meters_together_never_grant_more_than_the_limit(db: Database) -> None:
    limit = Limit(tries=47, seconds=60)
    meters = [Meter(), Meter(), Meter()]
    granted = sum(
        meters[n % 3].hit(db, "x", "me", limit, NOON).allowed for n in range(3 * limit.tries)
    )
    assert granted == limit.tries


def test_threads_of_one_process_are_granted_no_more_than_the_limit(db: Database) -> None:
    meter, limit = Meter(), Limit(tries=40, seconds=60)
    allowed: list[bool] = []

    def ask() -> None:
        allowed.extend(meter.hit(db, "x", "me", limit, NOON).allowed for _ in range(30))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (90, 40)


def test_a_refusal_is_remembered_without_asking_again(db: Database) -> None:
    meter, limit = Meter(), Limit(tries=1, seconds=60)
    verdicts = [meter.hit(db, "x", "me", limit, NOON) for _ in range(5)]
    assert [verdict.allowed for verdict in verdicts] == [True] + [False] * 4
    assert tries(db) == [2]
    assert verdicts[-1].retry_after == 60
    clock = FixedClock(NOON)
    clock.advance(seconds=61)
    assert meter.hit(db, "x", "me", limit, clock.now()).allowed


def test_a_meter_forgets_rather_than_grows(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scf.parties.ratelimit._REMEMBERED", 3)
    meter, limit = Meter(), Limit(tries=2, seconds=60)
    for n in range(10):
        assert meter.hit(db, "x", f"caller {n}", limit, NOON).allowed
    assert len(meter._granted) <= 3
