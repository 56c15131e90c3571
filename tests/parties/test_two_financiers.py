"""With two financiers, nobody at one moves the money or the clients of the other."""

import datetime as dt

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.errors import Conflict, NotAllowed, NotFound, RuleViolation
from scf.parties.models import AccountVerification, BankAccount
from scf.parties.service import firms_of_accounts, is_own_account, verified_account
from tests.support.deals import programme_file
from tests.support.people import World, small_world

IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606")
LATER = "2026-03-05"  # Monday 2 March and three banking days


@pytest.fixture
def world(db: Database) -> World:
    """The small world with a second bank, "rival", that has a maker and a checker of its own."""
    world = small_world(db)
    world.firm("rival", "financier")
    world.person("rival-maker", "rival", Role.OFFICER_MAKER)
    world.person("rival-checker", "rival", Role.OFFICER_CHECKER)
    return world


def add(world: World, person: str, iban: str, firm: str = "supplier") -> str:
    added = world.run(
        "account.add",
        world.people[person],
        firm_id=world.firms[firm],
        iban=iban,
        currency="EUR",
    )
    return str(added["id"])


def verify(world: World, person: str, account_id: str) -> object:
    """Verify an account; gives the day from which it is used, or nothing for at once."""
    done = world.run(
        "account.verify", world.people[person], account_id=account_id, evidence="call-back"
    )
    assert done["state"] == "VERIFIED"
    return done["usable_on"]


def close(world: World, person: str, account_id: str) -> object:
    return world.run("account.close", world.people[person], account_id=account_id)["state"]


def payee(
    world: World, bank: str = "bank", on: dt.date | None = None, firm: str = "supplier"
) -> str | None:
    with world.platform.db.snapshot() as conn:
        row = verified_account(conn, world.firms[firm], "EUR", on, financier_id=world.firms[bank])
    return row.id if row else None


def seen(world: World, person: str) -> set[str]:
    with world.platform.db.read(world.people[person]) as session:
        return {row.id for row in session.scalars(select(BankAccount))}


# --- Accounts -------------------------------------------------------------------------------------


