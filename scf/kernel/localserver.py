"""A small JSON server on this machine: a registry for its members, simulators of other services."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SLOW_SECONDS: Final = 30.0


class LocalServer(ThreadingHTTPServer):
    """One service behind one port; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.ending = threading.Event()

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_port}"

    def dawdle(self) -> None:
        """Be slow on purpose, until the end at most."""
        self.ending.wait(SLOW_SECONDS)

    def close(self) -> None:
        """Stop answering, at once."""
        self.ending.set()
        self.shutdown()
        self.server_close()


class JsonHandler(BaseHTTPRequestHandler):
    """Answers in JSON and says nothing on the console."""

    def send(self, status: int, said: Any) -> None:  # noqa: ANN401 - any JSON, or the bytes themselves
        """Send an answer, unless who asked has gone."""
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass

    def log_message(self, *_args: object) -> None:
        """Say nothing of each call."""
