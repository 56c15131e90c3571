"""The accessibility checker axe-core over a page in the browser.

The script comes from an installed package of the development set; it is handed to the page by the
browser's own channel, so the policy for contents stays as strict as it is for everybody.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

# Source: WCAG 2.2, levels A and AA, and what axe calls best practice.
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What another theme can change about a page: its colours.
COLOURS: Final = ("color-contrast",)
# What another width can change: what overlaps, how large a thing is to press, what scrolls.
ROOM: Final = ("color-contrast", "target-size", "scrollable-region-focusable")


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """Run all rules, or those named, over the page; gives what is wrong and where."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_script())
    only: dict[str, Any] = (
        {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    )
    found = page.evaluate(
        "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})"
        ".then(done => done.violations)",
        only,
    )
    return [
        f"{one['id']}: {node['html'][:200]} ({node.get('failureSummary', '')})"
        for one in found
        for node in one["nodes"]
    ]
