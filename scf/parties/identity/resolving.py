"""Who a document names: by the numbers, the organisation's own words, and people's decisions."""

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Table, func, or_, select
from sqlalchemy.engine import Connection

from scf.db.visibility import predicate_for
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict
from scf.parties.identifiers import PartyId, judge_all, said_digest
from scf.parties.identity.keys import SPELLING
from scf.parties.identity.models import FirmKey, FirmLink
from scf.parties.identity.names import normalised
from scf.parties.identity.score import name_points
from scf.parties.models import Firm, FirmIdentifier

_firm: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_identifier: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
_key: Final[Table] = FirmKey.__table__  # type: ignore[attr-defined]
_link: Final[Table] = FirmLink.__table__  # type: ignore[attr-defined]
# So far may the name on a document be from that of the firm whose number stands beside it before
# another firm of the document's name is asked for.
_SAME_FIRM: Final = 75
# So many numbers or names are asked for by one statement.
_AT_ONCE: Final = 500
_T = TypeVar("_T")


class _Hit(NamedTuple):
    """One number or name that is known, and the firm that it means."""

    item: PartyId
    firm_id: str
    state: str
    name: str
    country: str


class Said(NamedTuple):
    """What a document says of one of its parties."""

    identifiers: Sequence[tuple[str, str]]
    name: str
    country: str


class Settled(NamedTuple):
    """The firm that a document names, or nothing; and whether what it says contradicts itself."""

    firm_id: str | None
    contradicts: bool = False


def matching_firms(
    conn: Connection, identifiers: Sequence[tuple[str, str]], name: str, org_id: str
) -> list[tuple[PartyId, str, str]]:
    """Return (identifier, firm, state) for each number that is known, public ones first.

    Numbers and names in the scope of an organisation count only for documents of that one. A
    record that another one stands for is that one.
    """
    wanted = judge_all([*identifiers, ("name", name)] if name.strip() else identifiers)
    (hits,) = _matching(conn, [wanted], org_id)
    return [(hit.item, hit.firm_id, hit.state) for hit in hits]


def _matching(
    conn: Connection, wanted: Sequence[Sequence[PartyId]], org_id: str
) -> list[list[_Hit]]:
    """Give what is known of each party, however many there are: a statement for many numbers."""
    numbers = {(item.scheme, item.value) for item in itertools.chain.from_iterable(wanted)}
    known: dict[tuple[str, str, str], Any] = {}
    for some in _parts(sorted(numbers)):
        equal = (
            (_identifier.c.scheme == scheme)
            & _identifier.c.value.in_([value for _scheme, value in of_scheme])
            for scheme, of_scheme in itertools.groupby(some, operator.itemgetter(0))
        )
        rows = conn.execute(
            select(
                _identifier.c.scheme,
                _identifier.c.value,
                _identifier.c.scope_org_id,
                _firm.c.id.label("firm_id"),
                _firm.c.state,
                _firm.c.name,
                _firm.c.country,
            )
            .outerjoin(_link, _link.c.firm_id == _identifier.c.firm_id)
            .join(_firm, _firm.c.id == func.coalesce(_link.c.survivor_id, _identifier.c.firm_id))
            .where(_identifier.c.scope_org_id.in_({"", org_id}), or_(*equal))
        )
        known |= {(row.scheme, row.value, row.scope_org_id): row for row in rows}
    return [_hits(known, items, org_id) for items in wanted]


def _parts(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))


def _hits(
    known: Mapping[tuple[str, str, str], Any], wanted: Sequence[PartyId], org_id: str
) -> list[_Hit]:
    found: list[_Hit] = []
    for item in wanted:
        # What an organisation itself calls the firm stands behind what the number says to all.
        for scope in ("", org_id) if item.public else (org_id,):
            row = known.get((item.scheme, item.value, scope))
            if row is not None:
                found.append(_Hit(item, row.firm_id, row.state, row.name, row.country or ""))
                break
    return found


def resolve_party(
    conn: Connection,
    identifiers: Sequence[tuple[str, str]],
    name: str,
    country: str,
    org_id: str,
) -> str | None:
    """Return the one ACTIVE firm that a document of ``org_id`` names; see `settle_parties`."""
    return settle_parties(conn, [Said(identifiers, name, country)], org_id)[0].firm_id


def settle_parties(conn: Connection, parties: Sequence[Said], org_id: str) -> list[Settled]:
    """Return for each party the one ACTIVE firm that a document of ``org_id`` names, or nothing.

    Where a person has said who is meant by exactly these words, that counts. Then public numbers
    speak; if two of them name two firms, or the name beside them is that of another firm which
    the organisation knows, the document contradicts itself and names nobody. A customer number or
    the name counts only where no public number is known, and only as this organisation's own word
    for the firm. A country that contradicts the firm's own makes a match by name void.

    However many parties are asked for, it takes a few statements.
    """
    wanted = []
    for one in parties:
        pairs = [(scheme, value) for scheme, value in one.identifiers if scheme != "said"]
        digest = said_digest(one.name, one.country, one.identifiers)
        items = judge_all([*pairs, ("name", one.name)] if one.name.strip() else pairs)
        wanted.append([PartyId("said", digest, public=False), *items])
    found = _matching(conn, wanted, org_id)
    doubted = {
        number: hit
        for number, (one, hits) in enumerate(zip(parties, found, strict=True))
        if (hit := _doubted(one, hits, org_id)) is not None
    }
    others = _others_named(
        conn, {number: (parties[number], hit.firm_id) for number, hit in doubted.items()}, org_id
    )
    return [
        _settled(one, hits, org_id, another=number in others)
        for number, (one, hits) in enumerate(zip(parties, found, strict=True))
    ]


