"""A world in which deals are made: a financier, an anchor, suppliers, one programme, limits.

Firms and accounts stand in the tables already; everything that this suite is about (terms, limits,
fixings, acceptances, quotes, requests) enters by commands.
"""

import datetime as dt
import importlib
import itertools
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from sqlalchemy import Row, Table, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from scf.bootstrap import SLICES, deliver, job_handlers, load_calendars, load_chart
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.db.runner import Context, Runner
from scf.documents.models import Invoice
from scf.documents.rules import canonical_number
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.errors import ScfError
from scf.kernel.ids import new_id
from scf.kernel.money import parse_minor
from scf.parties.access import authorise
from scf.parties.models import AccountVerification, BankAccount, BusinessDate, Firm, User, UserRole
from scf.programmes.terms import CHECKS_BEFORE_DECISION, CHECKS_BEFORE_PAYOUT

EUR = "EUR"
DAY = dt.date(2026, 3, 10)  # golden 1: a Tuesday
DUE = dt.date(2026, 6, 6)  # a Saturday; rolled to Monday 8 June
MORNING = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)

BANK, ANCHOR, SELLER, OTHER_BANK = "bank", "anchor", "seller", "other-bank"
TREASURER = Actor("u-treasurer", SELLER, frozenset({Role.TREASURER}))
APPROVER = Actor("u-approver", ANCHOR, frozenset({Role.ANCHOR_APPROVER, Role.ANCHOR_CLERK}))
MAKER = Actor("u-maker", BANK, frozenset({Role.OFFICER_MAKER}))
CHECKER = Actor("u-checker", BANK, frozenset({Role.OFFICER_CHECKER}))
HEAD = Actor("u-head", BANK, frozenset({Role.HEAD_OFFICE}))
OTHER_MAKER = Actor("u-other-maker", OTHER_BANK, frozenset({Role.OFFICER_MAKER}))
OTHER_CHECKER = Actor("u-other-checker", OTHER_BANK, frozenset({Role.OFFICER_CHECKER}))


def eur(text: str) -> int:
    """Give minor units of "1,000.00"."""
    return parse_minor(text.replace(",", ""), EUR)


def table(model: type[SQLModel]) -> Table:
    made: Table = model.__table__  # type: ignore[attr-defined]
    return made


def programme_file(code: str = "", shipped: str = "payables-finance", **terms: str) -> str:
    """Give a shipped programme file with some plain terms changed (values as TOML)."""
    text = files("config").joinpath(f"programmes/{shipped}.toml").read_text("utf-8")
    lines = text.replace(f'code = "{shipped}"', f'code = "{code or shipped}"').splitlines()
    for name, value in terms.items():
        found = [n for n, line in enumerate(lines) if line.split("=")[0].strip() == name]
        if found:
            lines[found[0]] = f"{name} = {value}"
        else:
            lines.insert(lines.index("[terms]") + 1, f"{name} = {value}")
    return "\n".join(lines)


def refusals_of(error: ScfError) -> list[dict[str, Any]]:
    """Give the refusals that an error carries."""
    found: Any = error.facts["refusals"]
    return list(found)


