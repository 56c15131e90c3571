"""Workers and shops die in the middle of a round: no order is lost, and none is there twice."""

from typing import Any

import pytest

from scf.db.platform import Platform
from tests.channels.erp.killing import deaths, unlucky
from tests.channels.erp.office import Office
from tests.channels.erp.shops import each_once, ordered, shop_at
from tests.channels.erp.started import start_world
from tests.support.engines import Prepare
from tests.support.oscar import OscarServer

MOST = 200  # steps of one round; each is a commit or a call
FIRST, ALL = range(100, 106), range(100, 111)
SAID = [("100", "accepted"), ("101", "refused"), ("102", "changed")]


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


def _busy(url: str, shop: OscarServer) -> Office:
    """Take some orders, and let the shop have more of them and other ones by the next round."""
    ordered(shop, FIRST)
    office = shop_at(url, shop)
    assert office.look().state == "DONE"
    shop.status("100", "Being processed")
    shop.status("101", "Cancelled")
    shop.amend("102", 12, "150.00", "178.50")
    ordered(shop, range(FIRST.stop, ALL.stop))
    return office


def _nothing_lost_or_doubled(office: Office) -> None:
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None)
    each_once(office, ALL, SAID)
    assert office.look().counts == {}


def test_a_worker_killed_in_its_round_loses_and_doubles_no_order(
    engine_url: str, shop: OscarServer
) -> None:
    office = _busy(engine_url, shop)
    # Before the lines are read, after they were handed in, and after that was noted.
    assert deaths(office, (6, 17, 3)) == 3
    _nothing_lost_or_doubled(office)
    office.platform.close()


def test_a_shop_killed_in_a_round_loses_and_doubles_no_order(
    engine_url: str, shop: OscarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = _busy(engine_url, shop)
    for dies_at, done in ((2, False), (7, True)):
        with monkeypatch.context() as patch:
            unlucky(patch, shop, dies_at, done=done)
            assert office.look().state == "FAILED"
        shop.start()
    _nothing_lost_or_doubled(office)
    office.platform.close()


class Died(BaseException):
    """A worker ended in this very moment; nothing of it goes on."""


def test_an_order_changed_after_a_worker_died_over_it_is_one_order(
    engine_url: str, shop: OscarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a dead worker had handed in is found again by its id, though it is another by now."""
    office = _busy(engine_url, shop)
    run = Platform.run

    def watched(platform: Platform, name: str, *given: Any, **how: Any) -> Any:  # noqa: ANN401
        if name == "erp.take":
            raise Died
        return run(platform, name, *given, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Platform, "run", watched)
        with pytest.raises(Died):
            office.look()
    assert len(office.items("SALES")) == len(FIRST)
    office.platform.worker().drain()
    assert len(office.orders()) == len(ALL)

    shop.amend("109", 20, "250.00", "297.50")
    assert office.look().state == "DONE"
    each_once(office, ALL, [*SAID, ("109", "changed")])
    office.platform.close()


@pytest.mark.long
def test_a_worker_killed_at_each_step_of_a_round_loses_and_doubles_no_order(
    engine_url: str, shop: OscarServer
) -> None:
    office = _busy(engine_url, shop)
    assert deaths(office, range(1, MOST)) > 10
    _nothing_lost_or_doubled(office)
    office.platform.close()


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_shop_killed_at_any_call_loses_and_doubles_no_order(
    engine_url: str, shop: OscarServer, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    office = _busy(engine_url, shop)
    deaths = 0
    for dies_at in range(1, MOST):
        with monkeypatch.context() as patch:
            unlucky(patch, shop, dies_at, done=done)
            state = office.look().state
        if state == "DONE":
            break
        deaths += 1
        shop.start()
    assert deaths > 10
    _nothing_lost_or_doubled(office)
    office.platform.close()
