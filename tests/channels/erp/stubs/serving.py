"""The HTTP side of a stub: one process, one file in which its state outlives being killed."""

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

State = dict[str, Any]
# Method, path with query, headers in lower case, body → status, answer.
Answerer = Callable[[State, str, str, dict[str, str], Any], tuple[int, Any]]


class Refusal(Exception):
    """What a stub refuses, as its system does: the status, the exception's class, the words."""

    def __init__(self, status: int, kind: str, words: str) -> None:
        super().__init__(status, kind, words)
        self.status, self.kind, self.words = status, kind, words


def _keep(file: Path, state: State) -> None:
    """Write the state so that a reader sees the old one or the new one."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(state), encoding="utf-8")
    fresh.replace(file)


def serve(answer: Answerer, refused: Callable[[Refusal], Any]) -> None:
    """Serve on ``PORT`` over the state in ``FILE`` until killed; each call is one transaction."""
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            heads = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                state: State = json.loads(file.read_text(encoding="utf-8"))
                before = json.dumps(state)
                try:
                    asked = json.loads(body) if body else None
                    status, said = answer(state, self.command, self.path, heads, asked)
                except Refusal as no:
                    status, said = no.status, refused(no)
                else:
                    if json.dumps(state) != before:
                        _keep(file, state)
            html = isinstance(said, str) and said.startswith("<")
            content = said.encode() if html else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if html else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._any()

        def do_POST(self) -> None:
            self._any()

        def do_PUT(self) -> None:
            self._any()

        def do_DELETE(self) -> None:
            self._any()

        def log_message(self, *_words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever(poll_interval=0.05)
