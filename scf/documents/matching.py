"""Matching of stored documents: invoices with orders, receipts and credit notes, in any order.

What an order has room for is worked out anew from all its papers each time one of them comes, so
it does not matter which came first. Among invoices that want the same goods the earlier one has
them, and before it whatever a buyer has accepted or a financier has paid for. The rule itself
stands in ``match.judging``.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, and_, bindparam, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.db.runner import Context
from scf.documents.invoice_state import INVOICE, State, states, write
from scf.documents.lifecycle import MATCH
from scf.documents.match.book import COUNTING, Claim, ClaimLine, Credit, Items, Match, OrderKey
from scf.documents.match.credits_read import credits_of
from scf.documents.match.judging import CODES, WAITING
from scf.documents.match.tolerance import STRICT, Pair, Rules, covers, rules_for, rules_from
from scf.documents.models import DocumentFinding, InvoiceLine, OrderLine
from scf.documents.orderbook import Orders
from scf.documents.receiving import count_received
from scf.documents.rules import MatchMode
from scf.kernel.errors import words_as_stored
from scf.kernel.findings import Severity
from scf.kernel.ids import new_id

_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]

ACCEPTED: Final = frozenset({"ACCEPTED", "PART_ACCEPTED", "DEEMED"})
_OPEN: Final = frozenset({"UNMATCHED", "EXCEPTION"})
_LINE_COLUMNS: Final = (
    "order_line_id", "paired_by", "counted_micro", "counted_minor", "credited_micro",
    "credited_minor",
)  # fmt: skip
_NOWHERE: Final[dict[str, Any]] = {
    "order_line_id": None, "paired_by": None, "counted_micro": 0, "counted_minor": 0,
    "credited_micro": 0, "credited_minor": 0,
}  # fmt: skip
_SET_LINE = (
    update(_line)
    .where(_line.c.id == bindparam("row_id"))
    .values(**{name: bindparam(f"new_{name}") for name in _LINE_COLUMNS})
)


# --- Invoices that are just being stored ------------------------------------------------------


def match_new(
    ctx: Context,
    rows: Sequence[dict[str, Any]],
    lines: Sequence[Sequence[dict[str, Any]]],
) -> list[tuple[dict[str, Any], Match]]:
    """Match invoices before they are inserted, so that each is written once.

    They come after all others, so what is left on the order is theirs. Sets the match columns of
    the rows and of their lines; gives those that do not fit their order.
    """
    naming = [row for row in rows if _names_order(row)]
    orders = Orders.load(ctx, {_row_key(row) for row in naming}) if naming else None
    problems: list[tuple[dict[str, Any], Match]] = []
    if orders is None or not orders.books:
        return problems
    agreed = rules_for(ctx.conn, {_row_pair(row) for row in naming})
    notes = credits_of(ctx.conn, naming, open_only=True)
    for row, own in zip(rows, lines, strict=True):
        if not _names_order(row):
            continue
        rules = agreed.get(_row_pair(row), STRICT)
        claim = Claim(
            row["id"], row["currency"], row["net_minor"], _row_key(row),
            [_claim_line(line) for line in own], notes.get(row["id"], ()), rules,
        )  # fmt: skip
        result = orders.match(claim)
        row.update(_told(result, rules))
        for line in own:
            line.update(_placed(result, line["id"]))
        if result.code is not None and result.code not in WAITING:
            problems.append((row, result))
    orders.write(ctx)
    return problems


def _row_key(row: Mapping[str, Any]) -> OrderKey:
    return (row["seller_id"], row["buyer_id"], row["order_canonical"])


def _row_pair(row: Mapping[str, Any]) -> Pair:
    return (row["seller_id"], row["buyer_id"], row["currency"])


def _names_order(row: Mapping[str, Any]) -> bool:
    return bool(row["order_canonical"]) and row["document_state"] == "VALIDATED"


def _claim_line(line: Mapping[str, Any]) -> ClaimLine:
    return ClaimLine(
        line["id"],
        line["place"],
        line["order_line_ref"],
        line["unit"],
        line["quantity_micro"],
        line["net_minor"],
        line["line_ref"],
        line["tax_ppm"],
        Items(line["item_seller"], line["item_buyer"], line["item_standard"], line["item"]),
    )


def _told(result: Match, rules: Rules) -> dict[str, Any]:
    """Give the columns of an invoice that say how it matches, and by which rules."""
    known = result.state != "UNMATCHED"
    return {
        "match_state": result.state,
        "match_code": result.code,
        "order_id": result.order_id,
        "counted_minor": result.counted_minor,
        "match_mode": rules.mode if known else None,
        "match_rules": rules.stored() if known else None,
        "variances": [one.stored() for one in result.variances] or None,
    }


def _placed(result: Match, line_id: str) -> Mapping[str, Any]:
    placed = result.lines.get(line_id)
    return _NOWHERE if placed is None else {n: getattr(placed, n) for n in _LINE_COLUMNS}


# --- Everything about some orders, again ------------------------------------------------------


def match_invoices(ctx: Context, invoice_ids: Collection[str]) -> dict[str, int]:
    """Match stored invoices with their orders; gives how many came to which state."""
    return settle(ctx, keys_of(ctx.conn, invoice_ids))


def keys_of(conn: Connection, invoice_ids: Collection[str]) -> set[OrderKey]:
    """Give the orders that invoices name."""
    if not invoice_ids:
        return set()
    rows = conn.execute(
        select(INVOICE.c.seller_id, INVOICE.c.buyer_id, INVOICE.c.order_canonical).where(
            INVOICE.c.id.in_(sorted(invoice_ids)),
            INVOICE.c.document_state == "VALIDATED",
            INVOICE.c.order_canonical.is_not(None),
        )
    )
    return {(row.seller_id, row.buyer_id, row.order_canonical) for row in rows}


@dataclasses.dataclass
class Settled:
    """What became of some orders' papers."""

    counts: dict[str, int]
    over_received: list[dict[str, Any]]
    unread_units: list[dict[str, Any]]


