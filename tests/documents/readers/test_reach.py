"""Reading what strangers send opens no file, reaches no network and starts no program."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scf.documents.readers import facturx, read_file
from scf.documents.readers.csvfile import open_table
from scf.kernel.pdf import opened_here
from tests.documents.readers import pdfs
from tests.documents.readers.samples import cii, fatturapa, table, ubl
from tests.documents.readers.test_fuzz import mutations
from tests.documents.readers.test_fuzz_edi import EDIFACT, JSON, X12
from tests.documents.readers.test_hostile_xml import HARMLESS, REFUSED
from tests.documents.readers.test_signed import in_pieces

_ACTS = ("open", "socket.", "subprocess.", "os.", "shutil.", "urllib.", "ftplib.", "exec", "import")
_seen: list[str] | None = None


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is not None and event.startswith(_ACTS):
        _seen.append(f"{event} {arguments[:1]}"[:200])


@pytest.fixture(scope="module")
def watched() -> Callable[[], Any]:
    """Give a watch over what Python does; such a hook stays for good and sleeps outside of it."""
    sys.addaudithook(_notice)

    @contextmanager
    def watching() -> Iterator[list[str]]:
        global _seen  # noqa: PLW0603 - a hook cannot be taken off, only put to sleep
        found: list[str] = []
        _seen = found
        try:
            yield found
        finally:
            _seen = None

    return watching


def everything() -> Iterator[bytes]:
    """Give attacks that ask for files and addresses, and damaged files of every kind."""
    yield from (data for data, _code in REFUSED.values() if len(data) < 100_000)
    yield from HARMLESS.values()
    samples = [ubl("invoice"), cii(), fatturapa(), in_pieces(fatturapa()), *EDIFACT, *X12, *JSON]
    yield from samples
    yield from mutations([*samples, pdfs.invoice()], 200, seed=20261125)


def test_reading_stays_inside_the_file(
    watched: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facturx, "open_pdf", opened_here)
    files = list(everything())
    tables = list(mutations([table("payments"), table("invoices-german")], 60, seed=20261126))

    def read_all() -> None:
        for data in files:
            read_file(data)
        for data in tables:
            list(open_table(data).rows())

    read_all()  # what is loaded at first use is loaded now
    with watched() as found:
        read_all()
    assert found == []
    assert len(files) > 250


def test_the_watch_would_have_seen_it(watched: Callable[[], Any]) -> None:
    with watched() as found, Path(__file__).open("rb"):
        pass
    assert len(found) == 1
    assert found[0].startswith("open ")
