"""Refusals told in the reader's language: one place for every page and every answer of the API.

``scf/`` writes its messages in English as templates over their facts; the catalogue holds the
templates (``web/extraction.py`` finds them), and here they are filled for the reader: money and
days as the language writes them, states and roles by their names.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Flask
from flask_babel import gettext as _

from scf.documents.models import DocumentFinding
from scf.kernel.errors import ScfError, Words, in_words, words_from_stored
from scf.kernel.findings import Finding, Severity
from web.i18n import day, money, role_name

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TEXTS: Final = frozenset({"message", "next_step"})
_IN_TABLE: Final = re.compile(r"row (\d+)(?:, line (\d+))?(?:, column (.+))?", re.DOTALL)
_IN_MESSAGE: Final = re.compile(r"line (\d+)(?:, field ([0-9A-Z]{2,3}))?")
_PLACE: Final = re.compile(r"%\((\w+)\)s")


def attach(app: Flask) -> None:
    """Let templates tell stored texts of ours in the reader's language."""
    app.jinja_env.filters["translated"] = translated
    app.jinja_env.filters["told"] = finding_text
    app.jinja_env.filters["place"] = place_text


def refusal_text(error: ScfError) -> str:
    """Return what a refusal says, in the reader's words."""
    return _filled(error.template, error.facts)


def translated(words: str) -> str:
    """Return a text of ours in the reader's language; what is no text of ours stays as it is."""
    if isinstance(words, Words):
        return _filled(words.template, words.values)
    return str(_(words)) if words else ""


def finding_text(found: Mapping[str, Any]) -> str:
    """Return what a finding says that an answer keeps, in the reader's words."""
    return translated(words_from_stored(found["message"], found.get("words")))


def facts_told(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts of a refusal with the texts among them in the reader's words."""
    return {name: _fact(name, value) for name, value in facts.items()}


def _fact(name: str, value: object) -> object:
    if isinstance(value, Words) or (name in _TEXTS and isinstance(value, str)):
        return translated(value)
    if isinstance(value, Mapping):
        return facts_told(value)
    return [_fact("", one) for one in value] if isinstance(value, list | tuple) else value


def findings_told(rows: Iterable[DocumentFinding]) -> list[Finding]:
    """Return stored findings in the reader's words, for a file that the reader takes along."""
    return [
        Finding(Severity(row.severity), row.code, translated(row.told), row.place, row.value)
        for row in rows
    ]


def place_text(place: str) -> str:
    """Return where a finding stands, in the reader's words; a path of XML stays as it is."""
    if place == "header":
        return str(_("header"))
    message = _IN_MESSAGE.fullmatch(place)  # of a bank: MT940
    if message is not None:
        line, field = message.groups()
        told = [_("line %(number)s", number=line)]
        return ", ".join([*told, _("field %(name)s", name=field)] if field else told)
    found = _IN_TABLE.fullmatch(place)
    if found is None:
        file, _sep, inside = place.partition(": ")  # of an archive
        return f"{file}: {place_text(inside)}" if _IN_TABLE.fullmatch(inside) else place
    row, line, column = found.groups()
    parts = [_("row %(number)s", number=row)]
    parts += [_("line %(number)s", number=line)] if line else []
    parts += [_("column %(name)s", name=column)] if column else []
    return ", ".join(parts)


def _filled(template: str, values: Mapping[str, object]) -> str:
    # An empty text names the catalogue's own header.
    words = str(_(template)) if template else ""
    if not values or "%(" not in template:
        return words
    return words % {name: _value(name, values) for name in _PLACE.findall(template)}


def _value(name: str, values: Mapping[str, Any]) -> str:
    value = values[name]
    if isinstance(value, Words):
        return translated(value)
    if name.endswith("_minor") and isinstance(values.get("currency"), str):
        return money(int(value), values["currency"])
    if isinstance(value, str) and _DAY.fullmatch(value):
        return day(dt.date.fromisoformat(value))
    if name == "needs_one_of":
        return in_words([role_name(role) for role in value])
    return in_words(value)
