"""The start world of the platform with a Tryton connected to one of its firms."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import case, func, select

from scf.accounting.mapping.reading import numbers_of
from scf.bootstrap import Platform, build
from scf.channels.erp import commands
from scf.channels.erp.models import ErpConnection, ErpItem, ErpRun, ErpWrite
from scf.channels.erp.rounds import EVERY, ErpRounds
from scf.demo import world
from scf.documents.models import Invoice, Order
from scf.kernel.actor import Actor
from scf.kernel.clock import FixedClock
from scf.ledger.models import Account, Posting
from scf.ledger.service import Chart, balances
from scf.notices.models import Notice
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from scf.parties.service import actor_of_email
from tests.support.deals import table
from tests.support.guarded import Guarded
from tests.support.tryton import DATABASE, PASSWORD, USER

VAULT = Vault(b"k" * 32)
START = dt.date(2026, 3, 10)
# Every account of a seller's and an anchor's book, on accounts of Tryton's universal chart; those
# that two of ours share are told apart by nothing, which is what a mapping may do.
_OPEN = (
    "1.1.4", "1.2.2", "1.2.3", "1.4.1", "1.4.2", "1.4.3", "2.1.3", "2.2.1", "2.2.2", "2.2.3",
    "2.2.4", "2.3.1", "2.3.2", "2.3.4", "2.3.6", "2.3.7", "2.4.1", "2.4.3", "4.1.2", "4.3.1",
    "4.3.3", "5.1.3", "5.2.2", "5.2.3", "6.1.1", "6.1.2", "6.2.1", "6.2.2", "6.2.3", "6.2.4",
    "6.2.5", "6.2.6", "6.2.7", "6.2.8", "1.1.2", "1.1.3", "1.3.1", "1.3.2", "1.3.3", "1.3.4",
    "1.3.5", "1.5.1", "1.5.2", "1.5.3", "1.5.4", "1.5.5", "1.5.6", "1.7.1", "1.7.2", "1.7.3",
    "1.7.4", "1.7.5", "1.7.6", "1.7.7", "1.7.8", "3.1.1", "3.2.1", "3.3.1", "3.3.2", "3.4.1",
)  # fmt: skip
_FIXED = {"cash": "1.1.1", "trade_receivables": "1.2.1", "trade_payables": "2.1.1"}
PARTY = "MERIDIAN"


def mapping() -> dict[str, str]:
    """Give each account of our chart one of theirs, each another."""
    rest = sorted(Chart.lines.keys() - _FIXED.keys())
    return _FIXED | dict(zip(rest, _OPEN, strict=False))


@dataclasses.dataclass
class Office:
    """One firm's connection, and the rounds over it."""

    platform: Platform
    clock: FixedClock
    server: Guarded
    connection_id: str = ""
    org_id: str = ""

    def connect(self, person: str, password: str = PASSWORD, **wanted: Any) -> None:  # noqa: ANN401
        """Connect the server in the name of a person of the start world."""
        with self.platform.db.snapshot() as conn:
            actor = actor_of_email(conn, f"{person}@{world.DOMAIN}")
        assert actor is not None
        self.connect_as(actor, password, **wanted)

    def connect_as(self, actor: Actor, password: str = PASSWORD, **wanted: Any) -> None:  # noqa: ANN401
        """Connect the server in the name of somebody."""
        self.actor = actor
        self.org_id = actor.org_id
        asked = {
            "name": "Tryton", "url": self.server.url, "database": DATABASE, "username": USER,
            "from_on": START, "payee_code": PARTY,
        } | wanted  # fmt: skip
        made = commands.add(
            self.platform,
            VAULT,
            Targets(loopback=True),
            actor,
            asked,
            password,
            key=f"connect {actor.user_id}",
        )
        self.connection_id = str(made.result["id"])

    def map(self) -> None:
        """Map every account."""
        self.numbers("tryton", mapping())

    def numbers(self, system: str, accounts: dict[str, str]) -> None:
        """Write a table of account numbers, each account with the financier's party."""
        with self.platform.db.snapshot() as conn:
            present = numbers_of(conn, self.org_id, system)
        payload = {
            "system": system,
            "version": present.version,
            "accounts": accounts,
            "parties": dict.fromkeys(accounts, PARTY),
        }
        self.platform.run("mapping.set", payload, self.actor, key=f"{system}:{self.clock.now()}")

    def pause(self) -> None:
        """Let so much time pass that any lease is over."""
        self.clock.advance(EVERY * 3)

    def look(self, *, worker: bool = True) -> Any:  # noqa: ANN401 - a row
        """Let the worker come by once, after its pause; gives the round."""
        self.pause()
        ErpRounds(self.platform, VAULT, Targets(loopback=True)).look()
        if worker:
            self.platform.worker().drain()
        return self.rows(ErpRun)[-1]

    def beside(self, server: Guarded, person: str, **wanted: Any) -> "Office":  # noqa: ANN401
        """Connect another server to another firm of the same world."""
        office = Office(self.platform, self.clock, server)
        office.connect(person, **wanted)
        return office

    def rows(self, model: Any) -> list[Any]:  # noqa: ANN401
        """Give rows by their age; of what belongs to a connection, those of this one."""
        found = select(table(model)).order_by(table(model).c.id)
        if "connection_id" in table(model).c:
            found = found.where(table(model).c.connection_id == self.connection_id)
        with self.platform.db.snapshot() as conn:
            return list(conn.execute(found))

    def connection(self) -> Any:  # noqa: ANN401
        (found,) = [row for row in self.rows(ErpConnection) if row.id == self.connection_id]
        return found

    def told(self) -> list[str]:
        """Give what people were told of the connection."""
        self.platform.worker().drain()
        return [row.message for row in self.rows(Notice) if row.topic == "erp.problem"]

    def password(self, password: str) -> None:
        """Enter another password for the user there."""
        commands.change_password(
            self.platform, VAULT, self.actor, self.connection_id, password, key=password
        )

    def written(self) -> list[Any]:
        return self.rows(ErpWrite)

    def items(self, stream: str) -> list[Any]:
        return [row for row in self.rows(ErpItem) if row.stream == stream]

    def invoices(self) -> list[Any]:
        return self.rows(Invoice)

    def orders(self) -> list[Any]:
        return self.rows(Order)

    def turnovers(self) -> dict[str, tuple[int, int]]:
        """Give our debits and credits under the codes of the other side."""
        account, posting = table(Account), table(Posting)
        amount = posting.c.amount_minor
        query = (
            select(
                account.c.code,
                func.sum(case((amount > 0, amount), else_=0)),
                func.sum(case((amount < 0, -amount), else_=0)),
            )
            .join(posting, posting.c.account_id == account.c.id)
            .where(account.c.org_id == self.org_id)
            .group_by(account.c.code)
        )
        with self.platform.db.snapshot() as conn:
            rows = conn.execute(query).all()
        return {mapping()[code]: (int(debit), int(credit)) for code, debit, credit in rows}

    def books(self) -> dict[str, int]:
        """Give our balances under the codes of the other side."""
        codes = mapping()
        with self.platform.db.snapshot() as conn:
            ours = balances(conn, self.org_id)
        return {codes[code]: amount for (code, _currency), amount in ours.items() if amount}


def office_at(
    url: str,
    server: Guarded,
    person: str,
    on: dt.date = START,
    **wanted: Any,  # noqa: ANN401
) -> Office:
    """Connect the server to a person's firm in the start world that stands on a database."""
    clock = FixedClock(dt.datetime.combine(on, dt.time(9), dt.UTC))
    platform = build(url, clock=clock)
    office = Office(platform, clock, server)
    office.connect(person, **wanted)
    return office
