"""Whoever changes a row behind the platform's back is found: verify names the row.

The world has an advance that is paid out and repaid in part, late, with a second one finished. The
tampering is done as the owner of the database, with its triggers out of the way.
Source: promises.md P17; finance.md F2 to F5 and F11.
"""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, create_engine, delete, select, text, update
from sqlalchemy.sql.dml import UpdateBase

from scf.db import seal
from scf.db.audit import row_digest
from scf.db.engine import Database
from scf.db.models import AuditLog, AuditSeal, AuditSealRow
from scf.documents.models import Invoice
from scf.financing.models import Advance, AdvanceEvent
from scf.ledger.models import Account, Entry, Posting
from scf.programmes.models import LimitNode, ProgrammeClaim
from scf.reporting.verify import Breach, verify
from scf.serving import seal_and_export
from scf.settlement.models import Allocation, BankEntry
from tests.settlement.world import FINANCIER, World
from tests.support.deals import table

SOON = dt.date(2026, 3, 16)
Tamper = Callable[[World], tuple[list[UpdateBase], str]]
CASES: list[tuple[str, Tamper]] = []


def found_as(code: str) -> Callable[[Tamper], Tamper]:
    """Add a way to tamper, and the code under which it must be found."""

    def add(tamper: Tamper) -> Tamper:
        CASES.append((code, tamper))
        return tamper

    return add


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    made = World(db, tmp_path / "bank")
    made.financed("1,000.00", "INV-1", SOON, invoice="1,500.00")
    made.financed("500.00", "INV-2", SOON)
    made.morning_of(SOON)
    made.receive("500.00", "INV-2")
    made.morning_of(SOON + dt.timedelta(days=9))
    made.receive("400.00", "INV-1")
    assert verify(made.platform).breaches == []  # which also seals
    return made


def as_owner(db: Database, *acts: UpdateBase) -> None:
    """Do what no command can: on a line of one's own, with triggers and keys out of the way."""
    engine = create_engine(db.url)  # SQLite checks no foreign keys unless it is told to
    with engine.begin() as conn:
        if db.dialect == "postgresql":
            conn.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in conn.execute(triggers).scalars().all():
                conn.execute(text(f"DROP TRIGGER {name}"))
        for act in acts:
            assert conn.execute(act).rowcount
    engine.dispose()


def found(world: World, seals: Path | None = None) -> list[Breach]:
    return verify(world.platform, seals).breaches


def open_advance(world: World) -> Any:  # noqa: ANN401 - a row
    return next(row for row in world.all(Advance) if row.state == "OVERDUE")


def by_id(rows: Table, row_id: str, **values: object) -> UpdateBase:
    return update(rows).where(rows.c.id == row_id).values(**values)


def postings(world: World, kind: str, subject: str) -> list[Any]:
    """Give the financier's postings of an event, with the code of their account."""
    posting, entry, account = table(Posting), table(Entry), table(Account)
    query = (
        select(posting, account.c.code)
        .join(entry, entry.c.id == posting.c.entry_id)
        .join(account, account.c.id == posting.c.account_id)
        .where(
            entry.c.event_kind == kind,
            entry.c.subject_id == subject,
            entry.c.org_id == FINANCIER,
        )
        .order_by(posting.c.id)
    )
    with world.db.snapshot() as conn:
        return list(conn.execute(query))


# --- The trail --------------------------------------------------------------------------------


def a_row_of_the_trail(world: World) -> Any:  # noqa: ANN401 - a row
    trail = table(AuditLog)
    with world.db.snapshot() as conn:
        query = select(trail).where(trail.c.command == "payout.release").order_by(trail.c.seq)
        return conn.execute(query).first()


@found_as("AUDIT_ROW_CHANGED")
def another_person_released_the_file(world: World) -> tuple[list[UpdateBase], str]:
    trail, row = table(AuditLog), a_row_of_the_trail(world)
    act = update(trail).where(trail.c.seq == row.seq).values(user_id="somebody else")
    return [act], f"audit_log seq {row.seq}"


@found_as("SEALED_ROWS_CHANGED")
def another_person_and_a_digest_that_fits(world: World) -> tuple[list[UpdateBase], str]:
    trail, row = table(AuditLog), a_row_of_the_trail(world)
    values = dict(row._mapping) | {"user_id": "somebody else"}
    act = update(trail).where(trail.c.seq == row.seq)
    return [act.values(user_id="somebody else", digest=row_digest(values))], "audit_seal seq 1"