def settle(ctx: Context, keys: Iterable[OrderKey]) -> dict[str, int]:
    """Count all papers of these orders anew; gives how many invoices came to which state."""
    return settle_all(ctx, keys).counts


def settle_all(ctx: Context, keys: Iterable[OrderKey]) -> Settled:
    """Count all papers of these orders anew, and say what of the receipts could not count."""
    orders = Orders.load(ctx, keys)
    done = Settled({}, [], [])
    if not orders.books:
        return done
    pairs = {(key[0], key[1], book.currency) for key, book in orders.books.items()}
    agreed = rules_for(ctx.conn, pairs)
    tolerances = {
        key: agreed.get((key[0], key[1], book.currency), STRICT).tolerance
        for key, book in orders.books.items()
    }
    done.over_received, done.unread_units = count_received(ctx.conn, orders.books, tolerances)
    heads = _heads(ctx.conn, orders.books)
    if heads:
        _judge_all(ctx, orders, heads, agreed, done)
    orders.write(ctx)
    return done


# Not the buyer's column but a sum of one: or all of a pair would be read by the pair's index.
_BY_ORDER: Final = (
    INVOICE.c.seller_id, INVOICE.c.buyer_id.concat(""), INVOICE.c.order_canonical
)  # fmt: skip


def _heads(conn: Connection, keys: Collection[OrderKey]) -> Sequence[Any]:
    rows = conn.execute(
        select(
            INVOICE.c.id,
            INVOICE.c.seller_id,
            INVOICE.c.buyer_id,
            INVOICE.c.order_canonical,
            INVOICE.c.canonical_number,
            INVOICE.c.issue_on,
            INVOICE.c.currency,
            INVOICE.c.net_minor,
            INVOICE.c.upload_id,
            INVOICE.c.org_id,
        ).where(
            among(conn, _BY_ORDER, keys),
            INVOICE.c.order_canonical.is_not(None),
            INVOICE.c.document_state == "VALIDATED",
        )
    )
    return rows.all()


