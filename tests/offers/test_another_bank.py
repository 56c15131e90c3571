"""What the officers of another bank do to a seller's accounts changes no deal of this one."""

import pytest

from scf.db.engine import Database
from scf.financing.models import Advance
from scf.kernel.errors import ScfError
from scf.parties.models import BankAccount
from scf.programmes.terms import CHECKS_BEFORE_DECISION
from tests.support.deals import (
    CHECKER,
    EUR,
    MAKER,
    OTHER_CHECKER,
    OTHER_MAKER,
    SELLER,
    TREASURER,
    Deals,
)

IBANS = ("GB29NWBK60161331926819", "FR1420041010050500013M02606")


def meddle(deals: Deals, account_id: str) -> None:
    """Two people of the other bank do all they can to a seller's payee."""
    named = deals.run("account.add", TREASURER, iban=IBANS[0], currency=EUR)["id"]
    own = deals.run("account.add", OTHER_MAKER, firm_id=SELLER, iban=IBANS[1], currency=EUR)["id"]
    for account in (named, own):
        deals.run("account.verify", OTHER_CHECKER, account_id=account, evidence="letter")
    assert deals.run("account.close", OTHER_MAKER, account_id=account_id)["state"] == "WITHDRAWN"


def test_quote_request_and_decision_keep_their_payee(db: Database) -> None:
    deals = Deals(db)
    (account,) = [row.id for row in deals.all(BankAccount)]
    quote = deals.quote(deals.invoice())
    meddle(deals, account)
    assert deals.quote(deals.invoice())["id"]
    request = deals.submit(quote["id"])["id"]
    deals.check(request, *CHECKS_BEFORE_DECISION)
    deals.decide(request, MAKER)
    deals.decide(request, CHECKER)
    (advance,) = deals.all(Advance)
    assert (advance.state, advance.payee_account_id) == ("DECIDED", account)


def test_a_verification_that_the_own_bank_withdrew_stops_new_quotes(db: Database) -> None:
    """The same acts by this bank's own two people do count: the seam is the organisation."""
    deals = Deals(db)
    (account,) = [row.id for row in deals.all(BankAccount)]
    deals.run("account.close", MAKER, account_id=account)
    with pytest.raises(ScfError) as refused:
        deals.quote(deals.invoice())
    assert "ACCOUNT_UNVERIFIED" in str(refused.value.facts)
