"""Two banks in the demo world: a claim lives with one of them, and neither learns of the other."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

import scf.schema  # noqa: F401 - every table
from scf.demo import cast, world
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import Actor
from scf.offers.service import Ask, compute
from scf.parties.models import BankAccount, BusinessDate, Firm
from scf.parties.service import verified_account
from scf.programmes.models import Programme
from scf.programmes.registry.models import RegistryWord
from tests.support.deals import table
from tests.support.demo_world import TODAY, DemoCopy, DemoWorld

BANKS = {
    world.FINANCIER: ("omar", "chen", "hana"),
    cast.SECOND_FINANCIER: ("nils", "petra", "vera"),
}


@pytest.fixture(scope="module")
def demo(demo_world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCopy]:
    with demo_world.copied(tmp_path_factory.mktemp("two-banks")) as copy:
        yield copy


def rows(demo: DemoCopy, model: Any, **where: object) -> list[Any]:  # noqa: ANN401 - a table
    query = select(table(model)).order_by(table(model).c.id)
    for name, value in where.items():
        query = query.where(table(model).c[name] == value)
    with demo.platform.db.snapshot() as conn:
        return list(conn.execute(query))


def firm(demo: DemoCopy, name: str) -> str:
    return str(rows(demo, Firm, name=name)[0].id)


def officers(demo: DemoCopy) -> Iterator[tuple[str, Actor]]:
    people = demo.served.world.people
    for bank, names in BANKS.items():
        for name in names:
            yield bank, people[name]


def test_both_banks_have_paid_out_and_have_something_waiting(demo: DemoCopy) -> None:
    for bank in BANKS:
        financier_id = firm(demo, bank)
        assert rows(demo, Advance, financier_id=financier_id, state="FUNDED")
        assert rows(demo, FinancingRequest, financier_id=financier_id, state="IN_REVIEW")
    both = {
        row.anchor_id for row in rows(demo, Programme, financier_id=firm(demo, world.FINANCIER))
    }
    (second,) = rows(demo, Programme, financier_id=firm(demo, cast.SECOND_FINANCIER))
    assert second.anchor_id in both
    for name in ("nils", "omar"):
        page = demo.served.browser(name).get("/officer/queue").get_data(as_text=True)
        assert "Queue" in page


def test_what_one_bank_finances_the_other_cannot(demo: DemoCopy) -> None:
    ids = {bank: firm(demo, bank) for bank in BANKS}
    (second,) = rows(demo, Programme, financier_id=ids[cast.SECOND_FINANCIER])
    first = next(
        row for row in rows(demo, Programme, financier_id=ids[world.FINANCIER])
        if row.anchor_id == second.anchor_id
    )  # fmt: skip
    for of, other in ((first, second), (second, first)):
        taken = next(iter(rows(demo, Advance, programme_id=of.id, state="FUNDED")))
        with demo.platform.db.snapshot() as conn:
            ask = Ask([taken.invoice_id], programme_id=other.id)
            found = compute(conn, taken.seller_id, ask, demo.clock.now())
        assert found.is_refused
        assert "ALREADY_FINANCED" in {refusal.code for refusal in found.refusals}
        told = repr([refusal.message for refusal in found.refusals])
        assert not any(bank in told for bank in BANKS), "nor does it say by whom"


def test_a_claim_that_a_third_bank_holds_waits_refused_and_what_was_paid_is_registered(
    demo: DemoCopy,
) -> None:
    words = rows(demo, RegistryWord, financier_id=firm(demo, cast.SECOND_FINANCIER))
    latest = {word.invoice_id: (word.step, word.state) for word in words}
    paid = rows(
        demo, Advance, financier_id=firm(demo, cast.SECOND_FINANCIER), state="FUNDED"
    )  # fmt: skip
    assert {latest[one.invoice_id] for one in paid} == {("again", "OWN")}
    assert ("search", "HELD") in latest.values()
    (held,) = (one for one in latest if latest[one] == ("search", "HELD"))
    (advance,) = rows(demo, Advance, invoice_id=held)
    page = demo.served.browser("nils").get(f"/officer/cases/{advance.request_id}").text
    assert page.count("another financier has it") == 2  # as a reason, and as the answer itself


def test_no_officer_reads_a_row_of_the_other_bank(demo: DemoCopy) -> None:
    """Every table that has a financier, asked as each officer: 0 rows of the other bank's.

    On which day a bank's books stand is no secret.
    """
    ids = {firm(demo, bank): bank for bank in BANKS}
    models = [
        mapper.class_ for mapper in SQLModel._sa_registry.mappers
        if "financier_id" in mapper.columns and mapper.class_ is not BusinessDate
    ]  # fmt: skip
    assert len(models) > 15
    found = dict.fromkeys(BANKS, 0)
    for bank, who in officers(demo):
        with demo.platform.db.read(who) as session:
            for model in models:
                for row in session.execute(select(model)).scalars():
                    assert ids.get(row.financier_id, bank) == bank, (model, who.name)
                    found[bank] += 1
    assert all(found.values())


def test_the_other_banks_officers_redirect_nothing(demo: DemoCopy) -> None:
    people = demo.served.world.people
    ids = {bank: firm(demo, bank) for bank in BANKS}
    waiting = rows(demo, Advance, financier_id=ids[world.FINANCIER], state="FUNDED")[0]

    def payee() -> str:
        with demo.platform.db.snapshot() as conn:
            found = verified_account(
                conn, waiting.seller_id, "EUR", TODAY, financier_id=ids[world.FINANCIER]
            )
        assert found is not None
        return str(found.id)

    before = payee()
    added = demo.platform.run(
        "account.add",
        {"firm_id": waiting.seller_id, "iban": "DE89370400440532013000", "currency": "EUR",
         "holder": "Somebody else"},
        people["nils"], key="redirect",
    ).result  # fmt: skip
    demo.platform.run(
        "account.verify", {"account_id": added["id"], "evidence": "said so"},
        people["petra"], key="verify",
    )  # fmt: skip
    assert payee() == before
    assert {row.added_by_org for row in rows(demo, BankAccount, id=added["id"])} == {
        ids[cast.SECOND_FINANCIER]
    }
