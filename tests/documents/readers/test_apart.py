"""What is read in a process of its own is what would have been read here."""

import datetime as dt
import json
from typing import IO

import pytest

from scf.documents.canonical import Kind, ParsedFile
from scf.documents.readers import files, read_file
from scf.documents.readers.apart import as_plain, from_plain
from scf.kernel import confined
from scf.kernel.errors import words_as_stored
from tests.documents.readers.edi import INVOIC, edifact
from tests.documents.readers.samples import cii, fatturapa, ubl
from tests.documents.readers.test_fuzz import mutations
from tests.documents.readers.test_fuzz_edi import EDIFACT, JSON, X12

TODAY = dt.date(2026, 1, 1)


def places(parsed: ParsedFile) -> list[object]:
    """Give what an equal document may still have otherwise: where its fields stood, how told."""
    return [
        *(dict(one.source.places) for one in parsed.documents),
        *(dict(one.source.line_places) for one in parsed.documents),
        *(words_as_stored(one.message) for one in parsed.findings),
    ]


def test_whatever_was_read_comes_back_whole() -> None:
    whole = [*EDIFACT, *X12, *JSON, ubl("order"), ubl("receipt"), cii(), fatturapa()]
    damaged = mutations(EDIFACT + X12 + JSON, 60, seed=20261123)
    for data in [*whole, *damaged]:
        parsed = read_file(data, today=TODAY)
        again = from_plain(json.loads(json.dumps(as_plain(parsed))))
        assert again == parsed
        assert places(again) == places(parsed)
        assert {type(one.kind) for one in again.documents} <= {Kind}


def test_a_large_interchange_is_read_apart_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = edifact(("INVOIC", INVOIC), ("INVOIC", ("BGM+380", *INVOIC[2:])))
    here = read_file(data, today=TODAY)
    asked: list[str] = []
    run = confined.run

    def noted(task: str, data: bytes, options: dict[str, object]) -> IO[bytes]:
        asked.append(task)
        return run(task, data, options)

    monkeypatch.setattr(confined, "run", noted)
    monkeypatch.setattr(files, "SMALL", 100)
    assert read_file(data, today=TODAY) == here
    assert asked == ["scf.documents.readers.apart:work"]


def test_a_process_that_is_ended_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    run = confined.run
    tight = confined.Limits(output_bytes=100)
    monkeypatch.setattr(
        confined, "run", lambda task, data, options: run(task, data, options, tight)
    )
    monkeypatch.setattr(files, "SMALL", 100)
    parsed = read_file(EDIFACT[0])
    assert parsed.refused == 1
    assert [found.code for found in parsed.findings] == ["READING_LIMIT"]
