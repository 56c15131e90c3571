"""Open the envelopes of an interchange and give its messages one by one, each judged alone.

Every level says in its last segment how much it held and repeats its reference. A message whose
own count or reference is wrong is refused; where that of the interchange is wrong, what is whole
is kept and the interchange itself is refused as one more item, so that its sender hears that
something may be missing.

Source: ISO 9735 (UNB to UNZ), ASC X12.5 and X12.6 (ISA to IEA).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from scf.documents.readers.edi_scope import Reading
from scf.documents.readers.edi_segments import PACKAGE, Broken, Segment, Text
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity

MAX_MESSAGES: Final = 5_000
MAX_MESSAGE_SEGMENTS: Final = 100_000
_MAX_COUNT_TEXT: Final = 10


class Level(NamedTuple):
    """A level of envelopes: its first segment with the reference's place, its last segment."""

    begin: str
    reference: int
    end: str


class Syntax(NamedTuple):
    """The three levels of a syntax, and what its messages are called."""

    interchange: Level
    group: Level
    message: Level
    # Whether the interchange counts groups even where it holds messages without one.
    groups_only: bool
    # Segments that may stand between messages and say nothing of ours.
    between: frozenset[str]


# Reads the segments of a message, given what is wrong with its envelope and how it is called.
ReadMessage = Callable[[Sequence[Segment], Segment, str, list[Finding]], Reading]


class Envelopes:
    """Walks once through the segments of a file, which may hold several interchanges."""

    def __init__(self, syntax: Syntax, read: ReadMessage) -> None:
        self.syntax = syntax
        self._read = read
        self._opened: dict[Level, Segment] = {}
        self._held: dict[Level, int] = {}
        self._references: set[str] = set()
        self._message: list[Segment] = []
        self._number = 0
        self._packages = 0

    def readings(self, text: Text, start: int) -> Iterator[Reading]:
        """Give what came of every message, and of the envelopes where something is wrong."""
        last: Segment | None = None
        try:
            for segment in text.segments(start):
                last = segment
                yield from self._segment(segment)
        except Broken as broken:
            yield refusal(broken)
        else:
            yield from self._ended(last)

    def _segment(self, segment: Segment) -> Iterator[Reading]:
        tag, level = segment.tag, self.syntax.message
        if not segment.whole:
            raise Broken("EDI_CUT", "The file ends inside a segment.", segment.place)
        if tag == level.begin:
            yield from self._cut_message(segment)
            self._begin_message(segment)
        elif tag == level.end:
            yield self._end_message(segment)
        elif self._message:
            self._message.append(segment)
            segment.number = len(self._message)
            if segment.number > MAX_MESSAGE_SEGMENTS:
                raise Broken(
                    "EDI_MESSAGE_TOO_LONG",
                    Words(
                        "A message has more than %(limit)s segments.", limit=MAX_MESSAGE_SEGMENTS
                    ),
                    segment.place,
                )
        else:
            yield from self._around(segment)

    def _around(self, segment: Segment) -> Iterator[Reading]:
        """Take a segment that stands in no message."""
        tag, syntax = segment.tag, self.syntax
        if tag == syntax.interchange.begin:
            if syntax.interchange in self._opened:
                yield self._unclosed(syntax.interchange, segment)
            self._opened = {syntax.interchange: segment}
            self._held = {}
            self._packages = 0
            self._references = set()
        elif tag == syntax.group.begin:
            self._opened[syntax.group] = segment
            self._held[syntax.group] = 0
        elif tag == syntax.group.end:
            yield from self._end_group(segment)
        elif tag == syntax.interchange.end:
            yield from self._end_interchange(segment)
        elif tag == PACKAGE:
            self._packages += 1
        elif tag not in syntax.between:
            raise Broken(
                "EDI_STRAY_SEGMENT",
                "This segment stands in no message; what comes after it is not read.",
                segment.place,
                segment.elements[0][:20],
            )

    # -- messages

    def _begin_message(self, segment: Segment) -> None:
        interchange = self.syntax.interchange
        if interchange not in self._opened:
            raise Broken(
                f"EDI_{interchange.begin}_MISSING",
                Words(
                    "The message stands in no interchange: %(tag)s is missing.",
                    tag=interchange.begin,
                ),
                segment.place,
            )
        self._number += 1
        if self._number > MAX_MESSAGES:
            raise Broken(
                "EDI_TOO_MANY",
                Words("More than %(limit)s messages are not read.", limit=MAX_MESSAGES),
                segment.place,
            )
        segment.number = 1
        self._message = [segment]

    def _end_message(self, segment: Segment) -> Reading:
        level, message = self.syntax.message, self._message
        if not message:
            raise Broken(
                f"EDI_{level.begin}_MISSING",
                Words("A message ends that has not begun: %(tag)s is missing.", tag=level.begin),
                segment.place,
            )
        self._message = []
        message.append(segment)
        segment.number = len(message)
        where = f"message {self._number}"
        wrong = list(
            _disagree(level, message[0], segment, len(message), Words("segments"), f"{where}, ")
        )
        reference = message[0].get(level.reference)
        if reference in self._references:
            wrong.append(
                Finding(
                    Severity.ERROR,
                    "EDI_REFERENCE_TWICE",
                    "Another message of this interchange has the same reference.",
                    f"{where}, {message[0].place}",
                    reference,
                )
            )
        self._references.add(reference)
        for one in (self.syntax.group, self.syntax.interchange):
            self._held[one] = self._held.get(one, 0) + 1
        return self._read(message, self._opened[self.syntax.interchange], where, wrong)

    def _cut_message(self, segment: Segment) -> Iterator[Reading]:
        if self._message:
            self._message = []
            for one in (self.syntax.group, self.syntax.interchange):
                self._held[one] = self._held.get(one, 0) + 1
            end = self.syntax.message.end
            yield refusal(
                Broken(
                    f"EDI_{end}_MISSING",
                    Words(
                        "The message does not end: %(tag)s is missing before this segment.", tag=end
                    ),
                    f"message {self._number}, {segment.place}",
                )
            )

    # -- groups and interchanges

    def _end_group(self, segment: Segment) -> Iterator[Reading]:
        group = self.syntax.group
        begin = self._opened.pop(group, None)
        if begin is None:
            raise Broken(
                f"EDI_{group.begin}_MISSING", "A group ends that has not begun.", segment.place
            )
        wrong = list(_disagree(group, begin, segment, self._held.get(group, 0), Words("messages")))
        self._held[_CLOSED_GROUP] = self._held.get(_CLOSED_GROUP, 0) + 1
        if wrong:
            yield None, wrong, ()

    def _end_interchange(self, segment: Segment) -> Iterator[Reading]:
        interchange = self.syntax.interchange
        begin = self._opened.get(interchange)
        if begin is None:
            raise Broken(
                f"EDI_{interchange.begin}_MISSING",
                "An interchange ends that has not begun.",
                segment.place,
            )
        wrong: list[Finding] = []
        if self.syntax.group in self._opened:
            wrong += (self._unclosed(self.syntax.group, segment))[1]
        groups = self._held.get(_CLOSED_GROUP, 0)
        messages = self._held.get(interchange, 0)
        by_group = self.syntax.groups_only or groups > 0
        held, things = (groups, Words("groups")) if by_group else (messages, Words("messages"))
        # Whether an object counts as a message, the versions of the syntax say differently.
        held += self._packages * (segment.get(1).lstrip("0") == str(held + self._packages))
        wrong += _disagree(interchange, begin, segment, held, things)
        self._opened, self._held = {}, {}
        if wrong:
            yield None, wrong, ()

    def _ended(self, last: Segment | None) -> Iterator[Reading]:
        if last is None:
            yield refusal(Broken("EDI_EMPTY", "The interchange holds no segment."))
            return
        yield from self._cut_message(last)
        if self.syntax.interchange in self._opened:
            yield self._unclosed(self.syntax.interchange, last)
        elif not self._number:
            yield refusal(Broken("EDI_EMPTY", "The interchange holds no message.", last.place))

    def _unclosed(self, level: Level, segment: Segment) -> Reading:
        return refusal(
            Broken(
                f"EDI_{level.end}_MISSING",
                Words(
                    "%(begin)s is not closed: %(end)s is missing, and messages may be too.",
                    begin=level.begin,
                    end=level.end,
                ),
                segment.place,
            )
        )


