"""Making entries in an ERP once, over any protocol: look, make drafts, look again, post.

A draft is looked for again before it is posted: should an earlier call that seemed to fail have
made it too, the later draft goes (decision 56).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from scf.channels.erp.port import Results
from scf.channels.erp.wire import Refused

AT_ONCE: Final = 100


@dataclass(frozen=True)
class Found:
    """An entry that is there: ``ref`` is ours, ``remote`` its id, ``name`` what people call it."""

    ref: str
    remote: Any
    posted: bool
    name: str


class Journal(Protocol):
    """Where entries are kept, as a connector reaches it."""

    def look(self, refs: Sequence[str]) -> list[Found]:
        """Find entries by our references, the oldest first."""
        ...

    def make(self, values: list[dict[str, Any]]) -> None:
        """Make drafts, all or none."""
        ...

    def post(self, remotes: list[Any]) -> None:
        """Post drafts, all or none."""
        ...

    def drop(self, remotes: list[Any]) -> None:
        """Take drafts away again."""
        ...


def post_once(journal: Journal, wanted: Mapping[str, dict[str, Any]], results: Results) -> None:
    """Make and post what is not there yet; ``wanted`` is the entry's values by our reference."""
    there = _look(journal, wanted)
    missing = [(ref, values) for ref, values in wanted.items() if ref not in there]
    _in_parts(missing, journal.make, results)
    there = _look(journal, wanted)
    drafts = [(ref, one.remote) for ref, one in there.items() if not one.posted]
    _in_parts(drafts, journal.post, results)
    for ref, one in _look(journal, wanted).items():
        if one.posted:
            results.done[ref] = one.name
            results.refused.pop(ref, None)


def _look(journal: Journal, wanted: Mapping[str, Any]) -> dict[str, Found]:
    """Find entries; of several the posted, then the first one stays."""
    if not wanted:
        return {}
    found: dict[str, list[Found]] = {}
    for one in journal.look(sorted(wanted)):
        if one.ref in wanted:
            found.setdefault(one.ref, []).append(one)
    kept = {}
    for ref, several in found.items():
        several.sort(key=lambda one: not one.posted)
        extra = [one.remote for one in several[1:] if not one.posted]
        if extra:
            journal.drop(extra)
        kept[ref] = several[0]
    return kept


def _in_parts(
    wanted: Sequence[tuple[str, Any]], act: Callable[[list[Any]], None], results: Results
) -> None:
    """Do many at once; where one is refused, each alone, so that it holds no other up."""
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        try:
            act([value for _ref, value in part])
        except Refused:
            for ref, value in part:
                try:
                    act([value])
                except Refused as refusal:
                    results.refused[ref] = (refusal.code, refusal.said)
