"""The offer card: what one basket brings, what it costs and why, and what it binds to."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy.engine import Connection

from scf.kernel.rates import PPM, round_half_up
from scf.offers.basket import Basket, Part
from scf.offers.cheaper import what_ifs
from scf.offers.pricing import next_cut_off
from scf.parties.service import firm_names, verified_account
from web.i18n import money, percent

_PPM_PER_BP: Final = 100


@dataclass(frozen=True)
class Reserve:
    """What follows when the buyer has paid."""

    amount_minor: int
    on: dt.date


@dataclass(frozen=True)
class Source:
    """One buyer's part: who pays out, to which account, when, and at which rate."""

    buyer: str
    bank: str
    account_tail: str
    value_on: dt.date
    net_minor: int
    count: int
    benchmark: str
    fixing_percent: str
    rate_ppm: int
    rungs: list[dict[str, Any]]
    reasons: list[str]
    cheaper: list[str]
    all_in_ppm: int
    recourse: str
    recourse_after_days: int
    most_owed_minor: int
    reserve: Reserve | None
    cut_off: dt.datetime
    zone: str
    quote_minutes: int


@dataclass(frozen=True)
class Card:
    """The figures of a basket, ready for the page."""

    currency: str
    face_minor: int
    discount_minor: int
    fee_minor: int
    tax_minor: int
    reserve_minor: int
    interest_minor: int
    net_minor: int
    all_in_ppm: int
    count: int
    days: list[dt.date]
    sources: list[Source]

    @property
    def is_one_payment(self) -> bool:
        """Whether everything arrives on one day in one account."""
        return len({(source.value_on, source.account_tail) for source in self.sources}) == 1

    @property
    def cut_off(self) -> dt.datetime | None:
        """Until when everything can be withdrawn for nothing."""
        return min((source.cut_off for source in self.sources), default=None)

    @property
    def zone(self) -> str:
        """The bank's zone of the earliest cut-off."""
        first = min(self.sources, key=lambda source: source.cut_off, default=None)
        return first.zone if first else "UTC"

    @property
    def quote_minutes(self) -> int:
        """How long the price is held."""
        return min((source.quote_minutes for source in self.sources), default=0)

    @property
    def is_without_recourse(self) -> bool:
        """Whether no buyer's default can fall back on the seller, and nothing is kept back."""
        return all(one.recourse == "none" and one.reserve is None for one in self.sources)

    @property
    def most_owed_minor(self) -> int:
        """The most that the seller may have to pay back."""
        return sum(source.most_owed_minor for source in self.sources)


def card_of(conn: Connection, basket: Basket, currency: str, now: dt.datetime) -> Card:
    """Put the card of a basket together."""
    firms = {part.deal.obligor_id for part in basket.parts} | {
        part.deal.programme.financier_id for part in basket.parts
    }
    names = firm_names(conn, firms)
    return Card(
        currency=currency,
        face_minor=basket.face_minor,
        discount_minor=basket.discount_minor,
        fee_minor=basket.fee_minor,
        tax_minor=basket.tax_minor,
        reserve_minor=basket.reserve_minor,
        interest_minor=basket.interest_minor,
        net_minor=basket.net_minor,
        all_in_ppm=basket.all_in_ppm,
        count=len(basket.lines),
        days=basket.days,
        sources=[_source(conn, part, names, now) for part in basket.parts],
    )


def _source(conn: Connection, part: Part, names: dict[str, str], now: dt.datetime) -> Source:
    deal, priced = part.deal, part.computed.price
    if priced is None:
        msg = "a part of a basket is priced"
        raise AssertionError(msg)
    bank_id = deal.programme.financier_id
    account = verified_account(
        conn, deal.seller_id, deal.currency, deal.business_on, financier_id=bank_id
    )
    top = max(priced.lines, key=lambda line: line.rate)
    rate_ppm = round_half_up(top.rate * PPM)
    by_risk = part.computed.by_risk
    return Source(
        buyer=names.get(deal.obligor_id, ""),
        bank=names.get(bank_id, ""),
        account_tail=account.number[-4:] if account is not None else "",
        value_on=deal.value_on,
        net_minor=priced.net_minor,
        count=len(priced.lines),
        benchmark=part.computed.benchmark,
        fixing_percent=part.computed.fixing_percent,
        rate_ppm=rate_ppm,
        rungs=rungs_of(part, rate_ppm, top.margin_ppm),
        reasons=reasons_shown(by_risk.shown()["reasons"] if by_risk is not None else []),
        cheaper=cheaper_shown(what_ifs(conn, part.computed), deal.currency),
        all_in_ppm=priced.all_in_ppm,
        recourse=deal.terms.recourse,
        recourse_after_days=deal.terms.recourse_after_days,
        most_owed_minor=0 if deal.terms.recourse == "none" else priced.face_minor,
        reserve=Reserve(priced.reserve_minor, max(line.settle_on for line in priced.lines))
        if priced.reserve_minor
        else None,
        cut_off=next_cut_off(deal.terms, deal.calendar, now),
        zone=deal.terms.cut_off_zone,
        quote_minutes=deal.terms.quote_minutes,
    )


