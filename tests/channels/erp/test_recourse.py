"""Random lives of discounted receivables with recourse, booked in the seller's real Tryton."""

from pathlib import Path

import pytest

from scf.db.engine import Database
from scf.kernel.actor import Actor, Role
from tests.channels.erp.agreeing import added
from tests.channels.erp.company import Company
from tests.channels.erp.office import Office
from tests.settlement.books import must_agree
from tests.settlement.test_reserve_histories import ACTS, KINDS, Life
from tests.settlement.test_reserve_life import TERMS
from tests.settlement.world import SELLER, World
from tests.support.tryton import TrytonServer

TREASURER = Actor("treasurer", SELLER, frozenset({Role.TREASURER}))


def _lived(db: Database, folder: Path, server: TrytonServer, seed: int) -> None:
    """Live a life and push the seller's book after half of it and at its end."""
    world = World(db, folder / "bank", **TERMS | KINDS[seed % len(KINDS)])
    company = Company(server.client())
    office = Office(world.platform, world.clock, server)
    office.connect_as(TREASURER, pulls=[], pushes=["JOURNAL"])
    office.map()
    life = Life(world, seed)
    for act in range(ACTS):
        life.draw.choice(life.acts)()
        if act == ACTS // 2:
            _pushed(office, company)
    life.end()
    must_agree(world)
    _pushed(office, company)


def _pushed(office: Office, company: Company) -> None:
    run = office.look(worker=False)
    assert (run.state, run.problem) == ("DONE", None)
    assert added({}, company.trial_balance()) == office.turnovers()


@pytest.mark.parametrize("seed", [1])
def test_a_life_with_recourse_is_booked_in_the_erp_to_the_cent(
    db: Database, tmp_path: Path, server: TrytonServer, seed: int
) -> None:
    _lived(db, tmp_path, server, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_lives_with_recourse_are_booked_in_the_erp_to_the_cent(
    db: Database, tmp_path: Path, server: TrytonServer, seed: int
) -> None:
    _lived(db, tmp_path, server, seed)
