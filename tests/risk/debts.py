"""A world in which a seller's plain receivables are bought, priced by risk."""

import datetime as dt
from typing import Any

from sqlalchemy import update

from scf.db.engine import Database
from scf.kernel.actor import OPERATOR
from scf.parties.models import Firm
from tests.risk.world import TODAY, RiskWorld
from tests.support.deals import ANCHOR, SELLER, programme_file, table

DUE = dt.date(2026, 6, 9)  # 90 days from TODAY
INSURER = "insurer"
LEI = "529900T8BM49AURSDO55"
COVER = (
    f'{{ insurer = "lei:{LEI}", policy = "TCI-1", cover_ppm = 900_000, premium_ppm = 3_500,'
    " waiting_days = 0 }"
)


def discounting(code: str = "plain", **terms: str) -> str:
    """Give the shipped programme of plain receivables priced by risk, some terms changed."""
    return programme_file(code, "receivables-discounting-by-risk", **terms)


class Debts(RiskWorld):
    """A seller with a discounting programme of its own and a buyer that has accepted nothing."""

    def __init__(self, db: Database, *firms: str, items: int = 12, **terms: str) -> None:
        super().__init__(db, INSURER, *firms)
        self.run(
            "firm.identify",
            OPERATOR,
            firm_id=INSURER,
            identifiers=[{"scheme": "lei", "value": LEI}],
        )
        self.history(items=items)
        self.own_id = self.agree(**terms)

    def agree(self, code: str = "plain", **terms: str) -> str:
        """Agree another discounting programme with the seller."""
        made = self.agreed(discounting(code, **terms), seller_id=SELLER)
        self.limit("programme", made, "10,000,000.00")
        return made

    def opened(self, amount: str = "100,000.00") -> str:
        """Let a day begin with an invoice of which the buyer has said nothing yet."""
        invoice_id = self.sale(amount, due=DUE, accepted=False)
        self.morning()
        self.at(TODAY)
        return invoice_id

    def priced(
        self, invoice_id: str, programme: str = "", amount: str | None = None, **ask: object
    ) -> dict[str, Any]:
        """Ask for a price under a programme."""
        return self.quote(invoice_id, amount=amount, programme_id=programme or self.own_id, **ask)

    def insured(self, amount: str = "500,000.00", debtor: str = ANCHOR) -> None:
        """Let the insurer's limit for a debtor be entered by two people."""
        self.limit("insured", debtor, amount)

    def move_abroad(self, firm: str, country: str = "PL") -> None:
        """Let a firm sit in another country."""
        with self.db.writer.begin() as conn:
            firms = table(Firm)
            conn.execute(update(firms).where(firms.c.id == firm).values(country=country))
