"""The risk appetite in force, handed in once by the composition root.

Without it no claim has a risk price and no firm an assessment: everything is referred, nothing
approved. What was used stays in the database whole, so that an old price can be made again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Final

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.fingerprints import digest_text
from scf.kernel.errors import Unavailable
from scf.kernel.money import exponent
from scf.risk.models import RiskPolicy
from scoring.policy import Policy

_POLICY: Final[Table] = RiskPolicy.__table__  # type: ignore[attr-defined]
_KEEP: Final = {
    "sqlite": sqlite.insert(_POLICY).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_POLICY).on_conflict_do_nothing(),
}
_PLANNING: Final = "planning_rates"


@dataclass(frozen=True)
class Appetite:
    """One version: the policy that scores and prices, and how amounts compare across currencies.

    ``planning_rates`` give the euros of one unit of a currency. They measure (revenue in euros,
    exposures in one currency) and convert no money.
    """

    policy: Policy
    planning_rates: Mapping[str, Fraction]
    content: str
    digest: str

    def euros(self, currency: str) -> Fraction | None:
        """Give the euro cents of one minor unit of a currency, or nothing where it is unknown."""
        rate = self.planning_rates.get(currency)
        if rate is None:
            return None
        return rate * Fraction(10**2, 10 ** exponent(currency))


class _InForce:
    appetite: ClassVar[Appetite | None] = None


def install_appetite(
    policy: Mapping[str, Any] | None, rates: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Set the appetite of this process from the content of its files, or that there is none."""
    _InForce.appetite = None if policy is None else appetite_of(policy, rates or {})


def appetite_of(policy: Mapping[str, Any], rates: Mapping[str, Mapping[str, str]]) -> Appetite:
    """Read an appetite from its plain content: the policy's and the planning rates'.

    Raises
    ------
    ValueError
        For a figure that is unknown, missing or says not where it comes from.
    """
    content = json.dumps(
        {"policy": policy, **rates}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    known = {name: Fraction(text) for name, text in rates.get(_PLANNING, {}).items()}
    return Appetite(Policy.from_mapping(policy), known, content, digest_text(content))


def in_force() -> Appetite:
    """Give the appetite in force.

    Raises
    ------
    Unavailable
        MODEL_UNAVAILABLE where no risk appetite is configured.
    """
    if _InForce.appetite is None:
        raise Unavailable(
            "MODEL_UNAVAILABLE",
            "No risk appetite is configured, so nothing can be priced by risk.",
            next_step="Put config/risk_appetite.toml in place and start again.",
        )
    return _InForce.appetite


def is_in_force() -> bool:
    """Tell whether there is an appetite to price with."""
    return _InForce.appetite is not None


def keep(ctx: Context, appetite: Appetite) -> None:
    """Keep an appetite that something stored rests on; the same content once."""
    row = {
        "digest": appetite.digest,
        "version": appetite.policy.version,
        "content": appetite.content,
        "first_used_at": ctx.now,
    }
    ctx.conn.execute(_KEEP[ctx.dialect], row)


def kept(conn: Connection, digest: str) -> Appetite:
    """Give an appetite that was in force once, as it was."""
    content = conn.execute(select(_POLICY.c.content).where(_POLICY.c.digest == digest)).scalar_one()
    parts = json.loads(content)
    return appetite_of(parts.pop("policy"), parts)
