"""A seller's real shop connected to the platform, and what must hold of its orders here."""

import datetime as dt
from collections import Counter
from typing import Any

from scf.demo import world
from scf.documents.messages.models import TradeMessage
from tests.channels.erp.office import Office, office_at
from tests.support.oscar import CLERK, Lines, OscarServer

ON = dt.date(2026, 3, 10)
HOUSINGS: Lines = [("PH-7", 10, "125.00", "148.75"), ("VS-2", 2, "3.30", "3.93")]


def shop_at(url: str, server: OscarServer, **wanted: Any) -> Office:  # noqa: ANN401
    """Connect the shop to the supplier of the start world."""
    asked = {"kind": "OSCAR", "name": "Shop", "username": CLERK, "database": "", "payee_code": None}
    return office_at(url, server, "mira", ON, **asked | {"from_on": dt.date(2026, 3, 2)} | wanted)


def ordered(server: OscarServer, numbers: range, **more: Any) -> None:  # noqa: ANN401
    """Let the anchor of the start world order some pump housings, once for each number."""
    asked = {"vatin": world.FIRMS[world.ANCHOR][2][1], "shipping": "4.90"} | more
    for place, number in enumerate(numbers):
        at = dt.datetime(2026, 3, 3, 10, place, tzinfo=dt.UTC).isoformat()
        server.place(str(number), world.ANCHOR, HOUSINGS, at, **asked)


def standings(office: Office) -> dict[str, str]:
    """Give how each order stands here."""
    return {row.number: row.standing for row in office.orders()}


def answers(office: Office) -> list[tuple[str, str]]:
    """Give what was said here of orders: of which one, and what."""
    return sorted((row.order_canonical, row.word) for row in office.rows(TradeMessage))


def each_once(office: Office, numbers: range, said: list[tuple[str, str]]) -> None:
    """Each order is here once with all of its lines, and each answer was given once."""
    assert Counter(row.number for row in office.orders()) == Counter(map(str, numbers))
    assert {row.document_state for row in office.orders()} == {"VALIDATED"}
    assert {row.total_minor for row in office.orders()} == {12_830}  # without tax and freight
    assert answers(office) == sorted(said)
    labels = Counter(row.label for row in office.items("SALES") if not row.problem)
    assert labels == Counter(map(str, numbers))
