"""What officers are told of single cases: what was proposed to them, what became of a proposal."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.impairment.acts import PROPOSAL
from scf.kernel.actor import Role
from scf.kernel.errors import Words
from scf.notices.telling import Told, people_of

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_Say = Callable[[Mapping[str, Any]], Words]
_PROPOSED: Final[Mapping[str, _Say]] = {
    "allowance": lambda values: Words(
        "It is proposed to set aside %(amount_minor)s for what is financed on invoice %(number)s."
        " Another person decides.",
        **values,
    ),
    "rule": lambda values: Words(
        "It is proposed to set aside what the policy says for what is financed on invoice"
        " %(number)s. Another person decides.",
        **values,
    ),
    "write_off": lambda values: Words(
        "It is proposed to write off %(amount_minor)s of what is financed on invoice %(number)s."
        " Another person decides.",
        **values,
    ),
}
_AGREED: Final[Mapping[str, _Say]] = {
    "allowance": lambda values: Words(
        "As you proposed, %(amount_minor)s is set aside for invoice %(number)s.", **values
    ),
    "rule": lambda values: Words(
        "As you proposed, the policy's allowance holds again for invoice %(number)s.", **values
    ),
    "write_off": lambda values: Words(
        "As you proposed, %(amount_minor)s of invoice %(number)s is written off.", **values
    ),
}


def proposed(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell everybody who may decide on it, but not who proposed it."""
    row = _read(conn, payload)
    people = people_of(conn, row.financier_id, Role.OFFICER_CHECKER, Role.HEAD_OFFICE)
    others = tuple(one for one in people if one != row.proposed_by)
    words = _PROPOSED[row.kind](_values(row))
    return Told(row.financier_id, others, words, "provision", row.advance_id)


def decided(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Tell who proposed it, unless that person took it back."""
    row = _read(conn, payload)
    if row.decided_by == row.proposed_by:
        return None
    values = _values(row)
    if row.state == "AGREED":
        words = _AGREED[row.kind](values)
    else:
        words = Words(
            "What you proposed for invoice %(number)s was refused; nothing was booked.", **values
        )
    return Told(row.financier_id, (row.proposed_by,), words, "provision", row.advance_id)


def _read(conn: Connection, payload: Mapping[str, Any]) -> Row[Any]:
    return conn.execute(
        select(PROPOSAL, _invoice.c.number)
        .join(_advance, _advance.c.id == PROPOSAL.c.advance_id)
        .join(_invoice, _invoice.c.id == _advance.c.invoice_id)
        .where(PROPOSAL.c.id == payload["proposal_id"])
    ).one()


def _values(row: Row[Any]) -> dict[str, Any]:
    return {"amount_minor": row.amount_minor, "currency": row.currency, "number": row.number}
