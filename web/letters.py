"""What an e-mail says: in its reader's language, in few words, with one way back into the portal.

The subject says what kind of news there is and nothing more, because it stands on locked screens;
amounts and numbers stand in the letter, as its reader sees them in the portal. What other people
typed (the name of a file, the number of an invoice) is printed so that no mail program makes a
link or a line of its own out of it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Flask, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scf.notices.mail.delivery import Content, Outgoing, Write
from web import i18n, refusals

PRODUCT: Final = "Tributary"
MAX_LINES: Final = 50  # of one letter; the portal has the others
_OF_THE_MAILBOX: Final = frozenset({"CODE", "TRY"})
_SUBJECTS: Final[Mapping[str, object]] = {
    "money": _l("News of your financing request"),
    "trade": _l("News of an invoice"),
    "payments": _l("A payment is due"),
    "provisions": _l("Provisions and write-offs"),
    "files": _l("A file is read"),
    "alerts": _l("A tax authority's word on an invoice"),
    "models": _l("A risk model needs a look"),
    "connections": _l("A connection needs a look"),
    "sign_in": _l("Your sign-in was changed"),
}
# Where a mail program would see the name of a site: between two parts of a name, and a scheme.
_LIKE_A_LINK: Final = re.compile(r"(?<=[\w-])\.(?=[^\W\d_])|(?<=\w):(?=//)")
_JOINER: Final = "\N{WORD JOINER}"


def writer(public_address: str) -> Write:
    """Give what writes letters whose links lead to the portal at an address."""
    app = Flask("web", root_path=str(Path(__file__).parent))
    app.jinja_env.autoescape = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.attach(app)
    refusals.attach(app)
    base = public_address.rstrip("/")

    def write(letter: Outgoing) -> Content:
        with app.app_context():
            i18n.speak(letter.language)
            return _written(letter, base)

    return write


def harmless(words: str) -> str:
    """Return a text as one line that no mail program takes for a link or an order of letters."""
    printable = "".join(sign if sign.isprintable() else " " for sign in words)
    return _LIKE_A_LINK.sub(lambda found: _JOINER + found[0], " ".join(printable.split()))


def _written(letter: Outgoing, base: str) -> Content:
    lines = [harmless(refusals.translated(line.words)) for line in letter.lines[:MAX_LINES]]
    times = [i18n.moment(line.at, letter.zone) for line in letter.lines[:MAX_LINES]]
    more = len(letter.lines) - len(lines)
    values = {
        "product": PRODUCT,
        "subject": _subject(letter),
        "lead": _lead(letter),
        "lines": list(zip(lines, times, strict=True)) if len(lines) > 1 else [],
        "single": lines[0] if len(lines) == 1 else "",
        "more": ngettext("%(num)d more stands there.", "%(num)d more stand there.", more)
        if more
        else "",
        "code": letter.code,
        "button": _button(letter),
        "address": f"{base}{_path(letter)}",
        "why": _why(letter),
        "settings": "" if letter.kind in _OF_THE_MAILBOX else f"{base}/account/mail",
    }
    return Content(
        f"{PRODUCT}: {values['subject']}",
        _plain(values),
        render_template("mail/letter.html", **values),
    )


def _subject(letter: Outgoing) -> str:
    if letter.kind == "CODE":
        return str(_("Your code"))
    if letter.kind == "TRY":
        return str(_("A try"))
    if len(letter.lines) > 1:
        return str(ngettext("%(num)d notice", "%(num)d notices", len(letter.lines)))
    return str(_SUBJECTS[letter.lines[0].kind])


def _lead(letter: Outgoing) -> str:
    if letter.kind == "CODE":
        return str(
            _("Type this code in Tributary to get notices in this mailbox. It works for an hour.")
        )
    if letter.kind == "TRY":
        return str(_("The mail server takes the messages of this portal."))
    return str(_("This happened since the last message:")) if len(letter.lines) > 1 else ""


def _button(letter: Outgoing) -> str:
    if letter.kind == "CODE":
        return str(_("Type the code"))
    return str(_("See all notices")) if len(letter.lines) > 1 else str(_("Open in Tributary"))


def _path(letter: Outgoing) -> str:
    if letter.kind in _OF_THE_MAILBOX:
        return "/account/mail"
    return "/notices" if len(letter.lines) > 1 else f"/notices/{letter.lines[0].notice_id}"


def _why(letter: Outgoing) -> str:
    if letter.kind == "TRY":
        return str(_("Whoever runs the portal had this sent."))
    if letter.kind == "CODE":
        return str(
            _("Nobody of Tributary asks you for this code. If you did not ask for it, do nothing.")
        )
    return str(_("You chose to get this by e-mail. What comes here, and how often, you change at:"))


def _plain(values: Mapping[str, object]) -> str:
    """Write the letter without any dress."""
    told = [f"- {line}\n  {at}" for line, at in values["lines"]]  # type: ignore[attr-defined]
    parts = [
        values["product"],
        values["lead"],
        values["code"],
        values["single"],
        "\n".join(told),
        values["more"],
        f"{values['button']}:\n{values['address']}",
        f"-- \n{values['why']}\n{values['settings']}".rstrip(),
    ]
    return "\n\n".join(str(part) for part in parts if part) + "\n"
