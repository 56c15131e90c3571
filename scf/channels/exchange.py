"""One visit to a channel's folders: files that are whole come in, what waits goes out.

A file goes SEEN → CLAIMED → TAKEN or REFUSED. It is claimed in the database, renamed out of in/,
read, handed in under a key made of its own bytes, acknowledged and laid down. Wherever a worker
dies, the next one finds the row and the file under the row's id and goes through the same steps
again: each of them gives what it gave before.
"""

import datetime as dt
import hashlib
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, update

from scf.channels import acknowledge
from scf.channels.folders import Entry, Folders
from scf.channels.models import ChannelFile
from scf.channels.outputs import write_due
from scf.channels.rules import DONE, is_a_document, is_marked, path_of, plain_name
from scf.db.leases import MAX_DEATHS
from scf.db.platform import Platform
from scf.documents import errorfile
from scf.documents.archives.opening import is_archive
from scf.documents.archives.results import all_of, became, placed, with_its_files
from scf.documents.commands import MAX_UPLOAD
from scf.documents.giving_up import give_up_file
from scf.documents.handing import HandedIn, take_in
from scf.documents.intake import is_table
from scf.documents.models import DocumentFinding, Upload
from scf.documents.readers import format_of
from scf.kernel.actor import Actor
from scf.kernel.errors import ScfError
from scf.kernel.findings import Severity, shown
from scf.kernel.ids import new_id

_file = ChannelFile.__table__  # type: ignore[attr-defined]
_finding = DocumentFinding.__table__  # type: ignore[attr-defined]
_upload = Upload.__table__  # type: ignore[attr-defined]

LEASE: Final = dt.timedelta(minutes=10)
SETTLE: Final = dt.timedelta(seconds=2)  # between the two looks that must agree
MAX_FILES: Final = 50  # of one visit; the rest waits for the next
MAX_FINDINGS: Final = 20_000


