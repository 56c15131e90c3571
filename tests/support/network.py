"""Tests reach no machine but this one."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class OutsideConnection(Exception):
    """A test tried to leave the machine; use a local stub instead."""


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):  # the path of a Unix socket
        return True
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Refuse every connection that is not to the loopback address."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any, /) -> None:  # noqa: ANN401 - as in socket
        if not _is_local(address):
            message = f"connection to {address!r}: use a stub on 127.0.0.1"
            raise OutsideConnection(message)
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()
