"""The numbers of the risk appetite, as one frozen value.

They stand in ``config/risk_appetite.toml``; whoever reads that file hands the mapping to
`Policy.from_mapping`. Each figure carries the word that says where it comes from.
"""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Final, Literal, Self

from scoring.schema import LgdCase, Route

PROVENANCE: Final = {
    "prior": "an expert's choice",
    "cited": "taken from the source that the design cites",
    "memory": "quoted from knowledge, not yet checked against its source",
}
"""Words that say where a figure comes from."""

_STRICT: Final = {"extra": "forbid"}
_NUMBER: Final = (int, Fraction)


@dataclasses.dataclass(frozen=True, slots=True)
class Band:
    """One band of a card row: from `lower` (inclusive unless `above`) up to the next band.

    `lower` None starts at minus infinity. `points` None means default: no score is given.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    lower: Fraction | None = None
    points: int | None = None
    above: bool = False

    def begins_below(self, value: Fraction) -> bool:
        """Whether a value lies at or beyond the beginning of this band."""
        if self.lower is None:
            return True
        return value > self.lower if self.above else value >= self.lower


@dataclasses.dataclass(frozen=True, slots=True)
class CardRow:
    """Points for one input: bands in rising order, and what a missing value costs."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    input: str
    bands: tuple[Band, ...]
    missing: int


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """The expert card: PD = 1 / (1 + exp(intercept - points / points_per_logit))."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    intercept: Fraction
    points_per_logit: int
    rows: tuple[CardRow, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Grade:
    """One column of the master scale; begins at `from_pd`, inclusive.

    With `auto_limit` (major units), an amount above it needs an officer.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    name: str
    from_pd: Fraction
    route: Route
    auto_limit: Fraction | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """The master scale and the floors under a one-year PD."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    grades: tuple[Grade, ...]
    floor_documented: Fraction
    floor_other: Fraction
    documented_statement_months: int
    documented_revenue: Fraction
    documented_months: int


@dataclasses.dataclass(frozen=True, slots=True)
class LgdTable:
    """Loss given default by case, its additions and its bounds; shares of EAD."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    cases: dict[LgdCase, Fraction]
    silent: Fraction
    cross_border: Fraction
    lowest: Fraction
    highest: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class FundingPoint:
    """Cost of the bank's own money at one tenor, per year on the programme basis."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    days: int
    rate: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class Charges:
    """What is charged beside risk; bp a year unless the name says otherwise."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    hurdle: Fraction  # pre-tax return on capital, per year
    capital_ratio: Fraction
    operating_fixed: Fraction  # major units per item
    operating_variable_bp: Fraction
    margin_undertaking_bp: Fraction
    margin_bp: Fraction
    hop_fee_bp: Fraction  # per transfer after the first holder
    uncertainty_bp: Fraction  # over the root of 1 + settled items
    uncertainty_until_items: int  # free from here
    officer_below_items: int
    floor_over_funding_bp: Fraction
    cap: Fraction  # per year


