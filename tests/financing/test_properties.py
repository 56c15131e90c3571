"""Random histories: after every step the properties of the money hold.

Source: finance.md section 6, F2, F3, F5, F6, F9.
"""

import datetime as dt
import random
from typing import Any

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.documents import axes
from scf.documents.models import Invoice
from scf.documents.rules import capacity
from scf.financing import advances, retelling
from scf.financing.lifecycle import BEFORE_INSTRUCTED, ENDED, OUT
from scf.financing.models import Advance, AdvanceEvent, Decision, FinancingRequest
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.programmes import limits
from scf.programmes.models import LimitNode, ProgrammeClaim
from scf.programmes.terms import CHECKS_BEFORE_DECISION, CHECKS_BEFORE_PAYOUT
from tests.support.deals import APPROVER, CHECKER, DAY, HEAD, MAKER, TREASURER, Deals, eur, table

DUE = dt.date(2026, 6, 8)
STEPS = 50
EXPECTED = (RuleViolation, Conflict, NotAllowed)


class History:
    """Acts chosen by chance; what an act refuses is part of the history."""

    def __init__(self, db: Database, seed: int) -> None:
        self.chance = random.Random(seed)
        self.deals = Deals(
            db,
            limits="3,000.00",
            ipu=self.chance.choice(('"none"', '"from_acceptance"')),
            recourse=self.chance.choice(('"none"', '"full"')),
        )
        self.invoices = [self.deals.invoice(f"{n}00.00") for n in range(4, 12, 2)]
        self.done: dict[str, int] = {}
        # One advance is with the bank already, so that there is money in every history.
        self.deals.ready(self.deals.request(self.invoices[0], amount="250.00")["id"])
        with self.deals.db.writer.begin() as conn:
            ctx = self.deals.context(conn)
            ids = [row.id for row in self.deals.all(Advance)]
            advances.instructed(ctx, list(advances.lock(ctx, ids)), DAY)

    def step(self) -> None:
        name = self.chance.choice(
            ("submit", "submit", "check", "decide", "withdraw", "push", "push", "push",
             "money", "money", "money", "money", "dispute", "limit")
        )  # fmt: skip
        try:
            getattr(self, name)()
        except EXPECTED:
            name = f"{name} refused"
        self.done[name] = self.done.get(name, 0) + 1
        self.check_properties()

    # --- Acts

    def submit(self) -> None:
        some = self.chance.sample(self.invoices, self.chance.randint(1, 3))
        amount = self.chance.choice((None, f"{self.chance.randint(100, 600)}.{seed_cents(self)}"))
        self.deals.request(*some, amount=amount)

    def a_request(self) -> str:
        rows = self.deals.all(FinancingRequest)
        if not rows:
            raise RuleViolation("NOTHING", "No request yet.")
        return str(self.chance.choice(rows).id)

    def check(self) -> None:
        request_id = self.a_request()
        result = self.chance.choices(("CLEAR", "HIT"), (15, 1))[0]
        if result == "HIT":
            self.deals.check(request_id, self.chance.choice(CHECKS_BEFORE_DECISION), result="HIT")
            return
        approved = self.deals.get(FinancingRequest, request_id).state == "APPROVED"
        self.deals.check(
            request_id, *(CHECKS_BEFORE_PAYOUT if approved else CHECKS_BEFORE_DECISION)
        )

    def decide(self) -> None:
        who = self.chance.choice((MAKER, CHECKER, HEAD))
        outcome = self.chance.choices(("APPROVE", "DECLINE"), (12, 1))[0]
        self.deals.decide(self.a_request(), who, outcome, code="AUTHORITY")

    def push(self) -> None:
        """Bring the newest open request a stage further, as officers who do their work would."""
        rows = [
            row
            for row in self.deals.all(FinancingRequest)
            if row.state in {"IN_REVIEW", "APPROVED"}
        ]
        if not rows:
            raise RuleViolation("NOTHING", "No open request.")
        row = rows[-1]
        if row.state == "IN_REVIEW" and not self.deals.all(Decision, request_id=row.id):
            self.deals.check(row.id, *CHECKS_BEFORE_DECISION)
            self.deals.decide(row.id, MAKER)
        elif row.state == "IN_REVIEW":
            self.deals.decide(row.id, CHECKER)
        else:
            self.deals.check(row.id, *CHECKS_BEFORE_PAYOUT)

    def withdraw(self) -> None:
        self.deals.run("request.withdraw", TREASURER, request_id=self.a_request())

    def dispute(self) -> None:
        self.deals.run(
            "invoice.dispute",
            APPROVER,
            invoice_id=self.chance.choice(self.invoices),
            amount_minor=self.chance.randint(1, eur("50.00")),
            reason="something is wrong",
        )

    def limit(self) -> None:
        node = self.chance.choice(self.deals.all(LimitNode))
        amount = self.chance.choice(("800.00", "2,500.00", "5,000.00"))
        self.deals.limit(node.kind, node.subject_id, amount)

    def money(self) -> None:
        rows = [
            row
            for row in self.deals.all(Advance)
            if row.state not in {*BEFORE_INSTRUCTED[:-1], *ENDED} - {"CLOSED"}
        ]
        if not rows:
            raise RuleViolation("NOTHING", "No money yet.")
        row = self.chance.choice(rows)
        with self.deals.db.writer.begin() as conn:
            ctx = self.deals.context(conn)
            self._move(ctx, advances.lock(ctx, [row.id])[row.id])

    def _move(self, ctx: Any, row: Any) -> None:  # noqa: ANN401
        go = self.chance
        if row.state in BEFORE_INSTRUCTED:
            advances.instructed(ctx, [row.id], DAY)
        elif row.state in {"INSTRUCTED", "UNKNOWN"}:
            outcome = go.choices(("fund", "fail", "lose"), (8, 2, 1))[0]
            if outcome == "fund":
                advances.fund(ctx, [row.id], DAY)
            else:
                getattr(advances, outcome)(ctx, row.id, "because")
        elif row.state in {"FAILED", "RETURNED"}:
            go.choice((advances.resend, advances.unwind))(ctx, row.id)
        elif row.state == "FUNDED" and go.random() < 0.2:
            advances.returned(ctx, row.id, "MS03")
        elif row.state == "CLOSED" or (row.repaid_minor and go.random() < 0.2):
            part = go.randint(1, row.repaid_minor)
            advances.reopen(ctx, row, principal=part, penalty=0, value_on=DUE)
        else:
            left = row.face_minor - row.repaid_minor
            part = go.choice((left, go.randint(1, left)))
            advances.repay(ctx, row, principal=part, penalty=0, value_on=DUE)

    # --- Properties

    def check_properties(self) -> None:
        deals = self.deals
        invoices = {row.id: row for row in deals.all(Invoice)}
        rows = deals.all(Advance)
        for row in invoices.values():
            assert row.held_minor + row.outstanding_minor <= capacity(row) + row.over_advance_minor
            of_it = [one for one in rows if one.invoice_id == row.id]
            held = [one for one in of_it if holds(one)]
            out = [one for one in of_it if is_out(one)]
            assert row.held_minor == sum(one.face_minor for one in held)
            assert row.outstanding_minor == sum(one.face_minor - one.repaid_minor for one in out)
        claimed = {row.invoice_id for row in deals.all(ProgrammeClaim, live=True)}
        assert claimed == {
            row.id for row in invoices.values() if row.held_minor + row.outstanding_minor
        }
        with deals.db.snapshot() as conn:
            assert limits.recompute(conn) == []
            self.check_events(conn, rows)
        self.check_tree(rows)
        self.check_disputes(rows, invoices)

    def check_events(self, conn: Any, rows: list[Any]) -> None:  # noqa: ANN401
        events = table(AdvanceEvent)
        by_advance: dict[str, list[Any]] = {}
        for event in conn.execute(select(events)):
            by_advance.setdefault(event.advance_id, []).append(event)
        for row in rows:
            told = retelling.replay(by_advance[row.id])
            assert (told.state, told.version, told.repaid_minor) == (
                row.state,
                row.version,
                row.repaid_minor,
            )
            assert (told.funded_on, told.closed_on) == (row.funded_on, row.closed_on)

    def check_tree(self, rows: list[Any]) -> None:
        """F9, and what a node holds and uses is what the advances say."""
        nodes = {row.kind: row for row in self.deals.all(LimitNode)}
        face_held = sum(row.face_minor for row in rows if holds(row))
        face_used = sum(row.face_minor - row.repaid_minor for row in rows if is_out(row))
        for kind in ("programme", "obligor"):
            assert (nodes[kind].held_minor, nodes[kind].utilised_minor) == (face_held, face_used)
        own = (face_held, face_used) if any(row.recourse for row in rows) else (0, 0)
        assert (nodes["seller"].held_minor, nodes["seller"].utilised_minor) == own
        assert nodes["financier"].held_minor == sum(row.net_minor for row in rows if holds(row))

    def check_disputes(self, rows: list[Any], invoices: dict[str, Any]) -> None:
        """F6: what is disputed without an undertaking is never under an advance."""
        for row in rows:
            invoice = invoices[row.invoice_id]
            if row.state in OUT and not invoice.ipu:
                assert invoice.disputed_minor + row.face_minor <= invoice.base_minor


