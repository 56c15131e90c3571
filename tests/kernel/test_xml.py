"""Hostile XML (promises, section 5): refused with a code, and nothing outside is ever read."""

from __future__ import annotations

from pathlib import Path

import pytest

from scf.kernel.errors import InvalidInput
from scf.kernel.xml import children, load_xml, local_name, namespace, place_of


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(InvalidInput) as refused:
        load_xml(data, **limits)
    return refused.value.code


ENTITY = b'<!DOCTYPE a [<!ENTITY x "boom">]><a>&x;</a>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (ENTITY, "XML_DOCTYPE"),
        (b'<?xml version="1.0"?>\n<!-- c -->\n<?pi x?>' + ENTITY, "XML_DOCTYPE"),
        (ENTITY.decode().encode("utf-16"), "XML_DOCTYPE"),
        (b"\xef\xbb\xbf" + ENTITY, "XML_DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "XML_DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "XML_DOCTYPE"),
        (b"<!doctype html><html/>", "XML_DOCTYPE"),
        (b"", "XML_MALFORMED"),
        (b"   ", "XML_MALFORMED"),
        (b"plain", "XML_MALFORMED"),
        (b"<a>", "XML_MALFORMED"),
        (b"<a></b>", "XML_MALFORMED"),
        (b"<a/><b/>", "XML_MALFORMED"),
        (b"<a>&x;</a>", "XML_MALFORMED"),
        (b"<a>&#0;</a>", "XML_MALFORMED"),
        (b"<a>&#xD800;</a>", "XML_MALFORMED"),
        (b"<a>\x00</a>", "XML_MALFORMED"),
        (b'<a b="1" b="2"/>', "XML_MALFORMED"),
        (b"<x:a/>", "XML_MALFORMED"),
        (b"<!-- never ends", "XML_MALFORMED"),
        (b"<?xml never ends", "XML_MALFORMED"),
        (b"<a>\xff</a>", "XML_ENCODING"),
        (b"<a>\xed\xa0\x80</a>", "XML_ENCODING"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "XML_ENCODING"),
        (b'<?xml version="1.0" encoding="cp500"?><a/>', "XML_ENCODING"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "XML_ENCODING"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "XML_ENCODING"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "XML_ENCODING"),
        (b'<?xml version="1.0" encoding="ascii"?><a>\xc3\xa9</a>', "XML_ENCODING"),
        (b"\xff\xfe<", "XML_ENCODING"),
        ('<?xml version="1.0"?><a/>'.encode("cp500"), "XML_ENCODING"),
        (b"<a>" * 65 + b"</a>" * 65, "XML_TOO_DEEP"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "XML_TOO_DEEP"),
        (b"<a>" + b"<b/>" * 100_200 + b"</a>", "XML_TOO_LARGE"),
        (b"<a>" + b"x" * 5_000_000 + b"</a>", "XML_TOO_LARGE"),
    ],
)
def test_hostile_xml_is_refused_with_its_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_refusal_carries_the_measured_value_or_the_line() -> None:
    with pytest.raises(InvalidInput) as large:
        load_xml(b"<a/>" * 30, max_bytes=100)
    assert large.value.facts == {"measured": 120, "limit": 100}
    with pytest.raises(InvalidInput) as broken:
        load_xml(b"<a>\n<b>\n</a>")
    assert broken.value.facts["line"] == 3


@pytest.mark.parametrize(
    "data",
    [
        b"<a>10<!-- -->0</a>",
        b"<a>10<?x?>0</a>",
        b"<a>10<![CDATA[0]]></a>",
        b"<a>1&#48;0</a>",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><a>100</a>',
        '<?xml version="1.0" encoding="UTF-16"?><a>100</a>'.encode("utf-16"),
        b"<?xml version='1.0' encoding='iso-8859-15' standalone='yes'?>\n<a>100</a>\n",
    ],
)
def test_a_text_is_read_whole_however_it_is_written(data: bytes) -> None:
    assert load_xml(data).text == "100"


def test_a_western_encoding_keeps_its_letters() -> None:
    data = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Köln</a>'.encode("latin-1")
    assert load_xml(data).text == "Köln"


def test_a_doctype_inside_text_is_only_text() -> None:
    assert load_xml(b"<a><![CDATA[<!DOCTYPE x>]]></a>").text == "<!DOCTYPE x>"


def test_an_include_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    data = (
        f'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret}" '
        f'parse="text"/></a>'
    ).encode()
    (include,) = load_xml(data)
    assert local_name(include) == "include"
    assert not include.text


def test_64_levels_and_the_last_element_are_still_read() -> None:
    assert len(list(load_xml(b"<a>" * 64 + b"</a>" * 64).iter())) == 64
    assert len(load_xml(b"<a>" + b"<b/>" * 99_999 + b"</a>")) == 99_999


def test_names_and_places_are_told_without_prefixes() -> None:
    root = load_xml(b'<p:a xmlns:p="urn:x"><p:b/><p:c/><p:b><d/></p:b></p:a>')
    assert (local_name(root), namespace(root)) == ("a", "urn:x")
    first, second = children(root, "b")
    assert place_of(first) == "/a/b[1]"
    assert place_of(second[0]) == "/a/b[2]/d"
    assert namespace(second[0]) == ""
