"""The allowances proved: books say what the rows say, and each figure comes out again as stored."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.impairment import journals
from scf.impairment.booking import ADVANCE, IMPAIRED, MOVEMENT, STANDING, penalty_open
from scf.impairment.models import ImpairmentProposal
from scf.impairment.policy import Policy, kept
from scf.impairment.rules import Level, expected_loss
from scf.ledger.models import Account, Entry, Posting
from scf.risk.outlook import Outlook, outlooks

_PROPOSAL: Final[Table] = ImpairmentProposal.__table__  # type: ignore[attr-defined]
_ACCOUNT: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_ENTRY: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_POSTING: Final[Table] = Posting.__table__  # type: ignore[attr-defined]
_RULED: Final = ("assessment", "policy", "matrix", "default")


@dataclass(frozen=True, slots=True)
class Breach:
    """Something of an allowance that should be true and is not."""

    code: str
    where: str
    message: str


def breaches(conn: Connection) -> Iterator[Breach]:
    """Look for allowances that are not what books, movements, policies and people say."""
    yield from _books(conn)
    yield from _movements(conn)
    yield from _penalty(conn)
    yield from _written_off(conn)


def _books(conn: Connection) -> Iterator[Breach]:
    """The loss allowance in the book of each advance is what stands set aside for it."""
    booked = {
        (row.org_id, row.subject_id): -int(row.amount)
        for row in conn.execute(
            select(
                _ENTRY.c.org_id,
                _ENTRY.c.subject_id,
                func.sum(_POSTING.c.amount_minor).label("amount"),
            )
            .join(_POSTING, _POSTING.c.entry_id == _ENTRY.c.id)
            .join(_ACCOUNT, _ACCOUNT.c.id == _POSTING.c.account_id)
            .where(_ACCOUNT.c.code == journals.ALLOWANCE)
            .group_by(_ENTRY.c.org_id, _ENTRY.c.subject_id)
        )
    }
    stored = {
        (row.financier_id, row.id): int(row.allowance_minor)
        for row in conn.execute(
            select(STANDING.c.financier_id, STANDING.c.id, STANDING.c.allowance_minor)
        )
    }
    for key in sorted(booked.keys() | stored.keys()):
        have, want = booked.get(key, 0), stored.get(key, 0)
        if have != want:
            yield Breach(
                "ALLOWANCE_BOOKS",
                f"advance {key[1]}",
                f"The book of {key[0]} holds {have} as loss allowance; stored is {want}.",
            )


def _movements(conn: Connection) -> Iterator[Breach]:
    """Movements follow on each other, lead to what stands, and their figures come out again."""
    last: dict[str, Row[Any]] = {}
    policies: dict[str, Policy] = {}
    rows = conn.execute(select(MOVEMENT).order_by(MOVEMENT.c.advance_id, MOVEMENT.c.number)).all()
    said = outlooks(conn, {row.assessment_id for row in rows if row.assessment_id})
    agreed = {
        row.id: row for row in conn.execute(select(_PROPOSAL).where(_PROPOSAL.c.state == "AGREED"))
    }
    for row in rows:
        before = last.get(row.advance_id)
        where = f"advance {row.advance_id}"
        stood = (0, 0, 0)
        if before is not None:
            stood = (before.number, before.after_minor, before.to_stage)
        if (row.number - 1, row.before_minor, row.from_stage) != stood:
            yield Breach("ALLOWANCE_CHAIN", where, f"Movement {row.number} begins elsewhere.")
        if row.policy_digest not in policies:
            policies[row.policy_digest] = kept(conn, row.policy_digest)
        wrong = _figure(row, policies[row.policy_digest], said.get(row.assessment_id or ""))
        if wrong:
            yield Breach("ALLOWANCE_FIGURE", where, f"Movement {row.number}: {wrong}")
        people = row.source == "officers" or row.kind in {"AGREED", "WRITTEN_OFF"}
        if people and row.proposal_id not in agreed:
            yield Breach("ALLOWANCE_ALONE", where, f"No two people agreed on {row.number}.")
        last[row.advance_id] = row
    for stands in conn.execute(select(STANDING)):
        end = last.get(stands.id)
        want = None if end is None else (end.number, end.after_minor, end.to_stage)
        if want != (stands.number, stands.allowance_minor, stands.stage):
            yield Breach(
                "ALLOWANCE_STATE", f"advance {stands.id}", f"Its movements lead to {want}."
            )


def _figure(row: Row[Any], policy: Policy, outlook: Outlook | None) -> str:
    """Work a ruled figure out again from what is stored with it; gives what differs."""
    if row.source not in _RULED:
        return ""
    amount = expected_loss(row.exposure_minor, Decimal(row.pd), Decimal(row.lgd))
    if amount != row.after_minor:
        return f"exposure, PD and LGD give {amount}, not {row.after_minor}."
    pd = _pd(row, policy, outlook)
    if pd != Decimal(row.pd):
        return f"its source says a PD of {pd}, not {row.pd}."
    return ""


def _pd(row: Row[Any], policy: Policy, outlook: Outlook | None) -> Decimal | None:
    if row.source == "assessment":
        return None if outlook is None else outlook.within(row.days)
    if row.source == "policy":
        return Level(policy.unassessed_pd).within(row.days)
    return policy.least_pd(row.days_past_due) if row.source == "matrix" else Decimal(1)


def _penalty(conn: Connection) -> Iterator[Breach]:
    """Only what is in stage 3 has its penalty out of the book, and never more than is owed."""
    rows = conn.execute(
        select(ADVANCE, STANDING.c.stage, STANDING.c.penalty_off_minor)
        .join(STANDING, STANDING.c.id == ADVANCE.c.id)
        .where(STANDING.c.penalty_off_minor > 0)
    )
    for row in rows:
        if row.stage != IMPAIRED or row.penalty_off_minor > penalty_open(row):
            yield Breach(
                "PENALTY_OFF",
                f"advance {row.id}",
                f"{row.penalty_off_minor} of penalty are out of the book in stage {row.stage}; "
                f"{penalty_open(row)} are owed.",
            )


def _written_off(conn: Connection) -> Iterator[Breach]:
    """What two people wrote off of an advance is what it says was written off."""
    total: dict[str, int] = defaultdict(int)
    for row in conn.execute(select(MOVEMENT).where(MOVEMENT.c.kind == "WRITTEN_OFF")):
        total[row.advance_id] += row.before_minor - row.after_minor
    rows = conn.execute(
        select(ADVANCE.c.id, ADVANCE.c.written_off_minor).where(ADVANCE.c.written_off_minor > 0)
    )
    said = {row.id: int(row.written_off_minor) for row in rows}
    for advance_id in sorted(total.keys() | said.keys()):
        if total.get(advance_id, 0) != said.get(advance_id, 0):
            yield Breach(
                "WRITTEN_OFF",
                f"advance {advance_id}",
                f"It says {said.get(advance_id, 0)} was written off; its movements say "
                f"{total.get(advance_id, 0)}.",
            )


__all__ = ["Breach", "breaches"]
