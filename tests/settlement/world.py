"""The world at work: officers' commands, the bank's files, the days; and a look at the books.

From the pay-out on everything runs through commands, and the bank is the simulator.
"""

# ruff: noqa: ANN401 - keywords are handed on to whatever takes them

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlmodel import SQLModel

from scf.demo import bank
from scf.kernel.actor import Actor
from scf.kernel.ids import new_id
from scf.ledger.service import Chart, balances
from scf.parties.models import BusinessDate
from scf.settlement import day, payout, statements
from scf.settlement.expected import EntryIn, PartIn
from scf.settlement.intake import ReadStatement
from scf.settlement.models import BankEntry, PaymentInstruction
from tests.settlement.setting import (
    CHECKER,
    DUE,
    EUR,
    FINANCIER,
    IBANS,
    MAKER,
    NAMES,
    OBLIGOR,
    SELLER,
    START,
    STRANGER,
    Setting,
    eur,
)

__all__ = [
    "CHECKER",
    "DUE",
    "FINANCIER",
    "MAKER",
    "NAMES",
    "OBLIGOR",
    "SELLER",
    "START",
    "STRANGER",
    "World",
    "eur",
]


class World(Setting):
    """One database with three firms and a programme; amounts are texts in euro."""

    # --- Acts

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def run(self, name: str, actor: Actor = MAKER, /, **payload: Any) -> dict[str, Any]:
        return self.platform.run(name, payload, actor, key=self.key()).result

    def ordered(self, **payload: Any) -> list[bytes]:
        """Prepare and release whatever can be paid; gives the files."""
        found = []
        for file in self.run("payout.prepare", **payload)["files"]:
            self.run("payout.release", CHECKER, file_id=file["file_id"])
            with self.db.snapshot() as conn:
                found.append(payout.content_of(conn, file["file_id"], CHECKER))
        return found

    def pay_out(self, *, on: dt.date | None = None, **answer: Any) -> list[dict[str, Any]]:
        """Order, let the bank answer, and read its answer."""
        results = []
        for file in self.ordered():
            results += self.read(
                bank.answer(file, on=on or self.today, state_dir=self.folder, **answer)
            )
        return results

    def answer(self, file: bytes, **how: Any) -> list[dict[str, Any]]:
        """Let the bank answer one file today, and read its answer."""
        return self.read(bank.answer(file, on=self.today, state_dir=self.folder, **how))

    def read(self, files: list[bank.BankFile], **how: Any) -> list[dict[str, Any]]:
        return [
            statements.read_file(self.platform, MAKER, data, name, **how) for name, data in files
        ]

    def receipt(
        self,
        amount: str,
        reference: str,
        *,
        value_on: dt.date | None = None,
        firm: str = OBLIGOR,
        on: dt.date | None = None,
        name: str | None = None,
        account: str | None = None,
    ) -> bank.BankFile:
        return bank.receive(
            from_name=NAMES[firm] if name is None else name,
            from_account=IBANS[firm] if account is None else account,
            to_account=IBANS[FINANCIER],
            amount_minor=eur(amount),
            currency=EUR,
            reference=reference,
            on=on or max(self.today, value_on or self.today),
            value_on=value_on,
            state_dir=self.folder,
        )

    def receive(self, amount: str, reference: str, **how: Any) -> dict[str, Any]:
        """Let money come in and read the statement; gives what was said of it."""
        return self.read([self.receipt(amount, reference, **how)])[0]

    def taken_back(self, entry: Row[Any]) -> dict[str, Any]:
        """Let the bank reverse a credit, as no payer can order it."""
        return self.run("statement.read", **self.slice([self.reversal(entry)]))

    def reversal(self, entry: Row[Any]) -> EntryIn:
        """What the bank says when it takes a credit back."""
        return EntryIn(
            identity=new_id(),
            place="Ntry",
            amount_minor=-entry.amount_minor,
            currency=EUR,
            booked_on=self.today,
            value_on=self.today,
            is_reversal=True,
            parts=[PartIn(references=entry.details["parts"][0]["references"])],
        )

    def slice(self, rows: list[EntryIn]) -> dict[str, Any]:
        """A slice of a statement with these entries."""
        return ReadStatement(
            sha256=new_id(),
            place=0,
            part=0,
            statement_ref="S",
            account=IBANS[FINANCIER],
            currency=EUR,
            opening_minor=0,
            closing_minor=0,
            total=len(rows),
            entries=rows,
        ).model_dump()

    def close_to(self, on: dt.date) -> dict[str, Any]:
        return day.close_to(self.platform, FINANCIER, on)

    def morning_of(self, on: dt.date) -> None:
        """Close everything up to the day before."""
        self.close_to(on - dt.timedelta(days=1))

    def financed(
        self,
        face: str = "1,000,000.00",
        number: str = "INV-1",
        due_on: dt.date = DUE,
        invoice: str = "",
        **how: Any,
    ) -> str:
        """One invoice, financed for its face and paid out; gives the advance."""
        advance_id = self.advance(self.invoice(number, invoice or face, due_on), face, **how)
        self.pay_out()
        return advance_id

    def set_date(self, on: dt.date) -> None:
        with self.db.writer.begin() as conn:
            conn.execute(update(BusinessDate.__table__).values(current_on=on))  # type: ignore[attr-defined]

    # --- What is

    def get(self, model: type[SQLModel], row_id: str) -> Row[Any]:
        table = model.__table__  # type: ignore[attr-defined]
        with self.db.snapshot() as conn:
            return conn.execute(select(table).where(table.c.id == row_id)).one()

    def all(self, model: type[SQLModel]) -> list[Row[Any]]:
        table = model.__table__  # type: ignore[attr-defined]
        with self.db.snapshot() as conn:
            return list(conn.execute(select(table).order_by(table.c.id)))

    def entries(self) -> list[Row[Any]]:
        return [row for row in self.all(BankEntry) if row.amount_minor > 0]

    def last_entry(self) -> Row[Any]:
        return self.all(BankEntry)[-1]

    def instructions(self) -> list[Row[Any]]:
        return self.all(PaymentInstruction)

    def book(self, org: str) -> dict[str, int]:
        """Balances of one book by account code, zeros left out."""
        with self.db.snapshot() as conn:
            found = balances(conn, org)
        return {code: amount for (code, _), amount in found.items() if amount}

    def open_accounts(self, org: str) -> Mapping[str, int]:
        return {code: n for code, n in self.book(org).items() if Chart.lines[code].clears}

    def cash(self) -> int:
        return self.book(FINANCIER).get("cash", 0)

    def count(self, model: type[SQLModel]) -> int:
        with self.db.snapshot() as conn:
            return conn.execute(
                select(func.count()).select_from(model.__table__)  # type: ignore[attr-defined]
            ).scalar_one()
