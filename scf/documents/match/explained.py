"""How an invoice matches its order, line by line, for the people on both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from scf.documents.match.book import Variance
from scf.documents.match.models import MatchAct
from scf.documents.match.saying import said
from scf.documents.match.tolerance import Rules, rules_from
from scf.documents.models import Invoice, InvoiceLine, OrderLine
from scf.documents.quantities import from_micro

_FIXED = ("code", "amount_minor", "line", "order_line", "within")
_MOST = 200


@dataclass(frozen=True)
class Told:
    """One difference: its code, the sentence, the money, and whether the tolerance covers it."""

    code: str
    text: str
    amount_minor: int
    within: bool


@dataclass(frozen=True)
class LineShown:
    """One line with what became of its order line; quantities as text in the order's unit."""

    id: str
    line: str
    item: str
    unit: str
    order_line: str
    order_unit: str
    paired_by: str
    ordered: str
    despatched: str
    received: str
    invoiced: str
    credited: str
    left: str
    differences: tuple[Told, ...]


@dataclass(frozen=True)
class Explained:
    """The whole of it: lines, what no line says, by which rules, and what people did."""

    lines: tuple[LineShown, ...]
    others: tuple[Told, ...]
    rules: Rules
    stake_minor: int
    acts: Sequence[MatchAct]


def explained(session: Session, invoice: Invoice) -> Explained:
    """Give how an invoice matches, from what was kept when it was matched."""
    said_of = [(one["line"], told(one, invoice.currency)) for one in invoice.variances or ()]
    found = session.execute(
        select(InvoiceLine, OrderLine)
        .outerjoin(OrderLine, col(OrderLine.id) == col(InvoiceLine.order_line_id))
        .where(col(InvoiceLine.invoice_id) == invoice.id)
        .order_by(col(InvoiceLine.place))
        .limit(_MOST)
    ).all()
    meant = _meant(session, invoice)
    lines = tuple(
        _shown(
            line,
            ordered or meant.get(line.line_ref),
            tuple(one for ref, one in said_of if ref and ref == line.line_ref),
        )
        for line, ordered in found
    )
    refs = {line.line for line in lines}
    worth: dict[str, int] = {}
    for ref, one in said_of:
        if not one.within:
            worth[ref] = max(worth.get(ref, 0), one.amount_minor)
    acts = session.execute(
        select(MatchAct).where(col(MatchAct.invoice_id) == invoice.id).order_by(col(MatchAct.id))
    )
    return Explained(
        lines,
        tuple(one for ref, one in said_of if ref not in refs),
        rules_from(invoice.match_rules),
        sum(worth.values()),
        list(acts.scalars()),
    )


def _meant(session: Session, invoice: Invoice) -> dict[str, OrderLine]:
    """Give the order line that each line was compared with, where it took nothing of it."""
    named = {one["line"]: one["order_line"] for one in invoice.variances or () if one["order_line"]}
    if not named or invoice.order_id is None:
        return {}
    rows = session.execute(
        select(OrderLine).where(
            col(OrderLine.order_id) == invoice.order_id,
            col(OrderLine.line_ref).in_(sorted(set(named.values()))),
        )
    ).scalars()
    by_ref = {row.line_ref: row for row in rows}
    return {line: by_ref[ref] for line, ref in named.items() if ref in by_ref}


def told(stored: Mapping[str, Any], currency: str) -> Told:
    """Tell one difference as it was kept with the invoice."""
    facts = {name: value for name, value in stored.items() if name not in _FIXED}
    one = Variance(
        stored["code"],
        stored["amount_minor"],
        stored["line"],
        stored["order_line"],
        facts,
        stored["within"],
    )
    return Told(one.code, said(one, currency), one.amount_minor, one.within)


def _shown(line: InvoiceLine, ordered: OrderLine | None, told: tuple[Told, ...]) -> LineShown:
    def of(micro: int | None) -> str:
        return "" if ordered is None or micro is None else from_micro(micro)

    left = None
    if ordered is not None and ordered.quantity_micro is not None:
        left = max(0, ordered.quantity_micro - ordered.invoiced_micro)
    return LineShown(
        line.id,
        line.line_ref,
        line.item,
        line.unit or "",
        ordered.line_ref if ordered else "",
        (ordered.unit if ordered else line.unit) or "",
        line.paired_by or "",
        of(ordered.quantity_micro if ordered else None),
        of(ordered.despatched_micro if ordered else None),
        of(ordered.received_micro if ordered else None),
        from_micro(line.quantity_micro) if line.quantity_micro is not None else "",
        of(line.credited_micro),
        of(left),
        told,
    )
