"""People of the demo world at work: every act one command, under the next key of the story."""

import dataclasses
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from scf.chain import nightly as chain_nightly
from scf.db.platform import Platform
from scf.demo import bank, cast, world
from scf.demo.cast import Cast
from scf.demo.taxoffice import TaxOffice
from scf.demo.trade import CURRENCY, Paper
from scf.documents import intake
from scf.documents.models import Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.financing.models import FinancingRequest
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.errors import ScfError
from scf.parties.service import business_date
from scf.programmes.service import terms_on
from scf.risk import nightly as risk_nightly
from scf.risk.watch import nightly as watching
from scf.settlement import payout, statements

PIECE = 50  # invoices accepted in one act
_invoice = Invoice.__table__  # type: ignore[attr-defined]
_request = FinancingRequest.__table__  # type: ignore[attr-defined]


class Story:
    """Everybody in the demo world, and what they can do."""

    def __init__(
        self,
        platform: Platform,
        clock: FixedClock,
        today: dt.date,
        players: Cast,
        bank_folder: Path,
    ) -> None:
        self.platform, self.clock, self.today, self.cast = platform, clock, today, players
        self.bank = bank_folder
        self.sign_ins: list[dict[str, str]] = []
        self.builder = world.Builder(platform)
        self.firms: dict[str, str] = {}
        self.staff: dict[Role, Actor] = {}
        self.people: dict[str, Actor] = {}
        self.ids: dict[str, str] = {}  # invoices by number
        self.owed: dict[dt.date, list[Paper]] = defaultdict(list)  # what anchors pay, by the day
        self.told: set[str] = set()
        self.papers: list[Paper] = []
        self.unaccepted: set[str] = set()
        self.waiting: dict[str, list[Paper]] = defaultdict(list)  # of small buyers, till they tell
        self.month = 0
        self.latest = clock.now()
        self.acts = 0

    def asks(self, office: TaxOffice) -> None:
        """Let a tax office answer from now on."""
        self.platform = dataclasses.replace(
            self.platform, services={**self.platform.services, "tax": office}
        )
        self.builder = world.Builder(self.platform)

    def run(self, name: str, payload: dict[str, Any], actor: Actor) -> dict[str, Any]:
        """Run one command under the next key of the story."""
        self.acts += 1
        return self.builder.run(name, payload, actor, f"story:{self.acts}")

    def accept(self, who: Actor, papers: Sequence[Paper]) -> None:
        """Let a buyer accept invoices."""
        for start in range(0, len(papers), PIECE):
            part = [{"invoice_id": self.ids[one.number]} for one in papers[start : start + PIECE]]
            self.run("invoice.accept", {"items": part}, who)

    def remember(self, papers: Sequence[Paper]) -> None:
        """Look up under which ids invoices were stored."""
        with self.platform.db.snapshot() as conn:
            found = conn.execute(
                select(_invoice.c.number, _invoice.c.id).where(
                    _invoice.c.number.in_([paper.number for paper in papers])
                )
            ).all()
        self.ids.update({row.number: row.id for row in found})

    def upload(self, who: Actor, name: str, mapping: dict[str, Any], content: bytes) -> None:
        """Let somebody hand in a table; it is read at once."""
        received = self.run(
            "upload.receive",
            {
                "name": f"{name}.csv", "content": content, "format": "csv",
                "mapping": ColumnMapping.from_json(
                    json.dumps({**mapping, "default_currency": CURRENCY})
                ),
            },
            who,
        )  # fmt: skip
        intake.run_upload(self.platform, received["upload_id"])

    def night(self) -> None:
        """Build the chain of the present morning and judge every firm in it."""
        chain_nightly.build_all(self.platform)
        risk_nightly.assess_all(self.platform)
        watching.watch_all(self.platform)

    def ask(
        self,
        paper: Paper,
        *,
        decide: bool,
        amount: int | None = None,
        programme_id: str | None = None,
    ) -> str | None:
        """Ask for money on one invoice; gives the request, or nothing where it was refused."""
        seller = self.people[paper.seller.name]
        ask: dict[str, Any] = {"invoice_ids": [self.ids[paper.number]]}
        if amount is not None:
            ask["amount_minor"] = amount
        if programme_id is not None:
            ask["programme_id"] = programme_id
        try:
            quote = self.run("quote.make", ask, seller)
            request = self.run("request.submit", {"quote_id": quote["id"]}, seller)
        except ScfError:
            return None  # the platform has its reasons; the world is not made to please it
        if decide:
            self.decide(str(request["id"]))
        return str(request["id"])

    def _state(self, request_id: str) -> Any:  # noqa: ANN401 - a row
        with self.platform.db.snapshot() as conn:
            return conn.execute(select(_request).where(_request.c.id == request_id)).one()

    def decide(self, request_id: str, *, second: bool = True) -> None:
        """Let the officers look and approve: both, or for now only the first."""
        maker, checker = self.staff[Role.OFFICER_MAKER], self.staff[Role.OFFICER_CHECKER]
        row = self._state(request_id)
        undecided = {"SUBMITTED", "IN_REVIEW"}
        for kind in self._wanted(row, "checks_before_decision"):
            if row.state in undecided:  # the policy may have decided already
                self._check(request_id, kind)
        for officer in (maker, checker) if second else (maker,):
            row = self._state(request_id)
            if row.state in undecided:
                self.run(
                    "request.decide",
                    {
                        "request_id": request_id, "version": row.version, "outcome": "APPROVE",
                        "note": "Papers match, the buyer has undertaken to pay.",
                    },
                    officer,
                )  # fmt: skip
        if second and self._state(request_id).state == "APPROVED":
            for kind in self._wanted(row, "checks_before_payout"):
                self._check(request_id, kind)

    def _wanted(self, row: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401 - a row
        with self.platform.db.snapshot() as conn:
            on = business_date(conn, row.financier_id)
            found: tuple[str, ...] = getattr(terms_on(conn, row.programme_id, on)[1], name)
        return found

    def _check(self, request_id: str, kind: str) -> None:
        check = {
            "request_id": request_id, "kind": kind, "result": "CLEAR",
            "evidence": "looked up by hand, nothing found",
        }  # fmt: skip
        self.run("request.check", check, self.staff[Role.OFFICER_MAKER])

    def pay_out(self) -> None:
        """Pay what is ready: prepared by one, released by another, answered by the bank."""
        maker, checker = self.staff[Role.OFFICER_MAKER], self.staff[Role.OFFICER_CHECKER]
        for file in self.run("payout.prepare", {}, maker)["files"]:
            self.run("payout.release", {"file_id": file["file_id"]}, checker)
            with self.platform.db.snapshot() as conn:
                content = payout.content_of(conn, file["file_id"], checker)
            on = self.clock.now().date()
            for answered in bank.answer(content, on=on, state_dir=self.bank):
                self.read(answered)

    def read(self, answered: bank.BankFile) -> None:
        """Read one file of the bank."""
        name, data = answered
        statements.read_file(self.platform, self.staff[Role.OFFICER_MAKER], data, name)

    def receive(self, payer: cast.Actor, amount: int, words: str, account: str = "") -> None:
        """Let money come in from a firm, with what it wrote; by default from its own account."""
        own = world.FIRMS
        self.read(
            bank.receive(
                from_name=payer.name,
                from_account=account or (own[payer.name][3] if payer.name in own else payer.iban),
                to_account=own[world.FINANCIER][3],
                to_name=world.FINANCIER,
                amount_minor=amount,
                currency=CURRENCY,
                reference=words,
                on=self.clock.now().date(),
                state_dir=self.bank,
            )
        )
