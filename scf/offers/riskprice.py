"""Quotes of programmes that price by risk: each line goes to ``scf.risk`` and comes back as money.

What stands against a risk price is a refusal like any other, with code and next step, and without
a word about anybody but the seller.
"""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import NotFound, Refusal, RuleViolation, Unavailable
from scf.kernel.ids import digest
from scf.kernel.rates import PPM
from scf.offers.facts import Asked, Deal
from scf.offers.models import Quote
from scf.offers.pricing import PricedLine, fee_of, line_at, percent_text, tax_of
from scf.parties.models import Firm
from scf.parties.service import firm_by, start_of_day, zone_of
from scf.programmes.techniques import obligation, technique_of
from scf.risk import appetite as policies
from scf.risk import pricing, reading, storing
from scf.risk.groups import groups_of
from scf.risk.pricing import Claimed, Covered, Priced

_QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]
_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_BP: Final = 10_000
_PPM_PER_BP: Final = 100
_ACCEPTED: Final = frozenset({"ACCEPTED", "PART_ACCEPTED", "DEEMED"})
CURVE: Final = "funding-curve"  # what stands where a contract price names its benchmark
WHAT_IFS_A_DAY: Final = 50
BY_CONTRACT: Final[dict[str, Any]] = {
    "route": "officer",
    "grade": None,
    "rungs": None,
    "model_kind": None,
    "reasons": [],
}
_COUNTRIES: Final = select(_FIRM.c.id, _FIRM.c.country).where(
    _FIRM.c.id.in_(bindparam("firms", expanding=True))
)
_UNUSED: Final = (
    select(func.count())
    .select_from(_QUOTE)
    .where(
        _QUOTE.c.seller_id == bindparam("seller"),
        _QUOTE.c.financier_id == bindparam("financier"),
        _QUOTE.c.grade.is_not(None),
        _QUOTE.c.instead_of.is_(None),  # what officers made of it was not asked for
        _QUOTE.c.state != "USED",
        _QUOTE.c.created_at >= bindparam("since"),
    )
)


