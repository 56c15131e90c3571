"""What goes into a price and what comes out: frozen values, nothing else."""

import dataclasses
import enum
import math
from fractions import Fraction
from typing import Final, Literal, Self

from scoring.hazard import YEAR_DAYS
from scoring.term import TermStructure

KIND: Final = "expert_prior"
"""Label of all that no trained model says: set by judgement, neither fitted nor validated."""

Kind = Literal["expert_prior", "trained", "simulated"]

MICRO: Final = 1_000_000
"""Parts of a basis point in which a component is exact."""

Route = Literal["auto", "officer", "two_officers", "refuse"]

COMPONENTS: Final = (
    "funding",
    "late_days",
    "default_own",
    "default_chain",
    "dilution",
    "capital",
    "operating",
    "channel",
    "uncertainty",
    "margin",
    "floor_addon",
)
"""The eleven parts of every rate, in the order in which they are shown and rounded."""


class Claim(enum.StrEnum):
    """Who owes, and what may still be taken off the claim."""

    UNDERTAKING = "undertaking"  # accepted and irrevocable: the anchor owes, on the day, in full
    REVOCABLE = "revocable"  # accepted, but the acceptance may be withdrawn
    PLAIN = "plain"  # an invoice; its direct debtor owes
    LEAF = "leaf"  # a part of an anchor's undertaking, handed on to a deeper tier


class LeafState(enum.StrEnum):
    """How far a leaf has come; only an issued or accepted one has a price."""

    DRAFT = "draft"
    ISSUED = "issued"
    ACCEPTED = "accepted"
    DEFAULTED = "defaulted"


@dataclasses.dataclass(frozen=True, slots=True)
class FirmRisk:
    """What is known of a firm's risk of default.

    Parameters
    ----------
    own_hazard : float
        Hazard per year of the firm alone, in [0, total_hazard].
    total_hazard : float
        Hazard per year with what reaches it along the chain, finite.
    rated : bool
        An approved bank or agency rating stands behind the figures.
    documented : bool
        Statement of at most 18 months, large revenue and two years observed
        (`scoring.scale.is_documented`); lowers the floor on the PD.
    defaulted : bool
        In default today; the hazards then stand for nothing and the PD is 1.
    term : TermStructure or None
        What a trained champion says by month. It replaces the card and what the chain adds to it;
        the hazards are then its own over a year, and prices read the months.
    """

    own_hazard: float
    total_hazard: float
    rated: bool = False
    documented: bool = False
    defaulted: bool = False
    term: TermStructure | None = None

    def __post_init__(self) -> None:
        """Refuse hazards that are none."""
        if not 0 <= self.own_hazard <= self.total_hazard < math.inf:
            raise ValueError("own_hazard lies between 0 and total_hazard, which is finite.")
        if self.term is not None and (self.rated or self.defaulted):
            raise ValueError("a rating or a default stands before any model.")

    @classmethod
    def of(cls, term: TermStructure, *, documented: bool) -> Self:
        """Return the risk of a firm as a trained champion has it."""
        return cls(
            float(term.own_rate(YEAR_DAYS)),
            float(term.total_rate(YEAR_DAYS)),
            documented=documented,
            term=term,
        )

    def moved(self, own_hazard: float, total_hazard: float) -> Self:
        """Return the firm at other hazards per year; a curve keeps its shape."""
        if self.term is None:
            return dataclasses.replace(self, own_hazard=own_hazard, total_hazard=total_hazard)
        return type(self).of(self.term.moved(own_hazard, total_hazard), documented=self.documented)


LgdCase = Literal["undertaking", "bank", "large_debtor", "other_debtor"]


