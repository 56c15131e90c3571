"""Errors and findings: stable codes, whole facts, and values that are safe to show."""

import json
import pickle
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel import errors
from scf.kernel.errors import (
    InvalidInput,
    Refusal,
    ScfError,
    Words,
    words_as_stored,
    words_from_stored,
)
from scf.kernel.findings import MAX_VALUE, Finding, Severity, shown

STATUS = {
    "InvalidInput": 422,
    "NotSignedIn": 401,
    "NotAllowed": 403,
    "NotFound": 404,
    "Conflict": 409,
    "TooLarge": 413,
    "RuleViolation": 422,
    "Unavailable": 503,
}


def test_every_family_has_its_status() -> None:
    families = {
        kind.__name__: kind.http_status
        for kind in ScfError.__subclasses__()
        if kind.__module__ == ScfError.__module__  # other rooms add cases of their own
    }
    assert families == STATUS


@pytest.mark.parametrize("name", STATUS)
def test_an_error_carries_code_message_and_facts(name: str) -> None:
    kind: type[ScfError] = getattr(errors, name)
    error = kind("CODE", "What happened.", measured=3, limit=2)
    assert (error.code, error.message) == ("CODE", "What happened.")
    assert error.facts == {"measured": 3, "limit": 2}
    assert str(error) == "CODE: What happened."


def test_an_error_crosses_from_a_child_process_whole() -> None:
    error = InvalidInput("CODE", "What happened.", place="row 12")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is InvalidInput
    assert (copy.code, copy.message, copy.facts) == (error.code, error.message, error.facts)


def test_a_refusal_says_what_was_measured_and_what_next() -> None:
    refusal = Refusal(
        "LIMIT_OBLIGOR", "1,200,000.00", "1,000,000.00", date(2026, 6, 8), "Choose fewer.", "Full."
    )
    assert refusal.frees_on == date(2026, 6, 8)
    assert refusal == Refusal(
        code="LIMIT_OBLIGOR",
        measured="1,200,000.00",
        threshold="1,000,000.00",
        frees_on=date(2026, 6, 8),
        next_step="Choose fewer.",
        message="Full.",
    )


# --- Findings ---------------------------------------------------------------------------------


def test_a_stored_text_is_told_again_from_its_template_and_its_values() -> None:
    side = Words("seller")
    text = Words("The %(side)s has %(count)s of %(names)s.", side=side, count=2, names=["A", side])
    stored = words_as_stored(text)
    again = words_from_stored(str(text), json.loads(json.dumps(stored)))
    assert isinstance(again, Words)
    assert (again, again.template) == ("The seller has 2 of A, seller.", text.template)
    assert isinstance(again.values["side"], Words)
    assert words_as_stored(again) == stored
    assert words_as_stored("Plain.") is words_as_stored(Words("Plain.")) is None
    assert words_from_stored("Plain.", None) == "Plain."


def test_of_a_refusal_only_what_its_text_says_is_stored() -> None:
    refusal = InvalidInput("ODD", "It is %(day)s.", day=date(2026, 6, 8), rows=object())
    assert words_as_stored(refusal.words) == {
        "text": "It is %(day)s.",
        "places": {"day": "2026-06-08"},
    }


def test_a_finding_shows_its_parts() -> None:
    finding = Finding(Severity.WARNING, "DATE_ODD", "The date is odd.", "row 12, column date", "x")
    assert not finding.is_error
    assert Finding(Severity.ERROR, "A", "B").is_error
    assert finding.as_dict() == {
        "severity": "WARNING",
        "code": "DATE_ODD",
        "place": "row 12, column date",
        "message": "The date is odd.",
        "value": "x",
    }


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("华为技术有限公司", "华为技术有限公司"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00", "\\x00"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_invisible_characters_are_shown_escaped(value: str, safe: str) -> None:
    assert Finding(Severity.ERROR, "A", "B", value, value).value == safe
    assert Finding(Severity.ERROR, "A", "B", value, value).place == safe


def test_a_long_value_is_cut() -> None:
    value = Finding(Severity.ERROR, "A", "B", value="x" * 10_000_000).value
    assert value == "x" * (MAX_VALUE - 1) + "…"
    assert Finding(Severity.ERROR, "A", "B", value="x" * MAX_VALUE).value == "x" * MAX_VALUE


@given(st.text(st.characters(), max_size=300))
def test_any_value_is_short_and_plain(value: str) -> None:
    text = shown(value)
    assert len(text) <= MAX_VALUE
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in text)
    text.encode()
