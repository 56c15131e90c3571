"""What buyer and seller must match before finance, as their programmes agree it.

Where several programmes could finance a pair's invoices, the strictest of each limit holds: no
financier rests on a match that is looser than its own agreement.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Table, or_, select
from sqlalchemy.engine import Connection

from scf.documents.match.tolerance import Pair, Rules, Tolerance, agreed_by, strictest
from scf.kernel.errors import NotFound
from scf.parties.service import business_date
from scf.programmes.models import Programme
from scf.programmes.service import IN_FORCE, terms_on
from scf.programmes.terms import Terms

_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]


def agreed(conn: Connection, pairs: Iterable[Pair]) -> Mapping[Pair, Rules]:
    """Give what the programmes in force ask of each pair; a pair without one is absent."""
    wanted = sorted(set(pairs))
    rows = conn.execute(
        select(_PROGRAMME)
        .where(
            or_(
                _PROGRAMME.c.anchor_id.in_(sorted({buyer for _, buyer, _ in wanted})),
                _PROGRAMME.c.seller_id.in_(sorted({seller for seller, _, _ in wanted})),
            ),
            _PROGRAMME.c.state.in_(IN_FORCE),
        )
        .order_by(_PROGRAMME.c.created_at, _PROGRAMME.c.id)
    ).all()
    if not rows:
        return {}
    by_party: dict[str, list[tuple[str, Terms]]] = defaultdict(list)
    for row in rows:
        terms = _terms(conn, row)
        if terms is not None:
            by_party[row.anchor_id or row.seller_id].append(terms)
    found = {}
    for pair in wanted:
        seller, buyer, currency = pair
        rules = [
            rules_of(version, terms, currency)
            for version, terms in (*by_party.get(buyer, ()), *by_party.get(seller, ()))
            if currency in terms.currency
        ]
        if rules:
            found[pair] = strictest(rules)
    return found


def _terms(conn: Connection, row: Any) -> tuple[str, Terms] | None:  # noqa: ANN401 - a row
    try:
        return terms_on(conn, row.id, business_date(conn, row.financier_id))
    except NotFound:
        return None


def rules_of(version: str, terms: Terms, currency: str) -> Rules:
    """Give what one programme asks of invoices in a currency; every match starts at the order."""
    agreed_in = terms.currency[currency]
    limits = terms.tolerance
    return Rules(
        "order" if terms.match_mode == "none" else terms.match_mode,
        Tolerance(
            quantity_over_ppm=limits.quantity_over_ppm,
            quantity_over_micro=limits.quantity_over_micro,
            quantity_under_ppm=limits.quantity_under_ppm,
            price_over_ppm=limits.price_over_ppm,
            price_over_minor=agreed_in.price_over_minor,
            price_under_ppm=limits.price_under_ppm,
            amount_over_minor=agreed_in.variance_minor,
        ),
        (version,),
        agreed_in.clerk_waives_minor,
    )


agreed_by(agreed)
