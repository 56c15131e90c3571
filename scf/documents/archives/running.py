"""Read an archive: its files go the way of many files, and each is noted under its name.

A worker that dies is followed by another: the files that are noted stay so, those that were stored
and not noted answer from their uploads, and the rest follows.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import select

from scf.db.leases import Claimed, report_progress
from scf.db.platform import Platform
from scf.documents import batch
from scf.documents.archives.commands import FILES, Noted, NoteFiles
from scf.documents.archives.opening import OpenedZip
from scf.documents.commands import OneUpload
from scf.documents.progress import Reach, as_stored
from scf.documents.slices import SentFile
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import InvalidInput, TooLarge, Words
from scf.kernel.findings import Finding, Severity

# How often a worker that reads says that it lives, well within what its lease allows.
BEAT: Final = dt.timedelta(seconds=5)


def run_archive(
    platform: Platform,
    row: Any,  # noqa: ANN401 - a row
    content: bytes,
    job: Claimed | None,
    watch: Callable[[Reach], None],
) -> None:
    """Import every file of an archive that was received, and finish its upload."""
    _Archive(platform, row, job, watch).run(content)


class _Archive:
    """One run over one archive."""

    def __init__(
        self,
        platform: Platform,
        row: Any,  # noqa: ANN401 - a row
        job: Claimed | None,
        watch: Callable[[Reach], None],
    ) -> None:
        self.platform, self.row = platform, row
        self.job, self.watch = job, watch
        # In the name of who handed the archive in; that person was allowed to when it was received.
        self.actor = Actor(row.user_id, row.org_id, frozenset({Role.OPERATOR, Role.TREASURER}))
        self.reach = Reach(unit="files")
        self.since = self.told_at = platform.clock.now()
        self.began_at = 0
        self.waiting: deque[Noted] = deque()  # in the order of the archive
        self.refused: list[Noted] = []

    def run(self, content: bytes) -> None:
        opened = self._opened(content)
        if opened is not None:
            self._files(opened)
        finish = OneUpload(upload_id=self.row.id)
        self.platform.run("upload.finish", finish, self.actor, key=f"{self.row.id}:finish")

    def _opened(self, content: bytes) -> OpenedZip | None:
        """Measure the archive; what keeps it out as a whole is noted instead."""
        told: list[Finding] = []
        opened = None
        try:
            if self.row.mode == "atomic" or self.row.mapping:
                raise InvalidInput(  # noqa: TRY301 - one place notes every reason
                    "ZIP_ONE_FILE",
                    "All or nothing, and what columns mean, are said of one file."
                    " Hand the archive in without, or that file alone.",
                )
            opened = OpenedZip(content)
            if not len(opened):
                raise InvalidInput("ZIP_EMPTY", "There is no file in the archive.")  # noqa: TRY301
        except (InvalidInput, TooLarge) as refusal:
            told.append(Finding(Severity.ERROR, refusal.code, refusal.words))
            opened = None
        if opened is not None and opened.left_out:
            message = Words(
                "Parts that programs left in the archive are passed over: %(count)s.",
                count=opened.left_out,
            )
            told.append(Finding(Severity.INFO, "ZIP_LEFT_OUT", message))
        if told:
            self._note([], told, "whole")
        return opened

    def _files(self, opened: OpenedZip) -> None:
        done = self._done()
        self.reach.total, self.reach.done = len(opened), len(done)
        self.began_at = len(done)
        how = batch.HowToRead(self.row.format, self.row.document_type)
        files = self._to_read(opened, done)
        parts = batch.take(
            self.platform, self.actor, files, how, archive_id=self.row.id, beat=self._beat
        )
        for part in parts:
            noted = [self.waiting.popleft()._replace(upload_id=one.upload_id) for one in part]
            self._note_files(noted)
        self._note_files([])

    def _to_read(self, opened: OpenedZip, done: frozenset[int]) -> Iterator[SentFile]:
        for packed, found in opened.files(done):
            noted = Noted(packed.place, packed.name)
            if isinstance(found, Finding):
                self.refused.append(noted._replace(refused=found))
            else:
                self.waiting.append(noted)
                yield found

    def _note_files(self, noted: list[Noted]) -> None:
        """Note a slice of files, and with them those that were refused on the way."""
        files = sorted([*noted, *self.refused])
        self.refused = []
        if files:
            self._note(files, [], str(files[0].place))
            self.reach.done += len(files)
            self._tell()

    def _note(self, files: list[Noted], findings: list[Finding], name: str) -> None:
        payload = NoteFiles(
            archive_id=self.row.id,
            places=[one.place for one in files],
            files=files,
            findings=findings,
        )
        self.platform.run("archive.note", payload, self.actor, key=f"{self.row.id}:{name}")

    def _done(self) -> frozenset[int]:
        query = select(FILES.c.place).where(FILES.c.archive_id == self.row.id)
        with self.platform.db.snapshot() as conn:
            return frozenset(conn.execute(query).scalars())

    def _beat(self) -> None:
        if self.platform.clock.now() - self.told_at >= BEAT:
            self._tell()

    def _tell(self) -> None:
        """Tell who waits how far it is, and keep the job."""
        self.told_at = self.platform.clock.now()
        self.watch(self.reach)
        if self.job is not None:
            told = as_stored(self.reach, self.began_at, self.since, self.told_at)
            report_progress(self.platform.db, self.platform.clock, self.job, told)
