"""The terms of a programme: one versioned record of everything that was agreed.

Terms are data. What a technique, a price mode or a cost bearer cannot do yet is not a value here,
so a programme that asks for it is refused when it is loaded and not when money moves.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from scf.db.types import (
    Code,
    Count,
    Currency,
    Minor,
    OptCount,
    OptMinor,
    OptPpm,
    Ppm,
    SignedPpm,
    Text,
)
from scf.documents.rules import MatchMode
from scf.documents.taxcheck.schemes import SchemeName
from scf.kernel.calendar import Roll, zone
from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.money import MAX_MINOR, parse_minor
from scf.kernel.rates import PPM
from scf.programmes.approval import Approval, Band, band_for, bands_of_file, without
from scf.programmes.techniques import technique_of

CHECKS_BEFORE_DECISION: Final = ("duplicate", "screening", "tax_status", "title_search")
CHECKS_BEFORE_PAYOUT: Final = ("e_signature", "registration", "recheck")
CheckBeforeDecision = Literal["duplicate", "screening", "tax_status", "title_search"]
CheckBeforePayout = Literal["e_signature", "registration", "recheck"]
PlatformCheck = Literal["duplicate", "tax_status", "e_signature"]

# Plain bounds of their own: a second Field beside an annotated type would drop them in silence.
Share = Annotated[int, Strict(), Field(ge=0, le=PPM)]
PositiveShare = Annotated[int, Strict(), Field(ge=1, le=PPM)]
Step = Annotated[int, Strict(), Field(ge=1, le=MAX_MINOR)]
FewDays = Annotated[int, Strict(), Field(ge=0, le=10)]
Minutes = Annotated[int, Strict(), Field(ge=1, le=240)]
WaitingDays = Annotated[int, Strict(), Field(ge=0, le=365)]

MAX_FILE: Final = 64 * 1024
_CUT_OFF: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MarginStep(_Part):
    """The margin up to and including a number of days."""

    max_days: Count
    margin_ppm: SignedPpm


class Fee(_Part):
    """A charge on each advance, taken from the cash paid out, with the tax on it.

    It is earned over the tenor, or with the first close where the service is done at the start.
    """

    code: Code
    flat_minor: Minor = 0
    share_ppm: Ppm = 0
    min_minor: Minor = 0
    max_minor: OptMinor = None
    tax_ppm: Share = 0
    earned: Literal["over_period", "at_once"] = "over_period"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_minor is not None and self.max_minor < self.min_minor:
            msg = "the maximum of a fee lies below its minimum"
            raise ValueError(msg)
        return self


class MatchTolerance(_Part):
    """How far an invoice may lie beside order and receipt; an absolute limit narrows a share.

    Without ``price_under_ppm`` a price below the ordered one needs no look.
    """

    quantity_over_ppm: Share = 0
    quantity_over_micro: OptCount = None
    quantity_under_ppm: Share = 0
    price_over_ppm: Share = 0
    price_under_ppm: OptPpm = None


class Insured(_Part):
    """A credit insurer's policy that covers the claims of a programme.

    ``insurer`` names the firm by an identifier, as ``SCHEME:VALUE``. The cover is the share of a
    loss that it pays, ``waiting_days`` after the due date; the premium is a year's, on the financed
    face. What it covers of each debtor is a limit of the kind ``insured``, without which nothing on
    that debtor is financed.
    """

    insurer: Text
    policy: Code
    cover_ppm: PositiveShare
    premium_ppm: Share = 0
    waiting_days: WaitingDays = 0

    @field_validator("insurer")
    @classmethod
    def _an_identifier(cls, value: str) -> str:
        scheme, mark, number = value.partition(":")
        if not (mark and scheme.strip() and number.strip()):
            msg = "an insurer is named by an identifier, such as lei:529900T8BM49AURSDO55"
            raise ValueError(msg)
        return value


class CurrencyTerms(_Part):
    """What is agreed per currency: the benchmark, and the amounts that depend on its unit."""

    benchmark: Code = ""  # a contract price names one; a risk price has its own cost of funds
    amount_min_minor: Minor = 1
    amount_step_minor: Step = 1
    fees: tuple[Fee, ...] = ()
    price_over_minor: OptMinor = None  # most that one line's price may differ, beside its share
    variance_minor: Minor = 0  # what one invoice may ask beside its order: freight, rounding, tax
    clerk_waives_minor: Minor = 0  # the difference that a clerk may let pass without an approver


class Terms(_Part):
    """Every parameter of a programme that the techniques of today need.

    Source: finance.md section 3, "Programme parameters"; the names are its words.
    """

    technique: Literal["payables_finance", "receivables_discounting"]
    recourse: Literal["none", "full", "after_days"] = "none"
    recourse_after_days: Count = 0  # days past due before the seller can be asked
    ipu: Literal["from_acceptance", "none"] = "from_acceptance"
    disclosed: bool = True
    cost_bearer: Literal["seller"] = "seller"
    price_mode: Literal["contract", "risk"] = "contract"
    legal_cap_ppm: OptPpm = None  # the highest yearly rate that the law allows here
    reserve_covers_credit: bool = False  # whether the reserve may be kept when the obligor fails
    dilution_capital: Literal["economic", "basel"] = "economic"
    insurance: Insured | None = None
    rate_basis: Literal["face", "proceeds"] = "face"
    currency: dict[Currency, CurrencyTerms] = Field(min_length=1)

    fixing_lag_days: Count = 0
    fixing_age_max_days: Count = 7
    rate_floor_ppm: Ppm = 0
    margin: tuple[MarginStep, ...] = ()

    tenor_min_days: Count = 1
    tenor_max_days: Count = 365
    invoice_age_max_days: Count = 365
    advance_ppm: PositiveShare = PPM
    reserve_ppm: Share = 0  # of the face: paid when the obligor has paid
    charge: Literal["upfront", "arrears"] = "upfront"
    partial_allowed: bool = True
    allocation_order: Literal["reference", "fifo", "lifo", "largest", "smallest"] = "reference"

    day_count: DayCount = DayCount.ACT_360
    roll: Roll = Roll.FOLLOWING
    calendar: Code = "target"
    value_date_offset: FewDays = 0
    cut_off: Text = "16:00"
    cut_off_zone: Text = "UTC"
    quote_minutes: Minutes = 15

    grace_days: Count = 0
    grace_free: bool = False
    penalty_multiple_ppm: Ppm = 1_500_000
    penalty_extra_only: bool = False
    rebate_share_ppm: Share = 0
    rebate_to: Literal["cost_bearer", "payer", "seller"] = "cost_bearer"
    income_method: Literal["straight_line", "effective"] = "straight_line"

    match_mode: MatchMode = "none"
    # Of an invoice with its tax authority: before an offer; full: also before money leaves, and
    # every week until it is paid.
    tax_check: Literal["none", "offer", "full"] = "none"
    tax_scheme: SchemeName | None = None
    # Whether a broken rule of EN 16931 is only told, or keeps an invoice out.
    einvoice_rules: Literal["inform", "demand"] = "inform"
    tolerance: MatchTolerance = MatchTolerance()
    checks_before_decision: tuple[CheckBeforeDecision, ...] = CHECKS_BEFORE_DECISION
    checks_before_payout: tuple[CheckBeforePayout, ...] = CHECKS_BEFORE_PAYOUT
    # Which of these the platform answers itself, with a recorded check of its own.
    platform_checks: tuple[PlatformCheck, ...] = ()
    approval: Approval = "four_eyes"
    sample_ppm: Share = 20_000  # of the automatic approvals, looked at by an officer later

    @field_validator("cut_off")
    @classmethod
    def _a_time_of_day(cls, value: str) -> str:
        if _CUT_OFF.fullmatch(value) is None:
            msg = "a cut-off is a time of day such as 16:00"
            raise ValueError(msg)
        return value

    @field_validator("cut_off_zone")
    @classmethod
    def _a_known_zone(cls, value: str) -> str:
        try:
            zone(value)
        except InvalidInput as unknown:
            raise ValueError(unknown.message) from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in (*self._price_problems(), *self._tax_problems()):
            raise ValueError(problem)
        if self.tenor_min_days > self.tenor_max_days:
            msg = "the shortest tenor is longer than the longest"
            raise ValueError(msg)
        for checks in (
            self.checks_before_decision,
            self.checks_before_payout,
            self.platform_checks,
        ):
            if len(set(checks)) != len(checks):
                msg = "a check is required once"
                raise ValueError(msg)
        if (self.recourse == "after_days") != bool(self.recourse_after_days):
            msg = "recourse after days, and only that, says after how many"
            raise ValueError(msg)
        for problem in technique_of(self).problems(self):
            raise ValueError(problem)
        if forgotten := without(self.approval, self.currencies):
            msg = f"the approval matrix has no bands for {', '.join(forgotten)}"
            raise ValueError(msg)
        return self

    def _price_problems(self) -> Iterator[str]:
        """A contract price is benchmark and margin; a risk price has both inside."""
        steps = [step.max_days for step in self.margin]
        named = [code for code, part in self.currency.items() if part.benchmark]
        if self.price_mode == "risk":
            if steps or named or self.rate_floor_ppm:
                yield "a risk price has no benchmark, no margin grid and no floor of its own"
            if self.day_count not in {DayCount.ACT_360, DayCount.ACT_365F}:
                yield "a risk price counts actual days over 360 or 365"
            return
        if not steps or len(named) < len(self.currency):
            yield "a contract price has a margin grid, and a benchmark in each currency"
        elif steps != sorted(set(steps)):
            yield "the margin grid names each number of days once, in rising order"
        elif steps[-1] < self.tenor_max_days:
            yield "the margin grid ends before the longest tenor"
        if self.legal_cap_ppm is not None:
            yield "a contract price is agreed: it has no legal_cap_ppm"

    def _tax_problems(self) -> Iterator[str]:
        """A check names its scheme, and only what is checked can be answered by the platform."""
        if (self.tax_check == "none") != (self.tax_scheme is None):
            yield "a tax check, and only that, names its tax_scheme"
        if self.tax_check == "none" and "tax_status" in self.platform_checks:
            yield "the platform can answer tax_status only with a tax_check"

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that the programme finances, by their code."""
        return tuple(sorted(self.currency))

    @property
    def benchmarks(self) -> dict[str, str]:
        """The benchmark of each currency."""
        return {code: terms.benchmark for code, terms in self.currency.items()}

    @property
    def with_recourse(self) -> bool:
        """Whether the seller answers for the obligor: a loan in the books, not a sale."""
        return technique_of(self).is_loan(self)

    @property
    def cut_off_time(self) -> dt.time:
        """The time of day after which the next business day counts."""
        hours, minutes = self.cut_off.split(":")
        return dt.time(int(hours), int(minutes))

    def band_for(self, currency: str, face: int) -> Band:
        """Give who decides on a request of this amount."""
        return band_for(self.approval, currency, face)

    def margin_for(self, days: int) -> int | None:
        """Give the margin in ppm for a tenor, or nothing beyond the grid."""
        return next((step.margin_ppm for step in self.margin if days <= step.max_days), None)


