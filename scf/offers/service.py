"""Quotes worked out before anything is stored, and read back.

:func:`compute` only reads. A page or program shows its result; the command ``quote.make`` computes
again inside its transaction and refuses when the inputs have moved since (their digest differs).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.documents.rules import eligible
from scf.documents.taxcheck.standing import Since
from scf.kernel.actor import Actor
from scf.kernel.clock import Clock
from scf.kernel.errors import InvalidInput, Refusal, Words
from scf.kernel.ids import digest
from scf.kernel.rates import PPM, round_half_up
from scf.offers.eligibility import largest_face
from scf.offers.facts import Asked, Deal, deal_on, judge, takes_of
from scf.offers.models import Quote, QuoteLine
from scf.offers.pricing import Price, PricedLine, percent_text, price, price_line
from scf.offers.riskprice import ByRisk, price_by_risk
from scf.parties.service import business_date
from scf.programmes import limits
from scf.programmes.service import covers, fixing, programme_of, programmes_between, terms_on
from scf.programmes.techniques import technique_of

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]
LINE: Final[Table] = QuoteLine.__table__  # type: ignore[attr-defined]
_LINES: Final = select(LINE).where(LINE.c.quote_id == bindparam("quote")).order_by(LINE.c.place)


class Ask(NamedTuple):
    """What a seller asks for: invoices in its order, how much, and when."""

    invoice_ids: Sequence[str]
    amount_minor: int | None = None
    value_on: dt.date | None = None
    programme_id: str | None = None


@dataclass(frozen=True)
class Computed:
    """A quote as it would be now: priced, or refused with every reason."""

    deal: Deal | None
    rows: tuple[Any, ...]
    price: Price | None
    benchmark: str
    fixing_percent: str
    fixing_on: dt.date | None
    refusals: tuple[Refusal, ...]
    inputs_digest: str
    by_risk: ByRisk | None = None

    @property
    def is_refused(self) -> bool:
        """Whether anything stands against it."""
        return bool(self.refusals)


def make_quote(
    conn: Connection,
    actor: Actor,
    invoice_ids: Sequence[str],
    amount: int | None,
    on: dt.date | None,
    clock: Clock,
) -> Computed:
    """Work out what the actor's organisation would receive for its invoices, storing nothing."""
    return compute(conn, actor.org_id, Ask(invoice_ids, amount, on), clock.now())


def compute(
    conn: Connection, seller_id: str, ask: Ask, now: dt.datetime, since: Since | None = None
) -> Computed:
    """Price a seller's invoices as they are on this connection, or say why not.

    Raises
    ------
    InvalidInput
        REPEATED, QUOTE_MIXED (several buyers or currencies), AMOUNT_RANGE, VALUE_DATE.
    NotFound
        For an invoice that is not the seller's.
    """
    rows = _own_invoices(conn, seller_id, ask)
    currency = rows[0].currency
    found = _find_deal(conn, seller_id, ask, rows, now)
    if isinstance(found, Refusal):
        return Computed(None, tuple(rows), None, "", "", None, (found,), "")
    deal = found
    asked = spread(deal, rows, ask.amount_minor)
    by_risk: ByRisk | None = None
    if deal.terms.price_mode == "risk":
        by_risk = price_by_risk(conn, deal, asked)
        benchmark, percent, fixed_on = by_risk.benchmark, by_risk.funding_percent, by_risk.known_on
        priced = price(deal.terms, by_risk.lines) if by_risk.lines else None
    else:
        benchmark, percent, fixed_on = _fixing(conn, deal)
        priced = _price(deal, asked, percent) if percent else None
    if priced is not None:
        asked = [
            one._replace(net=line.net_minor) for one, line in zip(asked, priced.lines, strict=True)
        ]
    fixing_missing = "" if percent or by_risk is not None else benchmark
    against = [*judge(conn, deal, asked, fixing_missing, since)]
    takes = takes_of(conn, deal, asked, [one.row.id for one in asked])
    against.extend(limits.plan(conn, deal.programme.financier_id, currency, takes).refusals)
    if by_risk is not None:
        # What is no receivable has no price either; one reason is enough.
        against.extend([] if against and not by_risk.lines else by_risk.refusals)
    elif priced is None and not against:
        against.append(_unpriced(deal))
    against.extend(_nothing_left(deal, asked, priced))
    return Computed(
        deal,
        tuple(one.row for one in asked),
        priced,
        benchmark,
        percent,
        fixed_on,
        tuple(against),
        _digest_of(deal, asked, benchmark, percent, by_risk),
        by_risk,
    )


def _own_invoices(conn: Connection, seller_id: str, ask: Ask) -> list[Row[Any]]:
    ids = list(ask.invoice_ids)
    if not ids or len(set(ids)) != len(ids):
        raise InvalidInput("REPEATED", "Name at least one invoice, and each once.")
    if ask.amount_minor is not None and ask.amount_minor <= 0:
        raise InvalidInput("AMOUNT_RANGE", "Ask for an amount above zero.")
    found = {
        row.id: row
        for row in conn.execute(
            select(_INVOICE).where(
                _INVOICE.c.id.in_(ids),
                _INVOICE.c.seller_id == seller_id,
                _INVOICE.c.document_state != "RECEIVED",
            )
        )
    }
    for invoice_id in ids:
        if invoice_id not in found:
            raise not_found("invoice", invoice_id)
    rows = [found[invoice_id] for invoice_id in ids]
    if len({(row.buyer_id, row.currency) for row in rows}) > 1:
        raise InvalidInput("QUOTE_MIXED", "One quote holds invoices of one buyer in one currency.")
    return rows


