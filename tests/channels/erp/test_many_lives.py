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
FEW = ("part", "late", "early", "returned", "credited", "in_parts")


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


def _books_of_two_firms_agree(url: str, server: TrytonServer, folder: Path, plan: Plan) -> None:
    """Live lives whose invoices come from the buyer's Tryton; book them there and in the seller's.

    What counts is each Tryton's own trial balance: debits and credits of every account.
    """
    with tryton(folder / "seller") as other:
        buyer = office_at(url, server, "anna", pushes=["JOURNAL"])
        seller = buyer.beside(other, "mira", pulls=[], pushes=["JOURNAL"])
        there = Company(server.client())
        TradeLives(buyer, there, plan, folder).live()
        for office, company in ((buyer, there), (seller, Company(other.client()))):
            before = company.trial_balance()
            office.map()
            run = office.look()
            assert (run.state, run.problem) == ("DONE", None)
            assert must_agree(office, company, invoices=False) >= plan.lives
            assert added(before, company.trial_balance()) == office.turnovers()
        buyer.platform.close()


def test_the_trial_balances_of_two_firms_are_ours_after_a_few_lives(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    _books_of_two_firms_agree(engine_url, server, tmp_path, Plan(5, len(FEW), FEW))


@pytest.mark.long
def test_the_erps_ledgers_are_ours_to_the_cent_after_hundreds_of_lives(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    _books_of_two_firms_agree(engine_url, server, tmp_path, Plan(23, LIVES))