class ProgrammeFile(NamedTuple):
    """What a programme file says: its short name, its title and its terms."""

    code: str
    name: str
    terms: Terms


def load_terms(content: bytes) -> Terms:
    """Read the terms out of a programme file."""
    return load_file(content).terms


def load_file(content: bytes) -> ProgrammeFile:
    """Read a programme file.

    Amounts stand in it as text of the currency ("100.00"), rates and shares in parts per million.

    Raises
    ------
    InvalidInput
        PROGRAMME_FILE with every problem and its place; AMOUNT_* and CURRENCY for a bad amount.
    """
    if len(content) > MAX_FILE:
        raise InvalidInput(
            "PROGRAMME_FILE", "A programme file has at most %(limit)s bytes.", limit=MAX_FILE
        )
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "PROGRAMME_FILE", "This is no TOML file: %(reason)s.", reason=str(error)
        ) from None
    head, body = data.get("programme"), data.get("terms")
    if set(data) != {"programme", "terms"} or not isinstance(body, dict):
        raise InvalidInput("PROGRAMME_FILE", "A programme file holds [programme] and [terms].")
    if not isinstance(head, dict) or set(head) != {"code", "name"}:
        raise InvalidInput("PROGRAMME_FILE", "[programme] holds exactly a code and a name.")
    if not all(isinstance(value, str) and value.strip() for value in head.values()):
        raise InvalidInput("PROGRAMME_FILE", "The code and the name of a programme are texts.")
    _amounts(body.get("currency"))
    for currency, band in bands_of_file(body.get("approval")):
        _in_minor(band, currency)
    return ProgrammeFile(head["code"], head["name"], terms_of(body))


