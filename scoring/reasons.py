"""What a seller is told about a price: at most four reasons, and what it can do itself.

Reasons read `OwnFacts` and nothing else: facts of the seller and of documents that it shares. They
never see a price, a PD or anything of another client, so that two worlds which differ only there
give the same words.
"""

import dataclasses
import enum
import types
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from scoring.policy import Policy
from scoring.pricing import price
from scoring.schema import (
    Claim,
    Dilution,
    FirmRisk,
    LeafState,
    LgdTerms,
    PriceInputs,
    PriceResult,
    Recourse,
    Refusal,
)
from scoring.stack import BP


class Reason(enum.StrEnum):
    """The closed list, in the order in which reasons are given."""

    ANCHOR_UNDERTAKES = "ANCHOR_UNDERTAKES"  # an accepted undertaking decides the price
    BUYERS_CREDIT = "BUYERS_CREDIT"  # without one, the buyer's credit does
    HANDED_ON = "HANDED_ON"  # the claim passed through several hands
    FEW_CUSTOMERS = "FEW_CUSTOMERS"  # own sales depend strongly on few customers
    A_BUYER_PAYS_LATE = "A_BUYER_PAYS_LATE"  # one of several, never which
    PAYMENT_TIMES = "PAYMENT_TIMES"  # in own sales; where "one of" would name it
    CREDIT_NOTES = "CREDIT_NOTES"  # on own invoices to this buyer
    SHORT_RECORD = "SHORT_RECORD"  # few settled invoices with this buyer
    NO_STATEMENT = "NO_STATEMENT"  # no recent one of one's own
    SMALL_AMOUNT = "SMALL_AMOUNT"  # handling costs the same for any amount
    LONG_TENOR = "LONG_TENOR"


@dataclasses.dataclass(frozen=True, slots=True)
class OwnFacts:
    """What the seller knows anyway.

    Parameters
    ----------
    undertaken : bool
        An accepted undertaking covers the claim.
    transfers : int
        Hands that it went through.
    face_minor, exponent, basis, tenor_days : int
        The item as offered.
    pair_items : int
        Settled invoices between the two.
    pair_credited : Fraction
        Credited share of the face between the two.
    largest_customer : Fraction
        Its share of the seller's own sales.
    buyers, late_buyers : int
        The seller's own buyers, and those of them that paid its own invoices late.
    statement_months : int or None
        Age of the seller's newest statement.
    """

    undertaken: bool
    face_minor: int
    tenor_days: int
    transfers: int = 0
    exponent: int = 2
    basis: int = 360
    pair_items: int = 0
    pair_credited: Fraction = Fraction(0)
    largest_customer: Fraction = Fraction(0)
    buyers: int = 0
    late_buyers: int = 0
    statement_months: int | None = None


def reasons(facts: OwnFacts, policy: Policy) -> tuple[Reason, ...]:
    """Return at most four reasons for a price, in the order of the list.

    Parameters
    ----------
    facts : OwnFacts
        Facts at the level of the reader.
    policy : Policy
        From where on something is said.
    """
    rules = policy.explanation
    tau = Fraction(facts.tenor_days, facts.basis)
    handling = BP * policy.charges.operating_fixed * 10**facts.exponent / (facts.face_minor * tau)
    plain = not facts.undertaken
    late = plain and facts.late_buyers > 0
    may_say_one = facts.buyers >= rules.buyers_to_speak_of_one
    stale = facts.statement_months is None or facts.statement_months > rules.statement_months
    holds = {
        Reason.ANCHOR_UNDERTAKES: facts.undertaken,
        Reason.BUYERS_CREDIT: plain,
        Reason.HANDED_ON: facts.transfers > 0,
        Reason.FEW_CUSTOMERS: plain and facts.largest_customer >= rules.few_customers_share,
        Reason.A_BUYER_PAYS_LATE: late and may_say_one,
        Reason.PAYMENT_TIMES: late and not may_say_one,
        Reason.CREDIT_NOTES: plain and facts.pair_credited >= rules.credited_share,
        Reason.SHORT_RECORD: plain and facts.pair_items < rules.few_pair_items,
        Reason.NO_STATEMENT: plain and stale,
        Reason.SMALL_AMOUNT: handling >= rules.small_item_bp,
        Reason.LONG_TENOR: facts.tenor_days > rules.long_tenor_days,
    }
    return tuple(reason for reason in Reason if holds[reason])[: rules.most_reasons]


_SHOWN_REFUSALS: Final[Mapping[str, str]] = types.MappingProxyType(
    {
        "RISK_BELOW_FLOOR": "OUTSIDE_RISK_POLICY",
        "PRICE_ABOVE_CAP": "OUTSIDE_RISK_POLICY",
        "OBLIGOR_IN_DEFAULT": "OUTSIDE_RISK_POLICY",
        "MODEL_UNAVAILABLE": "NOT_ASSESSED_YET",
    }
)


