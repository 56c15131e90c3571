"""Workers and servers die in the middle of a round: nothing is lost, and nothing is there twice."""

import pytest

from tests.channels.erp.company import Company
from tests.channels.erp.filled import filled, nothing_lost_or_doubled
from tests.channels.erp.killing import deaths, struck, unlucky
from tests.channels.erp.started import lived_world
from tests.support.engines import Prepare
from tests.support.tryton import TrytonServer

MOST = 400  # steps of one round; each is a commit or a call


@pytest.fixture
def prepare() -> Prepare:
    """Begin with lives that were lived."""
    return lived_world


def test_a_worker_killed_in_its_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer
) -> None:
    office, company = filled(engine_url, server)
    assert deaths(office, (9, 33)) == 2
    nothing_lost_or_doubled(office, company)
    office.platform.close()


def test_a_server_killed_in_a_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _company = filled(engine_url, server)
    for dies_at, done in ((30, True),):
        with monkeypatch.context() as patch:
            unlucky(patch, server, dies_at, done=done)
            assert office.look().state == "FAILED"
        server.start()
    nothing_lost_or_doubled(office, Company(server.client()))
    office.platform.close()


@pytest.mark.long
def test_a_worker_killed_at_each_step_of_a_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer
) -> None:
    office, company = filled(engine_url, server)
    # Each worker does one step more than the one before: the steps behind are done already.
    assert deaths(office, range(1, MOST)) > 30
    nothing_lost_or_doubled(office, company)
    office.platform.close()


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_server_killed_at_any_call_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    office, _company = filled(engine_url, server)
    for dies_at in range(1, MOST):
        with monkeypatch.context() as patch:
            unlucky(patch, server, dies_at, done=done)
            state = office.look().state
        if state == "DONE":
            break
        server.start()
    nothing_lost_or_doubled(office, Company(server.client()))
    office.platform.close()


# A call of each kind that reads or writes, and how far it has come when the server dies.
STRUCK = (
    ("model.purchase.purchase.search_read", 0.01),
    ("model.account.invoice.search_read", 0.02),
    ("model.account.move.create", 0.05),
    ("model.account.move.create", 0.3),
    ("model.account.move.post", 0.02),
    ("model.account.move.post", 0.2),
    ("model.account.invoice.write", 0.02),
    ("wizard.account.move.line.delegate.execute", 0.05),
)


@pytest.mark.long
def test_a_server_killed_at_work_on_a_call_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _company = filled(engine_url, server)
    deaths = 0
    for method, seconds in STRUCK:
        with monkeypatch.context() as patch:
            timers = struck(patch, server, method, seconds)
            office.look()
        for timer in timers:
            timer.join()
            server.start()
            deaths += 1
    assert deaths >= len(STRUCK) - 1
    nothing_lost_or_doubled(office, Company(server.client()))
    office.platform.close()
