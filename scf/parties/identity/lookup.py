"""Keeping the keys of firms, and finding the firms that a description may mean.

A look-up reads the rows of its keys and no others; how many that are depends on how alike names
are, not on how many firms there are. A word that very many firms share is not asked for: it would
tell nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, delete, insert, literal, or_, select, union_all
from sqlalchemy.engine import Connection

from scf.db.visibility import predicate_for
from scf.kernel.actor import Actor, Role
from scf.parties.identifiers import judge_all
from scf.parties.identity import keys
from scf.parties.identity.models import FirmKey, FirmLink
from scf.parties.identity.score import Facts, Score, Tier, compare
from scf.parties.models import BankAccount, Firm, FirmIdentifier, User

MOST: Final = 5
# A word of more firms than this says nothing; so many pieces are only shared by a common name.
_COMMON: Final = 200
_PIECES: Final = 4_000
_COMPARED: Final = 100
_NEAR_NAME: Final = 70
_OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})

_key: Final[Table] = FirmKey.__table__  # type: ignore[attr-defined]
_link: Final[Table] = FirmLink.__table__  # type: ignore[attr-defined]
_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_identifier: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_user: Final[Table] = User.__table__  # type: ignore[attr-defined]


class Candidate(NamedTuple):
    """A firm that may be meant, what is known of it, and why."""

    firm_id: str
    name: str
    state: str
    known: Facts
    score: Score


def facts_of(
    name: str,
    country: str,
    identifiers: Iterable[tuple[str, str]],
    more: Mapping[str, Any] | None = None,
) -> Facts:
    """Give what a document says of a firm in the form that is compared."""
    told = more or {}
    names = [text for text in (name, str(told.get("trading_name") or "")) if text.strip()]
    mailbox = keys.mailbox(str(told.get("mail") or ""))
    return Facts(
        names=tuple(names),
        country=country,
        identifiers=tuple(
            (item.scheme, item.value) for item in judge_all(identifiers) if item.public
        ),
        address=str(told.get("address") or ""),
        mailboxes=frozenset({mailbox} - {""}),
        accounts=frozenset(told.get("accounts") or ()),
    )


def reindex(conn: Connection, firm_id: str) -> None:
    """Store the keys of one firm anew, after something by which it is found has changed."""
    row = conn.execute(select(_firm).where(_firm.c.id == firm_id)).one()
    accounts = select(_account.c.number).where(
        _account.c.firm_id == firm_id, _account.c.state == "OPEN"
    )
    mails = select(_user.c.email).where(_user.c.org_id == firm_id, _user.c.state == "ACTIVE")
    facts = Facts(
        names=(row.name,),
        country=row.country or "",
        address=row.address,
        mailboxes=_mailboxes(conn.execute(mails).scalars()),
        accounts=frozenset(conn.execute(accounts).scalars()),
    )
    conn.execute(delete(_key).where(_key.c.firm_id == firm_id))
    rows = [
        {"key": key, "firm_id": firm_id, "spelling": spelling}
        for key, spelling in keys.stored_keys(facts).items()
    ]
    if rows and row.kind == "trader":
        conn.execute(insert(_key), rows)


def _mailboxes(mails: Iterable[str]) -> frozenset[str]:
    return frozenset(keys.mailbox(mail) for mail in mails) - {""}


def candidates(conn: Connection, said: Facts, actor: Actor, most: int = MOST) -> list[Candidate]:
    """Find the firms that a description may mean, the likeliest first.

    Only firms that the actor may know; and of each only what the actor may know of it. A firm
    whose number contradicts the description comes last, for the reader to see why it is not it.
    """
    found = _reached(conn, said)
    by_number = _by_number(conn, said)
    close = sorted(found, key=lambda firm_id: (-found[firm_id], firm_id))[:_COMPARED]
    known = known_facts(conn, {*by_number, *close}, actor)
    judged = [
        Candidate(firm_id, row.name, row.state, facts, compare(said, facts))
        for firm_id, (row, facts) in known.items()
    ]
    shown = [one for one in judged if one.score.tier is not Tier.NONE or _warns(one.score)]
    shown.sort(key=lambda one: (one.score.tier is Tier.NONE, -one.score.points, one.name))
    return shown[:most]


def _warns(score: Score) -> bool:
    """Tell whether a firm that it is not has a name that is almost the same."""
    return any(part.code.startswith("NAME_") and part.points >= _NEAR_NAME for part in score.parts)


def _by_number(conn: Connection, said: Facts) -> set[str]:
    if not said.identifiers:
        return set()
    equal = (
        (_identifier.c.scheme == scheme) & (_identifier.c.value == value)
        for scheme, value in said.identifiers
    )
    rows = conn.execute(
        select(_identifier.c.firm_id).where(_identifier.c.scope_org_id == "", or_(*equal))
    )
    return set(rows.scalars())


def _reached(conn: Connection, said: Facts) -> dict[str, float]:
    """Give the firms that share a key with a description, and how near each is at first sight."""
    from rapidfuzz.distance import Levenshtein

    near: dict[str, float] = defaultdict(float)
    for spelling, wanted in keys.piece_keys(said).items():
        rows = conn.execute(
            select(_key.c.firm_id, _key.c.spelling).where(_key.c.key.in_(wanted)).limit(_PIECES)
        )
        for row in rows:
            close = Levenshtein.normalized_similarity(spelling, row.spelling)
            apart = Levenshtein.distance(spelling, row.spelling, score_cutoff=keys.EDITS)
            if apart <= keys.EDITS:
                near[row.firm_id] = max(near[row.firm_id], 1 + close)
    for sharing in _by_words(conn, keys.word_keys(said)).values():
        for firm_id in sharing:
            near[firm_id] += 1 / (1 + len(sharing))
    return near


def _by_words(conn: Connection, wanted: Collection[str]) -> dict[str, list[str]]:
    """Give the firms of each word, account, mailbox or place that few enough firms share."""
    if not wanted:
        return {}
    parts = [
        select(literal(key).label("key"), _key.c.firm_id)
        .where(_key.c.key == key)
        .limit(_COMMON + 1)
        .subquery(f"word_{place}")
        for place, key in enumerate(wanted)
    ]
    rows = conn.execute(union_all(*(select(part.c.key, part.c.firm_id) for part in parts)))
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.key].append(row.firm_id)
    return {key: firms for key, firms in found.items() if len(firms) <= _COMMON}


def known_facts(
    conn: Connection, firm_ids: Collection[str], actor: Actor
) -> dict[str, tuple[Any, Facts]]:
    """Give the records of firms as far as the actor may know them, by id.

    A record that another one stands for counts as that one, under the names of both.
    """
    stands_for = survivors(conn, firm_ids)
    wanted = {stands_for.get(firm_id, firm_id) for firm_id in firm_ids}
    rows = {
        row.id: row
        for row in conn.execute(
            select(_firm).where(
                _firm.c.id.in_(sorted(wanted)),
                _firm.c.kind == "trader",
                predicate_for(Firm, actor),
            )
        )
    }
    every = {**dict.fromkeys(rows), **stands_for_of(conn, rows)}
    one = {firm_id: survivor or firm_id for firm_id, survivor in every.items()}
    names: dict[str, list[str]] = defaultdict(list)
    named = select(_firm.c.id, _firm.c.name, _firm.c.address).where(_firm.c.id.in_(sorted(one)))
    for row in sorted(conn.execute(named), key=lambda row: row.id not in rows):
        names[one[row.id]].append(row.name)
    numbers = _gather(
        conn,
        select(_identifier.c.firm_id, _identifier.c.scheme, _identifier.c.value).where(
            _identifier.c.firm_id.in_(sorted(one)), _identifier.c.scope_org_id == ""
        ),
        one,
    )
    accounts = _gather(
        conn,
        select(_account.c.firm_id, _account.c.number).where(
            _account.c.firm_id.in_(sorted(one)),
            _account.c.state == "OPEN",
            predicate_for(BankAccount, actor),
        ),
        one,
    )
    mails: dict[str, list[Any]] = {}
    if actor.is_operator or actor.roles & _OFFICERS:
        people = select(_user.c.org_id, _user.c.email).where(
            _user.c.org_id.in_(sorted(one)), _user.c.state == "ACTIVE"
        )
        mails = _gather(conn, people, one)
    return {
        firm_id: (
            row,
            Facts(
                names=tuple(names[firm_id]),
                country=row.country or "",
                identifiers=tuple(sorted(tuple(pair) for pair in numbers.get(firm_id, ()))),
                address=row.address,
                mailboxes=_mailboxes(mail for (mail,) in mails.get(firm_id, ())),
                accounts=frozenset(number for (number,) in accounts.get(firm_id, ())),
            ),
        )
        for firm_id, row in rows.items()
    }


def facts_of_record(conn: Connection, row: Any, actor: Actor) -> Facts:  # noqa: ANN401 - a row
    """Give what the actor may know of one record by itself, whatever it stands for."""
    numbers = select(_identifier.c.scheme, _identifier.c.value).where(
        _identifier.c.firm_id == row.id, _identifier.c.scope_org_id == ""
    )
    accounts = select(_account.c.number).where(
        _account.c.firm_id == row.id,
        _account.c.state == "OPEN",
        predicate_for(BankAccount, actor),
    )
    return Facts(
        names=(row.name,),
        country=row.country or "",
        identifiers=tuple(sorted(tuple(pair) for pair in conn.execute(numbers))),
        address=row.address,
        accounts=frozenset(conn.execute(accounts).scalars()),
    )


def _gather(conn: Connection, query: Any, one: Mapping[str, str]) -> dict[str, list[Any]]:  # noqa: ANN401
    found: dict[str, list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        found[one[row[0]]].append(tuple(row[1:]))
    return found


def survivors(conn: Connection, firm_ids: Collection[str]) -> dict[str, str]:
    """Give, of those records that another one stands for, which that is."""
    if not firm_ids:
        return {}
    rows = conn.execute(
        select(_link.c.firm_id, _link.c.survivor_id).where(_link.c.firm_id.in_(sorted(firm_ids)))
    )
    return {row.firm_id: row.survivor_id for row in rows}


def stands_for_of(conn: Connection, firm_ids: Collection[str]) -> dict[str, str]:
    """Give the records that some firms stand for, each with the firm that does."""
    if not firm_ids:
        return {}
    rows = conn.execute(
        select(_link.c.firm_id, _link.c.survivor_id).where(
            _link.c.survivor_id.in_(sorted(firm_ids))
        )
    )
    return {row.firm_id: row.survivor_id for row in rows}
