"""Euro reference rates as the ECB publishes them: read as published, or refused with a place."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.kernel.errors import InvalidInput
from scf.ledger.currency.ecb import read_rates

NAMESPACES = "xmlns:gesmes='urn:gesmes' xmlns='urn:eurofxref'"
XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope {NAMESPACES}>
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube>
<Cube time='2026-03-10'><Cube currency='USD' rate='1.0870'/><Cube currency='JPY' rate='163.05'/>
<Cube currency='BGN' rate='1.9558'/></Cube>
<Cube time='2026-03-09'><Cube currency='USD' rate='1.0900'/></Cube>
</Cube></gesmes:Envelope>"""
DAILY = "Date, USD, JPY, BGN, \n10 March 2026, 1.0870, 163.05, N/A, \n"
HISTORY = "Date,USD,JPY,CYP,\n2026-03-10,1.0870,163.05,N/A,\n2026-03-09,1.0900,N/A,N/A,\n"
TENTH, NINTH = dt.date(2026, 3, 10), dt.date(2026, 3, 9)
TODAY = [("EUR", "USD", TENTH, "1.0870"), ("EUR", "JPY", TENTH, "163.05")]
BOTH = [*TODAY, ("EUR", "USD", NINTH, "1.0900")]


def test_every_form_gives_the_published_digits() -> None:
    """A currency that is gone is in every history and left out; the digits stay as they were."""
    assert read_rates(XML.encode()) == BOTH
    assert read_rates(b"\xef\xbb\xbf" + HISTORY.encode()) == BOTH
    assert read_rates(DAILY.replace("March", "Mar").encode()) == TODAY
    assert read_rates(XML.encode(), frozenset({"JPY"})) == [TODAY[1]]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (XML.replace("1.0870", "1,0870"), "RATE_FORMAT"),
        (XML.replace("1.0870", "0.0000"), "RATE_RANGE"),
        (XML.replace("1.0870", "1e3"), "RATE_FORMAT"),
        (XML.replace("2026-03-10", "2026-02-30"), "RATES_CELL"),
        (XML.replace("2026-03-09", "2026-03-10"), "RATES_TWICE"),
        (XML.replace("Envelope", "Document"), "RATES_FORM"),
        (XML.replace("USD", "XXX").replace("JPY", "XAU"), "RATES_FORM"),
        (XML.replace("<gesmes:E", '<!DOCTYPE x [<!ENTITY a "b">]><gesmes:E'), "XML_DOCTYPE"),
        (XML[:-20], "XML_MALFORMED"),
        (HISTORY.replace("Date", "Day"), "RATES_FORM"),
        (HISTORY.replace("2026-03-09", "=2026"), "RATES_CELL"),
        (HISTORY.replace("163.05", "\uff11\uff16\uff13"), "RATE_FORMAT"),
        (HISTORY.replace(",JPY", ",USD"), "RATES_TWICE"),
        ("", "RATES_FORM"),
        ("Date\n", "RATES_FORM"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(wrong: str, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        read_rates(wrong.encode())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_file_makes_it_fail_otherwise(data: st.DataObject) -> None:
    """Bytes changed at random are read as rates above zero, or refused."""
    whole = bytearray(data.draw(st.sampled_from([XML, DAILY, HISTORY])).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        rows = read_rates(bytes(whole))
    except InvalidInput:
        return
    assert all(float(rate) > 0 for _base, _quote, _day, rate in rows)
