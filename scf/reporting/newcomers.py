"""Firms and accounts that wait for an officer: parties nobody knows, invitations, new accounts."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, select
from sqlmodel import Session, col

from scf.documents.models import UNKNOWN_FIRM, DocumentFinding
from scf.parties.identity.models import FirmLink, FirmMerge
from scf.parties.models import AccountVerification, BankAccount, Firm, FirmIdentifier
from scf.parties.service import firm_names, people_names

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Unknown:
    """A party of waiting documents: its words for itself, and the newest finding about it."""

    finding_id: str
    name: str
    country: str
    numbers: tuple[tuple[str, str], ...]
    side: str
    told_by: str
    documents: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class FirmLine:
    """A firm, its public numbers, who brought it here, and which records mean one firm with it.

    ``survivor`` is the record that stands for it, ``others`` are those it stands for itself; each
    is an id and a name.
    """

    id: str
    name: str
    country: str
    kind: str
    state: str
    numbers: tuple[tuple[str, str], ...]
    added_by: str
    added_by_id: str
    invited_by: str
    version: int
    created_at: dt.datetime
    survivor: tuple[str, str] | None
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class JoiningLine:
    """Two records whose joining or parting waits for a second person."""

    id: str
    kind: str
    firm_id: str
    firm: str
    survivor_id: str
    survivor: str
    reason: str
    proposed_by: str
    proposed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account as this financier knows it: unverified, verified, or withdrawn."""

    id: str
    firm: str
    firm_id: str
    number: str
    currency: str
    holder: str
    state: str
    added_by: str
    added_by_id: str
    verified_by: str
    verified_at: dt.datetime | None
    usable_on: dt.date | None
    closed: bool


def unknown(session: Session) -> list[Unknown]:
    """Give the parties that waiting documents name and nobody knows, each once."""
    rows = session.execute(
        select(DocumentFinding)
        .where(UNKNOWN_FIRM)
        .order_by(col(DocumentFinding.created_at), col(DocumentFinding.id))
        .limit(MOST)
    ).scalars()
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        facts: dict[str, Any] = row.facts if isinstance(row.facts, dict) else {}
        party = facts.get("party", facts)
        numbers = tuple(_pair(one) for one in party.get("identifiers", ()))
        key = (row.org_id, party.get("name", ""), numbers)
        found.setdefault(key, []).append((row, party, facts.get("side", "")))
    names = firm_names(session.connection(), {key[0] for key in found})
    return [
        Unknown(
            every[-1][0].id,
            key[1] or "",
            str(every[0][1].get("country") or ""),
            key[2],
            str(every[0][2]),
            names.get(key[0], ""),
            len(every),
            every[0][0].created_at,
        )
        for key, every in found.items()
    ]


def _pair(one: Any) -> tuple[str, str]:  # noqa: ANN401 - as a finding has it
    if isinstance(one, dict):
        return str(one["scheme"]), str(one["value"])
    return str(one[0]), str(one[1])


def firms(session: Session, state: str = "", text: str = "") -> list[FirmLine]:
    """Give the firms, those that wait for a word first."""
    waits = case((col(Firm.state) == "INVITED", 0), (col(Firm.state) == "SUSPENDED", 1), else_=2)
    query = select(Firm).order_by(waits, col(Firm.name), col(Firm.id)).limit(MOST)
    if state:
        query = query.where(col(Firm.state) == state)
    if text:
        query = query.where(col(Firm.name).icontains(text, autoescape=True))
    rows = list(session.execute(query).scalars())
    return _firm_lines(session, rows)


def firm(session: Session, firm_id: str) -> FirmLine | None:
    """Give one firm, or nothing where the reader may know none of this id."""
    row = session.execute(select(Firm).where(col(Firm.id) == firm_id)).scalar_one_or_none()
    return _firm_lines(session, [row])[0] if row is not None else None


