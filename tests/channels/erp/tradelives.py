"""Lives of receivables whose invoices stand in a real ERP first and come from there."""

import datetime as dt
from collections import defaultdict
from pathlib import Path

from sqlalchemy import select

from scf.documents.models import Invoice
from scf.kernel.money import format_minor
from tests.channels.erp.company import Company
from tests.channels.erp.office import Office
from tests.support.deals import table
from tests.support.journal import Journal
from tests.support.lives import EUR, Lives
from tests.support.plans import START, Plan

ISSUED = START - dt.timedelta(days=5)


class TradeLives(Lives):
    """A plan lived by an anchor that enters its suppliers' invoices in its ERP, or by a supplier
    that writes them there.
    """

    def __init__(self, office: Office, company: Company, plan: Plan, folder: Path) -> None:
        journal = Journal(folder / "journal")
        super().__init__(office.platform, office.clock, folder, plan, journal)
        self.office, self.company = office, company
        self.kind, self.party = "in", "BROOK"

    def _hand_in(self) -> None:
        faces: dict[dt.date, dict[str, int]] = defaultdict(dict)
        for life in self.lives:
            faces[life.due_on] |= dict(zip(life.numbers, life.faces, strict=True))
        for due_on, numbers in faces.items():
            self.company.invoices(
                self.kind, self.party, numbers, ISSUED, days=(due_on - ISSUED).days
            )
        run = self.office.look()
        assert (run.state, run.problem) == ("DONE", None), run
        query = select(table(Invoice).c.number, table(Invoice).c.id)
        self.ids = self.read(lambda conn: dict(conn.execute(query).all()))
        assert len(self.ids) == sum(len(life.numbers) for life in self.lives)
        self._import("credits", "credit_note", [
            f"C{life.numbers[0]},{START},,{format_minor(life.faces[0] // 5, EUR)},{life.numbers[0]}"
            for life in self._told("credited")
        ])  # fmt: skip
