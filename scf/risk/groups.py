"""Which firms stand together: a financier's own knowledge of who owns whom.

A majority has one owner, so the newest word on a firm counts; a firm that is said to be its own
owner has none. What is known today counts today: groups are a control before money leaves, no input
of a price. Source: fraud.md 2.2; pricing.md 3.
"""

from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.risk.models import FirmFact

_fact: Final[Table] = FirmFact.__table__  # type: ignore[attr-defined]


def owners(conn: Connection, financier_id: str) -> dict[str, str]:
    """Give the owner of each firm that has one, as a financier knows it now."""
    rows = conn.execute(
        select(_fact.c.firm_id, _fact.c.owner_id)
        .where(
            _fact.c.financier_id == financier_id,
            _fact.c.kind == "owner",
            _fact.c.known_at.is_not(None),
        )
        .order_by(_fact.c.known_at, _fact.c.id)
    )
    newest = {row.firm_id: row.owner_id for row in rows}
    return {firm: owner for firm, owner in newest.items() if owner != firm}


def groups_of(conn: Connection, financier_id: str) -> dict[str, str]:
    """Name the group of each firm that owns another or is owned: by its first member."""
    return together(owners(conn, financier_id))


def together(owner_of: dict[str, str]) -> dict[str, str]:
    """Join firms that ownership ties together, also where they own each other in a circle.

    >>> together({"b": "a", "c": "b", "e": "d"})
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd', 'e': 'd'}
    """
    above: dict[str, str] = {}

    def top(firm: str) -> str:
        while above.get(firm, firm) != firm:
            above[firm] = above.get(above[firm], above[firm])
            firm = above[firm]
        return firm

    for firm, owner in owner_of.items():
        low, high = sorted((top(firm), top(owner)))
        above[high] = low
    return {firm: top(firm) for firm in sorted({*owner_of, *owner_of.values()})}
