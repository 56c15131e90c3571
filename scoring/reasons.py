"""What a seller is told about a price: at most four reasons.

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
from scoring.schema import Refusal
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
