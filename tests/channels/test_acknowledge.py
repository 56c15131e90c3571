"""Acknowledgements in the partner's own language, read back by other readers than ours."""

import datetime as dt
import warnings
from typing import Any

import pytest

from scf.channels.acknowledge import contrl, functional, refused_messages
from scf.documents.readers.edifact import open_edifact, read_edifact
from scf.documents.readers.x12 import open_x12, read_x12
from scf.kernel.findings import Finding
from tests.channels.papers import good_edifact, half_good_edifact, x12_invoices
from tests.documents.readers.edi import INVOIC, edifact

AT = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def told(readings: Any) -> list[dict[str, str]]:  # noqa: ANN401 - of either reader
    """Give the findings of a file as an upload stores them."""
    found: list[Finding] = [one for _document, findings, *_ in readings for one in findings]
    return [one.as_dict() for one in found]


def cut(content: bytes) -> list[list[str]]:
    """Cut an interchange by our own reader."""
    if content.startswith(b"ISA"):
        text, start = open_x12(content)[0], 0
    else:
        text, start, _ = open_edifact(content)
    return [one.elements for one in text.segments(start)]


def by_pydifact(content: bytes) -> list[tuple[str, list[Any]]]:
    """Read CONTRL by somebody else's reader, with its own counts of messages."""
    from pydifact.segmentcollection import Interchange

    with warnings.catch_warnings():
        # It has lists of segments for syntax 4 only; cutting and counting it does for all.
        warnings.simplefilter("ignore")
        interchange = Interchange.from_str(content.decode())
        (message,) = interchange.get_messages()
    assert message.type == "CONTRL"
    return [(one.tag, list(one.elements)) for one in message.segments]


def test_every_message_of_a_good_interchange_is_acknowledged() -> None:
    content = good_edifact()
    answer = contrl(content, refused_messages(told(read_edifact(content))), AT, "R0001")
    segments = by_pydifact(answer)
    assert [tag for tag, _ in segments] == ["UCI", "UCM", "UCM"]
    assert segments[0][1] == ["R7", ["4012345000009", "14"], ["4000001000005", "14"], "7"]
    assert [one[1][-1] for one in segments[1:]] == ["7", "7"]
    head = cut(answer)[0]
    assert head[2:4] == ["4000001000005:14", "4012345000009:14"], "turned round"
    assert cut(answer)[-2] == ["UNT", "5", "1"]


def test_a_refused_message_is_named_and_the_other_is_not() -> None:
    content = half_good_edifact()
    refused = refused_messages(told(read_edifact(content)))
    assert refused == {2}
    segments = by_pydifact(contrl(content, refused, AT, "R0001"))
    assert [(one[1][0], one[1][2]) for one in segments[1:]] == [("1", "7"), ("2", "4")]


def test_an_interchange_that_is_cut_is_rejected_as_a_whole() -> None:
    content = good_edifact()[:-40]
    segments = by_pydifact(contrl(content, set(), AT, "R0001"))
    assert [(tag, one[-2:]) for tag, one in segments] == [("UCI", ["4", "18"])]


def test_marks_in_references_and_syntax_4_are_written_as_they_are_meant() -> None:
    content = edifact(("INVOIC", INVOIC), unb="UNOC:4").replace(b"+R7'", b"+R?'7?+'")
    answer = contrl(content, set(), AT, "R1")
    assert by_pydifact(answer)[0][1][0] == "R'7+"
    assert cut(answer)[0][4].startswith("20260302:")
    assert next(one for one in cut(answer) if one[0] == "UNH")[2] == "CONTRL:4:1:UN"


@pytest.mark.parametrize("second_is_cut", [False, True])
def test_x12_is_answered_set_by_set(second_is_cut: bool) -> None:
    content = x12_invoices(second_is_cut=second_is_cut)
    refused = refused_messages(told(read_x12(content)))
    assert refused == ({2} if second_is_cut else set())
    answer = functional(content, refused, AT, 17)
    rows = cut(answer)
    assert [row[0] for row in rows] == [
        "ISA", "GS", "ST", "AK1", "AK2", "AK5", "AK2", "AK5", "AK9", "SE", "GE", "IEA",
    ]  # fmt: skip
    assert len(answer.splitlines()[0]) == 106, "the header is of one width"
    assert (rows[0][6].strip(), rows[0][8].strip()) == ("MILLS", "123456789"), "turned round"
    assert rows[3] == ["AK1", "IN", "1"]
    assert [row[1] for row in rows if row[0] == "AK5"] == ["A", "R" if second_is_cut else "A"]
    assert rows[8] == [
        "AK9",
        "P" if second_is_cut else "A",
        "2",
        "2",
        "1" if second_is_cut else "2",
    ]
    assert rows[9] == ["SE", "8", "0001"]
    assert rows[0][13] == rows[11][2] == "000000017"
    wrong = [one for one in told(read_x12(answer)) if one["code"] in {"EDI_COUNT", "EDI_REFERENCE"}]
    assert wrong == [], "counts and references hold"


def test_the_same_outcome_gives_the_same_bytes() -> None:
    assert contrl(good_edifact(), set(), AT, "R1") == contrl(good_edifact(), set(), AT, "R1")
    assert functional(x12_invoices(), {1}, AT, 1) == functional(x12_invoices(), {1}, AT, 1)


def test_what_names_no_interchange_gets_none() -> None:
    for content in (b"UNB", b"UNA+++++UNB", b"UNB+UNOC:3'", b"UNH+1+INVOIC:D:96A:UN'"):
        assert contrl(content, set(), AT, "R1") == b""
    for content in (b"ISA*", b"ISA*00*", b"GS*IN*A*B~"):
        assert functional(content, set(), AT, 1) == b""
