"""The rounds of a worker: each channel is visited in its turn, by one worker at a time."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import or_, select, update

from scf.channels.exchange import Visit
from scf.channels.folders import Folders, LocalFolders
from scf.channels.models import Channel
from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Unavailable
from scf.notices.webhooks.targets import NotReached, Targets
from scf.parties.access import may
from scf.parties.service import actor_of_user

_channel = Channel.__table__  # type: ignore[attr-defined]
EVERY: Final = {"FOLDER": dt.timedelta(seconds=5), "SFTP": dt.timedelta(seconds=60)}
AFTER_PROBLEM: Final = dt.timedelta(minutes=5)
LEASE: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Rounds:
    """Visits channels; ``root`` holds the drop folders, ``keys`` our private keys."""

    platform: Platform
    targets: Targets
    root: Path
    keys: Path

    def look(self) -> int:
        """Visit every channel whose turn it is; gives how many files were dealt with."""
        done = 0
        while (channel := self._claim()) is not None:
            problem = None
            try:
                done += self._visit(channel)
            except NotReached as why:
                problem = why.code
            except OSError:
                problem = "FOLDERS"
            except Unavailable as why:
                problem = why.code
            finally:
                self._leave(channel, problem)
        return done

    def _claim(self) -> Any:  # noqa: ANN401 - a row
        now = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            row = conn.execute(
                select(_channel)
                .where(
                    _channel.c.state == "ACTIVE",
                    _channel.c.kind != "PUSH",
                    _channel.c.next_look_at <= now,
                    or_(_channel.c.lease_until.is_(None), _channel.c.lease_until < now),
                )
                .order_by(_channel.c.next_look_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is not None:
                conn.execute(
                    update(_channel)
                    .where(_channel.c.id == row.id)
                    .values(lease_until=now + LEASE, next_look_at=now + EVERY[row.kind])
                )
        return row

    def _visit(self, channel: Any) -> int:  # noqa: ANN401 - a row
        with self.platform.db.snapshot() as conn:
            actor = actor_of_user(conn, channel.user_id)
        if actor is None or not may(actor, "upload.receive"):
            raise Unavailable("CHANNEL_PERSON", "The person of this channel may hand nothing in.")
        folders = self._folders(channel)
        try:
            return Visit(self.platform, channel, actor, folders).run()
        finally:
            folders.close()

    def _folders(self, channel: Any) -> Folders:  # noqa: ANN401 - a row
        if channel.kind == "FOLDER":
            return LocalFolders(self.root, channel.id)
        from scf.channels.sftp import RemoteFolders

        address = self.targets.addresses(channel.host, channel.port)[0]
        return RemoteFolders(channel, address, self.keys)

    def _leave(self, channel: Any, problem: str | None) -> None:  # noqa: ANN401 - a row
        now = self.platform.clock.now()
        values: dict[str, Any] = {"lease_until": None, "looked_at": now}
        if problem is None:
            values["problem"] = None
        else:
            values["next_look_at"] = now + AFTER_PROBLEM
            self.platform.run(
                "channel.report",
                {"channel_id": channel.id, "problem": problem},
                OPERATOR,
                key=f"channel.report:{channel.id}:{now.isoformat()}",
            )
        with self.platform.db.writer.begin() as conn:
            conn.execute(update(_channel).where(_channel.c.id == channel.id).values(**values))
