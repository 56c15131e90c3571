"""A Tryton whose invoices lived here already, and more, with what must hold after any accident."""

from collections import Counter, defaultdict

from tests.channels.erp.agreeing import must_agree
from tests.channels.erp.company import Company
from tests.channels.erp.office import Office, office_at
from tests.channels.erp.started import EARLIER
from tests.channels.erp.tradelives import ISSUED
from tests.support.plans import LAST
from tests.support.tryton import TrytonServer

ALL = ["JOURNAL", "FINANCED", "PAYEE"]
NEW = {"BV-1": 125_000, "BV-2": 99_999}


def filled(url: str, server: TrytonServer) -> tuple[Office, Company]:
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


def nothing_lost_or_doubled(office: Office, company: Company) -> None:
    run = office.look()
    assert (run.state, run.problem) == ("DONE", None)
    assert must_agree(office, company) > 0
    numbers = Counter(row.number for row in office.invoices())
    assert set(numbers.values()) == {1}
    assert NEW.keys() <= numbers.keys()
    assert len(office.orders()) == 1
