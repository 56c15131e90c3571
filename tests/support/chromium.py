"""A real browser in tests: started once per file, with what it complains about kept.

Asks for ``chromium`` and ``serve`` come from here; what is measured on a page stands below them.
"""

import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from web.sessions import COOKIE

WIDTHS = (320, 390, 768, 1440)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Source: WCAG 2.2, success criterion 1.4.12.
TEXT_SPACING = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""  # noqa: E501 - one rule of a style sheet is one line


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give the machine's browser, started once per file."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert path, "the browser tests need chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Give a function that serves an application until the test ends, and tells its address."""
    running: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"http://localhost:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def opened(
    chromium: Browser,
    address: str,
    *,
    session_id: str = "",
    scripts: bool = True,
    scheme: str = "light",
    width: int = 1440,
    locale: str = "en-GB",
) -> tuple[Page, list[str]]:
    """Open an empty page, signed in by a session, and the list of what will go wrong on it.

    The list takes every word on the console, every error of a script and every request to
    another address; it is empty at the end of a good visit. Close ``page.context`` at the end.
    """
    context = chromium.new_context(
        java_script_enabled=scripts,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
        locale=locale,
    )
    if session_id:
        signed_in(context, address, session_id)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(address) else complaints.append(request.url),
    )
    return page, complaints


def signed_in(context: BrowserContext, address: str, session_id: str) -> None:
    """Let the browser be whoever a session belongs to; nobody without one."""
    context.clear_cookies()
    if session_id:
        context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": session_id,
                    "url": address.replace("http:", "https:"),
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )


def sideways(page: Page) -> int:
    """Measure by how many pixels the page is wider than its window; needs scripts."""
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def spread_text(page: Page) -> None:
    """Space the text out as a reader may; allowed by our own policy for contents, unlike a tag."""
    page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css);"
        " document.adoptedStyleSheets = [sheet]; }",
        TEXT_SPACING,
    )


def unspread_text(page: Page) -> None:
    """Take the wide spacing away again."""
    page.evaluate("document.adoptedStyleSheets = []")
