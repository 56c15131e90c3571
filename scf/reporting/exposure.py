"""The limit tree as people read it: every node with the name of its subject and how full it is."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlmodel import Session, col

from scf.financing.models import Advance
from scf.kernel.rates import PPM
from scf.parties.service import firm_names, people_names
from scf.programmes.limits import relationship_subject
from scf.programmes.models import LimitNode, Programme

# From this share of a limit on people are warned.
EARLY_WARNING_PPM: Final = 900_000
_FIRMS: Final = frozenset({"financier", "obligor", "group", "seller", "insured"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """More than a limit grants, as one person has proposed it."""

    minor: int
    by_id: str
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One node: what is allowed, set aside and out, and what it is called."""

    id: str
    kind: str
    subject_id: str
    name: str
    currency: str
    limit_minor: int
    held_minor: int
    used_minor: int
    version: int
    proposal: Proposal | None

    @property
    def taken_minor(self) -> int:
        """Give what is set aside and out together."""
        return self.held_minor + self.used_minor

    @property
    def headroom_minor(self) -> int:
        """Give what is left; below zero while the node is breached."""
        return self.limit_minor - self.taken_minor

    @property
    def taken_ppm(self) -> int:
        """Give the share of the limit that is taken; of a limit of zero, all of it."""
        if self.limit_minor == 0:
            return PPM if self.taken_minor else 0
        return self.taken_minor * PPM // self.limit_minor

    @property
    def level(self) -> str:
        """Tell whether the node is fine, near its limit, or breached."""
        if self.headroom_minor < 0:
            return "breached"
        return "early" if self.taken_ppm >= EARLY_WARNING_PPM else "fine"


def limit_tree(session: Session) -> list[LimitLine]:
    """Give the nodes that the reader may see, in the order of the tree."""
    rows = list(
        session.execute(
            select(LimitNode).order_by(
                col(LimitNode.currency), col(LimitNode.kind_rank), col(LimitNode.id)
            )
        ).scalars()
    )
    return lines_of(session, rows)


def limit_line(session: Session, node_id: str) -> LimitLine | None:
    """Give one node, or nothing where the reader may see none of this id."""
    row = session.execute(
        select(LimitNode).where(col(LimitNode.id) == node_id)
    ).scalar_one_or_none()
    return lines_of(session, [row])[0] if row is not None else None


def lines_of(session: Session, rows: Sequence[LimitNode]) -> list[LimitLine]:
    """Give nodes with the names of their subjects."""
    names = _names(session, rows)
    people = people_names(
        session.connection(), {row.proposed_by for row in rows if row.proposed_by}
    )
    return [
        LimitLine(
            row.id,
            row.kind,
            row.subject_id,
            names.get(row.subject_id, row.subject_id),
            row.currency,
            row.limit_minor,
            row.held_minor,
            row.utilised_minor,
            row.version,
            _proposal(row, people),
        )
        for row in rows
    ]


def _proposal(row: LimitNode, people: Mapping[str, str]) -> Proposal | None:
    minor, by_id, at = row.proposed_minor, row.proposed_by, row.proposed_at
    if minor is None or by_id is None or at is None:
        return None
    return Proposal(minor, by_id, people.get(by_id, ""), at)


def _names(session: Session, rows: Iterable[LimitNode]) -> dict[str, str]:
    """Name the subjects: firms, programmes, and pairs of firms."""
    conn = session.connection()
    by_kind: dict[str, set[str]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, set()).add(row.subject_id)
    firms: set[str] = set().union(*(by_kind.get(kind, set()) for kind in _FIRMS))
    names = firm_names(conn, firms)
    if by_kind.get("programme"):
        found = session.execute(
            select(col(Programme.id), col(Programme.name)).where(
                col(Programme.id).in_(by_kind["programme"])
            )
        )
        names |= {row.id: row.name for row in found}
    if by_kind.get("relationship"):
        names |= _pairs(session, conn, by_kind["relationship"])
    return names


def _pairs(session: Session, conn: Connection, wanted: set[str]) -> dict[str, str]:
    """Name pairs by their firms: the node keeps only a digest of the two."""
    seller, obligor = col(Advance.seller_id), col(Advance.obligor_id)
    pairs: list[Any] = list(session.execute(select(seller, obligor).distinct()))
    names = firm_names(conn, {firm for pair in pairs for firm in pair})
    return {
        subject: f"{names.get(pair[0], '')} → {names.get(pair[1], '')}"
        for pair in pairs
        if (subject := relationship_subject(*pair)) in wanted
    }
