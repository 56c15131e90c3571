"""A process that holds documents against the rules for another, under limits it sets itself.

Started by ``service`` as ``python -m scf.documents.einvoice.child DESCRIPTOR``: the number of a
socket on which documents come in and verdicts go out, each as its length and its bytes. It ends
when the socket does, so it outlives nobody.

Whatever a document does to the rules stays in here: memory and processor time are bounded, and
from the first document on no file and no connection can be opened any more.
"""

from __future__ import annotations

import json
import math
import os
import resource
import socket
import struct
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from scf.documents.einvoice.validator import Broken, Validator, Verdict
from scf.kernel.errors import ScfError

MEMORY_BYTES: Final = 1 << 30
# The largest document that we read takes two seconds, the first one of a kind half a second more.
CPU_SECONDS: Final = 10
_LENGTH: Final = struct.Struct(">I")


def send(connection: socket.socket, content: bytes) -> None:
    """Send one message, its length first."""
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> bytes | None:
    """Receive one message; None when the other side has ended."""
    head = _exactly(connection, _LENGTH.size)
    return None if head is None else _exactly(connection, _LENGTH.unpack(head)[0])


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def answer_of(validator: Validator, content: bytes) -> dict[str, Any]:
    """Give the verdict on one document, or why there is none, ready for JSON."""
    try:
        return {"verdict": asdict(validator.check(content))}
    except ScfError as error:
        return {"refused": error.code}


def verdict_of(answer: dict[str, Any]) -> Verdict:
    """Read back a verdict that :func:`answer_of` gave."""
    said = dict(answer["verdict"])
    broken = tuple(Broken(**one) for one in said.pop("broken"))
    return Verdict(broken=broken, **said)


def bound_the_memory() -> None:
    """Let this process have a bounded memory; the processor fails, and with it only we do."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def close_the_doors() -> None:
    """From now on this process opens no file and no connection, and writes no core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def bound_the_next_document() -> None:
    """Let the next document use a bounded time of the processor; past it the system ends us."""
    spent = math.ceil(time.process_time())
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, hard))


def serve(connection: socket.socket) -> None:
    """Answer document by document until the other side ends."""
    validator = Validator()
    validator.read_all()
    close_the_doors()
    while (content := receive(connection)) is not None:
        bound_the_next_document()
        send(connection, json.dumps(answer_of(validator, content)).encode())


def main() -> None:
    """Serve the socket whose number is the only argument."""
    bound_the_memory()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        # A processor that fails may print what it was working on; nobody is to read that.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        serve(connection)


if __name__ == "__main__":
    main()