class Visit:
    """One look at one channel, in the name of its own person."""

    def __init__(self, platform: Platform, channel: Any, actor: Actor, folders: Folders) -> None:  # noqa: ANN401
        self.platform = platform
        self.channel = channel
        self.actor = actor
        self.folders = folders
        self._names: dict[str, str] = {}

    def run(self) -> int:
        """Take what is whole and write what waits; gives how many files were dealt with."""
        self._look()
        taken = self._claim()
        for row in taken:
            self._take(row)
        return len(taken) + write_due(self.platform, self.channel.id, self.folders)

    # -- seen

    def _look(self) -> None:
        """Note what lies in in/ and whether it looks as it did at the look before."""
        now = self.platform.clock.now()
        listed = {path_of(one.name): one for one in self.folders.listing()}
        self._names = {path: one.name for path, one in listed.items()}
        names = {one.name for one in listed.values()}
        with self.platform.db.writer.begin() as conn:
            known = {
                row.path: row
                for row in conn.execute(
                    select(_file).where(
                        _file.c.channel_id == self.channel.id,
                        or_(_file.c.state == "SEEN", _file.c.reason == "NOT_A_FILE"),
                    )
                )
            }
            for path, row in known.items():
                if row.state == "SEEN" and path not in listed:
                    conn.execute(delete(_file).where(_file.c.id == row.id))
            for path, one in sorted(listed.items()):
                if not is_a_document(one.name):
                    continue
                # A marker says what two looks would show.
                since = now - SETTLE if is_marked(one.name, names) else now
                before = known.get(path)
                if before is None:
                    conn.execute(insert(_file), self._seen(path, one, since))
                elif before.state == "SEEN" and (
                    (before.size, before.changed) != (one.size, one.changed) or since < now
                ):
                    values = {"size": one.size, "changed": one.changed, "seen_at": since}
                    conn.execute(update(_file).where(_file.c.id == before.id).values(**values))

    def _seen(self, path: str, one: Entry, since: dt.datetime) -> dict[str, Any]:
        return {
            "id": new_id(),
            "channel_id": self.channel.id,
            "org_id": self.channel.org_id,
            "path": path,
            "name": shown(one.name, 400) or "?",
            "size": one.size,
            "changed": one.changed,
            "state": "SEEN" if one.is_file else "REFUSED",
            "reason": None if one.is_file else "NOT_A_FILE",
            "seen_at": since,
            "done_at": None if one.is_file else since,
        }

    # -- claimed

    def _claim(self) -> list[Any]:
        """Make what is whole ours, and what a worker left behind."""
        now = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            rows = conn.execute(
                select(_file)
                .where(
                    _file.c.channel_id == self.channel.id,
                    _file.c.state.in_(("SEEN", "CLAIMED")),
                    or_(_file.c.lease_until.is_(None), _file.c.lease_until < now),
                    or_(_file.c.state == "CLAIMED", _file.c.seen_at <= now - SETTLE),
                )
                .order_by(_file.c.id)
                .limit(MAX_FILES)
                .with_for_update(skip_locked=True)
            ).all()
            conn.execute(
                update(_file)
                .where(_file.c.id.in_([row.id for row in rows]))
                .values(state="CLAIMED", lease_until=now + LEASE)
            )
        return list(rows)

    def _take(self, row: Any) -> None:  # noqa: ANN401 - a row
        held = self.folders.held(row.id)
        name = self._names.get(row.path)
        if held is None and row.state == "CLAIMED" and row.upload_id:
            self._note_the_end(row)
            return
        if held is None and name is not None and self.folders.take(name, row.id):
            held = self.folders.held(row.id)
        if held is None:
            self._forget(row)
            return
        if (held.size, held.changed) != (row.size, row.changed):
            self._again(row, held)
            return
        # By its path: a worker that died may have taken the file and left its marker.
        marker = self._names.get(row.path + DONE)
        if marker is not None:
            self.folders.drop(marker)
        self._hand_in(row, held)

    def _note_the_end(self, row: Any) -> None:  # noqa: ANN401 - a row
        """All but the last note was made by a worker that died."""
        with self.platform.db.snapshot() as conn:
            state = conn.execute(
                select(_upload.c.state).where(_upload.c.id == row.upload_id)
            ).scalar_one()
        refused = state == "REFUSED"
        self._done(row, "REFUSED" if refused else "TAKEN", reason="REFUSED" if refused else None)

    def _forget(self, row: Any) -> None:  # noqa: ANN401 - a row
        """Its sender took the file back before we did."""
        with self.platform.db.writer.begin() as conn:
            conn.execute(delete(_file).where(_file.c.id == row.id))

    def _again(self, row: Any, held: Entry) -> None:  # noqa: ANN401 - a row
        """Somebody still wrote while it was taken: look at it once more later."""
        with self.platform.db.writer.begin() as conn:
            conn.execute(
                update(_file)
                .where(_file.c.id == row.id)
                .values(
                    size=held.size,
                    changed=held.changed,
                    lease_until=self.platform.clock.now() + SETTLE,
                )
            )

    # -- taken

    def _hand_in(self, row: Any, held: Entry) -> None:  # noqa: ANN401 - a row
        name = plain_name(row.name)
        if held.size > MAX_UPLOAD:
            self._refuse(row, name, "TOO_LARGE", "")
            return
        content = self.folders.read(row.id, MAX_UPLOAD)
        sha256 = hashlib.sha256(content).hexdigest()
        if row.begun >= MAX_DEATHS:
            give_up_file(self.platform, self.actor, sha256)
            self._refuse(row, name, "READING_GIVEN_UP", sha256)
            return
        options = {"document_type": self.channel.document_type, "mode": self.channel.mode}
        self._begun(row, row.begun + 1)
        try:
            handed = take_in(self.platform, self.actor, row.name, content, options)
        except Exception as refusal:
            self._begun(row, row.begun)
            if not isinstance(refusal, ScfError):
                raise
            if refusal.http_status >= 500:  # noqa: PLR2004 - it may work later
                raise
            self._refuse(row, name, refusal.code, sha256)
            return
        with self.platform.db.writer.begin() as conn:
            conn.execute(
                update(_file)
                .where(_file.c.id == row.id)
                .values(sha256=sha256, upload_id=handed.upload_id)
            )
        self._acknowledge(row, name, content, sha256, handed)

    def _begun(self, row: Any, times: int) -> None:  # noqa: ANN401 - a row
        """Note that the reading begins; a worker that dies of the file cannot note it later."""
        with self.platform.db.writer.begin() as conn:
            conn.execute(update(_file).where(_file.c.id == row.id).values(begun=times))

    def _refuse(self, row: Any, name: str, code: str, sha256: str) -> None:  # noqa: ANN401 - a row
        told = acknowledge.as_json(
            row.name, sha256, {"state": "REFUSED", "code": code, "upload_id": None}, []
        )
        self.folders.put("ack", f"{row.id[-12:]}-{name}.ack.json", told)
        self.folders.finish(row.id, "error", f"{row.id[-12:]}-{name}")
        self._done(row, "REFUSED", reason=code, sha256=sha256 or None)

    def _acknowledge(
        self,
        row: Any,  # noqa: ANN401 - a row
        name: str,
        content: bytes,
        sha256: str,
        handed: HandedIn,
    ) -> None:
        findings, at = self._findings(handed.upload_id)
        inside = self._inside(handed.upload_id) if is_archive(content) else {}
        stem = f"{sha256[:12]}-{name}"
        bad = handed.summary["state"] == "REFUSED" or handed.summary["bad"] > 0
        if bad:
            errors = self._error_file(content, findings, handed.upload_id)
            self.folders.put("error", f"{stem}.errors.csv", errors)
        told = [
            {name: getattr(one, name) for name in ("severity", "code", "place", "message", "value")}
            for one in findings
        ]
        answer = acknowledge.as_json(row.name, sha256, handed.summary | inside, told)
        self.folders.put("ack", f"{stem}.ack.json", answer)
        refused = acknowledge.refused_messages(told)
        form = format_of(content)
        if form == "edifact":
            made = acknowledge.contrl(content, refused, at, sha256[:12].upper())
            if made:
                self.folders.put("ack", f"{stem}.contrl.edi", made)
        elif form == "x12":
            made = acknowledge.functional(content, refused, at, int(sha256[:7], 16) + 1)
            if made:
                self.folders.put("ack", f"{stem}.997.x12", made)
        whole = handed.summary["state"] != "REFUSED"
        self.folders.finish(row.id, "archive" if whole else "error", stem)
        state = "TAKEN" if whole else "REFUSED"
        self._done(row, state, reason=None if whole else "REFUSED", upload_id=handed.upload_id)

    def _findings(self, upload_id: str) -> tuple[list[Any], dt.datetime]:
        with self.platform.db.snapshot() as conn:
            at = conn.execute(
                select(_upload.c.created_at).where(_upload.c.id == upload_id)
            ).scalar_one()
            rows = conn.execute(
                select(_finding)
                .where(_finding.c.upload_id.in_(with_its_files(upload_id)))
                .order_by(_finding.c.id)
                .limit(MAX_FINDINGS)
            ).all()
            told = placed(conn, upload_id, [DocumentFinding(**row._mapping) for row in rows])  # noqa: SLF001 - a row's own way to its columns
        return told, at

    def _inside(self, upload_id: str) -> dict[str, Any]:
        """Tell what became of each file of an archive."""
        with self.platform.db.read(self.actor) as session:
            files = list(session.execute(all_of(upload_id)).scalars())
            return {"files": [one.as_dict() for one in became(session, files)]}

    def _error_file(self, content: bytes, findings: list[Any], upload_id: str) -> bytes:
        out = [
            one
            for one in findings
            if one.severity == Severity.ERROR.value and one.document_id is None
        ]
        if is_table(content, "auto"):
            return errorfile.bad_rows(content, out, None, self.channel.document_type, upload_id)
        return errorfile.list_of(out)

    def _done(self, row: Any, state: str, **values: Any) -> None:  # noqa: ANN401 - a row, columns
        now = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            conn.execute(
                update(_file)
                .where(_file.c.id == row.id)
                .values(state=state, lease_until=None, done_at=now, **values)
            )
