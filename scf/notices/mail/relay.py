"""The operator's mail server, spoken to by SMTP: who is at fault when a letter does not leave.

A server that cannot be reached, does not prove who it is or does not let us in says nothing about
a letter: that is :class:`Away`, and everything waits. What it says to one recipient or one letter
is :class:`Later` (4xx) or :class:`Refused` (5xx). Source: RFC 5321 section 4.2.1, RFC 3463 for
the meaning of enhanced codes.
"""

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Final

from scf.notices.tries import in_time

STEP_SECONDS: Final = 30.0  # for one answer
WHOLE_SECONDS: Final = 300.0  # for a conversation, however many letters it carries
MAX_ANSWER: Final = 500
_READY: Final = 220
_PERMANENT: Final = 500
_GOING_AWAY: Final = 421
# "No such mailbox", where no enhanced code says more: RFC 5321, 4.2.2.
_NO_MAILBOX: Final = frozenset({550, 551, 553})
_ENHANCED: Final = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True)
class Said:
    """What a server answered: its number and its words, made harmless."""

    status: int
    text: str

    def __str__(self) -> str:
        return f"{self.status} {self.text}".strip() if self.status else self.text

    @property
    def no_such_mailbox(self) -> bool:
        """Whether the mailbox itself is wrong, rather than this letter or the way it came."""
        found = _ENHANCED.match(self.text)
        if found is None:
            return self.status in _NO_MAILBOX
        return found[2] == "1" or found.groups() == ("5", "2", "1")


# Why a server cannot be used: it does not answer, does not prove its name or has no encryption,
# does not know us, does not take our sender, or fell silent over a letter.
AWAY: Final = ("CONNECTION", "TLS", "LOGIN", "SENDER", "BROKEN")


class Away(Exception):
    """The server cannot be used now, whatever the letter; ``code`` is one of :data:`AWAY`."""

    def __init__(self, code: str, said: Said | None = None) -> None:
        super().__init__(code, said)
        self.code, self.said = code, said


class Later(Exception):
    """The server does not take this letter now."""

    def __init__(self, said: Said) -> None:
        super().__init__(said)
        self.said = said


class Refused(Exception):
    """The server will never take this letter; ``mailbox``: nor any other for its recipient."""

    def __init__(self, said: Said, *, mailbox: bool) -> None:
        super().__init__(said, mailbox)
        self.said, self.mailbox = said, mailbox


Send = Callable[[EmailMessage], None]


@dataclass(frozen=True)
class Relay:
    """Where letters are handed in, and as whom.

    Attributes
    ----------
    security
        ``starttls``: nothing is said before the connection is encrypted and the server has proved
        its name; ``tls`` from the first byte; ``none`` for a server on this very machine.
    sender
        Stands in every letter, and takes what other servers send back.
    """

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    step_seconds: float = STEP_SECONDS
    whole_seconds: float = WHOLE_SECONDS

    @property
    def own_name(self) -> str:
        """What we call ourselves to the server, and after whom Message-IDs are named."""
        return self.sender.rpartition("@")[2]

    @contextlib.contextmanager
    def conversation(self) -> Iterator[Send]:
        """Open a connection that letters can be handed in over.

        Raises
        ------
        Away
            Now, or while letters are handed in.
        """
        with in_time(self.whole_seconds) as within:
            server = self._opened(within)
            try:
                yield lambda letter: self._send(server, letter)
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    server.quit()
                server.close()

    def _opened(self, within: Callable[[socket.socket], None]) -> smtplib.SMTP:
        server = _Watched(within, self.own_name, self.step_seconds, self.security == "tls")
        try:
            greeting = server.connect(self.host, self.port)
            if greeting[0] != _READY:
                raise self._away(server, "CONNECTION", smtplib.SMTPConnectError(*greeting))
            server.ehlo_or_helo_if_needed()
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as refused:
            code = "LOGIN" if refused.smtp_code >= _PERMANENT else "CONNECTION"
            raise self._away(server, code, refused) from None
        except ssl.SSLError as unproved:
            raise self._away(server, "TLS", unproved) from None
        except smtplib.SMTPNotSupportedError as lacking:
            code = "LOGIN" if self._is_safe(server) else "TLS"
            raise self._away(server, code, lacking) from None
        except (smtplib.SMTPException, OSError, ValueError) as unreached:
            raise self._away(server, "CONNECTION", unreached) from None
        return server

    def _is_safe(self, server: smtplib.SMTP) -> bool:
        return self.security == "none" or isinstance(server.sock, ssl.SSLSocket)

    @staticmethod
    def _away(server: smtplib.SMTP, code: str, why: Exception) -> Away:
        server.close()
        return Away(code, _said_by(why))

    def _send(self, server: smtplib.SMTP, letter: EmailMessage) -> None:
        try:
            server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            ((status, text),) = refused.recipients.values()
            raise _of_letter(_said(status, text)) from None
        except smtplib.SMTPDataError as refused:
            said = _said(refused.smtp_code, refused.smtp_error)
            raise _of_letter(said, mailbox=False) from None
        except smtplib.SMTPSenderRefused as refused:
            raise Away("SENDER", _said_by(refused)) from None
        except (smtplib.SMTPException, OSError) as broken:
            raise Away("BROKEN", _said_by(broken)) from None


class _Watched(smtplib.SMTP):
    """A connection that is cut when all of it has taken too long; with TLS from its first byte."""

    def __init__(
        self,
        within: Callable[[socket.socket], None],
        name: str,
        seconds: float,
        tls: bool,  # noqa: FBT001
    ) -> None:
        self._within, self._tls = within, tls
        super().__init__(local_hostname=name, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:  # noqa: ANN401 - smtplib's own
        plain = socket.create_connection((host, port), timeout)
        self._within(plain)
        self._host = host  # whose name the certificate must bear, also after STARTTLS
        if not self._tls:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _of_letter(said: Said, *, mailbox: bool = True) -> Exception:
    if said.status == _GOING_AWAY:
        return Away("BROKEN", said)
    if said.status >= _PERMANENT:
        return Refused(said, mailbox=mailbox and said.no_such_mailbox)
    return Later(said)


def _said_by(why: Exception) -> Said:
    if isinstance(why, smtplib.SMTPResponseException):
        return _said(why.smtp_code, why.smtp_error)
    return _said(0, str(why))


def _said(status: int, text: bytes | str) -> Said:
    """Make an answer fit to be stored and shown: one line of signs that can be printed."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return Said(status, line[:MAX_ANSWER])
