"""Calling an address that somebody else has typed, without being led into our own network.

The name is resolved once, every address it has must be public, and the connection goes to one of
exactly those addresses: a name that means something else a moment later changes nothing. A
redirect is an answer like any other and is not followed. Source: OWASP ASVS 5.0, V1.3.6 and
V15.3.2; the special ranges are those of the IANA registries (RFC 6890 and its successors).
"""

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import SplitResult, urlsplit

from scf.kernel.errors import InvalidInput
from scf.notices.tries import in_time

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

MAX_URL: Final = 2000
SECONDS: Final = 10.0  # for one call as a whole
MAX_ANSWER: Final = 65_536
HTTPS_PORT: Final = 443
LOWEST_OTHER_PORT: Final = 1024
MAX_TRIED: Final = 2  # addresses of one name
_NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Of IPv6 only global unicast is public, less what stands for something else inside it: tunnels
# and translations carry an IPv4 address that nobody has looked at.
_PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
_INNER_ENDINGS: Final = frozenset({"localhost", "local", "internal", "arpa", "onion", "invalid"})
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class NotReached(Exception):
    """The call came to no answer; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What came back: the status and the head, never the body."""

    status: int
    headers: tuple[tuple[str, str], ...]


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system for every address of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True)
class Targets:
    """Which addresses may be called, and how.

    Attributes
    ----------
    loopback
        Plain http to this very machine is allowed: for development and tests, never otherwise.
    """

    loopback: bool = False
    resolver: Resolver = system_resolver
    tls: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)
    seconds: float = SECONDS

    def check(self, url: str) -> SplitResult:
        """Read an address as somebody typed it; nothing is resolved or called yet.

        Raises
        ------
        InvalidInput
            WEBHOOK_URL, with what is wrong.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _bad("it cannot be read") from None
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise _bad("it holds signs that no address has")
        if "\\" in url or parts.username is not None or parts.fragment or not parts.hostname:
            raise _bad("it holds more than https, a name, a port and a path")
        host = parts.hostname.lower()
        if self.loopback and _bracketed(host) in _LOOPBACK_NAMES and parts.scheme == "http":
            return parts
        if parts.scheme != "https":
            raise _bad("it does not begin with https")
        if port not in {None, HTTPS_PORT} and (port or 0) < LOWEST_OTHER_PORT:
            raise _bad("its port belongs to another service")
        literal = _literal(host)
        if literal is not None:
            if not is_public(literal):
                raise _bad("it does not lead to a public address")
        elif not _is_full_name(host):
            raise _bad("its name is not a full name of the internet")
        return parts

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body once; gives the head of whatever came back.

        Raises
        ------
        NotReached
            ADDRESS, NAME, TLS, TIMEOUT, CONNECTION or ANSWER.
        """
        return self.exchange(url, body, headers, MAX_ANSWER)[0]

    def exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], most: int, method: str = "POST"
    ) -> tuple[Answer, bytes]:
        """Send a body once; gives the head and at most so many bytes of whatever came back.

        Raises
        ------
        NotReached
            ADDRESS, NAME, TLS, TIMEOUT, CONNECTION or ANSWER.
        """
        try:
            parts = self.check(url)
        except InvalidInput:
            raise NotReached("ADDRESS") from None
        host = (parts.hostname or "").lower()
        port = parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with in_time(self.seconds) as within:
            connection = _Pinned(host, port, self._connect(parts.scheme, host, port, within))
            try:
                connection.request(method, path, body or None, dict(headers))
                answer = connection.getresponse()
                content = answer.read(most)
                return Answer(answer.status, tuple(answer.getheaders())), content
            except TimeoutError:
                raise NotReached("TIMEOUT") from None
            except (OSError, HTTPException, ValueError):
                raise NotReached("ANSWER") from None
            finally:
                connection.close()

    def addresses(self, host: str, port: int) -> list[str]:
        """Give every address of a host, once all of them are allowed.

        Raises
        ------
        NotReached
            NAME when there is none; ADDRESS when one of them is not public.
        """
        literal = _literal(host)
        try:
            found = [str(literal)] if literal else list(self.resolver(host, port))
        except (OSError, UnicodeError):
            raise NotReached("NAME") from None
        if not found:
            raise NotReached("NAME")
        for text in found:
            if not self._allowed(text):
                raise NotReached("ADDRESS")
        return found

    def _allowed(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return is_public(address) or (self.loopback and address.is_loopback)

    def _connect(
        self, scheme: str, host: str, port: int, within: Callable[[socket.socket], None]
    ) -> socket.socket:
        for address in self.addresses(host, port)[:MAX_TRIED]:
            try:
                plain = socket.create_connection((address, port), timeout=self.seconds / 2)
            except OSError:
                continue
            within(plain)
            if scheme != "https":
                return plain
            try:
                return self.tls().wrap_socket(plain, server_hostname=host)
            except (OSError, ValueError):
                plain.close()
                raise NotReached("TLS") from None
        raise NotReached("CONNECTION")


def is_public(address: Address) -> bool:
    """Tell whether an address lies in the public internet and stands for nothing else."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in one for one in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _PUBLIC_6:
        return False
    return not any(address in one for one in _NOT_PUBLIC_6)


class _Pinned(HTTPConnection):
    """A connection whose socket stands already; it never looks the name up itself."""

    def __init__(self, host: str, port: int, sock: socket.socket) -> None:
        super().__init__(_bracketed(host), port)
        self.sock = sock

    def connect(self) -> None:
        """Refuse to connect anew."""
        raise NotReached("CONNECTION")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_full_name(host: str) -> bool:
    ending = host.rpartition(".")[2]
    is_number = _NUMBER.fullmatch(ending) is not None
    return _NAME.fullmatch(host) is not None and not is_number and ending not in _INNER_ENDINGS


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bad(why: str) -> InvalidInput:
    return InvalidInput(
        "WEBHOOK_URL",
        "This address cannot be called. It needs https, a public name and a path, such as"
        " https://erp.example.com/events.",
        why=why,
    )
