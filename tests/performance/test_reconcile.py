"""A hundred thousand bank entries against as many open items, beside a join and a fuzzy search.

The peer is what one writes first: numbers found by a regular expression and looked up in a
dictionary, and for what is left rapidfuzz's best match among the items of exactly that sum. It
takes every find for right; what of it is wrong is counted beside its speed.
"""

import gc
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import pytest
from rapidfuzz import fuzz, process

from scf.kernel import garbage
from scf.settlement.reconcile import Entries, OpenItems, reconcile
from tests.performance.measure import ROUNDS, Report, take_turns
from tests.settlement.reconcile.counting import count
from tests.settlement.reconcile.payers import make

ENTRIES: Final = int(os.environ.get("SCF_BENCH_ENTRIES", "100000"))
_NUMBER: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]*\d[A-Z0-9./-]*")
LIKE: Final = 75


def join_then_fuzzy(entries: Entries, items: OpenItems) -> list[int | None]:
    """Match each entry with one item: by dictionary, else the likest of the same sum."""
    numbers = [re.sub(r"[^A-Z0-9]", "", one.upper()) for one in items.spellings]
    known = {number: place for place, number in enumerate(numbers)}
    blocks: dict[int, dict[int, str]] = defaultdict(dict)
    for place, amount in enumerate(items.amounts):
        blocks[amount][place] = numbers[place]
    found: list[int | None] = []
    for amount, text in zip(entries.amounts, entries.texts, strict=True):
        words = [re.sub(r"[^A-Z0-9]", "", one) for one in _NUMBER.findall(text.upper())]
        hit = next((known[word] for word in words if word in known), None)
        if hit is None and words:
            best = process.extractOne(
                max(words, key=len), blocks.get(amount, {}), scorer=fuzz.ratio, score_cutoff=LIKE
            )
            hit = best[2] if best is not None else None
        found.append(hit)
    return found


@pytest.fixture
def as_at_work() -> Iterator[None]:
    """Collect garbage as the processes at work do, for both sides."""
    before = gc.get_threshold()
    garbage.settle()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.bench
@pytest.mark.usefixtures("as_at_work")
def test_entries_find_their_items(report: Report) -> None:
    made = make(ENTRIES)
    entries, items = made.entries, made.items
    counted = count(made, reconcile(entries, items))
    theirs = Counter(
        (hit is not None, (hit,) == tuple(item for item, _amount in truth.pays))
        for hit, truth in zip(join_then_fuzzy(entries, items), made.truth, strict=True)
    )
    turns = take_turns(
        ((lambda: reconcile(entries, items), lambda: join_then_fuzzy(entries, items)),) * ROUNDS,
        time.process_time,
    )
    size = len(entries)
    report.add(
        "reconcile_entries",
        turns.rate(size),
        "entries/s",
        peer={
            "name": "dict join, then rapidfuzz inside the amount",
            "value": turns.peer_rate(size),
            "unit": "entries/s",
            "wrong_without_review": theirs[True, False],
            "right_share": theirs[True, True] / size,
        },
        ratio=turns.faster(),
        goal=">= 1.0, >= 99.5 % right, no wrong match without review",
        met=turns.faster() >= 1 and counted.right_share >= 0.995 and not counted.wrong,
        entries=size,
        open_items=len(items),
        right_share=counted.right_share,
        decidable_share=counted.decidable / size,
        certain_share=counted.certain / size,
        reviewed_share=counted.reviewed / size,
        unmatched_share=counted.unmatched / size,
        wrong_without_review=counted.wrong,
        right_by_confidence=counted.by_confidence,
    )
