"""A seller with two buyers, each with a programme of the same bank, and its treasurer's browser."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.kernel.actor import Actor, Role
from tests.support.deals import (
    ANCHOR,
    BANK,
    DAY,
    EUR,
    SELLER,
    Deals,
    eur,
    programme_file,
)
from tests.support.people import World
from tests.support.served import Browser, Served, application
from tests.web import signing

SECOND = "second-anchor"
SECOND_APPROVER = Actor("u-second", SECOND, frozenset({Role.ANCHOR_APPROVER}))


@dataclass
class Trading:
    """The deals, the application over them, and the treasurer's browser."""

    deals: Deals
    served: Served
    browser: Browser
    second_programme: str

    def page(self, path: str, status: int = 200) -> str:
        """Open a page; gives its text with amounts as they read."""
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return readable(answer)

    def post(self, path: str, data: dict[str, Any]) -> TestResponse:
        """Send a form as a browser without scripts does."""
        return self.browser.post(path, data)

    def signed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add the treasurer's code to a form."""
        return data | signing.signature(self.served, "treasurer")

    def from_second(self, amount: str, **columns: object) -> str:
        """Store an invoice to the second buyer that it has accepted."""
        invoice_id = self.deals.invoice(amount, accepted=False, buyer_id=SECOND, **columns)
        self.deals.run("invoice.accept", SECOND_APPROVER, items=[{"invoice_id": invoice_id}])
        return invoice_id


def trading_on(db: Database) -> Trading:
    """Make the world."""
    deals = Deals(db)
    with db.writer.begin() as conn:
        deals.add_firm(conn, SECOND)
    programme_id = deals.agreed(programme_file("second"), anchor_id=SECOND)
    deals.limit("programme", programme_id, "10,000,000.00")
    deals.limit("obligor", SECOND, "10,000,000.00")
    firms = {"seller": SELLER, "anchor": ANCHOR, "bank": BANK, "second": SECOND}
    world = World(deals.platform, deals.clock, firms=firms)
    world.person("treasurer", "seller", Role.TREASURER)
    world.person("clerk", "anchor", Role.ANCHOR_CLERK)
    served = Served(world, application(world))
    return Trading(deals, served, served.browser("treasurer"), programme_id)


def readable(answer: TestResponse) -> str:
    """Give a page's text with each amount beside its currency, as it is read."""
    text = answer.get_data(as_text=True).replace("&nbsp;", "\u00a0")
    for part in ("cur", "money"):
        text = re.sub(rf'<span class="{part}">([^<]*)</span>', r"\1", text)
    return text.replace("\u00a0", " ").replace("&#39;", "'")


def hidden(page: str, name: str) -> list[str]:
    """Give the values of the hidden fields of a name."""
    return re.findall(rf'name="{name}" value="([^"]*)"', page)


def sums(page: str) -> list[int]:
    """Give every amount in euro that a page shows, in its order."""
    return [eur(found) for found in re.findall(r"([\d,]+\.\d\d) EUR", page)]


__all__ = ["DAY", "EUR", "SECOND", "Trading", "dt", "hidden", "readable", "sums", "trading_on"]