def _find_deal(
    conn: Connection, seller_id: str, ask: Ask, rows: Sequence[Row[Any]], now: dt.datetime
) -> Deal | Refusal:
    buyer_id, currency = rows[0].buyer_id, rows[0].currency
    programme: Row[Any] | None
    if ask.programme_id is not None:
        programme = programme_of(conn, ask.programme_id)
        if not covers(programme, seller_id, buyer_id):
            raise not_found("programme", ask.programme_id)
    else:
        programme = _best_programme(conn, seller_id, rows) if buyer_id else None
    if programme is None:
        return Refusal(
            "NO_PROGRAMME",
            currency,
            "a programme of the buyer, or your own, in this currency",
            "when a financier opens one",
            "Ask the buyer or a financier for a programme.",
            "No programme finances invoices of this buyer in this currency.",
        )
    on = business_date(conn, programme.financier_id)
    deal = deal_on(
        conn,
        programme,
        terms_on(conn, programme.id, on),
        seller_id=seller_id,
        obligor_id=buyer_id,
        currency=currency,
        value_on=ask.value_on,
        now=now,
    )
    if not deal.payment_days.is_business_day(deal.value_on):
        raise InvalidInput(
            "VALUE_DATE",
            "%(value_on)s is no business day of the currency and both banks.",
            value_on=deal.value_on.isoformat(),
        )
    return deal


def _best_programme(conn: Connection, seller_id: str, rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """Give the programme that takes these invoices as they are; else the first, which says why not.

    The buyer's come first, on whose word finance is cheapest; then the seller's own.
    """
    found = programmes_between(conn, seller_id, rows[0].buyer_id, rows[0].currency)
    for programme, terms in found:
        enough = technique_of(terms).accepted_enough
        if all(enough(row.acceptance_state) for row in rows):
            return programme
    return found[0][0] if found else None


def _fixing(conn: Connection, deal: Deal) -> tuple[str, str, dt.date | None]:
    """Give benchmark, published percent and day; no percent where none is usable."""
    part = deal.terms.currency.get(deal.currency)
    if part is None:
        return "", "", None
    terms = deal.terms
    row = fixing(
        conn,
        deal.programme.financier_id,
        part.benchmark,
        deal.business_on,
        terms.fixing_lag_days,
        deal.calendar,
    )
    base = deal.calendar.add_business_days(deal.business_on, -terms.fixing_lag_days)
    if row is None or (base - row.fixed_on).days > terms.fixing_age_max_days:
        return part.benchmark, "", None
    return part.benchmark, row.percent, row.fixed_on


def spread(deal: Deal, rows: Sequence[Row[Any]], amount: int | None) -> list[Asked]:
    """Spread an amount over invoices in the order asked: each in full until it is used up.

    Without an amount, all that can be advanced on each. What does not fit stays on the last
    invoice, whose refusal then names what there is.
    """
    most = [largest_face(deal.terms, eligible(row)) for row in rows]
    if amount is None:
        return [Asked(row, face, 0) for row, face in zip(rows, most, strict=True)]
    asked: list[Asked] = []
    left = amount
    for place, (row, face) in enumerate(zip(rows, most, strict=True)):
        part = left if place == len(rows) - 1 else min(face, left)
        left -= part
        if part:
            asked.append(Asked(row, part, 0))
    return asked


def _price(deal: Deal, asked: Sequence[Asked], percent: str) -> Price | None:
    part = deal.terms.currency[deal.currency]
    lines: list[PricedLine] = []
    for one in asked:
        if one.row.due_on is None or one.face <= 0:
            return None
        line = price_line(
            deal.terms,
            part,
            face=one.face,
            start=deal.value_on,
            settle_on=deal.settle_on(one.row.due_on),
            fixing_percent=percent,
        )
        if line is None:
            return None
        lines.append(line)
    return price(deal.terms, lines)


def _unpriced(deal: Deal) -> Refusal:
    return Refusal(
        "TENOR_LONG",
        "beyond the margin grid",
        f"{deal.terms.margin[-1].max_days} days",
        None,
        "Ask again nearer to the due date.",
        "The programme has no price for this tenor.",
    )


def _nothing_left(deal: Deal, asked: Sequence[Asked], priced: Price | None) -> list[Refusal]:
    """Refuse where the charges eat the whole face: nobody finances to receive nothing."""
    if priced is None:
        return []
    return [
        Refusal(
            "AMOUNT_MIN",
            str(line.face_minor),
            "more than the charges",
            None,
            "Ask for more on this invoice.",
            Words(
                "Invoice %(number)s: the charges are more than the amount, in %(currency)s.",
                number=one.row.number,
                currency=deal.currency,
            ),
            one.row.id,
        )
        for one, line in zip(asked, priced.lines, strict=True)
        if line.net_minor <= 0
    ]


def _digest_of(
    deal: Deal, asked: Sequence[Asked], benchmark: str, percent: str, by_risk: ByRisk | None
) -> str:
    known = {} if by_risk is None else {"known": by_risk.digest}
    return digest(
        {
            **known,
            "programme_version": deal.version_id,
            "business_on": deal.business_on,
            "value_on": deal.value_on,
            "benchmark": benchmark,
            "fixing": percent,
            "lines": [
                [one.row.id, one.row.version, one.row.acceptance_version, one.face, one.net]
                for one in asked
            ],
        }
    )


def headline(priced: Price) -> tuple[str, int, int]:
    """Give the rate of a quote as percent text and ppm, and its margin: of several the highest."""
    top = max(priced.lines, key=lambda line: line.rate)
    return percent_text(top.rate), round_half_up(top.rate * PPM), top.margin_ppm


def lines_of(conn: Connection, quote_id: str) -> list[Row[Any]]:
    """Read the lines of a quote in their order."""
    return list(conn.execute(_LINES, {"quote": quote_id}))
