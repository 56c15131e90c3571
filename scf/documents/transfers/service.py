"""Looking at files that are on their way."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.transfers import rules
from scf.documents.transfers.models import Transfer, TransferSlice


def have(session: Session, transfers: Sequence[Transfer]) -> dict[str, set[int]]:
    """Give the numbers of the slices that are here, per file; their bytes stay where they are."""
    found: dict[str, set[int]] = defaultdict(set)
    query = select(col(TransferSlice.transfer_id), col(TransferSlice.number)).where(
        col(TransferSlice.transfer_id).in_([row.id for row in transfers])
    )
    for row in session.execute(query):
        found[row.transfer_id].add(row.number)
    return found


def state_of(row: Transfer, here: set[int]) -> dict[str, Any]:
    """Give what a sender asks to go on: what is here, and what is missing."""
    whole = row.state == "DONE"
    return {
        "received": row.size if whole else rules.received(here, row.size, row.slice_bytes),
        "missing": [] if whole else rules.missing(here, row.size, row.slice_bytes),
    }
