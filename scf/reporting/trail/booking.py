"""The entries of a trail as steps; what each day's close books stands together."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

from scf.reporting.portfolio import Booked
from scf.reporting.trail.things import Step


def booked_steps(entries: Sequence[Booked]) -> Iterator[Step]:
    """Give one step an entry, and one for a run of closes between two other entries of a life."""
    runs: dict[tuple[str, str], list[Booked]] = {}
    for entry in entries:
        if entry.event_kind.endswith(".close"):
            runs.setdefault((entry.subject_id, entry.event_kind), []).append(entry)
            continue
        for key in [key for key in runs if key[0] == entry.subject_id]:
            yield _run(runs.pop(key))
        yield Step(
            "entry", entry.booked_on, entry.id, code=entry.event_kind, note=entry.narrative,
            facts={"value_on": entry.value_on}, entries=(entry,),
        )  # fmt: skip
    for run in runs.values():
        yield _run(run)


def _run(run: Sequence[Booked]) -> Step:
    """Add a run up by account; it stands where it ends, and says where it began."""
    last = run[-1]
    if len(run) == 1:
        return Step(
            "entry", last.booked_on, last.id, code=last.event_kind, note=last.narrative,
            facts={"value_on": last.value_on}, entries=(last,),
        )  # fmt: skip
    total: dict[tuple[str, str], int] = defaultdict(int)
    for entry in run:
        for account, minor, currency in entry.lines:
            total[account, currency] += minor
    lines = tuple((account, minor, currency) for (account, currency), minor in total.items())
    whole = Booked(
        last.id, last.event_kind, last.booked_on, last.value_on, last.narrative,
        last.subject_id, lines,
    )  # fmt: skip
    first: dt.date = run[0].booked_on
    return Step(
        "closes", last.booked_on, last.id, code=last.event_kind,
        facts={"count": len(run), "first_on": first}, entries=(whole,),
    )  # fmt: skip
