"""A full command beside the bare driver: the same statements, the same rows, one transaction.

``request.submit`` claims its key, uses up the quote, holds four limits and the invoice, writes
request and advance with their events, the audit row and the outbox. What the platform adds to the
driver's own work (rules, mapping, audit digest) is what the ratio shows.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from scf.bootstrap import build
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.kernel.clock import FixedClock
from tests.performance.conftest import Store
from tests.performance.measure import Report, Work, take_turns
from tests.performance.replay import Bare, Transaction, recording
from tests.support.deals import APPROVER, MORNING, TREASURER, Deals

GOALS = {"sqlite": 0.2, "postgresql": 0.4}
TURNS = 7
PER_TURN = 40
WARM_UP = 20


@pytest.mark.bench
def test_a_full_command_costs_little_more_than_its_statements(store: Store, report: Report) -> None:
    origin = store.fresh()
    quotes = _quotes(origin, WARM_UP + TURNS * PER_TURN)
    platform, bare = _platform(store.copy(origin)), Bare(store.copy(origin))
    transactions = _written_down(origin, quotes)

    _submit(platform, quotes[:WARM_UP])
    _replay(bare, transactions[:WARM_UP])
    turns = take_turns(list(_turns(platform, bare, quotes, transactions)))

    counter = Bare(str(platform.db.url.render_as_string(hide_password=False)))
    assert counter.counts() == bare.counts()
    counter.close()
    platform.close()
    bare.close()
    ratio, goal = turns.faster(), GOALS[store.engine]
    statements = sum(map(len, transactions)) / len(transactions)
    report.add(
        f"full_command_{store.engine}",
        turns.rate(PER_TURN),
        "commands/s",
        peer={
            "name": f"bare driver, the same {statements:.0f} statements",
            "value": turns.peer_rate(PER_TURN),
            "unit": "transactions/s",
        },
        ratio=ratio,
        goal=f"ratio >= {goal}",
        met=ratio >= goal,
        command="request.submit",
        statements=statements,
        turns=TURNS,
    )


def _quotes(url: str, count: int) -> list[str]:
    """Make a world with so many accepted invoices, each with an open quote."""
    db = Database(url)
    deals = Deals(db)
    invoices = [deals.invoice("1,000.00", accepted=False) for _ in range(count)]
    deals.run("invoice.accept", APPROVER, items=[{"invoice_id": one} for one in invoices])
    quotes = [str(deals.quote(invoice)["id"]) for invoice in invoices]
    db.close()
    return quotes


def _platform(url: str) -> Platform:
    return build(url, clock=FixedClock(MORNING))


def _submit(platform: Platform, quotes: Sequence[str]) -> None:
    for quote in quotes:
        platform.run("request.submit", {"quote_id": quote}, TREASURER, key=f"submit:{quote}")


def _replay(bare: Bare, transactions: Sequence[Transaction]) -> None:
    for transaction in transactions:
        bare.run(transaction)


def _written_down(url: str, quotes: Sequence[str]) -> list[Transaction]:
    """Submit every quote on the original, and give the statements of each."""
    platform = _platform(url)
    transactions = []
    with recording(platform.db.writer) as taken:
        for quote in quotes:
            _submit(platform, [quote])
            transactions.append(taken())
    platform.close()
    return transactions


def _turns(
    platform: Platform, bare: Bare, quotes: Sequence[str], transactions: Sequence[Transaction]
) -> Iterator[tuple[Work, Work]]:
    for turn in range(TURNS):
        part = slice(WARM_UP + turn * PER_TURN, WARM_UP + (turn + 1) * PER_TURN)
        yield (
            partial(_submit, platform, quotes[part]),
            partial(_replay, bare, transactions[part]),
        )
