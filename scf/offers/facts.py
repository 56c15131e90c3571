"""Gathering what decides about finance: the same reading for a quote and, under lock, a request."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, and_, bindparam, func, select
from sqlalchemy.engine import Connection

from scf.documents.credits import open_credit as open_credit_of
from scf.documents.duplicates.standing import stopped_at
from scf.documents.einvoice.demanded import RuleStanding, rule_standings, rules_against
from scf.documents.matching import ProofGap, proof_gaps
from scf.documents.models import Invoice
from scf.documents.rules import eligible
from scf.documents.taxcheck.asking import standings
from scf.documents.taxcheck.standing import Since, against
from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import Refusal
from scf.offers.eligibility import DealFacts, InvoiceFacts, refusals
from scf.offers.pricing import earliest_value_date, settlement_day
from scf.parties.clearing import CLEARING
from scf.parties.models import Firm
from scf.parties.service import business_date, verified_account
from scf.programmes import claims, limits
from scf.programmes.calendars import calendar_of, payment_calendar
from scf.programmes.models import ProgrammeClaim
from scf.programmes.techniques import technique_of
from scf.programmes.terms import Terms

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_CLAIM: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]

# Built once: every quote and every request asks these, and building costs more than asking.
_COUNTRY: Final = select(_FIRM.c.country).where(_FIRM.c.id == bindparam("firm"))
_STATES: Final = select(_FIRM.c.id, _FIRM.c.state).where(
    _FIRM.c.id.in_(bindparam("firms", expanding=True))
)
_LIVE_WITH: Final = and_(_CLAIM.c.live.is_(True), _CLAIM.c.financier_id == bindparam("financier"))
_OLDEST_OWED: Final = (
    select(func.min(_INVOICE.c.due_on))
    .join(_CLAIM, _CLAIM.c.invoice_id == _INVOICE.c.id)
    .where(
        _INVOICE.c.buyer_id == bindparam("obligor"),
        _INVOICE.c.outstanding_minor > 0,
        _INVOICE.c.due_on < bindparam("today"),
        _LIVE_WITH,
    )
)
_OVER_ADVANCED: Final = (
    select(func.coalesce(func.sum(_INVOICE.c.over_advance_minor), 0))
    .join(_CLAIM, _CLAIM.c.invoice_id == _INVOICE.c.id)
    .where(
        _INVOICE.c.seller_id == bindparam("seller"),
        _INVOICE.c.over_advance_minor > 0,
        _INVOICE.c.id.not_in(bindparam("own", expanding=True)),
        _LIVE_WITH,
    )
)


@dataclass(frozen=True)
class Deal:
    """One seller, one programme, one day: what all invoices of a quote have in common."""

    programme: Any  # a row of programme
    version_id: str
    terms: Terms
    seller_id: str
    obligor_id: str
    currency: str
    business_on: dt.date
    earliest_value_on: dt.date
    value_on: dt.date
    countries: tuple[str, ...] = ()  # of the banks that pay and are paid

    @property
    def payment_days(self) -> BusinessCalendar:
        """The days on which money arrives: programme, currency and both countries are open."""
        return payment_calendar(self.terms.calendar, self.currency, self.countries)

    @property
    def calendar(self) -> BusinessCalendar:
        """The programme's business days."""
        return calendar_of(self.terms.calendar)

    def settle_on(self, due_on: dt.date) -> dt.date:
        """Give the day on which a face due on a day is owed."""
        return settlement_day(self.terms, self.calendar, due_on)


class Asked(NamedTuple):
    """One invoice and the face asked for it; the cash too, once it is priced."""

    row: Any  # a row of invoice
    face: int
    net: int


def deal_on(
    conn: Connection,
    programme: Row[Any],
    version: tuple[str, Terms],
    *,
    seller_id: str,
    obligor_id: str,
    currency: str,
    value_on: dt.date | None,
    now: dt.datetime,
) -> Deal:
    """Give the deal as it stands at an instant; without a day, the earliest value date."""
    version_id, terms = version
    business_on = business_date(conn, programme.financier_id)
    countries = bank_countries(conn, programme.financier_id, seller_id, currency, business_on)
    earliest = earliest_value_date(
        terms,
        calendar_of(terms.calendar),
        business_on,
        now,
        payment_calendar(terms.calendar, currency, countries),
    )
    return Deal(
        programme,
        version_id,
        terms,
        seller_id,
        obligor_id,
        currency,
        business_on,
        earliest,
        value_on or earliest,
        countries,
    )