def refusal_code(refusal: Refusal) -> str:
    """Return the code that a seller sees; what would tell of the buyer is one common code.

    Parameters
    ----------
    refusal : Refusal
        As `scoring.pricing.price` gave it.

    Examples
    --------
    >>> refusal_code(Refusal("OBLIGOR_IN_DEFAULT")), refusal_code(Refusal("TENOR_SHORT"))
    ('OUTSIDE_RISK_POLICY', 'TENOR_SHORT')
    """
    return _SHOWN_REFUSALS.get(refusal.code, refusal.code)


# --- What would change it -------------------------------------------------------------------------


class Lever(enum.StrEnum):
    """What a seller can do itself, in the order in which it is told."""

    UNDERTAKING = "UNDERTAKING"  # have the claim covered by an accepted undertaking
    CONFIRMATION = "CONFIRMATION"  # have this buyer confirm early
    STATEMENT = "STATEMENT"  # send a recent statement
    RECOURSE = "RECOURSE"  # answer for the buyer
    SHORTER_TENOR = "SHORTER_TENOR"
    BIGGER_BATCH = "BIGGER_BATCH"


@dataclasses.dataclass(frozen=True, slots=True)
class Levers:
    """What each lever would turn an item into; None where it is not open to the seller.

    Parameters
    ----------
    undertaking : FirmRisk or None
        The anchor that would undertake.
    undertaking_items : int
        The anchor's settled items, which count unless it is rated.
    transfers : int or None
        Hands until the seller when the undertaking arrives as a leaf; None: it is direct.
    confirmation : (Dilution, int) or None
        Dilution and late days of claims that this buyer confirmed early.
    statement : FirmRisk or None
        The seller, scored with the statement.
    recourse : Recourse or None
        What the agreement would allow.
    tenor_days : int or None
        A shorter tenor.
    face_minor : int or None
        A larger amount at once.
    """

    undertaking: FirmRisk | None = None
    undertaking_items: int = 0
    transfers: int | None = None
    confirmation: tuple[Dilution, int] | None = None
    statement: FirmRisk | None = None
    recourse: Recourse | None = None
    tenor_days: int | None = None
    face_minor: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class WhatIf:
    """About what rate a lever would lead to, and what it saves; both rounded, in bp a year."""

    lever: Lever
    about_bp: int
    saves_bp: int


def what_ifs(
    inputs: PriceInputs, base: PriceResult, levers: Levers, policy: Policy
) -> tuple[WhatIf, ...]:
    """Return about what each open lever would lead to, each priced anew.

    Parameters
    ----------
    inputs, base : PriceInputs, PriceResult
        The item and its price, which may be a refusal.
    levers : Levers
        What is open to this seller. It changes nothing else of the item.
    policy : Policy
        Prices and rounds.

    Returns
    -------
    tuple of WhatIf
        In the order of the list, also where a lever saves nothing: which ones are told must not
        hang on what only the bank knows. A lever that would end in a refusal is left out.
    """
    step = policy.explanation.round_to_bp
    found = []
    for lever, changed in _changed(inputs, levers).items():
        priced = price(changed, policy)
        if priced.refusal is not None or priced.rate_bp is None:
            continue
        saved = (base.rate_bp or 0) - priced.rate_bp if base.refusal is None else 0
        found.append(WhatIf(lever, _about(priced.rate_bp, step), _about(max(saved, 0), step)))
    return tuple(found)


def _about(bp: int, step: int) -> int:
    """Return the nearest step, half up."""
    return (2 * bp + step) // (2 * step) * step


def _changed(inputs: PriceInputs, levers: Levers) -> dict[Lever, PriceInputs]:
    """Return the item under each open lever."""
    items: dict[Lever, PriceInputs] = {}
    if levers.undertaking is not None and not inputs.is_undertaken:
        as_leaf = levers.transfers is not None
        items[Lever.UNDERTAKING] = dataclasses.replace(
            inputs,
            claim=Claim.LEAF if as_leaf else Claim.UNDERTAKING,
            leaf=LeafState.ACCEPTED if as_leaf else None,
            transfers=levers.transfers or 0,
            obligor=levers.undertaking,
            lgd=LgdTerms("undertaking", cross_border=inputs.lgd.cross_border),
            settled_items=levers.undertaking_items,
            dilution=None,
            recourse=None,
            insurance=None,
            late_days=0,
        )
    if levers.confirmation is not None and inputs.may_dilute:
        dilution, late_days = levers.confirmation
        items[Lever.CONFIRMATION] = dataclasses.replace(
            inputs, dilution=dilution, late_days=late_days
        )
    if levers.statement is not None and not inputs.is_undertaken:
        items[Lever.STATEMENT] = dataclasses.replace(inputs, seller=levers.statement)
    if levers.recourse is not None and inputs.recourse is None and not inputs.is_undertaken:
        items[Lever.RECOURSE] = dataclasses.replace(inputs, recourse=levers.recourse)
    if levers.tenor_days is not None and 0 < levers.tenor_days < inputs.tenor_days:
        items[Lever.SHORTER_TENOR] = dataclasses.replace(inputs, tenor_days=levers.tenor_days)
    if levers.face_minor is not None and levers.face_minor > inputs.face_minor:
        items[Lever.BIGGER_BATCH] = dataclasses.replace(inputs, face_minor=levers.face_minor)
    return items
