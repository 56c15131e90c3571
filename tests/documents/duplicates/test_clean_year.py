"""A year of trade through the real import: nothing honest is blocked, and its copies are."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import pytest

from scf.db.engine import Database
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from tests.documents.duplicates.fraudsim import DISGUISES, Paper, honest
from tests.documents.duplicates.test_hard import disguised
from tests.documents.trade import INVOICES, Trade, invoice_table, trade_on

AFTER = dt.datetime(2026, 8, 31, 12, tzinfo=dt.UTC)
Told = tuple[Paper, str]  # an invoice and the number that is written on it


def duns(of: str, number: int) -> str:
    return f"{len(of)}{number:08d}"


def clerks_of(trade: Trade, papers: list[Paper]) -> dict[int, Actor]:
    """Make the firms of a year, and for each seller somebody who hands its invoices in."""
    firms = {("seller", one.seller) for one in papers} | {("buyer", one.buyer) for one in papers}
    clerks = {}
    for of, number in sorted(firms):
        short = f"{of}-{number}"
        identifiers = [{"scheme": "duns", "value": duns(of, number)}]
        trade.world.firm(short, identifiers=identifiers, country="DE")
        if of == "seller":
            clerks[number] = trade.world.person(f"clerk-{number}", short, Role.TREASURER)
    return clerks


def row(one: Paper, number: str) -> dict[str, object]:
    return {
        "number": f'"{number}"', "date": one.issue_on, "due": one.issue_on + dt.timedelta(days=60),
        "amount": f"{one.amount // 100}.{one.amount % 100:02d}", "order": one.order,
        "seller": duns("seller", one.seller), "buyer": duns("buyer", one.buyer),
    }  # fmt: skip


def handed_in(trade: Trade, clerk: Actor, told: Iterable[Told]) -> tuple[int, int]:
    """Import one file of a seller; gives how many invoices were kept and how many were blocked."""
    file = invoice_table([row(*one) for one in told])
    upload = trade.receive(file, INVOICES, actor=clerk)
    kept = trade.finished(upload)["stored"]
    return kept, trade.codes(upload).count("DUPLICATE_EXACT")


@pytest.mark.parametrize(
    ("pairs", "copies"), [(9, 4), pytest.param(300, 100, marks=pytest.mark.long, id="many")]
)
def test_no_invoice_of_a_clean_year_is_blocked_and_every_rewritten_copy_is(
    db: Database, pairs: int, copies: int
) -> None:
    papers = honest(41, pairs)
    assert {one.issue_on.year for one in papers} == {2025, 2026}
    trade = trade_on(db, FixedClock(AFTER))
    clerks = clerks_of(trade, papers)
    quarters: dict[tuple[str, int], list[Told]] = defaultdict(list)
    for one in papers:
        quarters[f"{one.issue_on.year}-{one.issue_on.month // 4}", one.seller].append(
            (one, one.number)
        )
    for (_, seller), told in sorted(quarters.items(), key=lambda item: item[0]):
        assert handed_in(trade, clerks[seller], told) == (len(told), 0)
    copied: dict[int, list[Told]] = defaultdict(list)
    for kind in DISGUISES:
        for one, number in list(disguised(papers, kind))[:copies]:
            copied[one.seller].append((one, number))
    ends = [handed_in(trade, clerks[seller], told) for seller, told in copied.items()]
    kept, blocked = map(sum, zip(*ends, strict=True))
    assert kept + blocked == sum(map(len, copied.values())) > 10 * copies
    assert blocked >= 0.99 * (kept + blocked)
