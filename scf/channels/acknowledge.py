"""Acknowledgements: what became of a file, told to the program that sent it.

Everybody gets JSON. A sender of EDIFACT gets CONTRL as well, one of X12 gets 997, each message by
message, in the partner's own marks and with the addresses turned round. The same file with the
same outcome gives the same bytes.

Source: UN/EDIFACT CONTRL (D 3 for syntax 1 to 3, 4 1 for syntax 4), ASC X12 997.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scf.documents.readers.edi_segments import Broken, Segment, Text
from scf.documents.readers.edifact import open_edifact
from scf.documents.readers.x12 import open_x12
from scf.kernel.ids import canonical_json

MAX_FINDINGS: Final = 1000
_MESSAGE: Final = re.compile(r"message (\d{1,6})\b")
_SYNTAX_4: Final = "4"
_UNSPECIFIED: Final = "18"  # error code 0085: unspecified error
_ONE_OR_MORE: Final = "5"  # AK502: one or more segments in error
_WIDTH: Final = 15


def as_json(
    name: str, sha256: str, summary: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]
) -> bytes:
    """Write the acknowledgement that every sender gets."""
    told = [dict(one) for one in findings[:MAX_FINDINGS]]
    answer = {"file": name, "sha256": sha256, **summary, "findings": told}
    return (canonical_json(answer) + "\n").encode()


def refused_messages(findings: Iterable[Mapping[str, Any]]) -> set[int]:
    """Give the numbers of the messages of an interchange that were not taken."""
    found = (_MESSAGE.match(str(one["place"])) for one in findings if one["severity"] == "ERROR")
    return {int(one[1]) for one in found if one}


@dataclass
class _Message:
    number: int
    begin: Segment


@dataclass
class _Group:
    begin: Segment | None
    messages: list[_Message] = field(default_factory=list)


@dataclass
class _Interchange:
    begin: Segment
    groups: list[_Group] = field(default_factory=list)
    whole: bool = False

    def group(self) -> _Group:
        if not self.groups:
            self.groups.append(_Group(None))
        return self.groups[-1]


def _walk(text: Text, start: int, tags: tuple[str, str, str, str]) -> list[_Interchange]:
    """Find interchanges, groups and messages, as far as the file can be cut."""
    interchange, group, message, end = tags
    found: list[_Interchange] = []
    number = 0
    try:
        for segment in text.segments(start):
            if segment.tag == interchange:
                found.append(_Interchange(segment))
            elif segment.tag == end and found:
                found[-1].whole = True
            elif segment.tag == group and found:
                found[-1].groups.append(_Group(segment))
            elif segment.tag == message and found:
                number += 1
                found[-1].group().messages.append(_Message(number, segment))
    except Broken:
        return found
    return found


# --- EDIFACT ----------------------------------------------------------------------------------


def contrl(content: bytes, refused: set[int], at: dt.datetime, reference: str) -> bytes:
    """Write CONTRL for every interchange of a file; nothing when none can be made out."""
    try:
        text, start, _notes = open_edifact(content)
    except Broken:
        return b""
    made = [
        _contrl_of(one, refused, at, f"{reference}{place or ''}")
        for place, one in enumerate(_walk(text, start, ("UNB", "UNG", "UNH", "UNZ")))
        if one.begin.get(5)  # without its reference nobody knows which one we mean
    ]
    return "".join(made).encode("latin-1", "replace")


def _contrl_of(one: _Interchange, refused: set[int], at: dt.datetime, reference: str) -> str:
    head = one.begin
    version = head.get(1, 1) or "3"
    name = ["CONTRL", "4", "1", "UN"] if version == _SYNTAX_4 else ["CONTRL", "D", "3", "UN"]
    messages = [message for group in one.groups for message in group.messages]
    none_taken = all(message.number in refused for message in messages)
    rejected = not one.whole or (bool(messages) and none_taken)
    body = [["UNH", "1", name]]
    uci: list[Any] = ["UCI", head.get(5), head.parts(2), head.parts(3)]
    body.append([*uci, "4", _UNSPECIFIED] if rejected else [*uci, "7"])
    if not rejected:
        for message in messages:
            ucm: list[Any] = ["UCM", message.begin.get(1), message.begin.parts(2)]
            bad = message.number in refused
            body.append([*ucm, "4", _UNSPECIFIED] if bad else [*ucm, "7"])
    body.append(["UNT", str(len(body) + 1), "1"])
    when = [at.strftime("%Y%m%d" if version == _SYNTAX_4 else "%y%m%d"), at.strftime("%H%M")]
    unb: list[Any] = ["UNB", head.parts(1), head.parts(3), head.parts(2), when, reference]
    segments = [unb, *body, ["UNZ", "1", reference]]
    return "".join(f"{_edifact(segment)}'\n" for segment in segments)


def _edifact(segment: Sequence[Any]) -> str:
    return "+".join(
        ":".join(map(_released, one)).rstrip(":") if isinstance(one, list) else _released(one)
        for one in segment
    )


def _released(value: str) -> str:
    return re.sub(r"([?'+:])", r"?\1", value)


# --- X12 --------------------------------------------------------------------------------------


def functional(content: bytes, refused: set[int], at: dt.datetime, control: int) -> bytes:
    """Write 997 for every interchange of a file; nothing when none can be made out."""
    try:
        text, _notes = open_x12(content)
    except Broken:
        return b""
    made = [
        _functional_of(one, text, refused, at, control + place)
        for place, one in enumerate(_walk(text, 0, ("ISA", "GS", "ST", "IEA")))
    ]
    return "".join(made).encode("utf-8")


def _functional_of(
    one: _Interchange, text: Text, refused: set[int], at: dt.datetime, control: int
) -> str:
    head = one.begin
    number = f"{control % 10**9:09d}"
    groups = [(group.begin, group) for group in one.groups if group.begin is not None]
    isa = [
        "ISA", "00", " " * 10, "00", " " * 10, head.get(7) or "ZZ", head.get(8).ljust(_WIDTH),
        head.get(5) or "ZZ", head.get(6).ljust(_WIDTH), at.strftime("%y%m%d"), at.strftime("%H%M"),
        text.marks.repetition or "U", head.get(12) or "00401", number, "0", head.get(15) or "P",
        text.marks.component,
    ]  # fmt: skip
    segments = [isa]
    if groups:
        first = groups[0][0]
        segments.append([
            "GS", "FA", first.get(3), first.get(2), at.strftime("%Y%m%d"), at.strftime("%H%M"),
            number, "X", first.get(8) or "004010",
        ])  # fmt: skip
        for place, (begin, group) in enumerate(groups, start=1):
            segments += _set_of(begin, group, refused, f"{place:04d}", whole=one.whole)
        segments.append(["GE", str(len(groups)), number])
    segments.append(["IEA", "1" if groups else "0", number])
    end = text.marks.end if text.marks.end in "\r\n" else text.marks.end + "\n"
    return "".join(text.marks.element.join(segment) + end for segment in segments)


def _set_of(
    begin: Segment, group: _Group, refused: set[int], control: str, *, whole: bool
) -> list[list[str]]:
    """Write one 997 about one functional group."""
    made = [["ST", "997", control], ["AK1", begin.get(1), begin.get(6)]]
    good = 0
    for message in group.messages:
        bad = not whole or message.number in refused
        good += not bad
        made.append(["AK2", message.begin.get(1), message.begin.get(2)])
        made.append(["AK5", "R", _ONE_OR_MORE] if bad else ["AK5", "A"])
    count = len(group.messages)
    verdict = "A" if good == count else "P" if good else "R"
    made.append(["AK9", verdict, str(count), str(count), str(good)])
    made.append(["SE", str(len(made) + 1), control])
    return made
