"""Every pair of colours that text or a control is drawn with can be read, in both themes.

Source: WCAG 2.2, success criteria 1.4.3 (4.5 : 1 for text) and 1.4.11 (3 : 1 for controls).
"""

import re
from importlib.resources import files

import pytest

LETTERS = [
    ("ink", "page"), ("ink", "surface"), ("ink-2", "page"), ("ink-2", "surface"),
    ("ink-2", "track"), ("ink", "tint"), ("ink-2", "tint"), ("brand", "surface"), ("brand", "page"),
    ("brand", "brand-soft"), ("brand", "tint"), ("on-brand", "brand"), ("on-brand", "brand-2"),
    ("brand-2", "surface"), ("ok", "ok-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"),
    ("info", "info-soft"), ("bad", "surface"), ("surface", "risk-a"), ("surface", "risk-b"),
    ("surface", "risk-c"), ("surface", "risk-d"), ("surface", "risk-e"),
]  # fmt: skip
CONTROLS = [("border", "surface"), ("border", "page"), ("brand", "surface"), ("chart", "surface")]


def tokens(theme: str) -> dict[str, str]:
    """Give the colours of a theme: the light set, and the dark one over it."""
    names = ["tributary.css"] + (["dark.css"] if theme == "dark" else [])
    found: dict[str, str] = {}
    for name in names:
        text = files("web").joinpath("static", name).read_text("utf-8").partition("@media")[0]
        found |= dict(re.findall(r"--([a-z0-9-]+):\s*#([0-9a-f]{6})\b", text))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_that_of_the_guideline() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_controls_stand_out(theme: str) -> None:
    known = tokens(theme)
    weak = [
        (one, other, round(contrast(known[one], known[other]), 2))
        for pairs, least in ((LETTERS, 4.5), (CONTROLS, 3.0))
        for one, other in pairs
        if contrast(known[one], known[other]) < least
    ]
    assert not weak
