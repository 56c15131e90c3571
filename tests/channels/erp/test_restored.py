"""A Tryton that was set back to an older backup, and workers that race for one connection."""

import datetime as dt
import time
from collections import Counter
from itertools import count

import pytest

from scf.channels.erp import rounds
from scf.channels.erp.models import ErpRun
from scf.channels.erp.rounds import EVERY, ErpRounds
from scf.kernel.clock import FixedClock
from scf.notices.webhooks.targets import Targets
from tests.channels.erp.agreeing import must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.filled import NEW, filled, nothing_lost_or_doubled
from tests.channels.erp.office import VAULT, Office
from tests.channels.erp.started import lived_world
from tests.channels.erp.tradelives import ISSUED
from tests.support.engines import Prepare
from tests.support.racing import race
from tests.support.tryton import TrytonServer


@pytest.fixture
def prepare() -> Prepare:
    """Begin with lives that were lived."""
    return lived_world


def _asked(office: Office, **how: bool) -> None:
    payload = {"connection_id": office.connection_id, **how}
    office.platform.run("erp.sync", payload, office.actor, key=f"asked:{office.clock.now()}")


def test_an_erp_set_back_is_left_alone_until_a_person_says_to_write_what_is_missing(
    engine_url: str, server: TrytonServer
) -> None:
    office, company = filled(engine_url, server)
    backup = server.backup()
    nothing_lost_or_doubled(office, company)
    moves, documents = len(company.moves()), len(office.invoices())

    server.kill()
    server.restore(backup)
    server.start()
    company = Company(server.client())
    # Somebody there has gone on: the number of an invoice that came before is given again.
    company.invoices("in", "BROOK", {"BV-9": 77_700}, ISSUED)
    for _ in range(2):  # now, and after five minutes
        run = office.look()
        assert (run.state, run.problem, run.counts) == ("FAILED", "ERP_RESTORED", {})
        assert company.moves() == []
    assert len(office.invoices()) == documents
    assert len(office.told()) == 1

    _asked(office, rewrite=True)
    assert office.look().counts["JOURNAL"] == moves
    assert must_agree(office, company) == moves
    assert {row.number for row in office.invoices()} >= NEW.keys() | {"BV-9"}
    assert len(office.invoices()) == documents + 1
    assert office.look().counts == {}

    # Asked once more without need, everything is found, and nothing is made.
    _asked(office, rewrite=True)
    assert office.look().counts["JOURNAL"] == moves
    assert must_agree(office, company) == moves
    office.platform.close()


@pytest.mark.parametrize("leases", [True, False], ids=["by turns", "at the same time"])
def test_workers_that_race_for_a_connection_double_nothing(
    engine_url: str, server: TrytonServer, monkeypatch: pytest.MonkeyPatch, *, leases: bool
) -> None:
    office, company = filled(engine_url, server)
    if not leases:  # as if one had slept through its lease and went on where it was
        monkeypatch.setattr(rounds, "EVERY", -EVERY)
        monkeypatch.setattr(rounds, "LEASE", -EVERY)
        plain, ticks = FixedClock.now, count()
        monkeypatch.setattr(
            FixedClock, "now", lambda self: plain(self) + dt.timedelta(microseconds=next(ticks))
        )
    office.pause()
    turns = 1 if leases else 2

    def works(_number: int) -> str:
        rounds_of = ErpRounds(office.platform, VAULT, Targets(loopback=True))
        claimed = rounds_of._claim()
        # Whose row the other holds in this very moment is passed over: without a lease, ask again.
        for _ in range(0 if leases else 200):
            if claimed is not None:
                break
            time.sleep(0.01)
            claimed = rounds_of._claim()
        if claimed is None:
            return "left it"
        rounds_of._round(claimed)
        return "went"

    went = race(2, works)
    assert went == Counter({"went": turns} | ({"left it": 1} if leases else {}))
    monkeypatch.undo()
    if leases:
        assert [row.state for row in office.rows(ErpRun)] == ["DONE"]
    nothing_lost_or_doubled(office, company)
    office.platform.close()