def _firm_lines(session: Session, rows: list[Firm]) -> list[FirmLine]:
    conn = session.connection()
    found = session.execute(
        select(FirmIdentifier)
        .where(
            col(FirmIdentifier.firm_id).in_([row.id for row in rows]),
            col(FirmIdentifier.scheme) != "name",
        )
        .order_by(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
    ).scalars()
    numbers: dict[str, list[tuple[str, str]]] = {}
    for one in found:
        numbers.setdefault(one.firm_id, []).append((one.scheme, one.value))
    people = people_names(conn, {row.added_by or "" for row in rows})
    ids = [row.id for row in rows]
    links = session.execute(
        select(FirmLink)
        .where(col(FirmLink.firm_id).in_(ids) | col(FirmLink.survivor_id).in_(ids))
        .order_by(col(FirmLink.since_at), col(FirmLink.firm_id))
    ).scalars()
    survivors: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    for link in links:
        survivors[link.firm_id] = link.survivor_id
        others.setdefault(link.survivor_id, []).append(link.firm_id)
    names = firm_names(
        conn,
        {row.invited_by for row in rows if row.invited_by} | {*survivors, *survivors.values()},
    )
    return [
        FirmLine(
            row.id,
            row.name,
            row.country or "",
            row.kind,
            row.state,
            tuple(numbers.get(row.id, ())),
            people.get(row.added_by or "", ""),
            row.added_by or "",
            names.get(row.invited_by or "", ""),
            row.version,
            row.created_at,
            (survivors[row.id], names[survivors[row.id]]) if row.id in survivors else None,
            tuple((one, names[one]) for one in others.get(row.id, ())),
        )
        for row in rows
    ]


def joinings(session: Session) -> list[JoiningLine]:
    """Give the records that somebody proposed to join or to part, the oldest first."""
    rows = list(
        session.execute(
            select(FirmMerge)
            .where(col(FirmMerge.state) == "PROPOSED")
            .order_by(col(FirmMerge.proposed_at), col(FirmMerge.id))
            .limit(MOST)
        ).scalars()
    )
    conn = session.connection()
    names = firm_names(conn, {one for row in rows for one in (row.firm_id, row.survivor_id)})
    people = people_names(conn, {row.proposed_by for row in rows})
    return [
        JoiningLine(
            row.id,
            row.kind,
            row.firm_id,
            names.get(row.firm_id, ""),
            row.survivor_id,
            names.get(row.survivor_id, ""),
            row.reason,
            people.get(row.proposed_by, ""),
            row.proposed_at,
        )
        for row in rows
    ]


def accounts(
    session: Session, financier_id: str, firm_id: str = "", account_id: str = ""
) -> list[AccountLine]:
    """Give accounts as one financier knows them, the unverified first."""
    query = (
        select(BankAccount, AccountVerification)
        .outerjoin(
            AccountVerification,
            (col(AccountVerification.account_id) == col(BankAccount.id))
            & (col(AccountVerification.financier_id) == financier_id),
        )
        .order_by(
            case((col(AccountVerification.state) == "VERIFIED", 1), else_=0),
            col(BankAccount.created_at).desc(),
            col(BankAccount.id),
        )
        .limit(MOST)
    )
    if account_id:
        query = query.where(col(BankAccount.id) == account_id)
    elif firm_id:
        query = query.where(col(BankAccount.firm_id) == firm_id)
    else:
        query = query.where(col(BankAccount.state) == "OPEN")
    rows: list[Any] = list(session.execute(query))
    conn = session.connection()
    names = firm_names(conn, {row[0].firm_id for row in rows})
    people = people_names(
        conn, {one for row in rows for one in (row[0].added_by, row[1] and row[1].verified_by)}
    )
    return [
        AccountLine(
            account.id,
            names.get(account.firm_id, ""),
            account.firm_id,
            account.number,
            account.currency,
            account.holder,
            "CLOSED" if account.state == "CLOSED" else (word.state if word else "UNVERIFIED"),
            people.get(account.added_by, ""),
            account.added_by,
            people.get(word.verified_by, "") if word else "",
            word.verified_at if word else None,
            word.usable_on if word else None,
            account.state == "CLOSED",
        )
        for account, word in rows
    ]
