"""The commands on documents: receive a file, store its slices, publish, match, look again, link."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, computed_field
from sqlalchemy import Table, delete, insert, literal, select, update

from scf.db.bulk import insert_mappings
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.visibility import predicate_for
from scf.documents import arrivals, pending
from scf.documents.canonical import DocumentType, Kind
from scf.documents.credits import link
from scf.documents.einvoice.models import RuleCheck
from scf.documents.matching import keys_of, settle
from scf.documents.models import (
    DocumentFinding,
    InvoiceLine,
    OrderLine,
    Original,
    PendingParty,
    Upload,
)
from scf.documents.orderbook import Orders
from scf.documents.posted.noting import free_ids, note_documents
from scf.documents.readers import FormatName
from scf.documents.readers.again import Mark
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.repairs.answering import answer
from scf.documents.rows import Origin
from scf.documents.slices import SentFile, Slice, Stored, end_state
from scf.documents.storing import KINDS, TABLES, store_slice
from scf.documents.taxcheck.asking import IDENTITY
from scf.documents.told import settle_told
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.findings import Finding, Severity, shown
from scf.kernel.ids import new_id

MAX_UPLOAD: Final = 64 * 1024 * 1024
READ_AT_ONCE: Final = 65_536  # up to here a file is read while its sender waits
MAX_SLICE: Final = 1000
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_pending: Final[Table] = PendingParty.__table__  # type: ignore[attr-defined]
_check: Final[Table] = RuleCheck.__table__  # type: ignore[attr-defined]
_invoice_line: Final[Table] = InvoiceLine.__table__  # type: ignore[attr-defined]
_order_line: Final[Table] = OrderLine.__table__  # type: ignore[attr-defined]

_Ids = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MAX_SLICE)]

constraint_means(
    "uq_original",
    "original.org_id, original.sha256",
    lambda: Conflict("IN_PROGRESS", "The same file is being received right now. Ask again."),
)
constraint_means(
    "uq_trade_payment",
    "trade_payment.org_id, trade_payment.duplicate_key",
    lambda: Conflict("DUPLICATE_EXACT", "This payment was told at the same moment."),
)
for _index, _columns in (
    ("uq_order_live", "trade_order.duplicate_key"),
    ("uq_receipt_live", "receipt.duplicate_key"),
    ("uq_credit_note_live", "credit_note.duplicate_key"),
):
    constraint_means(
        _index,
        _columns,
        lambda: Conflict("DUPLICATE_EXACT", "This document is already here."),
    )


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HowToRead(_Input):
    """How a file is to be read.

    ``queue`` leaves the reading to the worker; ``hold`` waits for ``upload.start`` with it.
    """

    format: FormatName = "auto"
    document_type: DocumentType | None = None
    mode: Literal["keep-good", "atomic"] = "keep-good"
    mapping: ColumnMapping | None = None
    queue: bool = False
    hold: bool = False
    archive_id: str | None = Field(default=None, max_length=64)


class ReceiveUpload(HowToRead):
    """A file to keep and to read."""

    name: str = Field(min_length=1, max_length=400)
    content: bytes = Field(exclude=True, repr=False, max_length=MAX_UPLOAD)

    # The bytes themselves stay out of key, answer and audit trail; their digest stands for them.
    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the file."""
        return hashlib.sha256(self.content).hexdigest()


class StoreDocuments(_Input):
    """One slice of an upload, read and looked up before."""

    upload_id: str = Field(max_length=64)
    slice_number: int = Field(ge=0, strict=True)
    # A value of ours, not of a caller: validating it again would copy every document.
    content: Annotated[Any, SkipValidation] = Field(exclude=True, repr=False)


class OneUpload(_Input):
    """An upload to publish, to discard or to finish."""

    upload_id: str = Field(max_length=64)


class Brought(_Input):
    """A row of a file that brings a row of an earlier upload again."""

    row: int = Field(ge=1, strict=True)
    upload_id: str = Field(max_length=64)
    earlier: int = Field(ge=1, strict=True)


class FinishUpload(OneUpload):
    """An upload that is read to its end, and the rows in it that said which ones they correct."""

    brought: list[Brought] = Field(default_factory=list, max_length=1_000_000)


class MatchDocuments(_Input):
    """Stored documents to match, count and net."""

    invoice_ids: _Ids = Field(default_factory=list)
    order_ids: _Ids = Field(default_factory=list)
    receipt_ids: _Ids = Field(default_factory=list)
    credit_note_ids: _Ids = Field(default_factory=list)
    message_ids: _Ids = Field(default_factory=list)


