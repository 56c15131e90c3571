"""Files over the API: read whole within a limit, given only as an attachment."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request

from scf.kernel.findings import shown
from web.problems import BadRequest, WrongType

BYTES: Final = "application/octet-stream"
_FORM: Final = "multipart/form-data"
_UNSAFE_IN_NAMES: Final = str.maketrans(dict.fromkeys('/\\:"<>|?*', "_"))


@dataclass(frozen=True)
class Sent:
    """A file as it was sent, and what was said beside it."""

    name: str
    content: bytes
    said: dict[str, Any]


def sent_file() -> Sent:
    """Read the file of this request: part ``file`` of a form, or the body as it is.

    Beside a form's file its other fields say how to read it, beside a plain body the query does.

    Raises
    ------
    BadRequest
        FILE_MISSING without one; PARAMETER_TWICE for what is said twice.
    WrongType
        For a packed transfer or a form of another kind.
    """
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise WrongType("CONTENT_ENCODING", "Send the file itself; a gzip file is read as it is.")
    said: dict[str, Any] = dict(request.args)
    if request.mimetype == "application/x-www-form-urlencoded":
        raise WrongType("CONTENT_TYPE", "Send the bytes of the file, or multipart/form-data.")
    if request.mimetype != _FORM:
        content = request.get_data(cache=False)
        if not content:
            raise BadRequest("FILE_MISSING", "Send a file.")
        return Sent(shown(str(said.pop("name", "")), 400), content, said)
    files = request.files.getlist("file")
    others = [name for name in request.files if name != "file"]
    if len(files) != 1 or others:
        raise BadRequest("FILE_MISSING", "Send one file, in the part named file.")
    for name, values in request.form.lists():
        if len(values) > 1 or name in said:
            raise BadRequest("PARAMETER_TWICE", "A field stands twice.", parameter=name[:100])
        said[name] = values[0]
    name = str(said.pop("name", "")) or files[0].filename or ""
    return Sent(shown(name, 400), files[0].read(), said)


def attachment(content: bytes, name: str, media: str = BYTES) -> Response:
    """Give a file to keep; nothing of it is ever shown by a browser within our origin."""
    answer = Response(content, content_type=media)
    safe = name.translate(_UNSAFE_IN_NAMES).strip(". ")[:200] or "file"
    answer.headers.add("Content-Disposition", "attachment", filename=safe)
    return answer
