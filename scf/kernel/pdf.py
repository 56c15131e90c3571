"""Open a PDF that a stranger sent and take the one invoice out of it, or refuse it with a reason.

Nothing in the file is run or followed: whatever could act (scripts, programs to launch, forms that
send) refuses it, an encrypted file is refused, and so is one whose structure is broken, because
two readers could see two files in it. An invoice in PDF is PDF/A-3, which allows none of these.

The work is done in a limited process (``unpack``), so that a file that leads the parser astray
costs nobody else anything. Inside it the work is counted besides, so that the same file is good or
bad on every machine.

Source: Factur-X 1.0 / ZUGFeRD 2, section on the embedding in PDF/A-3; ISO 19005-3, 6.6 and 6.8.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import IO, Any, Final, NamedTuple

from scf.kernel import confined
from scf.kernel.effort import Exhausted, limited
from scf.kernel.errors import InvalidInput, ScfError, TooLarge, Unavailable
from scf.kernel.xml import load_xml

MAX_PDF_BYTES: Final = 10_000_000
MAX_OBJECTS: Final = 20_000
MAX_VALUES: Final = 200_000
MAX_FILES: Final = 50
MAX_REVISIONS: Final = 16
MAX_STREAM: Final = 5_000_000
MAX_SCANS: Final = 100
MAX_TEXT: Final = 200_000
MAX_PAGES: Final = 12
# About a second; an ordinary invoice needs a tenth of it for its structure and half for its text.
STRUCTURE_EFFORT: Final = 2_500_000
TEXT_EFFORT: Final = 2_500_000

_END = re.compile(rb"startxref\s{1,4}[0-9]{1,12}\s{1,4}%%EOF")
_INVOICE = re.compile(
    rb"<(?:[\w.-]{1,40}:)?(?:CrossIndustryInvoice|CrossIndustryDocument|Invoice|CreditNote)[\s>]"
)
_LOOK: Final = 40_000
_ACTS: Final = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition"})
_RELATIONS: Final = frozenset({"/Data", "/Alternative", "/Source"})
_METADATA: Final = ("DocumentFileName", "DocumentType", "ConformanceLevel")


class Attached(NamedTuple):
    """A file inside the PDF that holds an invoice."""

    name: str
    relation: str
    content: bytes


class Opened(NamedTuple):
    """What a PDF holds: its invoice, what its metadata says of it, and the text of its pages."""

    invoice: Attached
    metadata: dict[str, str]
    text: str


class _Metered:
    """The bytes of the file; reading all of them for a lost object is allowed so many times."""

    def __init__(self, data: bytes) -> None:
        self._bytes = io.BytesIO(data)
        self._scans = 0
        self.seek = self._bytes.seek
        self.tell = self._bytes.tell

    def read(self, size: int = -1) -> bytes:
        """Read on; without a size to the end of the file."""
        if size < 0:
            self._scans += 1
            if self._scans > MAX_SCANS:
                raise Exhausted
        return self._bytes.read(size)


def open_pdf(data: bytes, *, text: bool = True) -> Opened:
    """Open a PDF in a process of its own; without ``text`` its pages are left unread.

    Raises
    ------
    InvalidInput
        PDF_BROKEN, PDF_ENCRYPTED, PDF_ACTIVE, PDF_NO_INVOICE, PDF_TWO_INVOICES, PDF_REPLACED, or
        FILE_BROKEN where the parser itself fell over it.
    TooLarge
        PDF_TOO_LARGE, PDF_TOO_COMPLEX, or READING_LIMIT where the process was ended.
    Unavailable
        When the parser is not installed.
    """
    _watch_size(data)
    if importlib.util.find_spec("pypdf") is None:
        raise Unavailable(
            "EINVOICE_SET_MISSING",
            "PDF invoices cannot be read; install the set einvoice: pip install factur-x",
        )
    with confined.run("scf.kernel.pdf:unpack", data, {"text": text}) as answer:
        told = json.loads(answer.readline())
        attached = Attached(told["name"], told["relation"], answer.read())
    return Opened(attached, told["metadata"], told["text"])


def unpack(source: IO[bytes], answer: IO[bytes], *, text: bool) -> None:
    """Write what a PDF holds: one line of JSON, and behind it the invoice byte for byte."""
    opened = opened_here(source.read(), text=text)
    about = {
        "name": opened.invoice.name,
        "relation": opened.invoice.relation,
        "metadata": opened.metadata,
        "text": opened.text,
    }
    answer.write(json.dumps(about).encode() + b"\n" + opened.invoice.content)


def opened_here(data: bytes, *, text: bool = True) -> Opened:
    """Open a PDF in this process: what ``unpack`` does within its limits."""
    return Opened(*_invoice_inside(data), _text(data) if text else "")


def _watch_size(data: bytes) -> None:
    if len(data) > MAX_PDF_BYTES:
        raise TooLarge(
            "PDF_TOO_LARGE",
            "The PDF has %(measured)s bytes; %(limit)s are allowed.",
            measured=len(data),
            limit=MAX_PDF_BYTES,
        )


def _invoice_inside(data: bytes) -> tuple[Attached, dict[str, str]]:
    """Find the one invoice of a PDF, and what the metadata say of it."""
    _watch_size(data)
    try:
        with _bounded(STRUCTURE_EFFORT):
            reader = _reader(data)
            found = _invoices(_objects(reader))
            earlier = list(_earlier_invoices(data))
            metadata = _metadata(reader)
    except Exhausted:
        raise _too_complex() from None
    except ScfError:
        raise
    except Exception as error:  # noqa: BLE001 - the parser raises whatever a damaged file leads to
        if isinstance(error, _pypdf().errors.LimitReachedError):
            raise _too_complex() from None
        raise InvalidInput(
            "PDF_BROKEN",
            "The structure of the PDF is broken: %(reason)s",
            reason=f"{type(error).__name__}: {error}"[:200],
        ) from None
    invoice = _only(found)
    for before in earlier:
        if before.content != invoice.content:
            raise InvalidInput(
                "PDF_REPLACED",
                "A later change of the PDF has replaced the invoice inside it; send the PDF as it "
                "was first made.",
                name=before.name,
            )
    return invoice, metadata


def _too_complex() -> TooLarge:
    return TooLarge(
        "PDF_TOO_COMPLEX", "The PDF is larger or more complex inside than invoices are."
    )


@contextmanager
def _bounded(units: int) -> Iterator[None]:
    """Hold the parser to small streams and to so much work."""
    pypdf = _pypdf()
    with (
        pypdf.apply_configuration(
            maximum_declared_stream_length=MAX_PDF_BYTES,
            array_based_stream_maximum_output_length=MAX_STREAM,
            lzw_maximum_output_length=MAX_STREAM,
            run_length_maximum_output_length=MAX_STREAM,
            zlib_maximum_output_length=MAX_STREAM,
            zlib_maximum_recovery_input_length=0,
            brotli_maximum_output_length=MAX_STREAM,
            stream_filters_maximum_length=3,
            stream_decoding_work_maximum_length=3 * MAX_STREAM,
            page_tree_maximum_entries=1_000,
            xform_maximum_invocations_per_extraction=200,
            jbig2dec_binary=None,
        ),
        limited(units),
    ):
        yield


@lru_cache(maxsize=1)
def _pypdf() -> ModuleType:
    import pypdf
    import pypdf.generic

    # It would write a line for every oddity of a hostile file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    return pypdf


def _reader(data: bytes) -> Any:  # noqa: ANN401 - a class of the parser
    reader = _pypdf().PdfReader(
        _Metered(data),
        strict=True,
        root_object_recovery_limit=0,
        xref_stream_maximum_entries=MAX_OBJECTS,
    )
    if "/Encrypt" in reader.trailer:
        raise InvalidInput("PDF_ENCRYPTED", "The PDF is encrypted; send it without a password.")
    return reader


# --- What stands in it ------------------------------------------------------------------------


def _objects(reader: Any) -> Iterator[Any]:  # noqa: ANN401 - a class of the parser
    """Give every dictionary of the file, however deep it stands, once."""
    generic = _pypdf().generic
    places = {(number, 0) for number in reader.xref_objStm}
    for generation, entries in reader.xref.items():
        if generation < 65_535:  # noqa: PLR2004 - the generation of entries that are free
            places |= {(number, generation) for number in entries}
    if len(places) > MAX_OBJECTS:
        raise Exhausted
    left = MAX_VALUES
    for number, generation in sorted(places):
        waiting = [reader.get_object(generic.IndirectObject(number, generation, reader))]
        while waiting:
            value = waiting.pop()
            left -= 1
            if left < 0:
                raise Exhausted
            if isinstance(value, generic.DictionaryObject):
                _refuse_action(value)
                yield value
                waiting += value.values()
            elif isinstance(value, generic.ArrayObject):
                waiting += value


def _refuse_action(value: Any) -> None:  # noqa: ANN401 - a dictionary of the file
    """Refuse what a viewer would run; going to a page on opening is all that is allowed."""
    kind = str(value.get("/S", ""))
    opening = value.get("/OpenAction") if "/OpenAction" in value else None
    acts = kind in _ACTS or "/JS" in value or "/JavaScript" in value
    if not acts and opening is not None:
        opening = opening.get_object()
        acts = isinstance(opening, dict) and str(opening.get("/S", "")) != "/GoTo"
    if acts:
        raise InvalidInput(
            "PDF_ACTIVE",
            "The PDF holds something that would run when it is opened; an invoice does not.",
            action=kind[:40],
        )


def _invoices(objects: Iterator[Any]) -> list[Attached]:
    """Give every attached file that is an invoice; pictures and time sheets are none."""
    found: list[Attached] = []
    files = 0
    for value in objects:
        streams = value.get("/EF") if "/EF" in value else None
        if streams is None:
            continue
        files += 1
        if files > MAX_FILES:
            raise Exhausted
        name = str(value.get("/UF") or value.get("/F") or "")[:200]
        relation = str(value.get("/AFRelationship", ""))[:40]
        # One name may stand for two streams, and every viewer takes another of them.
        contents = {stream.get_object().get_data() for stream in streams.get_object().values()}
        found += (
            Attached(name, relation, content)
            for content in contents
            if _INVOICE.search(content[:_LOOK].replace(b"\0", b""))
        )
    return found


def _only(found: list[Attached]) -> Attached:
    # The same file may be listed twice; two different ones are a choice nobody may make for us.
    contents = {one.content for one in found}
    if len(contents) > 1:
        raise InvalidInput(
            "PDF_TWO_INVOICES",
            "The PDF holds %(count)s different invoices: %(names)s.",
            count=len(contents),
            names=[one.name for one in found][:5],
        )
    if not contents or found[0].relation not in _RELATIONS:
        raise InvalidInput(
            "PDF_NO_INVOICE",
            "The PDF holds no invoice as data (Factur-X, ZUGFeRD, XRechnung); its pages alone "
            "cannot be read.",
        )
    return found[0]


def _earlier_invoices(data: bytes) -> Iterator[Attached]:
    """Give the invoices of the file as it was before each of its later changes."""
    ends = [end.end() for end in _END.finditer(data)][:-1]
    if len(ends) > MAX_REVISIONS:
        raise Exhausted
    for end in ends:
        try:
            yield from _invoices(_objects(_reader(data[:end])))
        except ScfError:
            raise
        except Exception:  # noqa: BLE001, S112 - a mark inside a stream ends no earlier version
            continue


def _metadata(reader: Any) -> dict[str, str]:  # noqa: ANN401 - a class of the parser
    """Give what the XMP metadata says of the invoice; unreadable metadata says nothing."""
    root = reader.trailer["/Root"]
    stream = root.get("/Metadata")
    if stream is None:
        return {}
    try:
        description = load_xml(stream.get_object().get_data(), max_elements=5_000)
    except InvalidInput:
        return {}
    said: dict[str, str] = {}
    for element in description.iter():
        for tag, text in ((element.tag, element.text), *element.items()):
            space, _, name = str(tag).rpartition("}")
            if name in _METADATA and "pdfa:CrossIndustryDocument" in space and text:
                said.setdefault(name, text.strip()[:200])
    return said


def _text(data: bytes) -> str:
    """Give the text of the pages; none where it cannot be read, such as in a scanned paper.

    Of a long invoice the first and the last pages are read: they name it and sum it up.
    """
    half = MAX_PAGES // 2
    try:
        with _bounded(TEXT_EFFORT):
            pages = list(_reader(data).pages)
            read = pages if len(pages) <= MAX_PAGES else pages[:half] + pages[-half:]
            return "\n".join(page.extract_text() for page in read)[:MAX_TEXT]
    except Exhausted:
        return ""
    except Exception:  # noqa: BLE001 - the parser raises whatever a strange font leads to
        return ""
