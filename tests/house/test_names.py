"""What the platform knows by a code has a name for people, and the code stands small beside it."""

import tomllib
from collections.abc import Mapping

import pytest

from scf.bootstrap import load_slices
from scf.db.runner import COMMANDS
from tests.house.sources import ROOT, report
from web.names import ACCOUNTS, ACTIONS, EVENTS, OBJECTS, event_name


def test_every_account_of_the_chart_can_be_told_in_every_language() -> None:
    chart = tomllib.loads((ROOT / "config" / "chart_of_accounts.toml").read_text("utf-8"))
    names = {account["code"]: account["name"] for account in chart["account"]}
    assert {code: str(name) for code, name in ACCOUNTS.items()} == names


def test_every_command_has_a_name_for_the_audit_trail() -> None:
    load_slices()
    # Other tests of the same run may have brought commands of their own.
    ours = {name for name in COMMANDS if not name.startswith("test.")}
    found = sorted(ours - set(ACTIONS))
    assert not found, report(found, "a row in ACTIONS of web/names.py: what happened, in words")
    assert set(ACTIONS) <= set(COMMANDS)


@pytest.mark.parametrize("names", [ACCOUNTS, ACTIONS, OBJECTS, EVENTS])
def test_no_name_is_a_code(names: Mapping[str, object]) -> None:
    assert all(str(name) != code and "_" not in str(name) for code, name in names.items())


def test_a_receipt_is_told_by_what_it_does() -> None:
    assert event_name("principal.paid") == "Receipt"
    assert event_name("principal.reversed") == "Allocation taken back"
    assert event_name("something.else") == "something.else"
