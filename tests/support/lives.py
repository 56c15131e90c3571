"""Whole lives of receivables, from the file of invoices to the last cent in every book.

A :class:`Plan` says by a seed which lives there are; :class:`Lives` lives them on a platform
through commands only, day by day, with the simulated bank. Every act has a key that follows from
the life it belongs to and is remembered in a journal, so that a driver that was killed goes on in
another process: it repeats nothing that was acknowledged, and what was done without being
acknowledged it repeats under the same key.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from scf.db.platform import Platform
from scf.demo import bank, world
from scf.demo.bank_memory import recall, remember
from scf.demo.bank_messages import Entry, Payment
from scf.documents import intake, rules
from scf.documents.models import Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.financing.lifecycle import ENDED
from scf.financing.models import Advance
from scf.kernel.money import format_minor
from scf.programmes.terms import CHECKS_BEFORE_DECISION, CHECKS_BEFORE_PAYOUT
from scf.settlement import payout, statements
from scf.settlement.models import BankEntry, PaymentInstruction
from tests.support.acting import Acting
from tests.support.deals import table
from tests.support.plans import DUE, EARLY, LAST, LATE, START, UNFINANCED, Life, pieces

EUR: Final = "EUR"
ACCEPTED_AT_ONCE: Final = 50


def prepare(platform: Platform, folder: Path) -> None:
    """Make the start world in which lives are lived."""
    world.ensure(platform, START, folder / "users.json")


class Lives(Acting):
    """Lives a plan; ``live()`` may be called again, in another process too, until it returns."""

    @cached_property
    def lives(self) -> list[Life]:
        """The lives of the plan."""
        return self.plan.made()

    def live(self) -> None:
        """Live every life to its end."""
        self._meet()
        self._hand_in()
        self._words_of_the_buyer()
        self._ask_all([life for life in self.lives if life.story != "rejected"])
        self._pay_out("first")
        self._after_the_first_day()
        self._to(EARLY)
        self._pay("early", self.once("early:amounts", self._early))
        for due_on in DUE:
            self._to(due_on)
            self._pay_due(due_on)
        self._to(LATE)
        self._pay("late", self.once("late:amounts", self._what_is_owed))
        self._pay_out("owed", owed=True)
        self._to(LAST)

    def _told(self, *stories: str) -> list[Life]:
        return [life for life in self.lives if life.story in stories]

    # --- Documents and the buyer's word

    def _hand_in(self) -> None:
        rows = [
            f"{number},{START - dt.timedelta(days=5)},{life.due_on},{format_minor(face, EUR)},"
            for life in self.lives
            for number, face in zip(life.numbers, life.faces, strict=True)
        ]
        self._import("invoices", "invoice", rows)
        query = select(table(Invoice).c.number, table(Invoice).c.id)
        self.ids = self.read(lambda conn: dict(conn.execute(query).all()))
        self._import("credits", "credit_note", [
            f"C{life.numbers[0]},{START},,{format_minor(life.faces[0] // 5, EUR)},{life.numbers[0]}"
            for life in self._told("credited")
        ])  # fmt: skip

    def _import(self, key: str, kind: str, rows: Sequence[str]) -> None:
        if not rows:
            return
        content = "\n".join(["number,date,due,amount,invoice", *rows]).encode()
        columns = {"number": "number", "issue_on": "date", "payable": "amount"}
        columns |= {"due_on": "due"} if kind == "invoice" else {"billing_reference": "invoice"}
        firms = world.FIRMS
        parties = {
            f"{side}_{what}": value
            for side, firm in (("seller", world.SUPPLIER), ("buyer", world.ANCHOR))
            for what, value in (("name", firm), ("vat", firms[firm][2][1]))
        }
        received = self.result(
            f"upload:{key}",
            "upload.receive",
            "carl",
            name=f"{key}.csv",
            content=content,
            format="csv",
            mapping=ColumnMapping.from_json(json.dumps({
                "kind": kind, "columns": columns, "constants": parties | {"currency": EUR},
            })),
        )  # fmt: skip
        done = self.once(
            f"read:{key}", lambda: intake.run_upload(self.platform, received["upload_id"])
        )
        assert (done["state"], done["stored"]) == ("DONE", len(rows)), done

    def _words_of_the_buyer(self) -> None:
        for life in self._told("contested", "conceded"):
            self._contest(life)
        wanted = [
            self.ids[number]
            for life in self.lives
            if life.story != "rejected"
            for number in life.numbers
        ]
        for start in range(0, len(wanted), ACCEPTED_AT_ONCE):
            part = [{"invoice_id": one} for one in wanted[start : start + ACCEPTED_AT_ONCE]]
            self.result(f"accept:{start}", "invoice.accept", "anna", items=part)
        for life in self._told("rejected"):
            ids = [self.ids[number] for number in life.numbers]
            self.result(
                f"{life.key}:reject", "invoice.reject", "carl", invoice_ids=ids, reason="not ours"
            )
        for life in self._told("several"):  # a dispute after the undertaking stops no finance
            self._dispute(life, f"{life.key}:later")

    def _dispute(self, life: Life, key: str) -> str:
        made = self.result(
            key, "invoice.dispute", "carl", invoice_id=self.ids[life.numbers[0]],
            amount_minor=life.faces[0] // 4, reason="some pieces are missing",
        )  # fmt: skip
        return str(made["id"])

    def _contest(self, life: Life) -> None:
        """Contest before the undertaking; the buyer gives way, or the seller by a credit note."""
        dispute = self._dispute(life, f"{life.key}:dispute")
        if life.story == "contested":
            self.result(
                f"{life.key}:resolve", "dispute.resolve", "anna",
                dispute_id=dispute, outcome="seller",
            )  # fmt: skip
            return
        self.result(
            f"{life.key}:resolve", "dispute.resolve", "mira", dispute_id=dispute, outcome="buyer"
        )
        amount = format_minor(life.faces[0] // 4, EUR)
        number = life.numbers[0]
        self._import(f"{life.key}:credit", "credit_note", [f"D{number},{START},,{amount},{number}"])

    # --- Quotes, requests, decisions

    def _ask_all(self, lives: Iterable[Life]) -> None:
        late = []
        for life in lives:
            if life.story == "requoted":
                late.append((life, self._quote(life, 0)))
                continue
            self._one_request(life)
        if late:
            self.clock.advance(minutes=16)
        for life, quote in late:
            answer = self.do(f"{life.key}:0:submit", "request.submit", "mira", quote_id=quote)
            assert answer.get("refused") == "QUOTE_EXPIRED", answer
            self._one_request(life)

    def _one_request(self, life: Life, turn: int = 1) -> None:
        amount = None
        if life.story in {"part", "several"}:
            amount = sum(life.faces) * (2 if turn == 1 else 1) // 5
        quote = self._quote(life, turn, amount)
        key = f"{life.key}:{turn}"
        request = self.result(f"{key}:submit", "request.submit", "mira", quote_id=quote)["id"]
        if life.story == "undecided" and turn == 1:
            return
        if life.story == "withdrawn":
            self.result(f"{key}:withdraw", "request.withdraw", "mira", request_id=request)
            return
        self._decide(life, key, request)

    def _quote(self, life: Life, turn: int, amount: int | None = None) -> str:
        ids = [self.ids[number] for number in life.numbers]
        ask = {"invoice_ids": ids} | ({"amount_minor": amount} if amount else {})
        return str(self.result(f"{life.key}:{turn}:quote", "quote.make", "mira", **ask)["id"])

    def _decide(self, life: Life, key: str, request: str) -> None:
        version = 1
        for kind in CHECKS_BEFORE_DECISION:
            hit = life.story == "hit" and kind == CHECKS_BEFORE_DECISION[-1]
            self._check(key, request, kind, hit=hit)
            if hit:
                return
        for who in ("omar", "chen"):
            declines = life.story == "declined" and who == "chen"
            word = (
                {"outcome": "DECLINE", "code": "AUTHORITY"} if declines else {"outcome": "APPROVE"}
            )
            decided = self.result(
                f"{key}:{who}", "request.decide", who, request_id=request, version=version, **word
            )
            version = decided["version"]
            if declines:
                return
        for kind in CHECKS_BEFORE_PAYOUT:
            self._check(key, request, kind)
        if life.story == "dropped":
            self.result(f"{key}:withdraw", "request.withdraw", "mira", request_id=request)

    def _check(self, key: str, request: str, kind: str, *, hit: bool = False) -> None:
        self.result(
            f"{key}:{kind}", "request.check", "omar", request_id=request, kind=kind,
            result="HIT" if hit else "CLEAR", evidence="looked up by hand",
        )  # fmt: skip

    # --- Money out

    def _pay_out(self, key: str, *, owed: bool = False, again: Sequence[str] = ()) -> None:
        """Pay what is ready (or these once more), in files of the plan's size; read the answers."""
        ready: dict[str, str] = self.once(f"{key}:ready", lambda: self._ready(again))
        groups: dict[bool, list[str]] = {}
        for advance_id, story in ready.items():
            groups.setdefault(story == "resent" and not again, []).append(advance_id)
        for keep, ids in sorted(groups.items()):
            for start in range(0, len(ids), self.plan.file_size):
                part = ids[start : start + self.plan.file_size]
                refuse = {one for one in part if ready[one] in {"refused", "resent"} and not again}
                self._one_file(f"{key}:{keep}:{start}", part, refuse, keep=keep)
        if owed:
            self._one_file(f"{key}:owed", [], set())

    def _ready(self, again: Sequence[str]) -> dict[str, str]:
        stories = {number: life.story for life in self.lives for number in life.numbers}
        advance, invoice = table(Advance), table(Invoice)
        query = (
            select(advance.c.id, invoice.c.number)
            .join(invoice, invoice.c.id == advance.c.invoice_id)
            .where(advance.c.id.in_(again) if again else advance.c.state == "RECHECKED")
            .order_by(advance.c.id)
        )
        return {
            row.id: stories[row.number] for row in self.read(lambda conn: conn.execute(query).all())
        }

    def _one_file(self, key: str, ids: list[str], refuse: set[str], *, keep: bool = False) -> None:
        prepared = self.result(
            f"{key}:prepare", "payout.prepare", "omar", advance_ids=ids, owed=not ids
        )
        for file in prepared["files"]:
            file_id = file["file_id"]
            self.result(f"{key}:{file_id}", "payout.release", "chen", file_id=file_id)
            self.once(f"{key}:{file_id}:bank", partial(self._send, file_id, refuse, keep=keep))
        self._read_statements(key)

    def _send(self, file_id: str, refuse: set[str], *, keep: bool) -> dict[str, Any]:
        """Hand a file to the bank, perhaps once more, and read its status report."""
        row = table(PaymentInstruction)
        query = select(row.c.end_to_end_id).where(
            row.c.file_id == file_id, row.c.advance_id.in_(refuse)
        )
        content, names = self.read(
            lambda conn: (
                payout.content_of(conn, file_id, self.people["chen"]),
                set(conn.execute(query).scalars()),
            )
        )
        report, *_statements = bank.answer(
            content, on=self._today(), state_dir=self.bank, reject=names
        )
        return statements.read_file(
            self.platform, self.people["omar"], report[1], report[0], keep_rejected=keep
        )

    def _read_statements(self, key: str) -> None:
        """Read what the bank has issued by now and nobody has read."""
        names = self.once(f"{key}:issued", lambda: bank.statement_ids(state_dir=self.bank))
        for name in names:
            self.once(f"statement:{name}", partial(self._statement, name))

    def _statement(self, name: str) -> dict[str, Any]:
        file_name, data = bank.repeat(name, state_dir=self.bank)
        return statements.read_file(self.platform, self.people["omar"], data, file_name)

    def _after_the_first_day(self) -> None:
        """Send again what the bank refused; next day what came back, and what nobody decided."""
        refused = self._advances_of("resent")
        if refused:
            self._pay_out("resent", again=refused)
        self._to(START + dt.timedelta(days=1))
        back = self._advances_of("returned", "unwound")
        for advance_id in back:
            self.once(f"back:{advance_id}", partial(self._come_back, advance_id))
        self._read_statements("back")
        for advance_id in self._advances_of("unwound"):
            self.result(
                f"unwind:{advance_id}", "payout.unwind", "omar", advance_id=advance_id, note="no"
            )
        again = self._advances_of("returned")
        if again:
            self._pay_out("returned", again=again)
        for life in self._told("several", "undecided"):
            self._one_request(life, turn=2)
        self._pay_out("second")

    def _advances_of(self, *stories: str) -> list[str]:
        numbers = [number for life in self._told(*stories) for number in life.numbers]
        advance, invoice = table(Advance), table(Invoice)
        query = (
            select(advance.c.id)
            .join(invoice, invoice.c.id == advance.c.invoice_id)
            .where(invoice.c.number.in_(numbers))
            .order_by(advance.c.id)
        )
        return list(self.read(lambda conn: conn.execute(query).scalars().all()))

    def _come_back(self, advance_id: str) -> None:
        row = table(PaymentInstruction)
        query = select(row.c.end_to_end_id).where(
            row.c.advance_id == advance_id, row.c.attempt == 1
        )
        name = self.read(lambda conn: conn.execute(query).scalar_one())
        if not recall(self.bank).payments[name].payment.return_reason:
            bank.give_back(name, on=self._today(), state_dir=self.bank)

    # --- Money in

    def _early(self) -> list[list[Any]]:
        numbers = [number for life in self._told("early") for number in life.numbers]
        return [[number, self._base(number), number] for number in numbers]

    def _base(self, number: str) -> int:
        """Give what the buyer owes on an invoice that nobody has paid yet."""
        row = table(Invoice)
        query = select(row).where(row.c.id == self.ids[number])
        return int(rules.owed(self.read(lambda conn: conn.execute(query).one())))

    def _pay_due(self, due_on: dt.date) -> None:
        lives = [life for life in self.lives if life.due_on == due_on]
        self._pay(f"due:{due_on}", self.once(f"due:{due_on}:amounts", lambda: self._due(lives)))

    def _due(self, lives: Iterable[Life]) -> list[list[Any]]:
        """Give what comes in on the due date: name, amount, what the payer wrote."""
        paid: list[list[Any]] = []
        for life in lives:
            if life.story in UNFINANCED | {"early", "late"}:
                continue
            owed = [(number, self._base(number)) for number in life.numbers]
            if life.story == "together":
                paid.append([life.key, sum(amount for _, amount in owed), ", ".join(life.numbers)])
                continue
            for number, amount in owed:
                for part, value in enumerate(pieces(life.story, amount)):
                    words = "thank you" if life.story == "unreferenced" else f"invoice {number}"
                    paid.append([f"{number}:{part}", value, words])
        return paid

    def _what_is_owed(self) -> list[list[Any]]:
        """Give what is left on financed invoices, with what lateness has cost."""
        invoice, advance = table(Invoice), table(Advance)
        penalty = func.sum(advance.c.penalty_minor - advance.c.penalty_paid_minor)
        query = (
            select(invoice, penalty.label("penalty"))
            .join(advance, advance.c.invoice_id == invoice.c.id)
            .where(advance.c.state.not_in(ENDED))
            .group_by(invoice.c.id)
            .order_by(invoice.c.number)
        )
        rows = self.read(lambda conn: conn.execute(query).all())
        return [
            [f"{row.number}:rest", rules.owed(row) + int(row.penalty), row.number] for row in rows
        ]

    def _pay(self, key: str, paid: Sequence[Sequence[Any]]) -> None:
        """Let the buyer's money come in as one statement, once, and read it; place what waits."""
        if not paid:
            return
        self.once(f"{key}:money", lambda: self._come_in(key, paid, self._today()))
        self._read_statements(key)
        self._place(key)

    def _come_in(self, key: str, paid: Sequence[Sequence[Any]], on: dt.date) -> int:
        memory = recall(self.bank)
        first = f"{key}:{paid[0][0]}"[:35]
        known = {
            payment.end_to_end_id
            for statement in memory.statements.values()
            for entry in statement.entries
            for payment in entry.payments
        }
        if first in known:  # the process died after the bank had the money
            return len(paid)
        payer, payee = world.FIRMS[world.ANCHOR], world.FIRMS[world.FINANCIER]
        entries = tuple(
            Entry(
                reference=memory.next_reference(),
                amount_minor=amount,
                on=on,
                value_on=on,
                family="RCDT/ESCT",
                payments=(
                    Payment(
                        end_to_end_id=f"{key}:{name}"[:35],
                        amount_minor=amount,
                        currency=EUR,
                        debtor_name=world.ANCHOR,
                        debtor_account=payer[3],
                        creditor_name=world.FINANCIER,
                        creditor_account=payee[3],
                        requested_on=on,
                        unstructured=(words,),
                    ),
                ),
            )
            for name, amount, words in paid
        )
        bank._issue(memory, payee[3], EUR, on, entries)
        remember(self.bank, memory)
        return len(entries)

    def _place(self, key: str) -> None:
        """An officer places money that came without a word: what it pays is known by telephone."""
        waiting: list[list[Any]] = self.once(f"{key}:waiting", self._waiting)
        for entry_id, number, amount in waiting:
            self.result(
                f"place:{entry_id}", "receipt.identify", "omar", entry_id=entry_id,
                pays=[{"invoice_id": self.ids[number], "amount_minor": amount}],
                note="the buyer says so",
            )  # fmt: skip

    def _waiting(self) -> list[list[Any]]:
        entry = table(BankEntry)
        query = select(entry).where(entry.c.amount_minor > 0, entry.c.unallocated_minor > 0)
        found = []
        for row in self.read(lambda conn: conn.execute(query.order_by(entry.c.id)).all()):
            names = {part["end_to_end_id"] for part in row.details["parts"]}
            (number,) = {name.split(":")[-2] for name in names}
            found.append([row.id, number, row.unallocated_minor])
        return found
