"""From documents to relations: one statement that reads only what was known before the day.

An invoice is taken as its last fact that was known before the day began (decision 0016), so that
a snapshot built in the evening equals the one built in the morning.

Source: the point-in-time rules of the risk price (what enters from which day).
"""

import datetime as dt
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Insert,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
)

from scf.chain.models import GraphEdge
from scf.db.types import UtcInstant
from scf.documents.models import Invoice, InvoiceFact, Order, TradePayment
from scf.parties.identity.models import FirmLink

WEEKS_52: Final = dt.timedelta(days=364)
WEEKS_13: Final = dt.timedelta(days=91)
_TAKES_PART: Final = ("ACCEPTED", "PART_ACCEPTED", "DEEMED")

_invoice: Any = Invoice.__table__  # type: ignore[attr-defined]
_fact: Any = InvoiceFact.__table__  # type: ignore[attr-defined]
_order: Any = Order.__table__  # type: ignore[attr-defined]
_payment: Any = TradePayment.__table__  # type: ignore[attr-defined]
_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]
_link: Any = FirmLink.__table__  # type: ignore[attr-defined]

_CUTOFF: Final = bindparam("known_before", type_=UtcInstant)
_TODAY: Final = bindparam("as_of_on", type_=Date)
_FROM_52: Final = bindparam("from_52w", type_=Date)
_FROM_13: Final = bindparam("from_13w", type_=Date)

_AMOUNTS: Final = tuple(
    f"{kind}_{what}"
    for kind in ("orders", "invoices", "payments")
    for what in ("52w_minor", "13w_minor", "count")
)
_STATE: Final = ("open_minor", "overdue_minor", "kept_minor")
FROM_INVOICES: Final = (*(name for name in _AMOUNTS if name.startswith("invoices_")), *_STATE)


def store_edges() -> Insert:
    """Give the statement that stores every relation of a snapshot, whosever chain it is in.

    Bound to ``snapshot_id``, ``as_of_on``, ``known_before``, ``from_52w`` and ``from_13w``.
    """
    told = union_all(_orders(), _invoices(), _payments()).subquery("told")
    known = _as_one_firm(told)
    ends = (known.c.seller_id, known.c.buyer_id, known.c.currency)
    sums = {name: _whole(func.sum(known.c[name])) for name in (*_AMOUNTS, *_STATE)}
    invoiced = sums["invoices_count"] > 0
    chosen = {
        f"sales_{weeks}_minor": case(
            (invoiced, sums[f"invoices_{weeks}_minor"]),
            (sums[f"payments_{weeks}_minor"] > 0, sums[f"payments_{weeks}_minor"]),
            else_=0,
        )
        for weeks in ("52w", "13w")
    }
    values = {
        "snapshot_id": bindparam("snapshot_id"),
        "seller_id": known.c.seller_id,
        "buyer_id": known.c.buyer_id,
        "currency": known.c.currency,
        **sums,
        **chosen,
        "overdue_since_on": func.min(known.c.overdue_since_on),
        "last_on": func.max(known.c.last_on),
    }
    rows = select(*values.values()).group_by(*ends)
    return insert(_edge).from_select(list(values), rows)


def invoiced() -> Select[Any]:
    """Give the statement that adds up anew, per relation, what of a snapshot rests on invoices.

    Bound like :func:`store_edges`. Invoices alone: their past is kept in dated facts, while an
    order that was replaced since then no longer says what it was.
    """
    known = _as_one_firm(_invoices().subquery("told"))
    ends = (known.c.seller_id, known.c.buyer_id, known.c.currency)
    sums = (_whole(func.sum(known.c[name])).label(name) for name in FROM_INVOICES)
    return select(*ends, *sums).group_by(*ends)


def _as_one_firm(told: Subquery) -> Subquery:
    """Let a record that another one stood for before the day be that firm, on either side."""
    sold = _link.alias("sold_under")
    bought = _link.alias("bought_under")
    names = [name for name in told.c.keys() if name not in {"seller_id", "buyer_id"}]  # noqa: SIM118
    return (
        select(
            func.coalesce(sold.c.survivor_id, told.c.seller_id).label("seller_id"),
            func.coalesce(bought.c.survivor_id, told.c.buyer_id).label("buyer_id"),
            *(told.c[name] for name in names),
        )
        .outerjoin(sold, and_(sold.c.firm_id == told.c.seller_id, sold.c.since_at < _CUTOFF))
        .outerjoin(bought, and_(bought.c.firm_id == told.c.buyer_id, bought.c.since_at < _CUTOFF))
        .subquery("known")
    )


