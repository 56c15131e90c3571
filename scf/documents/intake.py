"""The import: from a received file to stored documents, in slices, outside any long transaction.

Reading, looking up firms and matching by name happen here, between transactions; each slice of up
to a thousand documents is one command under a key of upload and slice number. A process that dies
starts again at the first slice: what is stored already answers from its key, the rest follows.

``keep-good`` stores the good documents and reports the bad ones. ``atomic`` stages everything
unseen and publishes it with one command, or keeps nothing at all.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.db.leases import Claimed, report_progress
from scf.db.platform import Platform
from scf.db.runner import Outcome
from scf.db.statistics import count_anew
from scf.db.visibility import not_found, predicate_for
from scf.documents.canonical import Kind, Party, blocks
from scf.documents.commands import (
    MAX_SLICE,
    Brought,
    FinishUpload,
    MatchDocuments,
    OneUpload,
    RevalidateDocuments,
    StoreDocuments,
)
from scf.documents.invoice_state import INVOICE
from scf.documents.layouts import confirmed
from scf.documents.lookup import Lookup
from scf.documents.models import Invoice, Original, Upload
from scf.documents.progress import Reach, as_stored
from scf.documents.readers import FORMAT_NAMES, TABULAR, Format, format_of, read_file, sniff
from scf.documents.readers.again import Mark
from scf.documents.readers.csvfile import CONFIRMED, Recall, open_table
from scf.documents.readers.csvfile import Table as OpenedTable
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.sheetfile import SheetRows
from scf.documents.rows import payment_fingerprint
from scf.documents.slices import Item, Slice
from scf.documents.storing import TABLES
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.errors import Conflict, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.ids import digest
from scf.parties.models import BusinessDate

_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_date: Final[Table] = BusinessDate.__table__  # type: ignore[attr-defined]

# A slice also ends when its lines are many: a transaction must stay short.
MAX_LINES: Final = 20_000
MAX_RACES: Final = 5
_GZIP: Final = b"\x1f\x8b"
_KINDS_OF_TYPE: Final = {
    "order": {Kind.ORDER, Kind.ORDER_CHANGE, Kind.ORDER_CANCELLATION, Kind.ORDER_RESPONSE},
    "invoice": {Kind.INVOICE, Kind.CREDIT_NOTE},
    "credit_note": {Kind.CREDIT_NOTE},
    "payment": {Kind.PAYMENT},
}


Watch = Callable[[Reach], None]


def nobody_watches(_reach: Reach) -> None:
    """Do nothing after a slice."""


def run_upload(
    platform: Platform,
    upload_id: str,
    *,
    job: Claimed | None = None,
    watch: Watch = nobody_watches,
) -> dict[str, Any]:
    """Import a received file; gives the upload's state and counters.

    Safe to call again at any time: what is stored is not stored twice, and an upload that is
    finished only answers. ``watch`` is told after each slice how far it is.

    Raises
    ------
    NotFound
        When there is no such upload.
    """
    with platform.db.snapshot() as conn:
        row = _one(conn, upload_id)
        if row.state in {"DONE", "REFUSED"}:
            return summary_of(row)
        content = conn.execute(
            select(_original.c.content).where(_original.c.id == row.original_id)
        ).scalar_one()
        today = latest_business_date(conn, platform)
    if sniff(content) is Format.ZIP:
        # Its files come back here one by one, so it knows us and we do not know it.
        from scf.documents.archives.running import run_archive

        run_archive(platform, row, content, job, watch)
        with platform.db.snapshot() as conn:
            return summary_of(_one(conn, upload_id))
    reach = Reach()

    kinds = _KINDS_OF_TYPE.get(row.document_type)

    def recall(header: Sequence[str]) -> ColumnMapping | None:
        with platform.db.snapshot() as conn:
            known = confirmed(conn, row.org_id, header, before=row.created_at)
        return known if known is not None and (not kinds or known.kind in kinds) else None

    items = read_items(content, row, today, reach, recall)
    return _Import(platform, row, reach, job, watch).run(items)


def import_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "documents.import"."""
    return run_upload(platform, job.payload["upload_id"], job=job)


