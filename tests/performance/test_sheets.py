"""A workbook of fifty thousand invoices read into documents, beside openpyxl, which reads cells."""

import datetime as dt
import importlib.metadata
import io
import os

import openpyxl
import pytest

from scf.documents.canonical import Kind
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.mapping import ColumnMapping
from tests.performance.measure import Report, take_turns

ROWS = 50_000
MAX_SECONDS = 15.0
HEADER = ("Invoice No", "Invoice Date", "Due Date", "Supplier", "Supplier VAT", "Currency",
          "Net", "Tax", "Amount Due", "Order", "Cost centre", "Note")  # fmt: skip
MAPPING = ColumnMapping(
    kind=Kind.INVOICE,
    columns={
        "number": "Invoice No",
        "issue_on": "Invoice Date",
        "due_on": "Due Date",
        "seller_name": "Supplier",
        "seller_vat": "Supplier VAT",
        "currency": "Currency",
        "net": "Net",
        "tax": "Tax",
        "payable": "Amount Due",
    },
    constants={"buyer_name": "Anchor", "buyer_country": "DE"},
)


@pytest.mark.bench
def test_fifty_thousand_rows_of_a_workbook_become_documents_in_time(report: Report) -> None:
    data = _workbook()

    def ours() -> None:
        results = list(open_table(data, MAPPING).rows())
        assert len(results) == ROWS
        assert all(row.document is not None for row in results)

    def peer() -> None:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        assert sum(1 for _ in sheet.iter_rows(values_only=True)) == ROWS + 1

    # The child's time counts as ours.
    turns = take_turns([(ours, peer)], _all_processor_time)
    seconds = ROWS / turns.rate(ROWS)
    report.add(
        "read_xlsx",
        turns.rate(ROWS),
        "rows/s",
        peer={
            "name": f"openpyxl {importlib.metadata.version('openpyxl')}, cells only",
            "value": turns.peer_rate(ROWS),
            "unit": "rows/s",
        },
        ratio=turns.faster(),
        goal=f"{ROWS} rows under {MAX_SECONDS} s",
        met=seconds < MAX_SECONDS,
        seconds=seconds,
        bytes=len(data),
    )


def _all_processor_time() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _workbook() -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Invoices")
    sheet.append(HEADER)
    first = dt.date(2026, 1, 1)
    for number in range(ROWS):
        net = 1000 + number % 977 + 0.25
        sheet.append(
            (f"N-{number}", first + dt.timedelta(days=number % 80), dt.date(2026, 6, 30),
             f"Supplier {number % 300} Ltd", f"DE{100_000_000 + number % 300}", "EUR",
             net, 19.5, net + 19.5, f"PO-{number % 5000}", "K 100", "")
        )  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
