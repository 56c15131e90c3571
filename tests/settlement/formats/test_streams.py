"""Any overlapping cut of a stream of entries, repeated and shuffled, gives each entry once (P10).

The rule: an entry is its bank reference with account, amount and booking day, or without one all
that it says, and its place among equals of its statement. So a cut must not run through the equals
of one day that bear no reference: banks cut at the end of a day. What a wrong cut does is in the
last test: an entry is missed, never doubled, and the balances tell.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from scf.kernel.money import format_minor
from scf.settlement.readers import StatementMapping, read_statements
from tests.settlement.formats.mt_samples import MAPPING, message, table
from tests.settlement.formats.samples import camt, entry, statement

START = date(2026, 3, 2)
DAYS = 6


class Moved(NamedTuple):
    """One movement of the account."""

    day: int
    minor: int
    text: str
    reference: str

    @property
    def on(self) -> date:
        return START + timedelta(days=self.day)


MOVED = st.builds(
    Moved,
    st.integers(0, DAYS - 1),
    st.sampled_from([100, 250, -100]),
    st.sampled_from(["Invoice 1", "Invoice 2"]),
    st.sampled_from(["", "", "BANK-1", "BANK-2"]),
)


def as_camt(part: Sequence[Moved], number: int, opening: int) -> bytes:
    del opening
    rows = [
        entry(
            format_minor(abs(one.minor), "EUR"),
            sign="CRDT" if one.minor > 0 else "DBIT",
            booked=one.on.isoformat(),
            reference=one.reference,
            text=one.text,
            number=str(place),
        )
        for place, one in enumerate(part)
    ]
    return camt(statement(*rows, name=f"S{number}"))


def as_mt940(part: Sequence[Moved], number: int, opening: int) -> bytes:
    def balance(minor: int) -> str:
        amount = format_minor(abs(minor), "EUR").replace(".", ",")
        return f"{'C' if minor >= 0 else 'D'}260309EUR{amount}"

    lines = [
        f":61:{one.on:%y%m%d}{one.on:%m%d}{'C' if one.minor > 0 else 'D'}"
        f"{format_minor(abs(one.minor), 'EUR').replace('.', ',')}NTRFNONREF"
        f"{'//' + one.reference if one.reference else ''}\r\n:86:{one.text}\r\n"
        for one in part
    ]
    head = f":20:S{number}\r\n:25:37040044/0532013000\r\n:28C:{number}/1\r\n"
    closing = opening + sum(one.minor for one in part)
    return message(*lines, opening=balance(opening), closing=balance(closing), head=head)


def as_table(part: Sequence[Moved], number: int, opening: int) -> bytes:
    del number
    rows = []
    for one in part:
        opening += one.minor
        amount, balance = (format_minor(n, "EUR").replace(".", ",") for n in (one.minor, opening))
        rows.append((f"{one.on:%d.%m.%Y}", amount, one.reference, one.text, balance))
    return table(rows)


HOW = StatementMapping.from_json(MAPPING.replace('"name"', '"reference"'))


@given(
    stream=st.lists(MOVED, max_size=14),
    cuts=st.lists(st.tuples(st.integers(0, DAYS), st.integers(1, DAYS)), max_size=5),
    order=st.randoms(use_true_random=False),
    write=st.sampled_from([as_camt, as_mt940, as_table]),
)
def test_any_cut_by_days_gives_exactly_the_entries(
    stream: list[Moved],
    cuts: list[tuple[int, int]],
    order: random.Random,
    write: Callable[[Sequence[Moved], int, int], bytes],
) -> None:
    stream = sorted(stream, key=lambda one: one.day)
    ranges = [(0, DAYS), *((first, first + length) for first, length in cuts)]
    files = []
    for number, (first, last) in enumerate(ranges, start=1):
        part = [one for one in stream if first <= one.day < last]
        order.shuffle(part)  # a bank lists the entries of a day in any order
        part.sort(key=lambda one: one.day)
        opening = sum(one.minor for one in stream if one.day < first)
        if part:
            files.append(write(part, number, opening))
    files += order.choices(files, k=2) if files else []
    order.shuffle(files)
    seen: dict[str, tuple[date, int]] = {}
    for data in files:
        file = read_statements(data, HOW)
        assert file.is_sound
        for each in file.statements:
            seen |= {one.identity: (one.booked_on, one.amount_minor) for one in each.entries}
    assert Counter(seen.values()) == Counter((one.on, one.minor) for one in stream)


def test_a_cut_through_equals_of_a_day_misses_one_and_never_doubles() -> None:
    equal = Moved(0, 100, "Invoice 1", "")
    whole, half = (
        {one.identity for one in read_statements(as_camt(part, 1, 0)).statements[0].entries}
        for part in ([equal, equal], [equal])
    )
    assert half < whole