class _Tiers(NamedTuple):
    """What is known of a party, by how much it counts: the first that says anything decides."""

    said: list[_Hit]
    public: list[_Hit]
    own: list[_Hit]
    named: list[_Hit]


def _tiers(hits: Sequence[_Hit]) -> _Tiers:
    said = [hit for hit in hits if hit.item.scheme == "said"]
    public = [hit for hit in hits if hit.item.public]
    named = [hit for hit in hits if hit.item.scheme == "name"]
    own = [hit for hit in hits if not hit.item.public and hit.item.scheme not in {"name", "said"}]
    return _Tiers(said, public, own, named)


def _doubted(one: Said, hits: Sequence[_Hit], org_id: str) -> _Hit | None:
    """Give the firm of a number if the document calls it otherwise, in words nobody has told of."""
    tiers = _tiers(hits)
    if tiers.said or tiers.named or len({hit.firm_id for hit in tiers.public}) != 1:
        return None
    hit, said = tiers.public[0], normalised(one.name)
    if hit.firm_id == org_id or not said.tokens:
        return None
    return None if name_points(said, normalised(hit.name))[0] >= _SAME_FIRM else hit


def _settled(one: Said, hits: Sequence[_Hit], org_id: str, *, another: bool) -> Settled:
    """Judge one party; ``another`` firm that the organisation knows goes by the name."""
    tiers = _tiers(hits)
    for tier in tiers:
        firms = {hit.firm_id for hit in tier}
        if not firms:
            continue
        if len(firms) > 1:
            return Settled(None, contradicts=True)
        hit = tier[0]
        if tier is tiers.public and hit.firm_id != org_id:
            # One's own number on one's own file needs nobody's word.
            if tiers.named:
                another = tiers.named[0].firm_id != hit.firm_id
            if another:
                return Settled(None, contradicts=True)
        elsewhere = hit.country and one.country and hit.country != one.country
        if hit.state != "ACTIVE" or (tier is tiers.named and elsewhere):
            return Settled(None)
        return Settled(hit.firm_id)
    return Settled(None)


def _others_named(
    conn: Connection, doubted: Mapping[int, tuple[Said, str]], org_id: str
) -> set[int]:
    """Give the parties by whose name another firm goes than the one of their number.

    Only among the firms that the organisation knows: what it may not know of answers nothing.
    """
    by_key: dict[str, list[int]] = {}
    for number, (one, _firm_id) in doubted.items():
        by_key.setdefault(f"n:{normalised(one.name).compact[:SPELLING]}", []).append(number)
    found: set[int] = set()
    for some in _parts(sorted(by_key)):
        rows = conn.execute(
            select(_key.c.key, _firm.c.id, _firm.c.name, _firm.c.country)
            .join(_firm, _firm.c.id == _key.c.firm_id)
            .where(
                _key.c.key.in_(some),
                _firm.c.state == "ACTIVE",
                predicate_for(Firm, Actor("", org_id, frozenset())),
            )
        )
        for row in rows:
            for number in by_key[row.key]:
                one, firm_id = doubted[number]
                elsewhere = one.country and row.country and one.country != row.country
                same = normalised(row.name).compact == normalised(one.name).compact
                if row.id != firm_id and same and not elsewhere:
                    found.add(number)
    return found


def standing_now(conn: Connection, firm_ids: Iterable[str]) -> dict[str, str]:
    """Give the ACTIVE firm that each record stands for now, itself or another; others are left out.

    Inside a command: nobody joins or parts one of these records before the command has ended.
    """
    wanted = sorted(set(firm_ids))
    if not wanted:
        return {}
    held = select(_firm.c.id, _firm.c.state).where(_firm.c.id.in_(wanted)).order_by(_firm.c.id)
    rows = conn.execute(held.with_for_update(read=True, key_share=True)).all()
    links = conn.execute(
        select(_link.c.firm_id, _link.c.survivor_id, _firm.c.state)
        .join(_firm, _firm.c.id == _link.c.survivor_id)
        .where(_link.c.firm_id.in_(wanted))
    ).all()
    stands = {row.id: (row.id, row.state) for row in rows}
    stands |= {row.firm_id: (row.survivor_id, row.state) for row in links}
    return {own: firm_id for own, (firm_id, state) in stands.items() if state == "ACTIVE"}


def records_of(conn: Connection, firm_ids: Iterable[str]) -> dict[str, list[str]]:
    """Give the further records that some firms stand for, by firm; most firms have none."""
    found: dict[str, list[str]] = {}
    wanted = sorted(set(firm_ids))
    if wanted:
        rows = conn.execute(
            select(_link.c.firm_id, _link.c.survivor_id)
            .where(_link.c.survivor_id.in_(wanted))
            .order_by(_link.c.firm_id)
        )
        for row in rows:
            found.setdefault(row.survivor_id, []).append(row.firm_id)
    return found


def not_merged(conn: Connection, firm_id: str) -> None:
    """Refuse what would be stored under a record that another one stands for.

    Raises
    ------
    Conflict
        ``FIRM_MERGED`` with the record that stands for it.
    """
    survivor = conn.execute(
        select(_link.c.survivor_id).where(_link.c.firm_id == firm_id)
    ).scalar_one_or_none()
    if survivor is not None:
        raise Conflict(
            "FIRM_MERGED",
            "Another record stands for this firm. Do it there.",
            id=firm_id,
            survivor_id=survivor,
        )
