"""What a refusal says can be found by the translators, and every place in it is filled."""

import ast
import re
from collections.abc import Iterator

from scf.kernel import errors
from tests.house.sources import ROOT
from web.extraction import TEXTS, arguments, has_words, said_by
from web.problems import BadRequest

_PLACE = re.compile(r"%\((\w+)\)s")
_SIGN = re.compile(r"%(?:\(\w+\)s|%)?")


def _sources() -> Iterator[tuple[str, ast.Module]]:
    """Give every file whose texts a page or the API may tell."""
    for folder in ("scf", "web"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"cli", "demo", "migrations"} & set(path.relative_to(ROOT).parts):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def _refusals() -> list[tuple[str, ast.Call]]:
    """Give every making of a refusal that a page or the API may tell."""
    kinds = {kind.__name__ for kind in _kinds(errors.ScfError)}
    return [
        (f"{path}:{node.lineno}", node)
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds
    ]


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


def test_every_finding_says_its_text_where_it_is_made() -> None:
    """Write ``Words("The order is in %(ordered)s.", ordered=…)``, never an f-string."""
    said, wrong = 0, []
    for path, tree in _sources():
        for node in ast.walk(tree):
            for text in said_by(node):
                said += 1
                parts = [text.body, text.orelse] if isinstance(text, ast.IfExp) else [text]
                if any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in parts):
                    wrong.append(f"{path}:{text.lineno}")
    assert said > 300
    assert not wrong


def _wanted(text: str) -> set[str]:
    """Give the places of a text; an amount is told with its currency."""
    places = set(_PLACE.findall(text))
    return places | ({"currency"} if any(one.endswith("_minor") for one in places) else set())


def test_every_place_of_a_text_is_filled_by_a_value_of_its_own() -> None:
    made, wrong = 0, []
    for path, tree in _sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "Words":
                continue
            made += 1
            values = {keyword.arg for keyword in node.keywords}
            wrong += [
                f"{path}:{node.lineno}"
                for text in _messages(node) or []
                if None not in values and _wanted(text) != values
            ]
    assert made > 50
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
