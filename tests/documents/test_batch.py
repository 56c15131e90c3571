"""Many files at once: the books hold what they would after one file at a time."""

import gzip
import hashlib
import json
import re
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.documents import batch, reading
from scf.documents.models import (
    CreditAllocation,
    DocumentFinding,
    InvoiceLine,
    OrderLine,
    Original,
    PendingParty,
    Upload,
)
from scf.documents.slices import SentFile
from scf.documents.storing import KINDS
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotAllowed, words_as_stored
from tests.documents import messages, ubl
from tests.documents.readers import samples
from tests.documents.trade import BUYER, DAY, SELLER, Trade, trade_on
from tests.support.deals import table

AUTO: Final = batch.HowToRead()
# A second pair of firms in the same world, known by other numbers.
OTHER: Final = {SELLER: "300000003", BUYER: "400000004"}
ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What differs between any two copies of one document.
OWN: Final = {"id", "version", "duplicate_key", "place_key", "sha256", "content", "size"}


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def sent(name: str, content: bytes) -> SentFile:
    return SentFile(name, content, hashlib.sha256(content).hexdigest())


def papers(invoices: int) -> list[SentFile]:
    """Give files of every kind: good ones, doubtful ones, broken ones, some twice."""
    made = [ubl.order(f"PO-{n}", "300.00", "2") for n in range(10)]
    made += [messages.change("CH-1", "PO-3", ("1", "5", "500.00", "3"))]
    made += [messages.cancellation("CX-1", "PO-4"), messages.despatch("DE-1", "PO-5", "4")]
    for n in range(invoices):
        order = f"PO-{n % 15}" if n % 2 else ""  # some orders are unknown, some are used up
        known = {"seller": "999999999"} if n % 17 == 5 else {}
        due = "" if n % 23 == 7 else "2026-06-30"
        made.append(ubl.invoice(f"INV-{n}", f"{150 + n}.00", order=order, due=due, **known))
    made += [gzip.compress(made[30], mtime=0), made[31], made[31] + b"\n"]
    made += [ubl.invoice(f"inv {n}", f"{150 + n}.00") for n in (0, 2, 4)]  # other spelling
    made += [
        b"<Invoice",
        made[40][:-30],
        made[41].replace(b"EUR", b"ZZZ"),
    ]
    made += [ubl.invoice("BAD-1", "12.345"), ubl.invoice("OLD-1", "10.00", due="2025-01-01")]
    made += [ubl.invoice("SELF-1", "70.00", kind="389"), ubl.invoice("SAME-1", "1", seller=BUYER)]
    made += [ubl.receipt(f"GR-{n}", f"PO-{n}", received="12" if n % 3 else "4") for n in range(10)]
    made += [ubl.credit_note(f"CN-{n}", "25.00", f"INV-{n * 3}") for n in range(10)]
    made += [samples.ubl("invoice"), messages.reminder("RE-1", "150.00", "INV-0")]
    return [sent(f"{n:03d}.xml", content) for n, content in enumerate(made)]


def of_others(file: SentFile) -> SentFile:
    packed = file.content.startswith(b"\x1f\x8b")
    content = gzip.decompress(file.content) if packed else file.content
    for own, other in OTHER.items():
        content = content.replace(own.encode(), other.encode())
    return sent(file.name, gzip.compress(content, mtime=0) if packed else content)


@pytest.mark.parametrize("invoices", [40, pytest.param(120, marks=pytest.mark.long)])
def test_many_files_at_once_come_to_what_they_come_to_one_by_one(
    trade: Trade, invoices: int
) -> None:
    for short, number in (("other-seller", SELLER), ("other-buyer", BUYER)):
        numbers = [{"scheme": "duns", "value": OTHER[number]}]
        trade.world.firm(short, identifiers=numbers, country="DE")
    clerk = trade.world.person("other-clerk", "other-buyer", Role.ANCHOR_CLERK)
    files = papers(invoices)
    assert all(batch.fits(file.content) for file in files)
    seen = set()
    for file in files:
        if file.sha256 not in seen:  # as the command line does it, by its key
            trade.hand_in(file.content, name=file.name)
        seen.add(file.sha256)
    (told,) = batch.take(trade.world.platform, clerk, map(of_others, files), AUTO)
    assert [one.name for one in told] == [file.name for file in files]
    assert [one.seen_before for one in told].count(True) == len(files) - len(seen)
    alone, together = rows_of(trade, trade.buyer), rows_of(trade, clerk)
    assert alone.keys() == together.keys()
    for name, rows in alone.items():
        assert rows == together[name], name
    assert len(alone["upload"]) == len(seen)
    codes = {json.loads(row)["code"] for row in alone["document_finding"]}
    assert codes >= {
        "DUPLICATE_EXACT", "FIRM_UNKNOWN", "QUANTITY_EXCEEDED", "SAME_PARTY", "ORDER_CANCELLED"
    }  # fmt: skip
    states = {json.loads(row)["match_state"] for row in alone["invoice"]}
    assert states >= {"UNMATCHED", "MATCHED", "EXCEPTION"}
    assert alone["credit_allocation"]
    assert {json.loads(row)["acceptance_state"] for row in alone["invoice"]} == {"NONE", "ACCEPTED"}


def take(trade: Trade, *files: SentFile, actor: Actor | None = None) -> list[batch.Taken]:
    slices = batch.take(trade.world.platform, actor or trade.buyer, files, AUTO)
    return [one for part in slices for one in part]


