"""An anchor's real Tryton: what is entered there is financed here, and comes back as journals."""

from pathlib import Path

import pytest

from scf.channels.erp.models import ErpRun
from scf.demo import world
from tests.channels.erp.agreeing import must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.office import Office, mapping, office_at
from tests.channels.erp.started import start_world
from tests.channels.erp.tradelives import ISSUED, TradeLives
from tests.support.engines import Prepare
from tests.support.plans import Plan
from tests.support.tryton import TrytonServer

ALL = ["JOURNAL", "FINANCED", "PAYEE"]
STORIES = ("plain", "short", "over")


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


def test_what_is_entered_in_the_erp_is_financed_and_booked_back_to_the_cent(
    engine_url: str, server: TrytonServer, tmp_path: Path
) -> None:
    company = Company(server.client())
    purchase = company.purchase("BROOK", 10, "12.5000", ISSUED)
    company.invoices("in", "BROOK", {"DRAFT-1": 100}, ISSUED, post=False)
    office = office_at(engine_url, server, "anna", pushes=ALL)
    lives = TradeLives(office, company, Plan(7, 4, STORIES), tmp_path)
    lives.live()
    _documents(office, purchase, sum(len(life.numbers) for life in lives.lives))

    # No account is mapped yet: each entry says which one it lacks, and nothing is written.
    run = office.look()
    assert (run.state, run.problem, company.moves()) == ("DONE", "ERP_UNMAPPED", [])
    assert "trade_payables" in office.connection().said
    assert len(office.told()) == 1
    lacking = [row for row in office.written() if row.kind == "JOURNAL"]
    assert {(row.state, row.problem) for row in lacking} == {("FAILED", "ERP_UNMAPPED")}
    assert any("trade_payables" in row.said for row in lacking)

    # A table that lacks one account: what needs it goes on waiting, all else is written.
    but_one = mapping()
    del but_one["cash"]
    office.numbers("tryton", but_one)
    run = office.look()
    assert (run.problem, run.said) == ("ERP_UNMAPPED", "cash")
    written = run.counts["JOURNAL"]
    assert 0 < written == len(company.moves()) < len(lacking)
    assert len(office.told()) == 1

    office.map()
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None)
    assert run.counts == {"JOURNAL": len(lacking) - written}
    assert must_agree(office, company) == len(lacking)

    # Reading and writing again, from the beginning, changes nothing on either side.
    again = {"connection_id": office.connection_id, "again": True}
    office.platform.run("erp.sync", again, office.actor, key="again")
    counts = (len(office.invoices()), len(office.orders()), len(office.written()))
    assert office.look().counts == {}
    assert (len(office.invoices()), len(office.orders()), len(office.written())) == counts
    assert must_agree(office, company) == len(lacking)
    office.platform.close()


def _documents(office: Office, purchase: int, invoices: int) -> None:
    """What was posted or confirmed has come; a draft has not."""
    assert len(office.invoices()) == invoices
    assert {row.document_state for row in office.invoices()} == {"VALIDATED"}
    (order,) = office.orders()
    assert (order.number, order.document_state) == (str(purchase), "VALIDATED")
    firms = {row.label: row.firm_id is not None for row in office.items("PARTIES")}
    assert firms[world.SUPPLIER]
    assert not firms["The company"]


def test_a_server_that_is_away_or_lets_nobody_in_is_told_and_asked_again(
    engine_url: str, server: TrytonServer
) -> None:
    company = Company(server.client())
    company.invoices("in", "BROOK", {"BV-7": 125_000}, ISSUED)
    office = office_at(engine_url, server, "anna")
    server.kill()
    run = office.look()
    assert (run.state, run.problem, run.place) == ("FAILED", "CONNECTION", "SIGN_IN")
    assert office.connection().problem == "CONNECTION"
    told = office.told()
    assert len(told) == 1
    assert "Tryton" in told[0]
    assert office.look().problem == "CONNECTION"
    assert office.told() == told  # once, not at each round

    server.start()
    assert office.look().state == "DONE"
    assert office.connection().problem is None
    assert [row.number for row in office.invoices()] == ["BV-7"]

    office.password("not the right one")
    run = office.look()
    assert (run.state, run.problem) == ("FAILED", "ERP_SIGN_IN")
    assert office.rows(ErpRun)[-1].counts == {}
    office.platform.close()
