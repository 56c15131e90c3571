"""Account numbers of a firm's own system: versioned, never guessed, and nobody's change is lost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from scf.accounting.mapping.commands import SetMapping
from scf.accounting.mapping.models import AccountMapping
from scf.accounting.mapping.reading import Numbers, numbers_of, tables_of
from scf.accounting.mapping.systems import SYSTEMS
from scf.db.models import AuditLog
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation, ScfError
from tests.settlement.world import SELLER, World
from tests.support.racing import race

TREASURER = Actor("t", SELLER, frozenset({Role.TREASURER}))
FIRM = {"consultant": "1001", "client": "1"}


def wanted(version: int = 0, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    table = {"cash": "1200", "trade_receivables": "1400"}
    return {"system": "datev", "version": version, "accounts": table, "details": FIRM} | changes


def numbers(world: World, system: str = "datev") -> Numbers:
    with world.db.snapshot() as conn:
        return numbers_of(conn, SELLER, system)


def test_a_table_is_kept_by_versions_and_only_what_was_looked_at_is_replaced(world: World) -> None:
    assert numbers(world) == Numbers("datev")
    done = world.run("mapping.set", TREASURER, **wanted())
    assert (done["version"], done["details"]["account_length"]) == (1, "4")
    same = world.run("mapping.set", TREASURER, **wanted(1))
    assert same["version"] == 1, "what changes nothing is no version"
    world.run("mapping.set", TREASURER, **wanted(1, accounts={"cash": "1210"}))
    assert numbers(world).accounts == {"cash": "1210"}
    with pytest.raises(Conflict, match="MAPPING_CHANGED"):
        world.run("mapping.set", TREASURER, **wanted(1))
    assert numbers(world, "saft").version == 0, "each system has a table of its own"
    kept = sorted(world.all(AccountMapping), key=lambda row: row.version)
    assert [row.accounts["cash"] for row in kept] == ["1200", "1210"]
    with world.db.snapshot() as conn:
        trail = conn.execute(
            select(AuditLog.__table__).where(col(AuditLog.command) == "mapping.set")  # type: ignore[attr-defined]
        ).all()
    before = [row.changes[0]["before"] for row in trail if row.changes]
    assert [None if one is None else one["accounts"]["cash"] for one in before] == [None, "1200"]


def test_a_firm_with_two_systems_of_a_kind_has_a_table_for_each(world: World) -> None:
    live: dict[str, Any] = {"details": {}, "parties": {"trade_receivables": "BROOK"}}
    world.run("mapping.set", TREASURER, **wanted(system="tryton", **live))
    other: dict[str, Any] = {"system": "tryton.works", "accounts": {"cash": "9"}, "details": {}}
    world.run("mapping.set", TREASURER, **wanted(**other))
    assert numbers(world, "tryton").parties == {"trade_receivables": "BROOK"}
    works = numbers(world, "tryton.works")
    assert (works.accounts, works.parties) == ({"cash": "9"}, {})
    with world.db.snapshot() as conn:
        assert tables_of(conn, SELLER) == [*SYSTEMS, "tryton.works"]
    # Another party is another version, though every number is the same.
    live["parties"] = {}
    assert world.run("mapping.set", TREASURER, **wanted(1, system="tryton", **live))["version"] == 2


def test_a_missing_number_is_named_and_never_guessed(world: World) -> None:
    world.run("mapping.set", TREASURER, **wanted())
    assert numbers(world).of(["cash", "cash"]) == {"cash": "1200"}
    with pytest.raises(RuleViolation, match="ACCOUNTS_UNMAPPED") as refused:
        numbers(world).of(["cash", "finance_cost", "borrowings"])
    assert refused.value.facts["accounts"] == ["borrowings", "finance_cost"]
    assert "Finance cost" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"system": "sap"}, "MAPPING_SYSTEM"),
        ({"system": "datev.works"}, "MAPPING_SYSTEM"),
        ({"system": "tryton.Works"}, "MAPPING_SYSTEM"),
        ({"parties": {"cash": "BANK"}}, "MAPPING_PARTY"),
        ({"system": "tryton", "details": {}, "parties": {"prepaid": "BANK"}}, "MAPPING_PARTY"),
        ({"accounts": {"petty_cash": "1000"}}, "MAPPING_ACCOUNT"),
        ({"accounts": {"cash": "01200"}}, "MAPPING_NUMBER"),
        ({"accounts": {"cash": "１２００"}}, "MAPPING_NUMBER"),  # noqa: RUF001
        ({"accounts": {"cash": "1200;x"}}, "MAPPING_NUMBER"),
        ({"accounts": {"cash": ""}}, "MAPPING_NUMBER"),
        ({"details": {"client": "1"}}, "MAPPING_DETAIL"),
        ({"details": FIRM | {"colour": "red"}}, "MAPPING_DETAIL"),
        ({"details": FIRM | {"year_start": "02-30"}}, "MAPPING_DETAIL"),
        ({"system": "tryton", "details": {}, "accounts": {"cash": "a\u202eb"}}, "MAPPING_NUMBER"),
        ({"system": "saft", "details": {}, "accounts": {"cash": "x" * 36}}, "MAPPING_NUMBER"),
    ],
)
def test_what_no_system_could_mean_is_refused(
    world: World, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput, match=code):
        world.run("mapping.set", TREASURER, **wanted(**changes))
    assert world.count(AccountMapping) == 0


def test_only_who_keeps_the_books_may_write_them(world: World) -> None:
    clerk = Actor("c", SELLER, frozenset({Role.ANCHOR_CLERK}))
    with pytest.raises(NotAllowed):
        world.run("mapping.set", clerk, **wanted())


def test_of_two_who_write_at_once_one_is_told_to_read_again(world: World) -> None:
    def write(number: int) -> str:
        try:
            world.platform.run(
                "mapping.set",
                SetMapping(**wanted(accounts={"cash": str(1200 + number)})),
                TREASURER,
                key=f"race-{number}",
            )
        except ScfError as refused:
            return refused.code
        return "done"

    assert race(6, write) == {"done": 1, "MAPPING_CHANGED": 5}
    assert world.count(AccountMapping) == 1


@given(number=st.text(max_size=100), system=st.sampled_from(sorted(SYSTEMS)))
def test_a_number_of_any_text_is_one_line_or_refused(number: str, system: str) -> None:
    if SYSTEMS[system].number.fullmatch(number) and number.isprintable():
        assert number == number.strip()
        assert 0 < len(number) <= 70
        assert not set(number) & set("\r\n\t\0")
