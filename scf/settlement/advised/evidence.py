"""Which waiting paper speaks of which credit: the small interface for whoever matches money.

A paper fits a credit of its net sum and currency where the credit's text bears the paper's payment
reference, or where the credit comes from the paper's sender and neither has another partner.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.settlement import matching
from scf.settlement.advised.models import PaymentAdvice
from scf.settlement.expected import Match
from scf.settlement.receipts import lots_of, recognise

ADVICE: Final[Table] = PaymentAdvice.__table__  # type: ignore[attr-defined]
SHORTEST: Final = 4  # a payment reference of fewer signs stands in many texts by chance


class Credit(NamedTuple):
    """A credit that waits whole: its row, and the firms that may have sent it."""

    row: Row[Any]
    senders: tuple[str, ...]


def partners(
    conn: Connection, financier_id: str, credits_: Iterable[Credit]
) -> dict[str, Row[Any]]:
    """Give by credit the one waiting paper that speaks of it; nothing where a choice is left."""
    given = list(credits_)
    if not given:
        return {}
    sums = sorted({one.row.amount_minor for one in given})
    papers = conn.execute(
        select(ADVICE).where(
            ADVICE.c.financier_id == financier_id,
            ADVICE.c.state == "WAITING",
            ADVICE.c.net_minor.in_(sums),
        )
    ).all()
    named: list[tuple[str, Row[Any]]] = []
    sent: list[tuple[str, Row[Any]]] = []
    for one in given:
        texts = _plain(_texts(one.row.details))
        for paper in papers:
            if (paper.net_minor, paper.currency) != (one.row.amount_minor, one.row.currency):
                continue
            reference = _plain(paper.reference)
            if len(reference) >= SHORTEST and reference in texts:
                named.append((one.row.id, paper))
            elif paper.sender_id in one.senders:
                sent.append((one.row.id, paper))
    found = _sole(named)
    spoken = {paper.id for paper in found.values()}
    left = [pair for pair in sent if pair[0] not in found and pair[1].id not in spoken]
    # A paper whose reference several credits bear is nobody's by its sender either.
    unclear = {paper.id for _entry, paper in named} - spoken
    return _sole([pair for pair in left if pair[1].id not in unclear]) | found


def _sole(pairs: Sequence[tuple[str, Row[Any]]]) -> dict[str, Row[Any]]:
    entries = Counter(entry for entry, _paper in pairs)
    papers = Counter(paper.id for _entry, paper in pairs)
    return {entry: paper for entry, paper in pairs if entries[entry] == 1 and papers[paper.id] == 1}


def withhold(conn: Connection, financier_id: str, matched: Iterable[Match]) -> None:
    """Let credits that a paper speaks of wait for it, instead of going to what is due."""
    credits_ = [one for one in matched if one.row.amount_minor > 0 and one.found]
    told = partners(
        conn,
        financier_id,
        (
            Credit(one.row, tuple({firm for found in one.found for firm in found.remitters}))
            for one in credits_
        ),
    )
    for one in credits_:
        if one.row.id in told:
            one.found, one.reason = [], matching.ADVISED


def senders_of(conn: Connection, entry: Row[Any]) -> tuple[str, ...]:
    """Give the firms that may have sent a credit."""
    lots = lots_of(entry.amount_minor, entry.details)
    found = [recognise(conn, entry.financier_id, lot).remitters for lot in lots]
    return tuple(sorted({firm for firms in found for firm in firms}))


def _texts(details: dict[str, Any]) -> str:
    parts = details["parts"]
    words = [word for part in parts for word in (*part["references"], part["end_to_end_id"])]
    return " ".join([*words, details.get("text", ""), details.get("reference", "")])


def _plain(text: str) -> str:
    return "".join(matching.plain_name(text).split())
