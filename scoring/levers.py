"""What would make a price lower: a seller's own levers, and those that people of the bank have.

Each is the item with one thing changed, priced anew by `scoring.pricing.price`. A seller reads
rounded rates, and only what it can do itself; the bank reads exact ones.
"""

import dataclasses
import enum
from collections.abc import Mapping
from fractions import Fraction

from scoring.card import CardInputs, score
from scoring.policy import Card, CardRow, Policy
from scoring.pricing import price
from scoring.scale import better_grade
from scoring.schema import (
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdTerms,
    PriceInputs,
    PriceResult,
    Recourse,
)


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
        As `about` gives them.
    """
    return about(base, changed_by(inputs, levers), policy)


def about(
    base: PriceResult, changed: Mapping[Lever, PriceInputs], policy: Policy
) -> tuple[WhatIf, ...]:
    """Return about what rate each changed item would have, and what that saves.

    Parameters
    ----------
    base : PriceResult
        The price as it is, which may be a refusal.
    changed : mapping of Lever to PriceInputs
        The item under each open lever.
    policy : Policy
        Prices and rounds.

    Returns
    -------
    tuple of WhatIf
        In the order of `Lever`, also where a lever saves nothing: which ones are told must not hang
        on what only the bank knows. One that would end in a refusal saves nothing; beside a price
        that is refused itself it is left out.
    """
    step = policy.explanation.round_to_bp
    found = []
    for lever in Lever:
        if lever not in changed:
            continue
        priced = price(changed[lever], policy)
        rate = None if priced.refusal is not None else priced.rate_bp
        if base.refusal is not None or base.rate_bp is None:
            if rate is not None:
                found.append(WhatIf(lever, _about(rate, step), 0))
            continue
        shown = _about(base.rate_bp if rate is None else rate, step)
        # From what is shown: two roundings of one rate would together tell it to the point.
        found.append(WhatIf(lever, shown, _about(max(base.rate_bp - shown, 0), step)))
    return tuple(found)


def _about(bp: int, step: int) -> int:
    """Return the nearest step, half up."""
    return (2 * bp + step) // (2 * step) * step


def changed_by(inputs: PriceInputs, levers: Levers) -> dict[Lever, PriceInputs]:
    """Return the item under each lever that is open and changes anything."""
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


def with_statement(seller: FirmRisk, known: CardInputs, card: Card) -> FirmRisk:
    """Return the risk of a firm that hands in a middling annual statement.

    Parameters
    ----------
    seller : FirmRisk
        As it is assessed, by whatever model.
    known : CardInputs
        What the card reads of it now.
    card : Card
        Says what a middling figure is: one without points.

    Returns
    -------
    FirmRisk
        The own hazard moves by as much as the card's would; what comes along the chain stays, and a
        rating or a default is nothing that a statement changes.
    """
    if seller.rated or seller.defaulted:
        return seller
    middling = {row.input: reference(row) for row in card.rows}
    told = dataclasses.replace(
        known,
        equity_ratio=middling["equity_ratio"] if known.equity_ratio is None else known.equity_ratio,
        liquidity_weeks=middling["liquidity_weeks"]
        if known.liquidity_weeks is None
        else known.liquidity_weeks,
    )
    before, after = score(known, card), score(told, card)
    if not before.hazard or after.hazard >= before.hazard:
        return seller
    own = seller.own_hazard * after.hazard / before.hazard
    total = seller.total_hazard - seller.own_hazard + own
    return seller.moved(own, max(own, total))


def reference(row: CardRow) -> Fraction | None:
    """Return the least value of the band that gives no points; None where no band is so."""
    return next((band.lower for band in row.bands if band.points == 0), None)


# --- For people of the bank -----------------------------------------------------------------------


class OfficeLever(enum.StrEnum):
    """What the bank and the parties could agree on otherwise, in the order in which it is told."""

    UNDERTAKING = "UNDERTAKING"  # the debtor undertakes irrevocably to pay
    RECOURSE = "RECOURSE"  # the seller answers in full
    INSURANCE = "INSURANCE"  # under the policy that another programme has
    NO_INSURANCE = "NO_INSURANCE"  # where the premium is more than the cover is worth
    MORE_RESERVE = "MORE_RESERVE"
    SHORTER_TENOR = "SHORTER_TENOR"
    BETTER_GRADE = "BETTER_GRADE"  # of the obligor, by one


RESERVE_STEP = Fraction(1, 10)
TENOR_STEP = 30


@dataclasses.dataclass(frozen=True, slots=True)
class OfficeLevers:
    """What the agreement would let the bank change; None where it does not.

    Parameters
    ----------
    undertaking : bool
        The debtor may undertake to pay.
    recourse : Recourse or None
        The seller could answer in full.
    insurance : Insurance or None
        The cover that could be had.
    most_reserve : Fraction
        Up to which share of the face a reserve goes.
    least_tenor : int
        Days.
    """

    undertaking: bool = True
    recourse: Recourse | None = None
    insurance: Insurance | None = None
    most_reserve: Fraction = Fraction(1, 2)
    least_tenor: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class OfficeWhatIf:
    """What a change would lead to, exactly: rate, saving, and who would decide."""

    lever: OfficeLever
    rate_bp: int
    saves_bp: int
    route: str


def office_what_ifs(
    inputs: PriceInputs, base: PriceResult, levers: OfficeLevers, policy: Policy
) -> tuple[OfficeWhatIf, ...]:
    """Return the changes that would lower a rate, each priced anew to the basis point.

    Parameters
    ----------
    inputs, base : PriceInputs, PriceResult
        The item and its price.
    levers : OfficeLevers
        What may be changed.
    policy : Policy
        The policy that priced it.

    Returns
    -------
    tuple of OfficeWhatIf
        In the order of `OfficeLever`; what does not help or is refused is left out.
    """
    if base.rate_bp is None:
        return ()
    found = []
    for lever, changed in _office_changes(inputs, levers, policy).items():
        priced = price(changed, policy)
        if priced.refusal is None and priced.rate_bp is not None and priced.rate_bp < base.rate_bp:
            saved = base.rate_bp - priced.rate_bp
            found.append(OfficeWhatIf(lever, priced.rate_bp, saved, priced.route))
    return tuple(found)


def _office_changes(
    inputs: PriceInputs, levers: OfficeLevers, policy: Policy
) -> dict[OfficeLever, PriceInputs]:
    """Return the item under each change that is open."""
    items: dict[OfficeLever, PriceInputs] = {}
    plain = not inputs.is_undertaken
    if plain and levers.undertaking and inputs.obligor is not None:
        items[OfficeLever.UNDERTAKING] = undertaken(inputs)
    if plain and inputs.recourse is None and levers.recourse is not None:
        items[OfficeLever.RECOURSE] = dataclasses.replace(inputs, recourse=levers.recourse)
    if inputs.insurance is None and levers.insurance is not None:
        items[OfficeLever.INSURANCE] = dataclasses.replace(inputs, insurance=levers.insurance)
    if inputs.insurance is not None:
        items[OfficeLever.NO_INSURANCE] = dataclasses.replace(inputs, insurance=None)
    dilution = inputs.dilution
    if inputs.may_dilute and dilution is not None:
        more = dilution.reserve + RESERVE_STEP
        if more <= levers.most_reserve:
            items[OfficeLever.MORE_RESERVE] = _with_reserve(inputs, dilution, more)
    shorter = inputs.tenor_days - TENOR_STEP
    if shorter >= max(1, levers.least_tenor):
        items[OfficeLever.SHORTER_TENOR] = dataclasses.replace(inputs, tenor_days=shorter)
    better = None if inputs.obligor is None else better_grade(inputs.obligor, policy.scale)
    if better is not None:
        items[OfficeLever.BETTER_GRADE] = dataclasses.replace(inputs, obligor=better)
    return items


def undertaken(inputs: PriceInputs) -> PriceInputs:
    """Return an item as it would be if its debtor undertook irrevocably to pay it.

    Parameters
    ----------
    inputs : PriceInputs
        A claim that is not undertaken.

    Returns
    -------
    PriceInputs
        The same debtor owes, on the day and in full; a large or rated one by the undertaking's LGD.
    """
    large = inputs.lgd.case == "large_debtor" or (
        inputs.obligor is not None and inputs.obligor.rated
    )
    return dataclasses.replace(
        inputs,
        claim=Claim.UNDERTAKING,
        lgd=LgdTerms(
            "undertaking" if large else inputs.lgd.case, cross_border=inputs.lgd.cross_border
        ),
        dilution=None,
        recourse=None,
        insurance=None,
        late_days=0,
    )


def _with_reserve(inputs: PriceInputs, dilution: Dilution, share: Fraction) -> PriceInputs:
    """Return an item of the same whole face with more of it kept back."""
    whole = inputs.face_minor / (1 - dilution.reserve)
    lgd = inputs.lgd
    if lgd.credit_reserve_advance is not None:
        lgd = dataclasses.replace(lgd, credit_reserve_advance=1 - share)
    face = max(1, int(whole * (1 - share)))
    return dataclasses.replace(
        inputs,
        face_minor=face,
        fees_minor=min(inputs.fees_minor, face),
        cash_margin_minor=min(inputs.cash_margin_minor, face),
        dilution=dataclasses.replace(dilution, reserve=share),
        lgd=lgd,
    )
