"""Large files are read by a process of their own, and come to what they come to here."""

import gzip
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents.canonical import Kind
from scf.documents.readers import apart, files, textrows
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.table import RawRow
from scf.kernel import confined
from tests.documents import ubl
from tests.documents.trade import DAY, INVOICES, invoice_table, trade_on


def text_rows(count: int = 3_000) -> str:
    """A table of invoices with every kind of damage that a line can have."""
    rows = [{"number": f"I-{n}", "amount": "10.00"} for n in range(count)]
    lines = invoice_table(rows).decode().splitlines()
    lines[7] = lines[7].replace("I-6", '"I-6')  # a quote that never closes
    lines[9] += "\0"
    lines[11] = lines[11].replace("I-10", "I-1\u00e9\u20ac")
    lines[13] = lines[13].replace("I-12", '"I-\n12"')  # one record on two lines
    lines[20] = "x" * 300_000
    return "\n".join(lines) + "\n"


NOISE = random.Random(7)  # what does not pack well
CONTENTS = {
    "utf-8": text_rows().encode(),
    "letters of another encoding": text_rows().encode("cp1252") + b"\xff\x81\x8d\n" * 3,
    "utf-16": ("\ufeff" + text_rows()).encode("utf-16-le"),
    "packed": gzip.compress(
        NOISE.randbytes(300_000).hex().encode() + text_rows().encode(), mtime=0
    ),
    "packed and cut": gzip.compress(NOISE.randbytes(400_000).hex().encode(), mtime=0)[:-9],
}


def all_of(content: bytes, *, aside: bool) -> tuple[list[RawRow], Any, int]:
    table = open_table(content, INVOICES, today=DAY, apart=aside)
    rows = list(table.raw_rows())
    source = table.source
    assert isinstance(source, textrows.ApartRows) is aside
    assert source is not None
    return rows, source.broken, source.number


@pytest.mark.parametrize("name", CONTENTS)
def test_a_large_table_cut_by_another_process_has_the_same_rows(name: str) -> None:
    content = CONTENTS[name]
    assert len(content) > textrows.LARGE
    rows, broken, _number = all_of(content, aside=False)
    assert (rows, broken) == all_of(content, aside=True)[:2]
    assert (broken is not None) is ("cut" in name)


def test_a_table_without_a_mapping_is_proposed_alike() -> None:
    content = CONTENTS["utf-8"]
    here, there = (
        open_table(content, kind=Kind.INVOICE, today=DAY, apart=aside) for aside in (False, True)
    )
    assert here.mapping == there.mapping
    assert here.findings == there.findings
    assert list(here.rows()) == list(there.rows())


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = confined._started
    found: list[subprocess.Popen[bytes]] = []

    def noted(*given: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - as the real one
        found.append(started(*given))
        return found[-1]

    monkeypatch.setattr(confined, "_started", noted)
    yield found
    assert all(child.poll() is not None for child in found), "no process is left behind"


def test_rows_nobody_asks_for_any_more_end_their_process(
    children: list[subprocess.Popen[bytes]],
) -> None:
    rows = open_table(CONTENTS["utf-8"], INVOICES, apart=True).raw_rows()
    next(rows)
    assert children[0].poll() is None, "it waits to be asked for more"
    rows.close()  # type: ignore[attr-defined]
    assert children[0].poll() is not None


def test_a_reader_that_is_killed_costs_the_rest_of_its_file_and_nothing_else(
    db: Database, children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = trade_on(db)
    content = invoice_table([{"number": f"I-{n}", "amount": "1.00"} for n in range(20_000)])
    lines = confined._lines

    def killed(child: subprocess.Popen[bytes], limits: confined.Limits) -> Iterator[bytes]:
        told = lines(child, limits)
        yield next(told)
        child.kill()
        child.wait()

    monkeypatch.setattr(confined, "_lines", killed)
    summary = trade.hand_in(content, INVOICES)
    assert (summary["state"], summary["stored"], summary["bad"]) == ("DONE", 249, 1)
    (told,) = [row for row in trade.findings() if row.severity == "ERROR"]
    assert (told.code, told.place) == ("READING_LIMIT", "row 251")
    assert told.message == "Reading this file takes more time or memory than a file may."
    assert len(children) == 1


def test_a_reader_that_says_nothing_or_does_not_end_its_line_is_ended(
    children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "_BLOCK", 100)
    for limits in (
        confined.Limits(wall_seconds=0),
        confined.Limits(output_bytes=50),
    ):
        monkeypatch.setattr(textrows, "_LIMITS", limits)
        table = open_table(CONTENTS["utf-8"], INVOICES, apart=True)
        assert not table.readable
        assert [found.code for found in table.findings if found.is_error] == ["READING_LIMIT"]
    assert len(children) == 2


def test_a_large_xml_document_is_read_by_another_process_to_the_same_document(
    children: list[subprocess.Popen[bytes]],
) -> None:
    content = ubl.invoice("I-1", "10.00").replace(
        b"</Invoice>", b"<!--" + b"x" * apart.SMALL + b"--></Invoice>"
    )
    assert files.read_file(content, today=DAY) == files.read_here("xml", content, DAY)
    assert len(children) == 1
    small = ubl.invoice("I-1", "10.00")
    assert files.read_file(small, today=DAY).documents
    assert len(children) == 1, "a small one costs less than a process"