def terms_of(data: object) -> Terms:
    """Give terms from their stored or parsed form.

    Raises
    ------
    InvalidInput
        PROGRAMME_FILE with every problem and its place.
    """
    try:
        return Terms.model_validate(data)
    except ValidationError as error:
        problems = [
            {"place": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise InvalidInput(
            "PROGRAMME_FILE", "These terms cannot be used.", problems=problems
        ) from None


_AMOUNT_TEXTS: Final = (
    "amount_min", "amount_step", "flat", "min", "max", "up_to", "price_over", "variance",
    "clerk_waives",
)  # fmt: skip


def _amounts(currencies: object) -> None:
    """Turn the amounts of the file, in place, into minor units of their currency."""
    if not isinstance(currencies, dict):
        return
    for code, part in currencies.items():
        if not isinstance(part, dict):
            continue
        _in_minor(part, code)
        fees = part.get("fees")
        for fee in fees if isinstance(fees, list) else ():
            if isinstance(fee, dict):
                _in_minor(fee, code)


def _in_minor(part: dict[str, Any], currency: str) -> None:
    for name in _AMOUNT_TEXTS:
        if name in part:
            text = part.pop(name)
            if not isinstance(text, str):
                raise InvalidInput(
                    "PROGRAMME_FILE",
                    '%(name)s is an amount in quotes, such as "100.00".',
                    name=name,
                )
            part[f"{name}_minor"] = parse_minor(text, currency)
