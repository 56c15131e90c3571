"""The proof: everything that must be true is looked at, and the first offender named.

``scf verify`` runs all checks on one unchanging state of the database. Each check compares two
accounts of the same fact that were written by different code: counters with the rows they count,
states with the events that led there, books with the business they tell of.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, Table, case, func, or_, select
from sqlalchemy.engine import Connection

from scf.accounting import check as accounting
from scf.chain import proof
from scf.db import seal
from scf.db.keys import not_among
from scf.db.models import AuditSeal
from scf.db.platform import Platform
from scf.documents import conservation
from scf.documents.identity.handing import handed_astray, under_given_up
from scf.documents.identity.holdings import holdings
from scf.documents.models import CreditAllocation, Dispute, Invoice, TradePayment
from scf.financing.lifecycle import ENDED, OUT
from scf.financing.models import Advance, AdvanceEvent
from scf.financing.reserve import EXPOSURE, OVER_ADVANCE, open_face
from scf.financing.retelling import replay
from scf.financing.taxwatch import oversight
from scf.impairment import proof as allowances
from scf.kernel.errors import Conflict
from scf.ledger import periods
from scf.ledger.currency import proof as revaluations
from scf.ledger.models import Account, Entry, Posting
from scf.parties.identity.models import FirmLink, FirmMerge
from scf.programmes import limits
from scf.programmes.models import ProgrammeClaim
from scf.risk import replay as replay_of_prices
from scf.settlement.models import Allocation

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_joined: Final[Table] = FirmMerge.__table__  # type: ignore[attr-defined]
_link: Final[Table] = FirmLink.__table__  # type: ignore[attr-defined]
_over: Final = OVER_ADVANCE
_event: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_claim: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]
_credit: Final[Table] = CreditAllocation.__table__  # type: ignore[attr-defined]
_dispute: Final[Table] = Dispute.__table__  # type: ignore[attr-defined]
_seal: Final[Table] = AuditSeal.__table__  # type: ignore[attr-defined]
_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_part: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_told: Final[Table] = TradePayment.__table__  # type: ignore[attr-defined]
_posting: Final[Table] = Posting.__table__  # type: ignore[attr-defined]

# Until the bank has booked a pay-out its title is held, on its way or refused as it may be.
_LIVE: Final = _advance.c.state.not_in((*ENDED, "NEW"))
_OUTSTANDING: Final = _LIVE & _advance.c.funded_on.is_not(None)
_HELD: Final = _LIVE & _advance.c.funded_on.is_(None)


@dataclass(frozen=True)
class Breach:
    """Something that should be true and is not."""

    code: str
    where: str
    message: str


@dataclass
class Report:
    """What was looked at, and what did not hold."""

    checked: list[str] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)


def verify(platform: Platform, seals: Path | None = None, most: int = 20) -> Report:
    """Run every check; gives at most ``most`` breaches per check.

    Parameters
    ----------
    seals
        The exported seals, one JSON object per line: with them even a trail whose end was cut
        off together with its seals is found.

    After the checks the rows that no seal holds yet are sealed, unless something was found.
    """
    # Before the snapshot: what left the platform was stored by then. Read afterwards, a seal that a
    # worker makes and exports meanwhile would look as if it had never been stored.
    exported = _exported_lines(seals)
    with platform.db.snapshot() as conn:
        report = look(conn, platform, exported, most)
    if not report.breaches:
        with platform.db.writer.begin() as writing:
            seal.seal(writing, platform.clock.now())
    return report


def look(
    conn: Connection,
    platform: Platform,
    exported: dict[str, dict[str, Any]] | None = None,
    most: int = 20,
) -> Report:
    """Run every check on what one connection sees; changes nothing."""
    report = Report()
    checks: dict[str, Callable[[], Iterator[Breach]]] = {
        "audit trail": lambda: _audit(conn, platform),
        "exported seals": lambda: _exported(conn, exported or {}),
        "ledger": lambda: _of_books(accounting.ledger(conn)),
        "closed periods": lambda: _periods(conn),
        "revaluation": lambda: _of_revaluations(conn),
        "finished lives": lambda: _of_books(accounting.finished_lives(conn)),
        "limit tree": lambda: _limits(conn),
        "records of firms": lambda: _records(conn),
        "orders and invoices": lambda: _of_documents(conn),
        "relations of the chain": lambda: _of_chain(conn),
        "invoice capacity": lambda: _invoices(conn),
        "claims": lambda: _claims(conn),
        "risk prices": lambda: _prices(conn),
        "advances and their events": lambda: _advances(conn),
        "over-advances": lambda: _over_advances(conn),
        "words of tax authorities": lambda: _tax_words(conn),
        "advances and their books": lambda: _books(conn),
        "loss allowances": lambda: _of_allowances(conn),
        "books and state": lambda: _of_books(accounting.agrees(conn)),
    }
    for name, check in checks.items():
        report.checked.append(name)
        report.breaches += itertools.islice(check(), most)
    return report


def _periods(conn: Connection) -> Iterator[Breach]:
    for row in periods.broken(conn):
        words = f"booked on {row.booked_on}, in a period closed up to {row.to_on}"
        yield Breach("PERIOD_BROKEN", f"ledger_entry {row.id}", words)


def _of_books(found: Iterable[accounting.Breach]) -> Iterator[Breach]:
    for one in found:
        yield Breach(one.rule, f"{one.account or 'entry'} {one.subject}", str(one))


def _of_documents(conn: Connection) -> Iterator[Breach]:
    for one in conservation.breaches(conn):
        yield Breach(one.code, one.where, one.message)


def _of_allowances(conn: Connection) -> Iterator[Breach]:
    for one in allowances.breaches(conn):
        yield Breach(one.code, one.where, one.message)


def _of_revaluations(conn: Connection) -> Iterator[Breach]:
    for one in revaluations.breaches(conn):
        yield Breach(one.code, one.where, one.message)


def _of_chain(conn: Connection) -> Iterator[Breach]:
    for one in proof.breaches(conn):
        yield Breach("CHAIN_EDGE", one.where, one.message)


def _records(conn: Connection) -> Iterator[Breach]:
    """A record that another one stands for is one step away, was joined by two, and holds nothing.

    What gave it up is the last act on it that was carried out.
    """
    acts = conn.execute(
        select(_joined.c.firm_id, _joined.c.survivor_id, _joined.c.kind)
        .where(_joined.c.state == "DONE")
        .order_by(_joined.c.decided_at, _joined.c.id)
    )
    last = {row.firm_id: row for row in acts}
    links = {row.firm_id: row.survivor_id for row in conn.execute(select(_link))}
    for firm_id, survivor_id in sorted(links.items()):
        where = f"firm {firm_id}"
        if survivor_id in links:
            yield Breach("FIRM_LINK_CHAIN", where, "The record that stands for it is stood for.")
        act = last.get(firm_id)
        if act is None or (act.kind, act.survivor_id) != ("MERGE", survivor_id):
            yield Breach("FIRM_LINK_ALONE", where, "No act of two people joined these records.")
        held = holdings(conn, firm_id).forbids
        if held:
            told = ", ".join(f"{name} {count}" for name, count in sorted(held.items()))
            yield Breach("FIRM_LINK_HOLDS", where, f"A record that was given up holds: {told}.")
    for firm_id, table, count in under_given_up(conn):
        told = f"Papers name a record for which another one stands: {table} {count}."
        yield Breach("FIRM_LINK_PAPERS", f"firm {firm_id}", told)
    for merge_id, what in handed_astray(conn):
        told = {"parted": "Papers are kept as moved between records that were parted."}.get(
            what, f"A paper that was moved is not where it was moved to: {what}."
        )
        yield Breach("FIRM_HANDOVER", f"merge {merge_id}", told)
    for firm_id, act in sorted(last.items()):
        if act.kind == "MERGE" and links.get(firm_id) != act.survivor_id:
            yield Breach("FIRM_LINK_GONE", f"firm {firm_id}", "A joined record stands alone.")


def _audit(conn: Connection, platform: Platform) -> Iterator[Breach]:
    for one in seal.verify(conn, platform.clock.now()):
        yield Breach(one.code, one.where, one.message)


def _exported_lines(seals: Path | None) -> dict[str, dict[str, Any]]:
    """Read the exported seals by their places; a line without its end is still being written."""
    if seals is None or not seals.exists():
        return {}
    whole = seals.read_text(encoding="utf-8").splitlines(keepends=True)
    return {
        f"{seals.name} line {number}": json.loads(line)
        for number, line in enumerate(whole, start=1)
        if line.endswith("\n")
    }


def _exported(conn: Connection, lines: dict[str, dict[str, Any]]) -> Iterator[Breach]:
    stored = dict(conn.execute(select(_seal.c.seq, _seal.c.digest)).all())
    for where, exported in lines.items():
        if stored.get(exported["seq"]) != exported["digest"]:
            yield Breach(
                "SEAL_NOT_STORED",
                where,
                f"Seal {exported['seq']} left the platform and is not in the database as it was.",
            )


def _limits(conn: Connection) -> Iterator[Breach]:
    for node in limits.recompute(conn):
        yield Breach(
            "LIMIT_TREE",
            f"limit_node {node['node_id']}",
            f"The {node['kind']} node holds {node['held_minor']} and uses "
            f"{node['utilised_minor']}; its rows say {node['recomputed_held_minor']} and "
            f"{node['recomputed_utilised_minor']}.",
        )


def _invoices(conn: Connection) -> Iterator[Breach]:
    """Held and outstanding are those of the advances; credits and disputes those of their rows.

    Paid is what the advances were repaid, and what receipts, or the seller's own word, say was paid
    of the part that nobody financed.
    """
    by_advance = (
        select(
            _advance.c.invoice_id,
            func.sum(case((_HELD, _advance.c.face_minor), else_=0)).label("held"),
            func.sum(case((_OUTSTANDING, EXPOSURE), else_=0)).label("outstanding"),
            func.sum(
                case((_OUTSTANDING, _advance.c.gap_minor - _advance.c.gap_paid_minor), else_=0)
            ).label("over_advance"),
            func.sum(_advance.c.repaid_minor).label("repaid"),
        )
        .group_by(_advance.c.invoice_id)
        .subquery()
    )
    directly = (
        select(_part.c.invoice_id, func.sum(_part.c.amount_minor).label("amount"))
        .where(_part.c.kind == "seller", _part.c.reversed_by.is_(None))
        .group_by(_part.c.invoice_id)
        .subquery()
    )
    told = (
        select(_told.c.invoice_id, func.sum(_told.c.settled_minor).label("amount"))
        .where(_told.c.invoice_id.is_not(None))
        .group_by(_told.c.invoice_id)
        .subquery()
    )
    credited = (
        select(_credit.c.invoice_id, func.sum(_credit.c.amount_minor).label("amount"))
        .group_by(_credit.c.invoice_id)
        .subquery()
    )
    disputed = (
        # One that the buyer has won stays withheld until its credit note arrives.
        select(_dispute.c.invoice_id, func.sum(_dispute.c.withheld_minor).label("amount"))
        .group_by(_dispute.c.invoice_id)
        .subquery()
    )
    said = {
        "held": func.coalesce(by_advance.c.held, 0),
        "outstanding": func.coalesce(by_advance.c.outstanding, 0),
        "over_advance": func.coalesce(by_advance.c.over_advance, 0),
        "repaid": func.coalesce(by_advance.c.repaid, 0),
        "paid": func.coalesce(by_advance.c.repaid, 0)
        + func.coalesce(directly.c.amount, 0)
        + func.coalesce(told.c.amount, 0),
        "credited": func.coalesce(credited.c.amount, 0),
        "disputed": func.coalesce(disputed.c.amount, 0),
    }
    differs = or_(*(_invoice.c[f"{name}_minor"] != value for name, value in said.items()))
    query = (
        select(_invoice, *(value.label(f"said_{name}") for name, value in said.items()))
        .outerjoin(by_advance, by_advance.c.invoice_id == _invoice.c.id)
        .outerjoin(directly, directly.c.invoice_id == _invoice.c.id)
        .outerjoin(told, told.c.invoice_id == _invoice.c.id)
        .outerjoin(credited, credited.c.invoice_id == _invoice.c.id)
        .outerjoin(disputed, disputed.c.invoice_id == _invoice.c.id)
        .where(differs)
        .order_by(_invoice.c.id)
    )
    for row in conn.execute(query):
        values = {
            name: (getattr(row, f"{name}_minor"), int(getattr(row, f"said_{name}")))
            for name in said
        }
        wrong = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        yield Breach(
            "INVOICE_AMOUNTS",
            f"invoice {row.id}",
            "; ".join(
                f"{name} {have}, its rows say {rows}" for name, (have, rows) in wrong.items()
            ),
        )


def _prices(conn: Connection) -> Iterator[Breach]:
    """What an assessment or a price was made of stands as it was stored."""
    for where, message in replay_of_prices.breaches(conn):
        yield Breach("RISK_DIGEST", where, message)


def _claims(conn: Connection) -> Iterator[Breach]:
    """An invoice with money on it lives in a programme."""
    live = select(_claim.c.invoice_id).where(_claim.c.live.is_(True))
    query = select(_invoice.c.id).where(
        (_invoice.c.held_minor + _invoice.c.outstanding_minor) > 0, not_among(_invoice.c.id, live)
    )
    for row in conn.execute(query):
        yield Breach("CLAIM_MISSING", f"invoice {row.id}", "It is financed and in no programme.")


def _advances(conn: Connection) -> Iterator[Breach]:
    """Replaying the events of an advance gives its state."""
    events: dict[str, list[Row[Any]]] = {}
    for step in conn.execute(select(_event).order_by(_event.c.advance_id, _event.c.number)):
        events.setdefault(step.advance_id, []).append(step)
    for row in conn.execute(select(_advance).order_by(_advance.c.id)):
        where = f"advance {row.id}"
        try:
            told = replay(events.get(row.id, []))
        except Conflict as conflict:
            yield Breach("ADVANCE_EVENTS", where, conflict.message)
            continue
        have = {name: getattr(row, name) for name in vars(told)}
        wrong = {name: (value, getattr(told, name)) for name, value in have.items()}
        wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
        if wrong:
            yield Breach("ADVANCE_STATE", where, f"It says, its events lead to: {wrong}.")


def _over_advances(conn: Connection) -> Iterator[Breach]:
    """What the over-advances of an advance leave open is what the advance says is owed for them."""
    still = func.coalesce(func.sum(_over.c.open_minor), 0)
    query = (
        select(_advance.c.id, _advance.c.gap_minor, _advance.c.gap_paid_minor, still.label("open"))
        .outerjoin(_over, _over.c.advance_id == _advance.c.id)
        .group_by(_advance.c.id, _advance.c.gap_minor, _advance.c.gap_paid_minor)
        .having(_advance.c.gap_minor - _advance.c.gap_paid_minor != still)
        .order_by(_advance.c.id)
    )
    for row in conn.execute(query):
        yield Breach(
            "OVER_ADVANCE",
            f"advance {row.id}",
            f"{row.gap_minor - row.gap_paid_minor} are to be repurchased; its over-advances say "
            f"{int(row.open)}.",
        )


def _tax_words(conn: Connection) -> Iterator[Breach]:
    """Each instruction of money that had to wait for a tax authority's word had one."""
    for advance_id, at in oversight.unheard(conn):
        yield Breach(
            "TAX_WORD_MISSING",
            f"advance {advance_id}",
            f"Money was sent on {at:%Y-%m-%d %H:%M} without a fresh word that its invoice is good.",
        )


