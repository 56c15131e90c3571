"""What waiting receipts may pay: asked of reconciliation for a whole slice, and kept with reasons.

Inner functions of this slice. What is certain settles on the usual way, under its locks; the rest
is stored beside the receipt, and nothing is posted before a person's word (``accepting.py``).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import OUT
from scf.kernel.ids import new_id
from scf.parties.service import business_date, firm_names
from scf.settlement import matching
from scf.settlement.expected import Match
from scf.settlement.lifecycle import PROPOSAL
from scf.settlement.loans import ADVANCE
from scf.settlement.models import ReceiptProposal
from scf.settlement.receipts import Lot, Recognised, in_turn, lots_of, recognise
from scf.settlement.reconcile import Entries, OpenItems, Paper, Verdict, reconcile
from scf.settlement.reconcile import columns as why

PROPOSALS: Final[Table] = ReceiptProposal.__table__  # type: ignore[attr-defined]
STANDING: Final = tuple(state for state in PROPOSAL.states if "replace" in PROPOSAL.allowed(state))
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_COLUMNS: Final = (
    "id", "number", "canonical_number", "currency", "buyer_id", "seller_id", "due_on",
    "base_minor", "credited_minor", "paid_minor",
)  # fmt: skip
MOST_ITEMS: Final = 50_000
_OWED: Final = _INVOICE.c.base_minor - _INVOICE.c.credited_minor - _INVOICE.c.paid_minor


class Waiting(NamedTuple):
    """A receipt with what was recognised of it, one payment as a whole, and papers beside it.

    The papers name invoices by their ids.
    """

    entry: Row[Any]
    lot: Lot
    found: Recognised
    papers: tuple[Paper, ...] = ()


class Weighed(NamedTuple):
    """A verdict on each payment, those on whole receipts, and the invoices that they speak of."""

    each: Sequence[Verdict]
    verdicts: dict[str, Verdict]
    invoice_ids: Sequence[str]


def weigh(conn: Connection, financier_id: str, waiting: Sequence[Waiting]) -> Weighed:
    """Hold receipts against what is open of their senders, by number and by sum, all at once."""
    if not waiting:
        return Weighed((), {}, ())
    items, is_all = _open_items(conn, financier_id, waiting)
    quoted = _quoted(conn, waiting)
    entries = Entries(
        ids=[one.entry.id for one in waiting],
        amounts=[one.lot.amount for one in waiting],
        currencies=[one.entry.currency for one in waiting],
        texts=[
            " ".join((*one.lot.texts, *(quoted[one_id] for one_id in ids if one_id in quoted)))
            for one in waiting
            for ids in (matching.ids_in(one.lot.texts),)
        ],
        senders=[one.found.remitters for one in waiting],
        names=[matching.plain_name(next(iter(one.lot.names), "")) for one in waiting],
        papers=[one.papers for one in waiting] if any(one.papers for one in waiting) else (),
    )
    found = reconcile(entries, items)
    if not is_all:  # what was not read may look alike
        found = [one._replace(certain=False) for one in found]
    lots = Counter(entries.ids)
    told = zip(entries.ids, found, strict=True)
    whole = {entry_id: one for entry_id, one in told if lots[entry_id] == 1}
    return Weighed(found, whole, items.ids)


def _quoted(conn: Connection, waiting: Sequence[Waiting]) -> dict[str, str]:
    """Give the numbers of the invoices whose ids, or whose advances' ids, are quoted."""
    ids = sorted({one_id for one in waiting for one_id in matching.ids_in(one.lot.texts)})
    if not ids:
        return {}
    rows = conn.execute(
        select(_INVOICE.c.id, _INVOICE.c.number).where(_INVOICE.c.id.in_(ids))
    ).all()
    advances = conn.execute(
        select(ADVANCE.c.id, _INVOICE.c.number)
        .join(_INVOICE, _INVOICE.c.id == ADVANCE.c.invoice_id)
        .where(ADVANCE.c.id.in_(ids))
    ).all()
    return {row.id: row.number for row in (*rows, *advances)}


def _open_items(
    conn: Connection, financier_id: str, waiting: Sequence[Waiting]
) -> tuple[OpenItems, bool]:
    """Read the financed invoices that any of these receipts may pay; tells whether that is all."""
    senders = sorted({firm for one in waiting for firm in one.found.remitters})
    named = {one_id for one in waiting for one_id in one.found.invoice_ids}
    named.update(pay[0] for one in waiting for paper in one.papers for pay in paper.pays)
    amounts = sorted({one.lot.amount for one in waiting})
    rows = conn.execute(
        select(*(_INVOICE.c[name] for name in _COLUMNS))
        .where(
            or_(
                _INVOICE.c.buyer_id.in_(senders),
                _INVOICE.c.seller_id.in_(senders),
                _INVOICE.c.id.in_(sorted(named)),
                _OWED.in_(amounts),
            ),
            _INVOICE.c.currency.in_(sorted({one.entry.currency for one in waiting})),
            _INVOICE.c.id.in_(
                select(ADVANCE.c.invoice_id).where(
                    ADVANCE.c.financier_id == financier_id, ADVANCE.c.state.in_(OUT)
                )
            ),
        )
        .order_by(_INVOICE.c.due_on, _INVOICE.c.id)
        .limit(MOST_ITEMS)
    ).all()
    is_all = len(rows) < MOST_ITEMS
    rows = [row for row in rows if owed(row) > 0]
    names = firm_names(conn, {row.buyer_id for row in rows})
    items = OpenItems(
        ids=[row.id for row in rows],
        numbers=[row.canonical_number for row in rows],
        amounts=[owed(row) for row in rows],
        currencies=[row.currency for row in rows],
        payers=[row.buyer_id for row in rows],
        due=[row.due_on.toordinal() if row.due_on else 0 for row in rows],
        spellings=[row.number for row in rows],
        others=[row.seller_id for row in rows],
        names=[matching.plain_name(names.get(row.buyer_id, "")) for row in rows],
    )
    return items, is_all


