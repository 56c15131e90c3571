"""A supplier with a channel, and the rounds that visit it."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import select

from scf.channels import commands
from scf.channels.exchange import SETTLE
from scf.channels.models import Channel, ChannelFile
from scf.channels.rounds import EVERY, Rounds
from scf.db.engine import Database
from scf.documents.models import Invoice, Upload
from scf.notices.models import Notice
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from tests.support.people import World, small_world

VAULT = Vault(b"k" * 32)


class Desk:
    """The small world, whose supplier has one channel."""

    def __init__(self, db: Database, room: Path, /, **wanted: Any) -> None:  # noqa: ANN401
        self.world: World = small_world(db)
        self.platform = self.world.platform
        self.who = self.world.people["treasurer"]
        kind: dict[str, Any] = {"name": "Our ERP", "kind": "FOLDER"} | wanted
        self.secret, made = commands.add(self.platform, VAULT, self.who, kind, key="channel")
        self.id = str(made.result["id"])
        self.root, self.keys = room / "channels", room / "keys"
        self.folder = self.root / self.id
        self.targets = Targets(loopback=True)
        if kind["kind"] == "FOLDER":
            self.look()

    def look(self) -> int:
        """Let the worker come by once, after its pause."""
        self.world.clock.advance(max(EVERY.values()) + SETTLE)
        return Rounds(self.platform, self.targets, self.root, self.keys).look()

    def looks(self) -> None:
        """Let it come by until a file that lies there whole has been taken."""
        self.look()
        self.look()

    def drop(self, name: str | bytes, content: bytes) -> None:
        """Lay a file into in/ as a sender does."""
        (self.folder / "in" / os.fsdecode(name)).write_bytes(content)

    def names(self, folder: str) -> list[str]:
        return sorted(one.name for one in (self.folder / folder).iterdir())

    def text(self, folder: str, ending: str) -> str:
        (name,) = [one for one in self.names(folder) if one.endswith(ending)]
        return (self.folder / folder / name).read_text("utf-8")

    def rows(self, model: Any) -> list[Any]:  # noqa: ANN401
        with self.platform.db.snapshot() as conn:
            table = model.__table__
            return list(conn.execute(select(table).order_by(table.c.id)))

    def files(self) -> list[tuple[str, str, str | None]]:
        """Give name, state and reason of what came."""
        return [(row.name, row.state, row.reason) for row in self.rows(ChannelFile)]

    def uploads(self) -> list[Any]:
        return self.rows(Upload)

    def invoices(self) -> list[str]:
        return sorted(row.number for row in self.rows(Invoice))

    def told(self) -> list[tuple[str, str]]:
        """Give what people were told of, once the worker has handed every event on."""
        self.platform.worker().drain()
        return [(row.user_id, row.message) for row in self.rows(Notice)]

    def channel(self) -> Any:  # noqa: ANN401
        return self.rows(Channel)[0]
