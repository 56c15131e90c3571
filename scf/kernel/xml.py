"""Load XML that a stranger sent, or refuse it with a reason.

Every XML file that enters the platform (invoices, bank statements, payment
status reports) passes here first, so that one place decides what is too big,
too deep, wrongly encoded or dressed up with a DOCTYPE. Nothing outside the
given bytes is ever read: no DTD, no entity, no XInclude, no schemaLocation.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from lxml import etree

from scf.kernel.errors import InvalidInput

Element: TypeAlias = etree._Element  # noqa: SLF001  (lxml has no public name for its element type)

DEFAULT_MAX_BYTES: Final = 5_000_000
DEFAULT_MAX_ELEMENTS: Final = 100_000
DEFAULT_MAX_DEPTH: Final = 64
_FLAT: Final = 12

# Encodings that trade and bank files really use. UTF-7, EBCDIC and the rest can
# hide a DOCTYPE from a scan and are refused.
_ENCODINGS: Final = frozenset(
    {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}
)
_BLANKS = re.compile(r"[ \t\r\n]*+")
_DECLARATION = re.compile(
    r"<\?xml\s+version\s*=\s*(?:'[^'<>]{0,8}'|\"[^\"<>]{0,8}\")"
    r"(?:\s+encoding\s*=\s*(?:'([A-Za-z0-9._-]{1,40})'|\"([A-Za-z0-9._-]{1,40})\"))?"
    r"[^<>]{0,40}\?>"
)


def load_xml(
    data: bytes,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_elements: int = DEFAULT_MAX_ELEMENTS,
    max_depth: int = DEFAULT_MAX_DEPTH,
) -> Element:
    """Return the root element of a well-formed, plain and small enough document.

    Comments and processing instructions are dropped while parsing, so that
    ``10<!-- -->0`` reads as one text and never as a truncated number.

    Raises
    ------
    InvalidInput
        XML_TOO_LARGE, XML_ENCODING, XML_DOCTYPE, XML_MALFORMED or XML_TOO_DEEP; the facts
        carry the measured value and the limit, or line and column.
    """
    if len(data) > max_bytes:
        raise InvalidInput(
            "XML_TOO_LARGE",
            "The document has %(measured)s bytes; %(limit)s are allowed.",
            measured=len(data),
            limit=max_bytes,
        )
    text = _decode(data)
    _refuse_doctype(text)
    # Every element opens with "<" and not with "</": an upper bound that costs no tree.
    # None is shorter than "<a/>", so that a short document is not even counted.
    opening = text.count("<") if len(text) > 4 * max_elements else 0
    if opening > max_elements + 100:
        opening -= text.count("</")
    if opening > max_elements + 100:
        raise InvalidInput(
            "XML_TOO_LARGE",
            "The document has %(measured)s tags; %(limit)s elements are allowed.",
            measured=opening,
            limit=max_elements,
        )
    root = _parse(text, max_depth)
    if root.getroottree().docinfo.doctype:
        raise InvalidInput("XML_DOCTYPE", "A document with a DOCTYPE is not accepted.")
    # Real documents are flat, and a short path is found empty sooner than a long one.
    if _deeper_than(min(max_depth, _FLAT))(root) and _deeper_than(max_depth)(root):
        raise InvalidInput(
            "XML_TOO_DEEP", "Elements are nested deeper than %(limit)s levels.", limit=max_depth
        )
    return root


def _decode(data: bytes) -> str:
    """Decode by byte order mark, then by declaration, then as UTF-8; never guess."""
    marked = _marked_encoding(data)
    head = data[:200]
    declared = _declared_encoding(head.decode(marked or "latin-1", errors="replace"))
    if declared is not None and declared not in _ENCODINGS:
        raise InvalidInput(
            "XML_ENCODING", "The declared encoding is not accepted; send UTF-8.", declared=declared
        )
    wide = {"utf-16", "utf-16-le", "utf-16-be"}
    if declared is not None and (
        (declared in wide) != (marked in wide) or (marked == "utf-8" and declared != "utf-8")
    ):
        raise InvalidInput(
            "XML_ENCODING",
            "The declared encoding contradicts the bytes of the document.",
            declared=declared,
        )
    encoding = marked or declared or "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        raise InvalidInput(
            "XML_ENCODING",
            "The bytes are not valid %(encoding)s.",
            encoding=encoding,
            position=getattr(error, "start", 0),
        ) from None


def _marked_encoding(data: bytes) -> str | None:
    """Name the encoding that the byte order mark states."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _declared_encoding(head: str) -> str | None:
    """Name the encoding of the XML declaration, in Python's canonical spelling."""
    found = _DECLARATION.match(head.removeprefix("\ufeff"))
    name = (found.group(1) or found.group(2)) if found else None
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        return name


