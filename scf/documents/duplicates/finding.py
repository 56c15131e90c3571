"""Looking for invoices that are the same claim as a new one, and keeping what was found.

Void and fully credited invoices are left out: what was billed again stands for them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Table, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.duplicates.candidates import Place, candidates, same_place
from scf.documents.duplicates.rules import (
    MOST,
    Print,
    Suspicion,
    named_lines,
    place_key,
    suspicions,
    told,
)
from scf.documents.duplicates.same_paper import same_papers
from scf.documents.duplicates.standing import SUSPICION
from scf.documents.fingerprints import squeezed_number
from scf.documents.invoice_state import INVOICE
from scf.documents.models import InvoiceLine
from scf.documents.rows import Draft
from scf.kernel.ids import new_id

_PRINTED: Final = select(
    INVOICE.c.id,
    INVOICE.c.number,
    INVOICE.c.canonical_number,
    INVOICE.c.issue_on,
    INVOICE.c.payable_minor,
    INVOICE.c.order_canonical,
    INVOICE.c.match_state,
    INVOICE.c.lines_print,
    INVOICE.c.upload_id,
    INVOICE.c.seller_id,
    INVOICE.c.buyer_id,
    INVOICE.c.currency,
).where(INVOICE.c.id.in_(bindparam("ids", expanding=True)))
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_LINES: Final = select(_line.c.invoice_id, _line.c.item, _line.c.quantity_micro).where(
    _line.c.invoice_id.in_(bindparam("ids", expanding=True))
)
_NEW: Final = {
    "sqlite": sqlite.insert(SUSPICION).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(SUSPICION).on_conflict_do_nothing(),
}
_FITS: Final = {"MATCHED": True, "WAIVED": True, "EXCEPTION": False}


def written_otherwise(conn: Connection, kind: Kind, drafts: Iterable[Draft]) -> dict[str, str]:
    """Give the invoices that only write an earlier one's number without its separators.

    Amount and day are the earlier one's to the cent: then it is the same document, and is blocked
    like the same number. Gives the earlier one's id.
    """
    own = [
        (_place(made.seller_id, made.buyer_id, made.document), made)
        for made in drafts
        if kind is Kind.INVOICE and made.parties_known and made.document.issue_on
    ]
    stored = same_place(conn, (place for place, _ in own))
    taken = Counter(place for place, _ in own)
    known = {}
    for row in stored:
        place = _place(row.seller_id, row.buyer_id, row)
        taken[place] += 1
        known[place, row.currency, squeezed_number(row.number)] = row.id
    found = {}
    for place, made in own:
        if taken[place] == 1:
            continue  # nothing else costs that on that day
        content = (place, made.document.currency, squeezed_number(made.document.number))
        earlier = known.setdefault(content, made.id)
        if earlier != made.id:
            found[made.id] = earlier
    return found


def _place(seller: Any, buyer: Any, one: Any) -> Place:  # noqa: ANN401 - of a row or a document
    amount = one.payable_minor or 0
    return Place(seller, buyer, place_key(seller, buyer, amount), one.issue_on, amount)


def look(ctx: Context, invoice_ids: Collection[str]) -> None:
    """Keep each suspicion that these invoices raise, once.

    Called when an invoice is stored or completed, and once more when money is asked for it: two
    files that came at the same moment could not see each other.
    """
    if not invoice_ids:
        return
    identical = same_papers(ctx.conn, invoice_ids)
    pairs = candidates(ctx.conn, invoice_ids)
    if not pairs and not identical:
        return
    rows, prints = _prints(ctx.conn, {id_ for pair in (*pairs, *identical) for id_ in pair})
    suspected = {
        (later, earlier): found
        for later, earlier, found in (
            *suspicions((prints[one], prints[other]) for one, other in pairs),
            *identities(identical, rows, prints),  # the surer sign is the one that is told
        )
    }
    known = _known(ctx.conn, invoice_ids) if suspected else set()
    new = [
        {
            "id": new_id(),
            "invoice_id": later,
            "twin_id": earlier,
            "seller_id": rows[later].seller_id,
            "buyer_id": rows[later].buyer_id,
            "code": found.code,
            "facts": found.facts,
            "found_at": ctx.now,
        }
        for (later, earlier), found in suspected.items()
        if (later, earlier) not in known
    ]
    if new:
        ctx.conn.execute(_NEW[ctx.dialect], new)
        for one in new:
            after = {name: one[name] for name in ("invoice_id", "twin_id", "code")}
            ctx.change("duplicate_suspicion", str(one["id"]), None, after)


def identities(
    pairs: Mapping[tuple[str, str], str], rows: Mapping[str, Any], prints: Mapping[str, Print]
) -> list[tuple[str, str, Suspicion]]:
    """Give later, earlier and suspicion of papers that are one document; of each, the first few."""
    found: dict[str, list[tuple[str, str, Suspicion]]] = defaultdict(list)
    for (own, twin), code in sorted(pairs.items()):
        later, earlier = max(own, twin), min(own, twin)
        one, other = rows[later], rows[earlier]
        if (later, earlier) in {item[:2] for item in found[later]} or len(found[later]) == MOST:
            continue
        alike = all(
            getattr(one, name) == getattr(other, name)
            for name in ("seller_id", "buyer_id", "currency")
        )
        facts = told(prints[later], prints[earlier]) if alike else {}
        found[later].append((later, earlier, Suspicion(code, facts)))
    return [item for items in found.values() for item in items]


def _known(conn: Connection, ids: Collection[str]) -> set[tuple[str, str]]:
    rows = conn.execute(
        select(SUSPICION.c.invoice_id, SUSPICION.c.twin_id).where(
            or_(SUSPICION.c.invoice_id.in_(ids), SUSPICION.c.twin_id.in_(ids))
        )
    )
    return {(row.invoice_id, row.twin_id) for row in rows}


def _prints(conn: Connection, ids: Collection[str]) -> tuple[dict[str, Any], dict[str, Print]]:
    rows = {row.id: row for row in conn.execute(_PRINTED, {"ids": sorted(ids)})}
    goods: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for line in conn.execute(_LINES, {"ids": sorted(ids)}):
        goods[line.invoice_id].append((line.item, line.quantity_micro))
    return rows, {
        row.id: Print(
            row.id,
            row.number,
            row.canonical_number,
            row.issue_on,
            row.payable_minor,
            row.order_canonical or "",
            _FITS.get(row.match_state),
            row.lines_print,
            row.upload_id,
            named_lines(goods.get(row.id, ())),
        )
        for row in rows.values()
    }
