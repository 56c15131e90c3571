"""A file comes by slices, in any order and as often as it takes; then it is as any other file."""

import datetime as dt
import hashlib
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.documents import intake
from scf.documents.models import Original, Upload
from scf.documents.transfers import rules
from scf.documents.transfers.models import Transfer, TransferSlice
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotFound, RuleViolation
from tests.documents.trade import INVOICES, Trade, invoice_table, trade_on
from tests.support.deals import table

SLICE = rules.MIN_SLICE_BYTES
CONTENT = invoice_table([{"number": f"I-{n}", "amount": f"{n}.00"} for n in range(1, 2301)])
PARTS = [CONTENT[at : at + SLICE] for at in range(0, len(CONTENT), SLICE)]


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def announce(trade: Trade, content: bytes = CONTENT, actor: Actor | None = None) -> str:
    sent: dict[str, Any] = {"name": "large.csv", "size": len(content), "sha256": sha(content)}
    opened = trade.world.run("transfer.open", actor or trade.buyer, slice_bytes=SLICE, **sent)
    return str(opened["transfer_id"])


def bring(
    trade: Trade,
    transfer_id: str,
    number: int,
    content: bytes = b"",
    *,
    sha256: str = "",
    actor: Actor | None = None,
) -> None:
    part = content or PARTS[number]
    sent = {"transfer_id": transfer_id, "number": number, "sha256": sha256 or sha(part)}
    trade.world.run("transfer.bring", actor or trade.buyer, **sent, content=part)


def count(trade: Trade, model: type[SQLModel]) -> int:
    with trade.db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(table(model))).scalar_one())


def test_a_cut_transfer_goes_on_where_it_was_and_every_row_comes_once(trade: Trade) -> None:
    assert len(PARTS) > 2
    first = announce(trade)
    last = len(PARTS) - 1
    bring(trade, first, last)
    bring(trade, first, 0)
    # The connection was cut: the same file is announced again, and slices come once more.
    assert announce(trade) == first
    for number in range(last):
        bring(trade, first, number)
    how = {"transfer_id": first, "mapping": INVOICES}
    done = trade.world.run("transfer.complete", trade.buyer, **how)
    assert count(trade, TransferSlice) == 0
    with trade.db.snapshot() as conn:
        assert conn.execute(select(table(Original).c.content)).scalars().all() == [CONTENT]
    result = intake.run_upload(trade.world.platform, done["upload_id"])
    assert (result["state"], result["stored"]) == ("DONE", 2300)
    assert [row.number for row in trade.rows()] == sorted(f"I-{n}" for n in range(1, 2301))
    # The same file a second time adds nothing.
    second = announce(trade)
    assert second != first
    for number in range(len(PARTS)):
        bring(trade, second, number)
    again = trade.world.run("transfer.complete", trade.buyer, **how | {"transfer_id": second})
    assert again["seen_before"]
    result = intake.run_upload(trade.world.platform, again["upload_id"])
    assert (result["stored"], result["duplicate"]) == (0, 2300)
    assert count(trade, Original) == 1


def test_a_slice_counts_only_as_it_was_sent_and_in_its_place(trade: Trade) -> None:
    transfer = announce(trade)
    for number, content, sha256, code in (
        (0, PARTS[0][:-1], "", "SLICE_SIZE"),
        (0, PARTS[0], sha(b"other"), "SLICE_DIGEST"),
        (len(PARTS), PARTS[0], "", "SLICE_SIZE"),
    ):
        with pytest.raises(InvalidInput) as refused:
            bring(trade, transfer, number, content, sha256=sha256)
        assert refused.value.code == code
    bring(trade, transfer, 0)
    bring(trade, transfer, 0)
    with pytest.raises(Conflict, match="SLICE_OTHER"):
        bring(trade, transfer, 0, PARTS[0][::-1])
    with pytest.raises(Conflict, match="TRANSFER_INCOMPLETE") as gaps:
        trade.world.run("transfer.complete", trade.buyer, transfer_id=transfer)
    assert gaps.value.facts["missing"] == list(range(1, len(PARTS)))
    for number in range(1, len(PARTS)):
        bring(trade, transfer, number, PARTS[number][::-1])
    with pytest.raises(InvalidInput, match="FILE_DIGEST"):
        trade.world.run("transfer.complete", trade.buyer, transfer_id=transfer)
    assert count(trade, Upload) == 0


def test_a_transfer_is_its_senders_and_nobody_elses(trade: Trade) -> None:
    transfer = announce(trade)
    colleague = Actor("u-other", trade.buyer.org_id, frozenset({Role.ANCHOR_CLERK}))
    for actor in (trade.seller, colleague):
        for name in ("transfer.complete", "transfer.drop"):
            with pytest.raises(NotFound):
                trade.world.run(name, actor, transfer_id=transfer)
        with pytest.raises(NotFound):
            bring(trade, transfer, 0, actor=actor)
        with trade.world.platform.db.read(actor) as reading:
            assert reading.execute(select(Transfer)).all() == []
            assert reading.execute(select(TransferSlice)).all() == []
        # The same bytes of somebody else are another transfer.
        assert announce(trade, actor=actor) != transfer


def test_only_so_much_may_be_on_its_way(trade: Trade) -> None:
    opened = [announce(trade, bytes([n]) * 9) for n in range(rules.OPEN_OF_A_PERSON)]
    with pytest.raises(RuleViolation, match="TRANSFERS_OPEN"):
        announce(trade, b"one more")
    trade.world.run("transfer.drop", trade.buyer, transfer_id=opened[0])
    announce(trade, b"one more")
    with pytest.raises(Conflict, match="TRANSFER_STATE"):
        bring(trade, opened[0], 0, bytes([0]) * 9)


def test_what_nobody_finishes_within_a_day_is_removed(trade: Trade) -> None:
    transfer = announce(trade)
    bring(trade, transfer, 0)
    worker = trade.world.platform.worker()
    worker.drain()
    assert count(trade, TransferSlice) == 1
    trade.world.clock.advance(rules.LIFETIME - dt.timedelta(seconds=1))
    worker.drain()
    bring(trade, transfer, 1)
    trade.world.clock.advance(dt.timedelta(seconds=1))
    with pytest.raises(Conflict, match="TRANSFER_STATE"):
        bring(trade, transfer, 2)
    worker.drain()
    assert count(trade, TransferSlice) == 0
    with trade.db.snapshot() as conn:
        assert conn.execute(select(table(Transfer).c.state)).scalar_one() == "DROPPED"
        kept = conn.execute(select(table(AuditLog).c.request)).scalars().all()
    assert all(len(str(request)) < 3000 for request in kept)  # no bytes of files in the trail