def test_each_financier_pays_only_to_what_it_verified_itself(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    assert verify(world, "rival-checker", account) is None
    assert (payee(world, "rival"), payee(world)) == (account, None)
    assert verify(world, "checker", account) is None
    assert payee(world) == account


def test_officers_of_another_bank_cannot_redirect_a_pay_out(world: World) -> None:
    right = add(world, "treasurer", IBANS[0])
    verify(world, "checker", right)
    # Two people of the rival do all they can: an account of their own making, one that the firm
    # named itself, and an end to the right one.
    own = add(world, "rival-maker", IBANS[1])
    named = add(world, "treasurer", IBANS[2])
    for account in (own, named, right):
        verify(world, "rival-checker", account)
    assert close(world, "rival-checker", right) == "WITHDRAWN"
    late = dt.date(2026, 12, 31)
    assert payee(world) == payee(world, on=late) == right
    assert payee(world, "rival", late) == named


def test_a_closing_by_an_officer_counts_for_the_own_bank_only(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    for checker in ("checker", "rival-checker"):
        verify(world, checker, account)
    assert close(world, "maker", account) == "WITHDRAWN"
    assert (payee(world), payee(world, "rival")) == (None, account)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        close(world, "maker", account)
    assert verify(world, "checker", account) == LATER  # changed back: it cools off
    assert payee(world, on=dt.date(2026, 3, 4)) is None
    assert payee(world, on=dt.date(2026, 3, 5)) == account


def test_a_bank_that_verified_nothing_has_nothing_to_withdraw(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    verify(world, "checker", account)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        close(world, "rival-checker", account)
    assert payee(world) == account


def test_the_firm_itself_closes_its_account_for_all(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    for checker in ("checker", "rival-checker"):
        verify(world, checker, account)
    assert close(world, "supplier-admin", account) == "CLOSED"
    assert payee(world) is payee(world, "rival") is None
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        verify(world, "checker", account)


def test_what_a_banks_officer_added_is_that_banks_own_record(world: World) -> None:
    account = add(world, "rival-maker", IBANS[0])
    assert account in seen(world, "rival-checker") & seen(world, "treasurer")
    assert account not in seen(world, "checker")
    for act in (verify, close):
        with pytest.raises(NotFound):
            act(world, "checker", account)
    # Nor does it stand in the way of the other's own record, or of the firm's word.
    assert verify(world, "checker", add(world, "maker", IBANS[0])) is None
    named = add(world, "treasurer", IBANS[0])
    assert verify(world, "rival-checker", named) == LATER
    assert close(world, "rival-maker", account) == "CLOSED"


def test_an_officer_adds_no_second_record_of_what_the_firm_named(world: World) -> None:
    named = add(world, "treasurer", IBANS[0])
    with pytest.raises(Conflict, match="ACCOUNT_EXISTS") as refused:
        add(world, "maker", IBANS[0])
    assert refused.value.facts["id"] == named
    add(world, "maker", IBANS[1])
    with pytest.raises(Conflict, match="ACCOUNT_EXISTS"):
        add(world, "maker", IBANS[1])


def test_the_first_look_at_a_second_account_cools_off(world: World) -> None:
    first, second = (add(world, "treasurer", iban) for iban in IBANS[:2])
    assert verify(world, "rival-checker", first) is None
    # This bank has verified nothing of the firm yet, and is shown a later account than its first.
    assert verify(world, "checker", second) == LATER
    assert payee(world) is None
    assert payee(world, on=dt.date(2026, 3, 5)) == second
    assert payee(world, "rival") == first


def test_one_bank_cools_off_by_its_own_day_and_its_own_holidays(world: World) -> None:
    added = world.run("firm.add", OPERATOR, name="Nord", kind="financier", country="DE")
    world.firms["nord"] = str(added["id"])
    world.run("firm.activate", OPERATOR, firm_id=added["id"], evidence="test world")
    world.run("day.open", OPERATOR, financier_id=added["id"], on=dt.date(2026, 4, 1))
    world.person("nord-checker", "nord", Role.OFFICER_CHECKER)
    first, second = (add(world, "treasurer", iban) for iban in IBANS[:2])
    for checker, until in (("checker", LATER), ("nord-checker", "2026-04-08")):
        assert verify(world, checker, first) is None
        assert verify(world, checker, second) == until  # Good Friday and Easter Monday are none


def test_a_country_without_known_holidays_cools_off_by_weekdays(world: World) -> None:
    added = world.run("firm.add", OPERATOR, name="Far", kind="financier", country="QQ")
    world.firms["far"] = str(added["id"])
    world.run("firm.activate", OPERATOR, firm_id=added["id"], evidence="test world")
    world.person("far-checker", "far", Role.OFFICER_CHECKER)
    add(world, "treasurer", IBANS[0])
    # Its books are not open: the clock's day counts.
    assert verify(world, "far-checker", add(world, "treasurer", IBANS[1])) == LATER


def test_two_people_stand_behind_an_account_at_each_bank(world: World) -> None:
    own = add(world, "rival-maker", IBANS[0])
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        verify(world, "rival-maker", own)
    verify(world, "rival-checker", own)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        verify(world, "rival-checker", own)


def test_a_role_without_a_financier_verifies_nothing(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    odd = Actor("u-odd", world.firms["anchor"], frozenset({Role.OFFICER_CHECKER}))
    with pytest.raises(NotAllowed, match="FINANCIER_ONLY"):
        world.run("account.verify", odd, account_id=account, evidence="none")


def test_a_verification_is_seen_by_its_bank_and_its_firm(world: World) -> None:
    account = add(world, "treasurer", IBANS[0])
    for checker in ("checker", "rival-checker"):
        verify(world, checker, account)

    def banks(person: str) -> set[str]:
        with world.platform.db.read(world.people[person]) as session:
            return {row.financier_id for row in session.scalars(select(AccountVerification))}

    bank, rival = world.firms["bank"], world.firms["rival"]
    assert banks("treasurer") == {bank, rival}
    assert (banks("maker"), banks("rival-maker"), banks("clerk")) == ({bank}, {rival}, set())


def test_a_payer_is_known_by_what_the_own_bank_verified(world: World) -> None:
    """Money that comes in is not booked to whoever names the payer's account as its own."""
    anchor, supplier = world.firms["anchor"], world.firms["supplier"]

    def payers(bank: str = "bank") -> tuple[str, ...]:
        with world.platform.db.snapshot() as conn:
            return firms_of_accounts(conn, [IBANS[0]], world.firms[bank])

    world.run("account.add", world.people["treasurer"], iban=IBANS[0], currency="EUR")
    add(world, "rival-maker", IBANS[0], "anchor")
    assert (payers(), payers("rival")) == ((supplier,), tuple(sorted((anchor, supplier))))
    record = add(world, "maker", IBANS[0], "anchor")
    assert payers() == tuple(sorted((anchor, supplier)))
    verify(world, "checker", record)
    assert payers() == (anchor,)
    with world.platform.db.snapshot() as conn:
        assert firms_of_accounts(conn, [], anchor) == ()


def test_a_banks_own_account_is_not_another_banks_to_name(world: World) -> None:
    bank = world.firms["bank"]
    add(world, "rival-maker", IBANS[0], "bank")
    with world.platform.db.snapshot() as conn:
        assert not is_own_account(conn, bank, IBANS[0])
    own = add(world, "maker", IBANS[0], "bank")
    with world.platform.db.snapshot() as conn:
        assert is_own_account(conn, bank, IBANS[0])
    verify(world, "checker", own)
    assert payee(world, firm="bank") == own
    assert payee(world, "rival", firm="bank") is None


# --- Firms ----------------------------------------------------------------------------------------


def invited(world: World, by: str) -> str:
    return str(world.run("firm.add", world.people[by], name="Brook Valves")["id"])


def activate(world: World, by: Actor, firm_id: str) -> object:
    return world.run("firm.activate", by, firm_id=firm_id, evidence="register")["state"]


def suspend(world: World, by: Actor, firm_id: str) -> object:
    return world.run("firm.suspend", by, firm_id=firm_id, reason="a finding")["state"]


def test_who_added_a_firm_does_not_activate_it(world: World) -> None:
    firm_id = invited(world, "maker")
    with pytest.raises(RuleViolation, match="SAME_PERSON"):
        activate(world, world.people["maker"], firm_id)
    assert activate(world, world.people["checker"], firm_id) == "ACTIVE"


def test_the_operator_may_add_and_activate(world: World) -> None:
    added = world.run("firm.add", OPERATOR, name="Brook Valves")
    assert activate(world, OPERATOR, str(added["id"])) == "ACTIVE"


def test_only_who_answers_for_a_firm_suspends_it(world: World) -> None:
    firm_id = invited(world, "clerk")
    activate(world, world.people["maker"], firm_id)
    for person in ("rival-maker", "rival-checker"):
        with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
            suspend(world, world.people[person], firm_id)
    assert suspend(world, world.people["checker"], firm_id) == "SUSPENDED"
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        activate(world, world.people["rival-checker"], firm_id)
    assert activate(world, world.people["maker"], firm_id) == "ACTIVE"


def test_an_active_programme_makes_a_bank_answer_for_its_anchor(world: World) -> None:
    anchor, head = world.firms["anchor"], world.person("head", "bank", Role.HEAD_OFFICE)
    maker, checker = world.people["maker"], world.people["checker"]
    loaded = world.run(
        "programme.load",
        maker,
        content=programme_file(),
        anchor_id=anchor,
        effective_on=dt.date(2026, 3, 2),
    )
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        suspend(world, maker, anchor)  # a draft binds nobody
    world.run("programme.activate", head, programme_id=loaded["id"])
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        suspend(world, world.people["rival-checker"], anchor)
    assert suspend(world, checker, anchor) == "SUSPENDED"
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        activate(world, world.people["rival-checker"], anchor)
    assert activate(world, OPERATOR, anchor) == "ACTIVE"


def test_the_operator_suspends_and_reinstates(world: World) -> None:
    supplier = world.firms["supplier"]
    assert suspend(world, OPERATOR, supplier) == "SUSPENDED"
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        activate(world, world.people["checker"], supplier)
    assert activate(world, OPERATOR, supplier) == "ACTIVE"


def test_a_financier_is_no_other_financiers_to_suspend(world: World) -> None:
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        suspend(world, world.people["rival-checker"], world.firms["bank"])


# --- What only a financier does -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["programme.load", "limit.set", "fixing.add"])
def test_programmes_limits_and_fixings_are_a_financiers_own(world: World, name: str) -> None:
    anchor = world.firms["anchor"]
    inputs: dict[str, dict[str, object]] = {
        "programme.load": {
            "content": programme_file(), "anchor_id": anchor, "effective_on": "2026-03-02",
        },
        "limit.set": {
            "kind": "country", "subject_id": "DE", "currency": "EUR", "limit_minor": 1,
        },
        "fixing.add": {"benchmark": "EURIBOR-3M", "fixed_on": "2026-03-02", "percent": "1"},
    }  # fmt: skip
    roles = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
    with pytest.raises(NotAllowed, match="FINANCIER_ONLY"):
        world.run(name, Actor("u-odd", anchor, roles), **inputs[name])


def test_an_administrator_loads_no_programme(world: World) -> None:
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        world.run(
            "programme.load",
            world.people["bank-admin"],
            content=programme_file(),
            anchor_id=world.firms["anchor"],
            effective_on="2026-03-02",
        )
