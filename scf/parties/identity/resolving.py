"""Who a document names: by the numbers, the organisation's own words, and people's decisions."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

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


def matching_firms(
    conn: Connection, identifiers: Sequence[tuple[str, str]], name: str, org_id: str
) -> list[tuple[PartyId, str, str]]:
    """Return (identifier, firm, state) for each number that is known, public ones first.

    Numbers and names in the scope of an organisation count only for documents of that one. A
    record that another one stands for is that one.
    """
    wanted = judge_all([*identifiers, ("name", name)] if name.strip() else identifiers)
    return _matching(conn, wanted, org_id)


def _matching(
    conn: Connection, wanted: Sequence[PartyId], org_id: str
) -> list[tuple[PartyId, str, str]]:
    if not wanted:
        return []
    rows = conn.execute(
        select(
            _identifier.c.scheme,
            _identifier.c.value,
            _identifier.c.scope_org_id,
            _firm.c.id.label("firm_id"),
            _firm.c.state,
        )
        .outerjoin(_link, _link.c.firm_id == _identifier.c.firm_id)
        .join(_firm, _firm.c.id == func.coalesce(_link.c.survivor_id, _identifier.c.firm_id))
        .where(
            _identifier.c.scope_org_id.in_({"", org_id}),
            or_(
                *(
                    (_identifier.c.scheme == item.scheme) & (_identifier.c.value == item.value)
                    for item in wanted
                )
            ),
        )
    ).all()
    known = {(row.scheme, row.value, row.scope_org_id): row for row in rows}
    found: list[tuple[PartyId, str, str]] = []
    for item in wanted:
        # What an organisation itself calls the firm stands behind what the number says to all.
        for scope in ("", org_id) if item.public else (org_id,):
            row = known.get((item.scheme, item.value, scope))
            if row is not None:
                found.append((item, row.firm_id, row.state))
                break
    return found


class Settled(NamedTuple):
    """The firm that a document names, or nothing; and whether what it says contradicts itself."""

    firm_id: str | None
    contradicts: bool = False


def resolve_party(
    conn: Connection,
    identifiers: Sequence[tuple[str, str]],
    name: str,
    country: str,
    org_id: str,
) -> str | None:
    """Return the one ACTIVE firm that a document of ``org_id`` names; see :func:`settle_party`."""
    return settle_party(conn, identifiers, name, country, org_id).firm_id


def settle_party(
    conn: Connection,
    identifiers: Sequence[tuple[str, str]],
    name: str,
    country: str,
    org_id: str,
) -> Settled:
    """Return the one ACTIVE firm that a document of ``org_id`` names, or nothing.

    Where a person has said who is meant by exactly these words, that counts. Then public numbers
    speak; if two of them name two firms, or the name beside them is that of another firm which
    the organisation knows, the document contradicts itself and names nobody. A customer number or
    the name counts only where no public number is known, and only as this organisation's own word
    for the firm. A country that contradicts the firm's own makes a match by name void.
    """
    pairs = [(scheme, value) for scheme, value in identifiers if scheme != "said"]
    wanted = judge_all([*pairs, ("name", name)] if name.strip() else pairs)
    digest = said_digest(name, country, identifiers)
    found = _matching(conn, [PartyId("said", digest, public=False), *wanted], org_id)
    said = [hit for hit in found if hit[0].scheme == "said"]
    public = [hit for hit in found if hit[0].public]
    named = [hit for hit in found if hit[0].scheme == "name"]
    own = [hit for hit in found if not hit[0].public and hit[0].scheme not in {"name", "said"}]
    for tier in (said, public, own, named):
        firms = {firm_id for _item, firm_id, _state in tier}
        if not firms:
            continue
        _item, firm_id, state = tier[0]
        if len(firms) > 1:
            return Settled(None, contradicts=True)
        if (
            tier is public
            and firm_id != org_id  # one's own number on one's own file needs nobody's word
            and _another_is_named(conn, firm_id, name, country, org_id, named)
        ):
            return Settled(None, contradicts=True)
        if state != "ACTIVE":
            return Settled(None)
        if tier is named and _elsewhere(conn, firm_id, country):
            return Settled(None)
        return Settled(firm_id)
    return Settled(None)


def _another_is_named(
    conn: Connection,
    firm_id: str,
    name: str,
    country: str,
    org_id: str,
    named: Sequence[tuple[PartyId, str, str]],
) -> bool:
    """Tell whether a number's firm is called otherwise, and another firm goes by the name.

    Only among the firms that the organisation knows: what it may not know of answers nothing.
    """
    if named:
        return named[0][1] != firm_id
    said = normalised(name)
    if not said.tokens:
        return False
    own = conn.execute(select(_firm.c.name).where(_firm.c.id == firm_id)).scalar_one()
    if name_points(said, normalised(own))[0] >= _SAME_FIRM:
        return False
    rows = conn.execute(
        select(_firm.c.id, _firm.c.name, _firm.c.country)
        .join(_key, _key.c.firm_id == _firm.c.id)
        .where(
            _key.c.key == f"n:{said.compact[:SPELLING]}",
            _firm.c.id != firm_id,
            _firm.c.state == "ACTIVE",
            predicate_for(Firm, Actor("", org_id, frozenset())),
        )
    ).all()
    return any(
        normalised(row.name).compact == said.compact
        and not (country and row.country and country != row.country)
        for row in rows
    )


def _elsewhere(conn: Connection, firm_id: str, country: str) -> bool:
    own = conn.execute(select(_firm.c.country).where(_firm.c.id == firm_id)).scalar_one()
    return bool(own and country and own != country)


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
