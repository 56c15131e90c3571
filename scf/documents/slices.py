"""A slice: up to a thousand results of reading, stored together by one command."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scf.documents.canonical import CanonicalDocument, Party
from scf.documents.readers.again import Mark, Named
from scf.kernel.findings import Finding


class SentFile(NamedTuple):
    """A file as it came; its digest stands for its bytes."""

    name: str
    content: bytes
    sha256: str


class Item(NamedTuple):
    """One result of reading: a document, or the reasons why there is none.

    ``occurrence`` counts equal payments of one file, so that two genuine ones are both kept.
    ``file`` is the digest of the file that holds it, where a slice spans several. Of a table,
    ``row`` says where it starts, ``named`` what it says it is although it was refused, ``again``
    which earlier row it brings again.
    """

    document: CanonicalDocument | None
    findings: tuple[Finding, ...] = ()
    occurrence: int = 0
    file: str = ""
    row: int = 0
    named: Named | None = None
    again: Mark | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Up to a thousand results with what was found out about them before the transaction.

    ``firms`` says who each party is (None: unknown); ``announce`` names the unknown parties that
    no earlier slice of the upload has reported, ``contradicting`` those whose numbers and name
    lead to different firms; ``files`` are kept with the documents they hold.
    """

    items: Sequence[Item]
    firms: Mapping[Party, str | None]
    announce: frozenset[Party] = frozenset()
    files: Sequence[SentFile] = ()
    contradicting: frozenset[Party] = frozenset()

    def digest(self) -> str:
        """Give the fingerprint of what the slice holds, for the audit row."""
        hasher = hashlib.sha256()
        for item in self.items:
            document = item.document
            if document is None:
                hasher.update("|".join(found.code for found in item.findings).encode())
            else:
                hasher.update(
                    f"{document.kind}|{document.number}|{document.issue_on}|{document.due_on}|"
                    f"{document.payable_minor}|{document.currency}|{document.seller.name}|"
                    f"{document.buyer.name}|{len(document.lines)}\n".encode()
                )
        return hasher.hexdigest()


@dataclasses.dataclass
class Stored:
    """What became of the documents of one upload, or of a whole slice."""

    read: int = 0
    stored: int = 0
    incomplete: int = 0
    duplicate: int = 0
    bad: int = 0
    ids: list[str] = dataclasses.field(default_factory=list)
    places: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)  # kind and id at
    to_judge: int = 0  # documents that declare rules of their own

    @classmethod
    def sum(cls, several: Iterable["Stored"]) -> "Stored":
        """Give what became of several uploads together."""
        total = cls()
        for one in several:
            total.read += one.read
            total.stored += one.stored
            total.incomplete += one.incomplete
            total.duplicate += one.duplicate
            total.bad += one.bad
            total.ids += one.ids
            total.places += one.places
            total.to_judge += one.to_judge
        return total

    def counts(self) -> dict[str, int]:
        """Give the counters as the upload keeps them."""
        return {
            "read": self.read,
            "stored": self.stored,
            "incomplete": self.incomplete,
            "duplicate": self.duplicate,
            "bad": self.bad,
        }


def end_state(*, stored: int, duplicate: int, bad: int) -> str:
    """Give the state in which an upload ends: REFUSED when nothing of it could be kept."""
    return "DONE" if stored or duplicate or not bad else "REFUSED"
