"""A small world for tests of money: seller, obligor, financier, advances up to the pay-out.

What other slices do before a pay-out (quotes, decisions, checks) is put into the tables through
their inner functions, so that limits, claims, invoices and events are as they would be. From the
pay-out on everything runs through commands, and the bank is the simulator.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import SQLModel

from scf.bootstrap import load_chart, load_slices
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.db.runner import Context, Runner
from scf.demo import bank
from scf.documents import axes
from scf.documents.models import Invoice
from scf.documents.rules import canonical_number
from scf.financing import advances
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.daycount import DayCount
from scf.kernel.ids import new_id
from scf.kernel.money import parse_minor
from scf.kernel.rates import discount, percent_to_fraction
from scf.ledger.service import Chart, LedgerEvent, balances, post
from scf.offers.models import Quote, QuoteLine
from scf.parties.access import authorise
from scf.parties.models import BankAccount, BusinessDate, Firm
from scf.programmes import claims, limits
from scf.programmes.models import LimitNode, Programme, ProgrammeVersion
from scf.programmes.terms import Terms
from scf.settlement import day, payout, statements
from scf.settlement.intake import EntryIn, PartIn, ReadStatement
from scf.settlement.journals import ARRANGEMENT, TRADE_PAYABLES
from scf.settlement.models import BankEntry, PaymentInstruction

START = dt.date(2026, 3, 10)
DUE = dt.date(2026, 6, 8)
EUR = "EUR"
SELLER, OBLIGOR, FINANCIER, STRANGER = "seller", "obligor", "financier", "stranger"
IBANS = {
    SELLER: "FR1420041010050500013M02606",
    OBLIGOR: "DE89370400440532013000",
    FINANCIER: "NL91ABNA0417164300",
    STRANGER: "GB82WEST12345698765432",
}
NAMES = {
    SELLER: "Seller SARL",
    OBLIGOR: "Obligor AG",
    FINANCIER: "Financier NV",
    STRANGER: "Stranger Ltd",
}
MAKER = Actor("u-maker", FINANCIER, frozenset({Role.OFFICER_MAKER}), "maker")
CHECKER = Actor("u-checker", FINANCIER, frozenset({Role.OFFICER_CHECKER}), "checker")


def eur(text: str) -> int:
    return parse_minor(text.replace(",", ""), EUR)


def row_of(model: SQLModel) -> dict[str, Any]:
    return model.model_dump()


class World:
    """One database with three firms and a programme; amounts are texts in euro."""

    def __init__(self, db: Database, folder: Path, **terms: Any) -> None:
        load_slices()
        load_chart()
        self.db, self.folder = db, folder
        self.clock = FixedClock(dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC))
        self.platform = Platform(
            db, self.clock, Runner(db, self.clock, authorise), lambda _: {}, lambda _: None
        )
        agreed = {
            "technique": "payables_finance",
            "currency": {EUR: {"benchmark": "EURIBOR-3M"}},
            "margin": [{"max_days": 365, "margin_ppm": 12_000}],
            "rebate_to": "payer",
        } | terms
        self.terms = Terms.model_validate(agreed)
        self.keys = 0
        with db.writer.begin() as conn:
            self._parties(conn)
            self._programme(conn)

    # --- Set-up

    def _insert(self, conn: Any, *rows: SQLModel) -> None:
        for row in rows:
            conn.execute(insert(type(row).__table__), row_of(row))  # type: ignore[attr-defined]

    def _parties(self, conn: Any) -> None:
        now = self.clock.now()
        for firm, name in NAMES.items():
            kind = "financier" if firm == FINANCIER else "trader"
            self._insert(
                conn,
                Firm(id=firm, kind=kind, state="ACTIVE", name=name, country=None, created_at=now),
                BankAccount(
                    id=f"account-{firm}", firm_id=firm, number=IBANS[firm], currency=EUR,
                    holder=name, state="VERIFIED", added_by="x", verified_by="y",
                    verified_at=now, created_at=now,
                ),
            )  # fmt: skip
        self._insert(conn, BusinessDate(financier_id=FINANCIER, current_on=START))

    def _programme(self, conn: Any) -> None:
        now = self.clock.now()
        self._insert(
            conn,
            Programme(
                id="programme", code="P", name="P", financier_id=FINANCIER, anchor_id=OBLIGOR,
                technique="payables_finance", state="ACTIVE", created_by="x", created_at=now,
            ),
            ProgrammeVersion(
                id="version", programme_id="programme", number=1, effective_on=START,
                terms=self.terms.model_dump(mode="json"), terms_digest="d", created_by="x",
                created_at=now, approved_by="y", approved_at=now,
            ),
            *(
                LimitNode(
                    id=f"node-{kind}", financier_id=FINANCIER, kind=kind,
                    kind_rank=limits.RANK[kind], subject_id=subject, currency=EUR,
                    limit_minor=10**13, created_at=now,
                )
                for kind, subject in (
                    ("financier", FINANCIER), ("programme", "programme"), ("obligor", OBLIGOR),
                    ("seller", SELLER),
                )
            ),
        )  # fmt: skip

    def context(self, conn: Any, actor: Actor = OPERATOR) -> Context:
        return Context(conn, actor, self.clock.now(), "test", new_id(), "k", "", self.db.dialect)

    def invoice(self, number: str, amount: str, due_on: dt.date = DUE) -> str:
        """Store an invoice that the obligor has irrevocably accepted."""
        minor, invoice_id = eur(amount), new_id()
        row = Invoice(
            id=invoice_id, number=number, seller_id=SELLER, buyer_id=OBLIGOR, issue_on=START,
            currency=EUR, type_code="380", canonical_number=canonical_number(number),
            duplicate_key=new_id(), due_on=due_on, net_minor=minor, tax_minor=0,
            gross_minor=minor, payable_minor=minor, document_state="VALIDATED",
            acceptance_state="ACCEPTED", ipu=True, accepted_minor=minor, acceptance_version=1,
            base_minor=minor, parties={}, org_id=SELLER, upload_id="u", original_id="o",
            created_at=self.clock.now(),
        )  # fmt: skip
        with self.db.writer.begin() as conn:
            self._insert(conn, row)
            post(
                self.context(conn),
                [
                    LedgerEvent(
                        f"{invoice_id}:1", "invoice_accepted", invoice_id, EUR, START, START, "",
                        [accepted(minor)],
                    )
                ],
            )  # fmt: skip
        return invoice_id

    def advance(
        self,
        invoice_id: str,
        face: str,
        *,
        value_on: dt.date | None = None,
        fee: str = "0",
        recourse: bool = False,
        ready: bool = True,
    ) -> str:
        """Bring an advance as far as the pay-out: held, decided, signed, registered, rechecked."""
        advance_id = new_id()
        with self.db.writer.begin() as conn:
            ctx = self.context(conn)
            table = Invoice.__table__  # type: ignore[attr-defined]
            invoice = conn.execute(select(table).where(table.c.id == invoice_id)).one()
            start = value_on or self.today
            minor, charge = eur(face), eur(fee)
            cost = discount(
                minor, percent_to_fraction("4.65"), start, invoice.due_on, DayCount.ACT_360
            )
            days = (invoice.due_on - start).days
            self._request(conn, advance_id, invoice, (minor, cost, charge), start)
            uses = limits.uses_of(
                financier_id=FINANCIER, programme_id="programme", obligor_id=OBLIGOR,
                seller_id=SELLER, face=minor, net=minor - cost - charge, days=days,
                with_recourse=recourse,
            )  # fmt: skip
            limits.take_many(
                ctx, financier_id=FINANCIER, currency=EUR, takes=[limits.Take(advance_id, uses)]
            )
            ctx.lock(Invoice, [invoice_id])
            axes.hold(ctx, invoice_id, minor)
            claims.claim(ctx, invoice_id, "programme", FINANCIER)
            row = Advance(
                id=advance_id, request_id=f"r-{advance_id}", quote_line_id=f"l-{advance_id}",
                invoice_id=invoice_id, programme_id="programme", programme_version_id="version",
                seller_id=SELLER, obligor_id=OBLIGOR, financier_id=FINANCIER, state="NEW",
                recourse=recourse, currency=EUR, face_minor=minor, discount_minor=cost,
                fee_minor=charge, net_minor=minor - cost - charge, rate_percent="4.65",
                day_count="ACT/360", value_on=start, due_on=invoice.due_on, days=days,
                payee_account_id=f"account-{SELLER}", version=0, created_at=self.clock.now(),
            )  # fmt: skip
            self._insert(conn, row)
            table = Advance.__table__  # type: ignore[attr-defined]
            now = conn.execute(select(table).where(table.c.id == advance_id)).one()
            steps = ("request", "hold", "precheck", "decide", "sign", "register", "recheck")
            for step in steps if ready else steps[:4]:
                now = advances.transition(ctx, now, step, self.today)
        return advance_id

    def _request(
        self, conn: Any, advance_id: str, invoice: Any, amounts: tuple[int, int, int], on: dt.date
    ) -> None:
        face, cost, charge = amounts
        now = self.clock.now()
        money = {
            "face_minor": face, "discount_minor": cost, "fee_minor": charge,
            "net_minor": face - cost - charge,
        }  # fmt: skip
        self._insert(
            conn,
            Quote(
                id=f"q-{advance_id}", seller_id=SELLER, financier_id=FINANCIER, anchor_id=OBLIGOR,
                programme_id="programme", programme_version_id="version", state="USED",
                currency=EUR, rate_percent="4.65", rate_ppm=46_500, margin_ppm=12_000,
                benchmark="EURIBOR-3M", fixing_percent="3.45", fixing_on=on, day_count="ACT/360",
                rate_basis="face", all_in_ppm=0, effective_ppm=0, value_on=on, reasons=[],
                inputs_digest="d", created_by="x", created_at=now, expires_at=now, **money,
            ),
            QuoteLine(
                id=f"l-{advance_id}", quote_id=f"q-{advance_id}", place=0, invoice_id=invoice.id,
                acceptance_version=1, rate_percent="4.65", margin_ppm=12_000,
                due_on=invoice.due_on, settle_on=invoice.due_on,
                days=(invoice.due_on - on).days, **money,
            ),
            FinancingRequest(
                id=f"r-{advance_id}", quote_id=f"q-{advance_id}", seller_id=SELLER,
                financier_id=FINANCIER, programme_id="programme", state="APPROVED", currency=EUR,
                face_minor=face, net_minor=face - cost - charge, decide_by=now,
                submitted_by="x", submitted_at=now,
            ),
        )  # fmt: skip

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
            results += self.read(bank.answer(file, on=on or self.today, state_dir=self.folder, **answer))
        return results

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

    def taken_back(self, entry: Any) -> dict[str, Any]:
        """Let the bank reverse a credit, as no payer can order it."""
        row = EntryIn(
            identity=new_id(), place="Ntry", amount_minor=-entry.amount_minor, currency=EUR,
            booked_on=self.today, value_on=self.today, is_reversal=True,
            parts=[PartIn(references=entry.details["parts"][0]["references"])],
        )  # fmt: skip
        return self.run("statement.read", **self.slice([row]))

    def slice(self, rows: list[EntryIn]) -> dict[str, Any]:
        """A slice of a statement with these entries."""
        return ReadStatement(
            sha256=new_id(), place=0, part=0, statement_ref="S", account=IBANS[FINANCIER],
            currency=EUR, opening_minor=0, closing_minor=0, total=len(rows), entries=rows,
        ).model_dump()  # fmt: skip

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

    @property
    def today(self) -> dt.date:
        with self.db.snapshot() as conn:
            table = BusinessDate.__table__  # type: ignore[attr-defined]
            return conn.execute(select(table.c.current_on)).scalar_one()

    def get(self, model: type[SQLModel], row_id: str) -> Any:
        table = model.__table__  # type: ignore[attr-defined]
        with self.db.snapshot() as conn:
            return conn.execute(select(table).where(table.c.id == row_id)).one()

    def all(self, model: type[SQLModel]) -> list[Any]:
        table = model.__table__  # type: ignore[attr-defined]
        with self.db.snapshot() as conn:
            return list(conn.execute(select(table).order_by(table.c.id)))

    def entries(self) -> list[Any]:
        return [row for row in self.all(BankEntry) if row.amount_minor > 0]

    def last_entry(self) -> Any:
        return self.all(BankEntry)[-1]

    def instructions(self) -> list[Any]:
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


def accepted(minor: int) -> Any:
    from scf.ledger.service import Journal, credit, debit

    return Journal(OBLIGOR, (debit(TRADE_PAYABLES, minor), credit(ARRANGEMENT, minor)))