def _refuse_doctype(text: str) -> None:
    """Refuse a DOCTYPE where XML allows one: between the start and the root element."""
    at = 0
    while True:
        at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # matches nothing too
        if text.startswith("<?", at):
            end = text.find("?>", at)
            at = end + 2
        elif text.startswith("<!--", at):
            end = text.find("-->", at)
            at = end + 3
        elif text.startswith("<!", at):
            raise InvalidInput("XML_DOCTYPE", "A document with a DOCTYPE is not accepted.")
        else:
            return
        if end < 0:
            return


class _Parsers(threading.local):
    """One parser per thread: making one costs as much as parsing a quarter of an invoice."""

    def __init__(self) -> None:
        self.strict = _strict_parser()


def _strict_parser() -> etree.XMLParser:
    """Make a parser with everything optional switched off."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        # Layout between elements and a register of ids are of no use and a fifth of the work.
        remove_blank_text=True,
        collect_ids=False,
    )


_parsers = _Parsers()


def _parse(text: str, max_depth: int) -> Element:
    """Parse decoded text."""
    try:
        return etree.fromstring(text.encode("utf-8", errors="strict"), _parsers.strict)
    except UnicodeError:
        raise InvalidInput("XML_ENCODING", "The text holds half a surrogate pair.") from None
    except etree.XMLSyntaxError as error:
        reason = str(error.msg or "")
        line, column = error.position
        if "depth" in reason.lower():
            raise InvalidInput(
                "XML_TOO_DEEP",
                "Elements are nested deeper than %(limit)s levels.",
                limit=max_depth,
            ) from None
        if "huge" in reason.lower() or "too long" in reason.lower():
            raise InvalidInput(
                "XML_TOO_LARGE", "One text or name in the document is too long.", line=line
            ) from None
        raise InvalidInput(
            "XML_MALFORMED",
            "The document is not well-formed XML: %(reason)s",
            line=line,
            column=column,
            reason=reason[:200],
        ) from None


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    """Compile "does any element stand deeper than this"."""
    return etree.XPath("boolean(/" + "/".join(["*"] * (depth + 1)) + ")")


def local_name(element: Element) -> str:
    """Return the tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: Element) -> str:
    """Return the namespace of the tag, or an empty text."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """Walk the direct children with one of these local names, in document order."""
    return (child for child in element if local_name(child) in names)


def place_of(element: Element, known: Mapping[Element, str] | None = None) -> str:
    """Say where an element stands, as a path a person can follow: ``/Document/Stmt[2]/Bal``.

    A position is shown only where the parent has several children of that name. ``known`` holds
    paths of elements above, so that a place among very many siblings is not counted again.
    """
    steps: list[str] = []
    node: Element | None = element
    while node is not None:
        if known and node in known:
            return "/".join([known[node], *reversed(steps)])
        parent = node.getparent()
        name = local_name(node)
        if parent is not None:
            before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
            if before or next(node.itersiblings(node.tag), None) is not None:
                name = f"{name}[{before + 1}]"
        steps.append(name)
        node = parent
    return "/" + "/".join(reversed(steps))
