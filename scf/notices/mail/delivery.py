"""Letters on their way out: taken up by one worker each, sent, and tried again as webhooks are.

At least once. What is written here belongs to no command: like a lease it says how far work is. A
worker that dies after the server took a letter and before that is written down sends it again once
its lease has ended: byte for byte the same letter under the same Message-ID, by which mailboxes
and people can tell. Two workers never hold one letter.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import words_from_stored
from scf.kernel.ids import new_id
from scf.notices import tries
from scf.notices.mail.commands import owner
from scf.notices.mail.models import Letter, Mailbox
from scf.notices.mail.relay import AWAY, Away, Later, Refused, Relay, Said, Send
from scf.notices.mail.rules import kind_of, must_be_an_address
from scf.notices.mail.writing import code_slot
from scf.notices.models import Notice
from scf.parties.factors.vault import Vault
from scf.parties.models import User

_letter = Letter.__table__  # type: ignore[attr-defined]
_mailbox = Mailbox.__table__  # type: ignore[attr-defined]
_notice = Notice.__table__  # type: ignore[attr-defined]
_user = User.__table__  # type: ignore[attr-defined]

# Longer than a conversation can last, however slow the server: who is cut off has not sent.
LEASE: Final = dt.timedelta(seconds=900)
ROUND: Final = 50  # letters handed in over one connection
# What nobody could send for so long is not sent when the server comes back: it is in the portal.
TOO_OLD: Final = dt.timedelta(days=3)
SENDER_NAME: Final = "Tributary"


@dataclass(frozen=True)
class Line:
    """One notice as a letter tells it; ``words`` can be told in any language."""

    notice_id: str
    kind: str
    words: str
    at: dt.datetime


@dataclass(frozen=True)
class Content:
    """What a letter says: a short subject without figures, plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Outgoing:
    """One letter that is ours for a while, with all that it says."""

    id: str
    user_id: str
    address: str
    kind: str
    language: str
    zone: str
    due_at: dt.datetime
    attempts: int
    lines: Sequence[Line] = ()
    code: str = field(default="", repr=False)


Write = Callable[[Outgoing], Content]


def message(one: Outgoing, content: Content, relay: Relay) -> EmailMessage:
    """Put a letter together; the same one gives the same bytes at every try.

    Raises
    ------
    ValueError
        For a header that would hold a second line: nothing that a person typed stands in one but
        the address, which was read as an address before.
    """
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(SENDER_NAME, addr_spec=relay.sender)
    made["To"] = Address(addr_spec=one.address)
    made["Subject"] = content.subject
    made["Date"] = one.due_at
    made["Message-ID"] = f"<{one.id}@{relay.own_name}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    made.set_content(content.text)
    made.add_alternative(content.html, subtype="html")
    made["Content-Language"] = one.language
    made.set_boundary(f"=_{one.id}")
    return made


@dataclass
class Postman:
    """Sends what is due, over one connection at a time."""

    platform: Platform
    vault: Vault
    relay: Relay
    write: Write
    jitter: Callable[[], float] = tries.jitter
    _failures: int = 0
    _quiet_until: dt.datetime | None = None

    def send_due(self) -> int:
        """Hand in what is due; gives how many letters were tried."""
        now = self.platform.clock.now()
        if self._quiet_until is not None and now < self._quiet_until:
            return 0
        one = self._claim()
        tried = 0
        try:
            if one is not None:
                with self.relay.conversation() as send:
                    while one is not None:
                        tried += 1
                        self._send(send, one)
                        one = self._claim() if tried < ROUND else None
        except Away as away:
            import structlog

            structlog.get_logger(__name__).warning(
                "mail_server_away", problem=away.code, said=str(away.said or "")
            )
            self._failures += 1
            self._quiet_until = now + tries.quiet_for(self._failures)
            if one is not None:
                self._put_back(one, away.code, away.said)
            return max(tried, 1)
        if tried:
            self._failures, self._quiet_until = 0, None
        return tried

    def try_out(self, address: str) -> None:
        """Hand one letter in that tells nothing, to see whether the server takes it.

        Raises
        ------
        InvalidInput
            MAILBOX_ADDRESS.
        Away
            The server cannot be used.
        Later
            It does not take the letter now.
        Refused
            It never takes it.
        """
        must_be_an_address(address)
        now = self.platform.clock.now()
        one = Outgoing(new_id(), "", address, "TRY", "en", "UTC", now, 1)
        with self.relay.conversation() as send:
            send(message(one, self.write(one), self.relay))

    def _send(self, send: Send, one: Outgoing) -> None:
        try:
            send(message(one, self.write(one), self.relay))
        except Later as refusal:
            self._put_back(one, "LATER", refusal.said)
        except Refused as refusal:
            if refusal.mailbox:
                # First the end of the mailbox: if we die between the two, it is found again.
                told = {"user_id": one.user_id, "address": one.address}
                key = f"mail.refuse:{one.id}"
                self.platform.run(
                    "mail.refuse", told | {"answer": str(refusal.said)}, OPERATOR, key=key
                )
            self._note(one, {"state": "FAILED", "problem": "REFUSED"}, refusal.said)
        else:
            self._note(one, {"state": "SENT", "problem": None}, None)

    def _put_back(self, one: Outgoing, problem: str, said: Said | None) -> None:
        values: dict[str, Any] = {"problem": problem}
        if tries.is_last(one.attempts):
            values["state"] = "FAILED"
        else:
            now = self.platform.clock.now()
            values["next_at"] = tries.next_try(now, one.attempts, self.jitter())
        self._note(one, values, said)

    def _note(self, one: Outgoing, values: dict[str, Any], said: Said | None) -> None:
        """Write down what came of a try, unless another worker has taken the letter up since."""
        values |= {
            "lease_until": None,
            "status": said.status if said else None,
            "answer": said.text if said else None,
        }
        if "state" in values:
            values["done_at"] = self.platform.clock.now()
        with self.platform.db.writer.begin() as conn:
            conn.execute(
                update(_letter)
                .where(_letter.c.id == one.id, _letter.c.attempts == one.attempts)
                .values(**values)
            )

    def _claim(self) -> Outgoing | None:
        """Take up the next letter that is to be sent, dropping those that are not any more."""
        while True:
            now = self.platform.clock.now()
            with self.platform.db.writer.begin() as conn:
                row = _next(conn, now)
                if row is None:
                    return None
                why = _why_not(conn, row, now)
                if why:
                    ended = "FAILED" if why == "GIVEN_UP" else "DROPPED"
                    values = {"state": ended, "problem": why, "done_at": now, "lease_until": None}
                    conn.execute(update(_letter).where(_letter.c.id == row.id).values(**values))
                    continue
                conn.execute(
                    update(_letter)
                    .where(_letter.c.id == row.id)
                    .values(lease_until=now + LEASE, attempts=row.attempts + 1)
                )
                lines = _lines(conn, row.id)
            return self._outgoing(row, lines)

    def _outgoing(self, row: Any, lines: Sequence[Line]) -> Outgoing:  # noqa: ANN401 - a row
        code = self.vault.open(row.sealed, owner(row.user_id)) if row.kind == "CODE" else ""
        return Outgoing(
            row.id,
            row.user_id,
            row.address,
            row.kind,
            row.language,
            row.zone,
            row.due_at,
            row.attempts + 1,
            lines,
            code,
        )


