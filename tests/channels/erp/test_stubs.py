"""The connectors of Odoo and ERPNext against stubs of these: one whole life, and deaths in it.

No real Odoo or ERPNext runs here; see the stubs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from scf.channels.erp import pulling
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.settlement.position import PAYABLE
from tests.channels.erp.killing import killed, unlucky
from tests.channels.erp.office import PARTY, Office, mapping, office_at
from tests.channels.erp.started import EARLIER, lived_world
from tests.channels.erp.stubs.erpnextco import ErpNextCompany
from tests.channels.erp.stubs.odooco import OdooCompany
from tests.channels.erp.stubs.process import stubbed
from tests.channels.erp.tradelives import ISSUED
from tests.support.deals import table
from tests.support.engines import Prepare
from tests.support.plans import LAST

ALL = ["JOURNAL", "FINANCED", "PAYEE"]
NEW = {"BV-1": 125_000, "BV-2": 99_999, "BV-3": 7}
Co = OdooCompany | ErpNextCompany


@pytest.fixture
def prepare() -> Prepare:
    """Begin with lives that were lived."""
    return lived_world


@pytest.fixture(params=[OdooCompany, ErpNextCompany], ids=["odoo", "erpnext"])
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Co]:
    """Run a stub in which stands what is here already, and more."""
    made: Co = request.param(tmp_path)
    with stubbed(made.server):
        by_due: dict[str, dict[str, int]] = defaultdict(dict)
        for life in EARLIER.made():
            told = dict(zip(life.numbers, life.faces, strict=True))
            by_due[life.due_on.isoformat()] |= told
        for due, numbers in by_due.items():
            made.bills("BROOK", numbers, ISSUED.isoformat(), due)
        made.bills("BROOK", NEW, ISSUED.isoformat(), "2026-06-05")
        yield made


def _connected(url: str, company: Co) -> Office:
    wanted = {**company.wanted, "password": company.password, "pushes": ALL}
    office = office_at(url, company.server, "anna", LAST, **wanted)
    office.numbers(company.wanted["kind"].lower(), mapping())
    return office


def _agree(office: Office, company: Co) -> int:
    """Hold everything there against what happened here; gives how many entries of ours."""
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None), run
    bad = [row for row in office.written() if row.state != "DONE"]
    assert bad == []
    invoice, advance = table(Invoice), table(Advance)
    query = (
        select(advance.c.id, invoice.c.number)
        .join(invoice, invoice.c.id == advance.c.invoice_id)
        .where(advance.c.state.in_(sorted(PAYABLE)))
    )
    with office.platform.db.snapshot() as conn:
        financed = {row.number: row.id for row in conn.execute(query)}
    journal = [row for row in office.written() if row.kind == "JOURNAL"]
    ours = {row.subject_id for row in journal}
    entries = company.entries()
    assert all(one["posted"] for one in entries)
    refs = Counter(str(one["ref"]).rpartition(" ")[2] for one in entries)
    assert set(refs.values()) == {1}
    assert refs.keys() == ours | set(financed.values())
    total: Counter[str] = Counter()
    for one in entries:
        if str(one["ref"]).rpartition(" ")[2] in ours:
            total.update(one["by"])
    assert {code: cents for code, cents in total.items() if cents} == office.books()
    notes = Counter(one.partition("[")[2].partition("]")[0] for one in company.notes())
    assert notes == Counter(financed.values())
    owed = company.owed()
    assert {number: owed[number] for number in financed} == dict.fromkeys(financed, PARTY)
    assert {number for number, to in owed.items() if to == "BROOK"} == NEW.keys()
    return len(journal)


def _documents(office: Office) -> None:
    """Every bill and order has come once, as what it says."""
    numbers = Counter(row.number for row in office.invoices())
    assert set(numbers.values()) == {1}
    assert NEW.keys() <= numbers.keys()
    (one,) = (row for row in office.invoices() if row.number == "BV-3")
    assert (one.document_state, one.payable_minor, one.currency) == ("VALIDATED", 7, "EUR")
    (order,) = office.orders()
    assert order.document_state == "VALIDATED"
    firms = {row.label: row.firm_id is not None for row in office.items("PARTIES")}
    assert firms == {"Brook Valves": True, "Meridian Trade Bank": False}


def test_what_is_there_comes_and_what_happened_here_is_written_there_once(
    engine_url: str, company: Co, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "PAGE", 2)
    office = _connected(engine_url, company)
    assert _agree(office, company) > 0
    _documents(office)

    # Again from the beginning: nothing changes on either side.
    before = company.server.read()
    again = {"connection_id": office.connection_id, "again": True}
    office.platform.run("erp.sync", again, office.actor, key="again")
    assert office.look().counts == {}
    assert company.server.read() == before

    # What is entered later comes with the next round, and only that.
    company.bills("BROOK", {"BV-4": 12_345}, ISSUED.isoformat(), "2026-06-05")
    run = office.look()
    assert (run.problem, run.counts) == (None, {"SUPPLIER_INVOICES": 1}), (run.place, run.said)
    assert "BV-4" in {row.number for row in office.invoices()}
    office.platform.close()


@pytest.mark.parametrize("dies_at", [12, 27])
def test_a_worker_killed_in_its_round_doubles_nothing(
    engine_url: str, company: Co, dies_at: int
) -> None:
    office = _connected(engine_url, company)
    assert killed(office, dies_at)
    assert _agree(office, company) > 0
    _documents(office)
    office.platform.close()


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_server_killed_in_a_push_doubles_nothing(
    engine_url: str, company: Co, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    office = _connected(engine_url, company)
    with monkeypatch.context() as patch:
        unlucky(patch, company.server, 32, done=done)
        assert office.look().state == "FAILED"
    company.server.start()
    assert _agree(office, company) > 0
    office.platform.close()
