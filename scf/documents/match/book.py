"""What matching looks at: an order with its counters, an invoice with its credits."""

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from scf.documents.match.tolerance import STRICT, Rules
from scf.documents.match.units import Pack

OrderKey = tuple[str, str, str]  # seller, buyer, canonical number


@dataclasses.dataclass(frozen=True, slots=True)
class Items:
    """The numbers by which seller, buyer and everybody know an article, and what it is called."""

    seller: str | None = None
    buyer: str | None = None
    standard: str | None = None
    name: str = ""


NO_ITEM = Items()


@dataclasses.dataclass
class LineBook:
    """One order line with what was sent, received and invoiced on it so far.

    ``invoiced`` counts invoices that fit, less what was credited of them; ``matched`` of these is
    what has all the proof that its programme asks for.
    """

    id: str
    line_ref: str
    unit: str | None
    quantity_micro: int | None
    despatched_micro: int
    received_micro: int
    invoiced_micro: int
    matched_micro: int
    net_minor: int | None
    invoiced_minor: int
    tax_ppm: int | None = None
    items: Items = NO_ITEM
    touched: bool = False

    @property
    def price(self) -> Fraction | None:
        """The ordered amount of one millionth of the unit."""
        if not self.quantity_micro or self.net_minor is None:
            return None
        return Fraction(self.net_minor, self.quantity_micro)


@dataclasses.dataclass
class OrderBook:
    """One order under lock, with its lines by number."""

    id: str
    currency: str
    standing: str
    total_minor: int
    invoiced_minor: int
    lines: dict[str, LineBook]
    packs: Mapping[str, Sequence[Pack]] = dataclasses.field(default_factory=dict)
    touched: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Credit:
    """One line of a credit note that names the invoice; one without lines states a sum only."""

    line_ref: str
    order_line_ref: str | None
    unit: str | None
    quantity_micro: int | None
    net_minor: int
    items: Items = NO_ITEM
    whole: bool = False  # the sum of a credit note without lines


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimLine:
    """One invoice line as matching needs it."""

    id: str
    place: int
    order_line_ref: str | None
    unit: str | None
    quantity_micro: int | None
    net_minor: int
    line_ref: str = ""
    tax_ppm: int | None = None
    items: Items = NO_ITEM


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """One invoice as matching needs it."""

    id: str
    currency: str
    net_minor: int
    order: OrderKey
    lines: Sequence[ClaimLine] = ()
    credits: Sequence[Credit] = ()
    rules: Rules = STRICT
    waived: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Variance:
    """One place where an invoice lies beside its order, and how much money that is.

    ``within`` says that the tolerance covers it: kept to be shown, and nothing to decide.
    """

    code: str
    amount_minor: int = 0
    line: str = ""  # of the invoice
    order_line: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    within: bool = False

    def stored(self) -> dict[str, Any]:
        """Give the form that is kept with the invoice."""
        return {
            "code": self.code,
            "amount_minor": self.amount_minor,
            "line": self.line,
            "order_line": self.order_line,
            "within": self.within,
            **self.facts,
        }


@dataclasses.dataclass(slots=True)
class LineMatch:
    """Which order line an invoice line belongs to, by what sign, and what it takes of it."""

    order_line_id: str | None = None
    paired_by: str | None = None
    counted_micro: int = 0
    counted_minor: int = 0
    credited_micro: int = 0
    credited_minor: int = 0


@dataclasses.dataclass
class Match:
    """What matching says of one invoice."""

    state: str = "UNMATCHED"
    code: str | None = None
    order_id: str | None = None
    counted_minor: int = 0
    message: str = ""
    variances: list[Variance] = dataclasses.field(default_factory=list)
    lines: dict[str, LineMatch] = dataclasses.field(default_factory=dict)

    @property
    def event(self) -> str:
        """Name the step of the match axis that leads here."""
        steps = {"MATCHED": "match", "PARTIAL": "part", "EXCEPTION": "except", "WAIVED": "waive"}
        return steps.get(self.state, "find_none")

    @property
    def counts(self) -> bool:
        """Whether the invoice takes its part of the order."""
        return self.state in COUNTING


COUNTING = frozenset({"MATCHED", "PARTIAL", "WAIVED"})