class RevalidateDocuments(_Input):
    """A firm that documents may have waited for; ``after`` goes on where an earlier call ended."""

    firm_id: str = Field(max_length=64)
    after: str = Field(default="", max_length=64)


class LinkCreditNote(_Input):
    """A waiting credit note and the invoices that it belongs to."""

    credit_note_id: str = Field(max_length=64)
    invoice_ids: _Ids = Field(min_length=1)


@command("upload.receive", ReceiveUpload)
def receive_upload(ctx: Context, data: ReceiveUpload) -> dict[str, Any]:
    """The file is kept byte for byte, once per organisation, and waits to be read.

    Raises
    ------
    InvalidInput
        FILE_EMPTY.
    """
    if not data.content:
        raise InvalidInput("FILE_EMPTY", "The file is empty.")
    return keep_file(ctx, data, data.name, data.content, data.sha256)


def keep_file(
    ctx: Context, how: HowToRead, name: str, content: bytes, sha256: str
) -> dict[str, Any]:
    """Keep a file whose bytes are all here, by whatever way, and note how it is to be read."""
    original_id, seen_before = keep_original(ctx, name, content, sha256)
    state = "STAGED" if how.hold else "RECEIVED"
    upload_id = add_upload(
        ctx,
        {
            "original_id": original_id,
            "name": shown(name, 400),
            "format": how.format,
            "document_type": how.document_type,
            "mode": how.mode,
            "mapping": how.mapping.model_dump(mode="json") if how.mapping else None,
            "archive_id": how.archive_id,
            "state": state,
        },
    )
    ctx.change("upload", upload_id, None, {"state": state, "sha256": sha256})
    job_id = None
    if how.queue:
        job_id = ctx.enqueue("documents.import", {"upload_id": upload_id}, upload_id)
    return {
        "upload_id": upload_id,
        "original_id": original_id,
        "job_id": job_id,
        "seen_before": seen_before,
    }


def keep_original(ctx: Context, name: str, content: bytes, sha256: str) -> tuple[str, bool]:
    """Keep the bytes of a file; gives their id, and whether they were here before."""
    ids, known = keep_originals(ctx, [SentFile(name, content, sha256)])
    return ids[sha256], bool(known)


def keep_originals(ctx: Context, files: Sequence[SentFile]) -> tuple[dict[str, str], set[str]]:
    """Keep the bytes of files, each once; gives their ids by digest, and what was here before."""
    by_digest = {file.sha256: file for file in reversed(files)}
    query = select(_original.c.sha256, _original.c.id).where(
        _original.c.org_id == ctx.actor.org_id, _original.c.sha256.in_(list(by_digest))
    )
    ids = {row.sha256: row.id for row in ctx.conn.execute(query)}
    known = set(ids)
    fresh = [file for sha256, file in by_digest.items() if sha256 not in known]
    rows = [
        {
            "id": new_id(),
            "sha256": file.sha256,
            "name": shown(file.name, 400),
            "size": len(file.content),
            "content": file.content,
        }
        for file in fresh
    ]
    same = {"org_id": ctx.actor.org_id, "received_at": ctx.now}
    insert_mappings(ctx.conn, _original, rows, same)
    return ids | {row["sha256"]: row["id"] for row in rows}, known


def add_upload(ctx: Context, values: dict[str, Any]) -> str:
    """Note the act of handing in a file; gives its id."""
    upload_id = new_id()
    add_uploads(ctx, [{"id": upload_id, **columns_of(Stored()), **values}])
    return upload_id


def add_uploads(
    ctx: Context, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any] | None = None
) -> None:
    """Note acts of handing in by the actor; ``same`` holds what is equal on all of them."""
    own = {"org_id": ctx.actor.org_id, "user_id": ctx.actor.user_id, "created_at": ctx.now}
    own |= {"corrected_count": 0}
    insert_mappings(ctx.conn, _upload, rows, own | dict(same or {}))


_COUNTERS: Final = {
    "read": "read_count",
    "stored": "stored_count",
    "incomplete": "incomplete_count",
    "duplicate": "duplicate_count",
    "bad": "bad_count",
}


def columns_of(stored: Stored) -> dict[str, int]:
    """Give what came of an upload as its columns."""
    counts = stored.counts()
    return {column: counts[name] for name, column in _COUNTERS.items()}