def trouble(conn: Connection) -> str:
    """Say why the mail server could not be used at the last try; nothing when it could."""
    return str(
        conn.execute(
            select(_letter.c.problem)
            .where(_letter.c.state == "WAITING", _letter.c.problem.in_(AWAY))
            .order_by(_letter.c.next_at.desc())
            .limit(1)
        ).scalar_one_or_none()
        or ""
    )


def _next(conn: Connection, now: dt.datetime) -> Any:  # noqa: ANN401 - a row
    return conn.execute(
        select(
            _letter, _mailbox.c.address, _mailbox.c.language, _mailbox.c.zone,
            _mailbox.c.sealed, _mailbox.c.code_digest, _mailbox.c.code_until,
            _mailbox.c.state.label("mailbox_state"), _user.c.email,
            _user.c.state.label("user_state"),
        )
        .join(_user, _user.c.id == _letter.c.user_id)
        .join(_mailbox, _mailbox.c.user_id == _letter.c.user_id, isouter=True)
        .where(
            _letter.c.state == "WAITING",
            _letter.c.next_at <= now,
            or_(_letter.c.lease_until.is_(None), _letter.c.lease_until < now),
        )
        .order_by(_letter.c.next_at, _letter.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=_letter)
    ).one_or_none()  # fmt: skip


def _why_not(conn: Connection, row: Any, now: dt.datetime) -> str:  # noqa: ANN401 - a row
    """Say why a letter is not sent after all; nothing when it is."""
    if tries.is_last(row.attempts):
        return "GIVEN_UP"  # whoever took it up last ended without a word
    reads = row.user_state == "ACTIVE" and row.address is not None and row.address == row.email
    if row.kind == "CODE":
        current = row.mailbox_state == "ASKED" and row.code_until and row.code_until > now
        known = current and row.slot == code_slot(row.code_digest or "")
        return "" if reads and known else "CODE"
    if not reads or row.mailbox_state != "CONFIRMED":
        return "MAILBOX"
    if not row.attempts and now - row.due_at > TOO_OLD:
        return "TOO_OLD"
    if not row.attempts and row.kind == "DIGEST" and not _keep_unread(conn, row.id):
        return "READ"
    return ""


def _keep_unread(conn: Connection, letter_id: str) -> int:
    """Take what was read in the portal meanwhile out of a letter; gives how much is left.

    Only before its first try: from then on it says the same each time.
    """
    conn.execute(
        update(_notice)
        .where(_notice.c.letter_id == letter_id, _notice.c.read_at.is_not(None))
        .values(letter_id=None)
    )
    left = select(func.count()).where(_notice.c.letter_id == letter_id)
    return int(conn.execute(left).scalar_one())


def _lines(conn: Connection, letter_id: str) -> list[Line]:
    rows = conn.execute(
        select(_notice).where(_notice.c.letter_id == letter_id).order_by(_notice.c.id)
    )
    return [
        Line(
            row.id, kind_of(row.topic).name, words_from_stored(row.message, row.words),
            row.created_at,
        )
        for row in rows
    ]  # fmt: skip
