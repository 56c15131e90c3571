"""The demo world moved to the other engine, and with a hundred thousand invoices more in it."""

import datetime as dt
import random
from typing import Any, Final

from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Connection

from scf import schema
from scf.db.engine import Database
from scf.demo import world as demo
from scf.documents.models import Acceptance, Invoice, InvoiceFact
from scf.kernel.ids import new_id
from scf.parties.models import Firm
from tests.support.deals import EUR, table
from tests.support.demo_world import NOW, TODAY

INVOICES: Final = 100_000
SLICE: Final = 5_000


def moved(source: Database, target: Database) -> None:
    """Write every row of a world into a new database of the other engine, as it stands.

    The rows have passed every check once; the triggers that watch how they come are not asked.
    """
    with source.snapshot() as rows, target.writer.begin() as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        for one in schema.metadata.sorted_tables:
            conn.execute(one.delete())  # what the schema brings along is among the rows, too
            found = [row._asdict() for row in rows.execute(select(one))]
            for start in range(0, len(found), SLICE):
                conn.execute(insert(one), found[start : start + SLICE])
            counted = one.autoincrement_column
            if counted is not None:
                sequence = func.pg_get_serial_sequence(one.name, counted.name)
                conn.execute(select(func.setval(sequence, func.max(counted) + 1)))
    analyse(target)


def analyse(db: Database) -> None:
    """Let the engine look at how many rows there are, as either does by itself in time."""
    with db.writer.begin() as conn:
        conn.exec_driver_sql("ANALYZE")


def crowd(db: Database) -> None:
    """Store invoices of three years between the supplier and the anchor of the demo world.

    Most are paid, one in twenty is ready to be financed, one in ten waits for the buyer's word.
    """
    chance = random.Random(1)
    with db.snapshot() as conn:
        seller, buyer = (_firm(conn, name) for name in (demo.SUPPLIER, demo.ANCHOR))
    for start in range(0, INVOICES, SLICE):
        made = [_made(chance, number, seller, buyer) for number in range(start, start + SLICE)]
        with db.writer.begin() as conn:
            conn.execute(insert(table(Invoice)), [row for row, _word, _fact in made])
            conn.execute(insert(table(Acceptance)), [word for _row, word, _fact in made if word])
            conn.execute(insert(table(InvoiceFact)), [fact for _row, _word, fact in made])
    analyse(db)


def _firm(conn: Connection, name: str) -> str:
    firm = table(Firm)
    return str(conn.execute(select(firm.c.id).where(firm.c.name == name)).scalar_one())


def _made(
    chance: random.Random, number: int, seller: str, buyer: str
) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
    """Give an invoice, the buyer's word on it if there is one, and what is known of it."""
    fate = chance.random()
    days = chance.randrange(5, 120) if fate < 0.15 else -chance.randrange(1, 1000)
    due_on = TODAY + dt.timedelta(days=days)
    minor = chance.randrange(50_000, 50_000_00)
    accepted = fate < 0.05 or fate >= 0.15
    known_at = NOW - dt.timedelta(days=3)
    row = {
        "id": new_id(), "number": f"INV-{number:06}", "canonical_number": f"INV{number:06}",
        "seller_id": seller, "buyer_id": buyer, "issue_on": due_on - dt.timedelta(days=125),
        "due_on": due_on, "currency": EUR, "type_code": "380", "duplicate_key": new_id(),
        "net_minor": minor, "tax_minor": 0, "gross_minor": minor, "payable_minor": minor,
        "base_minor": minor, "paid_minor": 0 if days > 0 else minor,
        "document_state": "VALIDATED", "match_state": "MATCHED",
        "acceptance_state": "ACCEPTED" if accepted else "NONE",
        "accepted_minor": minor if accepted else None,
        "acceptance_version": 1 if accepted else 0, "ipu": accepted,
        "payment_state": "OPEN" if days > 0 else "PAID",
        "parties": {}, "org_id": seller, "upload_id": "u", "original_id": "o",
        "created_at": known_at,
    }  # fmt: skip
    word = {
        "id": new_id(), "invoice_id": row["id"], "version": 1, "outcome": "ACCEPTED",
        "amount_minor": minor, "due_on": due_on, "ipu": True, "reason": "", "user_id": "u",
        "at": known_at,
    }  # fmt: skip
    fact = {
        "invoice_id": row["id"], "document_state": "VALIDATED",
        "acceptance_state": row["acceptance_state"], "ipu": accepted, "due_on": due_on,
        "base_minor": minor, "credited_minor": 0, "disputed_minor": 0, "conceded_minor": 0,
        "paid_minor": row["paid_minor"], "outstanding_minor": 0, "recourse_minor": 0,
        "paid_on": None if days > 0 else due_on, "known_at": known_at,
    }  # fmt: skip
    return row, word if accepted else None, fact
