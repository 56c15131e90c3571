"""Large files are read by a process of their own, and come to what they come to here."""

import gzip
import json
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents.canonical import Kind
from scf.documents.readers import apart, files, textrows
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.handedover import handed_over, taken_over
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.table import RawRow
from scf.documents.readers.tablerows import RowReader
from scf.kernel import confined
from scf.kernel.errors import InvalidInput
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


# Rows that fill every form of field that a table has: amounts, days, firms, references, lines.
EVERY_FIELD = ColumnMapping(
    kind=Kind.INVOICE,
    columns={
        name: name
        for name in (
            "number", "issue_on", "due_on", "seller_name", "seller_vat", "buyer_name", "payee_name",
            "payable", "prepaid", "order_reference", "iban", "bic", "note", "billing_reference",
            "despatch_reference", "tax_scheme", "tax_invoice_number", "tax_invoice_code",
            "item_name", "item_id", "quantity", "price", "line_net",
        )
    },
    default_currency="EUR",
)  # fmt: skip
EVERY_HEADER = list(EVERY_FIELD.columns)
EVERY_ROW = [
    "A-1", "2026-01-05", "2026-03-05", "Werk Nord", "DE136695976", "Anlage Süd", "Bank West",
    "20.00", "1.50", "PO-7", "DE89370400440532013000", "COBADEFFXXX", "as agreed", "A-0", "L-9",
    "cn-fapiao", "12345678", "044001900111", "Bolt", "B-1", "2", "5.00", "10.00",
]  # fmt: skip


def every_row() -> list[RawRow]:
    """Two lines of one document, one with other firms, a bad one, one with nothing but a head."""
    _number, day, due, *rest = EVERY_ROW
    return [
        RawRow(2, EVERY_ROW),
        RawRow(3, [*EVERY_ROW[:-5], "Nut", "", "1", "", "10.00"]),
        RawRow(4, ["A-2", day, "", "Werk Ost", *rest[1:]]),
        RawRow(5, ["A-3", "soon", due, *rest]),
        RawRow(6, ["A-4", day, due, *rest[:2], "Anlage West", "", "7.00", *[""] * 15]),
    ]


def test_documents_of_every_form_are_taken_over_as_they_were_read() -> None:
    reader = RowReader(EVERY_FIELD, EVERY_HEADER, DAY)
    results = list(reader.documents(iter(every_row())))
    told = [json.loads(json.dumps(part)) for part in handed_over(results)]
    again = [result for part in told for result in taken_over(part, reader)]
    assert again == results
    documents = [one.document for one in results if one.document is not None]
    assert len(documents) == 3
    assert documents[0].lines[1].item_name == "Nut"
    assert documents[0].tax_identity is not None
    for one, other in zip(results, again, strict=True):
        if one.document is not None and other.document is not None:
            assert list(map(type, one.document)) == list(map(type, other.document))
            assert one.document.place("number") == other.document.place("number")
            assert one.document.source.places == other.document.source.places


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", [1, 2, 3]),
        ("number", ["A-1", "A-2"]),
        ("payable_minor", ["1", 2, 3]),
        ("payable_minor", [True, 2, 3]),
        ("payable_minor", [2**63, 2, 3]),
        ("issue_on", ["2026-13-01", "2026-01-01", "2026-01-01"]),
        ("seller", [0, 1, 99]),
        ("lines", [[["1"]], [], []]),
        ("billing_references", [[[7, None]], [], []]),
        ("kind", ["order", "order", "order"]),
        ("profile", ["a", "b", "c"]),
    ],
)
def test_what_no_reader_writes_is_not_taken_over(name: str, value: list[Any]) -> None:
    reader = RowReader(EVERY_FIELD, EVERY_HEADER, DAY)
    (part,) = handed_over(reader.documents(iter(every_row())))
    told = json.loads(json.dumps(part))
    told["same"].pop(name, None)
    told["own"][name] = value
    with pytest.raises(InvalidInput, match="damaged"):
        list(taken_over(told, reader))


@pytest.mark.parametrize("name", ["utf-8", "utf-16"])
def test_documents_read_by_another_process_are_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textrows, "VERY_LARGE", textrows.LARGE)
    here, there = (
        open_table(CONTENTS[name], INVOICES, today=DAY, apart=aside) for aside in (False, True)
    )
    rows = list(here.rows())
    assert len(rows) > 2_990
    assert rows == list(there.rows())
    assert there.source is not None
    assert there.source.number == rows[-1].row


def test_a_header_too_long_to_be_told_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textrows, "VERY_LARGE", textrows.LARGE)
    first, rest = CONTENTS["utf-8"].split(b"\n", 1)
    content = first + b"," + b"x" * 200_000 + b"\n" + rest
    table = open_table(content, INVOICES, today=DAY, apart=True)
    assert len(table.header[-1]) == 200_000
    assert next(result.row for result in table.rows()) == 2


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


def test_a_reader_of_documents_that_is_killed_costs_the_rest_of_its_file(
    children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textrows, "VERY_LARGE", textrows.LARGE)
    table = open_table(CONTENTS["utf-8"], INVOICES, today=DAY, apart=True)
    rows = table.rows()
    first = next(rows)
    assert [child.poll() is None for child in children] == [False, True], "one reads, not two"
    children[1].kill()
    *rest, last = rows
    assert first.row == 2
    assert [found.code for found in last.findings] == ["READING_LIMIT"]
    assert last.findings[0].place == f"row {rest[-1].row + 1}"


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
