"""Whatever the bytes, a bank file gives values with findings or InvalidInput, nothing else."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable

import pytest
from lxml import etree

from scf.kernel.errors import InvalidInput
from scf.settlement.readers import (
    StatementFile,
    StatusReport,
    bank_format,
    read_statements,
    read_status_report,
)
from scf.settlement.writers import write_pain001
from tests.settlement.formats.samples import batch, block, entry, pain002, transaction, whole

Reader = Callable[[bytes], StatementFile | StatusReport]

SEEDS = [
    whole(
        entry("100.00", reference="R-1"),
        entry("40.00", sign="DBIT", status="<Sts>PDNG</Sts>"),
        closing="100.00",
    ),
    pain002(
        "<GrpSts>PART</GrpSts>",
        block(transaction("P-1", "ACSC"), transaction("P-2", "RJCT", "AC04")),
    ),
    write_pain001(batch()),
]
TOKENS = [
    b"<", b">", b"&", b"&#0;", b"&x;", b"<!--", b"]]>", b"<![CDATA[", b"<?a", b"\x00", b"\xff\xfe",
    b"\xed\xa0\x80", "\u202e".encode(), b'Ccy="EUR"', b"9" * 400, b"-1", b"1e400", b"NaN", b"\n",
    b"</Ntry>", b"<Ntry>", b"<Amt>", b"2026-13-45", b"0000-00-00", b"<!DOCTYPE a>", b"T25:00:00",
]  # fmt: skip


TEXTS = [
    "",
    "-",
    "NaN",
    "2026-02-30",
    "1.2.3",
    "9" * 50,
    "\u00a0",
    "x" * 5_000,
    "RJCT",
    "DBIT",
    "JPY",
]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One or two wounds: bytes flipped, cut, doubled, moved or replaced by something nasty."""
    text = bytearray(data)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.randint(0, 30))
        kind = chance.randrange(6)
        if kind == 0 and text:
            text[min(at, len(text) - 1)] = chance.choice(b"0123456789.-ABCDxyz <\xff")
        elif kind == 1:
            del text[at:end]
        elif kind == 2:
            text[at:at] = text[at:end]
        elif kind == 3:
            text[at:at] = chance.choice(TOKENS)
        elif kind == 4:
            text[at:end] = chance.choice(TOKENS)
        else:
            start = text.rfind(b"<", 0, at)
            stop = text.find(b">", at)
            if 0 <= start < stop:
                del text[start : stop + 1]
    return bytes(text)


def reshape(data: bytes, chance: random.Random) -> bytes:
    """One to five changes of a tree that stays well-formed, so that every field is reached."""
    root = etree.fromstring(data)
    for _ in range(chance.randint(1, 5)):
        nodes = list(root.iter())[1:]
        if not nodes:
            break
        node, other = chance.choice(nodes), chance.choice(nodes)
        parent = node.getparent()
        assert parent is not None
        kind = chance.randrange(6)
        if kind == 0:
            parent.remove(node)
        elif kind == 1:
            parent.insert(parent.index(node), copy.deepcopy(node))
        elif kind == 2:
            node.text = chance.choice(TEXTS)
        elif kind == 3:
            node.tag = other.tag
        elif kind == 4:
            other.append(copy.deepcopy(node))
        else:
            node.attrib.clear()
            node.set("Ccy", chance.choice(["", "JPY", "XYZ", "€", "EUR "]))
    changed: bytes = etree.tostring(root)
    return changed


def outcome(read: Reader, data: bytes) -> str:
    """Read a file; anything but findings or InvalidInput ends the test."""
    try:
        file = read(data)
    except InvalidInput:
        return "refused"
    assert all(one.place or one.code == "MORE_FINDINGS" for one in file.findings)
    return "sound" if file.is_sound else "unsound"


@pytest.mark.parametrize("change", [mutate, reshape])
def test_a_thousand_wounded_files_of_each_kind_crash_nothing(
    change: Callable[[bytes, random.Random], bytes],
) -> None:
    chance = random.Random(20260310)
    seen: Counter[str] = Counter()
    for number in range(1_000):
        data = change(SEEDS[number % len(SEEDS)], chance)
        bank_format(data)
        for read in (read_statements, read_status_report):
            seen[outcome(read, data)] += 1
    assert min(seen["refused"], seen["sound"], seen["unsound"]) > 5


@pytest.mark.parametrize("encoding", ["UTF-7", "cp500", "UTF-16", "ISO-2022-JP", "rot13", "base64"])
def test_a_lie_about_the_encoding_is_refused(encoding: str) -> None:
    data = SEEDS[0].replace(b'encoding="UTF-8"', f'encoding="{encoding}"'.encode())
    with pytest.raises(InvalidInput) as refused:
        read_statements(data)
    assert refused.value.code == "XML_ENCODING"


def test_a_statement_nested_too_deep_or_too_large_is_refused() -> None:
    deep = b"<Document>" + b"<a>" * 100 + b"</a>" * 100 + b"</Document>"
    wide = b"<Document>" + b"<a/>" * 200_200 + b"</Document>"
    for data, code in ((deep, "XML_TOO_DEEP"), (wide, "XML_TOO_LARGE")):
        with pytest.raises(InvalidInput) as refused:
            read_statements(data)
        assert refused.value.code == code
