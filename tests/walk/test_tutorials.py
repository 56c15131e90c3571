"""The tutorials call every button and page by the name that stands on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROLES = (
    "treasurer",
    "anchor",
    "officer",
    "administrator",
    "orders-to-books",
    "when-things-go-wrong",
)
_TEXT = re.compile(r'(?:\b_l?|gettext)\(\s*"((?:[^"\\]|\\.)*)"(?:,\s*"((?:[^"\\]|\\.)*)")?')
_FILLED = re.compile(r"%\(\w+\)[sd]")
MEANT = 2  # letters that a text has of its own, or it would fit everything
_KEYS = frozenset("ACRDJK/?")


def labels() -> list[re.Pattern[str]]:
    """Read every text of the portal; what a page fills in may be anything."""
    files = [*(ROOT / "web").rglob("*.html"), *(ROOT / "web").rglob("*.py")]
    found = {
        text for file in files for pair in _TEXT.findall(file.read_text("utf-8")) for text in pair
    }
    parts = [_FILLED.split(text) for text in found]
    return [
        re.compile(".+".join(map(re.escape, part)))
        for part in parts
        if len(re.sub(r"\W", "", "".join(part))) >= MEANT
    ]


@pytest.mark.parametrize("role", ROLES)
def test_every_name_in_bold_stands_in_the_portal(role: str) -> None:
    page = (ROOT / "docs/tutorial" / f"{role}.md").read_text("utf-8")
    bold = {" ".join(name.split()) for name in re.findall(r"\*\*(.+?)\*\*", page, re.DOTALL)}
    known = labels()
    assert len(bold) > 3
    unknown = {name for name in bold - _KEYS if not any(label.fullmatch(name) for label in known)}
    assert not unknown


def test_the_first_page_leads_to_every_tutorial() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for role in ROLES:
        assert f"docs/tutorial/{role}.md" in readme
