"""Three firms, a programme, and advances up to the pay-out, put into the tables.

What other slices do before a pay-out (quotes, decisions, checks) happens through their inner
functions, so that limits, claims, invoices and events are as they would be.
"""

# ruff: noqa: ANN401 - keywords are handed on to whatever takes them

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from scf.bootstrap import load_calendars, load_chart, load_slices
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.db.runner import Context, Runner
from scf.documents import axes
from scf.documents.models import Invoice
from scf.documents.rules import canonical_number
from scf.financing import advances
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.financing.signing import signed
from scf.impairment.policy import install_policy
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.daycount import DayCount
from scf.kernel.ids import new_id
from scf.kernel.money import parse_minor
from scf.kernel.rates import discount, percent_to_fraction
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.offers.models import Quote, QuoteLine
from scf.parties.access import authorise
from scf.parties.models import AccountVerification, BankAccount, BusinessDate, Firm
from scf.programmes import claims, limits
from scf.programmes.models import LimitNode, Programme, ProgrammeVersion
from scf.programmes.techniques import technique_of
from scf.programmes.terms import Terms
from scf.settlement.journals import ARRANGEMENT, TRADE_PAYABLES
from scf.settlement.reminders.rules import install_plan

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


def make(model: type[SQLModel], **values: Any) -> SQLModel:
    """Build a row; columns that are not named take their default, or nothing."""
    return model(**values)


def accepted(minor: int) -> Journal:
    """What the acceptance booked, as the posting tables say."""
    return Journal(OBLIGOR, (debit(TRADE_PAYABLES, minor), credit(ARRANGEMENT, minor)))


def agreed(**terms: Any) -> Terms:
    """Give the terms of a programme: plain payables finance, but for what is said."""
    return Terms.model_validate(
        {
            "technique": "payables_finance",
            "currency": {EUR: {"benchmark": "EURIBOR-3M"}},
            "margin": [{"max_days": 365, "margin_ppm": 12_000}],
            "rebate_to": "payer",
        }
        | terms
    )