@dataclasses.dataclass(frozen=True, slots=True)
class RhoBand:
    """Correlation of seller and debtor from a dependency on; None: recourse earns no credit."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    from_dependency: Fraction
    rho: Fraction | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """Constants of the formulas that are choices, not mathematics."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    kappa: Fraction  # share of the card's hazard that is the firm's own
    recourse_phi: Fraction
    recourse_call_days: int
    recourse_rho: tuple[RhoBand, ...]
    insurance_phi: Fraction
    dilution_prior: Fraction
    dilution_prior_items: int
    dilution_concentration: int  # alpha + beta of the beta distribution
    repurchase_phi: Fraction  # share of diluted claims that a seller alive buys back
    late_prior_days: int
    late_prior_items: int
    band_low: Fraction
    band_high: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """From where on something is said to a seller, and what may be shown apart."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    most_reasons: int
    round_to_bp: int  # counterfactual rates
    few_customers_share: Fraction  # largest customer's share of own sales
    credited_share: Fraction  # of the face with this buyer
    few_pair_items: int  # settled between the two
    small_item_bp: Fraction  # cost of handling, a year
    long_tenor_days: int
    statement_months: int
    buyers_to_speak_of_one: int
    chain_firms: int
    chain_largest_share: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """All numbers of one version of the risk appetite.

    Parameters
    ----------
    version : str
        Name of the version; stored with every assessment and price.
    kind : str
        Always "expert_prior": nothing here was estimated.
    card, scale, lgd, funding, charges, model, explanation
        The parts.
    provenance : tuple of (str, str)
        Dotted path of each figure with its word of `PROVENANCE`, sorted by path.

    References
    ----------
    The figures are expert choices; see ``docs/decisions`` on the expert prior.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    version: str
    kind: Literal["expert_prior"]
    card: Card
    scale: Scale
    lgd: LgdTable
    funding: tuple[FundingPoint, ...]
    charges: Charges
    model: Model
    explanation: Explanation
    provenance: tuple[tuple[str, str], ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Return the policy that a mapping describes, as a TOML reader gives it.

        A figure is ``{value = …, provenance = "prior"}``. A table or a list of tables may carry one
        ``provenance`` for all its figures instead. Exact figures are strings: "0.105".

        Raises
        ------
        ValueError
            An unknown, missing or malformed figure, or one without provenance.
        """
        words: dict[str, str] = {}
        plain = _unwrap(mapping, "", None, words)
        from pydantic import TypeAdapter

        policy: Self = TypeAdapter(cls).validate_python(
            {**plain, "provenance": sorted(words.items())}
        )
        policy._check()
        return policy

    def _check(self) -> None:
        """Refuse figures and tables that make no sense."""
        for name in ("charges", "model"):
            part = dataclasses.asdict(getattr(self, name))
            below = [key for key, value in part.items() if isinstance(value, _NUMBER) and value < 0]
            if below:
                raise ValueError(f"{name}.{below[0]} is 0 or more.")
        if any(point.rate < 0 for point in self.funding):
            raise ValueError("funding: a rate is 0 or more, as every component is.")
        if not all(0 <= share <= 1 for share in self.lgd.cases.values()):
            raise ValueError("lgd.cases lie in [0, 1].")
        for row in self.card.rows:
            lowers = [band.lower for band in row.bands[1:]]
            if row.bands[0].lower is not None or lowers != sorted(lowers, key=_number):
                raise ValueError(f"card.{row.input}: bands rise from minus infinity.")
        rising: tuple[tuple[str, list[Fraction | int]], ...] = (
            ("scale.grades", [grade.from_pd for grade in self.scale.grades]),
            ("model.recourse_rho", [band.from_dependency for band in self.model.recourse_rho]),
            ("funding", [point.days for point in self.funding]),
        )
        for name, values in rising:
            if not values or values != sorted(set(values)):
                raise ValueError(f"{name}: rows rise and are at least one.")
        if self.scale.grades[0].from_pd != 0 or self.model.recourse_rho[0].from_dependency != 0:
            raise ValueError("scale.grades and model.recourse_rho begin at 0.")


def _number(lower: Fraction | None) -> Fraction:
    """Return the bound of a band that is not the first."""
    if lower is None:
        raise ValueError("card: only the first band starts at minus infinity.")
    return lower


def _unwrap(value: Any, path: str, inherited: str | None, words: dict[str, str]) -> Any:  # noqa: ANN401 - as TOML gives it
    """Return the value without its provenance words, which are collected by path."""
    if isinstance(value, Mapping):
        word = value.get("provenance", inherited)
        if word is not None and word not in PROVENANCE:
            raise ValueError(f"{path or 'policy'}: {word!r} is no word of provenance.")
        if "value" in value:
            return _unwrap(value["value"], path, word, words)
        return {
            key: _unwrap(part, f"{path}.{key}" if path else key, word, words)
            for key, part in value.items()
            if key != "provenance"
        }
    if isinstance(value, list):
        return [_unwrap(part, f"{path}.{at}", inherited, words) for at, part in enumerate(value)]
    if path in {"version", "kind"}:
        return value
    if inherited is None:
        raise ValueError(f"{path}: a figure says where it comes from.")
    words[path] = inherited
    return value
