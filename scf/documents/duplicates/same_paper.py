"""Papers that are one document whoever they name: by their own identifier, bytes, or number.

Whoever copies an invoice changes what a person reads: number, day, amount, even the seller. The
identifier that its program gave it, or the file as a whole, often stays. This is the one question
that is asked across firms, so what comes of it is told only to whoever may see the paper.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import ARRAY, String, Table, bindparam, select, text
from sqlalchemy.engine import Connection

from scf.db.keys import one_of, told
from scf.documents.duplicates.rules import SAME_NUMBER_DAYS
from scf.documents.invoice_state import INVOICE
from scf.documents.models import Original

Ids = str | list[str]
# More papers than this with one number: it stands in a template, and proves nothing.
MOST_CARRIERS: Final = 8
_ORIGINAL: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_LIVE: Final = """document_state IN ('VALIDATED', 'INCOMPLETE')
    AND credited_minor < base_minor AND seller_id IS NOT NULL AND buyer_id IS NOT NULL"""
_OF_ONE: Final = f"""SELECT id FROM invoice WHERE document_uuid = told.value AND {_LIVE}
    LIMIT {MOST_CARRIERS + 1}"""  # noqa: S608 - our own words
_SQLITE: Final = f"""SELECT told.value, twin.id FROM json_each(:told) AS told
    CROSS JOIN invoice AS twin ON twin.id IN ({_OF_ONE})"""  # noqa: S608 - our own words
_POSTGRESQL: Final = f"""SELECT told.value, twin.id FROM unnest(:told) AS told(value)
    CROSS JOIN LATERAL ({_OF_ONE}) AS twin"""  # noqa: S608 - our own words
_CARRIERS: Final = {
    "sqlite": text(_SQLITE),
    "postgresql": text(_POSTGRESQL).bindparams(bindparam("told", type_=ARRAY(String))),
}
_ASKED: Final = one_of(INVOICE.c.id)
_WITH_NUMBER: Final = select(INVOICE.c.id, INVOICE.c.document_uuid).where(
    INVOICE.c.document_uuid.is_not(None)
)
_NUMBERED: Final = {dialect: _WITH_NUMBER.where(asked) for dialect, asked in _ASKED.items()}
_FILE, _OTHER = _ORIGINAL.alias("own_file"), _ORIGINAL.alias("other_file")
_TWICE: Final = (
    select(_FILE.c.id, _OTHER.c.id.label("other_id"))
    .select_from(INVOICE)
    .join(_FILE, _FILE.c.id == INVOICE.c.original_id)
    .join(_OTHER, (_OTHER.c.sha256 == _FILE.c.sha256) & (_OTHER.c.id != _FILE.c.id))
    .distinct()
)
_FILES: Final = {dialect: _TWICE.where(asked) for dialect, asked in _ASKED.items()}

_ONE, _NAMESAKE = INVOICE.alias("one"), INVOICE.alias("twin")
_TWO_BUYERS: Final = (
    select(
        _ONE.c.id,
        _ONE.c.issue_on,
        _NAMESAKE.c.id.label("twin_id"),
        _NAMESAKE.c.issue_on.label("twin_on"),
    )
    .join(
        _NAMESAKE,
        (_NAMESAKE.c.canonical_number == _ONE.c.canonical_number)
        & (_NAMESAKE.c.seller_id == _ONE.c.seller_id),
    )
    .where(
        _NAMESAKE.c.buyer_id != _ONE.c.buyer_id,
        _NAMESAKE.c.payable_minor == _ONE.c.payable_minor,
        _NAMESAKE.c.currency == _ONE.c.currency,
        _ONE.c.payable_minor > 0,
        *(
            side.c.document_state.in_(["VALIDATED", "INCOMPLETE"])
            & (side.c.credited_minor < side.c.base_minor)
            for side in (_ONE, _NAMESAKE)
        ),
    )
)
_NAMESAKES: Final = {
    dialect: _TWO_BUYERS.where(asked) for dialect, asked in one_of(_ONE.c.id).items()
}


def same_papers(conn: Connection, invoice_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """Give each of these invoices with every other that is the same document, and by which sign."""
    ids = told(conn, invoice_ids)
    found = dict.fromkeys(_of_another_buyer(conn, ids), "OTHER_BUYER")
    found |= dict.fromkeys(_by_bytes(conn, ids), "SAME_FILE")
    found |= dict.fromkeys(_by_number(conn, ids), "SAME_UUID")
    return found


def _by_number(conn: Connection, ids: Ids) -> Iterator[tuple[str, str]]:
    rows = conn.execute(_NUMBERED[conn.dialect.name], {"ids": ids}).all()
    numbers = {row.document_uuid for row in rows}
    if not numbers:
        return
    carriers: defaultdict[str, list[str]] = defaultdict(list)
    for value, id_ in conn.execute(_CARRIERS[conn.dialect.name], {"told": told(conn, numbers)}):
        carriers[value].append(id_)
    for row in rows:
        beside = carriers[row.document_uuid]
        if row.id in beside and len(beside) <= MOST_CARRIERS:
            yield from ((row.id, twin) for twin in beside if twin != row.id)


def _by_bytes(conn: Connection, ids: Ids) -> Iterator[tuple[str, str]]:
    """Give the invoices of one number in one file that two organisations have handed in.

    Where both were read as of the same two firms, the second was not stored at all.
    """
    files = conn.execute(_FILES[conn.dialect.name], {"ids": ids}).all()
    if not files:
        return
    one, twin = INVOICE.alias("one"), INVOICE.alias("twin")
    pairs = {(row.id, row.other_id) for row in files}
    query = (
        select(one.c.id, twin.c.id.label("twin_id"), one.c.original_id,
               twin.c.original_id.label("other_id"))
        .join(twin, twin.c.canonical_number == one.c.canonical_number)
        .where(
            one_of(one.c.id)[conn.dialect.name],
            twin.c.original_id.in_(sorted({other_id for _, other_id in pairs})),
            *(_counts(side) for side in (one, twin)),
        )
    )  # fmt: skip
    for row in conn.execute(query, {"ids": ids}):
        if (row.original_id, row.other_id) in pairs:
            yield row.id, row.twin_id


def _of_another_buyer(conn: Connection, ids: Ids) -> Iterator[tuple[str, str]]:
    """Give invoices of one seller, number and amount that name two buyers, such as two branches.

    A seller numbers its invoices for all of its buyers. One that gives many of them one number and
    one fee numbers by the month, and that proves nothing.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in conn.execute(_NAMESAKES[conn.dialect.name], {"ids": ids}):
        if abs((row.issue_on - row.twin_on).days) <= SAME_NUMBER_DAYS:
            found[row.id].append(row.twin_id)
    for id_, twins in found.items():
        if len(twins) < MOST_CARRIERS:
            yield from ((id_, twin) for twin in twins)


def _counts(side: Any) -> Any:  # noqa: ANN401 - an alias of invoice
    return (
        side.c.document_state.in_(["VALIDATED", "INCOMPLETE"])
        & (side.c.credited_minor < side.c.base_minor)
        & side.c.seller_id.is_not(None)
        & side.c.buyer_id.is_not(None)
    )
