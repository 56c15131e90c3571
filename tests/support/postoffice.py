"""A mail server on this machine: keeps what came, answers as it is told."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

TAKEN: Final = "250 taken"
SENDER: Final = "notices@tributary.example"


@dataclass
class Came:
    """One letter as it came, the moment before it was answered."""

    to: tuple[str, ...]
    raw: bytes
    encrypted: bool

    @property
    def letter(self) -> EmailMessage:
        """Return the letter as a mail program reads it."""
        read = message_from_bytes(self.raw, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    @property
    def text(self) -> str:
        """Return its plain part."""
        part = self.letter.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        """Return its dressed part."""
        part = self.letter.get_body(("html",))
        assert part is not None
        return str(part.get_content())


@dataclass
class PostOffice:
    """What came, and what to answer next: the last answer is given from then on."""

    port: int = 0
    came: list[Came] = field(default_factory=list)
    to_recipient: list[str] = field(default_factory=lambda: [TAKEN])
    to_letter: list[str] = field(default_factory=lambda: [TAKEN])
    to_sender: list[str] = field(default_factory=lambda: [TAKEN])
    sign_in: tuple[str, str] | None = None

    async def handle_MAIL(  # noqa: N802 - the server's name for it
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        answer = _next(self.to_sender)
        if answer.startswith("2"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        answer = _next(self.to_recipient)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = _next(self.to_letter)
        if answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            came = Came(tuple(envelope.rcpt_tos), envelope.content, session.ssl is not None)
            self.came.append(came)
        return answer

    def lets_in(self, _server: object, _session: object, _way: object, _how: str, data: Any) -> Any:  # noqa: ANN401
        """Compare what somebody signs in with."""
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.sign_in, handled=False)


def _next(answers: list[str]) -> str:
    return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def post_office(
    tls: ssl.SSLContext | None = None, sign_in: tuple[str, str] | None = None
) -> Iterator[PostOffice]:
    """Listen on a free port; with ``tls`` nothing is taken before STARTTLS."""
    office = PostOffice(sign_in=sign_in)
    more: dict[str, Any] = {}
    if tls is not None:
        more = {"tls_context": tls, "require_starttls": True}
    if sign_in is not None:
        more |= {"auth_required": True, "authenticator": office.lets_in}

    def answering() -> SMTP:
        return SMTP(office, hostname="post.example", loop=loop, **more)

    async def listen() -> asyncio.AbstractServer:
        return await loop.create_server(answering, "127.0.0.1", 0)

    async def end() -> None:
        server.close()
        others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    office.port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield office
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
