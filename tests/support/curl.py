"""The few options of curl that our pages use, for machines that have no curl.

Only what is written here is understood; a page that uses more fails its test.
"""

import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from pathlib import Path

FAILED = 22  # as curl ends for an error of the server


def main(words: Sequence[str]) -> int:  # noqa: C901 - one branch an option
    """Send one request and print its answer."""
    headers: dict[str, str] = {}
    parts: list[tuple[str, str]] = []
    url, method, body, included = "", "", None, False
    rest = iter(words)
    for word in rest:
        match word:
            case "-s" | "-sS" | "-sf" | "--fail-with-body":
                pass
            case "-i":
                included = True
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest).encode()
            case "--data-binary":
                body = _file(next(rest), "@")
            case "-F":
                name, _, value = next(rest).partition("=")
                parts.append((name, value))
            case _ if word.startswith("http://127.0.0.1:") and not url:
                url = word
            case _:
                raise SystemExit(f"curl: {word!r} is not understood here")
    if parts:
        boundary = uuid.uuid4().hex
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        body = _form(parts, boundary)
    method = method or ("GET" if body is None else "POST")
    return _send(urllib.request.Request(url, body, headers, method=method), included)  # noqa: S310


def _send(request: urllib.request.Request, included: bool) -> int:
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback, see above
            head, content, code = str(answer.headers), answer.read(), 0
    except urllib.error.HTTPError as error:
        head, content, code = str(error.headers), error.read(), FAILED
    except OSError:
        return 7
    if included:
        sys.stdout.write(head)
        sys.stdout.flush()
    sys.stdout.buffer.write(content)
    return code


def _file(word: str, mark: str) -> bytes:
    if not word.startswith(mark):
        return word.encode()
    return Path(word.removeprefix(mark)).read_bytes()


def _form(parts: Sequence[tuple[str, str]], boundary: str) -> bytes:
    made = b""
    for name, value in parts:
        is_file = value.startswith("@")
        named = f'; filename="{Path(value[1:]).name}"' if is_file else ""
        made += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'.encode()
        if is_file:
            made += b"Content-Type: application/octet-stream\r\n"
        made += b"\r\n" + _file(value, "@" if is_file else "<") + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
