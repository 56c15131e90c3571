"""The proof finds a paper that names a record which was given up, and one that came back wrong."""

from typing import Any

import pytest
from sqlalchemy import Table, delete, select, update

from scf.documents.canonical import Kind
from scf.documents.duplicates.standing import SUSPICION
from scf.documents.identity.models import FirmHandover
from scf.documents.invoice_state import INVOICE
from scf.documents.storing import TABLES
from scf.kernel.ids import new_id
from scf.reporting.verify import verify
from tests.documents.test_merging import TWIN, decided, ordered, parting, proposed, trade
from tests.documents.trade import Trade

HANDED: Table = FirmHandover.__table__  # type: ignore[attr-defined]

__all__ = ["trade"]


def breaches(trade: Trade) -> set[str]:
    found = {one.code for one in verify(trade.world.platform).breaches}
    return {code for code in found if code.startswith("FIRM_")}


def change(trade: Trade, *statements: Any) -> None:  # noqa: ANN401 - statements
    with trade.db.writer.begin() as conn:
        for one in statements:
            conn.execute(one)


@pytest.fixture
def joined(trade: Trade) -> Trade:
    ordered(trade, "10.00")
    row = {"amount": "10.00", "seller": TWIN}
    trade.invoices({"number": "N-1", "order": "PO-1", **row}, {"number": "Q-77", **row})
    decided(trade, proposed(trade))
    return trade


@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.ORDER])
def test_a_paper_that_names_a_record_which_was_given_up_is_found(joined: Trade, kind: Kind) -> None:
    assert breaches(joined) == set()
    table, firms = TABLES[kind], joined.world.firms
    change(joined, update(table).values(seller_id=firms["twin"]))
    assert breaches(joined) == {"FIRM_LINK_PAPERS", "FIRM_HANDOVER"}
    change(joined, update(table).values(seller_id=firms["other"]))
    assert breaches(joined) == set()


def test_a_suspicion_of_a_record_which_was_given_up_is_found(joined: Trade) -> None:
    with joined.db.snapshot() as conn:
        assert conn.execute(select(SUSPICION.c.id)).first() is not None
    change(joined, update(SUSPICION).values(seller_id=joined.world.firms["twin"]))
    assert "FIRM_LINK_PAPERS" in breaches(joined)


def test_a_moved_paper_that_is_somebody_elses_by_now_is_found(joined: Trade) -> None:
    change(joined, update(INVOICE).values(seller_id=joined.world.firms["seller"]))
    assert breaches(joined) == {"FIRM_HANDOVER"}


def test_after_parting_nothing_is_kept_as_moved_and_what_is_left_is_found(joined: Trade) -> None:
    with joined.db.snapshot() as conn:
        kept = conn.execute(select(HANDED)).mappings().first()
    assert kept is not None
    decided(joined, parting(joined))
    assert breaches(joined) == set()
    change(joined, HANDED.insert().values(**dict(kept) | {"row_id": new_id()}))
    assert breaches(joined) == {"FIRM_HANDOVER"}
    change(joined, delete(HANDED))
    assert breaches(joined) == set()