def bound(snapshot_id: str, as_of_on: dt.date, known_before: dt.datetime) -> dict[str, Any]:
    """Give the values that :func:`store_edges` is bound to."""
    return {
        "snapshot_id": snapshot_id,
        "as_of_on": as_of_on,
        "known_before": known_before,
        "from_52w": as_of_on - WEEKS_52,
        "from_13w": as_of_on - WEEKS_13,
    }


def _whole(value: ColumnElement[Any]) -> ColumnElement[int]:
    """PostgreSQL sums 64-bit numbers to a decimal; ours fit 64 bits."""
    return cast(value, BigInteger)


def _row(
    kind: str,
    source: Any,  # noqa: ANN401 - a table or subquery
    ends: tuple[ColumnElement[Any], ColumnElement[Any]],
    amount: ColumnElement[int],
    on: ColumnElement[dt.date],
    state: dict[str, ColumnElement[int]] | None = None,
    since: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """Select one kind of document in the columns that all kinds share, with 0 for the others'."""
    windows: dict[str, ColumnElement[int]] = {
        "52w_minor": case((on >= _FROM_52, amount), else_=0),
        "13w_minor": case((on >= _FROM_13, amount), else_=0),
        "count": case((on >= _FROM_52, 1), else_=0),
    }
    nothing: ColumnElement[int] = literal(0, BigInteger)
    columns = [
        windows[name.partition("_")[2]] if name.startswith(kind) else nothing for name in _AMOUNTS
    ]
    columns += [(state or {}).get(name, nothing) for name in _STATE]
    labels = [one.label(name) for one, name in zip(columns, (*_AMOUNTS, *_STATE), strict=True)]
    seller, buyer = ends
    return select(
        seller.label("seller_id"),
        buyer.label("buyer_id"),
        source.c.currency,
        *labels,
        cast(null() if since is None else since, Date).label("overdue_since_on"),
        on.label("last_on"),
    ).where(seller.is_not(None), buyer.is_not(None), seller != buyer, on < _TODAY)


def _orders() -> Select[Any]:
    """Orders that the buyer itself handed in."""
    ends = (_order.c.seller_id, _order.c.buyer_id)
    return _row("orders", _order, ends, _order.c.total_minor, _order.c.issue_on).where(
        _order.c.document_state == "VALIDATED",
        _order.c.org_id == _order.c.buyer_id,
        _order.c.created_at < _CUTOFF,
        _order.c.issue_on >= _FROM_52,
    )


def _payments() -> Select[Any]:
    """Payments that the payer reported; a seller's own word of being paid counts for nothing."""
    ends = (_payment.c.payee_id, _payment.c.payer_id)
    return _row("payments", _payment, ends, _payment.c.amount_minor, _payment.c.paid_on).where(
        _payment.c.document_state == "VALIDATED",
        _payment.c.org_id == _payment.c.payer_id,
        _payment.c.created_at < _CUTOFF,
        _payment.c.paid_on >= _FROM_52,
    )


def _invoices() -> Select[Any]:
    """Invoices that the buyer has accepted or begun to pay, of 52 weeks or with an open rest."""
    last = (
        select(func.max(_fact.c.sequence).label("sequence"))
        .where(_fact.c.known_at < _CUTOFF)
        .group_by(_fact.c.invoice_id)
        .subquery("last_known")
    )
    accepted = _fact.c.acceptance_state.in_(_TAKES_PART)
    amount = _not_negative(_fact.c.base_minor - _fact.c.credited_minor)
    left = _not_negative(amount - _fact.c.disputed_minor - _fact.c.paid_minor)
    # Sold without recourse: the financier carries that risk, not the seller.
    sold = _fact.c.outstanding_minor - _fact.c.recourse_minor
    late = and_(_fact.c.due_on.is_not(None), _fact.c.due_on < _TODAY, left > 0)
    state = {
        "open_minor": left,
        "overdue_minor": case((late, left), else_=0),
        "kept_minor": _not_negative(left - sold),
    }
    since = case((late, _fact.c.due_on), else_=null())
    ends = (_invoice.c.seller_id, _invoice.c.buyer_id)
    joined = last.join(_fact, _fact.c.sequence == last.c.sequence).join(
        _invoice, _invoice.c.id == _fact.c.invoice_id
    )
    return (
        _row("invoices", _invoice, ends, amount, _invoice.c.issue_on, state, since)
        .select_from(joined)
        .where(
            _fact.c.document_state == "VALIDATED",
            or_(accepted, _fact.c.paid_minor > 0),
            or_(_invoice.c.issue_on >= _FROM_52, left > 0),
        )
    )


def _not_negative(value: ColumnElement[int]) -> ColumnElement[int]:
    return case((value > 0, value), else_=0)