def revalidate_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "documents.revalidate": look again at what waited for a firm."""
    return look_again(platform, job.payload["firm_id"], job.key)


def match_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "documents.match": match invoices that an acceptance has completed."""
    payload = MatchDocuments(invoice_ids=job.payload["invoice_ids"])
    return platform.run("documents.match", payload, OPERATOR, key=job.key).result


def match_all(platform: Platform, actor: Actor) -> dict[str, int]:
    """Match every invoice of the actor's that is not matched yet; gives how many came to what."""
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(INVOICE.c.id, INVOICE.c.version)
            .where(
                INVOICE.c.match_state.in_(("UNMATCHED", "EXCEPTION")),
                INVOICE.c.document_state == "VALIDATED",
                INVOICE.c.order_canonical.is_not(None),
                predicate_for(Invoice, actor),
            )
            .order_by(INVOICE.c.id)
        ).all()
    total: Counter[str] = Counter()
    now = platform.clock.now().isoformat()
    for start in range(0, len(rows), MAX_SLICE):
        part = rows[start : start + MAX_SLICE]
        key = f"match:{digest([now, [(row.id, row.version) for row in part]])}"
        payload = MatchDocuments(invoice_ids=[row.id for row in part])
        total.update(platform.run("documents.match", payload, actor, key=key).result["matched"])
    return dict(total)


def _one(conn: Connection, upload_id: str) -> Row[Any]:
    row = conn.execute(select(_upload).where(_upload.c.id == upload_id)).one_or_none()
    if row is None:
        raise not_found("upload", upload_id)
    return row


def latest_business_date(conn: Connection, platform: Platform) -> dt.date:
    """Give the day against which a document is post-dated: the latest business date there is."""
    latest: dt.date | None = conn.execute(select(func.max(_date.c.current_on))).scalar_one()
    return latest or platform.clock.now().date()


