"""When a file is whole, and what files are called that we write."""

import re
from collections.abc import Collection
from typing import Final

from scf.kernel.findings import shown

DONE: Final = ".done"
# What programs call a file that they are still writing.
_UNFINISHED: Final = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", "~")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
MAX_NAME: Final = 120


def is_a_document(name: str) -> bool:
    """Tell whether a name in in/ is one to take: not hidden, not unfinished, no marker."""
    return not name.startswith(".") and not name.lower().endswith((*_UNFINISHED, DONE))


def is_marked(name: str, names: Collection[str]) -> bool:
    """Tell whether the sender has said with a marker that a file is whole."""
    return name + DONE in names


def plain_name(name: str) -> str:
    """Give a name that no system takes for anything but a name."""
    whole = _PLAIN.sub("_", shown(name, 400)).strip("._")
    head, dot, ending = whole.rpartition(".")
    if dot and len(ending) <= 10:  # noqa: PLR2004 - longer is no ending
        return f"{head[: MAX_NAME - len(ending)] or 'file'}.{ending}"
    return whole[:MAX_NAME] or "file"


def path_of(name: str) -> str:
    """Spell a name so that any database keeps it; two names never get one spelling."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1").encode(
        "unicode_escape"
    ).decode("ascii")[:4000]  # fmt: skip