def ask(ctx: Context, matched: Iterable[Match]) -> Weighed:
    """Weigh the credits of a slice, each payment inside them by itself; only what is certain pays.

    A credit whose number names nothing that is open, or may mean another, or whose equal sums
    leave a choice, waits for a person. So does what a person must judge first: of a payer who
    does not owe, or whom nobody knows.
    """
    credits_ = [one for one in matched if one.row.amount_minor > 0 and one.returns is None]
    waiting = [Waiting(one.row, every.lot, every) for one in credits_ for every in one.found]
    weighed = weigh(ctx.conn, ctx.actor.org_id, waiting)
    decided = iter(recognised_by(ctx.conn, waiting, weighed))
    for one in credits_:
        one.found = [next(decided) for _ in one.found]
    return weighed


def recognised_by(
    conn: Connection, waiting: Sequence[Waiting], weighed: Weighed
) -> list[Recognised]:
    """Say of each payment what it pays now, or why it waits."""
    return [
        _recognised(conn, one, verdict, weighed.invoice_ids)
        for one, verdict in zip(waiting, weighed.each, strict=True)
    ]


def _recognised(conn: Connection, one: Waiting, verdict: Verdict, ids: Sequence[str]) -> Recognised:
    found = one.found
    best = verdict.best
    if not found.remitters or found.reason in {matching.PAYER_NOT_OBLIGOR, matching.PAYER_UNKNOWN}:
        return found
    # What a seller sends for its own invoice goes on as named: intake holds it for two people.
    if best is not None and (verdict.certain or why.PAYER_OTHER in best.reasons):
        paid = tuple(ids[pay.item] for pay in best.pays)
        if why.IN_TURN in best.reasons:
            today = business_date(conn, one.entry.financier_id)
            every = found.invoice_ids if found.named else paid
            paid = in_turn(conn, one.entry.financier_id, every, today)
        shares = tuple(pay.amount for pay in best.pays) if why.PAPER in best.reasons else ()
        return Recognised(found.lot, paid, found.remitters, named=True, shares=shares)
    equal = [
        every
        for every in verdict.proposals
        if len(every.pays) == 1 and every.pays[0].amount == found.lot.amount
    ]
    # What was named is paid already and nothing else can be meant: it goes back to the payer.
    named = found.named and best is not None
    if named or (not found.named and (verdict.unexplained or len(equal) > 1)):
        return Recognised(found.lot, found.invoice_ids, found.remitters, reason=matching.TO_REVIEW)
    return found


def look_again(conn: Connection, entry: Row[Any]) -> Waiting | None:
    """Give a receipt that waits as a whole, or with a rest, as reconciliation looks at it."""
    lots = lots_of(entry.unallocated_minor, entry.details)
    if len(lots) != 1:
        return None
    return Waiting(entry, lots[0], recognise(conn, entry.financier_id, lots[0]))


def keep(ctx: Context, entries: Iterable[Row[Any]], weighed: Weighed) -> int:
    """Store the proposals of receipts that still wait whole, instead of earlier ones."""
    rows = []
    told = [
        row
        for row in entries
        if row.id in weighed.verdicts and row.unallocated_minor == row.amount_minor
    ]
    for row in told:
        for rank, one in enumerate(weighed.verdicts[row.id].proposals):
            rows.append(
                {
                    "id": new_id(),
                    "bank_entry_id": row.id,
                    "financier_id": row.financier_id,
                    "rank": rank,
                    "confidence_ppm": one.confidence_ppm,
                    "reasons": list(one.reasons),
                    "pays": [
                        {"invoice_id": weighed.invoice_ids[pay.item], "amount_minor": pay.amount}
                        for pay in one.pays
                    ],
                    "state": "OPEN",
                    "agreed_by": None,
                    "decided_by": None,
                    "command_id": ctx.command_id,
                    "at": ctx.now,
                }
            )
    drop(ctx, [row.id for row in told])
    if rows:
        ctx.conn.execute(insert(PROPOSALS), rows)
    return len(rows)


def drop(ctx: Context, entry_ids: Sequence[str], but: str = "") -> None:
    """Set aside what was proposed for receipts and still stands."""
    ctx.conn.execute(
        update(PROPOSALS)
        .where(
            PROPOSALS.c.bank_entry_id.in_(list(entry_ids)),
            PROPOSALS.c.state.in_(STANDING),
            PROPOSALS.c.id != but,
        )
        .values(state="REPLACED")
    )
