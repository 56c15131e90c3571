"""The cases "who is this?": what documents say of a firm that nobody could settle by a number."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.db.visibility import not_found, predicate_for
from scf.documents.models import UNKNOWN_FIRM, DocumentFinding, PendingParty
from scf.kernel.actor import Actor
from scf.kernel.errors import RuleViolation
from scf.parties.identifiers import said_digest
from scf.parties.identity.lookup import MOST, Candidate, candidates, facts_of
from scf.parties.identity.score import Facts
from scf.parties.service import firm_names

CODE: Final = "FIRM_UNKNOWN"
MOST_CASES: Final = 200
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]


class Case(NamedTuple):
    """A firm as documents name it, and who may be meant."""

    finding_id: str
    org_id: str
    told_by: str
    side: str
    name: str
    country: str
    numbers: tuple[tuple[str, str], ...]
    said: Facts
    digest: str
    since: dt.datetime
    documents: int
    candidates: tuple[Candidate, ...]


def open_findings(conn: Connection, actor: Actor, digest: str = "") -> list[Row[Any]]:
    """Give the open findings about unknown firms that an actor may see, the oldest first."""
    rows = conn.execute(
        select(_finding)
        .where(
            UNKNOWN_FIRM,
            predicate_for(DocumentFinding, actor),
        )
        .order_by(_finding.c.created_at, _finding.c.id)
        .limit(MOST_CASES if not digest else None)
    )
    return [row for row in rows if not digest or digest_of(row) == digest]


def waiting(conn: Connection, org_id: str) -> int:
    """Count the documents of an organisation that wait until somebody says who is meant."""
    open_ones = select(_finding).where(UNKNOWN_FIRM, _finding.c.org_id == org_id)
    digests = {digest_of(row) for row in conn.execute(open_ones.limit(MOST_CASES))}
    # A file tells of an unknown firm once, however many of its documents name it.
    rows = select(func.count(_pending.c.document_id.distinct())).where(
        _pending.c.scheme == "said",
        _pending.c.value.in_(sorted(digests)),
        _pending.c.org_id == org_id,
    )
    return int(conn.execute(rows).scalar_one())


def digest_of(row: Row[Any]) -> str:
    """Give the fingerprint of what a finding's document says of the firm."""
    party = row.facts["party"]
    return said_digest(party["name"], party["country"], _pairs(party))


def _pairs(party: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["scheme"], one["value"]) for one in party["identifiers"]]


def cases(conn: Connection, actor: Actor) -> list[Case]:
    """Give the open cases that an actor may decide, each firm once, with its first candidate."""
    found: dict[tuple[str, str], Row[Any]] = {}
    for row in open_findings(conn, actor):
        found.setdefault((row.org_id, digest_of(row)), row)
    names = firm_names(conn, {org_id for org_id, _digest in found})
    return [_case(conn, row, actor, names.get(row.org_id, ""), 1) for row in found.values()]


def case(conn: Connection, actor: Actor, finding_id: str) -> Case:
    """Give one open case with its candidates.

    Raises
    ------
    NotFound
        For what is not there, is not the actor's to see, or is about no firm.
    RuleViolation
        ``IDENTITY_SETTLED`` when it is known by now who is meant.
    """
    row = conn.execute(
        select(_finding).where(
            _finding.c.id == finding_id,
            _finding.c.code == CODE,
            predicate_for(DocumentFinding, actor),
        )
    ).one_or_none()
    if row is None:
        raise not_found("finding", finding_id)
    if row.resolved_at is not None:
        raise RuleViolation(
            "IDENTITY_SETTLED", "It is settled by now who is meant here.", id=finding_id
        )
    names = firm_names(conn, {row.org_id})
    return _case(conn, row, actor, names.get(row.org_id, ""), MOST)


def _case(conn: Connection, row: Row[Any], actor: Actor, told_by: str, most: int) -> Case:
    party = row.facts["party"]
    said = facts_of(
        party["name"],
        party["country"],
        _pairs(party),
        {**party, "accounts": row.facts.get("accounts", ())},
    )
    digest = digest_of(row)
    waiting = select(func.count(_pending.c.document_id.distinct())).where(
        _pending.c.scheme == "said", _pending.c.value == digest, _pending.c.org_id == row.org_id
    )
    return Case(
        finding_id=row.id,
        org_id=row.org_id,
        told_by=told_by,
        side=row.facts.get("side", ""),
        name=party["name"],
        country=party["country"],
        numbers=tuple(_pairs(party)),
        said=said,
        digest=digest,
        since=row.created_at,
        documents=conn.execute(waiting).scalar_one(),
        candidates=tuple(candidates(conn, said, actor, most)),
    )


def told(case_: Case) -> dict[str, Any]:
    """Give what a document says of a firm as it is kept with a decision."""
    return {
        "name": case_.name,
        "country": case_.country,
        "identifiers": [list(pair) for pair in case_.numbers],
        "address": case_.said.address,
        "mailboxes": sorted(case_.said.mailboxes),
        "accounts": sorted(case_.said.accounts),
    }


def told_candidate(one: Candidate) -> dict[str, Any]:
    """Give a proposed firm with points and reasons as it is kept with a decision."""
    return {
        "firm_id": one.firm_id,
        "name": one.name,
        "points": one.score.points,
        "tier": one.score.tier.value,
        "parts": [part._asdict() for part in one.score.parts],
    }
