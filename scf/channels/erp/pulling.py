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
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.channels.erp.models import ErpItem, ErpStream
from scf.channels.erp.port import Record, Source
from scf.channels.erp.recording import Item, TakeItems
from scf.db.platform import Platform
from scf.documents.commands import MAX_SLICE
from scf.documents.posted.commands import PostBatch, PostedDocument
from scf.documents.posted.models import PostedItem
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
_posted = PostedItem.__table__  # type: ignore[attr-defined]
PAGE: Final = 200
_WORD: Final = re.compile(r"[\x21-\x7e]{1,30}")
_ANSWER: Final = ":a"  # how ids end under which something is said of a document


class _Fresh(NamedTuple):
    """A record to be handed in, what tells it from itself as it was, and its id of then."""

    record: Record
    digest: str
    earlier: str | None


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
) -> list[_Fresh]:
    """Give the records that are not known as they are now, each read to its end."""
    with platform.db.snapshot() as conn:
        known = {
            row.remote_id: row
            for row in conn.execute(
                select(_item.c.remote_id, _item.c.digest, _item.c.client_id).where(
                    _item.c.connection_id == connection_id,
                    _item.c.stream == stream,
                    _item.c.remote_id.in_([one.remote_id for one in records]),
                )
            )
        }
    fresh = []
    for one in records:
        made = one.stamp or digest([one.label, one.document, one.identifiers, one.problem])
        before = known.get(one.remote_id)
        if before is None or before.digest != made:
            earlier = before.client_id if before else None
            fresh.append(_Fresh(one.whole() if one.whole else one, made, earlier))
    return fresh


def _hand_in(
    platform: Platform,
    connection: Any,  # noqa: ANN401 - a row
    actor: Actor,
    fresh: Sequence[_Fresh],
) -> list[Item]:
    posted: dict[str, str] = {}
    sent: dict[str, str] = {}
    now = platform.clock.now()
    for one in fresh:
        document = one.record.document
        if document is None:
            continue
        begin = f"erp:{connection.id}:{_told(one.record.remote_id)}"
        text = canonical_json(document)
        name = f"{begin}:{sha256(text.encode()).hexdigest()[:20]}"
        told = list(one.record.answers)
        change = one.record.changed_document
        earlier = one.earlier or (_sent_before(platform, actor.org_id, begin) if change else None)
        if change is None or earlier in {None, name}:
            sent[name] = text
            posted[one.record.remote_id] = name
        else:
            told.insert(0, change)
            posted[one.record.remote_id] = str(earlier)
        for place, answer in enumerate(told):
            number = f"{document['number']}-{now:%Y%m%d%H%M%S}-{place}"
            whole = {**answer, "number": number, "issue_on": now.date().isoformat()}
            sent[f"{begin}:{digest(answer)[:16]}{_ANSWER}"] = canonical_json(whole)
    items = [
        PostedDocument(client_id=name, sha256=sha256(text.encode()).hexdigest(), text=text)
        for name, text in sent.items()
    ]
    for start in range(0, len(items), MAX_SLICE):
        batch = PostBatch(items=items[start : start + MAX_SLICE])
        key = f"erp:{digest([(one.client_id, one.sha256) for one in batch.items])}"
        platform.run("batch.post", batch, actor, key=key)
    with platform.db.snapshot() as conn:
        return [_noted(conn, connection.org_id, one, posted) for one in fresh]


def _sent_before(platform: Platform, org_id: str, begin: str) -> str | None:
    """Give under which id a record was handed in by a worker that died before it noted that."""
    with platform.db.snapshot() as conn:
        sent = conn.execute(
            select(_posted.c.client_id)
            .where(
                _posted.c.org_id == org_id,
                _posted.c.client_id.startswith(f"{begin}:", autoescape=True),
                _posted.c.client_id.notlike(f"%{_ANSWER}"),
                ~_posted.c.released,
            )
            .order_by(_posted.c.id)
            .limit(1)
        )
        found: str | None = sent.scalar_one_or_none()
        return found


def _told(remote_id: str) -> str:
    """Give an id as part of one of ours: a short word is itself, any other its digest."""
    return remote_id if _WORD.fullmatch(remote_id) else digest(remote_id)[:20]


def _noted(
    conn: Connection,
    org_id: str,
    fresh: _Fresh,
    posted: Mapping[str, str],
) -> Item:
    one = fresh.record
    document = one.document or {}
    payable = document.get("payable_minor")
    return Item(
        remote_id=one.remote_id,
        label=shown(one.label, 400),
        digest=fresh.digest,
        client_id=posted.get(one.remote_id, fresh.earlier),
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
