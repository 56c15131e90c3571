"""Read what a stranger sent in a process of its own, which is ended when it asks for too much.

A parser that is led astray (a bomb, an endless loop, a fault in a library) costs its own process
and nothing else: memory, processor time, waiting time and output are limited, the environment is
empty, and neither the database nor a secret is within reach. The task names a function of this
project, ``"package.module:function"``; it is called with the file, an empty file for its answer and
its options, and refuses by raising ``InvalidInput`` or ``TooLarge``, which come through whole.
"""

import contextlib
import importlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Final

from scf.kernel.errors import InvalidInput, ScfError, TooLarge

_REFUSED: Final = 3
_NO_MEMORY: Final = 4
_OURS: Final = "scf."
_MAX_WORDS: Final = 65_536
_BLOCK: Final = 262_144
_AHEAD: Final = 1_048_576  # as much as Linux lets a pipe hold
_KINDS: Final[dict[str, type[ScfError]]] = {"InvalidInput": InvalidInput, "TooLarge": TooLarge}


@dataclass(frozen=True)
class Limits:
    """What one reading may cost."""

    memory_bytes: int = 640 * 1024 * 1024  # of address space, of which little is ever touched
    cpu_seconds: int = 20
    wall_seconds: int = 120  # the machine may be busy with other things
    output_bytes: int = 256 * 1024 * 1024


USUAL: Final = Limits()


def run(
    task: str,
    source: bytes,
    options: Mapping[str, object] | None = None,
    limits: Limits = USUAL,
) -> IO[bytes]:
    """Call a function in a limited process; gives what it wrote, from its start.

    Raises
    ------
    InvalidInput
        What the function refused, or FILE_BROKEN when it fell over the file.
    TooLarge
        READING_LIMIT when the process came to the end of its time or memory.
    """
    words = _words(task, options, limits)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(source)
        given.seek(0)
        answer = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads it and lets it go
        with _started(words, given, answer, told) as child:
            try:
                code = child.wait(limits.wall_seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                code = _NO_MEMORY
        if code:
            answer.close()
            told.seek(0)
            raise _refusal(code, told.read(_MAX_WORDS))
    answer.seek(0)
    return answer


def stream(
    task: str,
    source: bytes,
    options: Mapping[str, object] | None = None,
    limits: Limits = USUAL,
) -> Generator[bytes, None, None]:
    """Call a function in a limited process; gives the lines that it writes while it writes them.

    The process goes ahead by what a pipe holds, then waits while nobody asks for its next line, and
    is ended where nobody will. It may be silent for ``wall_seconds``; ``output_bytes`` bound one
    line here.

    Raises
    ------
    InvalidInput
        What the function refused, or FILE_BROKEN, after the lines that came before.
    TooLarge
        READING_LIMIT when the process came to the end of its time or memory.
    """
    words = _words(task, options, limits)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(source)
        given.seek(0)
        with _started(words, given, subprocess.PIPE, told) as child:
            _widen(child)
            try:
                yield from _lines(child, limits)
                code = child.wait(limits.wall_seconds)
            except (subprocess.TimeoutExpired, TimeoutError):
                code = _NO_MEMORY
            finally:
                child.kill()
        if code:
            told.seek(0)
            raise _refusal(code, told.read(_MAX_WORDS))


def _widen(child: subprocess.Popen[bytes]) -> None:
    """Let a process write ahead while what it wrote before is worked on, where the system can."""
    import fcntl

    mouth = child.stdout
    if mouth is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # more than this system gives one user
            fcntl.fcntl(mouth, fcntl.F_SETPIPE_SZ, _AHEAD)


def _lines(child: subprocess.Popen[bytes], limits: Limits) -> Iterator[bytes]:
    """Give what a process writes, line by line; TimeoutError for silence and for endless lines."""
    mouth = child.stdout
    assert mouth is not None  # noqa: S101 - it was asked for
    rest = b""
    while True:
        heard, _writable, _odd = select.select([mouth], [], [], limits.wall_seconds)
        if not heard or len(rest) > limits.output_bytes:
            raise TimeoutError
        part = os.read(mouth.fileno(), _BLOCK)
        if not part:
            return
        lines = (rest + part).split(b"\n")
        rest = lines.pop()
        yield from lines


def _words(task: str, options: Mapping[str, object] | None, limits: Limits) -> str:
    if not task.startswith(_OURS):
        raise ValueError(f"{task} is no function of this project")
    return json.dumps([task, dict(options or {}), asdict(limits)])


def _started(
    words: str, given: IO[bytes], answer: IO[bytes] | int, told: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-I", "-m", "scf.kernel.confined", words],
        stdin=given,
        stdout=answer,
        stderr=told,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"},
        cwd="/",
        start_new_session=True,
    )


def _refusal(code: int, told: bytes) -> ScfError:
    if code == _REFUSED:
        try:
            kind, name, message, facts = json.loads(told)
            return _KINDS[kind](name, message, **facts)
        except (ValueError, KeyError, TypeError):
            pass  # a child led astray has no words for us
    if code < 0 or code == _NO_MEMORY:
        return TooLarge(
            "READING_LIMIT", "Reading this file takes more time or memory than a file may."
        )
    return InvalidInput("FILE_BROKEN", "The file is damaged and cannot be read.")


def _limit(limits: Limits) -> None:
    import resource

    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
    ):
        # Some systems know a limit and refuse to set it; the time of waiting still holds.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (value, value))


def _main(words: str) -> int:
    task, options, limits = json.loads(words)
    _limit(Limits(**limits))
    module, _sign, name = task.partition(":")
    try:
        work = getattr(importlib.import_module(module), name)
        with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as answer:
            work(source, answer, **options)
    except (InvalidInput, TooLarge) as refusal:
        told = [type(refusal).__name__, refusal.code, refusal.template, refusal.facts]
        sys.stderr.write(json.dumps(told, default=str))
        return _REFUSED
    except ModuleNotFoundError:
        return 1
    except (MemoryError, OSError, ImportError):  # a compiled module found no room to be loaded
        return _NO_MEMORY
    except BaseException:  # noqa: BLE001 - a library's panic is no Exception; its file is to blame
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
