"""Which line of one paper means which line of another.

By the line's number, else by an article's number, else by the article's name where nothing else is
said; a lone line needs no name. What could mean two lines means none until a person says so.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from scf.documents.match.book import ClaimLine, Items, LineBook

Target = TypeVar("Target")
_NUMBERS: Final = ("standard", "buyer", "seller")


class Paired(NamedTuple):
    """The order line that a line means, by what sign; else why none."""

    line: LineBook | None
    by: str = ""  # number, item, name, only
    problem: str = ""  # ORDER_LINE_UNKNOWN, LINE_AMBIGUOUS, LINE_EXTRA


def pair_all(lines: Sequence[ClaimLine], ordered: Mapping[str, LineBook]) -> list[Paired]:
    """Pair each line of an invoice with a line of its order."""
    alone = len(lines) == 1 == len(ordered)
    return [_pair(line, ordered, alone=alone) for line in lines]


def _pair(line: ClaimLine, ordered: Mapping[str, LineBook], *, alone: bool) -> Paired:
    if line.order_line_ref:
        found = by_number(line.order_line_ref, ordered)
        return Paired(found, "number") if found else Paired(None, "", "ORDER_LINE_UNKNOWN")
    fitting, by = by_item(line.items, ordered.values(), lambda one: one.items)
    if len(fitting) == 1:
        return Paired(fitting[0], by)
    if fitting:
        return Paired(None, "", "LINE_AMBIGUOUS")
    if alone:
        (only,) = ordered.values()
        if not _contradict(line.items, only.items):
            return Paired(only, "only")
    return Paired(None, "", "LINE_EXTRA")


def by_number(ref: str, ordered: Mapping[str, Target]) -> Target | None:
    """Find the line with this number; 10 and 00010 are one where only one is meant."""
    if ref in ordered:
        return ordered[ref]
    bare = ref.lstrip("0")
    fitting = [one for number, one in ordered.items() if bare and number.lstrip("0") == bare]
    return fitting[0] if len(fitting) == 1 else None


def by_item(
    items: Items, among: Iterable[Target], items_of: Callable[[Target], Items]
) -> tuple[list[Target], str]:
    """Give the lines of the same article, and whether its number or only its name says so."""
    lines = list(among)
    for name in _NUMBERS:
        number = getattr(items, name)
        if number:
            same = [one for one in lines if getattr(items_of(one), name) == number]
            if same:
                return same, "item"
    called = _folded(items.name)
    if called:
        same = [
            one
            for one in lines
            if _folded(items_of(one).name) == called and not _contradict(items, items_of(one))
        ]
        if same:
            return same, "name"
    return [], ""


def _contradict(one: Items, other: Items) -> bool:
    """Tell whether two lines name different articles by the same kind of number."""
    for name in _NUMBERS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs:
            return bool(mine != theirs)
    return False


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def item_keys(items: Items) -> list[str]:
    """Give the names under which an agreement about an article is found, the surest first."""
    keys = [f"{name}:{getattr(items, name)}" for name in _NUMBERS if getattr(items, name)]
    called = _folded(items.name)
    return [*keys, f"name:{called}"] if called else keys
