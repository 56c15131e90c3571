"""Every page that a person can open, found by following the links of the portal itself.

Nothing here lists pages: a person starts at the home and follows each link. What no link leads to
is opened by its rule when that needs no object, or by a step of ``steps.py``. What is missing then
is a page that nobody can reach, or a world too poor to show it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from lxml import html
from lxml.html import FormElement, HtmlElement
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.support.served import HOST, Browser, Served
from tests.web.expectations import ROUTES
from tests.web.route_kinds import Portal


@dataclass(frozen=True)
class Sight:
    """A page as the server gave it; ``drawn`` when it answered a form and no address shows it."""

    rule: str
    address: str
    text: str
    headers: Mapping[str, str]
    status: int = 200
    drawn: bool = False

    @property
    def tree(self) -> HtmlElement:
        """The page, parsed."""
        return html.document_fromstring(self.text)


@dataclass
class Walker:
    """A person's browser (nobody's without a name), and what it has seen.

    ``of_each`` is how many addresses of one rule are opened, counted apart for each choice of
    filters in the address.
    """

    served: Served
    person: str = ""
    of_each: int = 1
    browser: Browser = field(init=False)
    sights: list[Sight] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # files and ways on, by rule
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = self.served.browser(self.person or None)

    def walk(self, start: str = "/") -> None:
        """Follow every link, from a page on."""
        waiting, known = deque([start]), {start}
        count: dict[tuple[str, str], int] = {}
        while waiting:
            address = waiting.popleft()
            rule = self.rule_of(address)
            if rule is None:
                self.broken.append(f"{address}: no such address")
                continue
            filters = ",".join(sorted(name for name, _ in parse_qsl(urlsplit(address).query)))
            count[rule, filters] = count.get((rule, filters), 0) + 1
            if count[rule, filters] > self.of_each:
                continue
            sight = self.open(address)
            fresh = [] if sight is None else [one for one in links(sight) if one not in known]
            known.update(fresh)
            waiting.extend(dict.fromkeys(fresh))

    def follow(self, sight: Sight) -> None:
        """Open what a page leads to, where nothing of its kind was seen yet."""
        for address in links(sight):
            rule = self.rule_of(address)
            if rule not in self.others and all(one.rule != rule for one in self.sights):
                self.open(address)

    def open(self, address: str, status: int = 200) -> Sight | None:
        """Open an address; gives the page it leads to, or nothing where it gives a file."""
        return self._took(address, "GET", self.browser.get(address), status)

    def page(self, address: str, status: int = 200) -> Sight:
        """Open an address that is a page."""
        sight = self.open(address, status)
        assert sight is not None, (address, self.broken)
        return sight

    def press(self, sight: Sight, action: str, typed: Mapping[str, Any] | None = None) -> Sight:
        """Send a form of a page, to its own address or to a button's; gives the page that comes."""
        answer = self.browser.client.post(
            action,
            base_url=HOST,
            data=_values(sight.tree, _form(sight.tree, action)) | dict(typed or {}),
            headers={"Referer": HOST + sight.address, "Origin": HOST},
        )
        drawn = self._took(action, "POST", answer, 200)
        assert drawn is not None, self.broken
        return drawn

    def _took(self, address: str, method: str, answer: TestResponse, status: int) -> Sight | None:
        """Keep what an address answered."""
        rule = self.rule_of(address, method) or ""
        if answer.status_code in {302, 303, 308}:
            if method == "GET":
                self.others[rule] = answer.headers["Location"]
            return self.open(answer.headers["Location"])
        if answer.status_code != status:
            self.broken.append(f"{method} {address}: {answer.status_code}")
            return None
        if answer.mimetype != "text/html":
            self.others[rule] = address
            return None
        text, headers = answer.get_data(as_text=True), dict(answer.headers)
        sight = Sight(rule, address, text, headers, status, drawn=method == "POST")
        if not any(one.address == address and not sight.drawn for one in self.sights):
            self.sights.append(sight)
        return sight

    def rule_of(self, address: str, method: str = "GET") -> str | None:
        """Name the rule of the application that answers an address, if one does."""
        ways = self.served.app.url_map.bind("localhost", url_scheme="https")
        try:
            found, _values = ways.match(urlsplit(address).path, method=method, return_rule=True)
        except HTTPException:
            return None
        return str(found.rule)

    @property
    def missing(self) -> list[str]:
        """The rules that this person's role may open and that were not seen."""
        (role,) = self.served.world.people[self.person].roles
        may = {
            rule
            for (method, rule), row in ROUTES.items()
            if method == "GET" and isinstance(row, Portal) and row.signed_in and not row.gate
            if role in row.roles
        }
        return sorted(may - {sight.rule for sight in self.sights} - set(self.others))


def links(sight: Sight) -> list[str]:
    """Give the addresses that a page's links lead to, without their fragment."""
    found = []
    for href in sight.tree.xpath("//a/@href"):
        full = urljoin(HOST + sight.address, str(href))
        assert full.startswith(f"{HOST}/"), f"{sight.address} leads outside: {href}"
        found.append(full.removeprefix(HOST).partition("#")[0])
    return found


def _form(tree: HtmlElement, action: str) -> FormElement:
    """Find the form that is sent to an address."""
    for button in tree.xpath("//button[@formaction=$to]", to=action):
        named = button.get("form")
        form = tree.get_element_by_id(named) if named else next(button.iterancestors("form"))
        assert isinstance(form, FormElement)
        return form
    return next(form for form in tree.forms if form.get("action") == action)


def _values(tree: HtmlElement, form: FormElement) -> dict[str, Any]:
    """Give what a browser sends: the fields within the form, and those that name it."""
    chosen = tree.xpath("//select[@form=$id]|//input[@form=$id]", id=form.get("id", "-"))
    return dict(form.form_values()) | {field.name: field.value or "" for field in chosen}