@dataclasses.dataclass(frozen=True, slots=True)
class LgdTerms:
    """What decides how much is lost when the obligor fails.

    Parameters
    ----------
    case : str
        Row of the LGD table of the policy.
    silent : bool
        The debtor has not been told of the assignment.
    cross_border : bool
        Seller and obligor sit in different countries.
    credit_reserve_advance : Fraction or None
        Advance rate in (0, 1] when the agreement lets the reserve cover credit loss. The reserve
        then no longer stands before dilution: each mitigant counts once.
    """

    case: LgdCase
    silent: bool = False
    cross_border: bool = False
    credit_reserve_advance: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse an advance rate that is none."""
        advance = self.credit_reserve_advance
        if advance is not None and not 0 < advance <= 1:
            raise ValueError("credit_reserve_advance lies in (0, 1].")


@dataclasses.dataclass(frozen=True, slots=True)
class Dilution:
    """What is expected to be credited away after the money went out.

    Parameters
    ----------
    share : Fraction
        Expected credited share of the face, in [0, 1] (`scoring.observed.dilution_share`).
    reserve : Fraction
        Share of the face kept back, in [0, 1].
    capital : str
        "economic" (the seller's repurchase counts) or "basel" (LGD of 100 %).
    """

    share: Fraction
    reserve: Fraction = Fraction(0)
    capital: Literal["economic", "basel"] = "economic"

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        if not (0 <= self.share <= 1 and 0 <= self.reserve <= 1):
            raise ValueError("share and reserve of a dilution lie in [0, 1].")


@dataclasses.dataclass(frozen=True, slots=True)
class Recourse:
    """The seller answers for the debtor.

    Parameters
    ----------
    dependency : Fraction
        Debtor's share of the seller's sales of 52 weeks, in [0, 1].
    after_days : int
        Days after due before the seller can be called; 0 for full recourse.
    """

    dependency: Fraction
    after_days: int = 0

    def __post_init__(self) -> None:
        """Refuse a share or a number of days that is none."""
        if not 0 <= self.dependency <= 1:
            raise ValueError("dependency lies in [0, 1].")
        if self.after_days < 0:
            raise ValueError("after_days is 0 or more.")


@dataclasses.dataclass(frozen=True, slots=True)
class Insurance:
    """A credit insurer pays part of the loss.

    Parameters
    ----------
    cover : Fraction
        Insured share of the loss, in [0, 1].
    insurer : FirmRisk
        The insurer's own risk.
    premium_bp : Fraction
        Premium in bp of the financed face per year.
    waiting_days : int
        Days after due until the insurer pays; added to the late days.
    same_as_seller : bool
        The insurer belongs to the firm that gives recourse; it then counts once, as recourse.
    """

    cover: Fraction
    insurer: FirmRisk
    premium_bp: Fraction = Fraction(0)
    waiting_days: int = 0
    same_as_seller: bool = False

    def __post_init__(self) -> None:
        """Refuse a cover, premium or wait that is none."""
        if not 0 <= self.cover <= 1:
            raise ValueError("cover lies in [0, 1].")
        if self.premium_bp < 0 or self.waiting_days < 0:
            raise ValueError("premium_bp and waiting_days are 0 or more.")


@dataclasses.dataclass(frozen=True, slots=True)
class PriceInputs:
    """One item to be priced.

    Parameters
    ----------
    claim : Claim
        What is bought.
    face_minor : int
        Financed face in minor units of the programme currency, > 0.
    tenor_days : int
        Contract days from value date to rolled due date; below 1 is refused as `TENOR_SHORT`.
    obligor : FirmRisk or None
        Who owes. None: nobody has been assessed, refused as `MODEL_UNAVAILABLE`.
    lgd : LgdTerms
        Case of the LGD table.
    settled_items : int
        Items of the debtor that were settled and are known, the m of the uncertainty charge.
    seller : FirmRisk or None
        Who sells; needed where dilution or recourse is priced.
    late_days : int
        Expected late days given payment (`scoring.observed.late_days`), the q.
    dilution : Dilution or None
        Needed for every claim that may be diluted.
    recourse, insurance : Recourse, Insurance or None
        Mitigants, applied after cash and in this order.
    cash_margin_minor : int
        Cash held against this item, in minor units; lowers what is exposed to default.
    leaf : LeafState or None
        State of a leaf; None for other claims.
    transfers : int
        Hands that the leaf went through after its first holder.
    basis : int
        Day-count basis of the programme, 360 or 365.
    rate_basis : str
        "face" (straight discount) or "proceeds".
    fees_minor : int
        Fees taken beside the discount, for the effective rate.
    exponent : int
        Decimals of the programme currency.
    legal_cap : Fraction or None
        Highest yearly rate that the law of the programme allows.
    same_group : bool
        Seller and debtor belong to one group; refused.
    margin_shift_bp : int
        What people of the bank added to the policy's margin, or took off it. It moves the margin
        and nothing else; the margin never falls below 0, nor the rate below its floor.
    """

    claim: Claim
    face_minor: int
    tenor_days: int
    obligor: FirmRisk | None
    lgd: LgdTerms
    settled_items: int
    seller: FirmRisk | None = None
    late_days: int = 0
    dilution: Dilution | None = None
    recourse: Recourse | None = None
    insurance: Insurance | None = None
    cash_margin_minor: int = 0
    leaf: LeafState | None = None
    transfers: int = 0
    basis: Literal[360, 365] = 360
    rate_basis: Literal["face", "proceeds"] = "face"
    fees_minor: int = 0
    exponent: int = 2
    legal_cap: Fraction | None = None
    same_group: bool = False
    margin_shift_bp: int = 0

    def __post_init__(self) -> None:
        """Refuse what no item can be; what an item may be and is not bought is a refusal."""
        if self.face_minor <= 0:
            raise ValueError("face_minor is above 0.")
        if min(self.settled_items, self.late_days, self.transfers, self.exponent) < 0:
            raise ValueError("settled_items, late_days, transfers and exponent are 0 or more.")
        if not 0 <= self.cash_margin_minor <= self.face_minor:
            raise ValueError("cash_margin_minor lies between 0 and face_minor.")
        if not 0 <= self.fees_minor <= self.face_minor:
            raise ValueError("fees_minor lies between 0 and face_minor.")
        if (self.claim is Claim.LEAF) != (self.leaf is not None):
            raise ValueError("leaf is the state of a leaf, and of nothing else.")
        if self.transfers and self.claim is not Claim.LEAF:
            raise ValueError("transfers belong to a leaf.")
        if self.may_dilute and self.dilution is None:
            raise ValueError("dilution is missing; without history it is the prior.")

    @property
    def is_undertaken(self) -> bool:
        """Whether the anchor's undertaking decides who owes, when and how much."""
        return self.claim in {Claim.UNDERTAKING, Claim.LEAF}

    @property
    def may_dilute(self) -> bool:
        """Whether credit notes can still reduce what is owed."""
        if self.claim is Claim.LEAF:
            return self.leaf is LeafState.ISSUED
        return self.claim is not Claim.UNDERTAKING


@dataclasses.dataclass(frozen=True, slots=True)
class Component:
    """One of the eleven parts of a rate.

    Parameters
    ----------
    name : str
        One of `COMPONENTS`.
    micro_bp : int
        Exact, in millionths of a basis point a year.
    bp : int
        Whole basis points as shown; the eleven sum to the rate.
    """

    name: str
    micro_bp: int
    bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no offer.

    Parameters
    ----------
    code : str
        TENOR_SHORT, MODEL_UNAVAILABLE, OBLIGOR_IN_DEFAULT, SAME_GROUP, LEAF_NOT_PRICEABLE,
        RISK_BELOW_FLOOR, PRICE_ABOVE_CAP or NOTHING_LEFT; PRICE_BELOW_HURDLE or PRICE_BELOW_FLOOR
        only where people took something off the margin.
    facts : tuple of (str, int or float or str)
        What was measured and what it was held against; for people of the bank only.
    """

    code: str
    facts: tuple[tuple[str, int | float | str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The figures from which the components are worked out.

    Parameters
    ----------
    pd_one_year : float
        Obligor's PD after chain and floor, before recourse; the grade reads this one.
    pd_item, pd_effective : float
        PD of this item, and the one-year PD that capital uses; both after recourse.
    pd_seller_call : float or None
        Seller's PD until the end of the call window.
    lgd : float
        After reserve and insurance.
    k_default, k_dilution : float
        Capital per unit, before the capital ratio.
    diluted : float
        Expected loss of face by dilution beyond the reserve, before the seller repurchases.
    floors : tuple of str
        Whose PD was raised to a floor: "obligor", "seller".
    """

    pd_one_year: float
    pd_item: float
    pd_effective: float
    pd_seller_call: float | None
    lgd: float
    k_default: float
    k_dilution: float
    diluted: float
    floors: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Memo(Behind):
    """What stands behind the components; shown to people of the bank, never added.

    Parameters
    ----------
    chain_effect_bp : int
        Rate with the chain less rate without; also holds the capital part.
    """

    chain_effect_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class PriceResult:
    """A price with everything that it was made of.

    Parameters
    ----------
    policy_version, kind : str
        Which numbers priced it, and what they rest on: "expert_prior", or of which kind the model
        is that told a probability in it.
    components : tuple of Component
        Eleven, or none when no price could be worked out.
    rate_bp, rate_ppm : int or None
        The yearly rate on the financed face.
    discount_minor, net_minor : int or None
        What is kept, and what is paid out after fees too.
    effective_ppm : int or None
        Compound yearly cost, shown beside; the components never sum to it.
    grade : str or None
        Label of the obligor's one-year PD.
    route : str
        Who decides; "refuse" with a refusal, but "officer" with `MODEL_UNAVAILABLE`.
    route_reasons : tuple of str
        What set the route: GRADE, AMOUNT_ABOVE_AUTO, FEW_SETTLED_ITEMS, BEYOND_CURVE (a model's
        year ends before the time that it is asked about) or the refusal's code.
    refusal : Refusal or None
        Why there is no offer. Price and grade may stand beside it, for people of the bank.
    memo : Memo or None
        The figures behind.
    """

    policy_version: str
    components: tuple[Component, ...]
    rate_bp: int | None
    rate_ppm: int | None
    discount_minor: int | None
    net_minor: int | None
    effective_ppm: int | None
    grade: str | None
    route: Route
    route_reasons: tuple[str, ...]
    refusal: Refusal | None
    memo: Memo | None
    kind: Kind = KIND

    def bp(self, name: str) -> int:
        """Return one component in whole basis points."""
        return next(part.bp for part in self.components if part.name == name)


@dataclasses.dataclass(frozen=True, slots=True)
class PriceBand:
    """The rate at the lower and upper end of the PD; both in whole bp.

    Parameters
    ----------
    low_bp, high_bp : int
        Rates with nothing but the obligor's PD changed.
    pd_low, pd_high : float
        The one-year PDs behind them.
    label : str
        "expert band": no data stand behind its width.
    """

    low_bp: int
    high_bp: int
    pd_low: float
    pd_high: float
    label: str = "expert band"
