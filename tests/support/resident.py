"""Programs that a shell calls often, without their start: each call is forked from one server.

The server has everything imported; a call is a process of its own with the caller's arguments,
folder, environment and standard streams, and ends with the program's exit code. What the shell
calls is this file, which hands the call over a socket that the shell has inherited. Words named
in ``starting`` start the program as a user's call does, so that this way stays proven, too.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"scf": "scf", "curl": "tests.support.curl"}  # what `python -m` would start
PATIENCE = 300  # seconds for a whole page: the longest takes 20 alone
_LENGTH = 4  # bytes in which a call says how long it is


@contextmanager
def programs(
    folder: Path, environment: Mapping[str, str], starting: Sequence[str] = ()
) -> Iterator["Shell"]:
    """Put ``scf`` and ``curl`` into a folder; gives the shell that finds them first."""
    ours, theirs = socket.socketpair()
    folder.mkdir()
    # Python's own `-IS` leaves out what the few lines below do not need.
    handed = f'exec "{sys.executable}" -IS "{__file__}" {ours.fileno()}'
    for name, module in MODULES.items():
        program = folder / name
        starts = f'exec "{sys.executable}" -m {module} "$@"'
        named = "|".join(starting) or "-"
        case = f'case "$1" in {named}) {starts};; *) {handed} {name} "$@";; esac'
        program.write_text(f"#!/bin/sh\n{case}\n", "utf-8")
        program.chmod(0o755)
    # A page's own PATH has the environment's Python first; so does this one.
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o755)
    found = {"PATH": f"{folder}:{environment['PATH']}", "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.resident", str(theirs.fileno())],
        cwd=ROOT,
        env={**environment, **found},
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    try:
        yield Shell({**environment, **found}, ours.fileno())
    finally:
        ours.close()  # which ends the server
        server.wait()


class Shell:
    """Bash, as a reader of a page has it who stops at the first command that fails."""

    def __init__(self, environment: Mapping[str, str], socket_number: int) -> None:
        self._environment, self._socket = environment, socket_number

    def run(self, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a script in a folder."""
        return subprocess.run(
            ["bash", "-euo", "pipefail"],
            input=script,
            cwd=folder,
            env=dict(self._environment),
            capture_output=True,
            text=True,
            check=False,
            pass_fds=[self._socket],
            timeout=PATIENCE,
        )


# --- The caller's side ------------------------------------------------------------------------


def _call(words: Sequence[str]) -> int:
    """Hand a call to the server; gives the exit code of the program."""
    here, there = socket.socketpair()
    with socket.socket(fileno=os.dup(int(words[0]))) as server:
        socket.send_fds(server, [b"."], [0, 1, 2, there.fileno()])
    there.close()
    asked = json.dumps([words[1], words[2:], str(Path.cwd()), dict(os.environ)]).encode()
    here.sendall(len(asked).to_bytes(_LENGTH) + asked)
    answer = here.recv(1)
    return answer[0] if answer else 1  # nothing is said when the program was killed


# --- The server's side ------------------------------------------------------------------------


def _serve(listening: socket.socket) -> None:
    import gc

    import scf.bootstrap
    from scf.cli.main import build_app
    from tests.support import curl

    build_app(())
    entries = {"scf": scf.cli.main, "curl": curl.main}
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the calls here
    while True:
        word, numbers, _flags, _address = socket.recv_fds(listening, 1, 4)
        if not word:
            return
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(entries, numbers)
        for number in numbers:
            os.close(number)


def _live(entries: Mapping[str, object], numbers: Sequence[int]) -> None:
    """Become the program that was called, to its end."""
    import traceback

    caller = socket.socket(fileno=numbers[3])
    for place, number in enumerate(numbers[:3]):
        os.dup2(number, place)
        os.close(number)
    size = int.from_bytes(_exactly(caller, _LENGTH))
    name, words, folder, environment = json.loads(_exactly(caller, size))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code: object = 1
    try:
        code = entries[name](words)  # type: ignore[operator]
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
    except BaseException:  # noqa: BLE001 - what python itself would print
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    caller.sendall(bytes([code if isinstance(code, int) else int(code is not None)]))
    os._exit(0)


def _exactly(source: socket.socket, size: int) -> bytes:
    """Read so many bytes."""
    read = b""
    while len(read) < size:
        read += source.recv(size - len(read))
    return read


if __name__ == "__main__":
    if len(sys.argv) > 2:
        raise SystemExit(_call(sys.argv[1:]))
    _serve(socket.socket(fileno=int(sys.argv[1])))
