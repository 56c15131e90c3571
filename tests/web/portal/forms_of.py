"""Forms as pages draw them, filled in as a person would; whatever page, whatever form."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

# What a person types into a field of this name; anything else gets words.
TYPED = {
    "email": "somebody.new@firm.example",
    "password": "gravel-lantern-mimic-52",
    "again": "gravel-lantern-mimic-52",
    "percent": "3.45",
    "iban": "DE89370400440532013000",
    "currency": "EUR",
    "country": "AT",
    "value": "ATU13585627",
}
_MONEY = re.compile(r"amount|limit|face|buyer|sum|ceiling|part|pays")
_DAY = re.compile(r"_on$|^from$|^to$|day")
_LEFT_EMPTY = frozenset({"assertion"})


@dataclass
class Form:
    """One form of a page: where it is sent, and what it holds when nobody changes anything."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    is_file: bool = False
    signs: bool = False  # asks for the second factor
    typed: list[str] = field(default_factory=list)  # by a person, not by the page

    def put(self, name: str, value: str) -> None:
        """Add a value."""
        self.fields.setdefault(name, []).append(value)


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self.by_id = page, [], {}
        self._inside: Form | None = None
        self._select: tuple[Form, str] | None = None

    forms: list[Form]
    by_id: dict[str, Form]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(at.get("action") or self.page)
            self._inside.is_file = at.get("enctype", "").startswith("multipart")
            if at.get("method", "").lower() == "post":
                self.forms.append(self._inside)
            self.by_id[at.get("id", "")] = self._inside
            return
        of = self.by_id.get(at["form"]) if "form" in at else self._inside
        name = at.get("name", "")
        if of is None or (not name and tag != "option"):
            return
        if tag == "select":
            self._select = (of, name)
        elif tag == "option" and self._select is not None:
            form, name = self._select
            if at.get("value") and (name not in form.fields or "selected" in at):
                form.fields[name] = [at["value"]]
        elif tag == "textarea":
            of.put(name, "because it is so")
            of.typed.append("because it is so")
        elif tag == "input":
            self._input(of, name, at)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None

    @staticmethod
    def _input(of: Form, name: str, at: dict[str, str]) -> None:
        kind, value = at.get("type", "text"), at.get("value", "")
        if kind == "radio":
            if name not in of.fields or "checked" in at:
                of.fields[name] = [value]
        elif kind in {"hidden", "checkbox"} or value:
            of.put(name, value or "on")
        elif name == "code" and "one-time-code" in at.get("autocomplete", ""):
            of.signs = True
        elif kind != "file" and name not in _LEFT_EMPTY:
            of.put(name, _typed(name, kind))
            of.typed += [_typed(name, kind)] * (kind != "password")


def _typed(name: str, kind: str) -> str:
    if kind == "date" or _DAY.search(name):
        return "2026-03-02"
    if name in TYPED:
        return TYPED[name]
    return "1.00" if _MONEY.search(name) else "because it is so"


def forms_of(page: str, at: str) -> list[Form]:
    """Give the forms of a page that change something."""
    reader = _Reader(at)
    reader.feed(page)
    return reader.forms
