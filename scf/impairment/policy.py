"""The impairment policy in force, handed in once by the composition root, and kept with figures.

Without one nothing is provided for: no stage, no allowance, no write-off.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.fingerprints import digest_text
from scf.impairment.models import ImpairmentPolicy
from scf.kernel.errors import Unavailable

TABLE: Final[Table] = ImpairmentPolicy.__table__  # type: ignore[attr-defined]
_KEEP: Final = {
    "sqlite": sqlite.insert(TABLE).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(TABLE).on_conflict_do_nothing(),
}
_PROVENANCE: Final = frozenset({"prior", "cited", "memory"})


@dataclass(frozen=True)
class Policy:
    """One version; ``matrix`` gives the least PD from so many days past due, in rising order."""

    version: str
    lgd: Decimal
    unassessed_pd: Decimal
    least_days: int
    stage_2_over: int
    pd_factor: Decimal
    pd_rise: Decimal
    low_risk_below: Decimal
    stage_3_from: int
    matrix: tuple[tuple[int, Decimal], ...]
    content: str
    digest: str

    def least_pd(self, days_past_due: int) -> Decimal:
        """Give the PD that what is so many days past due has at least."""
        return max((pd for days, pd in self.matrix if days <= days_past_due), default=Decimal(0))


def policy_of(data: Mapping[str, Any]) -> Policy:
    """Read a policy from its plain content.

    Raises
    ------
    ValueError
        For a figure that is missing, out of bounds, or says not where it comes from.
    """
    content = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    worse, default = data["significant_increase"], data["default"]
    made = Policy(
        version=str(data["version"]),
        lgd=_share(data["lgd"]),
        unassessed_pd=_share(data["unassessed_pd"]),
        least_days=int(_value(data["least_days"])),
        stage_2_over=int(_value(worse["past_due_over"])),
        pd_factor=Decimal(_value(worse["pd_factor"])),
        pd_rise=_share(worse["pd_rise"]),
        low_risk_below=_share(worse["low_risk_below"]),
        stage_3_from=int(_value(default["past_due_from"])),
        matrix=tuple(
            sorted((int(one["from_days"]), _share(one["pd"])) for one in data.get("past_due", ()))
        ),
        content=content,
        digest=digest_text(content),
    )
    if not (made.least_days > 0 and 0 <= made.stage_2_over < made.stage_3_from):
        raise ValueError("days: 0 < least_days, and stage 2 comes before stage 3.")
    if made.pd_factor < 1:
        raise ValueError("pd_factor is at least 1.")
    return made


def _value(figure: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a text or a whole number
    if figure.get("provenance") not in _PROVENANCE:
        raise ValueError("each figure says its provenance: prior, cited or memory.")
    return figure["value"]


def _share(figure: Mapping[str, Any]) -> Decimal:
    value = Decimal(str(_value(figure)))
    if not 0 <= value <= 1:
        raise ValueError("a share lies in [0, 1].")
    return value


class _InForce:
    policy: ClassVar[Policy | None] = None


def install_policy(data: Mapping[str, Any] | None) -> None:
    """Set the policy of this process from the content of its file, or that there is none."""
    _InForce.policy = None if data is None else policy_of(data)


def in_force() -> Policy | None:
    """Give the policy in force, if there is one."""
    return _InForce.policy


def must_be_in_force() -> Policy:
    """Give the policy in force.

    Raises
    ------
    Unavailable
        IMPAIRMENT_POLICY where none is configured.
    """
    if _InForce.policy is None:
        raise Unavailable(
            "IMPAIRMENT_POLICY",
            "No impairment policy is configured, so nothing is provided for.",
            next_step="Put config/impairment.toml in place and start again.",
        )
    return _InForce.policy


def keep(ctx: Context, policy: Policy) -> None:
    """Keep a policy that something stored rests on; the same content once."""
    row = {
        "digest": policy.digest,
        "version": policy.version,
        "content": policy.content,
        "first_used_at": ctx.now,
    }
    ctx.conn.execute(_KEEP[ctx.dialect], row)


def kept(conn: Connection, digest: str) -> Policy:
    """Give a policy that was in force once, as it was."""
    content = conn.execute(select(TABLE.c.content).where(TABLE.c.digest == digest)).scalar_one()
    return policy_of(json.loads(content))
