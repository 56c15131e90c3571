"""What goes into the pricing of many items and what comes out: one array a column."""

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, get_args

from scoring.observed import dilution_share
from scoring.policy import Policy
from scoring.schema import (
    COMPONENTS,
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdCase,
    LgdTerms,
    PriceInputs,
    PriceResult,
    Recourse,
    Route,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

CLAIMS: Final = (Claim.UNDERTAKING, Claim.REVOCABLE, Claim.PLAIN)
CASES: Final[tuple[LgdCase, ...]] = get_args(LgdCase)
ROUTES: Final[tuple[Route, ...]] = ("auto", "officer", "two_officers", "refuse")
"""In the order of their strictness."""
REFUSALS: Final = (
    "",
    "TENOR_SHORT",
    "MODEL_UNAVAILABLE",
    "OBLIGOR_IN_DEFAULT",
    "PRICE_BELOW_HURDLE",
    "RISK_BELOW_FLOOR",
    "PRICE_BELOW_FLOOR",
    "PRICE_ABOVE_CAP",
    "NOTHING_LEFT",
    "LEAF_NOT_PRICEABLE",
    "SAME_GROUP",
    "TERMS_WRONG",
)
"""Codes by number; the first is none."""
REASONS: Final = ("GRADE", "AMOUNT_ABOVE_AUTO", "FEW_SETTLED_ITEMS", "BEYOND_CURVE")
_PPM: Final = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Special:
    """What few items have and no column says; such an item is priced by itself.

    Parameters
    ----------
    insurance, cash_margin_minor, same_group, leaf, transfers
        As `PriceInputs` has them; an item with a ``leaf`` is one, whatever its column says.
    """

    insurance: Insurance | None = None
    cash_margin_minor: int = 0
    same_group: bool = False
    leaf: LeafState | None = None
    transfers: int = 0

    def __post_init__(self) -> None:
        """Refuse what no item can be."""
        if self.cash_margin_minor < 0 or self.transfers < 0:
            raise ValueError("cash_margin_minor and transfers are 0 or more.")
        if self.transfers and self.leaf is None:
            raise ValueError("transfers belong to a leaf.")


_ORDINARY: Final = Special()


@dataclasses.dataclass(frozen=True)
class Risks:
    """What is known of the firm of each row, shape (n,) each; see `scoring.schema.FirmRisk`.

    ``known`` is False where nobody has been assessed; the other columns then say nothing. Where
    ``told`` holds a value it stands for the row: what a trained champion says by month is priced
    row by row.
    """

    own: "Floats"
    total: "Floats"
    rated: "Bools"
    documented: "Bools"
    defaulted: "Bools"
    known: "Bools"
    told: "NDArray[np.object_] | None" = None

    def take(self, rows: "Ints") -> "Risks":
        """Return some rows."""
        taken: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            column = getattr(self, field.name)
            taken[field.name] = None if column is None else column[rows]
        return Risks(**taken)

    @property
    def by_row(self) -> "Bools":
        """Where a value stands for the row."""
        import numpy as np

        if self.told is None:
            return np.zeros(len(self.known), dtype=np.bool_)
        return np.array([one is not None for one in self.told], dtype=np.bool_)

    def at(self, row: int) -> FirmRisk | None:
        """Return one row as a value."""
        if not self.known[row]:
            return None
        if self.told is not None and self.told[row] is not None:
            firm: FirmRisk = self.told[row]
            return firm
        return FirmRisk(
            float(self.own[row]),
            float(self.total[row]),
            bool(self.rated[row]),
            bool(self.documented[row]),
            bool(self.defaulted[row]),
        )


def risks_of(firms: Sequence[FirmRisk | None]) -> Risks:
    """Return the columns of some firms.

    Examples
    --------
    >>> risks_of([FirmRisk(0.01, 0.02), None]).known.tolist()
    [True, False]
    """
    import numpy as np

    nobody = FirmRisk(0.0, 0.0)
    rows = [nobody if firm is None else firm for firm in firms]
    return Risks(
        np.array([one.own_hazard for one in rows], dtype=np.float64),
        np.array([one.total_hazard for one in rows], dtype=np.float64),
        np.array([one.rated for one in rows], dtype=np.bool_),
        np.array([one.documented for one in rows], dtype=np.bool_),
        np.array([one.defaulted for one in rows], dtype=np.bool_),
        np.array([firm is not None for firm in firms], dtype=np.bool_),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Book:
    """Items to be priced, shape (n,) each.

    Parameters
    ----------
    claim, case : int
        Places in `CLAIMS` and `CASES`.
    face_minor, fees_minor, tenor_days, basis, exponent, late_days, settled_items, margin_shift_bp
        As `PriceInputs` has them.
    obligor, seller : Risks
        Who owes and who sells.
    silent, cross_border, covers_credit, basel, recourse, proceeds : bool
        As the agreement says; ``covers_credit`` that the reserve stands before credit loss.
    reserve_ppm, legal_cap_ppm : int
        Parts per million; a cap below 0 is none.
    after_days : int
        Days after due before the seller can be called.
    credited_minor, gross_minor, items : int
        Of the pair's items closed in a year (`scoring.observed.dilution_share`).
    pair_sales, seller_sales : int
        Of 52 weeks, for the debtor's share of the seller's sales.
    special : object, or None
        A `Special` where a row has one, else None; None where no row has.
    """

    claim: "Ints"
    case: "Ints"
    face_minor: "Ints"
    fees_minor: "Ints"
    tenor_days: "Ints"
    basis: "Ints"
    exponent: "Ints"
    obligor: Risks
    seller: Risks
    silent: "Bools"
    cross_border: "Bools"
    settled_items: "Ints"
    late_days: "Ints"
    reserve_ppm: "Ints"
    covers_credit: "Bools"
    basel: "Bools"
    credited_minor: "Ints"
    gross_minor: "Ints"
    items: "Ints"
    recourse: "Bools"
    after_days: "Ints"
    pair_sales: "Ints"
    seller_sales: "Ints"
    proceeds: "Bools"
    legal_cap_ppm: "Ints"
    margin_shift_bp: "Ints"
    special: "NDArray[np.object_] | None" = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.claim)

    def take(self, rows: "Ints") -> "Book":
        """Return some rows."""
        taken: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            column = getattr(self, field.name)
            if isinstance(column, Risks):
                taken[field.name] = column.take(rows)
            else:
                taken[field.name] = None if column is None else column[rows]
        return Book(**taken)

    @property
    def by_row(self) -> "Bools":
        """Where a row says more than the columns."""
        import numpy as np

        if self.special is None:
            return np.zeros(len(self), dtype=np.bool_)
        return np.array([one is not None for one in self.special], dtype=np.bool_)

    def inputs_at(self, row: int, policy: Policy) -> PriceInputs:
        """Return one row as `scoring.pricing.price` takes it.

        Parameters
        ----------
        row : int
            Its place.
        policy : Policy
            Holds the prior of the diluted share.
        """
        more: Special = (None if self.special is None else self.special[row]) or _ORDINARY
        claim = CLAIMS[self.claim[row]] if more.leaf is None else Claim.LEAF
        undertaken = claim in {Claim.UNDERTAKING, Claim.LEAF}
        reserve = Fraction(int(self.reserve_ppm[row]), _PPM)
        covers = bool(self.covers_credit[row]) and reserve > 0
        sales, cap = int(self.seller_sales[row]), int(self.legal_cap_ppm[row])
        share = min(Fraction(1), Fraction(int(self.pair_sales[row]), sales)) if sales else None
        return PriceInputs(
            claim=claim,
            face_minor=int(self.face_minor[row]),
            tenor_days=int(self.tenor_days[row]),
            obligor=self.obligor.at(row),
            lgd=LgdTerms(
                CASES[self.case[row]],
                silent=bool(self.silent[row]),
                cross_border=bool(self.cross_border[row]),
                credit_reserve_advance=1 - reserve if covers else None,
            ),
            settled_items=int(self.settled_items[row]),
            seller=self.seller.at(row),
            late_days=0 if undertaken else int(self.late_days[row]),
            dilution=None
            if undertaken and more.leaf is not LeafState.ISSUED
            else Dilution(
                dilution_share(
                    int(self.credited_minor[row]),
                    int(self.gross_minor[row]),
                    int(self.items[row]),
                    policy.model,
                ),
                reserve,
                "basel" if self.basel[row] else "economic",
            ),
            recourse=Recourse(Fraction(1) if share is None else share, int(self.after_days[row]))
            if self.recourse[row] and not undertaken
            else None,
            basis=365 if self.basis[row] == 365 else 360,  # noqa: PLR2004 - the two that there are
            rate_basis="proceeds" if self.proceeds[row] else "face",
            fees_minor=int(self.fees_minor[row]),
            exponent=int(self.exponent[row]),
            legal_cap=None if cap < 0 else Fraction(cap, _PPM),
            margin_shift_bp=int(self.margin_shift_bp[row]),
            insurance=more.insurance,
            cash_margin_minor=more.cash_margin_minor,
            same_group=more.same_group,
            leaf=more.leaf,
            transfers=more.transfers,
        )


@dataclasses.dataclass(frozen=True)
class Prices:
    """What came out, shape (n,) each unless it says otherwise.

    Parameters
    ----------
    rate_bp : int
        Basis points a year; below 0 where there is no price.
    micro_bp, bp : int, shape (n, 11)
        The components in millionths of a basis point, and whole as shown.
    pd_one_year, pd_item, lgd : float
        As `scoring.schema.Behind` has them; NaN without a price.
    grade : int
        Place on the master scale; below 0 where there is none, also for an obligor in default.
    route, refusal : int
        Places in `ROUTES` and `REFUSALS`.
    reasons : int
        Which of `REASONS` set the route, one bit each; 0 where the refusal did.
    by_row : bool
        Rows that went through `scoring.pricing.price` itself.
    """

    rate_bp: "Ints"
    micro_bp: "Ints"
    bp: "Ints"
    pd_one_year: "Floats"
    pd_item: "Floats"
    lgd: "Floats"
    grade: "Ints"
    route: "Ints"
    refusal: "Ints"
    reasons: "Ints"
    by_row: "Bools"

    def set_row(self, row: int, result: PriceResult, policy: Policy) -> None:
        """Write what `scoring.pricing.price` gave for one row."""
        priced = result.rate_bp is not None
        self.rate_bp[row] = result.rate_bp if result.rate_bp is not None else -1
        self.micro_bp[row] = [part.micro_bp for part in result.components] or [0] * len(COMPONENTS)
        self.bp[row] = [part.bp for part in result.components] or [0] * len(COMPONENTS)
        memo = result.memo
        for name in ("pd_one_year", "pd_item", "lgd"):
            getattr(self, name)[row] = math.nan if memo is None else getattr(memo, name)
        names = [grade.name for grade in policy.scale.grades]
        self.grade[row] = names.index(result.grade) if priced and result.grade else -1
        self.route[row] = ROUTES.index(result.route)
        self.refusal[row] = REFUSALS.index(result.refusal.code if result.refusal else "")
        self.reasons[row] = sum(
            1 << at for at, name in enumerate(REASONS) if name in result.route_reasons
        )
        self.by_row[row] = True


def no_prices(size: int) -> Prices:
    """Return columns in which nothing is priced yet.

    Parameters
    ----------
    size : int
        Number of rows.
    """
    import numpy as np

    def ints(fill: int, *more: int) -> "Ints":
        return np.full((size, *more), fill, dtype=np.int64)

    def unknown() -> "Floats":
        return np.full(size, math.nan)

    parts = len(COMPONENTS)
    return Prices(
        ints(-1), ints(0, parts), ints(0, parts), unknown(), unknown(), unknown(), ints(-1),
        ints(0), ints(0), ints(0), np.zeros(size, dtype=np.bool_),
    )  # fmt: skip
