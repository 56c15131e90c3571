"""What a firm's accounts are called in one system, as a writer or a connection asks it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.accounting.mapping.models import AccountMapping
from scf.accounting.mapping.systems import SYSTEMS, system_of
from scf.kernel.errors import RuleViolation
from scf.ledger.service import Chart

_mapping: Table = AccountMapping.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A firm's table for one system; version 0 is a table that nobody has written yet."""

    system: str
    version: int = 0
    accounts: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    parties: Mapping[str, str] = field(default_factory=dict)
    since: dt.datetime | None = None

    def missing(self, codes: Iterable[str]) -> list[str]:
        """Tell which of our account codes have no number."""
        return sorted(set(codes) - self.accounts.keys())

    def of(self, codes: Iterable[str]) -> dict[str, str]:
        """Give the number of each of our account codes.

        Raises
        ------
        RuleViolation
            ACCOUNTS_UNMAPPED with every account that has none: no number is guessed.
        """
        wanted = sorted(set(codes))
        missing = self.missing(wanted)
        if missing:
            raise RuleViolation(
                "ACCOUNTS_UNMAPPED",
                "Say first which numbers these accounts have in %(system)s: %(names)s.",
                system=system_of(self.system).title,
                names=", ".join(_name(code) for code in missing),
                accounts=missing,
            )
        return {code: self.accounts[code] for code in wanted}


def numbers_of(conn: Connection, org_id: str, system: str) -> Numbers:
    """Give the present version of a firm's table; of a firm that has none, version 0.

    Raises
    ------
    InvalidInput
        MAPPING_SYSTEM for a system that nobody knows.
    """
    system_of(system)
    row = conn.execute(
        select(_mapping)
        .where(_mapping.c.org_id == org_id, _mapping.c.system == system)
        .order_by(_mapping.c.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return Numbers(system)
    return Numbers(
        system,
        row.version,
        dict(row.accounts),
        dict(row.details),
        dict(row.parties),
        row.created_at,
    )


def tables_of(conn: Connection, org_id: str) -> list[str]:
    """Give the names of the tables that a firm may write: one a system, and its further ones."""
    written = conn.execute(
        select(_mapping.c.system).where(_mapping.c.org_id == org_id).distinct()
    ).scalars()
    return [*SYSTEMS, *sorted(set(written) - SYSTEMS.keys())]


def _name(code: str) -> str:
    line = Chart.lines.get(code)
    return line.name if line is not None else code
