"""What waiting receipts may pay: asked of reconciliation for a whole slice, and kept with reasons.

Inner functions of this slice. What is certain settles on the usual way, under its locks; the rest
is stored beside the receipt, and nothing is posted before a person's word (``accepting.py``).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import OUT
from scf.kernel.ids import new_id
from scf.parties.service import firm_names
from scf.settlement import matching
from scf.settlement.expected import Match
from scf.settlement.lifecycle import PROPOSAL
from scf.settlement.loans import ADVANCE
from scf.settlement.models import ReceiptProposal
from scf.settlement.receipts import Lot, Recognised, lots_of, recognise
from scf.settlement.reconcile import Entries, OpenItems, Paper, Verdict, reconcile

PROPOSALS: Final[Table] = ReceiptProposal.__table__  # type: ignore[attr-defined]
STANDING: Final = tuple(state for state in PROPOSAL.states if "replace" in PROPOSAL.allowed(state))
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
MOST_ITEMS: Final = 5_000
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
    """Verdicts by receipt, and the ids of the invoices that they speak of."""

    verdicts: dict[str, Verdict]
    invoice_ids: Sequence[str]


def weigh(conn: Connection, financier_id: str, waiting: Sequence[Waiting]) -> Weighed:
    """Hold receipts against what is open of their senders, by number and by sum, all at once."""
    if not waiting:
        return Weighed({}, ())
    items = _open_items(conn, financier_id, waiting)
    entries = Entries(
        ids=[one.entry.id for one in waiting],
        amounts=[one.lot.amount for one in waiting],
        currencies=[one.entry.currency for one in waiting],
        texts=[" ".join(one.lot.texts) for one in waiting],
        senders=[one.found.remitters for one in waiting],
        names=[matching.plain_name(next(iter(one.lot.names), "")) for one in waiting],
        papers=[one.papers for one in waiting] if any(one.papers for one in waiting) else (),
    )
    found = reconcile(entries, items)
    return Weighed(dict(zip(entries.ids, found, strict=True)), items.ids)


def _open_items(conn: Connection, financier_id: str, waiting: Sequence[Waiting]) -> OpenItems:
    """Read the financed invoices that any of these receipts may pay."""
    senders = sorted({firm for one in waiting for firm in one.found.remitters})
    named = {one_id for one in waiting for one_id in one.found.invoice_ids}
    named.update(pay[0] for one in waiting for paper in one.papers for pay in paper.pays)
    amounts = sorted({one.lot.amount for one in waiting})
    rows = conn.execute(
        select(_INVOICE)
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
    rows = [row for row in rows if owed(row) > 0]
    names = firm_names(conn, {row.buyer_id for row in rows})
    return OpenItems(
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


def ask(ctx: Context, matched: Iterable[Match]) -> Weighed:
    """Weigh the credits of a slice; what is certain is recognised thereby, as if it were named.

    A credit whose number names nothing that is open, or whose equal sums leave a choice, waits
    for a person instead of going to what is due.
    """
    waiting = [
        Waiting(one.row, one.found[0].lot, one.found[0])
        for one in matched
        if one.row.amount_minor > 0 and one.returns is None and len(one.found) == 1
    ]
    by_entry = {one.row.id: one for one in matched}
    weighed = weigh(ctx.conn, ctx.actor.org_id, waiting)
    for one in waiting:
        verdict = weighed.verdicts[one.entry.id]
        by_entry[one.entry.id].found = [_recognised(one, verdict, weighed.invoice_ids)]
    return weighed


def _recognised(one: Waiting, verdict: Verdict, ids: Sequence[str]) -> Recognised:
    found = one.found
    best = verdict.best
    if found.named or best is None or not found.remitters:
        return found
    if verdict.certain:
        paid = tuple(ids[pay.item] for pay in best.pays)
        return Recognised(found.lot, paid, found.remitters, named=True)
    equal = [
        every
        for every in verdict.proposals
        if len(every.pays) == 1 and every.pays[0].amount == found.lot.amount
    ]
    if verdict.unexplained or len(equal) > 1:
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
