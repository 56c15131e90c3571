"""Hundreds of random lives: the ledger of a real Tryton is ours, to the cent."""

from pathlib import Path

import pytest

from tests.channels.erp.agreeing import must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.office import office_at
from tests.channels.erp.started import start_world
from tests.channels.erp.tradelives import TradeLives
from tests.support.engines import Prepare
from tests.support.plans import Plan
from tests.support.tryton import TrytonServer

LIVES = 500


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


@pytest.mark.long
def test_the_erps_ledger_is_ours_to_the_cent_after_hundreds_of_lives(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    company = Company(server.client())
    office = office_at(engine_url, server, "anna", pushes=["JOURNAL"])
    TradeLives(office, company, Plan(23, LIVES), tmp_path).live()
    office.map()
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None)
    assert must_agree(office, company, invoices=False) > LIVES
    office.platform.close()
