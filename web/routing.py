"""Addresses that are worked out when somebody writes them, not at the start of a process.

Werkzeug compiles two functions per route when an application is built, some hundred milliseconds
in all; most routes of a worker are only ever matched, and many of a test are never asked for.
"""

from collections.abc import Callable

from flask import Flask
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LazyRule(Rule):
    """A route that compiles its address at the first link to it."""

    def _compile_builder(self, append_unknown: bool = True) -> Builder:  # noqa: FBT001, FBT002 - theirs
        compiled: list[Builder] = []

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(LazyRule, self)._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build


class Application(Flask):
    """Flask, with such routes."""

    url_rule_class = LazyRule
