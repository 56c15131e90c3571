"""What is wrong with a document, all of it at once, each with its place.

An import never stops at the first mistake: it returns findings, and the person who sent the
file sees every one of them with severity, code, place, message and the offending value.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scf.kernel.errors import words_as_stored

MAX_VALUE: Final = 200

# Control, format (bidi overrides, zero width), surrogate, private use, line and paragraph
# separator: a value full of them could repaint the screen or the log that shows it.
_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Severity(StrEnum):
    """How much a finding weighs: an ERROR keeps the document out, a WARNING does not."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


def shown(value: str, limit: int = MAX_VALUE) -> str:
    """Return foreign text as it may be shown: invisible characters escaped, cut at ``limit``."""
    # Escaping only lengthens, so what lies past the limit cannot come back.
    text = "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _ESCAPED
        else char
        for char in value[: limit + 1]
    )
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a document.

    ``place`` is a path as in XPath, or words such as "row 12, column amount". Place and value
    are made safe to show when the finding is made. A message with places in it is ``Words``, so
    that every reader is told it in his own language.
    """

    severity: Severity
    code: str
    message: str
    place: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", shown(self.place))
        object.__setattr__(self, "value", shown(self.value))

    @property
    def is_error(self) -> bool:
        """Tell whether this finding keeps the document out."""
        return self.severity is Severity.ERROR

    def as_dict(self) -> dict[str, str]:
        """Return the finding as the API and ``--json`` show it."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "place": self.place,
            "message": str(self.message),
            "value": self.value,
        }

    def as_stored(self) -> dict[str, object]:
        """Return the finding as an answer keeps it, to be told later in any language."""
        return self.as_dict() | {"words": words_as_stored(self.message)}