def _claims_on(row: Row[Any]) -> dict[str, int]:
    """Give what the financier has bought or lent on an advance, and what it owes back on it."""
    if row.recourse:
        lent = row.face_minor - row.reserve_minor
        return {"loans_to_sellers": lent - row.lent_paid_minor}
    return {
        "receivables_purchased": open_face(row),
        "due_to_sellers_reserve": -row.reserve_left_minor,
        "due_from_sellers_repurchase": row.gap_minor - row.gap_paid_minor,
    }


def _books(conn: Connection) -> Iterator[Breach]:
    """The financier's book holds of each advance what the advance says of itself."""
    accounts = (
        "receivables_purchased",
        "loans_to_sellers",
        "due_to_sellers_reserve",
        "due_from_sellers_repurchase",
        "interest_receivable",
        "unearned_discount",
        "payments_in_transit",
    )
    booked: dict[str, dict[str, int]] = {}
    query = (
        select(_entry.c.subject_id, _account.c.code, func.sum(_posting.c.amount_minor))
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .join(_advance, _advance.c.id == _entry.c.subject_id)
        .where(_entry.c.org_id == _advance.c.financier_id, _account.c.code.in_(accounts))
        .group_by(_entry.c.subject_id, _account.c.code)
    )
    for subject, code, amount in conn.execute(query):
        booked.setdefault(subject, {})[code] = int(amount)
    for row in conn.execute(select(_advance).where(_advance.c.state.in_(OUT))):
        have = booked.get(row.id, {})
        want = {
            **_claims_on(row),
            "interest_receivable": row.interest_minor - row.interest_paid_minor,
            "unearned_discount": row.income_minor - row.discount_minor,
            "payments_in_transit": 0,
        }
        wrong = {
            code: (have.get(code, 0), amount)
            for code, amount in want.items()
            if have.get(code, 0) != amount
        }
        if wrong:
            yield Breach("ADVANCE_BOOKS", f"advance {row.id}", f"booked, expected: {wrong}")
