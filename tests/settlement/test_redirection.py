"""Money out goes where the paying financier's own people said, whatever others say."""

import pytest
from sqlalchemy import insert

from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotFound
from scf.parties.models import Firm
from tests.settlement.setting import IBANS, make
from tests.settlement.world import CHECKER, FINANCIER, SELLER, World

RIVAL = "rival"
RIVAL_MAKER = Actor("u-rival-maker", RIVAL, frozenset({Role.OFFICER_MAKER}))
RIVAL_CHECKER = Actor("u-rival-checker", RIVAL, frozenset({Role.OFFICER_CHECKER}))
TREASURER = Actor("u-treasurer", SELLER, frozenset({Role.TREASURER}))
OTHER_IBANS = ("DE02120300000000202051", "GB29NWBK60161331926819")


def meddle(world: World) -> None:
    """Two people of another financier name, verify and close accounts of seller and financier."""
    named = world.run("account.add", TREASURER, iban=OTHER_IBANS[0], currency="EUR")["id"]
    own = world.run(
        "account.add", RIVAL_MAKER, firm_id=SELLER, iban=OTHER_IBANS[1], currency="EUR"
    )["id"]
    theirs = world.run(
        "account.add", RIVAL_MAKER, firm_id=FINANCIER, iban=OTHER_IBANS[1], currency="EUR"
    )["id"]
    right = f"account-{SELLER}"
    for account in (named, own, theirs, right):
        world.run("account.verify", RIVAL_CHECKER, account_id=account, evidence="letter")
    world.run("account.close", RIVAL_MAKER, account_id=right)


@pytest.fixture
def rival(world: World) -> World:
    """The world with another financier in it."""
    firm = make(
        Firm,
        id=RIVAL,
        kind="financier",
        state="ACTIVE",
        name="Rival Bank",
        country=None,
        created_at=world.clock.now(),
    )
    with world.db.writer.begin() as conn:
        conn.execute(insert(Firm.__table__), firm.model_dump())  # type: ignore[attr-defined]
    return world


def test_another_banks_people_redirect_no_pay_out(rival: World) -> None:
    rival.advance(rival.invoice("INV-1", "1,000.00"), "1,000.00")
    meddle(rival)
    (file,) = rival.ordered()
    assert IBANS[SELLER].encode() in file
    assert IBANS[FINANCIER].encode() in file
    assert not any(iban.encode() in file for iban in OTHER_IBANS)


def test_a_file_that_is_prepared_stays_good_whatever_another_bank_does(rival: World) -> None:
    rival.advance(rival.invoice("INV-1", "1,000.00"), "1,000.00")
    (prepared,) = rival.run("payout.prepare")["files"]
    meddle(rival)
    assert rival.run("payout.release", CHECKER, file_id=prepared["file_id"])["state"] == "SENT"


def test_another_banks_record_opens_no_statement(rival: World) -> None:
    rival.run("account.add", RIVAL_MAKER, firm_id=FINANCIER, iban=OTHER_IBANS[1], currency="EUR")
    slice_ = rival.slice([])
    assert rival.run("statement.read", **slice_)["new_entries"] == 0
    with pytest.raises(NotFound, match="ACCOUNT"):
        rival.run("statement.read", **{**slice_, "account": OTHER_IBANS[1], "sha256": "other"})
