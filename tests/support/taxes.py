"""Deals under a programme that asks a tax authority, and the office that answers."""

import dataclasses
import importlib
import itertools
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from scf.bootstrap import SLICES, before_commands, deliver, job_handlers
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.db.runner import Runner
from scf.demo.taxoffice import TaxOffice, facts_of
from scf.documents.taxcheck import asking
from scf.documents.taxcheck.models import TaxCheck
from scf.documents.taxcheck.port import TaxAuthority
from scf.financing.models import Advance
from scf.financing.taxwatch import watching
from scf.financing.taxwatch.models import TaxAlert, TaxVouch
from scf.kernel.actor import Actor
from scf.kernel.clock import FixedClock
from scf.kernel.ids import new_id
from scf.parties.access import authorise
from scf.parties.models import FirmIdentifier
from scf.programmes.models import Programme
from tests.support.deals import BANK, CHECKER, MAKER, MORNING, SELLER, Deals, table
from tests.support.people import NOON

SCHEME = "sdi"


def fill(url: str) -> None:
    """Put the deals into a database that is copied for each test."""
    db = Database(url)
    TaxDeals(db, Path(tempfile.gettempdir()))
    db.close()


def store_answers(
    conn: Connection, invoice_id: str, officer: Actor, seller_id: str
) -> dict[str, str]:
    """Store an answer on an invoice, an alert of the officer's bank, and what the officer saw."""
    about = {"invoice_id": invoice_id, "financier_id": officer.org_id}
    check = {
        "id": new_id(), "invoice_id": invoice_id, "scheme": SCHEME, "answer": "VOIDED",
        "credited_minor": 0, "field": "", "theirs": "", "ours": "", "reference": "R-1",
        "authority_version": "1", "reason": "", "purpose": "weekly", "source": "authority",
        "asked_at": NOON, "answered_at": NOON,
    }  # fmt: skip
    alert = about | {
        "id": new_id(), "seller_id": seller_id, "kind": "UNANSWERED", "check_id": check["id"],
        "currency": "EUR", "financed_minor": 100, "state": "OPEN", "opened_at": NOON,
    }  # fmt: skip
    vouch = about | {
        "id": new_id(), "scheme": SCHEME, "evidence": "seen", "state": "PROPOSED",
        "proposed_by": officer.user_id, "proposed_at": NOON,
    }  # fmt: skip
    for model, row in ((TaxCheck, check), (TaxAlert, alert), (TaxVouch, vouch)):
        conn.execute(insert(table(model)), row)
    return {"alert": str(alert["id"]), "vouch": str(vouch["id"])}


NO_CHECKS = {"checks_before_decision": "[]", "checks_before_payout": "[]"}


class TaxDeals(Deals):
    """Deals in which each invoice is registered with the office before it is accepted."""

    def __init__(self, db: Database, folder: Path, **terms: str) -> None:
        asked = {"tax_check": '"full"', "tax_scheme": f'"{SCHEME}"'} | NO_CHECKS | terms
        super().__init__(db, **asked)
        for name in SLICES:
            importlib.import_module(name)
        self.office = TaxOffice(folder / "office.json", self.clock)
        self.connect(self.office)
        with db.writer.begin() as conn:
            conn.execute(
                insert(table(FirmIdentifier)),
                {
                    "id": new_id(), "firm_id": SELLER, "scheme": "vat",
                    "value": "IT00743110157", "scope_org_id": "", "created_at": self.clock.now(),
                },
            )  # fmt: skip
            self.add_account(conn, BANK, "NL91ABNA0417164300")

    @classmethod
    def found(cls, db: Database, folder: Path) -> "TaxDeals":
        """Find the deals in a copy of the database that :func:`fill` has filled."""
        made = cls.__new__(cls)
        made.db, made.clock = db, FixedClock(MORNING)
        made._keys, made._numbers = itertools.count(1_000), itertools.count(1)
        made.platform = Platform(
            db, made.clock, Runner(db, made.clock, authorise), job_handlers, deliver
        )
        made.programme_id = str(made.all(Programme)[0].id)
        made.office = TaxOffice(folder / "office.json", made.clock)
        made.connect(made.office)
        return made

    def connect(self, authority: TaxAuthority | None) -> None:
        """Let another authority answer from now on, or none."""
        self.platform = dataclasses.replace(
            self.platform,
            services={"tax": authority} if authority is not None else {},
            before=before_commands(),
        )

    def known(self, *invoice_ids: str) -> None:
        """Register invoices with the office as they are."""
        with self.db.snapshot() as conn:
            rows = asking.invoices_of(conn, invoice_ids)
            asks = asking.asks_for(conn, rows, SCHEME)
        self.office.register([facts_of(ask) for ask in asks.values()])

    def registered(self, number: str = "A-1") -> str:
        """Store an accepted invoice that the office knows."""
        invoice_id = self.invoice("1,000.00", number=number)
        self.known(invoice_id)
        return invoice_id

    def asked(self, invoice_id: str, purpose: str = "offer") -> dict[str, int]:
        """Ask the office about an invoice now."""
        return watching.refresh(self.platform, [invoice_id], purpose)

    def decided(self, invoice_id: str) -> str:
        """Bring an invoice to where money can be sent; gives its request."""
        request_id = str(self.request(invoice_id)["id"])
        self.decide(request_id, MAKER)
        self.decide(request_id, CHECKER)
        return request_id

    def prepare(self) -> dict[str, Any]:
        """Write payment files for all that is ready."""
        return self.run("payout.prepare", MAKER)

    def release(self, prepared: dict[str, Any]) -> dict[str, Any]:
        """Let a second person send the one file."""
        (file,) = prepared["files"]
        return self.run("payout.release", CHECKER, file_id=file["file_id"])

    def state(self) -> str:
        """Give the state of the one advance."""
        return str(self.all(Advance)[0].state)