def rungs_of(part: Part, rate_ppm: int, margin_ppm: int) -> list[dict[str, Any]]:
    """Give the rungs of the price from zero up, in parts per million.

    A risk price has the four that a seller is shown; a contract price has two: what money costs
    the bank, and the agreed margin.
    """
    by_risk = part.computed.by_risk
    if by_risk is not None:
        return rungs_shown(by_risk.shown()["rungs"])
    reference = _("Reference rate %(name)s", name=part.computed.benchmark)
    return [
        _rung(reference, rate_ppm - margin_ppm, "mute"),
        _rung(_("Agreed margin"), margin_ppm, "brand"),
    ]


def why_of(quote: Any, buyer: str) -> dict[str, Any]:  # noqa: ANN401 - the row of a quote
    """Give why a quote costs what it does, as it was kept with the quote."""
    rungs = (
        rungs_shown(quote.rungs)
        if quote.rungs is not None
        else [
            _rung(
                _("Reference rate %(name)s", name=quote.benchmark),
                quote.rate_ppm - quote.margin_ppm,
                "mute",
            ),
            _rung(_("Agreed margin"), quote.margin_ppm, "brand"),
        ]
    )
    return {
        "buyer": buyer,
        "rungs": rungs,
        "rate_ppm": quote.rate_ppm,
        "reasons": reasons_shown(quote.reasons),
        "cheaper": cheaper_shown(quote.what_ifs, quote.currency),
        "all_in_ppm": quote.all_in_ppm,
    }


def rungs_shown(rungs: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give the rungs of a risk price, stored in whole basis points, in the seller's words."""
    words = {
        "bank_funding": _("What money costs the bank"),
        "buyer_credit": _("The buyer's credit"),
        "your_chain": _("Your supply chain"),
        "record_and_size": _("Your record and the size"),
        "service": _("The bank's service"),
    }
    return [
        _rung(
            words.get(name, name), bp * _PPM_PER_BP, "mute" if name == "bank_funding" else "brand"
        )
        for name, bp in rungs.items()
    ]


def _rung(text: str, value: int, kind: str) -> dict[str, Any]:
    return {"text": text, "value": value, "shown": percent(value), "kind": kind}


def reasons_shown(reasons: Sequence[str]) -> list[str]:
    """Give the reasons of a risk price in words, with what the seller can do where it can."""
    words = {
        "ANCHOR_UNDERTAKES": _("The buyer has undertaken to pay: its credit decides the price."),
        "BUYERS_CREDIT": _("The buyer's credit counts most. A binding confirmation lowers it."),
        "HANDED_ON": _("The claim has passed through several hands."),
        "FEW_CUSTOMERS": _("Most of your sales go to few customers."),
        "A_BUYER_PAYS_LATE": _("One of your buyers pays late."),
        "PAYMENT_TIMES": _("Payments of your own sales come late."),
        "CREDIT_NOTES": _(
            "Credit notes to this buyer are frequent; fewer of them lower the price."
        ),
        "SHORT_RECORD": _("You have few paid invoices with this buyer yet; each one helps."),
        "NO_STATEMENT": _(
            "The bank has no recent annual statement of yours; handing one in helps."
        ),
        "SMALL_AMOUNT": _("Handling costs the same for any amount: a larger one costs less."),
        "LONG_TENOR": _("A later day of payment, nearer to the due date, costs less."),
    }
    return [words[reason] for reason in reasons if reason in words]


def cheaper_shown(what_ifs: Sequence[Mapping[str, Any]] | None, currency: str) -> list[str]:
    """Say about what rate each thing that the seller can do itself would lead to.

    One that would not help is left out: by the figures that are shown, and by nothing else.
    """
    return [_if(one, currency) for one in what_ifs or () if one["saves_bp"]]


def _if(one: Mapping[str, Any], currency: str) -> str:
    """Say what would be done, and what it would lead to."""
    to = one["to"]
    does = {
        "UNDERTAKING": _("If this buyer undertook bindingly to pay"),
        "CONFIRMATION": _("If this buyer confirmed your invoices early"),
        "STATEMENT": _("If you handed in an annual statement with middling figures"),
        "RECOURSE": _("If you answered for the buyer, as another agreement of yours allows"),
        "SHORTER_TENOR": _("If you took the money later, for %(days)s days", days=to),
        "BIGGER_BATCH": _(
            "If %(sum)s were financed at once",
            sum=money(to, currency) if one["lever"] == "BIGGER_BATCH" else "",
        ),
    }
    return str(
        _(
            "%(if)s: about %(rate)s a year, some %(less)s less.",
            rate=percent(one["about_bp"] * _PPM_PER_BP),
            less=percent(one["saves_bp"] * _PPM_PER_BP),
            **{"if": does[one["lever"]]},
        )
    )