class Deals:
    """One database with its people and one active programme; amounts are texts in euro."""

    file: Callable[..., str] = staticmethod(programme_file)  # other deals have other files

    def __init__(self, db: Database, *, limits: str | None = "10,000,000.00", **terms: str) -> None:
        for name in SLICES:
            if not name.startswith("scf.settlement"):  # what happens once money moves
                importlib.import_module(name)
        load_chart()
        load_calendars()
        self.db = db
        self.clock = FixedClock(MORNING)
        self.platform = Platform(
            db, self.clock, Runner(db, self.clock, authorise), job_handlers, deliver
        )
        self._keys = itertools.count()
        self._numbers = itertools.count(1)
        with db.writer.begin() as conn:
            for firm in (BANK, ANCHOR, SELLER, OTHER_BANK):
                kind = "financier" if firm.endswith("bank") else "trader"
                self.add_firm(conn, firm, kind)
            for bank in (BANK, OTHER_BANK):
                self._insert(conn, BusinessDate(financier_id=bank, current_on=DAY))
            self.add_account(conn, SELLER)
        self.programme_id = self.programme(**terms)
        self.fix("3.45")
        if limits is not None:
            nodes = (
                ("financier", BANK), ("programme", self.programme_id), ("obligor", ANCHOR),
                ("seller", SELLER),
            )  # fmt: skip
            self.grant(*(self.propose(kind, subject, limits) for kind, subject in nodes))

    # --- Set-up

    def _insert(self, conn: Connection, *rows: SQLModel) -> None:
        for row in rows:
            conn.execute(insert(table(type(row))), row.model_dump())

    def add_firm(self, conn: Connection, firm: str, kind: str = "trader") -> None:
        now = self.clock.now()
        self._insert(
            conn,
            Firm(
                id=firm,
                kind=kind,
                state="ACTIVE",
                name=firm,
                country="DE",
                invited_by=None,
                created_at=now,
            ),
        )

    def add_account(
        self,
        conn: Connection,
        firm: str,
        number: str = "DE89370400440532013000",
        banks: Sequence[str] = (BANK, OTHER_BANK),
    ) -> str:
        """Store an account that the firm named and that each of the banks has verified."""
        now, account_id = self.clock.now(), new_id()
        self._insert(
            conn,
            BankAccount(
                id=account_id, firm_id=firm, number=number, currency=EUR, holder=firm,
                added_by="x", added_by_org=firm, created_at=now, bic=None,
            ),
            *(
                AccountVerification(
                    account_id=account_id, financier_id=bank, verified_by="y", verified_at=now,
                    usable_on=None,
                )
                for bank in banks
            ),
        )  # fmt: skip
        return account_id

    def change_country(self, firm: str, number: str, to: str) -> None:
        """Let a firm keep its account elsewhere: the same record with another IBAN."""
        with self.db.writer.begin() as conn:
            accounts = table(BankAccount)
            here = (accounts.c.firm_id == firm) & (accounts.c.number == number)
            conn.execute(update(accounts).where(here).values(number=to))

    def programme(self, code: str = "", bank: str = BANK, **terms: str) -> str:
        """Load and activate a programme of the anchor."""
        return self.agreed(self.file(code, **terms), bank, anchor_id=ANCHOR)

    def agreed(self, content: str, bank: str = BANK, **party: str) -> str:
        """Load a programme that is agreed with a party, and activate it."""
        maker, checker = (MAKER, CHECKER) if bank == BANK else (OTHER_MAKER, OTHER_CHECKER)
        loaded = self.run("programme.load", maker, content=content, effective_on=DAY, **party)
        self.run("programme.activate", checker, programme_id=loaded["id"])
        return str(loaded["id"])

    def propose(self, kind: str, subject: str, amount: str, who: Actor = MAKER) -> dict[str, Any]:
        """Let one person set a limit: a lower one binds, more waits for another person."""
        return self.run(
            "limit.set",
            who,
            kind=kind,
            subject_id=subject,
            currency=EUR,
            limit_minor=eur(amount),
        )

    def grant(self, *proposed: dict[str, Any], who: Actor = CHECKER) -> list[dict[str, Any]]:
        """Let a second person confirm what waits; gives the limits as they are then."""
        items = [
            {"limit_id": one["id"], "limit_minor": one["proposed_minor"]}
            for one in proposed
            if one["waits_for_second"]
        ]
        done = self.run("limit.confirm", who, items=items)["items"] if items else ()
        after = {one["id"]: one for one in done}
        return [after.get(one["id"], one) for one in proposed]

    def limit(self, kind: str, subject: str, amount: str, bank: str = BANK) -> dict[str, Any]:
        """Set a limit by as many people as it takes."""
        maker, checker = (MAKER, CHECKER) if bank == BANK else (OTHER_MAKER, OTHER_CHECKER)
        (node,) = self.grant(self.propose(kind, subject, amount, maker), who=checker)
        return node

    def fix(self, percent: str, on: dt.date = DAY, bank: str = BANK) -> None:
        """Record and confirm a benchmark value."""
        maker, checker = (MAKER, CHECKER) if bank == BANK else (OTHER_MAKER, OTHER_CHECKER)
        made = self.run("fixing.add", maker, benchmark="EURIBOR-3M", fixed_on=on, percent=percent)
        if made["waits_for_second"]:
            self.run("fixing.confirm", checker, fixing_id=made["id"], percent=percent)

    def invoice(
        self, amount: str = "1,000,000.00", *, accepted: bool = True, **columns: object
    ) -> str:
        """Store an invoice as validated; by default the anchor accepts it."""
        minor, invoice_id = eur(amount), new_id()
        number = str(columns.pop("number", f"INV-{next(self._numbers)}"))
        values: dict[str, Any] = {
            "id": invoice_id, "number": number, "seller_id": SELLER, "buyer_id": ANCHOR,
            "issue_on": DAY, "currency": EUR, "type_code": "380",
            "canonical_number": canonical_number(number), "duplicate_key": new_id(),
            "due_on": DUE, "net_minor": minor, "tax_minor": 0, "gross_minor": minor,
            "payable_minor": minor, "document_state": "VALIDATED", "base_minor": minor,
            "parties": {}, "org_id": SELLER, "upload_id": "u", "original_id": "o",
            "created_at": self.clock.now(), **columns,
        }  # fmt: skip
        with self.db.writer.begin() as conn:
            self._insert(conn, Invoice(**values))
        if accepted:
            self.accept(invoice_id)
        return invoice_id

    # --- Acts

    def key(self) -> str:
        return f"key-{next(self._keys)}"

    def person(self, user_id: str, email: str, *roles: Role, org: str = BANK) -> None:
        """Give an actor of these tests an account with a mailbox."""
        with self.db.writer.begin() as conn:
            user = User(
                id=user_id, email=email, name=user_id, org_id=org, password_hash=None,
                created_at=self.clock.now(),
            )  # fmt: skip
            self._insert(conn, user)
            for role in roles:
                conn.execute(insert(table(UserRole)), {"user_id": user_id, "role": role.value})

    def run(self, name: str, actor: Actor, key: str = "", /, **payload: object) -> dict[str, Any]:
        return self.platform.run(name, payload, actor, key=key or self.key()).result

    def accept(self, invoice_id: str, **word: object) -> dict[str, Any]:
        return self.run("invoice.accept", APPROVER, items=[{"invoice_id": invoice_id, **word}])

    def quote(self, *invoice_ids: str, amount: str | None = None, **ask: object) -> dict[str, Any]:
        if amount is not None:
            ask["amount_minor"] = eur(amount)
        return self.run("quote.make", TREASURER, invoice_ids=list(invoice_ids), **ask)

    def submit(self, quote_id: str, key: str = "") -> dict[str, Any]:
        return self.run("request.submit", TREASURER, key, quote_id=quote_id)

    def request(
        self, *invoice_ids: str, amount: str | None = None, **ask: object
    ) -> dict[str, Any]:
        return self.submit(self.quote(*invoice_ids, amount=amount, **ask)["id"])

    def check(
        self, request_id: str, *kinds: str, result: str = "CLEAR", who: Actor = MAKER
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for kind in kinds:
            answer = self.run(
                "request.check",
                who,
                request_id=request_id,
                kind=kind,
                result=result,
                evidence="looked at the file",
            )
        return answer

    def decide(
        self, request_id: str, who: Actor, outcome: str = "APPROVE", **more: object
    ) -> dict[str, Any]:
        version = more.pop("version", None) or self.version(request_id)
        return self.run(
            "request.decide", who, request_id=request_id, version=version, outcome=outcome, **more
        )

    def approve(self, request_id: str) -> dict[str, Any]:
        """Bring a request to its approval."""
        self.check(request_id, *CHECKS_BEFORE_DECISION)
        self.decide(request_id, MAKER)
        return self.decide(request_id, CHECKER)

    def ready(self, request_id: str) -> None:
        """Bring a request to where money can be sent."""
        self.approve(request_id)
        self.check(request_id, *CHECKS_BEFORE_PAYOUT)

    def set_date(self, on: dt.date, bank: str = BANK) -> None:
        with self.db.writer.begin() as conn:
            dates = table(BusinessDate)
            conn.execute(update(dates).where(dates.c.financier_id == bank).values(current_on=on))

    def change(self, model: type[SQLModel], row_id: str, **values: object) -> None:
        """Write what no command of this suite can bring about."""
        with self.db.writer.begin() as conn:
            rows = table(model)
            conn.execute(update(rows).where(rows.c.id == row_id).values(**values))

    def context(self, conn: Connection, actor: Actor = OPERATOR) -> Context:
        """Give what an inner function needs, outside the runner."""
        return Context(conn, actor, self.clock.now(), "test", new_id(), "k", "", self.db.dialect)

    # --- What is

    def version(self, request_id: str) -> int:
        from scf.financing.models import FinancingRequest

        return int(self.get(FinancingRequest, request_id).version)

    def get(self, model: type[SQLModel], row_id: str) -> Row[Any]:
        rows = table(model)
        with self.db.snapshot() as conn:
            return conn.execute(select(rows).where(rows.c.id == row_id)).one()

    def all(self, model: type[SQLModel], **where: object) -> list[Row[Any]]:
        rows = table(model)
        query = select(rows).order_by(rows.c.id)
        for name, value in where.items():
            query = query.where(rows.c[name] == value)
        with self.db.snapshot() as conn:
            return list(conn.execute(query))

    def count(self, model: type[SQLModel]) -> int:
        with self.db.snapshot() as conn:
            return int(conn.execute(select(func.count()).select_from(table(model))).scalar_one())