@dataclasses.dataclass(frozen=True)
class ByRisk:
    """The lines of a quote priced by risk, and what stands against it."""

    lines: tuple[PricedLine, ...] = ()
    priced: tuple[Priced, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    morning: reading.Morning | None = None
    appetite: policies.Appetite | None = None
    total_minor: int = 0

    benchmark: str = CURVE

    @property
    def funding_percent(self) -> str:
        """The bank's own cost of money in the dearest line."""
        if not self.lines:
            return ""
        return percent_text(Fraction(self._top().result.bp("funding"), _BP))

    @property
    def known_on(self) -> dt.date | None:
        """The morning on which the price rests."""
        return self.morning.as_of.on if self.morning is not None else None

    @property
    def digest(self) -> str:
        """Fingerprint of everything behind the price."""
        return digest([storing.texts_of(one) for one in self.priced])

    def _top(self) -> Priced:
        return max(self.priced, key=lambda one: one.result.rate_bp or 0)

    def shown(self) -> dict[str, Any]:
        """Give the columns of the quote that a risk price fills."""
        policy = self._known()[1].policy
        return {
            "route": pricing.route_of_all(self.priced, self.total_minor, policy),
            "grade": pricing.worst_grade(self.priced, policy),
            "rungs": pricing.rungs_of(self.priced, policy),
            "reasons": pricing.reasons_of(self._top(), policy),
            "model_kind": pricing.kind_of_all(self.priced),
        }

    def into(self, ctx: Context, lines: Sequence[dict[str, Any]]) -> None:
        """Keep how each line was priced, and put its components into the line."""
        morning, appetite = self._known()
        ids = storing.store_prices(
            ctx, morning.as_of, appetite, self.priced, [line["id"] for line in lines]
        )
        for line, one, assessment_id in zip(lines, self.priced, ids, strict=True):
            line["components"] = pricing.components_of(one.result)
            line["assessment_id"] = assessment_id

    def _known(self) -> tuple[reading.Morning, policies.Appetite]:
        if self.morning is None or self.appetite is None:
            msg = "a quote without assessments has been refused"
            raise AssertionError(msg)
        return self.morning, self.appetite


def price_by_risk(conn: Connection, deal: Deal, asked: Sequence[Asked]) -> ByRisk:
    """Price each line on what was known on the morning of the business date."""
    try:
        appetite = policies.in_force()
    except Unavailable:
        return ByRisk(refusals=(_unavailable("no risk appetite"),))
    firms = {deal.seller_id, deal.obligor_id}
    morning = reading.morning(conn, deal.programme.financier_id, deal.business_on, firms)
    if morning is None or appetite.euros(deal.currency) is None:
        return ByRisk(refusals=(_unavailable("not assessed for today"),))
    part = deal.terms.currency.get(deal.currency)
    if part is None or any(one.row.due_on is None or one.face <= 0 for one in asked):
        return ByRisk(morning=morning, appetite=appetite)
    countries = {row.id: row.country for row in conn.execute(_COUNTRIES, {"firms": list(firms)})}
    abroad = len({country for country in countries.values() if country}) > 1
    bound = tied(conn, deal)
    claimed = [claimed_of(deal, one, bound, cross_border=abroad) for one in asked]
    priced = [pricing.price_claim(conn, morning, one, appetite) for one in claimed]
    against = [
        dataclasses.replace(refusal, subject=one.claimed.invoice_id)
        for one in priced
        for refusal in _refusals(one)
    ]
    if any(one.result.rate_bp is None for one in priced):
        return ByRisk(refusals=tuple(against), morning=morning, appetite=appetite)
    lines = tuple(
        line_at(
            deal.terms,
            part,
            face=one.face,
            start=deal.value_on,
            settle_on=deal.settle_on(one.row.due_on),
            rate=Fraction(made.result.rate_bp or 0, _BP),
            margin_ppm=(made.result.bp("margin") + made.result.bp("floor_addon")) * _PPM_PER_BP,
        )
        for one, made in zip(asked, priced, strict=True)
    )
    return ByRisk(
        lines,
        tuple(priced),
        tuple(dict.fromkeys(against)),
        morning,
        appetite,
        sum(one.face for one in asked),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Tied:
    """Who of the firms behind a deal is of one group, and the cover of its insurer."""

    same_group: bool = False
    insurance: Covered | None = None


def tied(conn: Connection, deal: Deal) -> Tied:
    """Look at the groups of seller, obligor and insurer as they are known today."""
    agreed = deal.terms.insurance
    insurer_id = ""
    if agreed is not None:
        with contextlib.suppress(NotFound):  # gone since the terms were loaded: it covers nothing
            insurer_id = firm_by(conn, agreed.insurer, deal.programme.financier_id)
    firms = [deal.seller_id, deal.obligor_id, insurer_id]
    groups = groups_of(conn, deal.programme.financier_id)
    seller, obligor, insurer = (groups.get(firm, firm) for firm in firms)
    same_group = seller == obligor
    if agreed is None:
        return Tied(same_group)
    return Tied(
        same_group,
        Covered(
            insurer_id,
            agreed.cover_ppm,
            agreed.premium_ppm,
            agreed.waiting_days,
            is_own=insurer == obligor,
            is_seller=insurer == seller,
        ),
    )


def claimed_of(deal: Deal, one: Asked, bound: Tied, *, cross_border: bool) -> Claimed:
    """Say what is bought, as terms and invoice have it: section 3, "who owes, what stacks"."""
    terms, row = deal.terms, one.row
    owed = obligation(terms, row)
    accepted = row.acceptance_state in _ACCEPTED
    fees = terms.currency[deal.currency].fees
    reserve = technique_of(terms).reserve(terms, one.face)
    lent = one.face - reserve
    return Claimed(
        invoice_id=row.id,
        claim="undertaking" if owed.undertaking else "revocable" if accepted else "plain",
        obligor_id=owed.obligor_id,
        seller_id=deal.seller_id,
        currency=deal.currency,
        face_minor=lent,
        fees_minor=min(fee_of(fees, one.face) + tax_of(fees, one.face), lent),
        tenor_days=(deal.settle_on(row.due_on) - deal.value_on).days,
        basis=terms.day_count.basis,
        rate_basis=terms.rate_basis,
        disclosed=owed.disclosed,
        cross_border=cross_border,
        recourse=owed.recourse != "none",
        recourse_after_days=owed.recourse_after_days,
        reserve_ppm=reserve * PPM // one.face,
        reserve_covers_credit=terms.reserve_covers_credit,
        dilution_capital=terms.dilution_capital,
        legal_cap_ppm=terms.legal_cap_ppm,
        same_group=bound.same_group,
        insurance=bound.insurance,
    )


def _refusals(one: Priced) -> list[Refusal]:
    """Say why there is no offer; figures stay with the bank, the seller reads what it can do."""
    refusal = one.result.refusal
    if refusal is None or refusal.code in _SAID_BEFORE:
        return []
    if refusal.code == "MODEL_UNAVAILABLE":
        return [_unavailable("not assessed for today")]
    if refusal.code == "PRICE_ABOVE_CAP":
        return [
            Refusal(
                "PRICE_ABOVE_CAP",
                "above the highest rate",
                "the highest rate of the programme",
                None,
                "Ask for a shorter time or a larger amount, or have the buyer undertake to pay.",
                "The price of this finance would be above the highest rate that is allowed.",
            )
        ]
    return [
        Refusal(
            "RISK_BELOW_FLOOR",
            "outside the financier's risk policy",
            "within the financier's risk policy",
            None,
            "Finance another invoice, or have the buyer undertake to pay this one.",
            "The financier does not finance this claim by its own policy.",
        )
    ]


# The list of reasons of every quote says these with their figures.
_SAID_BEFORE: Final = frozenset({"TENOR_SHORT", "NOTHING_LEFT"})


def _unavailable(measured: str) -> Refusal:
    return Refusal(
        "MODEL_UNAVAILABLE",
        measured,
        "assessed for today",
        "after the next end of day",
        "Ask again tomorrow, or ask the financier.",
        "The financier has no assessment for today to price with.",
    )


def not_too_often(conn: Connection, deal: Deal, now: dt.datetime) -> None:
    """Stop a seller that asks what-if after what-if: differences of prices tell of others.

    Raises
    ------
    RuleViolation
        WHAT_IF_LIMIT from the fifty-first quote of a day on that was asked for and not taken.
    """
    financier_id = deal.programme.financier_id
    today = now.astimezone(zone_of(conn, financier_id)).date()
    since = start_of_day(conn, financier_id, today)
    asked = conn.execute(
        _UNUSED, {"seller": deal.seller_id, "financier": financier_id, "since": since}
    ).scalar_one()
    if asked >= WHAT_IFS_A_DAY:
        raise RuleViolation(
            "WHAT_IF_LIMIT",
            "At most %(limit)s prices a day can be asked for and not taken.",
            asked=asked,
            next_step="Take one of the prices, or ask again tomorrow.",
            limit=WHAT_IFS_A_DAY,
        )
