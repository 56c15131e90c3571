"""Looking for invoices that are the same claim as a new one, and keeping what was found.

One short range of one index per invoice: seller, buyer, amount within the tolerance, day of issue.
Void and fully credited invoices are left out: what was billed again stands for them.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, bindparam, func, or_, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.canonical import Kind
from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.duplicates.rules import NEAR_PPM, REACH, Print, lines_print, suspicions
from scf.documents.fingerprints import squeezed_number
from scf.documents.invoice_state import INVOICE
from scf.documents.models import InvoiceLine
from scf.documents.rows import Draft
from scf.kernel.ids import new_id
from scf.kernel.rates import PPM

SUSPICION: Final[Table] = DuplicateSuspicion.__table__  # type: ignore[attr-defined]
VERDICT: Final[Table] = DuplicateVerdict.__table__  # type: ignore[attr-defined]
_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_LIVE: Final = text("document_state IN ('VALIDATED', 'INCOMPLETE')")
# Of a pair with more alike within the days and amounts looked at, the amount says nothing any more.
MOST_READ: Final = 2_000
_MOST_BESIDE: Final = 20_000
_LESS: Final = PPM // NEAR_PPM
_MORE: Final = (PPM - NEAR_PPM) // NEAR_PPM - 1
_COLUMNS: Final = (
    INVOICE.c.id,
    INVOICE.c.number,
    INVOICE.c.canonical_number,
    INVOICE.c.issue_on,
    INVOICE.c.payable_minor,
    INVOICE.c.order_canonical,
    INVOICE.c.match_state,
    INVOICE.c.upload_id,
    INVOICE.c.seller_id,
    INVOICE.c.buyer_id,
    INVOICE.c.currency,
)
NEAR: Final = (
    select(*_COLUMNS)
    .where(
        INVOICE.c.seller_id == bindparam("seller"),
        INVOICE.c.buyer_id == bindparam("buyer"),
        INVOICE.c.payable_minor.between(bindparam("least"), bindparam("most")),
        INVOICE.c.issue_on.between(bindparam("first"), bindparam("last")),
        INVOICE.c.currency == bindparam("currency"),
        INVOICE.c.credited_minor < INVOICE.c.base_minor,
        _LIVE,
    )
    .order_by(INVOICE.c.payable_minor, INVOICE.c.issue_on)
    .limit(MOST_READ)
)
# The same amount and day, whatever the number: of all that arrive together.
_ALIKE: Final = select(
    INVOICE.c.id,
    INVOICE.c.seller_id,
    INVOICE.c.buyer_id,
    INVOICE.c.currency,
    INVOICE.c.payable_minor,
    INVOICE.c.issue_on,
    INVOICE.c.number,
).where(
    tuple_(
        INVOICE.c.seller_id, INVOICE.c.buyer_id, INVOICE.c.payable_minor, INVOICE.c.issue_on
    ).in_(bindparam("alike", expanding=True)),
    _LIVE,
)
_ASKED: Final = select(*_COLUMNS).where(
    INVOICE.c.id.in_(bindparam("ids", expanding=True)),
    INVOICE.c.seller_id.is_not(None),
    INVOICE.c.buyer_id.is_not(None),
    INVOICE.c.payable_minor > 0,
    INVOICE.c.credited_minor < INVOICE.c.base_minor,
    _LIVE,
)  # fmt: skip
_own = INVOICE.alias("own")
# Beside each of these invoices, by one range of one index, all that lie about its amount: a little
# more than the tolerance, which the rules then hold exactly.
_BESIDE: Final = (
    select(*_COLUMNS)
    .select_from(_own)
    .join(
        INVOICE,
        (INVOICE.c.seller_id == _own.c.seller_id)
        & (INVOICE.c.buyer_id == _own.c.buyer_id)
        & (INVOICE.c.payable_minor >= _own.c.payable_minor - _own.c.payable_minor // _LESS - 1)
        & (INVOICE.c.payable_minor <= _own.c.payable_minor + _own.c.payable_minor // _MORE + 1)
        & (INVOICE.c.currency == _own.c.currency),
    )
    .where(
        _own.c.id.in_(bindparam("ids", expanding=True)),
        INVOICE.c.issue_on.between(bindparam("first"), bindparam("last")),
        INVOICE.c.credited_minor < INVOICE.c.base_minor,
        text("invoice.document_state IN ('VALIDATED', 'INCOMPLETE')"),
    )
    .limit(_MOST_BESIDE)
)
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
        _Arriving(
            made.id, made.seller_id, made.buyer_id, made.document.currency,
            made.document.payable_minor or 0, made.document.issue_on, made.document.number,
        )
        for made in drafts
        if kind is Kind.INVOICE and made.seller_id and made.buyer_id and made.document.issue_on
    ]  # fmt: skip
    if not own:
        return {}
    alike = {(one.seller_id, one.buyer_id, one.payable_minor, one.issue_on) for one in own}
    stored = conn.execute(_ALIKE, {"alike": sorted(alike)})
    known = {_content(row): row.id for row in stored}
    found = {}
    for one in own:
        earlier = known.setdefault(_content(one), one.id)
        if earlier != one.id:
            found[one.id] = earlier
    return found


class _Arriving(NamedTuple):
    """What is known of an invoice before it is stored."""

    id: str
    seller_id: str
    buyer_id: str
    currency: str
    payable_minor: int
    issue_on: dt.date
    number: str


def _content(row: Any) -> tuple[str, str, str, int, dt.date, str]:  # noqa: ANN401 - a row, or one arriving
    return (*_pair(row), row.payable_minor, row.issue_on, squeezed_number(row.number))


def _pair(row: Any) -> tuple[str, str, str]:  # noqa: ANN401 - a row, or one arriving
    return row.seller_id, row.buyer_id, row.currency


def look(ctx: Context, invoice_ids: Collection[str]) -> None:
    """Keep each suspicion that these invoices raise, once.

    Called when an invoice is stored or completed, and once more when money is asked for it: two
    files that came at the same moment could not see each other.
    """
    rows = ctx.conn.execute(_ASKED, {"ids": sorted(invoice_ids)}).all() if invoice_ids else []
    near = _beside(ctx.conn, rows)
    prints = _prints(ctx.conn, [row for one in near.values() for row in one if len(one) > 1])
    fresh = {row.id for row in rows}
    suspected = [
        (pair, *found)
        for pair, compared in prints.items()
        for found in suspicions([one for one in compared if one.id in fresh], compared)
    ]
    known = _known(ctx.conn, fresh) if suspected else set()
    new = [
        {
            "id": new_id(),
            "invoice_id": later,
            "twin_id": earlier,
            "seller_id": seller_id,
            "buyer_id": buyer_id,
            "code": found.code,
            "facts": found.facts,
            "found_at": ctx.now,
        }
        for (seller_id, buyer_id, _), later, earlier, found in suspected
        if (later, earlier) not in known
    ]
    if new:
        ctx.conn.execute(_NEW[ctx.dialect], new)
        for one in new:
            after = {name: one[name] for name in ("invoice_id", "twin_id", "code")}
            ctx.change("duplicate_suspicion", str(one["id"]), None, after)


def _known(conn: Connection, ids: Collection[str]) -> set[tuple[str, str]]:
    rows = conn.execute(
        select(SUSPICION.c.invoice_id, SUSPICION.c.twin_id).where(
            or_(SUSPICION.c.invoice_id.in_(ids), SUSPICION.c.twin_id.in_(ids))
        )
    )
    return {(row.invoice_id, row.twin_id) for row in rows}


def _beside(conn: Connection, rows: Sequence[Any]) -> dict[tuple[str, str, str], list[Any]]:
    """Read by pair and currency what any rule could hold against these, and these themselves."""
    if not rows:
        return {}
    days = [row.issue_on for row in rows]
    reach = {"first": min(days) - REACH, "last": max(days) + REACH}
    near = conn.execute(_BESIDE, {"ids": [row.id for row in rows], **reach}).all()
    own: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in rows:
        own[_pair(row)].append(row)
    if len(near) == _MOST_BESIDE:  # some pair is crowded: each by itself, so that none is cut off
        return {pair: list(candidates(conn, of_pair)) for pair, of_pair in own.items()}
    found: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)
    for row in (*rows, *near):
        found[_pair(row)][row.id] = row
    return {pair: list(by_id.values()) for pair, by_id in found.items()}


def candidates(conn: Connection, own: Sequence[Any]) -> Sequence[Any]:
    """Read the invoices of one pair and currency that any rule could hold against these."""
    near = conn.execute(NEAR, _range(own)).all()
    if len(near) < MOST_READ:
        return near
    there = {row.id for row in near}
    return [*near, *(row for row in own if row.id not in there)]


def _range(own: Sequence[Any]) -> dict[str, Any]:
    """Give the amounts and days within which anything could be the same claim as these."""
    amounts = [row.payable_minor for row in own]
    days = [row.issue_on for row in own]
    return {
        "seller": own[0].seller_id,
        "buyer": own[0].buyer_id,
        "currency": own[0].currency,
        "least": min(amounts) * (PPM - NEAR_PPM) // PPM,
        "most": -(-max(amounts) * PPM // (PPM - NEAR_PPM)),
        "first": min(days) - REACH,
        "last": max(days) + REACH,
    }


def _prints(conn: Connection, rows: Sequence[Any]) -> dict[tuple[str, str, str], list[Print]]:
    lines: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    if rows:
        for line in conn.execute(_LINES, {"ids": [row.id for row in rows]}):
            lines[line.invoice_id].append((line.item, line.quantity_micro))
    prints: dict[tuple[str, str, str], list[Print]] = defaultdict(list)
    for row in rows:
        print_ = Print(
            row.id,
            row.number,
            row.canonical_number,
            row.issue_on,
            row.payable_minor,
            row.order_canonical or "",
            _FITS.get(row.match_state),
            lines_print(lines[row.id]),
            row.upload_id,
        )
        prints[_pair(row)].append(print_)
    return prints


_ONE: Final = INVOICE.alias("one")
_TWIN: Final = INVOICE.alias("other")
_STANDS: Final = [
    side.c.document_state.in_(["VALIDATED", "INCOMPLETE"]) & (side.c.acceptance_state != "REJECTED")
    for side in (_ONE, _TWIN)
]
_WANTED: Final[Any] = bindparam("wanted", expanding=True)
_OPEN: Final = (
    select(
        SUSPICION,
        _ONE.c.number.label("number"),
        _TWIN.c.number.label("twin_number"),
        func.coalesce(VERDICT.c.outcome, "").label("outcome"),
    )
    .join(_ONE, _ONE.c.id == SUSPICION.c.invoice_id)
    .join(_TWIN, _TWIN.c.id == SUSPICION.c.twin_id)
    .outerjoin(
        VERDICT,
        (VERDICT.c.suspicion_id == SUSPICION.c.id)
        & (VERDICT.c.org_id == bindparam("org"))
        & VERDICT.c.state.in_(["DECIDED", "APPEALED"]),
    )
    .where(
        or_(SUSPICION.c.invoice_id.in_(_WANTED), SUSPICION.c.twin_id.in_(_WANTED)),
        or_(VERDICT.c.outcome.is_(None), VERDICT.c.outcome == "SAME"),
        *_STANDS,
    )
    .order_by(SUSPICION.c.id)
)
_AGAINST: Final = (
    select(VERDICT.c.state)
    .join(SUSPICION, SUSPICION.c.id == VERDICT.c.suspicion_id)
    .where(
        or_(
            SUSPICION.c.invoice_id == bindparam("invoice"),
            SUSPICION.c.twin_id == bindparam("invoice"),
        ),
        VERDICT.c.outcome == "SAME",
        VERDICT.c.state.in_(["DECIDED", "APPEALED"]),
    )
)


def open_for(conn: Connection, invoice_ids: Iterable[str], org_id: str) -> Sequence[Any]:
    """Give the suspicions on these invoices that an organisation has not found groundless.

    Either document counts: nobody knows yet which of the two is the claim. One that is void by now,
    or rejected by its buyer, is no second claim.
    """
    wanted = sorted(set(invoice_ids))
    return conn.execute(_OPEN, {"wanted": wanted, "org": org_id}).all() if wanted else []


def blocked_at(conn: Connection, invoice_ids: Iterable[str], org_id: str) -> set[str]:
    """Give the documents that an organisation has called one claim with another, and stands by."""
    said = [row for row in open_for(conn, invoice_ids, org_id) if row.outcome == "SAME"]
    return {one for row in said for one in (row.invoice_id, row.twin_id)}


def against_seller(conn: Connection, invoice_id: str) -> str:
    """Tell a seller whether somebody's check stops its document: BLOCKED, APPEALED or nothing.

    Whose check and by which sign is not told; a word that waits for a second person is none yet.
    """
    states = set(conn.execute(_AGAINST, {"invoice": invoice_id}).scalars())
    return "BLOCKED" if "DECIDED" in states else "APPEALED" if states else ""
