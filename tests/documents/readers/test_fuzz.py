"""Whatever is damaged, a reader answers with documents and findings and never with a crash."""

import gzip
import io
import random
import re
import resource
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pytest

from scf.documents.canonical import Kind
from scf.documents.readers import facturx, read_file
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.pdf import opened_here
from tests.documents.readers.binary_books import ods, xls, xlsb
from tests.documents.readers.books import LEDGER, repacked, workbook
from tests.documents.readers.pdfs import parts, updated, written
from tests.documents.readers.samples import cii, fatturapa, table, ubl
from tests.documents.readers.test_signed import in_pieces

SPLINTERS = (
    b"<", b">", b"&", b'"', b"'", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"<?x?>", b"\0", b"\xff",
    b"\xed\xa0\x80", b"&#0;", b"&#x202e;", b"-", b"1E400", b"NaN", b"", b" ", b"\n", b"\r", b",",
    b";", b"\t", b"=1+1", b"99999999999999999999", b"0.001", b"2026-13-45", b"<cbc:ID>2</cbc:ID>",
    b'currencyID="JPY"', "\u0661\u0662".encode(), "\u200f".encode(), b"\xef\xbb\xbf", b"\x1f\x8b",
)  # fmt: skip


MANY = 5000


def calm(files: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Give files to read: of many, none costs a second of the processor, nor all of them 150 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for place, data in enumerate(files):
        begun = time.process_time()
        yield data
        # The first one pays for what is loaded for all.
        assert count < MANY or not place or time.process_time() - begun < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # kB


def mutations(samples: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Damage samples by insertion, deletion, doubling, swapping and bit flips."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 4)):
            at, size = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 40, 400))
            other = chance.randrange(len(data) + 1)
            match chance.randrange(5):
                case 0:
                    data[at:at] = chance.choice(SPLINTERS)
                case 1:
                    del data[at : at + size]
                case 2:
                    data[other:other] = data[at : at + size]
                case 3:
                    data[at : at + size] = chance.choice(SPLINTERS)
                case _:
                    if at < len(data):
                        data[at] ^= 1 << chance.randrange(8)
        yield bytes(data)


VALUES = (
    "", " ", "0", "-1", "1e9", "14000.00", "100.00", "2026-02-29", "EUR", "JPY", "KWD", "XXX",
    "380", "381", "386", "\u202e", "9" * 500, "0.005", "+5", ".5", "5.", "\u00a0", "S",
    "true", "1/3",
)  # fmt: skip


