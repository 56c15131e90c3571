"""All that a seller could be paid for now, over all its buyers, and the basket it chooses of it.

Reads only. An invoice is ready when a quote for it would be made; every other one carries the
reasons why not, the same that a quote or request would be refused with. A basket is one quote per
buyer; each is made by ``quote.make`` and taken by ``request.submit``, by itself.
"""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, case, func, literal_column, select
from sqlalchemy.engine import Connection

from scf.documents.models import Acceptance, Invoice
from scf.kernel.calendar import Roll
from scf.kernel.errors import InvalidInput, Refusal, Words
from scf.kernel.rates import PPM, round_half_up
from scf.offers.facts import Asked, Deal, takes_of
from scf.offers.pricing import PricedLine, line_at
from scf.offers.selection import Option, Selection, cheapest
from scf.offers.service import Ask, Computed, compute
from scf.programmes import limits

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_ACCEPTANCE: Final[Table] = Acceptance.__table__  # type: ignore[attr-defined]
# One basket; whoever has more ready takes the rest in the next one.
MOST: Final = 100
ACCEPTED: Final = ("ACCEPTED", "PART_ACCEPTED", "DEEMED")
_UNPAID: Final = ("OPEN", "PART_PAID")
_LOOKED_AT: Final = 50  # acceptances that a usual delay is taken from
_FEW: Final = 3
_TRIES: Final = 4  # a part priced again until it brings the sum


@dataclass(frozen=True)
class Line:
    """One ready invoice with its price."""

    row: Any
    priced: PricedLine
    basis: int

    @property
    def all_in_ppm(self) -> int:
        """Every charge over the cash received, per year; simple."""
        cash_days = self.priced.net_minor * self.priced.days
        if cash_days <= 0:
            return 0
        return round_half_up(Fraction(self.priced.charges_minor * self.basis * PPM, cash_days))


@dataclass(frozen=True)
class Waiting:
    """One invoice that is not ready, with every reason."""

    row: Any
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Part:
    """What one buyer's invoices bring: the ask that makes the quote, and its computed price."""

    ask: Ask
    computed: Computed

    @property
    def deal(self) -> Deal:
        """The deal behind it; there is one, since the part is priced."""
        if self.computed.deal is None:
            msg = "a part of a basket has a deal"
            raise AssertionError(msg)
        return self.computed.deal

    @cached_property
    def lines(self) -> list[Line]:
        """The invoices with their prices."""
        if self.computed.price is None:
            return []
        basis = self.deal.terms.day_count.basis
        return [
            Line(row, priced, basis)
            for row, priced in zip(self.computed.rows, self.computed.price.lines, strict=True)
        ]


@dataclass(frozen=True)
class Basket:
    """Parts of one currency with their sums."""

    parts: tuple[Part, ...] = ()
    selection: Selection | None = None

    @cached_property
    def lines(self) -> list[Line]:
        """Every invoice of the basket, the next due first."""
        found = [line for part in self.parts for line in part.lines]
        return sorted(found, key=lambda line: (line.priced.settle_on, line.row.id))

    def _sum(self, name: str) -> int:
        return sum(getattr(part.computed.price, name) for part in self.parts)

    @property
    def face_minor(self) -> int:
        """The face of all lines."""
        return self._sum("face_minor")

    @property
    def discount_minor(self) -> int:
        """The discount of all lines."""
        return self._sum("discount_minor")

    @property
    def fee_minor(self) -> int:
        """The fees of all lines."""
        return self._sum("fee_minor")

    @property
    def reserve_minor(self) -> int:
        """What follows when the buyers have paid."""
        return self._sum("reserve_minor")

    @property
    def tax_minor(self) -> int:
        """The tax on the fees."""
        return self._sum("tax_minor")

    @property
    def interest_minor(self) -> int:
        """Interest in arrears, when everything is paid on its day."""
        return self._sum("interest_minor")

    @property
    def net_minor(self) -> int:
        """The cash that arrives."""
        return self._sum("net_minor")

    @property
    def all_in_ppm(self) -> int:
        """Every charge over the cash received, each line weighed by its cash and its days."""
        lines = self.lines
        cash_days = sum(line.priced.net_minor * line.priced.days for line in lines)
        if cash_days <= 0:
            return 0
        charges = sum(line.priced.charges_minor * line.basis for line in lines)
        return round_half_up(Fraction(charges * PPM, cash_days))

    @property
    def days(self) -> list[dt.date]:
        """The days on which cash arrives, each once."""
        return sorted({part.deal.value_on for part in self.parts})


