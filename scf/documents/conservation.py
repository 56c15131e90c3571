"""What must hold across orders, invoices and credit notes at every instant, for ``scf verify``.

The counters that commands keep are recomputed here from the rows behind them; a difference names
the first place to look. Source: fraud.md 2.1 (a) and (b), finance.md F10.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, case, func, literal, or_, select
from sqlalchemy.engine import Connection

from scf.documents.invoice_state import DATED, FACT, INVOICE
from scf.documents.match.tolerance import STRICT, Rules, rules_for, rules_from
from scf.documents.messages.arriving import strays
from scf.documents.models import (
    CreditAllocation,
    CreditNote,
    Dispute,
    InvoiceLine,
    Order,
    OrderLine,
)
from scf.documents.receiving import miscounted

_order: Final[Table] = Order.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_credit: Final[Table] = CreditNote.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = CreditAllocation.__table__  # type: ignore[attr-defined]
_dispute: Final[Table] = Dispute.__table__  # type: ignore[attr-defined]
_COUNTING: Final = ("MATCHED", "PARTIAL", "WAIVED")
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where something was lost or made."""

    code: str
    where: str
    message: str


def breaches(conn: Connection) -> Iterator[Breach]:
    """Give every breach, the simplest laws first."""
    yield from _lines_within(conn)
    yield from _lines_recounted(conn)
    yield from _lines_received(conn)
    yield from _orders_recounted(conn)
    yield from _orders_amended(conn)
    yield from _invoices(conn)
    yield from _credits(conn)
    yield from _facts(conn)


def _lines_within(conn: Connection) -> Iterator[Breach]:
    """No order line carries more than was ordered, received and tolerated.

    The widest tolerance of the invoices on a line is the one that let them pass; what was received
    beyond an order is judged by the agreement of today.
    """
    line = _order_line.c
    suspects = conn.execute(
        select(_order_line, _order.c.seller_id, _order.c.buyer_id, _order.c.currency)
        .join(_order, _order.c.id == line.order_id)
        .where(
            or_(
                line.invoiced_micro > line.quantity_micro,
                line.received_micro > line.quantity_micro,
                line.invoiced_minor > line.net_minor,
                line.matched_micro > line.received_micro,
                line.matched_micro > line.invoiced_micro,
            )
        )
        .order_by(line.id)
    ).all()
    matched_by = _rules_on(conn, [row.id for row in suspects])
    agreed = rules_for(conn, {(row.seller_id, row.buyer_id, row.currency) for row in suspects})
    for row in suspects:
        rules = matched_by.get(row.id, [STRICT])
        today = agreed.get((row.seller_id, row.buyer_id, row.currency), STRICT)
        if _exceeded(row, rules, today):
            yield Breach(
                "ORDER_LINE_EXCEEDED",
                f"order_line {row.id}",
                f"Ordered {row.quantity_micro} for {row.net_minor}; invoiced {row.invoiced_micro} "
                f"for {row.invoiced_minor}, received {row.received_micro}, matched "
                f"{row.matched_micro}.",
            )


def _exceeded(row: Any, rules: Sequence[Rules], today: Rules) -> bool:  # noqa: ANN401 - a row
    micro, minor = row.quantity_micro, row.net_minor
    if micro is not None:
        ordered = max(one.ordered_bound(micro) for one in rules)
        received = max(one.tolerance.most(micro) for one in (*rules, today))
        if row.invoiced_micro > ordered or row.received_micro > received:
            return True
    if minor is not None and row.invoiced_minor > max(r.amount_bound(minor, micro) for r in rules):
        return True
    if row.matched_micro > row.invoiced_micro:
        return True
    proven = [one for one in rules if one.by_receipt]
    return len(proven) == len(rules) and row.matched_micro > max(
        one.tolerance.most(row.received_micro) for one in proven
    )


def _rules_on(conn: Connection, line_ids: Sequence[str]) -> dict[str, list[Rules]]:
    """Give what the invoices on some order lines were matched by."""
    found: dict[str, list[Rules]] = defaultdict(list)
    for start in range(0, len(line_ids), _AT_ONCE):
        rows = conn.execute(
            select(_line.c.order_line_id, INVOICE.c.match_rules)
            .join(INVOICE, INVOICE.c.id == _line.c.invoice_id)
            .where(
                _line.c.order_line_id.in_(line_ids[start : start + _AT_ONCE]),
                INVOICE.c.match_state.in_(_COUNTING),
            )
        )
        for row in rows:
            found[row.order_line_id].append(rules_from(row.match_rules))
    return found


