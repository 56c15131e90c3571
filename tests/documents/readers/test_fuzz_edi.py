"""Whatever is damaged in a file of many documents, it is read or refused, in time and memory."""

import random
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from scf.documents.readers import read_file
from tests.documents.readers.edi import (
    BAK,
    BEG,
    BIG,
    BPR,
    BSN,
    DESADV,
    INVOIC,
    ORDERS,
    ORDRSP,
    REMADV,
    edifact,
    x12,
)
from tests.documents.readers.test_fuzz import MANY, calm, mutations
from tests.documents.readers.test_jsonfile import INVOICE, written

EDIFACT = [
    edifact(("INVOIC", INVOIC), ("ORDERS", ORDERS), una="UNA:+.? '"),
    edifact(("ORDRSP", ORDRSP), ("DESADV", DESADV), ("REMADV", REMADV), end="'"),
    edifact(("INVOIC", INVOIC), unb="UNOW:4", charset="utf-8"),
]
X12 = [x12(("810", BIG), ("850", BEG)), x12(("855", BAK), ("856", BSN), ("820", BPR), end="~")]
JSON = [written(INVOICE, INVOICE | {"number": "I-78"}), written(INVOICE)]
VALUES = (
    "", "0", "-1", "1e9", "191.00", "1,5", "20260229", "EUR", "XXX", "9" * 500, "0.005", "+", ":",
    "'", "?", "??", "*", "~", "\u202e", "S", "C", "380", "381", "102", "UNT+1+1", "LIN+1",
    "HL*1*1*I", "٣", "\x00", "\n", "1" * 30,
)  # fmt: skip


_CUTS = {"ISA": ("*", "~"), "UNA": ("+", "'"), "UNB": ("+", "'")}


def misspelt(samples: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Change, double, drop or move whole elements and segments, or keys and values."""
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(samples).decode("utf-8", errors="replace")
        element, end = _CUTS.get(text[:3], (":", ","))
        segments = text.split(end)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(segments))
            match chance.randrange(4):
                case 0:
                    segments.insert(at, chance.choice(segments))
                case 1 if len(segments) > 1:
                    del segments[at]
                case 2:
                    other = chance.randrange(len(segments))
                    segments[at], segments[other] = segments[other], segments[at]
                case _:
                    parts = segments[at].split(element)
                    parts[chance.randrange(len(parts))] = chance.choice(VALUES)
                    segments[at] = element.join(parts)
        yield end.join(segments).encode()


def damage(samples: list[bytes], count: int, seed: int) -> tuple[int, int]:
    """Read damaged files; gives how many documents were kept and refused."""
    kept = refused = 0
    for made in (mutations(samples, count // 2, seed), misspelt(samples, count // 2, seed)):
        for data in calm(made, count):
            parsed = read_file(data)
            assert parsed.documents or parsed.refused
            assert bool(parsed.errors) == bool(parsed.refused)
            # What is no longer an interchange is refused by a word of its own.
            assert len(parsed.refusals) in {parsed.refused, 0}
            for document in parsed.documents:
                assert not any(found.is_error for found in document.findings)
                assert document.number
            kept += len(parsed.documents)
            refused += parsed.refused
    return kept, refused


SAMPLES = pytest.mark.parametrize("samples", [EDIFACT, X12, JSON], ids=["edifact", "x12", "json"])


@SAMPLES
def test_damaged_interchanges_crash_nothing(samples: list[bytes]) -> None:
    kept, refused = damage(samples, 600, seed=20260305)
    # Both must happen, or the test has lost its teeth.
    assert kept > 30
    assert refused > 200


@pytest.mark.long
@SAMPLES
def test_five_thousand_damaged_interchanges_crash_nothing(samples: list[bytes]) -> None:
    kept, refused = damage(samples, MANY, seed=20260306)
    assert min(kept, refused) > 500


def _heaps() -> dict[str, bytes]:
    """Give files of a few megabytes that are built to cost more than they weigh."""
    head = b"UNB+UNOC:3+A+B+260302:1403+1'UNH+1+INVOIC:D:96A:UN'"
    isa = x12(("810", BIG))[:106]
    size = 1_000_000
    return {
        "end marks": head + b"'" * size,
        "elements": head + (b"LIN" + b"+" * 19_000 + b"'") * 50,
        "components": head + (b"NAD+SE+" + b":" * 19_000 + b"'") * 50,
        "releases": head + b"FTX+AAI+++" + b"?'" * (size // 2),
        "lines": head + b"LIN+1'" * 100_000 + b"UNT+100002+1'UNZ+1+1'",
        "messages": b"UNB+UNOC:3+A+B+260302:1403+1'" + b"UNH+1+INVOIC'UNT+2+1'" * 40_000,
        "blanks": b"UNA:+.? '" + b" " * size + b"UNB",
        "packages": b"UNB+A'" + b"UNO+1+1+1+999999999'" * 50_000,
        "records": b"\n".join([b"UNB+UNOC"] * (size // 9)),
        "levels": isa + b"ST*856*1~" + b"HL*1*1*I~" * 100_000 + b"SE*1*1~",
        "interchanges": isa * (size // 106),
        "one line": isa[:3] + b"*" * size,
    }


@pytest.mark.long
@pytest.mark.parametrize("name", _heaps())
def test_a_heap_of_marks_is_refused_in_time_and_within_memory(name: str) -> None:
    data = _heaps()[name]
    begun = time.process_time()
    parsed = read_file(data)
    spent = time.process_time() - begun
    assert parsed.refused
    assert spent < 5  # seconds of CPU for a megabyte that is built to cost; far from a hang
    tracemalloc.start()
    read_file(data)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 150_000_000