def bank_countries(
    conn: Connection, financier_id: str, seller_id: str, currency: str, on: dt.date
) -> tuple[str, ...]:
    """Give the countries that a payment to a seller leaves and reaches.

    The bank of an IBAN is where the IBAN is from, one named in a national clearing system in that
    country; any other is taken to be where its firm is.
    """
    firms = conn.execute(
        select(_FIRM.c.id, _FIRM.c.country).where(_FIRM.c.id.in_([financier_id, seller_id]))
    )
    places = {row.id: row.country for row in firms}
    account = verified_account(conn, seller_id, currency, on, financier_id=financier_id)
    if account is not None and account.is_iban:
        places[seller_id] = account.number[:2]
    elif account is not None and account.clearing_system in CLEARING:
        places[seller_id] = CLEARING[account.clearing_system].country
    return tuple(sorted({place for place in places.values() if place}))


def judge(
    conn: Connection,
    deal: Deal,
    asked: Sequence[Asked],
    fixing_missing: str = "",
    since: Since | None = None,
) -> tuple[Refusal, ...]:
    """Give every refusal but the limits', which :func:`takes_of` is asked about.

    ``since`` says how fresh the word of a tax authority must be; to look at a price, a known one
    is enough.
    """
    rows = [one.row for one in asked]
    papers = _unproven_papers(conn, deal, rows, since)
    blocked = stopped_at(conn, [row.id for row in rows], deal.programme.financier_id)
    taken = claims.live(conn, [row.id for row in rows])
    gaps = proof_gaps(conn, [row.id for row in rows], deal.terms.match_mode)
    invoices = [
        replace(
            _invoice_facts(deal, one, taken, gaps.get(one.row.id)),
            unproven_papers=papers.get(one.row.id, ()),
            called_a_copy=one.row.id in blocked,
        )
        for one in asked
    ]
    return refusals(deal.terms, _deal_facts(conn, deal, asked, fixing_missing), invoices)


def _unproven_papers(
    conn: Connection, deal: Deal, rows: Sequence[Row[Any]], since: Since | None
) -> dict[str, tuple[Refusal, ...]]:
    """Ask what the programme demands of the papers themselves; nothing is read where it does not.

    What is not complete has a reason of its own already.
    """
    terms = deal.terms
    whole = [row for row in rows if row.document_state == "VALIDATED"]
    found: dict[str, list[Refusal | None]] = {row.id: [] for row in whole}
    if terms.tax_scheme is not None:
        financier_id = deal.programme.financier_id
        known = standings(conn, whole, terms.tax_scheme, financier_id)
        for row in whole:
            found[row.id].append(against(known[row.id], row.credited_minor, row.currency, since))
    if terms.einvoice_rules == "demand":
        judged = rule_standings(conn, [row.id for row in whole])
        for row in whole:
            found[row.id].append(rules_against(row.number, judged.get(row.id, RuleStanding())))
    return {
        invoice_id: tuple(one for one in refusals if one is not None)
        for invoice_id, refusals in found.items()
    }


def _invoice_facts(
    deal: Deal, one: Asked, taken: Mapping[str, Row[Any]], gap: ProofGap | None
) -> InvoiceFacts:
    row = one.row
    claim = taken.get(row.id)
    return InvoiceFacts(
        invoice_id=row.id,
        number=row.number,
        type_code=row.type_code,
        currency=row.currency,
        document_state=row.document_state,
        acceptance_state=row.acceptance_state,
        match_state=row.match_state,
        proof_gap=gap,
        ipu=row.ipu,
        title_prior=row.title_prior,
        issue_on=row.issue_on,
        due_on=row.due_on,
        settle_on=deal.settle_on(row.due_on) if row.due_on is not None else None,
        disputed_minor=row.disputed_minor,
        taken_minor=row.held_minor + row.outstanding_minor,
        over_advance_minor=row.over_advance_minor,
        eligible_minor=eligible(row),
        asked_minor=one.face,
        claimed_elsewhere=claim is not None and claim.programme_id != deal.programme.id,
    )