def _lines_recounted(conn: Connection) -> Iterator[Breach]:
    """The counters of an order line are the sums of the invoice lines on it."""
    matched = case((INVOICE.c.match_state == "MATCHED", _line.c.counted_micro), else_=0)
    counted = (
        select(
            _line.c.order_line_id.label("id"),
            func.sum(_line.c.counted_micro).label("micro"),
            func.sum(_line.c.counted_minor).label("minor"),
            func.sum(matched).label("matched"),
        )
        .join(INVOICE, INVOICE.c.id == _line.c.invoice_id)
        .where(
            _line.c.order_line_id.is_not(None),
            INVOICE.c.document_state == "VALIDATED",
            INVOICE.c.match_state.in_(_COUNTING),
        )
        .group_by(_line.c.order_line_id)
        .subquery()
    )
    micro, minor = func.coalesce(counted.c.micro, 0), func.coalesce(counted.c.minor, 0)
    proven = func.coalesce(counted.c.matched, 0)
    rows = conn.execute(
        select(
            _order_line.c.id,
            _order_line.c.invoiced_micro,
            _order_line.c.invoiced_minor,
            micro.label("micro"),
            minor.label("minor"),
        )
        .outerjoin(counted, counted.c.id == _order_line.c.id)
        .where(
            or_(
                _order_line.c.invoiced_micro != micro,
                _order_line.c.invoiced_minor != minor,
                _order_line.c.matched_micro != proven,
            )
        )
        .order_by(_order_line.c.id)
    )
    for row in rows:
        yield Breach(
            "ORDER_LINE_COUNT",
            f"order_line {row.id}",
            f"It says {row.invoiced_micro} for {row.invoiced_minor} are invoiced; its invoices "
            f"say {int(row.micro)} for {int(row.minor)}.",
        )


def _lines_received(conn: Connection) -> Iterator[Breach]:
    """What was received on an order line is what its receipts tell."""
    for line_id, counted, told in miscounted(conn):
        yield Breach(
            "ORDER_LINE_COUNT",
            f"order_line {line_id}",
            f"It says {counted} were received; its receipts say {told}.",
        )


def _orders_recounted(conn: Connection) -> Iterator[Breach]:
    """An order's invoiced total is that of its invoices, and each of these that of its lines."""
    counted = (
        select(INVOICE.c.order_id.label("id"), func.sum(INVOICE.c.counted_minor).label("minor"))
        .where(INVOICE.c.document_state == "VALIDATED", INVOICE.c.match_state.in_(_COUNTING))
        .group_by(INVOICE.c.order_id)
        .subquery()
    )
    minor = func.coalesce(counted.c.minor, 0)
    rows = conn.execute(
        select(_order.c.id, _order.c.invoiced_minor, _order.c.total_minor, minor.label("minor"))
        .outerjoin(counted, counted.c.id == _order.c.id)
        .where(_order.c.invoiced_minor != minor)
        .order_by(_order.c.id)
    )
    for row in rows:
        yield Breach(
            "ORDER_COUNT",
            f"trade_order {row.id}",
            f"Of {row.total_minor} it says {row.invoiced_minor} are invoiced; its invoices say "
            f"{int(row.minor)}.",
        )
    by_lines = (
        select(_line.c.invoice_id, func.sum(_line.c.counted_minor).label("minor"))
        .where(_line.c.order_line_id.is_not(None))
        .group_by(_line.c.invoice_id)
        .subquery()
    )
    odd = conn.execute(
        select(INVOICE.c.id, INVOICE.c.counted_minor, by_lines.c.minor)
        .join(by_lines, by_lines.c.invoice_id == INVOICE.c.id)
        .where(INVOICE.c.counted_minor != by_lines.c.minor)
        .order_by(INVOICE.c.id)
    )
    for one in odd:
        yield Breach(
            "ORDER_COUNT",
            f"invoice {one.id}",
            f"It takes {one.counted_minor} of its order; its lines take {int(one.minor)}.",
        )
    yield from _orders_within(conn)


def _orders_within(conn: Connection) -> Iterator[Breach]:
    """No order is invoiced for more than its sum and what was tolerated beside it."""
    rows = conn.execute(
        select(_order.c.id, _order.c.total_minor, _order.c.invoiced_minor, INVOICE.c.match_rules)
        .join(INVOICE, INVOICE.c.order_id == _order.c.id)
        .where(
            _order.c.total_minor > 0,
            _order.c.invoiced_minor > _order.c.total_minor,
            INVOICE.c.match_state.in_(_COUNTING),
        )
        .order_by(_order.c.id)
    )
    bounds: dict[tuple[str, int, int], tuple[int, int]] = {}
    for row in rows:
        rules = rules_from(row.match_rules)
        key = (row.id, row.total_minor, row.invoiced_minor)
        most, spare = bounds.get(key, (0, 0))
        most = max(most, rules.amount_bound(row.total_minor, None))
        bounds[key] = (most, spare + rules.tolerance.amount_over_minor)
    for (order_id, total, invoiced), (most, spare) in bounds.items():
        if invoiced > most + spare:
            yield Breach(
                "ORDER_COUNT",
                f"trade_order {order_id}",
                f"Of {total} {invoiced} are invoiced; {most + spare} are tolerated.",
            )