@command("documents.store", StoreDocuments)
def store_documents(ctx: Context, data: StoreDocuments) -> dict[str, Any]:
    """One slice of an upload is stored whole: good documents, findings and counters together."""
    content: Slice = data.content
    if len(content.items) > MAX_SLICE:
        raise InvalidInput(
            "SLICE_SIZE", "A slice has at most %(limit)s documents.", limit=MAX_SLICE
        )
    row = ctx.lock(Upload, [data.upload_id])[data.upload_id]
    must_run(row)
    origin = Origin(row.org_id, row.user_id, row.id, row.original_id, ctx.now)
    origins = {"": origin}
    if content.files:
        ids, _known = keep_originals(ctx, content.files)
        origins |= {
            sha256: dataclasses.replace(origin, original_id=original_id)
            for sha256, original_id in ids.items()
        }
    stored = store_slice(ctx, content, origins, staged=row.mode == "atomic")[row.id]
    note_documents(ctx, row.id, stored.places)
    counts = stored.counts()
    ctx.change(
        "upload",
        row.id,
        None,
        {"slice_digest": content.digest(), **counts, "document_ids": stored.ids},
    )
    if stored.to_judge:
        # Off the path of the import: the rules take longer than all the rest of it.
        ctx.enqueue("documents.judge", {}, f"{row.id}:{data.slice_number}")
    ctx.conn.execute(
        update(_upload)
        .where(_upload.c.id == row.id)
        .values(
            state="RUNNING",
            **{name: _upload.c[name] + count for name, count in columns_of(stored).items()},
        )
    )
    return counts


def must_run(row: Any) -> None:  # noqa: ANN401 - a row
    """Refuse to go on with an upload that waits for its sender's word, or has ended."""
    if row.state not in {"RECEIVED", "RUNNING"}:
        raise Conflict(
            "UPLOAD_STATE", "The upload is %(state)s.", upload_id=row.id, state=row.state
        )


@command("documents.publish", OneUpload)
def publish_documents(ctx: Context, data: OneUpload) -> dict[str, Any]:
    """Every staged document of an atomic upload appears at once, complete or INCOMPLETE.

    Raises
    ------
    Conflict
        DUPLICATE_EXACT when one of them is here twice, or came by another way meanwhile; then
        nothing has been published.
    """
    row = ctx.lock(Upload, [data.upload_id])[data.upload_id]
    must_run(row)
    published = 0
    for table, kind in KINDS.items():
        sides = ("payee_id", "payer_id") if kind is Kind.PAYMENT else ("seller_id", "buyer_id")
        staged = (table.c.upload_id == row.id, table.c.document_state == "RECEIVED")
        complete = [table.c[side].is_not(None) for side in sides]
        if kind is Kind.INVOICE:
            complete.append(table.c.due_on.is_not(None))
        wanted = table.c if kind is Kind.PAYMENT else (table.c.id,)
        for where, state in (((*staged, *complete), "VALIDATED"), (staged, "INCOMPLETE")):
            done = ctx.conn.execute(
                update(table).where(*where).values(document_state=state).returning(*wanted)
            ).all()
            published += len(done)
            if kind is Kind.PAYMENT:
                settle_told(ctx, [row._asdict() for row in done])
    ctx.change("upload", row.id, None, {"published": published})
    return {"published": published}


@command("documents.discard", OneUpload)
def discard_documents(ctx: Context, data: OneUpload) -> dict[str, Any]:
    """An atomic upload with anything wrong leaves no document behind, only its findings."""
    row = ctx.lock(Upload, [data.upload_id])[data.upload_id]
    must_run(row)
    origin = Origin(row.org_id, row.user_id, row.id, row.original_id, ctx.now)
    twice = _staged_twice(ctx, origin)
    ctx.conn.execute(
        update(_finding).where(_finding.c.upload_id == row.id).values(document_id=None)
    )
    for parts, column, owner in (
        (_invoice_line, _invoice_line.c.invoice_id, TABLES[Kind.INVOICE]),
        (IDENTITY, IDENTITY.c.invoice_id, TABLES[Kind.INVOICE]),
        (_order_line, _order_line.c.order_id, TABLES[Kind.ORDER]),
        *((_pending, _pending.c.document_id, table) for table in KINDS),
    ):
        staged = select(owner.c.id).where(
            owner.c.upload_id == row.id, owner.c.document_state == "RECEIVED"
        )
        ctx.conn.execute(delete(parts).where(column.in_(staged)))
    ctx.conn.execute(delete(_check).where(_check.c.upload_id == row.id))
    for table in KINDS:
        ctx.conn.execute(
            delete(table).where(table.c.upload_id == row.id, table.c.document_state == "RECEIVED")
        )
    free_ids(ctx, row.id)
    if twice:
        ctx.conn.execute(insert(_finding), twice)
    ctx.conn.execute(
        update(_upload)
        .where(_upload.c.id == row.id)
        .values(
            state="REFUSED",
            finished_at=ctx.now,
            stored_count=0,
            incomplete_count=0,
            duplicate_count=_upload.c.duplicate_count + len(twice),
        )
    )
    ctx.change("upload", row.id, {"state": row.state}, {"state": "REFUSED"})
    ctx.emit("upload.finished", {"upload_id": row.id, "state": "REFUSED"}, org_id=row.org_id)
    return {"state": "REFUSED"}


