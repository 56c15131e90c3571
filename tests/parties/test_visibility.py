"""A reading session shows no row and no number that its actor may not see, however it is asked."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import ScalarSelect, Select, func, select, union
from sqlalchemy.orm import aliased
from sqlmodel import col

from scf.db import visibility
from scf.db.engine import Database
from scf.db.visibility import DECLARED
from scf.parties.models import BankAccount, Firm
from tests.support.people import World, small_prepare, small_world

prepare = small_prepare  # every test begins in the small world

IBAN = "DE89370400440532013000"


def _accounts() -> ScalarSelect[int]:
    return select(func.count(col(BankAccount.id))).scalar_subquery()


def _ids() -> Select[str]:
    return select(col(BankAccount.id))


def _by_alias() -> ScalarSelect[int]:
    other = aliased(BankAccount)
    return select(func.count(col(other.id))).scalar_subquery()


def _without_a_column() -> ScalarSelect[int]:
    return select(func.count()).select_from(BankAccount).scalar_subquery()


# One number of accounts, asked for in ways that differ in where the table stands.
ASKED: dict[str, Callable[[], Any]] = {
    "at the top": lambda: select(func.count(col(BankAccount.id))),
    "at the top without a column": lambda: select(func.count()).select_from(BankAccount),
    "in a subquery": lambda: select(_accounts()),
    "in a subquery with a name": lambda: select(_accounts().label("accounts")),
    "in a subquery without a column": lambda: select(_without_a_column()),
    "in a subquery of an alias": lambda: select(_by_alias()),
    "in a sum": lambda: select(_accounts() + 0),
    "in a function": lambda: select(func.coalesce(_accounts(), 7)),
    "two below": lambda: select(select(_accounts()).scalar_subquery()),
    "after a value of its own": lambda: select(_accounts(), _without_a_column()),
    "beside another table": lambda: select(_accounts(), col(Firm.id)).limit(1),
    "in a union": lambda: union(*[select(func.count(col(BankAccount.id)))] * 2),
    "from a subquery": lambda: select(func.count()).select_from(_ids().subquery()),
    "from a union": lambda: select(func.count()).select_from(union(_ids(), _ids()).subquery()),
    "as a condition": lambda: select(func.count()).where(_accounts() > 0),
}


@pytest.fixture
def world(db: Database) -> World:
    world = small_world(db)
    world.run("account.add", world.people["treasurer"], iban=IBAN, currency="EUR")
    return world


def _number(world: World, person: str, asked: Any) -> int:  # noqa: ANN401 - a select
    with world.platform.db.read(world.people[person]) as session:
        return int(session.execute(asked).scalar_one())


@pytest.mark.parametrize("how", ASKED)
def test_a_number_counts_what_its_reader_may_see(
    world: World, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _number(world, "treasurer", ASKED[how]()) == 1
    assert _number(world, "maker", ASKED[how]()) == 1
    assert _number(world, "clerk", ASKED[how]()) == 0
    monkeypatch.setattr(visibility, "DECLARED", {Firm: DECLARED[Firm]})
    assert _number(world, "treasurer", ASKED[how]()) == 0, "a table that nobody declared"
