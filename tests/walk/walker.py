"""Somebody with a browser in the demo world, who signs in for real and counts what it takes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, FilePayload, Locator, Page

from tests.support.chromium import opened, sideways
from tests.support.demo_world import DemoCopy
from tests.web import signing

Serve = Callable[[Flask], str]
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'"


@dataclass(frozen=True)
class Look:
    """How the pages of one walk are looked at."""

    scripts: bool = True
    width: int = 1440
    scheme: str = "light"
    locale: str = "en-GB"


DESK = Look()
PHONE = Look(scripts=False, width=390, scheme="dark", locale="zh-CN")
LOOKS = {"at a desk": DESK, "on a phone in Chinese without scripts": PHONE}


@dataclass
class Walker:
    """One person at one browser; ``actions`` counts presses and typed fields."""

    copy: DemoCopy
    who: str
    page: Page
    complaints: list[str]
    address: str
    look: Look
    actions: int = 0
    texts: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        """Sign in by password and code, from the first page that a stranger sees."""
        person = self.copy.sign_ins[self.who]
        answer = self.page.goto(self.address)
        assert answer is not None
        assert answer.headers["content-security-policy"].startswith(_POLICY)
        assert "unsafe" not in answer.headers["content-security-policy"]
        self.page.locator("input[name=email]").fill(person["email"])
        self.page.locator("input[name=password]").fill(person["password"])
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/sign-in/code")
        assert f"scf user code {person['email']}" in self.page.locator(".gate-demo").inner_text()
        self.page.locator("input[name=code]").fill(self.code())
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        self.seen()

    def code(self) -> str:
        """Give the code that ``scf user code`` would print now."""
        return signing.code(self.copy.served, self.who)

    def go(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(self.address + path)
        self.seen()

    def press(self, what: Locator) -> None:
        """Press a button or follow a link, and look at the page that comes."""
        what.click()
        self.actions += 1
        self.page.wait_for_load_state()
        self.seen()

    def key(self, name: str) -> None:
        """Press a key."""
        self.page.keyboard.press(name)
        self.actions += 1

    def sign(self) -> None:
        """Type the present code where the page asks for one."""
        self.page.locator("main input[name=code]").fill(self.code())

    def give(self, *files: Path | FilePayload) -> None:
        """Choose files, as one action."""
        payloads = [
            FilePayload(name=one.name, mimeType="text/csv", buffer=one.read_bytes())
            if isinstance(one, Path)
            else one
            for one in files
        ]
        self.page.locator("main input[type=file]").set_input_files(payloads)
        self.actions += 1

    def seen(self) -> None:
        """Hold every page to what is true of all: its language, and that it fits the screen."""
        lang = self.page.locator("html").get_attribute("lang")
        title = self.title()
        assert title
        if self.look.locale == "zh-CN":
            assert lang == "zh-Hans"
            self.texts.append(title)
        else:
            assert lang == "en"
            assert not _CHINESE.search(title), title
        if self.look.scripts:
            assert sideways(self.page) == 0, self.page.url

    def title(self) -> str:
        """Give the first heading of the page."""
        return self.page.locator("h1").inner_text()

    def said(self) -> str:
        """Give what the page tells about the last act."""
        return self.page.locator("#flashes").inner_text()

    def done(self) -> None:
        """End the walk: nothing was complained about, and nothing outside was asked for."""
        self.page.context.close()
        assert self.complaints == []
        if self.look.locale == "zh-CN":
            assert any(_CHINESE.search(text) for text in self.texts)


def walker(
    chromium: Browser, serve: Serve, copy: DemoCopy, who: str, look: Look, address: str = ""
) -> Walker:
    """Give a person with a browser, signed in."""
    address = address or serve(copy.served.app)
    page, complaints = opened(
        chromium, address, scripts=look.scripts, scheme=look.scheme, width=look.width,
        locale=look.locale,
    )  # fmt: skip
    found = Walker(copy, who, page, complaints, address, look)
    found.sign_in()
    return found
