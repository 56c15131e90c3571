"""Timing side by side: every figure is worth as much as the peer that ran beside it.

Absolute seconds move by factors from run to run on a shared machine. So all sides of a benchmark
take turns, in an order that alternates, and the ratio is the median of the ratios of the turns.
"""

import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "var" / "bench.json"
# A median needs at least five turns; fewer are for trying a benchmark out.
ROUNDS = int(os.environ.get("SCF_BENCH_ROUNDS", "5"))

Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Turns:
    """Seconds of two sides that took turns."""

    ours: list[float]
    peer: list[float]

    def faster(self) -> float:
        """How many times faster we are than the peer: the median over the turns."""
        pairs = zip(self.ours, self.peer, strict=True)
        return statistics.median(peer / ours for ours, peer in pairs)

    def rate(self, count: int) -> float:
        """Things a second, ours."""
        return count / statistics.median(self.ours)

    def peer_rate(self, count: int) -> float:
        """Things a second, the peer's."""
        return count / statistics.median(self.peer)


def seconds(work: Work, clock: Clock = time.perf_counter) -> float:
    """Time one call, with the garbage of what ran before out of the way."""
    gc.collect()
    start = clock()
    work()
    return clock() - start


def take_turns(turns: Iterable[tuple[Work, Work]], clock: Clock = time.perf_counter) -> Turns:
    """Run pairs of (ours, peer); every other pair starts with the peer.

    Where both sides only compute, ``time.process_time`` leaves out what others do on the machine.
    """
    ours, peers = [], []
    gc.collect()
    gc.freeze()  # what was set up before is not swept again in everybody's turn
    try:
        for number, (our, peer) in enumerate(turns):
            if number % 2:
                peers.append(seconds(peer, clock))
                ours.append(seconds(our, clock))
            else:
                ours.append(seconds(our, clock))
                peers.append(seconds(peer, clock))
    finally:
        gc.unfreeze()
    return Turns(ours, peers)


class Report:
    """What was measured in this run; the file keeps the entries of benchmarks that did not run."""

    def __init__(self, file: Path = REPORT) -> None:
        self.file = file
        self.lines: list[str] = []

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        peer: dict[str, Any],
        ratio: float | None,
        goal: str,
        met: bool,
        **more: object,
    ) -> None:
        """Keep one result; ``peer`` has a name, a value and a unit."""
        entries = json.loads(self.file.read_text("utf-8")) if self.file.exists() else {}
        peer = {key: _short(part) for key, part in peer.items()}
        entries[name] = {
            "value": _short(value),
            "unit": unit,
            "peer": peer,
            "ratio": _short(ratio),
            "goal": goal,
            "met": met,
            "turns": ROUNDS,
            **{key: _short(part) for key, part in more.items()},
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".part")
        draft.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", "utf-8")
        draft.replace(self.file)
        verdict = "met" if met else "MISSED"
        shown = "" if ratio is None else f", ratio {ratio:.2f}"
        self.lines.append(
            f"{verdict:6} {name}: {value:,.1f} {unit}; "
            f"{peer['name']}: {peer['value']:,} {peer['unit']}{shown} (goal {goal})"
        )


def _short(value: Any) -> Any:  # noqa: ANN401 - whatever JSON takes
    return float(f"{value:.4g}") if isinstance(value, float) else value
