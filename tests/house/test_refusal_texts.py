"""What a refusal says can be found by the translators, and every place in it is filled."""

import ast
import re

from scf.kernel import errors
from tests.house.sources import ROOT
from web.extraction import TEXTS, arguments, has_words
from web.problems import BadRequest

_PLACE = re.compile(r"%\((\w+)\)s")
_SIGN = re.compile(r"%(?:\(\w+\)s|%)?")


def _refusals() -> list[tuple[str, ast.Call]]:
    """Give every making of a refusal that a page or the API may tell."""
    kinds = {kind.__name__ for kind in _kinds(errors.ScfError)}
    found: list[tuple[str, ast.Call]] = []
    for folder in ("scf", "web"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if {"cli", "demo", "migrations"} & set(path.relative_to(ROOT).parts):
                continue
            found += [
                (f"{path.relative_to(ROOT)}:{node.lineno}", node)
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds
            ]
    return found


def _kinds(of: type[errors.ScfError]) -> list[type[errors.ScfError]]:
    below = of.__subclasses__()
    return below + [kind for one in below for kind in _kinds(one)]


def _messages(call: ast.Call) -> list[str] | None:
    """Give the literal messages of a refusal; nothing where it is put together elsewhere."""
    said = next(arguments(call), None)
    parts = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
    if all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts):
        return [str(part.value) for part in parts]  # type: ignore[union-attr]
    return None


def test_every_kind_of_refusal_is_looked_into() -> None:
    assert BadRequest in _kinds(errors.ScfError)
    assert {kind.__name__ for kind in _kinds(errors.ScfError)} <= set(TEXTS)


def test_every_refusal_says_its_text_where_it_is_raised() -> None:
    """Write the text as a literal with places ("The books are on %(day)s."), and a fact for each.

    An f-string, a name or a sum cannot be found by `pybabel extract`: its readers would get
    English in every language.
    """
    refusals = _refusals()
    wrong = [place for place, call in refusals if _messages(call) is None]
    assert len(refusals) > 300
    assert not wrong


def test_every_place_of_a_refusal_is_filled_by_a_fact_of_its_own() -> None:
    wrong = []
    for place, call in _refusals():
        facts = {keyword.arg for keyword in call.keywords}
        for message in _messages(call) or []:
            if None not in facts and not set(_PLACE.findall(message)) <= facts:
                wrong.append((place, message))
            if "%(" in message and "%" in _SIGN.findall(message):
                wrong.append((place, message))
            if not (has_words(message) or _PLACE.search(message)):
                wrong.append((place, message))
    assert not wrong
