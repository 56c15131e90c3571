"""Workers and servers die in the middle of a round: nothing is lost, and nothing is there twice."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from tests.channels.erp.agreeing import must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.killing import killed, unlucky
from tests.channels.erp.office import Office, office_at
from tests.channels.erp.started import EARLIER, lived_world
from tests.channels.erp.tradelives import ISSUED
from tests.support.engines import Prepare
from tests.support.plans import LAST
from tests.support.tryton import TrytonServer

ALL = ["JOURNAL", "FINANCED", "PAYEE"]
NEW = {"BV-1": 125_000, "BV-2": 99_999}
MOST = 400  # steps of one round; each is a commit or a call


@pytest.fixture
def prepare() -> Prepare:
    """Begin with lives that were lived."""
    return lived_world


def _filled(url: str, server: TrytonServer) -> tuple[Office, Company]:
    """Enter there what is here already, and more, and connect the two."""
    company = Company(server.client())
    company.purchase("BROOK", 10, "12.5000", ISSUED)
    by_due: dict[int, dict[str, int]] = defaultdict(dict)
    for life in EARLIER.made():
        by_due[(life.due_on - ISSUED).days] |= dict(zip(life.numbers, life.faces, strict=True))
    for days, numbers in by_due.items():
        company.invoices("in", "BROOK", numbers, ISSUED, days=days)
    company.invoices("in", "BROOK", NEW, ISSUED)
    office = office_at(url, server, "anna", LAST, pushes=ALL)
    office.map()
    return office, company


def _nothing_lost_or_doubled(office: Office, company: Company) -> None:
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None)
    assert must_agree(office, company) > 0
    numbers = Counter(row.number for row in office.invoices())
    assert set(numbers.values()) == {1}
    assert NEW.keys() <= numbers.keys()
    assert len(office.orders()) == 1


def _dies(office: Office, places: Iterable[int]) -> int:
    """Kill one worker after the other, each a bit later; gives how many died."""
    deaths = 0
    for dies_at in places:
        if not killed(office, dies_at):
            break
        deaths += 1
    return deaths


def test_a_worker_killed_in_its_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer
) -> None:
    office, company = _filled(engine_url, server)
    assert _dies(office, (9, 33)) == 2
    _nothing_lost_or_doubled(office, company)
    office.platform.close()


def test_a_server_killed_in_a_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _company = _filled(engine_url, server)
    for dies_at, done in ((30, True),):
        with monkeypatch.context() as patch:
            unlucky(patch, server, dies_at, done=done)
            assert office.look().state == "FAILED"
        server.start()
    _nothing_lost_or_doubled(office, Company(server.client()))
    office.platform.close()


@pytest.mark.long
def test_a_worker_killed_at_each_step_of_a_round_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer
) -> None:
    office, company = _filled(engine_url, server)
    # Each worker does one step more than the one before: the steps behind are done already.
    assert _dies(office, range(1, MOST)) > 30
    _nothing_lost_or_doubled(office, company)
    office.platform.close()


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_server_killed_at_any_call_loses_and_doubles_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    office, _company = _filled(engine_url, server)
    for dies_at in range(1, MOST):
        with monkeypatch.context() as patch:
            unlucky(patch, server, dies_at, done=done)
            state = office.look().state
        if state == "DONE":
            break
        server.start()
    _nothing_lost_or_doubled(office, Company(server.client()))
    office.platform.close()
