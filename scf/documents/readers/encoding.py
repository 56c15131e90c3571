"""Name the encoding of a table: by its mark, its validity, its names, the rhythm of its bytes.

Most single bytes are a letter in every encoding of one byte, so a wrong one rarely fails: it shows
other letters. The names of columns tell: in the right encoding they are words.
"""

from __future__ import annotations

import re
from typing import Final

from scf.documents.canonical import Kind
from scf.documents.readers.sniff import wide_encoding
from scf.documents.readers.vocabulary import plain, vocabulary

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LIKELY: Final = (
    "gb18030", "cp932", "cp949", "big5", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254",
)  # fmt: skip
# Signs inside a word, and a capital behind a small letter: no word is written so.
_NO_WORD: Final = re.compile(
    r"(?<=\w)[\u00a1-\u00a9\u00ab-\u00b4\u00b6\u00b8\u00bb-\u00bf×÷](?=\w)|[£¥¯](?=[^\W\d_])|(?<=[a-zà-ÿ])[ŠŒŽŸ\u0080-\u009f]"
)
_HEADED: Final = 40
_KINDS: Final = (Kind.INVOICE, Kind.ORDER, Kind.PAYMENT)


def detect_encoding(sample: bytes) -> str:
    """Name the encoding of a file."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if wide := wide_encoding(sample[:4096]):
        return wide
    whole = sample[: sample.rfind(b"\n") + 1 or None]
    if _is_utf8(whole):
        return "utf-8"
    lines = whole.split(b"\n")[:_HEADED]
    return _by_names(lines) or _by_rhythm(sample, lines)


def _is_utf8(sample: bytes) -> bool:
    """Tell UTF-8, also where some lines are damaged: other text is hardly ever valid by chance."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return True
    marked = [line for line in sample.split(b"\n") if not line.isascii()]
    return 2 * sum(map(_decodes, marked)) >= len(marked)


def _decodes(line: bytes, encoding: str = "utf-8") -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _by_names(lines: list[bytes]) -> str:
    """Give the encoding in which most names with a special letter are known names of columns."""
    known = {word for kind in _KINDS for word in vocabulary(kind)}
    names = [
        one for line in lines if not line.isascii() for one in re.split(rb"[;,\t|\"\r]", line)
        if not one.isascii()
    ]  # fmt: skip
    counts = {
        encoding: sum(plain(name.decode(encoding, errors="replace")) in known for name in names)
        for encoding in _LIKELY
    }
    best = max(_LIKELY, key=lambda name: counts[name])
    # What Windows-1252 reads as well, other encodings of the West only seem to.
    return best if counts[best] > counts["cp1252"] else ""


def _by_rhythm(sample: bytes, lines: list[bytes]) -> str:
    """Tell by the bytes: Chinese text has its high bytes in pairs, Western text one by one."""
    single = double = position = 0
    while position < len(sample):
        if sample[position] < 0x81:  # noqa: PLR2004 - the first lead byte of GB 18030
            position += 1
        elif position + 1 < len(sample) and sample[position + 1] >= 0x80:  # noqa: PLR2004
            double += 1
            position += 2
        else:
            single += 1
            position += 1
    if double > 4 * single:
        return "gb18030"
    text = b"\n".join(lines)
    wrong = {
        name: len(_NO_WORD.findall(text.decode(name, errors="replace")))
        for name in ("cp1252", "cp1250")
    }
    return min(wrong, key=lambda name: wrong[name])
