"""Interchanges read into checked documents, beside a library that only cuts them."""

import importlib.metadata
import time
import warnings

import pytest

from scf.documents.readers import read_file
from tests.documents.readers.edi import INVOIC, edifact
from tests.performance.measure import ROUNDS, Report, take_turns

INVOICES = 500
GOAL = 1.5


@pytest.mark.bench
def test_an_interchange_is_read_faster_than_a_library_cuts_it(report: Report) -> None:
    from pydifact.segmentcollection import Interchange

    data = edifact(*[("INVOIC", INVOIC)] * INVOICES)
    text = data.decode("latin-1")
    parsed = read_file(data)
    assert (len(parsed.documents), parsed.findings) == (INVOICES, ())

    def ours() -> None:
        read_file(data)

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert len(list(Interchange.from_str(text).get_messages())) == INVOICES

    turns = take_turns([(ours, peer)] * ROUNDS, time.process_time)
    ratio = turns.faster()
    report.add(
        "read_edifact",
        turns.rate(INVOICES),
        "documents/s",
        peer={
            "name": f"pydifact {importlib.metadata.version('pydifact')}, segments only",
            "value": turns.peer_rate(INVOICES),
            "unit": "messages/s",
        },
        ratio=ratio,
        goal=f"ratio >= {GOAL}",
        met=ratio >= GOAL,
        bytes_per_document=len(data) / INVOICES,
    )