@dataclass(frozen=True)
class Board:
    """Everything of one currency: what is ready, what waits, and how much there is beyond."""

    currency: str
    ready: Basket
    waiting: tuple[Waiting, ...] = ()
    more_ready: int = 0


# --- Reading ----------------------------------------------------------------------------------


def currencies(conn: Connection, seller_id: str, today: dt.date) -> list[str]:
    """Give the currencies in which a seller has unpaid invoices, the one with the most first."""
    counts: Counter[str] = Counter()
    for wanted in (_unpaid(seller_id, today), _unfinished(seller_id)):
        counted = select(_INVOICE.c.currency, func.count()).where(*wanted)
        for row in conn.execute(counted.group_by(_INVOICE.c.currency)):
            counts[row.currency] += row[1]
    return [code for code, _count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def board(
    conn: Connection,
    seller_id: str,
    currency: str,
    today: dt.date,
    now: dt.datetime,
    value_on: dt.date | None = None,
) -> Board:
    """Give what is ready in a currency on a day, and what waits for what.

    At most :data:`MOST` invoices are judged, accepted ones before others and the largest first.
    Without a day, each buyer's programme pays on its earliest.
    """
    free = (
        _INVOICE.c.base_minor
        - _INVOICE.c.credited_minor
        - _INVOICE.c.disputed_minor
        - _INVOICE.c.paid_minor
        - _INVOICE.c.retention_minor
        - _INVOICE.c.held_minor
        - _INVOICE.c.outstanding_minor
    )
    wanted = [
        *_unpaid(seller_id, today),
        _INVOICE.c.currency == currency,
        _INVOICE.c.due_on > today,
        free > 0,
    ]
    accepted = _INVOICE.c.acceptance_state.in_(ACCEPTED)
    rows = conn.execute(
        select(_INVOICE)
        .where(*wanted)
        .order_by(case((accepted, 0), else_=1), free.desc(), _INVOICE.c.id)
        .limit(MOST)
    ).all()
    more = 0
    if len(rows) == MOST and rows[-1].acceptance_state in ACCEPTED:
        counted = select(func.count()).select_from(_INVOICE).where(*wanted, accepted)
        more = conn.execute(counted).scalar_one() - MOST
    parts: list[Part] = []
    waiting: list[Waiting] = []
    for group in _by_buyer(rows):
        part, refused = settle(conn, seller_id, group, now, value_on)
        parts.extend([part] if part else [])
        waiting.extend(refused)
    waiting.extend(_incomplete(conn, seller_id, currency))
    waiting.sort(key=lambda one: (one.row.due_on or dt.date.max, one.row.id))
    return Board(currency, Basket(tuple(parts)), tuple(waiting), more)


def _incomplete(conn: Connection, seller_id: str, currency: str) -> Iterator[Waiting]:
    """Give invoices that lack something; one without a known buyer could not even be judged."""
    rows = conn.execute(
        select(_INVOICE)
        .where(
            *_unfinished(seller_id),
            _INVOICE.c.currency == currency,
        )
        .order_by(_INVOICE.c.due_on, _INVOICE.c.id)
        .limit(_LOOKED_AT)
    )
    for row in rows:
        reason = Refusal(
            "DOCUMENT_MISSING",
            row.document_state,
            "VALIDATED",
            "when the document is complete",
            "Complete the invoice; its findings say what is missing.",
            Words("Invoice %(number)s is not complete.", number=row.number),
            row.id,
        )
        yield Waiting(row, (reason,))


def _unpaid(seller_id: str, today: dt.date) -> list[ColumnElement[bool]]:
    return [
        _INVOICE.c.seller_id == seller_id,
        _INVOICE.c.payment_state.in_(_UNPAID),
        _INVOICE.c.due_on >= today,
        _INVOICE.c.document_state == "VALIDATED",
    ]


def _unfinished(seller_id: str) -> list[ColumnElement[bool]]:
    # As the partial index says it: a bound value would not be known to mean the same.
    return [_INVOICE.c.seller_id == seller_id, literal_column("document_state = 'INCOMPLETE'")]


def _by_buyer(rows: Iterable[Any]) -> list[list[Any]]:
    """Group by buyer and by its word, since another programme may take what is not accepted."""
    groups: dict[tuple[str, str, bool], list[Any]] = {}
    for row in rows:
        key = row.buyer_id or "", row.currency, row.acceptance_state in ACCEPTED
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def stopped(
    conn: Connection, seller_id: str, rows: Iterable[Any], now: dt.datetime
) -> dict[str, Refusal]:
    """Give those of some invoices that no quote would hold now, with the first reason."""
    return {
        one.row.id: one.refusals[0]
        for group in _by_buyer(rows)
        for one in settle(conn, seller_id, group, now, None)[1]
    }


def settle(
    conn: Connection,
    seller_id: str,
    rows: Sequence[Any],
    now: dt.datetime,
    value_on: dt.date | None,
) -> tuple[Part | None, list[Waiting]]:
    """Part invoices of one buyer into those that a quote would hold and those with reasons.

    Where a limit has no room for all, as many as fit are ready, in the order handed in.
    """
    left = {row.id: row for row in rows}
    waiting: list[Waiting] = []
    ask = Ask(list(left))
    computed = compute(conn, seller_id, ask, now)
    if value_on is not None and computed.deal is not None:
        day = max(value_on, computed.deal.earliest_value_on)
        ask = ask._replace(value_on=computed.deal.payment_days.roll(day, Roll.FOLLOWING))
        computed = compute(conn, seller_id, ask, now)
    while computed.is_refused:
        reasons: dict[str, list[Refusal]] = {}
        for refusal in computed.refusals:
            reasons.setdefault(refusal.subject, []).append(refusal)
        together = tuple(reasons.pop("", []))
        if not reasons:
            outside = _over_limit(conn, computed, left) if _only_limits(together) else left
            reasons = {invoice_id: [] for invoice_id in outside}
        for invoice_id, own in reasons.items():
            waiting.append(Waiting(left.pop(invoice_id), (*own, *together)))
        if not left:
            return None, waiting
        ask = ask._replace(invoice_ids=list(left))
        computed = compute(conn, seller_id, ask, now)
    return Part(ask, computed), waiting


def _only_limits(refusals: Sequence[Refusal]) -> bool:
    return all(refusal.code.startswith("LIMIT_") for refusal in refusals)


def _over_limit(conn: Connection, computed: Computed, left: Mapping[str, Any]) -> Collection[str]:
    """Give the invoices that the limits have no room for beside the others."""
    deal, priced = computed.deal, computed.price
    if deal is None or priced is None:
        return list(left)
    asked = [
        Asked(row, line.face_minor, line.net_minor)
        for row, line in zip(computed.rows, priced.lines, strict=True)
    ]
    takes = takes_of(conn, deal, asked, [one.row.id for one in asked])
    planned = limits.plan(conn, deal.programme.financier_id, deal.currency, takes)
    fits = set(limits.fitting(planned, takes))
    return [invoice_id for invoice_id in left if invoice_id not in fits] or list(left)


def usual_days_to_accept(
    conn: Connection, seller_id: str, buyer_id: str, today: dt.date
) -> int | None:
    """Give the median of days from an invoice's arrival to the buyer's word; nothing for a few."""
    recent = (
        select(_INVOICE.c.id, _INVOICE.c.created_at)
        .where(
            _INVOICE.c.seller_id == seller_id,
            _INVOICE.c.buyer_id == buyer_id,
            _INVOICE.c.due_on < today + dt.timedelta(days=120),
            _INVOICE.c.acceptance_state.in_(ACCEPTED),
        )
        .order_by(_INVOICE.c.due_on.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    rows = conn.execute(
        select(recent.c.created_at, _ACCEPTANCE.c.at).join(
            _ACCEPTANCE, (_ACCEPTANCE.c.invoice_id == recent.c.id) & (_ACCEPTANCE.c.version == 1)
        )
    )
    days = [(row.at - row.created_at).days for row in rows]
    return round(statistics.median_low(days)) if len(days) >= _FEW else None


# --- Choosing ---------------------------------------------------------------------------------


def choose(
    conn: Connection, seller_id: str, of: Board, chosen: Collection[str], now: dt.datetime
) -> Basket:
    """Give the basket of the ready invoices that were chosen, priced together."""
    parts = []
    for part in of.ready.parts:
        ids = [invoice_id for invoice_id in part.ask.invoice_ids if invoice_id in chosen]
        if ids:
            ask = part.ask._replace(invoice_ids=ids)
            same = len(ids) == len(part.ask.invoice_ids)
            parts.append(part if same else Part(ask, compute(conn, seller_id, ask, now)))
    return Basket(tuple(part for part in parts if part.computed.price is not None))


def raise_sum(
    conn: Connection, seller_id: str, of: Board, wanted_minor: int, now: dt.datetime
) -> Basket:
    """Give the basket that brings a sum at least cost.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE when everything that is ready brings less.
    """
    options = [_option(part, line) for part in of.ready.parts for line in part.lines]
    found = cheapest(options, wanted_minor)
    if found is None:
        raise InvalidInput(
            "AMOUNT_RANGE",
            "That is not between nothing and what is ready.",
            most_minor=of.ready.net_minor,
            currency=of.currency,
        )
    basket, more = _raised(conn, seller_id, of, found, 0, now), 0
    part = next((one for one in options if one.key == found.part), None)
    for _again in range(_TRIES):
        # A part is dearer by the euro than the whole at whose rate it was chosen.
        short = wanted_minor - basket.net_minor
        if part is None:
            break
        room = part.face_minor - found.faces[part.key] - more
        if short <= 0 or room <= 0:
            break
        more += min(-(-short // part.step_minor) * part.step_minor, room)
        basket = _raised(conn, seller_id, of, found, more, now)
    return basket


def _raised(
    conn: Connection, seller_id: str, of: Board, found: Selection, more: int, now: dt.datetime
) -> Basket:
    """Price a selection, with so much more of the invoice of which it takes a part."""
    parts = []
    for part in of.ready.parts:
        # A part of an invoice comes last: the amount is spread over the invoices in their order.
        ids = [invoice_id for invoice_id in part.ask.invoice_ids if invoice_id in found.faces]
        if not ids:
            continue
        ids.sort(key=lambda invoice_id: invoice_id == found.part)
        amount = None if found.part not in ids else more + sum(found.faces[one] for one in ids)
        ask = part.ask._replace(invoice_ids=ids, amount_minor=amount)
        parts.append(Part(ask, compute(conn, seller_id, ask, now)))
    return Basket(tuple(part for part in parts if part.computed.price is not None), found)


def _option(part: Part, line: Line) -> Option:
    """Say what a face of an invoice brings at the rate that the whole of it is priced with."""
    terms, priced = part.deal.terms, line.priced
    of_currency = terms.currency[part.deal.currency]
    whole = priced.face_minor

    def at(face: int) -> PricedLine:
        if face == whole:
            return priced
        return line_at(
            terms,
            of_currency,
            face=face,
            start=priced.start,
            settle_on=priced.settle_on,
            rate=priced.rate,
            margin_ppm=priced.margin_ppm,
        )

    return Option(
        line.row.id,
        whole,
        max(of_currency.amount_min_minor, of_currency.amount_step_minor)
        if terms.partial_allowed
        else whole,
        of_currency.amount_step_minor,
        net_of=lambda face: at(face).net_minor,
        cost_of=lambda face: at(face).charges_minor,
    )