def _key(head: Any) -> OrderKey:  # noqa: ANN401 - a row
    return (head.seller_id, head.buyer_id, head.order_canonical)


def _judge_all(
    ctx: Context,
    orders: Orders,
    heads: Sequence[Any],
    agreed: Mapping[Pair, Rules],
    done: Settled,
) -> None:
    before = states(ctx, [head.id for head in heads])
    lines = _lines_of(ctx.conn, list(before))
    notes = credits_of(ctx.conn, [head._asdict() for head in heads])
    orders.clear()
    counts: dict[str, int] = defaultdict(int)
    after: list[State] = []
    found: list[tuple[Any, Match]] = []
    placed: list[dict[str, Any]] = []
    for head in sorted(heads, key=lambda head: _turn(before[head.id])):
        old = before[head.id]
        own = lines.get(head.id, [])
        result, rules = _judged(orders, head, old, own, notes.get(head.id, ()), agreed)
        new = dataclasses.replace(old, **_told(result, rules))
        if new != old or new.match_state in _OPEN:
            counts[new.match_state] += 1
        if new != old:
            after.append(new)
        placed += _moved(result, own)
        if result.code != old.match_code and result.code is not None:
            found.append((head, result))
    write(ctx, before, after)
    if placed:
        ctx.conn.execute(_SET_LINE, placed)
    _report(ctx, [one.id for one in after if one.match_code != before[one.id].match_code], found)
    done.counts = dict(counts)


def _turn(state: State) -> tuple[int, str]:
    """Put first what somebody has acted upon, then whoever came first."""
    if state.match_state == "WAIVED":
        return 0, state.id
    taken = state.held_minor + state.outstanding_minor > 0
    acted = state.acceptance_state in ACCEPTED or taken
    return (1 if acted and state.match_state in COUNTING else 2), state.id


def _judged(
    orders: Orders,
    head: Any,  # noqa: ANN401 - a row
    old: State,
    lines: Sequence[Mapping[str, Any]],
    notes: Sequence[Credit],
    agreed: Mapping[Pair, Rules],
) -> tuple[Match, Rules]:
    # What matched once keeps the tolerance that it matched by.
    kept = old.match_state in COUNTING
    rules = rules_from(old.match_rules) if kept else agreed.get(_pair(head), STRICT)
    if old.match_state == "REJECTED":
        return Match("REJECTED", old.match_code, old.order_id), rules
    if old.acceptance_state == "REJECTED":
        state = MATCH.after(MATCH.after(old.match_state, "except"), "reject")
        return Match(state, old.match_code, old.order_id), rules
    claim = Claim(
        head.id,
        head.currency,
        head.net_minor,
        _key(head),
        [_claim_line(line) for line in lines],
        notes,
        rules,
        waived=old.match_state == "WAIVED",
    )
    result = orders.match(claim)
    if not claim.waived:
        MATCH.after(old.match_state, result.event)
    return result, rules


def _pair(head: Any) -> Pair:  # noqa: ANN401 - a row
    return (head.seller_id, head.buyer_id, head.currency)


