"""What `pybabel extract` finds besides calls of gettext: the texts of refusals.

A refusal is raised with its text where the rule stands, in English, as a template over its facts,
and so is a finding; its text may be kept in a variable called ``message`` before. A text that is
put together otherwise cannot be found and is refused by a house test.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any, Final

from babel.messages.extract import extract_python

# Where each maker of a text takes it: the place among its arguments, and its name.
TEXTS: Final[Mapping[str, tuple[tuple[int, str], ...]]] = {
    **dict.fromkeys(
        (
            "BadRequest",
            "Conflict",
            "InvalidInput",
            "NotAllowed",
            "NotFound",
            "NotSignedIn",
            "PreconditionRequired",
            "RuleViolation",
            "TooLarge",
            "TooManyTries",
            "Unavailable",
            "WrongType",
        ),
        ((1, "message"), (-1, "next_step")),
    ),
    "Words": ((0, "template"),),
    # What is wrong with a document: the readers' own short ways to say it, and the remark itself.
    **dict.fromkeys(("error", "warn", "Broken", "_refused", "_finding"), ((1, "message"),)),
    **dict.fromkeys(("Finding", "_error", "_warning", "_void", "note"), ((2, "message"),)),
    "Match": ((3, "message"),),
    "Refusal": ((4, "next_step"), (5, "message")),
    # Why an event needs no entry in somebody's book.
    "Journal": ((-1, "reason"),),
    "journals": ((-1, "seller"), (-1, "obligor"), (-1, "financier")),
}
# Names of a text that is told later, besides Babel's own.
LAZY: Final = frozenset({"lazy_gettext", "_l"})
_PLACE: Final = re.compile(r"%\(\w+\)s")


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Give every text of a Python file that people read: a method of Babel's extraction."""
    source = file.read()
    if b"gettext" in source:
        file.seek(0)
        names = {*keywords, *LAZY}
        for line, name, *rest in extract_python(file, names, tags, options):  # type: ignore[arg-type]
            yield line, "gettext" if name in LAZY else name, *rest
    for line, text in texts(source):
        yield line, "gettext", text, []


def texts(source: bytes | str) -> Iterator[tuple[int, str]]:
    """Give the texts of refusals in a source, each with its line."""
    for node in ast.walk(ast.parse(source)):
        for said in said_by(node):
            yield from _literals(said)


def said_by(node: ast.AST) -> Iterator[ast.expr]:
    """Give what a piece of source says to people: an argument, or what ``message`` is set to."""
    if isinstance(node, ast.Call):
        yield from arguments(node)
    elif isinstance(node, ast.Assign) and any(
        isinstance(to, ast.Name) and to.id == "message" for to in node.targets
    ):
        yield node.value


def arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Give the arguments of a call that are texts for people."""
    maker = getattr(call.func, "id", getattr(call.func, "attr", ""))
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    for place, name in TEXTS.get(maker, ()):
        if name in named:
            yield named[name]
        elif 0 <= place < len(call.args):
            yield call.args[place]


def _literals(said: ast.expr) -> Iterator[tuple[int, str]]:
    if isinstance(said, ast.IfExp):
        yield from _literals(said.body)
        yield from _literals(said.orelse)
    elif isinstance(said, ast.Constant) and has_words(said.value):
        yield said.lineno, str(said.value)


def has_words(said: object) -> bool:
    """Tell whether a text holds words besides its places."""
    return isinstance(said, str) and re.search(r"[a-z]{2}", _PLACE.sub("", said)) is not None
