"""One window of the browser in which page after page is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.sync_api import Browser, Page, Route

from tests.support.axe import COLOURS, ROOM, violations
from tests.support.chromium import WIDTHS, opened, sideways, signed_in, spread_text, unspread_text
from tests.web.pages.walk import Sight, Walker

# Where each of the two layouts, with and without the navigation at the side, has least room.
NARROWEST = (320, 768)
# A width of each of them that people have.
LAYOUTS = (390, 1440)
HEIGHTS = {320: 640, 390: 844, 768: 1024, 1440: 900}


@dataclass
class Window:
    """A window, and everything that was wrong in it."""

    chromium: Browser
    address: str
    page: Page = field(init=False)
    complaints: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.page, self.complaints = opened(self.chromium, self.address)
        self.page.emulate_media(reduced_motion="reduce")  # colours that change at once

    def show(self, walker: Walker, sight: Sight) -> None:
        """Open a page as its person; one that answered a form is given as it was drawn."""
        signed_in(self.page.context, self.address, walker.browser.session_id)
        where = self.address + sight.address
        if sight.drawn:
            self.page.route(where, lambda route: _give(route, sight), times=1)
        self.page.goto(where)

    def wrong(self) -> list[str]:
        """Look at the page that stands here: its complaints, the light, the dark, every width."""
        found = [f"says {one}" for one in self.complaints if not _is_the_status(one)]
        self.complaints.clear()
        self.size(WIDTHS[-1])
        found += [f"light {one}" for one in violations(self.page)]
        self.theme("dark")
        found += [f"dark {one}" for one in violations(self.page, COLOURS)]
        self.theme("light")
        return found + self.too_wide(WIDTHS) + self.too_wide(NARROWEST, wide_text=True)

    def everywhere(self) -> list[str]:
        """Look at the page that stands here in each theme and width, in each also with wide text.

        All rules run in each of the two layouts, and in every other width and theme those that it
        can change the answer of.
        """
        found = [f"says {one}" for one in self.complaints if not _is_the_status(one)]
        self.complaints.clear()
        for width in WIDTHS:
            self.size(width)
            rules = () if width in LAYOUTS else ROOM
            found += [f"light {width} {one}" for one in violations(self.page, rules)]
            self.theme("dark")
            found += [f"dark {width} {one}" for one in violations(self.page, COLOURS)]
            self.theme("light")
        return found + self.too_wide(WIDTHS) + self.too_wide(WIDTHS, wide_text=True)

    def too_wide(self, widths: Sequence[int], *, wide_text: bool = False) -> list[str]:
        """Tell by how much the page is wider than its window, in these widths."""
        found = []
        if wide_text:
            spread_text(self.page)
        for width in widths:
            self.size(width)
            over = sideways(self.page)
            if over:
                found.append(f"{over} px too wide at {width}{', wide text' * wide_text}")
        if wide_text:
            unspread_text(self.page)
        return found

    def theme(self, scheme: Literal["light", "dark"]) -> None:
        """Let the system of the reader be light or dark."""
        self.page.emulate_media(color_scheme=scheme)

    def size(self, width: int) -> None:
        """Make the window so wide."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})


def _give(route: Route, sight: Sight) -> None:
    headers: dict[str, Any] = {
        name: value for name, value in sight.headers.items() if name != "Content-Length"
    }
    route.fulfill(status=sight.status, headers=headers, body=sight.text)


def _is_the_status(complaint: str) -> bool:
    """Tell the browser's own note on a page that is refused or not there."""
    return complaint.startswith("Failed to load resource: the server responded with a status of 4")