def _lines_of(conn: Connection, invoice_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    lines: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    query = select(_line).where(_line.c.invoice_id.in_(invoice_ids))
    for row in conn.execute(query.order_by(_line.c.invoice_id, _line.c.place)):
        lines[row.invoice_id].append(row._asdict())
    return lines


def _moved(result: Match, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the lines that take another part of the order than they did."""
    moved = []
    for line in lines:
        placed = _placed(result, line["id"])
        if any(placed[name] != line[name] for name in _LINE_COLUMNS):
            moved.append(
                {"row_id": line["id"], **{f"new_{name}": placed[name] for name in _LINE_COLUMNS}}
            )
    return moved


# --- What both sides are told -----------------------------------------------------------------


def match_finding(
    ctx: Context, invoice_id: str, org_id: str, upload_id: str, result: Match
) -> dict[str, Any]:
    """Give the finding that tells both sides why an invoice does not match its order."""
    first = next((one for one in result.variances if one.code == result.code), None)
    return {
        "id": new_id(),
        "org_id": org_id,
        "upload_id": upload_id,
        "document_type": "invoice",
        "document_id": invoice_id,
        "severity": Severity.WARNING.value,
        "code": result.code,
        "place": "",
        "message": str(result.message),
        "words": words_as_stored(result.message),
        "value": "",
        "facts": {"order_id": result.order_id, **(first.stored() if first else {})},
        "resolved_at": None,
        "created_at": ctx.now,
    }


def _report(ctx: Context, changed: Sequence[str], found: Sequence[tuple[Any, Match]]) -> None:
    """Close what no longer holds and report what does; waiting for a paper is no mistake."""
    if changed:
        ctx.conn.execute(
            update(_finding)
            .where(
                _finding.c.document_id.in_(changed),
                _finding.c.code.in_(CODES),
                _finding.c.resolved_at.is_(None),
            )
            .values(resolved_at=ctx.now)
        )
    rows = [
        match_finding(ctx, head.id, head.org_id, head.upload_id, result)
        for head, result in found
        if result.state == "EXCEPTION" and result.code not in WAITING
    ]
    if rows:
        ctx.conn.execute(insert(_finding), rows)


# --- What finance asks ------------------------------------------------------------------------


class ProofGap(NamedTuple):
    """One order line on which more was invoiced than there is proof for."""

    line: str
    invoiced_micro: int
    proven_micro: int
    proof: str  # "receipt" or "despatch"


def proof_gaps(
    conn: Connection, invoice_ids: Collection[str], mode: MatchMode
) -> dict[str, ProofGap]:
    """Give the first gap in the proof of each invoice that matches its order.

    What was matched with such proof has none. An invoice that matched by its total alone names no
    line, so nothing proves it: its gap names none either. What was waived is not asked again.
    """
    if mode not in {"receipt", "despatch"} or not invoice_ids:
        return {}
    ordered = _order_line.c
    rows = conn.execute(
        select(
            INVOICE.c.id, INVOICE.c.match_state, INVOICE.c.match_mode, INVOICE.c.match_rules,
            ordered.line_ref, ordered.invoiced_micro, ordered.received_micro,
            ordered.despatched_micro,
        )
        .select_from(INVOICE)
        .outerjoin(_line, and_(_line.c.invoice_id == INVOICE.c.id,
                               _line.c.order_line_id.is_not(None)))
        .outerjoin(_order_line, ordered.id == _line.c.order_line_id)
        .where(
            INVOICE.c.id.in_(sorted(invoice_ids)),
            INVOICE.c.match_state.in_(("MATCHED", "PARTIAL")),
        )
        .order_by(INVOICE.c.id, ordered.line_ref)
    )  # fmt: skip
    gaps: dict[str, ProofGap] = {}
    for row in rows:
        if row.match_state == "MATCHED" and covers(row.match_mode or "none", mode):
            continue
        if row.line_ref is None:
            gaps.setdefault(row.id, ProofGap("", 0, 0, "receipt"))
            continue
        most = rules_from(row.match_rules).tolerance.most
        if row.invoiced_micro > most(row.received_micro):
            gap = ProofGap(row.line_ref, row.invoiced_micro, row.received_micro, "receipt")
            gaps.setdefault(row.id, gap)
        elif mode == "despatch" and row.invoiced_micro > most(row.despatched_micro):
            gap = ProofGap(row.line_ref, row.invoiced_micro, row.despatched_micro, "despatch")
            gaps.setdefault(row.id, gap)
    return gaps
