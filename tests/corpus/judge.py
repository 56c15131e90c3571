"""Count what is right and keep what is wrong; hold our files against every copy of their schema."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

from lxml import etree

from scf.kernel.xml import namespace

SCHEMAS = "iso20022-xsd"


class Judge:
    """Counts what was seen and keeps what is wrong."""

    def __init__(self, corpus: Path) -> None:
        self.corpus = corpus
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []

    def count(self, what: str) -> None:
        """Count one thing that is right."""
        self.seen[what] += 1

    def blame(self, where: str, why: str) -> None:
        """Keep one thing that is wrong."""
        self.wrong.append(f"{where}: {why}")

    def validate(self, where: str, data: bytes) -> None:
        """Judge a file of ours by every copy of its schema that the corpus holds."""
        root = etree.fromstring(data)
        version = namespace(root).rpartition(":")[2]
        schemas = schemas_of(self.corpus, version)
        if not schemas:
            self.blame(where, f"no schema for {version}")
        for schema in schemas:
            if schema.validate(root):
                self.count(f"{version} valid")
            else:
                self.blame(where, f"{version}: {schema.error_log[0].message}")


@lru_cache(maxsize=32)
def schemas_of(corpus: Path, version: str) -> tuple[etree.XMLSchema, ...]:
    """Load every copy of a schema."""
    paths = sorted((corpus / SCHEMAS).glob(f"*/{version}.xsd"))
    return tuple(etree.XMLSchema(etree.parse(str(path))) for path in paths)
