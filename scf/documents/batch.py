"""Many small files at once, each an upload of its own: a thousand e-invoices are one command.

A file alone takes three commands: it is kept, stored and finished. Here the files are read first;
one command then keeps them byte for byte, stores what they hold and finishes their uploads. What
is in the books afterwards is the same either way. Nothing is kept of a slice that fails, and it
can be sent again: what was taken before only answers.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from sqlalchemy import Table, select

from scf.db.platform import Platform
from scf.db.runner import Context, command
from scf.db.statistics import count_anew
from scf.documents.canonical import DocumentType
from scf.documents.commands import MAX_SLICE, add_uploads, columns_of, keep_originals
from scf.documents.intake import (
    MAX_LINES,
    latest_business_date,
    look_again,
    racing,
    run_upload,
)
from scf.documents.lookup import Lookup
from scf.documents.models import Original, Upload
from scf.documents.readers import READABLE, TABULAR, FormatName, format_of
from scf.documents.reading import Beat, Read, Reading, nobody_listens
from scf.documents.repairs.answering import answer
from scf.documents.rows import Origin
from scf.documents.slices import Item, SentFile, Slice, Stored, end_state
from scf.documents.storing import store_slice
from scf.kernel.actor import Actor
from scf.kernel.findings import shown
from scf.kernel.ids import digest, new_id

_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]

# A slice of files ends here even when they are few.
MAX_BYTES: Final = 32 * 1024 * 1024


class HowToRead(NamedTuple):
    """What the sender says of all files of a batch."""

    format: FormatName = "auto"
    document_type: DocumentType | None = None


class TakeFiles(BaseModel):
    """Files that were read and looked up before; ``digests`` stand for their bytes."""

    model_config = ConfigDict(extra="forbid")
    format: FormatName = "auto"
    document_type: DocumentType | None = None
    archive_id: str | None = Field(default=None, max_length=64)
    digests: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=MAX_SLICE)
    # A value of ours, not of a caller: validating it again would copy every document.
    content: Annotated[Any, SkipValidation] = Field(exclude=True, repr=False)


@command("upload.take", TakeFiles)
def take_files(ctx: Context, data: TakeFiles) -> dict[str, Any]:
    """Every file of the slice is kept, what it holds is stored, and its upload is finished."""
    part: Slice = data.content
    ids, _known = keep_originals(ctx, part.files)
    origins = {
        file.sha256: Origin(
            ctx.actor.org_id, ctx.actor.user_id, new_id(), ids[file.sha256], ctx.now
        )
        for file in part.files
    }
    stored = store_slice(ctx, part, origins, staged=False)
    add_uploads(
        ctx,
        [
            {
                "id": origin.upload_id,
                "original_id": origin.original_id,
                "name": shown(file.name, 400),
                **columns_of(stored[origin.upload_id]),
                "state": _end(stored[origin.upload_id]),
            }
            for file, origin in zip(part.files, origins.values(), strict=True)
        ],
        {
            "format": data.format,
            "document_type": data.document_type,
            "mode": "keep-good",
            "mapping": None,
            "archive_id": data.archive_id,
            "finished_at": ctx.now,
        },
    )
    if any(one.to_judge for one in stored.values()):
        # Off the path of the import: the rules take longer than all the rest of it.
        ctx.enqueue("documents.judge", {}, ctx.command_id)
    for upload_id, one in stored.items():
        # Nobody is told a thousand times that all is well; of its files, an archive tells.
        if one.bad and data.archive_id is None:
            ctx.emit("upload.finished", {"upload_id": upload_id, "state": _end(one)})
    total = Stored.sum(stored.values())
    uploads = [origin.upload_id for origin in origins.values()]
    answer(ctx, ctx.actor.org_id, uploads)
    ctx.change(
        "upload_slice",
        ctx.command_id,
        None,
        {
            "slice_digest": part.digest(),
            **total.counts(),
            "upload_ids": uploads,
            "document_ids": total.ids,
        },
    )
    return {"upload_ids": uploads}


def _end(one: Stored) -> str:
    return end_state(stored=one.stored, duplicate=one.duplicate, bad=one.bad)


# --- Before the command -----------------------------------------------------------------------


class Taken(NamedTuple):
    """The upload of a file of a batch, and whether the file had been handed in before."""

    name: str
    upload_id: str
    seen_before: bool


def fits(content: bytes) -> bool:
    """Tell whether a file can be one of a batch: any that is not read row by row."""
    found = format_of(content)
    return found in READABLE and found not in TABULAR


def take(
    platform: Platform,
    actor: Actor,
    files: Iterable[SentFile],
    how: HowToRead,
    *,
    archive_id: str | None = None,
    beat: Beat = nobody_listens,
) -> Iterator[list[Taken]]:
    """Import files in slices; gives the upload of each file, slice by slice in their order.

    A file that was taken before in the same way only answers; one that was refused is read again,
    but not twice for one archive. ``beat`` is called now and then while it goes on.

    Raises
    ------
    NotAllowed
        When the actor may not hand files in.
    """
    batch = _Batch(platform, actor, how, archive_id, beat)
    with Reading(how._asdict(), batch.today, beat=beat) as reading:
        begun: _Part | None = None
        for part in _parts(files):
            # The next files are read while those before are stored.
            following = batch.begin(part, reading)
            if begun is not None:
                yield batch.run(begun)
                count_anew(platform.db)
            begun = following
        if begun is not None:
            yield batch.run(begun)
    batch.end()


class _Part(NamedTuple):
    """Files of a batch, which of them came before, and the others on their way through reading."""

    files: Sequence[SentFile]
    earlier: dict[str, Any]
    fresh: Sequence[SentFile]
    read: Read
    alone: Sequence[SentFile]  # what is read row by row


class _Batch:
    """One run over many files."""

    def __init__(
        self,
        platform: Platform,
        actor: Actor,
        how: HowToRead,
        archive_id: str | None,
        beat: Beat,
    ) -> None:
        self.platform = platform
        self.actor = actor
        self.how = how
        self.archive_id = archive_id
        self.beat = beat
        self.lookup = Lookup(platform, actor.org_id)
        self.last = ""
        self.asked: set[str] = set()
        self.taken: dict[str, str] = {}
        with platform.db.snapshot() as conn:
            self.today = latest_business_date(conn, platform)

    def begin(self, files: Sequence[SentFile], reading: Reading) -> _Part:
        earlier = self._earlier(files)
        fresh: dict[str, SentFile] = {}
        for file in files:
            if file.sha256 not in self.asked and not self._answers(earlier.get(file.sha256)):
                fresh.setdefault(file.sha256, file)
        self.asked |= fresh.keys()
        new = [file for file in fresh.values() if fits(file.content)]
        alone = [file for file in fresh.values() if not fits(file.content)]
        return _Part(files, earlier, new, reading.begin(new), alone)

    def _answers(self, row: Any) -> bool:  # noqa: ANN401 - a row
        """Tell whether an earlier upload answers for its file."""
        if row is None:
            return False
        own = self.archive_id is not None and row.archive_id == self.archive_id
        return row.state == "DONE" or (own and row.state == "REFUSED")

    def run(self, part: _Part) -> list[Taken]:
        done = {sha256: row.id for sha256, row in part.earlier.items() if self._answers(row)}
        seen = done.keys() | self.taken.keys()
        self.taken |= done
        read = zip(part.fresh, part.read(), strict=True)
        for some in _slices(read):
            if len(some) == 1 and len(some[0][1]) > MAX_SLICE:
                self.taken[some[0][0].sha256] = self._alone(some[0][0], part.earlier)
            else:
                self.taken |= self._store(some, part.earlier)
        for file in part.alone:
            self.taken[file.sha256] = self._alone(file, part.earlier)
        return _in_order(part.files, self.taken, seen)

    def end(self) -> None:
        """Look again at what waits for a firm that became ACTIVE meanwhile."""
        for firm_id in self.lookup.known_by_now():
            look_again(self.platform, firm_id, f"{self.last}:{firm_id}")

    def _earlier(self, files: Sequence[SentFile]) -> dict[str, Any]:
        """Find the uploads by which these files came before, read in the same way."""
        query = (
            select(_original.c.sha256, _upload.c.id, _upload.c.state, _upload.c.archive_id)
            .join(_upload, _upload.c.original_id == _original.c.id)
            .where(
                _original.c.org_id == self.actor.org_id,
                _original.c.sha256.in_([file.sha256 for file in files]),
                _upload.c.format == self.how.format,
                _upload.c.document_type.is_not_distinct_from(self.how.document_type),
                _upload.c.mode == "keep-good",
            )
            .order_by(_upload.c.id)
        )
        found: dict[str, Any] = {}
        with self.platform.db.snapshot() as conn:
            for row in conn.execute(query):
                known = found.get(row.sha256)
                if known is None or not self._answers(known):
                    found[row.sha256] = row
        return found

    def _store(
        self, waiting: Sequence[tuple[SentFile, list[Item]]], earlier: dict[str, Any]
    ) -> dict[str, str]:
        files = [file for file, _items in waiting]
        items = [item._replace(file=file.sha256) for file, of_one in waiting for item in of_one]
        unknown = self.lookup.unknown(one.document for one in items if one.document is not None)
        payload = TakeFiles(
            **self.how._asdict(),
            archive_id=self.archive_id,
            digests=[file.sha256 for file in files],
            content=Slice(
                items,
                self.lookup.firms,
                frozenset(unknown),
                files,
                frozenset(self.lookup.contradicting),
            ),
        )
        # A file that was refused before comes as a new attempt.
        before = [earlier[file.sha256].id for file in files if file.sha256 in earlier]
        key = self._key(payload.digests, before)
        done = racing(
            lambda: self.platform.run("upload.take", payload, self.actor, key=key)
        ).result["upload_ids"]
        self.last = done[-1]
        return dict(zip(payload.digests, done, strict=True))

    def _alone(self, file: SentFile, earlier: dict[str, Any]) -> str:
        """Import a file that holds more than a slice, or is read row by row."""
        row = earlier.get(file.sha256)
        if row is not None and self.archive_id is not None and row.archive_id == self.archive_id:
            upload_id = str(row.id)  # begun by a worker that died
        else:
            received = self.platform.run(
                "upload.receive",
                {
                    "name": file.name,
                    "content": file.content,
                    "archive_id": self.archive_id,
                    **self.how._asdict(),
                },
                self.actor,
                key=self._key(file.sha256, "" if row is None else row.id),
            )
            upload_id = str(received.result["upload_id"])
        run_upload(self.platform, upload_id, watch=lambda _reach: self.beat())
        return upload_id

    def _key(self, digests: str | list[str], before: str | list[str]) -> str:
        way = [*self.how] if self.archive_id is None else [*self.how, self.archive_id]
        return f"take:{digest([*way, digests, before])}"


def _slices(
    read: Iterable[tuple[SentFile, list[Item]]],
) -> Iterator[list[tuple[SentFile, list[Item]]]]:
    """Group files so that each group is small enough for one command."""
    part: list[tuple[SentFile, list[Item]]] = []
    count = lines = 0
    for file, items in read:
        own = sum(len(item.document.lines) for item in items if item.document is not None)
        if part and (count + len(items) > MAX_SLICE or lines + own > MAX_LINES):
            yield part
            part, count, lines = [], 0, 0
        part.append((file, items))
        count, lines = count + len(items), lines + own
    if part:
        yield part


def _in_order(files: Sequence[SentFile], taken: dict[str, str], seen: set[str]) -> list[Taken]:
    """Give the upload of each file; the same file a second time was seen before."""
    told = []
    for file in files:
        told.append(Taken(file.name, taken[file.sha256], file.sha256 in seen))
        seen.add(file.sha256)
    return told


def _parts(files: Iterable[SentFile]) -> Iterator[list[SentFile]]:
    part: list[SentFile] = []
    size = 0
    for file in files:
        if part and (len(part) == MAX_SLICE or size + len(file.content) > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(file)
        size += len(file.content)
    if part:
        yield part