def _deal_facts(
    conn: Connection, deal: Deal, asked: Sequence[Asked], fixing_missing: str
) -> DealFacts:
    states = {
        row.id: row.state
        for row in conn.execute(_STATES, {"firms": [deal.seller_id, deal.obligor_id]})
    }
    open_credit = open_credit_of(conn, deal.seller_id, deal.obligor_id, deal.currency)
    account = verified_account(
        conn,
        deal.seller_id,
        deal.currency,
        deal.business_on,
        financier_id=deal.programme.financier_id,
    )
    return DealFacts(
        business_on=deal.business_on,
        value_on=deal.value_on,
        earliest_value_on=deal.earliest_value_on,
        programme_state=deal.programme.state,
        seller_state=states.get(deal.seller_id, "UNKNOWN"),
        obligor_state=states.get(deal.obligor_id, "UNKNOWN"),
        account_verified=account is not None,
        fixing_missing=fixing_missing,
        overdue_since=_overdue_since(conn, deal),
        seller_over_advance_minor=_over_advance(conn, deal, [one.row.id for one in asked]),
        open_credit_minor=open_credit,
        free_of_pair_minor=_free_of_pair(conn, deal) if open_credit else 0,
        asked_minor=sum(one.face for one in asked),
        currency=deal.currency,
    )


def _overdue_since(conn: Connection, deal: Deal) -> dt.date | None:
    """Give the day since which the obligor owes this financier, or nothing."""
    oldest = conn.execute(
        _OLDEST_OWED,
        {
            "obligor": deal.obligor_id,
            "today": deal.business_on,
            "financier": deal.programme.financier_id,
        },
    ).scalar_one_or_none()
    if oldest is None:
        return None
    owed_on = deal.settle_on(oldest)
    grace_ends = owed_on + dt.timedelta(days=deal.terms.grace_days)
    return owed_on if deal.business_on > grace_ends else None


def _over_advance(conn: Connection, deal: Deal, own: Sequence[str]) -> int:
    """Give the open over-advances of the seller with this financier on other invoices."""
    total = conn.execute(
        _OVER_ADVANCED,
        {
            "seller": deal.seller_id,
            "own": list(own),
            "financier": deal.programme.financier_id,
        },
    ).scalar_one()
    return int(total)


def _free_of_pair(conn: Connection, deal: Deal) -> int:
    """Give what is eligible on all invoices of the pair together."""
    rows = conn.execute(
        select(_INVOICE).where(
            _INVOICE.c.seller_id == deal.seller_id,
            _INVOICE.c.buyer_id == deal.obligor_id,
            _INVOICE.c.currency == deal.currency,
            _INVOICE.c.document_state == "VALIDATED",
            _INVOICE.c.payment_state != "PAID",
        )
    )
    enough = technique_of(deal.terms).accepted_enough
    return sum(eligible(row) for row in rows if enough(row.acceptance_state))


def takes_of(
    conn: Connection, deal: Deal, asked: Sequence[Asked], advance_ids: Sequence[str]
) -> list[limits.Take]:
    """Give what each advance would take from the limit tree."""
    country = conn.execute(_COUNTRY, {"firm": deal.obligor_id}).scalar_one_or_none()
    return [
        limits.Take(
            advance_id,
            limits.uses_of(
                financier_id=deal.programme.financier_id,
                programme_id=deal.programme.id,
                obligor_id=deal.obligor_id,
                seller_id=deal.seller_id,
                face=one.face,
                net=one.net,
                days=(deal.settle_on(one.row.due_on) - deal.value_on).days if one.row.due_on else 0,
                with_recourse=deal.terms.with_recourse,
                country=country or "",
                insured=deal.terms.insurance is not None,
            ),
        )
        for advance_id, one in zip(advance_ids, asked, strict=True)
    ]