# Groups that are closed are counted beside the levels that can be open.
_CLOSED_GROUP: Final = Level("", 0, "")


def refusal(broken: Broken) -> Reading:
    """Say why something is not read."""
    found = Finding(Severity.ERROR, broken.code, broken.message, broken.place, broken.value)
    return None, [found], ()


def _disagree(
    level: Level, begin: Segment, end: Segment, held: int, things: Words, where: str = ""
) -> Iterator[Finding]:
    """Compare what the last segment of a level says with what was there."""
    stated = end.get(1)
    plain = stated if stated.isascii() and stated.isdigit() else ""
    if not plain or len(plain) > _MAX_COUNT_TEXT or int(plain) != held:
        yield Finding(
            Severity.ERROR,
            "EDI_COUNT",
            Words(
                "%(tag)s must count the %(held)s %(things)s that are there.",
                tag=level.end,
                held=held,
                things=things,
            ),
            where + end.place,
            stated,
        )
    reference, repeated = begin.get(level.reference), end.get(2)
    if _bare(reference) != _bare(repeated):
        yield Finding(
            Severity.ERROR,
            "EDI_REFERENCE",
            Words(
                "%(end)s repeats another reference than %(begin)s states.",
                begin=level.begin,
                end=level.end,
            ),
            where + end.place,
            f"{reference} | {repeated}",
        )


def _bare(reference: str) -> str:
    """A number is the same with zeros in front."""
    return reference.lstrip("0") if reference.isascii() and reference.isdigit() else reference
