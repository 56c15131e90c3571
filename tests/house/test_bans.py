"""Taste written down, then executed."""

import ast
import re

import pytest

from tests.house.bans import BANS, Ban
from tests.house.sources import files, report, text, tree

TEMPLATES = files("web", suffixes=(".html", ".jinja", ".j2"))

TEMPLATE_BANS = {
    "an inline style": (r"\sstyle\s*=|<style\b", "a class in web/static", '<p style="x">'),
    "a script in an attribute": (
        r"\shx-on\b|\shx-on:|\son[a-z]+\s*=|\bjs:|javascript:",
        "a listener in web/static: the content policy refuses inline scripts",
        '<a hx-on:click="x">',
    ),
    "an inline script": (
        r"<script(?![^>]*\bsrc=)[^>]*>",
        "a file in web/static",
        "<script>x()</script>",
    ),
    "unescaped output": (
        r"\|\s*safe\b|autoescape\s+false",
        "plain output: the template escapes it",
        "{{ x|safe }}",
    ),
}


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.name)
def test_the_code_is_free_of(ban: Ban) -> None:
    found = [
        f"{file}:{line}: {ban.name}"
        for file in files(*ban.folders)
        if ban.covers(file)
        for line in ban.finds(tree(file))
    ]
    assert not found, report(found, ban.instead)


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.name)
def test_the_rule_catches(ban: Ban) -> None:
    assert list(ban.finds(ast.parse(ban.example)))
    assert ban.instead


@pytest.mark.parametrize("name", TEMPLATE_BANS)
def test_the_templates_are_free_of(name: str) -> None:
    pattern, instead, example = TEMPLATE_BANS[name]
    assert re.search(pattern, example)
    found = [
        f"{file}:{number}: {name}"
        for file in TEMPLATES
        for number, line in enumerate(text(file).splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, report(found, instead)
