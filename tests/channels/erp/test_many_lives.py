"""Hundreds of random lives: the ledger of a real Tryton is ours, to the cent."""

from pathlib import Path

import pytest

from tests.channels.erp.agreeing import added, must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.office import office_at
from tests.channels.erp.started import start_world
from tests.channels.erp.tradelives import TradeLives
from tests.support.engines import Prepare
from tests.support.plans import Plan
from tests.support.tryton import TrytonServer, tryton

LIVES = 500
FEW = 24  # each story once


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


def _books_of_two_firms_agree(
    url: str, server: TrytonServer, folder: Path, lives: int, seed: int
) -> None:
    """Live lives whose invoices come from the buyer's Tryton; book them there and in the seller's.

    What counts is each Tryton's own trial balance: debits and credits of every account.
    """
    with tryton(folder / "seller") as other:
        buyer = office_at(url, server, "anna", pushes=["JOURNAL"])
        seller = buyer.beside(other, "mira", pulls=[], pushes=["JOURNAL"])
        there = Company(server.client())
        TradeLives(buyer, there, Plan(seed, lives), folder).live()
        for office, company in ((buyer, there), (seller, Company(other.client()))):
            before = company.trial_balance()
            office.map()
            run = office.look()
            assert (run.state, run.problem) == ("DONE", None)
            assert must_agree(office, company, invoices=False) > lives
            assert added(before, company.trial_balance()) == office.turnovers()
        buyer.platform.close()


def test_the_trial_balances_of_two_firms_are_ours_after_a_life_of_each_story(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    _books_of_two_firms_agree(engine_url, server, tmp_path, FEW, 5)


@pytest.mark.long
def test_the_erps_ledgers_are_ours_to_the_cent_after_hundreds_of_lives(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    _books_of_two_firms_agree(engine_url, server, tmp_path, LIVES, 23)