@found_as("SEALED_ROWS_CHANGED")
def a_row_is_taken_out(world: World) -> tuple[list[UpdateBase], str]:
    trail, row = table(AuditLog), a_row_of_the_trail(world)
    return [delete(trail).where(trail.c.seq == row.seq)], "audit_seal seq 1"


@found_as("SEAL_CHAIN_BROKEN")
def a_seal_is_taken_out(world: World) -> tuple[list[UpdateBase], str]:
    world.close_to(world.today)
    assert found(world) == []  # the rows of that day have the second seal
    seals, rows = table(AuditSeal), table(AuditSealRow)
    return [
        delete(rows).where(rows.c.seal_seq == 1),
        delete(seals).where(seals.c.seq == 1),
    ], "audit_seal seq 2"


@found_as("SEAL_CHANGED")
def a_seal_is_dated_back(world: World) -> tuple[list[UpdateBase], str]:
    seals = table(AuditSeal)
    earlier = world.clock.now() - dt.timedelta(days=1)
    return [update(seals).where(seals.c.seq == 1).values(sealed_at=earlier)], "audit_seal seq 1"


# --- The books --------------------------------------------------------------------------------


@found_as("ENTRY_BALANCE")
def one_side_of_an_entry_grows(world: World) -> tuple[list[UpdateBase], str]:
    one = postings(world, "payout.instructed", open_advance(world).id)[0]
    act = by_id(table(Posting), one.id, amount_minor=one.amount_minor + 1)
    return [act], str(one.entry_id)


@found_as("ADVANCE_BOOKS")
def both_sides_of_an_entry_grow(world: World) -> tuple[list[UpdateBase], str]:
    row = open_advance(world)
    lines = postings(world, "payout.instructed", row.id)
    high, low = max(lines, key=lambda x: x.amount_minor), min(lines, key=lambda x: x.amount_minor)
    return [
        by_id(table(Posting), high.id, amount_minor=high.amount_minor + 100),
        by_id(table(Posting), low.id, amount_minor=low.amount_minor - 100),
    ], f"advance {row.id}"


@found_as("BOOKS_AND_STATE")
def more_cash_than_the_bank_said(world: World) -> tuple[list[UpdateBase], str]:
    entry = next(row for row in world.entries() if row.amount_minor == 40_000)
    return [
        by_id(
            table(Posting), one.id, amount_minor=one.amount_minor * 2
        )
        for one in postings(world, "bank.booked", entry.id)
    ], "cash"  # fmt: skip


@found_as("FINISHED_LIFE")
def a_finished_life_has_something_left(world: World) -> tuple[list[UpdateBase], str]:
    closed = next(row for row in world.all(Advance) if row.state == "CLOSED")
    lines = postings(world, "payout.instructed", closed.id)
    high, low = max(lines, key=lambda x: x.amount_minor), min(lines, key=lambda x: x.amount_minor)
    return [
        by_id(table(Posting), high.id, amount_minor=high.amount_minor + 100),
        by_id(table(Posting), low.id, amount_minor=low.amount_minor - 100),
    ], closed.id


@found_as("POSTING_LOOSE")
def an_entry_is_taken_out(world: World) -> tuple[list[UpdateBase], str]:
    one = postings(world, "payout.instructed", open_advance(world).id)[0]
    entries = table(Entry)
    return [delete(entries).where(entries.c.id == one.entry_id)], str(one.entry_id)


# --- Counters and states ----------------------------------------------------------------------


@found_as("LIMIT_TREE")
def a_limit_looks_less_used(world: World) -> tuple[list[UpdateBase], str]:
    node = next(row for row in world.all(LimitNode) if row.kind == "obligor")
    act = by_id(table(LimitNode), node.id, utilised_minor=node.utilised_minor - 1)
    return [act], f"limit_node {node.id}"


@found_as("INVOICE_AMOUNTS")
def an_invoice_looks_less_financed(world: World) -> tuple[list[UpdateBase], str]:
    row = world.get(Invoice, open_advance(world).invoice_id)
    act = by_id(table(Invoice), row.id, outstanding_minor=row.outstanding_minor - 1)
    return [act], f"invoice {row.id}"


@found_as("ADVANCE_STATE")
def an_advance_looks_repaid(world: World) -> tuple[list[UpdateBase], str]:
    row = open_advance(world)
    return [by_id(table(Advance), row.id, state="PART_REPAID")], f"advance {row.id}"


