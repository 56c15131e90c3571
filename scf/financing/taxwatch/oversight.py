"""The proof that no money left without the word that its terms asked for."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Table, or_, select
from sqlalchemy.engine import Connection

from scf.documents.taxcheck.asking import CHECK, word_of
from scf.documents.taxcheck.port import WORDS
from scf.documents.taxcheck.standing import for_a_payout
from scf.financing.models import Advance, AdvanceEvent
from scf.programmes.models import ProgrammeVersion

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_VERSION: Final[Table] = ProgrammeVersion.__table__  # type: ignore[attr-defined]
# A credit that the authority knew of has been compared with ours when the money left.
_GOOD: Final = ("VALID", "CREDITED")


def unheard(conn: Connection) -> Iterator[tuple[str, dt.datetime]]:
    """Give the advances instructed, or sent again, on no fresh good word, and when."""
    full = {
        row.id: row.terms["tax_scheme"]
        for row in conn.execute(select(_VERSION.c.id, _VERSION.c.terms))
        if row.terms.get("tax_check") == "full"
    }
    sent = conn.execute(
        select(
            _ADVANCE.c.id.label("advance_id"),
            _EVENT.c.id,
            _ADVANCE.c.invoice_id,
            _ADVANCE.c.financier_id,
            _ADVANCE.c.programme_version_id,
            _EVENT.c.at,
        )
        .join(_EVENT, _EVENT.c.advance_id == _ADVANCE.c.id)
        .where(
            _ADVANCE.c.programme_version_id.in_(sorted(full)),
            _EVENT.c.event.in_(("instruct", "resend")),
        )
        .order_by(_ADVANCE.c.id, _EVENT.c.number)
    )
    for row in sent:
        last = conn.execute(
            select(CHECK)
            .where(
                CHECK.c.invoice_id == row.invoice_id,
                CHECK.c.scheme == full[row.programme_version_id],
                CHECK.c.answer.in_(WORDS),
                or_(CHECK.c.financier_id.is_(None), CHECK.c.financier_id == row.financier_id),
                # Both lock the invoice first and make their ids then: ids tell which came first.
                CHECK.c.id < row.id,
            )
            .order_by(CHECK.c.id.desc())
            .limit(1)
        ).one_or_none()
        good = last is not None and last.answer in _GOOD
        if not good or not for_a_payout(row.at).covers(word_of(last)):
            yield row.advance_id, row.at