class Setting:
    """One database with three firms and a programme; amounts are texts in euro."""

    def __init__(self, db: Database, folder: Path, **terms: Any) -> None:
        load_slices()
        load_chart()
        load_calendars()
        install_policy(None)  # nobody provides for losses, unless a test says so
        install_plan(None)  # nor is anybody reminded
        self.db, self.folder = db, folder
        self.clock = FixedClock(dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC))
        self.platform = Platform(
            db, self.clock, Runner(db, self.clock, authorise), lambda _: {}, lambda _, __: None
        )
        self.terms = agreed(**terms)
        self.programme, self.version = "programme", "version"
        self.keys = 0
        with db.writer.begin() as conn:
            self._parties(conn)
            self._limits(conn, ("financier", FINANCIER), ("obligor", OBLIGOR), ("seller", SELLER))
            self._programme(conn)

    # --- Set-up

    def agree(self, name: str, **terms: Any) -> None:
        """Agree another programme between the same firms; what comes next lives in it."""
        self.terms = agreed(**terms)
        self.programme, self.version = f"programme-{name}", f"version-{name}"
        with self.db.writer.begin() as conn:
            self._programme(conn)

    def _insert(self, conn: Connection, *rows: SQLModel) -> None:
        for row in rows:
            conn.execute(insert(type(row).__table__), row.model_dump())  # type: ignore[attr-defined]

    def _parties(self, conn: Connection) -> None:
        now = self.clock.now()
        for firm, name in NAMES.items():
            kind = "financier" if firm == FINANCIER else "trader"
            self._insert(
                conn,
                make(
                    Firm,
                    id=firm,
                    kind=kind,
                    state="ACTIVE",
                    name=name,
                    country=None,
                    created_at=now,
                ),
                make(
                    BankAccount,
                    id=f"account-{firm}",
                    firm_id=firm,
                    number=IBANS[firm],
                    currency=EUR,
                    holder=name,
                    added_by="x",
                    added_by_org=firm,
                    created_at=now,
                ),
            )
        for firm in NAMES:
            self._insert(
                conn,
                make(
                    AccountVerification,
                    account_id=f"account-{firm}",
                    financier_id=FINANCIER,
                    verified_by="y",
                    verified_at=now,
                ),
            )
        self._insert(conn, make(BusinessDate, financier_id=FINANCIER, current_on=START))

    def another_account(self, firm: str, number: str, **columns: Any) -> str:
        """Let a firm name another account, and the financier verify it; gives its id."""
        now, account_id = self.clock.now() + dt.timedelta(minutes=1), f"account-{firm}-2"
        with self.db.writer.begin() as conn:
            self._insert(
                conn,
                make(
                    BankAccount, id=account_id, firm_id=firm, number=number, currency=EUR,
                    holder=NAMES[firm], added_by="x", added_by_org=firm, created_at=now, **columns,
                ),
                make(
                    AccountVerification, account_id=account_id, financier_id=FINANCIER,
                    verified_by="y", verified_at=now,
                ),
            )  # fmt: skip
        return account_id

    def _programme(self, conn: Connection) -> None:
        now = self.clock.now()
        self._insert(
            conn,
            make(
                Programme,
                id=self.programme,
                code=self.programme,
                name=self.programme,
                financier_id=FINANCIER,
                **{f"{technique_of(self.terms).agreed_with}_id": self.party},
                technique=self.terms.technique,
                state="ACTIVE",
                created_by="x",
                created_at=now,
            ),
            make(
                ProgrammeVersion,
                id=self.version,
                programme_id=self.programme,
                number=1,
                effective_on=START,
                terms=self.terms.model_dump(mode="json"),
                terms_digest="d",
                created_by="x",
                created_at=now,
                approved_by="y",
                approved_at=now,
            ),
        )
        self._limits(conn, ("programme", self.programme))

    def _limits(self, conn: Connection, *nodes: tuple[str, str]) -> None:
        self._insert(
            conn,
            *(
                make(
                    LimitNode,
                    id=f"node-{subject}",
                    financier_id=FINANCIER,
                    kind=kind,
                    kind_rank=limits.RANK[kind],
                    subject_id=subject,
                    currency=EUR,
                    limit_minor=10**13,
                    created_at=self.clock.now(),
                )
                for kind, subject in nodes
            ),
        )

    @property
    def party(self) -> str:
        """The firm that the programme is agreed with."""
        return {"anchor": OBLIGOR, "seller": SELLER}[technique_of(self.terms).agreed_with]

    def context(self, conn: Connection, actor: Actor = OPERATOR) -> Context:
        return Context(conn, actor, self.clock.now(), "test", new_id(), "k", "", self.db.dialect)

    def invoice(self, number: str, amount: str, due_on: dt.date = DUE) -> str:
        """Store an invoice; where the programme lives on it, irrevocably accepted."""
        minor, invoice_id = eur(amount), new_id()
        ipu = self.terms.ipu != "none"
        row = make(
            Invoice,
            id=invoice_id,
            number=number,
            seller_id=SELLER,
            buyer_id=OBLIGOR,
            issue_on=START,
            currency=EUR,
            type_code="380",
            canonical_number=canonical_number(number),
            duplicate_key=new_id(),
            due_on=due_on,
            net_minor=minor,
            tax_minor=0,
            gross_minor=minor,
            payable_minor=minor,
            document_state="VALIDATED",
            acceptance_state="ACCEPTED" if ipu else "NONE",
            ipu=ipu,
            accepted_minor=minor if ipu else None,
            acceptance_version=int(ipu),
            base_minor=minor,
            parties={},
            org_id=SELLER,
            upload_id="u",
            original_id="o",
            created_at=self.clock.now(),
        )
        with self.db.writer.begin() as conn:
            self._insert(conn, row)
            if not ipu:
                return invoice_id
            post(
                self.context(conn),
                [
                    LedgerEvent(
                        f"{invoice_id}:1",
                        "invoice_accepted",
                        invoice_id,
                        EUR,
                        START,
                        START,
                        "",
                        [accepted(minor)],
                    )
                ],
            )
        return invoice_id

    def advance(
        self,
        invoice_id: str,
        face: str,
        *,
        value_on: dt.date | None = None,
        fee: str = "0",
        tax: str = "0",
        rate: str = "4.65",
        recourse: bool | None = None,
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
            if recourse is None:
                recourse = self.terms.with_recourse
            reserve = technique_of(self.terms).reserve(self.terms, minor)
            cost = 0
            if self.terms.charge == "upfront":
                cost = discount(
                    minor - reserve,
                    percent_to_fraction(rate),
                    start,
                    invoice.due_on,
                    DayCount.ACT_360,
                )
            net = minor - reserve - cost - charge - eur(tax)
            days = (invoice.due_on - start).days
            self._request(conn, advance_id, invoice, (minor, cost, charge), start)
            uses = limits.uses_of(
                financier_id=FINANCIER,
                programme_id=self.programme,
                obligor_id=OBLIGOR,
                seller_id=SELLER,
                face=minor,
                net=net,
                days=days,
                with_recourse=recourse,
            )
            limits.take_many(
                ctx, financier_id=FINANCIER, currency=EUR, takes=[limits.Take(advance_id, uses)]
            )
            ctx.lock(Invoice, [invoice_id])
            axes.hold(ctx, invoice_id, minor)
            claims.claim(ctx, invoice_id, self.programme, FINANCIER)
            row = make(
                Advance,
                id=advance_id,
                request_id=f"r-{advance_id}",
                quote_line_id=f"l-{advance_id}",
                invoice_id=invoice_id,
                programme_id=self.programme,
                programme_version_id=self.version,
                seller_id=SELLER,
                obligor_id=OBLIGOR,
                financier_id=FINANCIER,
                state="NEW",
                recourse=recourse,
                currency=EUR,
                face_minor=minor,
                discount_minor=cost,
                fee_minor=charge,
                tax_minor=eur(tax),
                reserve_minor=reserve,
                reserve_left_minor=reserve,
                net_minor=net,
                rate_percent=rate,
                day_count="ACT/360",
                value_on=start,
                due_on=invoice.due_on,
                days=days,
                payee_account_id=f"account-{SELLER}",
                version=0,
                created_at=self.clock.now(),
            )
            self._insert(conn, row)
            table = Advance.__table__  # type: ignore[attr-defined]
            now = conn.execute(select(table).where(table.c.id == advance_id)).one()
            steps = ("request", "hold", "precheck", "decide", "sign", "register", "recheck")
            for step in steps if ready else steps[:4]:
                now = advances.transition(ctx, now, step, self.today)
            self._sign(conn, now)
        return advance_id

    def sign_again(self, advance_id: str) -> None:
        """Let the officer's word be on an advance as it is now."""
        with self.db.writer.begin() as conn:
            words, rows = Decision.__table__, Advance.__table__  # type: ignore[attr-defined]
            conn.execute(delete(words).where(words.c.id == f"d-{advance_id}"))
            self._sign(conn, conn.execute(select(rows).where(rows.c.id == advance_id)).one())

    def _sign(self, conn: Connection, advance: Row[Any]) -> None:
        """Let an officer's word stand on the request of an advance."""
        requests = FinancingRequest.__table__  # type: ignore[attr-defined]
        request = conn.execute(select(requests).where(requests.c.id == advance.request_id)).one()
        self._insert(
            conn,
            make(
                Decision,
                id=f"d-{advance.id}",
                request_id=request.id,
                round=1,
                step=2,
                outcome="APPROVE",
                note="",
                signed_digest=signed(conn, request, [advance], 1),
                version=1,
                seen={},
                user_id="u-checker",
                at=self.clock.now(),
            ),
        )

    def _request(
        self,
        conn: Connection,
        advance_id: str,
        invoice: Row[Any],
        amounts: tuple[int, int, int],
        on: dt.date,
    ) -> None:
        face, cost, charge = amounts
        now = self.clock.now()
        money = {
            "face_minor": face, "discount_minor": cost, "fee_minor": charge,
            "net_minor": face - cost - charge,
        }  # fmt: skip
        self._insert(
            conn,
            make(
                Quote,
                id=f"q-{advance_id}",
                seller_id=SELLER,
                financier_id=FINANCIER,
                anchor_id=OBLIGOR,
                programme_id=self.programme,
                programme_version_id=self.version,
                state="USED",
                currency=EUR,
                rate_percent="4.65",
                rate_ppm=46_500,
                margin_ppm=12_000,
                benchmark="EURIBOR-3M",
                fixing_percent="3.45",
                fixing_on=on,
                day_count="ACT/360",
                rate_basis="face",
                all_in_ppm=0,
                effective_ppm=0,
                value_on=on,
                reasons=[],
                inputs_digest="d",
                created_by="x",
                created_at=now,
                expires_at=now,
                **money,
            ),
            make(
                QuoteLine,
                id=f"l-{advance_id}",
                quote_id=f"q-{advance_id}",
                place=0,
                invoice_id=invoice.id,
                acceptance_version=1,
                rate_percent="4.65",
                margin_ppm=12_000,
                due_on=invoice.due_on,
                settle_on=invoice.due_on,
                days=(invoice.due_on - on).days,
                **money,
            ),
            make(
                FinancingRequest,
                id=f"r-{advance_id}",
                quote_id=f"q-{advance_id}",
                seller_id=SELLER,
                financier_id=FINANCIER,
                programme_id=self.programme,
                state="APPROVED",
                currency=EUR,
                all_in_ppm=0,
                effective_ppm=0,
                route="officer",
                reasons=[],
                decide_by=now,
                submitted_by="x",
                submitted_on=on,
                submitted_at=now,
                approved_version=1,
                **money,
            ),
        )

    @property
    def today(self) -> dt.date:
        """The financier's business date."""
        with self.db.snapshot() as conn:
            table = BusinessDate.__table__  # type: ignore[attr-defined]
            return dt.date.fromisoformat(str(conn.execute(select(table.c.current_on)).scalar_one()))