@found_as("ADVANCE_EVENTS")
def a_step_of_an_advance_is_taken_out(world: World) -> tuple[list[UpdateBase], str]:
    row, events = open_advance(world), table(AdvanceEvent)
    act = delete(events).where(events.c.advance_id == row.id, events.c.number == 3)
    return [act], f"advance {row.id}"


@found_as("CLAIM_MISSING")
def an_invoice_leaves_its_programme(world: World) -> tuple[list[UpdateBase], str]:
    invoice_id = open_advance(world).invoice_id
    claims = table(ProgrammeClaim)
    act = update(claims).where(claims.c.invoice_id == invoice_id).values(live=False)
    return [act], f"invoice {invoice_id}"


@found_as("RECEIPT_PARTS")
def a_part_of_a_receipt_grows(world: World) -> tuple[list[UpdateBase], str]:
    part = next(row for row in world.all(Allocation) if row.kind == "principal")
    act = by_id(table(Allocation), part.id, amount_minor=part.amount_minor + 1)
    return [act], part.bank_entry_id


@found_as("RECEIPT_PARTS")
def a_receipt_looks_smaller(world: World) -> tuple[list[UpdateBase], str]:
    entry = world.entries()[-1]
    act = by_id(table(BankEntry), entry.id, amount_minor=entry.amount_minor - 1)
    return [act], entry.id


@pytest.mark.parametrize(("code", "tamper"), CASES, ids=[one[1].__name__ for one in CASES])
def test_verify_names_the_row(world: World, code: str, tamper: Tamper) -> None:
    acts, where = tamper(world)
    as_owner(world.db, *acts)
    breaches = found(world)
    assert [one for one in breaches if one.code == code and where in one.where], breaches


def test_the_end_of_the_trail_cut_off_with_its_seals_is_found_by_the_exported_ones(
    db: Database, tmp_path: Path
) -> None:
    world, file = World(db, tmp_path / "bank"), tmp_path / "seals.jsonl"
    world.financed("1,000.00", "INV-1", SOON)
    seal_and_export(world.platform, file)
    world.close_to(world.today)
    seal_and_export(world.platform, file)
    assert found(world, file) == []
    trail, seals, rows = table(AuditLog), table(AuditSeal), table(AuditSealRow)
    with db.snapshot() as conn:
        first = conn.execute(
            select(rows.c.audit_seq).where(rows.c.seal_seq == 2, rows.c.place == 0)
        ).scalar_one()
    as_owner(
        db,
        delete(rows).where(rows.c.seal_seq == 2),
        delete(seals).where(seals.c.seq == 2),
        delete(trail).where(trail.c.seq >= first),
    )
    assert found(world) == []  # what is left fits together
    (breach,) = found(world, file)
    assert (breach.code, breach.where) == ("SEAL_NOT_STORED", "seals.jsonl line 2")
    world.close_to(world.today)
    assert found(world) == []  # sealed anew under the same number
    assert [one.code for one in found(world, file)] == ["SEAL_NOT_STORED"]


def test_a_seal_that_a_worker_exports_while_the_checks_run_was_not_taken_from_the_database(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, file = World(db, tmp_path / "bank"), tmp_path / "seals.jsonl"
    world.financed("1,000.00", "INV-1", SOON)
    seal_and_export(world.platform, file)
    world.close_to(world.today)
    checks = seal.verify

    def meanwhile(conn: Connection, now: dt.datetime) -> list[seal.Breach]:
        told = list(checks(conn, now))  # the checks have their snapshot by now
        seal_and_export(world.platform, file)
        return told

    monkeypatch.setattr(seal, "verify", meanwhile)
    assert found(world, file) == []
    assert len(file.read_text("utf-8").splitlines()) == 2  # there was something to seal
    monkeypatch.undo()
    with file.open("a", encoding="utf-8") as writing:
        writing.write('{"digest": "half a li')  # a worker stands in the middle of the third
    assert found(world, file) == []


def test_a_seal_that_never_reached_the_file_is_exported_by_the_next_one(
    db: Database, tmp_path: Path
) -> None:
    world, file = World(db, tmp_path / "bank"), tmp_path / "seals.jsonl"
    world.financed("1,000.00", "INV-1", SOON)
    seal_and_export(world.platform, file)
    whole = file.read_bytes()
    world.close_to(world.today)
    assert found(world, file) == []  # seals, and exports nothing
    file.write_bytes(whole + b'{"digest": "half a li')  # and somebody died while writing
    seal_and_export(world.platform, file)
    assert file.read_bytes().startswith(whole)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [line["seq"] for line in lines] == [1, 2]
    assert found(world, file) == []
