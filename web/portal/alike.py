"""What the pages of a financier and of a buyer share about two papers that may be one claim."""

from typing import Any, Final

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.reporting.alike import Alike

MAX_WORDS: Final = 2000
_LEAST_WORDS: Final = 3
RULES: Final = {
    "SAME_NUMBER": _l("The same number over a New Year"),
    "SAME_ORDER": _l("The same order was billed twice"),
    "SAME_LINES": _l("The same goods within a week"),
    "SAME_AMOUNT": _l("The same amount within three days"),
    "SOME_LINES": _l("All lines of the other but one, within a week"),
    "SAME_UUID": _l("The same document by its own identifier"),
    "SAME_FILE": _l("The very same file"),
    "OTHER_BUYER": _l("The seller's same number and amount for another buyer"),
    "NEAR_NUMBER": _l("Almost the same number and amount within a week"),
}


# What is chosen on a page: the command's word, and which paper is then the copy.
_CHOICES: Final = {
    "DISTINCT": ("DISTINCT", "LATER"),
    "SAME": ("SAME", "LATER"),
    "EARLIER": ("SAME", "EARLIER"),
}


def asked_of(found: Alike) -> tuple[dict[str, Any], dict[str, str]]:
    """Read a form with a word on a suspicion: what the command is asked, and what is wrong."""
    chosen = _CHOICES.get(request.form.get("outcome", ""))
    reason = request.form.get("reason", "").strip()[:MAX_WORDS]
    errors = {}
    if chosen is None:
        errors["outcome"] = _("Choose your word.")
    if len(reason) < _LEAST_WORDS:
        errors["reason"] = _("Say what you saw, in a few words.")
    version = request.form.get("version", "")[:10]
    read = int(version) if version.isascii() and version.isdigit() else found.version
    outcome, copy_is = chosen or ("", "")
    asked = {
        "suspicion_id": found.id, "outcome": outcome, "copy_is": copy_is, "reason": reason,
        "version": read,
    }  # fmt: skip
    return asked, errors


def typed() -> dict[str, str]:
    """Give what was chosen and written, for a form that comes back."""
    return {
        "outcome": request.form.get("outcome", "")[:20],
        "reason": request.form.get("reason", "").strip()[:MAX_WORDS],
    }