def misspelt(samples: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Change values and drop or double elements, leaving the XML well-formed."""
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(samples).decode()
        for _ in range(chance.randint(1, 3)):
            found = chance.choice(
                list(re.finditer(r"<((?:(?:cbc|ram|udt):)?\w+)([^<>]*)>([^<>]*)</\1>", text))
            )
            name, attributes, value = found.groups()
            element = found.group(0)
            new = chance.choice(
                (
                    f"<{name}{attributes}>{chance.choice(VALUES)}</{name}>", element * 2, "",
                    f"<{name}>{value}</{name}>", f"<!-- --> {element}",
                )
            )  # fmt: skip
            text = text[: found.start()] + new + text[found.end() :]
        yield text.encode()


UBL = ("invoice", "credit-note", "order", "receipt")
CII = ("invoice", "zugferd-1")


SAMPLES = {
    "ubl": [ubl(name) for name in UBL],
    "cii": [cii(name) for name in CII],
    "fatturapa": [fatturapa("invoice"), fatturapa("simplified")],
}


@pytest.mark.parametrize(("standard", "count"), [("ubl", 1000), ("cii", 400), ("fatturapa", 400)])
def test_damaged_documents_crash_nothing(standard: str, count: int) -> None:
    read_damaged(SAMPLES[standard], count)


@pytest.mark.long
@pytest.mark.parametrize("standard", SAMPLES)
def test_ten_thousand_damaged_documents_crash_nothing(standard: str) -> None:
    read_damaged(SAMPLES[standard], MANY)


@pytest.mark.parametrize(
    "count", [300, pytest.param(MANY, marks=pytest.mark.long, id="five-thousand")]
)
def test_damaged_wrappers_crash_nothing(count: int) -> None:
    wrapped = [
        in_pieces(fatturapa()),
        gzip.compress(fatturapa()),
        gzip.compress(in_pieces(ubl("order"))),
    ]
    codes: Counter[str] = Counter()
    for data in calm(mutations(wrapped, count, seed=20260307), count):
        parsed = read_file(data)
        assert len(parsed.documents) + parsed.refused == 1
        assert bool(parsed.errors) == bool(parsed.refused)
        codes.update(found.code for found in parsed.findings)
    assert min(codes["SIGNED_BROKEN"], codes["GZIP_BROKEN"]) > count // 20


@pytest.mark.parametrize(
    "count", [150, pytest.param(MANY, marks=pytest.mark.long, id="five-thousand")]
)
def test_damaged_pdf_files_crash_nothing(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # In this process, where nothing hides a fault of ours; a process for each takes long, too.
    monkeypatch.setattr(facturx, "open_pdf", opened_here)
    read_damaged_pdf(count)


def read_damaged_pdf(count: int) -> None:
    files = [written(parts()), updated(written(parts()), {11: b"<< /Title (seen) >>"})]
    codes: Counter[str] = Counter()
    damaged = [*mutations(files, count // 2, seed=20260305), *rewritten(count // 2, seed=20260306)]
    for data in calm(damaged, count):
        parsed = read_file(data)
        assert len(parsed.documents) + parsed.refused == 1
        assert bool(parsed.errors) == bool(parsed.refused)
        codes.update({found.code for found in parsed.findings} or {"kept"})
    assert codes["kept"] > 0
    assert codes["PDF_BROKEN"] > count // 10


def rewritten(count: int, seed: int) -> Iterator[bytes]:
    """Damage one object of a file and write its table anew, so that the damage is reached."""
    chance = random.Random(seed)
    whole = parts()
    for number in range(count):
        place = chance.choice(sorted(whole))
        (damaged,) = mutations([whole[place]], 1, seed + number)
        yield written(whole | {place: damaged})


def read_damaged(samples: list[bytes], count: int) -> None:
    kept = refused = 0
    damaged = [*mutations(samples, count, seed=20260302), *misspelt(samples, count, seed=20260304)]
    for data in calm(damaged, count):
        parsed = read_file(data)
        assert len(parsed.documents) + parsed.refused == 1
        assert bool(parsed.errors) == bool(parsed.refused)
        kept += len(parsed.documents)
        refused += parsed.refused
    # Both must happen, or the test has lost its teeth.
    assert kept > 50
    assert refused > 500


@pytest.mark.parametrize(
    "count", [2000, pytest.param(MANY, marks=pytest.mark.long, id="five-thousand")]
)
def test_damaged_tables_crash_nothing(count: int) -> None:
    names = ("invoices-german", "orders-by-line", "payments")
    kept = refused = 0
    damaged = mutations([table(name) for name in names], count, seed=20260303)
    for data in calm(damaged, count):
        opened = open_table(data)
        for row in opened.rows():
            wrong = any(found.is_error for found in row.findings)
            # What is no document at all (a sum, the header again) counts as no row.
            assert (row.document is None) == (wrong or row.row_count == 0)
            kept += row.document is not None
            refused += row.document is None
        for mapping in MAPPINGS:
            list(open_table(data, mapping).rows())
    assert kept > 500
    assert refused > 500


MAPPINGS = (
    ColumnMapping(
        kind=Kind.INVOICE,
        columns={
            "number": "Rechnungsnummer",
            "issue_on": "Rechnungsdatum",
            "payable": "Betrag",
            "seller_name": "Lieferant",
            "buyer_name": "Kunde",
        },
        date_formats=("DD.MM.YYYY",),
        decimal="comma",
        default_currency="EUR",
        header_row=3,
    ),
)


def damaged_others(count: int, seed: int) -> Iterator[bytes]:
    """Give workbooks of the other formats with bytes changed inside their parts."""
    chance = random.Random(seed)
    rows = [LEDGER[4], *(row for row in LEDGER[5:8] if "#N/A" not in row)]
    for number in range(count):
        if number % 3 == 0:
            (data,) = mutations([xls(rows)], 1, seed + number)
            yield data
            continue
        honest = xlsb(rows) if number % 3 == 1 else ods(rows)
        with zipfile.ZipFile(io.BytesIO(honest)) as archive:
            hit = chance.choice([name for name in archive.namelist() if name != "mimetype"])
            (part,) = mutations([archive.read(hit)], 1, seed + number)
        yield repacked(honest, partial(_swapped, hit, part))


def _swapped(hit: str, damaged: bytes, name: str, part: bytes) -> bytes:
    return damaged if name == hit else part


def damaged_workbooks(count: int, seed: int) -> Iterator[bytes]:
    """Give workbooks with bytes changed, in the archive or in the XML of one of its parts."""
    chance = random.Random(seed)
    honest = workbook(LEDGER, cover=True)
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        parts = [name for name in archive.namelist() if name.endswith(".xml")]
    for number in range(count):
        if number % 4 == 0:
            data = bytearray(honest)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(30, len(data))] = chance.randrange(256)
            yield bytes(data)
            continue
        hit = chance.choice(parts)

        def change(name: str, part: bytes, hit: str = hit) -> bytes:
            if name != hit:
                return part
            at = chance.randrange(len(part))
            junk = chance.choice(
                (b"", b"<", b'"', b"&x;", b"\xff", b"9" * 400, b"\x00", b'r="ZZZ9999999"', b"-1")
            )
            return part[:at] + junk + part[at + chance.randint(0, 40) :]

        yield repacked(honest, change)


@pytest.mark.parametrize(
    "count", [24, pytest.param(MANY, marks=pytest.mark.long, id="five-thousand")]
)
@pytest.mark.parametrize("damaged", [damaged_workbooks, damaged_others], ids=["xlsx", "others"])
def test_damaged_workbooks_are_read_or_refused(
    damaged: Callable[[int, int], Iterator[bytes]], count: int
) -> None:
    read = refused = 0
    for data in calm(damaged(count, 20261122), count):
        opened = open_table(data)
        results = list(opened.rows())
        for row in results:
            wrong = any(found.is_error for found in row.findings)
            assert (row.document is None) == (wrong or row.row_count == 0)
        read += bool(results)
        refused += not opened.readable
    assert read + refused >= count
    assert read > count // 8
    assert refused > count // 8
