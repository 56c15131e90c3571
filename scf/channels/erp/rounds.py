"""The rounds over connections with ERPs: read what changed there, write what happened here."""

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import or_, select, update

from scf.channels.erp.commands import owner
from scf.channels.erp.connectors import make_of
from scf.channels.erp.models import ErpConnection
from scf.channels.erp.port import PULLS, PUSHES, Erp
from scf.channels.erp.pulling import pull
from scf.channels.erp.pushing import Pushing
from scf.channels.erp.restored import must_be_as_left
from scf.channels.erp.unmapped import UNMAPPED, lacking, said_of
from scf.channels.erp.wire import Refused
from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import ScfError, Unavailable
from scf.notices.tries import jitter, quiet_for
from scf.notices.webhooks.targets import NotReached, Targets
from scf.parties.access import may
from scf.parties.factors.vault import Vault
from scf.parties.service import actor_of_user

_connection = ErpConnection.__table__  # type: ignore[attr-defined]
EVERY: Final = dt.timedelta(minutes=5)
# A worker that died holds the connection so long: longer than any call of it can still go on there.
LEASE: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class ErpRounds:
    """Visits ERPs whose turn it is, one worker at a time each."""

    platform: Platform
    vault: Vault
    targets: Targets

    def look(self) -> int:
        """Visit every connection that is due; gives how many rounds were made."""
        rounds = 0
        while (connection := self._claim()) is not None:
            self._round(connection)
            rounds += 1
        return rounds

    def _claim(self) -> Any:  # noqa: ANN401 - a row
        now = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            row = conn.execute(
                select(_connection)
                .where(
                    _connection.c.state == "ACTIVE",
                    _connection.c.next_look_at <= now,
                    or_(_connection.c.lease_until.is_(None), _connection.c.lease_until < now),
                )
                .order_by(_connection.c.next_look_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is not None:
                self._lease(conn, row.id, now)
        return row

    def _lease(self, conn: Any, connection_id: str, now: dt.datetime) -> None:  # noqa: ANN401
        conn.execute(
            update(_connection)
            .where(_connection.c.id == connection_id)
            .values(lease_until=now + LEASE, next_look_at=now + EVERY)
        )

    def _round(self, connection: Any) -> None:  # noqa: ANN401 - a row
        begun = self.platform.run(
            "erp.begin",
            {"connection_id": connection.id},
            OPERATOR,
            key=f"erp.begin:{connection.id}:{self.platform.clock.now().isoformat()}",
        )
        run_id = str(begun.result["id"])
        at = _Place()
        problem: tuple[str, str] | None = None
        try:
            self._visit(connection, run_id, at)
        except NotReached as why:
            problem = (why.code, "")
        except Refused as why:
            problem = (why.code, why.said)
        except Unavailable as why:
            problem = (why.code, why.message)
        except ScfError as why:
            problem = ("ERP_HERE", why.message)
        now = self.platform.clock.now()
        wait = EVERY
        if problem is not None and problem[0] != UNMAPPED:
            wait = max(EVERY, quiet_for(connection.failures + 1)) * jitter()
        code, said = problem or (None, None)
        self.platform.run(
            "erp.end",
            {
                "connection_id": connection.id,
                "run_id": run_id,
                "next_at": now + wait,
                "problem": code,
                "place": at.name if code else None,
                "said": said[:400] if said else None,
            },
            OPERATOR,
            key=f"erp.end:{run_id}",
        )

    def _visit(self, connection: Any, run_id: str, at: "_Place") -> None:  # noqa: ANN401 - a row
        with self.platform.db.snapshot() as conn:
            actor = actor_of_user(conn, connection.user_id)
        if actor is None or not may(actor, "batch.post"):
            raise Unavailable("CHANNEL_PERSON", "The person of this channel may hand nothing in.")
        password = self.vault.open(connection.sealed, owner(connection.org_id))
        still_here = partial(self._still_here, connection.id)
        source = make_of(connection.kind).sign_in(self.targets, connection, password)
        if isinstance(source, Erp):
            with self.platform.db.snapshot() as conn:
                must_be_as_left(conn, source, connection.id)
        for stream in PULLS:
            if stream in connection.pulls:
                at.name = stream
                pull(self.platform, source, connection, actor, run_id, stream, still_here)
        if not isinstance(source, Erp):
            return
        pushing = Pushing(self.platform, source, connection, run_id, still_here)
        for kind in PUSHES:
            if kind in connection.pushes:
                at.name = kind
                pushing.run(kind)
        if "JOURNAL" in connection.pushes:
            self._must_be_mapped(connection, at)

    def _must_be_mapped(self, connection: Any, at: "_Place") -> None:  # noqa: ANN401 - a row
        """Tell at the end of a round, when all else is done, which account numbers are missing."""
        with self.platform.db.snapshot() as conn:
            missing = lacking(conn, connection)
        if missing:
            at.name = "JOURNAL"
            raise Refused(UNMAPPED, said_of(missing))

    def _still_here(self, connection_id: str) -> None:
        with self.platform.db.writer.begin() as conn:
            self._lease(conn, connection_id, self.platform.clock.now())


@dataclass
class _Place:
    """Where a round is."""

    name: str = "SIGN_IN"