def _sum_by_invoice(table: Table, column: str) -> Any:  # noqa: ANN401 - a SQL subquery
    return (
        select(table.c.invoice_id, func.sum(table.c[column]).label("minor"))
        .group_by(table.c.invoice_id)
        .subquery()
    )


def _orders_amended(conn: Connection) -> Iterator[Breach]:
    """What counts of an order is what it said and what was said of it since."""
    for order_id, sign in strays(conn):
        yield Breach("ORDER_MESSAGES", f"order {order_id}", f"Not as its messages say: {sign}.")


def _invoices(conn: Connection) -> Iterator[Breach]:
    """Credits and disputes of an invoice are those of their rows, and capacity is not overrun."""
    credited = _sum_by_invoice(_allocation, "amount_minor")
    withheld = _sum_by_invoice(_dispute, "withheld_minor")
    credit, dispute = func.coalesce(credited.c.minor, 0), func.coalesce(withheld.c.minor, 0)
    one = INVOICE.c
    owed = one.base_minor - one.credited_minor - one.paid_minor
    state = case(
        (one.payment_state == "WRITTEN_OFF", literal("WRITTEN_OFF")),
        (owed <= 0, literal("PAID")),
        (one.paid_minor > 0, literal("PART_PAID")),
        else_=literal("OPEN"),
    )
    taken = one.held_minor + one.outstanding_minor
    room = owed - one.disputed_minor - one.retention_minor + one.over_advance_minor
    rows = conn.execute(
        select(
            one.id,
            one.credited_minor,
            one.disputed_minor,
            one.payment_state,
            taken.label("taken"),
            room.label("room"),
            credit.label("credit"),
            dispute.label("dispute"),
        )
        .outerjoin(credited, credited.c.invoice_id == one.id)
        .outerjoin(withheld, withheld.c.invoice_id == one.id)
        .where(
            or_(
                one.credited_minor != credit,
                one.disputed_minor != dispute,
                one.payment_state != state,
                taken > room,
            ),
            one.document_state != "RECEIVED",
        )
        .order_by(one.id)
    )
    for row in rows:
        yield Breach(
            "INVOICE_AMOUNTS",
            f"invoice {row.id}",
            f"Credited {row.credited_minor}, its credit notes say {int(row.credit)}; contested "
            f"{row.disputed_minor}, its disputes say {int(row.dispute)}; {row.taken} held and "
            f"financed of {row.room}; payment {row.payment_state}.",
        )


def _credits(conn: Connection) -> Iterator[Breach]:
    """What a credit note has given away is what its invoices got."""
    given = (
        select(
            _allocation.c.credit_note_id.label("id"),
            func.sum(_allocation.c.amount_minor).label("minor"),
        )
        .group_by(_allocation.c.credit_note_id)
        .subquery()
    )
    minor = func.coalesce(given.c.minor, 0)
    rows = conn.execute(
        select(_credit.c.id, _credit.c.allocated_minor, minor.label("minor"))
        .outerjoin(given, given.c.id == _credit.c.id)
        .where(_credit.c.allocated_minor != minor)
        .order_by(_credit.c.id)
    )
    for row in rows:
        yield Breach(
            "CREDIT_COUNT",
            f"credit_note {row.id}",
            f"It says {row.allocated_minor} are allocated; its invoices say {int(row.minor)}.",
        )


def _facts(conn: Connection) -> Iterator[Breach]:
    """The last dated fact of an invoice says what the invoice says of itself."""
    last = (
        select(FACT.c.invoice_id, func.max(FACT.c.sequence).label("sequence"))
        .group_by(FACT.c.invoice_id)
        .subquery()
    )
    differs = or_(*(FACT.c[name].is_distinct_from(INVOICE.c[name]) for name in DATED))
    rows = conn.execute(
        select(INVOICE.c.id, FACT.c.sequence)
        .join(last, last.c.invoice_id == INVOICE.c.id)
        .join(FACT, FACT.c.sequence == last.c.sequence)
        .where(differs)
        .order_by(INVOICE.c.id)
    )
    for row in rows:
        yield Breach(
            "INVOICE_FACTS",
            f"invoice {row.id}",
            f"Its last dated fact, {row.sequence}, tells of other amounts than the invoice.",
        )
