"""The columns of the three tables, whoever wrote them: this platform or a bank's warehouse.

Dates are dates or ISO text, amounts whole numbers, flags true or false; of CSV everything is text
in the same form. Amounts of invoices are euro cents, so that firms of several currencies add up;
those of receivables minor units of their own currency. More columns than these do no harm.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "day", "whole", "flag", "number"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``optional`` allows an empty cell, ``absent`` that there is no such column."""

    name: str
    kind: Kind
    optional: bool = False
    absent: bool = False


def _of(kind: Kind, *names: str, optional: bool = False, absent: bool = False) -> list[Column]:
    return [Column(name, kind, optional, absent) for name in names]


INVOICES: Final = (
    *_of("text", "invoice_id", "seller_id", "buyer_id"),
    *_of("day", "issued_on"),
    *_of("day", "due_on", optional=True),
    # base: asked for. net: less credits and contested parts. sold: less credits. rest: unpaid of
    # net. diluted: credits and disputes won. kept: of rest, at the seller's own risk.
    *_of("whole", "base", "net", "sold", "rest", "diluted", "kept"),
    # The value date of the payment that left nothing that matters, and the days on which that, and
    # that nothing is owed any more, became known; empty while it is not so.
    *_of("day", "settled_on", "settled_known_on", "closed_known_on", optional=True),
    *_of("flag", "material"),  # what is unpaid is more than a crumb
)
"""Each invoice whose debtor has said or paid something, as it was known before the morning."""

FIRMS: Final = (
    *_of("text", "firm_id"),
    *_of("flag", "in_chain", absent=True),  # default: true
    *_of("day", "founded_on", optional=True, absent=True),
    *_of("whole", "statement_months", "notches", optional=True, absent=True),
    *_of(
        "number", "revenue", "equity", "liquidity", "weekly_cost", "rated_pd", "own_pd",
        optional=True, absent=True,
    ),
    # What a trained champion of the platform said: its risk by month, and flags for a person.
    *_of("text", "told", "flags", optional=True, absent=True),
)  # fmt: skip
"""What is known of each firm beside its trade: euros, shares and probabilities as decimal text."""

RECEIVABLES: Final = (
    *_of("text", "receivable_id", "seller_id", "obligor_id", "currency"),
    *_of("whole", "face"),
    *_of("day", "due_on"),
    *_of("text", "claim"),
    *_of("whole", "basis"),
    *_of("text", "rate_basis"),
    *_of("flag", "disclosed", "cross_border", "recourse"),
    *_of("whole", "recourse_after_days", "reserve_ppm"),
    *_of("flag", "reserve_covers_credit"),
    *_of("text", "dilution_capital"),
    *_of("whole", "legal_cap_ppm", "margin_shift_bp", "bought_ppm", optional=True, absent=True),
    # What few have (an insurer's cover, cash held), as the platform writes it: see `special`.
    *_of("text", "special", optional=True, absent=True),
)
"""What the financier has bought and is still owed; ``bought_ppm`` is the yearly rate at which."""

TABLES: Final = {"invoices": INVOICES, "firms": FIRMS, "receivables": RECEIVABLES}
NO: Final = False  # what an empty condition counts as
MOST: Final = 10**15  # minor units, as everywhere
