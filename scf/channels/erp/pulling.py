"""Reading a system, page by page: what is new or has changed goes in as documents, once.

A page is read, handed in under ids made of the record and its content, and then noted together
with how far the stream has come. Whoever dies between two of these steps: the next worker reads
the same page again, and what was handed in before is only answered. A pass reads again what
changed in the hour before the last one ended, because a change is dated when its transaction
begins and seen when that ends.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.channels.erp.models import ErpItem, ErpStream
from scf.channels.erp.port import Record, Source
from scf.channels.erp.recording import Item, TakeItems
from scf.db.platform import Platform
from scf.documents.posted.commands import PostBatch, PostedDocument
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import NotFound
from scf.kernel.findings import shown
from scf.kernel.ids import canonical_json, digest
from scf.parties.identifiers import is_public_scheme
from scf.parties.models import Firm, FirmIdentifier
from scf.parties.service import firm_by

_firm = Firm.__table__  # type: ignore[attr-defined]
_identifier = FirmIdentifier.__table__  # type: ignore[attr-defined]
_item = ErpItem.__table__  # type: ignore[attr-defined]
_stream = ErpStream.__table__  # type: ignore[attr-defined]
PAGE: Final = 200
_WORD: Final = re.compile(r"[\x21-\x7e]{1,30}")


def own_party(conn: Connection, org_id: str) -> dict[str, Any]:
    """Give the organisation as documents name it."""
    firm = conn.execute(select(_firm).where(_firm.c.id == org_id)).one()
    numbers = conn.execute(
        select(_identifier.c.scheme, _identifier.c.value)
        .where(_identifier.c.firm_id == org_id)
        .order_by(_identifier.c.scheme, _identifier.c.value)
    ).all()
    return {
        "name": firm.name,
        "identifiers": [
            {"scheme": scheme, "value": value}
            for scheme, value in numbers
            if is_public_scheme(scheme)
        ],
    }


def pull(
    platform: Platform,
    source: Source,
    connection: Any,  # noqa: ANN401 - a row
    actor: Actor,
    run_id: str,
    stream: str,
    alive: Callable[[], None],
) -> int:
    """Read a stream to its end; gives how many records were new or had changed.

    ``alive`` is called after each page, so that a long reading keeps its connection.
    """
    taken = 0
    while True:
        with platform.db.snapshot() as conn:
            at = conn.execute(
                select(_stream).where(
                    _stream.c.connection_id == connection.id, _stream.c.stream == stream
                )
            ).one_or_none()
            own = own_party(conn, connection.org_id)
        began, after, high = (at.mark, at.after or "", at.high) if at else (None, "", None)
        records = source.changed(stream, began, after, PAGE, own)
        last = len(records) < PAGE
        high = max([one.changed for one in records] + ([high] if high else []), default=None)
        fresh = _fresh(platform, connection.id, stream, records)
        items = _hand_in(platform, connection, actor, fresh)
        taken += len(items)
        mark = (source.overlap(high) if high else began) if last else None
        if last and not items and mark == began and not after:
            return taken
        payload = TakeItems(
            connection_id=connection.id,
            run_id=run_id,
            stream=stream,
            items=items,
            after=records[-1].remote_id if records else after,
            high=high,
            began=began,
            mark=mark,
            last=last,
        )
        platform.run(
            "erp.take",
            payload,
            OPERATOR,
            key=f"erp.take:{run_id}:{stream}:{_told(payload.after)}:{last}",
        )
        alive()
        if last:
            return taken


def _fresh(
    platform: Platform, connection_id: str, stream: str, records: Sequence[Record]
) -> list[tuple[Record, str]]:
    """Give the records that are not known as they are now, each with its digest."""
    with platform.db.snapshot() as conn:
        known: dict[str, str] = dict(
            conn.execute(
                select(_item.c.remote_id, _item.c.digest).where(
                    _item.c.connection_id == connection_id,
                    _item.c.stream == stream,
                    _item.c.remote_id.in_([one.remote_id for one in records]),
                )
            ).all()
        )
    told = [
        (one, digest([one.label, one.document, one.identifiers, one.problem])) for one in records
    ]
    return [(one, made) for one, made in told if known.get(one.remote_id) != made]


def _hand_in(
    platform: Platform,
    connection: Any,  # noqa: ANN401 - a row
    actor: Actor,
    fresh: Sequence[tuple[Record, str]],
) -> list[Item]:
    posted: dict[str, PostedDocument] = {}
    for one, _made in fresh:
        if one.document is not None:
            text = canonical_json(one.document)
            sha = sha256(text.encode()).hexdigest()
            name = f"erp:{connection.id}:{_told(one.remote_id)}:{sha[:20]}"
            posted[one.remote_id] = PostedDocument(client_id=name, sha256=sha, text=text)
    if posted:
        batch = PostBatch(items=list(posted.values()))
        key = f"erp:{digest([one.client_id for one in batch.items])}"
        platform.run("batch.post", batch, actor, key=key)
    with platform.db.snapshot() as conn:
        return [_noted(conn, connection.org_id, one, made, posted) for one, made in fresh]


def _told(remote_id: str) -> str:
    """Give an id as part of one of ours: a short word is itself, any other its digest."""
    return remote_id if _WORD.fullmatch(remote_id) else digest(remote_id)[:20]


def _noted(
    conn: Connection,
    org_id: str,
    one: Record,
    made: str,
    posted: Mapping[str, PostedDocument],
) -> Item:
    document = one.document or {}
    sent = posted.get(one.remote_id)
    payable = document.get("payable_minor")
    return Item(
        remote_id=one.remote_id,
        label=shown(one.label, 400),
        digest=made,
        client_id=sent.client_id if sent else None,
        firm_id=_known_firm(conn, org_id, one),
        currency=document.get("currency"),
        payable_minor=payable if payable is not None and payable >= 0 else None,
        issue_on=document.get("issue_on"),
        problem=one.problem,
        said=one.said[:400] or None,
    )


def _known_firm(conn: Connection, org_id: str, one: Record) -> str | None:
    """Tell which firm a party is, by a number that is its own everywhere."""
    for scheme, value in one.identifiers:
        if is_public_scheme(scheme):
            try:
                return firm_by(conn, f"{scheme}:{value}", org_id)
            except NotFound:
                continue
    return None
