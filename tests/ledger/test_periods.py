"""A period closed by two people takes nothing more; what comes late is booked on the next day."""

import datetime as dt

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from scf.db.engine import Database
from scf.kernel.errors import NotAllowed, RuleViolation
from scf.ledger import periods
from scf.ledger.models import Account, Entry, Period, Posting
from scf.ledger.service import Chart, Journal, LedgerEvent, credit, debit, post
from tests.support.deals import BANK, CHECKER, DAY, MAKER, OTHER_MAKER, Deals, table
from tests.support.racing import race

LAST = DAY - dt.timedelta(days=1)


def booked(deals: Deals, name: str, on: dt.date) -> dt.date:
    """Book something in the bank's book; gives the day that it was booked on."""
    one, other = list(Chart.lines)[:2]
    journal = Journal(BANK, [debit(one, 500), credit(other, 500)])
    with deals.db.writer.begin() as conn:
        event = LedgerEvent(name, "tried", "life", "EUR", on, on, "a try", [journal])
        post(deals.context(conn), [event])
    entries = table(Entry)
    with deals.db.snapshot() as conn:
        row = conn.execute(select(entries).where(entries.c.event_id == name)).one()
    assert row.value_on == on
    found: dt.date = row.booked_on
    return found


def smuggled(db: Database) -> None:
    """Write an entry into the closed period behind the platform's back."""
    with db.writer.begin() as conn:
        for place, amount in enumerate((5, -5)):
            account = conn.execute(select(table(Account).c.id).limit(1)).scalar_one()
            conn.execute(
                insert(table(Posting)),
                {
                    "id": f"x{place}", "entry_id": "x", "place": place, "account_id": account,
                    "currency": "EUR", "amount_minor": amount,
                },
            )  # fmt: skip
        conn.execute(
            insert(table(Entry)),
            {
                "id": "x", "seq": 1, "org_id": BANK, "event_id": "x", "event_kind": "x",
                "subject_id": "x", "booked_on": LAST, "value_on": LAST, "narrative": "",
                "command_id": "x", "reverses_id": None,
                "created_at": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
            },
        )  # fmt: skip


def test_a_period_lives_from_its_closing_to_its_opening(db: Database) -> None:
    deals = Deals(db, limits=None)
    assert booked(deals, "before", LAST) == LAST
    with pytest.raises(RuleViolation, match="PERIOD_TO"):
        deals.run("period.close", MAKER, to_on=DAY, note="the day is not over")
    told = race(
        4,
        lambda n: str(deals.run("period.close", MAKER, f"c{n}", to_on=LAST, note="March")["state"]),
    )
    assert told == {"CLOSING": 1, "PERIOD_UNDECIDED": 3}
    (period,) = deals.all(Period)
    assert booked(deals, "proposed", LAST) == LAST  # nobody else has agreed yet
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("period.confirm", MAKER, period_id=period.id)
    with pytest.raises(Exception, match="NOT_FOUND"):
        deals.run("period.confirm", OTHER_MAKER, period_id=period.id)
    assert deals.run("period.confirm", CHECKER, period_id=period.id)["state"] == "CLOSED"

    assert booked(deals, "late", LAST) == DAY  # its value date is kept
    with pytest.raises(DBAPIError, match="LEDGER_PERIOD"):
        smuggled(db)
    with db.snapshot() as conn:
        assert periods.broken(conn) == []

    deals.run("period.reopen", CHECKER, period_id=period.id, note="an invoice was forgotten")
    assert booked(deals, "half open", LAST) == DAY
    assert deals.run("period.confirm", MAKER, period_id=period.id)["state"] == "OPEN"
    assert booked(deals, "open", LAST) == LAST

    again = deals.run("period.close", MAKER, to_on=LAST, note="q1 once more")
    deals.run("period.confirm", CHECKER, period_id=again["id"])
    trigger = "entry_balanced" if db.dialect == "sqlite" else "period_open ON ledger_entry"
    with db.writer.begin() as conn:
        conn.execute(text(f"DROP TRIGGER {trigger}"))
    smuggled(db)
    with db.snapshot() as conn:
        assert [row.id for row in periods.broken(conn)] == ["x"]
