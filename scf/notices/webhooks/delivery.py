"""Events on their way out: written for every endpoint that asked, tried until they are heard.

At least once. What is written here belongs to no command: like a lease it says how far work is,
and a worker that dies between a try and its record tries again with the same id and the same body.
The order of arrival is not promised; id and time stand in every message.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import new_id
from scf.notices import tries
from scf.notices.webhooks import events
from scf.notices.webhooks.commands import delivery_row, owner
from scf.notices.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from scf.notices.webhooks.secrets import in_force
from scf.notices.webhooks.targets import Answer, NotReached, Targets
from scf.parties.factors.vault import Vault

_endpoint = WebhookEndpoint.__table__  # type: ignore[attr-defined]
_delivery = WebhookDelivery.__table__  # type: ignore[attr-defined]
_attempt = WebhookAttempt.__table__  # type: ignore[attr-defined]

LEASE: Final = dt.timedelta(seconds=120)
AT_ONCE: Final = 4
ROUND: Final = 16  # taken up together; of one endpoint only one, so that a slow one holds nobody up
GONE: Final = 410
MAX_HEAD: Final = 2000
_HIDDEN: Final = frozenset({"set-cookie", "www-authenticate", "authorization"})
_NEW: Final = {
    "sqlite": sqlite.insert(_delivery).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_delivery).on_conflict_do_nothing(),
}
_OK: Final = range(200, 300)


def fan_out(platform: Platform, event: Claimed) -> int:
    """Write an event for every endpoint of its organisation that asked; twice is once."""
    if event.kind not in events.KINDS:
        return 0
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_endpoint).where(
                _endpoint.c.org_id == event.org_id, _endpoint.c.state != "REMOVED"
            )
        ).all()
        wanting = [row for row in rows if event.kind in row.events]
        if not wanting:
            return 0
    body = events.body_for(platform, event)
    if body is None:
        return 0
    now = platform.clock.now()
    made = [delivery_row(row, event.id, event.kind, event.created_at, body, now) for row in wanting]
    with platform.db.writer.begin() as conn:
        conn.execute(_NEW[platform.db.dialect], made)
    return len(made)


@dataclass(frozen=True)
class Outgoing:
    """One delivery that is ours for a while, with all that its call needs."""

    id: str
    endpoint_id: str
    org_id: str
    event_id: str
    body: str
    attempts: int
    url: str
    failures: int
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Courier:
    """Sends what is due."""

    platform: Platform
    vault: Vault
    targets: Targets
    jitter: Callable[[], float] = tries.jitter

    def send_due(self) -> int:
        """Try what is due, a few endpoints at once; gives how much was tried."""
        batch = self._claim()
        if not batch:
            return 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._send, batch))
        return len(batch)

    def _claim(self) -> list[Outgoing]:
        now = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            rows = conn.execute(
                select(
                    _delivery.c.id, _delivery.c.endpoint_id, _delivery.c.org_id,
                    _delivery.c.event_id, _delivery.c.body, _delivery.c.attempts,
                    _endpoint.c.url, _endpoint.c.failures, _endpoint.c.sealed,
                    _endpoint.c.former_sealed, _endpoint.c.former_until,
                )
                .join(_endpoint, _endpoint.c.id == _delivery.c.endpoint_id)
                .where(
                    _delivery.c.state == "WAITING",
                    _delivery.c.next_at <= now,
                    or_(_delivery.c.lease_until.is_(None), _delivery.c.lease_until < now),
                    _endpoint.c.state == "ACTIVE",
                    or_(_endpoint.c.quiet_until.is_(None), _endpoint.c.quiet_until <= now),
                )
                .order_by(_delivery.c.next_at, _delivery.c.id)
                .limit(10 * ROUND)
                .with_for_update(skip_locked=True, of=_delivery)
            ).all()  # fmt: skip
            first: dict[str, Any] = {}
            for row in rows:
                first.setdefault(row.endpoint_id, row)
            taken = list(first.values())[:ROUND]
            conn.execute(
                update(_delivery)
                .where(_delivery.c.id.in_([row.id for row in taken]))
                .values(lease_until=now + LEASE, attempts=_delivery.c.attempts + 1)
            )
        return [self._outgoing(row, now) for row in taken]

    def _outgoing(self, row: Any, now: dt.datetime) -> Outgoing:  # noqa: ANN401 - a row
        return Outgoing(
            row.id,
            row.endpoint_id,
            row.org_id,
            row.event_id,
            row.body,
            row.attempts + 1,
            row.url,
            row.failures,
            in_force(row, owner(row.org_id), self.vault, now),
        )

    def _send(self, one: Outgoing) -> None:
        now = self.platform.clock.now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tributary-Webhooks/1",
            "webhook-id": one.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature(one.secrets, one.event_id, now, one.body),
        }
        answer, problem = None, None
        try:
            answer = self.targets.post(one.url, one.body.encode(), headers)
        except NotReached as why:
            problem = why.code
        self._record(one, headers, answer, problem)

    def _record(
        self, one: Outgoing, headers: dict[str, str], answer: Answer | None, problem: str | None
    ) -> None:
        now = self.platform.clock.now()
        status = answer.status if answer is not None else None
        heard = status in _OK
        last = status == GONE or tries.is_last(one.attempts)
        if problem is None and not heard:
            problem = "REDIRECT" if status in range(300, 400) else "STATUS"
        if not heard and last:
            # First the end of the endpoint: if we die between the two, it is found again.
            reason = "GONE" if status == GONE else "UNREACHABLE"
            self.platform.run(
                "webhook.disable",
                {"webhook_id": one.endpoint_id, "reason": reason},
                OPERATOR,
                key=f"webhook.disable:{one.id}",
            )
        with self.platform.db.writer.begin() as conn:
            conn.execute(
                insert(_attempt),
                {
                    "id": new_id(),
                    "delivery_id": one.id,
                    "org_id": one.org_id,
                    "at": now,
                    "status": status,
                    "problem": problem,
                    "request_head": _request_head(one.url, headers),
                    "response_head": _response_head(answer),
                },
            )
            self._move(conn, one, now, heard=heard, last=last)

    def _move(
        self, conn: Connection, one: Outgoing, now: dt.datetime, *, heard: bool, last: bool
    ) -> None:
        values: dict[str, Any] = {"lease_until": None}
        if heard or last:
            values |= {"state": "DONE" if heard else "FAILED", "done_at": now}
        else:
            values["next_at"] = tries.next_try(now, one.attempts, self.jitter())
        conn.execute(update(_delivery).where(_delivery.c.id == one.id).values(**values))
        failures = 0 if heard else one.failures + 1
        quiet = None if heard else now + tries.quiet_for(failures)
        conn.execute(
            update(_endpoint)
            .where(_endpoint.c.id == one.endpoint_id)
            .values(failures=failures, quiet_until=quiet)
        )


def signature(keys: tuple[str, ...], message_id: str, at: dt.datetime, body: str) -> str:
    """Sign a message with every secret that is in force, as Standard Webhooks say."""
    from standardwebhooks import Webhook

    return " ".join(Webhook(key).sign(message_id, at, body) for key in keys)


def _request_head(url: str, headers: dict[str, str]) -> str:
    """Write what was sent down, without what could be sent again by somebody else."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path or '/'}{'?…' if parts.query else ''} HTTP/1.1"]
    lines.append(f"Host: {parts.hostname}")
    for name, value in headers.items():
        lines.append(f"{name}: {'v1,…' if name == 'webhook-signature' else value}")
    return "\n".join(lines)[:MAX_HEAD]


def _response_head(answer: Answer | None) -> str:
    if answer is None:
        return ""
    lines = [f"HTTP {answer.status}"]
    for name, value in answer.headers:
        lines.append(f"{name}: {'…' if name.lower() in _HIDDEN else value}")
    printable = ("".join(c if c.isprintable() else "?" for c in line) for line in lines)
    return "\n".join(printable)[:MAX_HEAD]