def _staged_twice(ctx: Context, origin: Origin) -> list[dict[str, Any]]:
    """Find the staged documents that are the same as an earlier one, for the sender to see."""
    found = []
    for table, kind in KINDS.items():
        if kind is Kind.PAYMENT:
            continue
        own = select(table.c.duplicate_key).where(
            table.c.upload_id == origin.upload_id, table.c.document_state == "RECEIVED"
        )
        rows = ctx.conn.execute(
            select(
                table.c.id,
                table.c.duplicate_key,
                table.c.number,
                table.c.document_state,
                table.c.kind if "kind" in table.c else literal(kind.value).label("kind"),
            )
            .where(
                table.c.duplicate_key.in_(own),
                table.c.document_state.in_(("RECEIVED", "VALIDATED", "INCOMPLETE")),
            )
            .order_by(table.c.document_state.desc(), table.c.id)
        ).all()
        first: dict[str, str] = {}
        for row in rows:
            if row.duplicate_key not in first:
                first[row.duplicate_key] = row.id
            elif row.document_state == "RECEIVED":
                problem = Finding(
                    Severity.ERROR,
                    "DUPLICATE_EXACT",
                    "This document is here already, or twice in the file.",
                    "",
                    row.number,
                )
                found.append(arrivals.finding_row(origin, problem, row.kind, None))
    return found


@command("upload.finish", FinishUpload)
def finish_upload(ctx: Context, data: FinishUpload) -> dict[str, Any]:
    """The upload is DONE, or REFUSED when nothing of the file could be kept.

    Rows kept out before that it brought again are settled where they were told.
    """
    row = ctx.lock(Upload, [data.upload_id])[data.upload_id]
    must_run(row)
    state = end_state(stored=row.stored_count, duplicate=row.duplicate_count, bad=row.bad_count)
    ctx.conn.execute(
        update(_upload).where(_upload.c.id == row.id).values(state=state, finished_at=ctx.now)
    )
    ctx.change("upload", row.id, {"state": row.state}, {"state": state})
    brought = {one.row: Mark(one.upload_id, one.earlier) for one in data.brought}
    answer(ctx, row.org_id, [row.id], brought)
    if row.archive_id is None:  # of the files of an archive, the archive tells
        ctx.emit("upload.finished", {"upload_id": row.id, "state": state}, org_id=row.org_id)
    return {"state": state}


@command("documents.match", MatchDocuments)
def match_documents(ctx: Context, data: MatchDocuments) -> dict[str, Any]:
    """Documents that the actor may see are matched with orders and netted with credit notes."""
    total: dict[str, int] = {}
    for kind, ids in (
        (Kind.ORDER, data.order_ids),
        (Kind.RECEIPT, data.receipt_ids),
        (Kind.INVOICE, data.invoice_ids),
        (Kind.CREDIT_NOTE, data.credit_note_ids),
        (Kind.ORDER_CHANGE, data.message_ids),  # any kind of message: they share their table
    ):
        for name, count in arrivals.arrived(ctx, kind, _visible(ctx, kind, ids)).items():
            total[name] = total.get(name, 0) + count
    return {"matched": total}


def _visible(ctx: Context, kind: Kind, ids: list[str]) -> list[str]:
    if not ids or ctx.actor.is_operator:
        return ids
    model = arrivals.MODELS[kind]
    table = TABLES[kind]
    query = select(table.c.id).where(table.c.id.in_(ids), predicate_for(model, ctx.actor))
    return list(ctx.conn.execute(query).scalars())


@command("documents.revalidate", RevalidateDocuments)
def revalidate_documents(ctx: Context, data: RevalidateDocuments) -> dict[str, Any]:
    """Documents that waited for this firm become complete; see :func:`scf.documents.pending`."""
    return pending.revalidate(ctx, data.firm_id, data.after)


@command("credit_note.link", LinkCreditNote)
def link_credit_note(ctx: Context, data: LinkCreditNote) -> dict[str, Any]:
    """A credit note that named no known invoice is linked by hand and netted at once."""
    keys = keys_of(ctx.conn, data.invoice_ids)
    Orders.load(ctx, keys)  # before any invoice is locked
    allocated = link(ctx, data.credit_note_id, data.invoice_ids)
    settle(ctx, keys)
    return {"allocated": allocated}
