"""What reconciliation proposed for money that waits, and what became of each statement."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.audit import AUDIT_TABLE
from scf.documents.models import Invoice
from scf.parties.service import firm_names
from scf.settlement.accepting import NEEDS_TWO
from scf.settlement.models import Allocation, BankEntry, BankStatement, ReceiptProposal
from scf.settlement.position import SHARES
from scf.settlement.proposing import STANDING

# The commands by which the platform itself places money; any other is a person's word.
_BY_ITSELF = ("statement.read", "receipt.retry")
_WAITS = ("RECEIVED", "IDENTIFIED")


@dataclass(frozen=True, slots=True)
class ProposedPart:
    """So much for one invoice."""

    invoice_id: str
    number: str
    obligor: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Proposed:
    """One proposal for a receipt: what it pays, how sure, why, and whose word is missing."""

    id: str
    entry_id: str
    rank: int
    confidence_ppm: int
    reasons: tuple[str, ...]
    parts: tuple[ProposedPart, ...]
    needs_two: bool
    state: str
    agreed_by: str | None

    @property
    def total_minor(self) -> int:
        """What it would place."""
        return sum(one.amount_minor for one in self.parts)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A statement's movements by what became of them; minor units, credits positive."""

    statement: BankStatement
    certain: int
    certain_minor: int
    by_person: int
    by_person_minor: int
    open: int
    open_minor: int
    out: int
    out_minor: int
    out_open: int
    out_open_minor: int
    reversed_minor: int

    @property
    def moved_minor(self) -> int:
        """All movements together."""
        return (
            self.certain_minor + self.by_person_minor + self.open_minor + self.reversed_minor
            + self.out_minor + self.out_open_minor
        )  # fmt: skip

    @property
    def whole(self) -> bool:
        """Tell whether balances are stated and all movements came with this statement."""
        row = self.statement
        stated = row.opening_on is not None and row.closing_on is not None
        return stated and row.new_entries == row.entries

    @property
    def difference_minor(self) -> int:
        """What the closing balance is off by; zero where the movements make it."""
        row = self.statement
        return row.closing_minor - row.opening_minor - self.moved_minor


def proposed(session: Session, entry_ids: Iterable[str]) -> dict[str, list[Proposed]]:
    """Give what stands proposed for some receipts, best first."""
    rows = list(
        session.execute(
            select(ReceiptProposal)
            .join(BankEntry, col(BankEntry.id) == col(ReceiptProposal.bank_entry_id))
            .where(
                col(BankEntry.unallocated_minor) == col(BankEntry.amount_minor),
                col(ReceiptProposal.bank_entry_id).in_(sorted(set(entry_ids))),
                col(ReceiptProposal.state).in_(STANDING),
            )
            .order_by(col(ReceiptProposal.bank_entry_id), col(ReceiptProposal.rank))
        ).scalars()
    )
    wanted = {pay["invoice_id"] for row in rows for pay in row.pays}
    invoices = {
        row.id: row
        for row in session.execute(
            select(col(Invoice.id), col(Invoice.number), col(Invoice.buyer_id)).where(
                col(Invoice.id).in_(wanted)
            )
        )
    }
    names = firm_names(session.connection(), {row.buyer_id for row in invoices.values()})
    found: dict[str, list[Proposed]] = defaultdict(list)
    for row in rows:
        parts = tuple(
            ProposedPart(
                pay["invoice_id"],
                invoices[pay["invoice_id"]].number,
                names.get(invoices[pay["invoice_id"]].buyer_id, ""),
                pay["amount_minor"],
            )
            for pay in row.pays
            if pay["invoice_id"] in invoices
        )
        one = Proposed(
            row.id,
            row.bank_entry_id,
            row.rank,
            row.confidence_ppm,
            tuple(row.reasons),
            parts,
            bool(NEEDS_TWO & set(row.reasons)),
            row.state,
            row.agreed_by,
        )
        found[row.bank_entry_id].append(one)
    return dict(found)


def reviewed(session: Session, statements: Iterable[BankStatement]) -> list[Reviewed]:
    """Tell of each statement what settled by itself, by a person's word, and what is open."""
    rows = list(statements)
    ids = [row.id for row in rows]
    entries = session.execute(
        select(
            col(BankEntry.id),
            col(BankEntry.statement_id),
            col(BankEntry.amount_minor),
            col(BankEntry.unallocated_minor),
            col(BankEntry.state),
        ).where(col(BankEntry.statement_id).in_(ids))
    ).all()
    by_person = {
        row.bank_entry_id
        for row in session.execute(
            select(col(Allocation.bank_entry_id))
            .distinct()
            .join(BankEntry, col(BankEntry.id) == col(Allocation.bank_entry_id))
            .join(AUDIT_TABLE, AUDIT_TABLE.c.command_id == col(Allocation.command_id))
            .where(
                col(BankEntry.statement_id).in_(ids),
                col(Allocation.reversed_by).is_(None),
                col(Allocation.kind).in_(SHARES),
                AUDIT_TABLE.c.command.not_in(_BY_ITSELF),
            )
        )
    }
    sums: dict[str, dict[str, int]] = {one: defaultdict(int) for one in ids}
    for row in entries:
        told = sums[row.statement_id]
        if row.amount_minor < 0:
            kind = "out_open" if row.state in _WAITS and row.unallocated_minor else "out"
            told[kind] += 1
            told[f"{kind}_minor"] += row.amount_minor
        elif row.state == "REVERSED":
            told["reversed_minor"] += row.amount_minor
        else:
            if row.unallocated_minor:
                told["open"] += 1
                told["open_minor"] += row.unallocated_minor
            placed = row.amount_minor - row.unallocated_minor
            if placed:
                kind = "by_person" if row.id in by_person else "certain"
                told[kind] += 1
                told[f"{kind}_minor"] += placed
    return [
        Reviewed(
            row,
            *(sums[row.id][name] for name in Reviewed.__dataclass_fields__ if name != "statement"),
        )
        for row in rows
    ]
