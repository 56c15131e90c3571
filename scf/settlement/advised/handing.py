"""A paper handed in, and papers held against credits: reading outside, effects by commands."""

from hashlib import sha256
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.kernel.findings import shown
from scf.parties.access import authorise
from scf.parties.service import business_date, firm_by
from scf.settlement.advised.evidence import ADVICE, Credit, partners, senders_of
from scf.settlement.advised.papers import Paper
from scf.settlement.advised.tables import read_table
from scf.settlement.advised.ubl import read_ubl
from scf.settlement.receipts import ENTRY

MOST_CREDITS: Final = 1_000
_MOVED: Final = frozenset({"ADVICE_PAIRED", "STALE"})


def read_paper(data: bytes) -> Paper:
    """Read an advice (UBL or CSV) or a settlement (CSV).

    Raises
    ------
    InvalidInput
        What ``read_ubl`` or ``read_table`` raises, with the place.
    """
    head = data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    return read_ubl(data) if head.startswith(b"<") else read_table(data)


def hand_in(
    platform: Platform, actor: Actor, data: bytes, name: str = "", *, key: str = ""
) -> dict[str, Any]:
    """Keep a paper, and hold it against the credit that waits for it, if one does.

    The same paper again, from whatever file, does nothing.

    Raises
    ------
    InvalidInput
        The codes of the readers; ADVICE_PARTY where a firm that it names is not known.
    Conflict
        ADVICE_CHANGED.
    """
    authorise(actor, "advice.keep")
    paper = read_paper(data)
    with platform.db.snapshot() as conn:
        sender = _firm(conn, paper.sender, actor)
        merchant = _firm(conn, paper.merchant, actor) if paper.merchant else None
    mark = sha256(data).hexdigest()
    payload = {
        "kind": paper.kind,
        "number": paper.number,
        "sender_id": sender,
        "merchant_id": merchant,
        "reference": paper.reference,
        "currency": paper.currency,
        "paid_on": paper.paid_on,
        "net_minor": paper.net_minor,
        "lines": [
            {
                "place": one.place,
                "kind": one.kind,
                "number": one.number,
                "amount_minor": one.amount_minor,
                "reason": one.reason,
                "paper": one.paper,
            }
            for one in paper.lines
        ],
        "mark": paper.mark,
        "sha256": mark,
        "name": name[:200],
    }
    kept = platform.run("advice.keep", payload, actor, key=key or f"{mark}:{name[:60]}").result
    paired = pair_waiting(platform, actor)
    mine = next((one for one in paired if one["advice_id"] == kept["advice_id"]), {})
    return {
        **kept,
        "net_minor": paper.net_minor,
        "currency": paper.currency,
        "lines": len(paper.lines),
        **mine,
    }


def _firm(conn: Connection, word: str, actor: Actor) -> str:
    for one in (word, f"name:{word}"):
        try:
            return firm_by(conn, one, actor.org_id)
        except NotFound:
            continue
    raise InvalidInput(
        "ADVICE_PARTY", "No firm goes by what the paper names: %(word)s.", word=shown(word, 80)
    )


def pair_waiting(platform: Platform, actor: Actor) -> list[dict[str, Any]]:
    """Hold every waiting paper against the credit that it speaks of, each by its own command."""
    with platform.db.snapshot() as conn:
        pairs = _pairs(conn, actor.org_id)
    done = []
    for advice_id, entry_id in pairs:
        payload = {"advice_id": advice_id, "entry_id": entry_id}
        try:
            outcome = platform.run("advice.pair", payload, actor, key=f"{advice_id}:{entry_id}")
        except Conflict as moved:
            if moved.code not in _MOVED:
                raise
            continue
        done.append(outcome.result)
    return done


def _pairs(conn: Connection, financier_id: str) -> list[tuple[str, str]]:
    waiting = select(ADVICE.c.net_minor).where(
        ADVICE.c.financier_id == financier_id, ADVICE.c.state == "WAITING"
    )
    if conn.execute(waiting.limit(1)).one_or_none() is None:
        return []
    rows = conn.execute(
        select(ENTRY)
        .where(
            ENTRY.c.financier_id == financier_id,
            ENTRY.c.amount_minor.in_(waiting),
            ENTRY.c.unallocated_minor == ENTRY.c.amount_minor,
            ENTRY.c.state == "RECEIVED",
            ENTRY.c.value_on <= business_date(conn, financier_id),
        )
        .order_by(ENTRY.c.id)
        .limit(MOST_CREDITS)
    ).all()
    found = partners(conn, financier_id, [Credit(row, senders_of(conn, row)) for row in rows])
    return [(paper.id, entry) for entry, paper in sorted(found.items())]
