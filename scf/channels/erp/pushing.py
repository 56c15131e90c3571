"""Writing into an ERP what happened here: journals, the word "financed", another payee.

What there is to write is found by counting what is written already, never by a position in time:
an entry whose command ended late is found as well. Each round writes what is due, and notes what
came of it; who dies in between finds it written there and notes that.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.engine import Connection

from scf.accounting.mapping.reading import numbers_of
from scf.channels.erp.models import ErpItem, ErpWrite
from scf.channels.erp.port import Erp, Mark, Move, MoveLine, Push, Results
from scf.channels.erp.recording import NoteWritten, Written
from scf.channels.erp.unmapped import UNMAPPED, said_of
from scf.db.platform import Platform
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import digest
from scf.kernel.money import format_minor
from scf.ledger.models import Account, Entry, Posting
from scf.parties.service import firm_names
from scf.programmes.service import terms_of_version
from scf.settlement.position import PAYABLE

_account = Account.__table__  # type: ignore[attr-defined]
_advance = Advance.__table__  # type: ignore[attr-defined]
_entry = Entry.__table__  # type: ignore[attr-defined]
_invoice = Invoice.__table__  # type: ignore[attr-defined]
_item = ErpItem.__table__  # type: ignore[attr-defined]
_posting = Posting.__table__  # type: ignore[attr-defined]
_write = ErpWrite.__table__  # type: ignore[attr-defined]
AT_ONCE: Final = 200


def _due(
    connection_id: str,
    kind: str,
    subject: Any,  # noqa: ANN401 - a column
    now: dt.datetime,
    changed: dt.datetime | None = None,
) -> ColumnElement[bool]:
    """Tell what is neither written nor waiting for its next try.

    What was tried before the account numbers were last changed does not wait any longer.
    """
    waits = _write.c.next_at > now
    if changed is not None:
        waits = and_(waits, _write.c.tried_at >= changed)
    settled = or_(_write.c.state == "DONE", waits)
    mine = and_(
        _write.c.connection_id == connection_id,
        _write.c.kind == kind,
        _write.c.subject_id == subject,
        settled,
    )
    return ~exists().where(mine)


class Pushing:
    """One round's writing over one connection."""

    def __init__(
        self,
        platform: Platform,
        erp: Erp,
        connection: Any,  # noqa: ANN401 - a row
        run_id: str,
        alive: Callable[[], None],
    ) -> None:
        self.platform = platform
        self.erp = erp
        self.connection = connection
        self.run_id = run_id
        self.alive = alive
        # Fixed for the round, so that what is refused in it waits for another.
        self.now = platform.clock.now()

    def run(self, kind: str) -> int:
        """Write everything of a kind that is due; gives how much was written."""
        part = {"JOURNAL": self._journals, "FINANCED": self._marks, "PAYEE": self._payees}[kind]
        done = 0
        while (written := part()) is not None:
            done += written
            self.alive()
        return done

    # --- Journals

    def _journals(self) -> int | None:
        with self.platform.db.snapshot() as conn:
            moves, refused = self._moves(conn)
        if not moves and not refused:
            return None
        results = self.erp.post(moves, self.connection.journal_code) if moves else Results()
        results.refused |= refused
        for move in moves:
            if move.entry_id not in results.done:
                results.refused.setdefault(move.entry_id, ("ERP_ANSWER", "no posted move"))
        labels = {move.entry_id: move.text for move in moves}
        return self._note("JOURNAL", results, labels)

    def _moves(self, conn: Connection) -> tuple[list[Move], dict[str, tuple[str, str]]]:
        """Give entries as moves, and those an account of which is not mapped."""
        numbers = numbers_of(conn, self.connection.org_id, self.connection.mapping)
        wanted = conn.execute(
            select(_entry)
            .where(
                _entry.c.org_id == self.connection.org_id,
                _entry.c.booked_on >= self.connection.from_on,
                _due(self.connection.id, "JOURNAL", _entry.c.id, self.now, numbers.since),
            )
            .order_by(_entry.c.booked_on, _entry.c.id)
            .limit(AT_ONCE)
        ).all()
        lines: dict[str, list[Any]] = {row.id: [] for row in wanted}
        for line in conn.execute(
            select(
                _posting.c.entry_id, _account.c.code, _posting.c.currency, _posting.c.amount_minor
            )
            .join(_account, _account.c.id == _posting.c.account_id)
            .where(_posting.c.entry_id.in_(list(lines)))
            .order_by(_posting.c.entry_id, _posting.c.place)
        ):
            lines[line.entry_id].append(line)
        moves, refused = [], {}
        for row in wanted:
            missing = numbers.missing(one.code for one in lines[row.id])
            if missing:
                refused[row.id] = (UNMAPPED, said_of(missing))
                continue
            made = [
                MoveLine(
                    numbers.accounts[one.code], numbers.parties.get(one.code), one.amount_minor
                )
                for one in lines[row.id]
            ]
            currency = lines[row.id][0].currency
            moves.append(Move(row.id, row.booked_on, currency, row.narrative, made))
        return moves, refused

    # --- Invoices

    def _marks(self) -> int | None:
        with self.platform.db.snapshot() as conn:
            marks = [
                Mark(row.id, row.remote_id, _words(conn, row))
                for row in self._financed(conn, "FINANCED")
            ]
        if not marks:
            return None
        return self._note("FINANCED", self.erp.mark(marks), _labels(marks))

    def _payees(self) -> int | None:
        with self.platform.db.snapshot() as conn:
            rows = self._financed(conn, "PAYEE", bought=True)
            open_ = [row for row in rows if _is_disclosed(conn, row)]
            silent = [row for row in rows if row not in open_]
            marks = [Mark(row.id, row.remote_id, _words(conn, row)) for row in open_]
        if not rows:
            return None
        results = Results(done={row.id: "not disclosed" for row in silent})
        if marks:
            made = self.erp.change_payee(
                marks, self.connection.payee_code, self.connection.journal_code
            )
            results.done |= made.done
            results.refused |= made.refused
        return self._note("PAYEE", results, _labels(marks))

    def _financed(self, conn: Connection, kind: str, *, bought: bool = False) -> Sequence[Any]:
        """Give advances that were paid out on invoices which came from this ERP."""
        us = self.connection.org_id
        sides = [(_invoice.c.buyer_id, "SUPPLIER_INVOICES")]
        if not bought:
            sides.append((_invoice.c.seller_id, "CUSTOMER_INVOICES"))
        same = and_(
            _item.c.connection_id == self.connection.id,
            _item.c.label == _invoice.c.number,
            _item.c.currency == _invoice.c.currency,
            _item.c.payable_minor == _invoice.c.payable_minor,
            _item.c.issue_on == _invoice.c.issue_on,
            or_(*(and_(side == us, _item.c.stream == stream) for side, stream in sides)),
        )
        rows = conn.execute(
            select(_advance, _item.c.remote_id, _invoice.c.number)
            .join(_invoice, _invoice.c.id == _advance.c.invoice_id)
            .join(_item, same)
            .where(
                _advance.c.state.in_(sorted(PAYABLE)),
                _due(self.connection.id, kind, _advance.c.id, self.now),
            )
            .order_by(_advance.c.id, _item.c.id)
            .limit(AT_ONCE)
        ).all()
        # What was entered there twice (cancelled, or lost with a restore) counts as entered last.
        return list({row.id: row for row in rows}.values())

    def _note(self, kind: Push, results: Results, labels: dict[str, str]) -> int:
        written = [
            Written(subject_id=one, label=labels.get(one, one), remote=remote[:100])
            for one, remote in results.done.items()
        ] + [
            Written(subject_id=one, label=labels.get(one, one), problem=code, said=said[:400])
            for one, (code, said) in results.refused.items()
        ]
        payload = NoteWritten(
            connection_id=self.connection.id,
            run_id=self.run_id,
            kind=kind,
            written=written,
        )
        name = digest(sorted(one.subject_id for one in written))
        self.platform.run(
            "erp.written", payload, OPERATOR, key=f"erp.written:{self.run_id}:{kind}:{name}"
        )
        return len(results.done)


def _labels(marks: Iterable[Mark]) -> dict[str, str]:
    return {one.advance_id: one.text for one in marks}


def _is_disclosed(conn: Connection, row: Any) -> bool:  # noqa: ANN401 - a row
    return terms_of_version(conn, row.programme_version_id).disclosed


def _words(conn: Connection, row: Any) -> str:  # noqa: ANN401 - a row
    bank = firm_names(conn, [row.financier_id])[row.financier_id]
    amount = f"{format_minor(row.face_minor, row.currency)} {row.currency}"
    return f"{row.number}: {amount} financed by {bank}, due on {row.due_on.isoformat()}"
