"""What must hold between our books and documents and those of the ERP, whatever happened."""

from collections import Counter

from sqlalchemy import select

from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.ledger.models import Entry
from scf.settlement.position import PAYABLE
from tests.channels.erp.company import Company, Turnovers
from tests.channels.erp.office import PARTY, Office
from tests.support.deals import table


def added(before: Turnovers, after: Turnovers) -> Turnovers:
    """Give what came to each account of a trial balance: debits and credits."""
    nothing = (0, 0)
    found = {
        code: (debit - before.get(code, nothing)[0], credit - before.get(code, nothing)[1])
        for code, (debit, credit) in after.items()
    }
    return {code: sums for code, sums in found.items() if sums != nothing}


def must_agree(office: Office, company: Company, *, invoices: bool = True) -> int:
    """Hold moves, marks and payees there against what happened here; gives how many moves."""
    _journals(office, company)
    if invoices:
        _invoices(office, company)
    bad = [row for row in office.written() if row.state != "DONE"]
    assert bad == []
    return len(company.moves())


def _journals(office: Office, company: Company) -> None:
    query = select(table(Entry).c.id).where(table(Entry).c.org_id == office.org_id)
    with office.platform.db.snapshot() as conn:
        ours = set(conn.execute(query).scalars())
    moves = company.moves()
    theirs = Counter(str(row["description"]).rpartition(" · ")[2] for row in moves)
    assert set(theirs) == ours, [row for row in office.written() if row.state != "DONE"]
    assert set(theirs.values()) <= {1}
    assert {row["state"] for row in moves} <= {"posted"}
    assert {code: amount for code, amount in company.balances().items() if amount} == office.books()


def _invoices(office: Office, company: Company) -> None:
    """Each financed invoice says so once, and what is open on it is owed to the financier once."""
    invoice, advance = table(Invoice), table(Advance)
    query = (
        select(advance.c.id, invoice.c.number)
        .join(invoice, invoice.c.id == advance.c.invoice_id)
        .where(advance.c.state.in_(sorted(PAYABLE)))
    )
    with office.platform.db.snapshot() as conn:
        financed = {row.number: row.id for row in conn.execute(query)}
    payee = company.one("party.party", ["code", "=", PARTY])
    fields = ["reference", "comment", "lines_to_pay"]
    found = company.tryton.find("account.invoice", [["type", "=", "in"]], fields)
    lines = company.tryton.by_id(
        "account.move.line", [line for row in found for line in row["lines_to_pay"]],
        ["party", "reconciliation"],
    )  # fmt: skip
    assert financed.keys() <= {row["reference"] for row in found}
    for row in found:
        advance_id = financed.get(row["reference"], "")
        open_ = [lines[one] for one in row["lines_to_pay"] if not lines[one]["reconciliation"]]
        if advance_id:
            assert str(row["comment"]).count(advance_id) == 1
            assert [one["party"] for one in open_] == [payee]
        else:
            assert not row["comment"]
            assert payee not in [one["party"] for one in open_]
