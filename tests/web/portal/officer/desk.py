"""An officer's desk in tests: forms are sent as the page has drawn them."""

import html
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from scf.db.engine import Database
from tests.support.served import HOST, Browser
from tests.web import signing
from tests.web.api.story import DAY, INVOICE, SAMPLES, Story

MAKER, CHECKER, HEAD = "omar", "chen", "hana"
_INPUT = re.compile(r"<input[^>]*>")


def text_of(answer: TestResponse, status: int = 200) -> str:
    """Give the page's words, with its entities read."""
    assert answer.status_code == status, answer.get_data(as_text=True)[-2000:]
    return html.unescape(answer.get_data(as_text=True))


def _named(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""


class Desk:
    """The story's world, and the officers' browsers in it."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.story = Story(db, folder)
        self.served = self.story.served
        for person in (MAKER, CHECKER, HEAD):
            signing.enrol(self.served, person)
        self._browsers: dict[str, Browser] = {}

    def browser(self, person: str) -> Browser:
        """Give the browser of a person, signed in."""
        if person not in self._browsers:
            self._browsers[person] = self.served.browser(person)
        return self._browsers[person]

    def page(self, person: str, path: str, status: int = 200) -> str:
        """Open a page."""
        return text_of(self.browser(person).get(f"/officer{path}"), status)

    def form(self, page: str, action: str) -> dict[str, str]:
        """Give the hidden fields of the form that a page sends to ``action``."""
        for part in page.split("<form")[1:]:
            body = part.partition("</form>")[0]
            if f'action="/officer{action}' in body.partition(">")[0]:
                return {
                    _named(tag, "name"): _named(tag, "value")
                    for tag in _INPUT.findall(body)
                    if 'type="hidden"' in tag
                }
        raise AssertionError(f"the page has no form for {action}")

    def send(
        self,
        person: str,
        path: str,
        at: str,
        /,
        status: int = 303,
        sign: bool = False,
        **fields: Any,  # noqa: ANN401 - the texts of the fields
    ) -> str:
        """Fill the form of a page in and send it; gives the page that one is led to."""
        hidden = self.form(self.page(person, at), path)
        return self.again(person, path, hidden | fields, status=status, sign=sign)

    def again(
        self,
        person: str,
        path: str,
        fields: dict[str, str],
        *,
        status: int = 303,
        sign: bool = False,
    ) -> str:
        """Send a form whose fields are at hand."""
        if sign:
            fields = fields | signing.signature(self.served, person)
        answer = self.browser(person).client.post(
            f"/officer{path}",
            base_url=HOST,
            data=fields,
            headers={"Referer": f"{HOST}/", "Origin": HOST},
        )
        words = text_of(answer, status)
        if answer.status_code != 303:
            return words
        return text_of(self.browser(person).get(answer.headers["Location"]))

    # --- Ways to a state

    def requested(self) -> str:
        """Let the supplier ask for its million; gives the request."""
        return self.story.requested()

    def part(self, minor: int) -> str:
        """Let the supplier ask for a part of a new invoice; gives the request."""
        story = self.story
        number = f"BV-2026-{minor}"
        content = (SAMPLES / INVOICE).read_bytes().replace(b"BV-2026-118", number.encode())
        content = content.replace(b"<cbc:ID>4711</cbc:ID>", f"<cbc:ID>{minor}</cbc:ID>".encode())
        upload = story.send("mira", f"/uploads?name={minor}.xml", content).get_json()["id"]
        (row,) = story.say("mira", "GET", f"/invoices?upload_id={upload}")["items"]
        story.say("anna", "POST", f"/invoices/{row['id']}/accept", json={})
        quote = story.quote(row["id"], amount={"amount_minor": minor, "currency": "EUR"})
        return str(story.request(quote["id"])["id"])

    def one_officer_decides(self) -> None:
        """Put terms in force under which one officer's word is enough for any amount."""
        text = files("config").joinpath("programmes/payables-finance.toml").read_text("utf-8")
        codes = re.findall(r"\[terms\.currency\.([A-Z]{3})\]", text)
        bands = "".join(f"[[terms.approval.{code}]]\npeople = 1\n" for code in codes)
        text = re.sub(r'approval = "four_eyes"\n', "", text) + "\n" + bands
        world = self.story.world
        loaded = world.run(
            "programme.load",
            world.people[MAKER],
            content=text,
            anchor_id=world.firms["anchor"],
            effective_on=DAY,
        )
        world.run("programme.activate", world.people[CHECKER], programme_id=loaded["id"])

    def checked(self, request_id: str) -> None:
        """Record what is asked for before the decision, all at once, by the page."""
        case = f"/cases/{request_id}"
        hidden = self.form(self.page(MAKER, case), f"{case}/checks")
        fields = {"kind": "all", "result": "CLEAR", "evidence": "looked up by hand"}
        self.again(MAKER, f"{case}/checks", hidden | fields)

    def decided(self, person: str, request_id: str, outcome: str = "APPROVE", **more: str) -> str:
        """Say a word by the page; gives the page afterwards."""
        case = f"/cases/{request_id}"
        fields: dict[str, Any] = {"outcome": outcome, **more}
        return self.send(person, f"{case}/decide", case, sign=True, **fields)