def test_a_slice_is_one_command_with_one_audit_row_that_names_all_it_stored(trade: Trade) -> None:
    told = take(trade, *(sent(f"{n}.xml", ubl.invoice(f"I-{n}", "10.00")) for n in range(30)))
    with trade.db.snapshot() as conn:
        audit = table(AuditLog)
        (row,) = conn.execute(select(audit).where(audit.c.command == "upload.take"))
    (change,) = [one for one in row.changes if one["type"] == "upload_slice"]
    assert change["after"]["stored"] == 30
    assert change["after"]["upload_ids"] == [one.upload_id for one in told]
    assert change["after"]["document_ids"] == sorted(one.id for one in trade.rows())
    assert len(row.request["digests"]) == 30


def test_files_taken_before_only_answer_and_a_refused_one_is_read_again(trade: Trade) -> None:
    good = ubl.invoice("I-1", "10.00")
    bad = ubl.invoice("I-2", "10.00").replace(b"EUR", b"ZZZ", 1)
    files = [sent("a.xml", good), sent("b.xml", bad), sent("c.xml", good)]
    first = take(trade, *files)
    assert [one.seen_before for one in first] == [False, False, True]
    assert first[0].upload_id == first[2].upload_id
    again = take(trade, *files, sent("d.xml", ubl.invoice("I-3", "10.00")))
    assert [one.seen_before for one in again] == [True, False, True, False]
    assert again[0].upload_id == first[0].upload_id
    assert again[1].upload_id != first[1].upload_id
    assert trade.codes(again[1].upload_id) == ["CURRENCY"]
    assert [row.number for row in trade.rows()] == ["I-1", "I-3"]


def test_a_batch_in_slices_holds_each_file_once_and_a_large_one_by_itself(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_SLICE", 4)
    sides = {"seller": SELLER, "buyer": BUYER}
    document = {
        "kind": "invoice", "issue_on": "2026-02-01", "due_on": "2026-06-30", "currency": "EUR",
        "payable_minor": 1000,
        **{side: {"identifiers": [{"scheme": "duns", "value": of}]} for side, of in sides.items()},
    }  # fmt: skip
    many = json.dumps({"documents": [document | {"number": f"M-{n}"} for n in range(6)]}).encode()
    files = [sent(f"{n}.xml", ubl.invoice(f"I-{n}", "10.00")) for n in range(9)]
    files[7] = sent("7.xml", files[7].content.replace(b"EUR", b"ZZZ", 1))
    told = take(trade, *files[:5], sent("many.json", many), *files[5:], files[0])
    assert len({one.upload_id for one in told}) == 10
    assert [one.seen_before for one in told] == [False] * 10 + [True]
    assert trade.codes(told[8].upload_id) == ["CURRENCY"]
    assert len(trade.rows()) == 14
    with trade.db.snapshot() as conn:
        audit = table(AuditLog)
        query = select(audit.c.command, func.count()).group_by(audit.c.command)
        done = {row[0]: row[1] for row in conn.execute(query)}
    assert (done["upload.take"], done["documents.store"]) == (4, 1)


def test_files_read_in_another_process_come_to_what_they_come_to_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "MANY", 3)
    said = {"format": "auto", "document_type": None}
    files = [file for file in papers(40) if file.name > "055"]
    with reading.Reading(said, DAY, processes=0) as on_the_spot:
        expected = on_the_spot.begin(files)()
    with reading.Reading(said, DAY, processes=1) as aside:
        assert aside.begin(files[:1])() == expected[:1]
        read = aside.begin(files)()
    assert read == expected
    for here, there in zip(expected, read, strict=True):
        for one, other in zip(here, there, strict=True):
            assert [words_as_stored(f.message) for f in one.findings] == [
                words_as_stored(f.message) for f in other.findings
            ]
            if one.document is not None and other.document is not None:
                assert one.document.place("number") == other.document.place("number")


def test_a_batch_asks_for_the_same_right_as_a_file(trade: Trade) -> None:
    guest = Actor("u-guest", trade.buyer.org_id, frozenset({Role.OFFICER_MAKER}))
    with pytest.raises(NotAllowed):
        take(trade, sent("a.xml", ubl.invoice("I-1", "10.00")), actor=guest)
    assert trade.rows() == []


def rows_of(trade: Trade, actor: Actor) -> dict[str, list[str]]:
    """Give every row of an organisation as text, its ids told by what they stand for."""
    models = (Upload, Original, DocumentFinding, PendingParty)
    tables = [*KINDS, *(table(model) for model in models)]
    parts = [(table(InvoiceLine), "invoice_id"), (table(OrderLine), "order_id")]
    parts.append((table(CreditAllocation), "credit_note_id"))
    found: dict[str, list[dict[str, Any]]] = {}
    with trade.db.snapshot() as conn:
        for one in tables:
            rows = conn.execute(select(one).where(one.c.org_id == actor.org_id)).mappings()
            found[one.name] = [dict(row) for row in rows]
        owned = {row["id"] for rows in found.values() for row in rows if "id" in row}
        for one, column in parts:
            rows = conn.execute(select(one)).mappings()
            found[one.name] = [dict(row) for row in rows if row[column] in owned]
    names: dict[str, str] = {actor.org_id: "buyer"}
    for name in ("upload", "original", *(one.name for one in KINDS)):
        for row in found[name]:
            names[row["id"]] = f"{name} {row.get('number') or row.get('name')}"
    for row in found["order_line"]:
        names[row["id"]] = f"line of {names[row['order_id']]}"
    return {name: sorted(written(row, names) for row in rows) for name, rows in found.items()}


def written(row: dict[str, Any], names: dict[str, str]) -> str:
    kept = {
        name: value for name, value in row.items() if name not in OWN and not name.endswith("_at")
    }
    text = json.dumps(kept, default=str, sort_keys=True)
    for own, other in OTHER.items():
        text = text.replace(other, own)
    return ID.sub(lambda found: names.get(found[0], "another"), text)