def seed_cents(history: History) -> str:
    return f"{history.chance.randint(0, 99):02}"


def holds(row: Any) -> bool:  # noqa: ANN401
    """Whether the face is held, not financed: before the bank has booked the pay-out."""
    waiting = (*BEFORE_INSTRUCTED, "INSTRUCTED", "UNKNOWN", "FAILED")
    return row.state in waiting and row.funded_on is None


def is_out(row: Any) -> bool:  # noqa: ANN401
    """Whether title is with the financier."""
    under_way = ("INSTRUCTED", "UNKNOWN", "FAILED", "RETURNED")
    return row.state in OUT or (row.state in under_way and row.funded_on is not None)


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 60))]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_money_adds_up(db: Database, seed: int) -> None:
    history = History(db, seed)
    for _ in range(STEPS):
        history.step()
    assert history.done.get("money")


def test_a_limit_is_never_exceeded_by_a_hold(db: Database) -> None:
    history = History(db, 99)
    for _ in range(STEPS):
        before = {row.id: row for row in history.deals.all(LimitNode)}
        limit_moves = history.done.get("limit", 0)
        history.step()
        for node in history.deals.all(LimitNode):
            old = before[node.id]
            grew = node.held_minor > old.held_minor
            if grew and history.done.get("limit", 0) == limit_moves:
                assert node.held_minor + node.utilised_minor <= node.limit_minor


def test_the_counters_of_an_invoice_are_moved_only_by_the_axes(db: Database) -> None:
    """The database itself refuses what the code would let through."""
    deals = Deals(db)
    invoice_id = deals.invoice("100.00")
    deals.request(invoice_id)
    with db.writer.begin() as conn, pytest.raises(RuleViolation, match="ALREADY_FINANCED"):
        axes.hold(deals.context(conn), invoice_id, 1)
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError):
        deals.change(Invoice, invoice_id, held_minor=eur("100.01"))