def summary_of(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    """Give an upload's state and counters."""
    return {
        "upload_id": row.id,
        "state": row.state,
        "read": row.read_count,
        "stored": row.stored_count,
        "incomplete": row.incomplete_count,
        "duplicate": row.duplicate_count,
        "bad": row.bad_count,
    }


def look_again(platform: Platform, firm_id: str, key: str) -> dict[str, Any]:
    """Look again at what waited for a firm that can be found now; gives how much came to what."""
    total: Counter[str] = Counter()
    after, number, more = "", 0, True
    while more:
        payload = RevalidateDocuments(firm_id=firm_id, after=after)
        result = platform.run(
            "documents.revalidate", payload, OPERATOR, key=f"{key}:{number}"
        ).result
        total.update({name: result[name] for name in ("validated", "void", "waiting")})
        after, more, number = result["after"], result["more"], number + 1
    return dict(total)


# --- Reading ----------------------------------------------------------------------------------


def read_items(
    content: bytes,
    upload: Any,  # noqa: ANN401
    today: dt.date,
    reach: Reach | None = None,
    recall: Recall | None = None,
) -> Iterator[Item]:
    """Read a file into results one by one, whatever format it is in.

    ``upload`` says ``format``, ``document_type`` and ``mapping``; ``reach`` is told how far it is,
    and ``recall`` is asked for the columns of a table that comes without a mapping.
    """
    reach = reach or Reach()
    if is_table(content, upload.format):
        found_format = format_of(content)
        if found_format in TABULAR and upload.format not in {"auto", found_format}:
            yield Item(None, (_other_format(upload.format, found_format),))
            return
        yield from _table_items(content, upload, today, reach, recall)
        return
    parsed = read_file(content, today=today)
    if parsed.format in FORMAT_NAMES and upload.format not in {"auto", parsed.format}:
        yield Item(None, (_other_format(upload.format, parsed.format), *parsed.findings))
        return
    reach.total, reach.unit = len(parsed.documents), "documents"
    for document in parsed.documents:
        reach.done += 1
        yield _of_type(Item(document, document.findings), upload.document_type)
    if parsed.refusals:
        yield from (Item(None, findings) for findings in parsed.refusals)
    elif not parsed.documents:
        yield Item(None, parsed.findings)


def _other_format(sent_as: str, found: str) -> Finding:
    message = Words(
        "The file was sent as %(sent_as)s, and that is not what it is.", sent_as=sent_as
    )
    return Finding(Severity.ERROR, "FORMAT_OTHER", message, "", found)


def is_table(content: bytes, name: str) -> bool:
    """Tell whether a file is read row by row; ``name`` is what its sender called it."""
    return name in TABULAR or (name == "auto" and format_of(content) in TABULAR)


def _table_items(
    content: bytes,
    upload: Any,  # noqa: ANN401
    today: dt.date,
    reach: Reach,
    recall: Recall | None,
) -> Iterator[Item]:
    mapping = ColumnMapping.model_validate(upload.mapping, strict=False) if upload.mapping else None
    wanted = upload.document_type
    kind = Kind(wanted) if wanted else None
    table = open_table(content, mapping, kind=kind, today=today, apart=True, recall=recall)
    if CONFIRMED in table.findings:
        yield Item(None, (CONFIRMED,))
    if not table.readable:
        yield Item(None, tuple(table.findings))
        return
    # How the file was read is told with its first document.
    told = tuple(found for found in table.findings if found.severity is not Severity.INFO)
    counted: Counter[str] = Counter()
    reach.total = _rows_of(table, content)
    for row in table.rows():
        reach.done = row.row
        if row.document is None and not blocks(row.findings):
            # No document and no mistake either (a sum, the header again): told, never counted.
            yield Item(None, row.findings)
            continue
        item = Item(row.document, told + row.findings, 0, "", row.row, row.named, row.again)
        item = _of_type(item, wanted)
        told = ()
        if item.document is not None and item.document.kind is Kind.PAYMENT:
            look = payment_fingerprint(item.document)
            item = item._replace(occurrence=counted[look])
            counted[look] += 1
        yield item


def _rows_of(table: OpenedTable, content: bytes) -> int | None:
    """Count the rows of a table as far as that costs nothing; packed text has to be read."""
    if isinstance(table.source, SheetRows):
        return table.source.height
    return None if content[:2] == _GZIP else content.count(b"\n")


def _of_type(item: Item, document_type: str | None) -> Item:
    """Refuse a document that is not what the sender said the file holds."""
    document = item.document
    if document is None or document_type is None:
        return item
    if document.kind in _KINDS_OF_TYPE[document_type]:
        return item
    message = Words(
        "The file was sent as %(sent_as)s; this is a document of kind %(kind)s.",
        sent_as=document_type,
        kind=document.kind.value,
    )
    found = Finding(Severity.ERROR, "TYPE_UNEXPECTED", message, document.place("type_code"))
    return item._replace(document=None, findings=(*item.findings, found))


# --- The run ----------------------------------------------------------------------------------


class _Import:
    """One run over one upload."""

    def __init__(
        self,
        platform: Platform,
        upload: Any,  # noqa: ANN401
        reach: Reach,
        job: Claimed | None,
        watch: Watch,
    ) -> None:
        self.platform = platform
        self.upload = upload
        self.reach, self.job, self.watch = reach, job, watch
        self.since = platform.clock.now()
        self.began_at = 0  # the row up to which an earlier run had come
        # In the name of who handed the file in; that person was allowed to when it was received.
        self.actor = Actor(upload.user_id, upload.org_id, frozenset({Role.OPERATOR}))
        self.lookup = Lookup(platform, upload.org_id)
        self.announced: set[Party] = set()
        self.brought: list[Brought] = []

    def run(self, items: Iterator[Item]) -> dict[str, Any]:
        for number, part in enumerate(_slices(items)):
            self._progress(replayed=self._store(number, part))
            count_anew(self.platform.db)
        if self.upload.mode == "atomic":
            self._publish()
        else:
            self._look_again()
            self._finish()
        with self.platform.db.snapshot() as conn:
            return summary_of(_one(conn, self.upload.id))

    def _store(self, number: int, items: Sequence[Item]) -> bool:
        """Store one slice; tells whether an earlier run had done so already."""
        unknown = self.lookup.unknown(one.document for one in items if one.document is not None)
        self.lookup.unknown(one.named for one in items if one.named is not None)
        self.brought += [_brought(one.row, one.again) for one in items if one.again]
        payload = StoreDocuments(
            upload_id=self.upload.id,
            slice_number=number,
            content=Slice(
                items,
                self.lookup.firms,
                frozenset(unknown - self.announced),
                contradicting=frozenset(self.lookup.contradicting),
            ),
        )
        self.announced |= unknown
        key = f"{self.upload.id}:{number}"
        return racing(lambda: self._command("documents.store", payload, key)).replayed

    def _command(self, name: str, payload: Any, key: str) -> Outcome:  # noqa: ANN401 - an input
        return self.platform.run(name, payload, self.actor, key=key)

    def _progress(self, *, replayed: bool) -> None:
        clock = self.platform.clock
        if replayed:
            self.began_at, self.since = self.reach.done, clock.now()
        self.watch(self.reach)
        if self.job is not None:
            told = as_stored(self.reach, self.began_at, self.since, clock.now())
            report_progress(self.platform.db, clock, self.job, told, further=not replayed)

    def _look_again(self) -> None:
        """Find firms that became ACTIVE while we were reading."""
        for firm_id in self.lookup.known_by_now():
            look_again(self.platform, firm_id, f"{self.upload.id}:{firm_id}")

    def _finish(self) -> None:
        payload = FinishUpload(upload_id=self.upload.id, brought=self.brought)
        self._command("upload.finish", payload, f"{self.upload.id}:finish")

    # -- all or nothing

    def _publish(self) -> None:
        upload = OneUpload(upload_id=self.upload.id)
        with self.platform.db.snapshot() as conn:
            row = _one(conn, self.upload.id)
        clean = not row.bad_count and not row.duplicate_count and row.stored_count
        if clean:
            try:
                self._command("documents.publish", upload, f"{self.upload.id}:publish")
            except Conflict as conflict:
                if conflict.code != "DUPLICATE_EXACT":
                    raise
                clean = False
        if not clean:
            self._command("documents.discard", upload, f"{self.upload.id}:discard")
            return
        self._arrive()
        self._look_again()
        self._finish()

    def _arrive(self) -> None:
        """Match and net what was published, slice by slice."""
        for kind, field in (
            (Kind.ORDER, "order_ids"),
            (Kind.RECEIPT, "receipt_ids"),
            (Kind.INVOICE, "invoice_ids"),
            (Kind.CREDIT_NOTE, "credit_note_ids"),
            (Kind.ORDER_CHANGE, "message_ids"),  # any kind of message: they share their table
        ):
            table = TABLES[kind]
            with self.platform.db.snapshot() as conn:
                ids = list(
                    conn.execute(
                        select(table.c.id)
                        .where(table.c.upload_id == self.upload.id)
                        .order_by(table.c.id)
                    ).scalars()
                )
            for start in range(0, len(ids), MAX_SLICE):
                payload = MatchDocuments(**{field: ids[start : start + MAX_SLICE]})
                self._command("documents.match", payload, f"{self.upload.id}:{kind.value}:{start}")


def racing(attempt: Callable[[], Outcome]) -> Outcome:
    """Try again when another import stored one of the same documents at that moment."""
    for _ in range(MAX_RACES - 1):
        try:
            return attempt()
        except Conflict as conflict:
            if conflict.code != "DUPLICATE_EXACT":
                raise
    return attempt()


def _brought(row: int, again: Mark) -> Brought:
    return Brought(row=row, upload_id=again.upload_id, earlier=again.row)


def _slices(items: Iterator[Item]) -> Iterator[list[Item]]:
    part: list[Item] = []
    lines = 0
    for item in items:
        own = len(item.document.lines) if item.document is not None else 0
        if part and (len(part) == MAX_SLICE or lines + own > MAX_LINES):
            yield part
            part, lines = [], 0
        part.append(item)
        lines += own
    if part:
        yield part
