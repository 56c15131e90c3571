"""The price in the words of its reader: four rungs for the seller, eleven lines for the bank.

Both are sums of the same whole basis points, so both end at the rate.
"""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from scoring.figures import Facts, figures
from scoring.policy import Policy
from scoring.schema import PriceInputs, PriceResult
from scoring.stack import largest_remainders

RUNGS: Final = (
    ("bank_funding", ("funding",)),
    ("buyer_credit", ("late_days", "default_own", "default_chain", "dilution", "capital")),
    ("record_and_size", ("operating", "uncertainty")),
    ("service", ("channel", "margin", "floor_addon")),
)
"""What a seller sees, and the components that stand behind each rung."""

CHAIN_RUNG: Final = "your_chain"


@dataclasses.dataclass(frozen=True, slots=True)
class Rung:
    """One step of the seller's ladder, in whole basis points."""

    name: str
    bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChainSplits:
    """What each firm or hop adds to the obligor's hazard, its own left out.

    Parameters
    ----------
    by_origin : tuple of (str, float)
        Firm at which the risk begins, and its hazard per year.
    by_first_hop : tuple of (str, float)
        Direct customer through which it arrives.
    by_hop : tuple of (str, float)
        Number of hops that it travelled.
    """

    by_origin: tuple[tuple[str, float], ...] = ()
    by_first_hop: tuple[tuple[str, float], ...] = ()
    by_hop: tuple[tuple[str, float], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class OfficerLine:
    """One of the eleven lines that an officer sees.

    Parameters
    ----------
    name : str
        One of `COMPONENTS`.
    bp, micro_bp : int
        As shown, and exact.
    facts : tuple of (str, value)
        What the line was worked out from.
    by_origin, by_first_hop, by_hop : tuple of (str, int)
        Only of the chain's line: whole bp that sum to it, by each of the three splits.
    """

    name: str
    bp: int
    micro_bp: int
    facts: Facts
    by_origin: tuple[tuple[str, int], ...] = ()
    by_first_hop: tuple[tuple[str, int], ...] = ()
    by_hop: tuple[tuple[str, int], ...] = ()


def rungs(result: PriceResult, policy: Policy, first_hop: Sequence[float] = ()) -> tuple[Rung, ...]:
    """Return the seller's ladder: four rungs that sum to the rate.

    Parameters
    ----------
    result : PriceResult
        A price.
    policy : Policy
        Says when the chain may stand apart.
    first_hop : sequence of float
        Contributions of the firms at the first hop. From enough firms on, none of them with too
        much of it, the chain is taken out of the buyer's credit and stands second to last.

    Returns
    -------
    tuple of Rung
        Four, or five with the chain; none where there is no rate.
    """
    if not result.components:
        return ()
    steps = {name: sum(result.bp(part) for part in parts) for name, parts in RUNGS}
    if chain_stands_apart(first_hop, policy):
        chain = result.bp("default_chain")
        steps["buyer_credit"] -= chain
        service = steps.pop("service")
        steps |= {CHAIN_RUNG: chain, "service": service}
    return tuple(Rung(name, bp) for name, bp in steps.items())


def chain_stands_apart(first_hop: Sequence[float], policy: Policy) -> bool:
    """Tell whether the chain's part says nothing about any single firm.

    Parameters
    ----------
    first_hop : sequence of float
        Contributions of the firms at the first hop, each >= 0.
    policy : Policy
        Least number of contributing firms, and the largest share of one of them.
    """
    rules = policy.explanation
    contributing = [part for part in first_hop if part > 0]
    if len(contributing) < rules.chain_firms:
        return False
    return max(contributing) <= float(rules.chain_largest_share) * sum(contributing)


def split_bp(bp: int, parts: Sequence[tuple[str, float]]) -> tuple[tuple[str, int], ...]:
    """Return whole basis points for each part, summing to the line that is split.

    Parameters
    ----------
    bp : int
        The line, >= 0.
    parts : sequence of (str, float)
        Names with weights >= 0, not all 0 unless there are none.

    Examples
    --------
    >>> split_bp(28, [("X", 0.00519579), ("A", 0.00012444)])
    (('X', 27), ('A', 1))
    """
    if any(weight < 0 for _, weight in parts):
        raise ValueError("parts have weights of 0 or more.")
    weights = [Fraction(weight) for _, weight in parts]
    total = sum(weights, Fraction(0))
    if not total:
        return ()
    shares = largest_remainders([bp * weight / total for weight in weights], bp, 1)
    return tuple((name, share) for (name, _), share in zip(parts, shares, strict=True))


def officer_lines(
    inputs: PriceInputs, result: PriceResult, policy: Policy, splits: ChainSplits | None = None
) -> tuple[OfficerLine, ...]:
    """Return the eleven lines with what each was worked out from.

    For people of the bank only: the lines hold the PD, the margin and other firms' names.

    Parameters
    ----------
    inputs, result : PriceInputs, PriceResult
        An item and its price.
    policy : Policy
        The policy that priced it.
    splits : ChainSplits, optional
        What stands behind the chain's part.

    Returns
    -------
    tuple of OfficerLine
        In the order of the components; none where there is no rate.

    Raises
    ------
    ValueError
        The result was priced by another version.
    """
    if result.policy_version != policy.version:
        raise ValueError(f"policy: {result.policy_version} priced this, not {policy.version}.")
    facts = figures(inputs, result, policy)
    behind = splits or ChainSplits()
    lines = []
    for part in result.components:
        line = OfficerLine(part.name, part.bp, part.micro_bp, facts[part.name])
        if part.name == "default_chain":
            line = dataclasses.replace(
                line,
                by_origin=split_bp(part.bp, behind.by_origin),
                by_first_hop=split_bp(part.bp, behind.by_first_hop),
                by_hop=split_bp(part.bp, behind.by_hop),
            )
        lines.append(line)
    return tuple(lines)
