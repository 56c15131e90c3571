"""What a person puts a name to: one digest over exactly what is decided or taken.

Any change of amount, currency, payee account, invoices or version gives another digest, so that
nobody's word can be carried over to something else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.financing.models import Advance, Decision, FinancingRequest
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import digest
from scf.offers.models import QuoteLine
from scf.parties.models import BankAccount

_ACCOUNT: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_REQUEST: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_DECISION: Final[Table] = Decision.__table__  # type: ignore[attr-defined]
_LINE: Final[Table] = QuoteLine.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
# What a counter-offer left out is no part of the request any more.
LIVE_LINE: Final = _ADVANCE.c.state != "CANCELLED"
_OF_ADVANCE: Final = (
    "invoice_id", "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor",
    "net_minor", "value_on", "due_on", "payee_account_id",
)  # fmt: skip


def account_numbers(conn: Connection, ids: Iterable[str | None]) -> dict[str, str]:
    """Give the numbers of accounts by id."""
    wanted = sorted({one for one in ids if one is not None})
    rows = conn.execute(select(_ACCOUNT.c.id, _ACCOUNT.c.number).where(_ACCOUNT.c.id.in_(wanted)))
    return {row.id: row.number for row in rows}


def signed(conn: Connection, row: Row[Any], lines: Sequence[Any], version: int) -> str:
    """Give the digest of a decision on a request: amounts, currency, payee, invoices, version."""
    numbers = account_numbers(conn, (line.payee_account_id for line in lines))
    return digest_of(row, lines, version, numbers)


def digest_of(
    row: Any,  # noqa: ANN401 - a row of financing_request, or what stands for one
    lines: Sequence[Any],
    version: int,
    numbers: Mapping[str, str],
) -> str:
    """Give the digest of a decision from what has been read."""
    return digest(
        {
            "request": row.id,
            "quote": row.quote_id,
            "version": version,
            "currency": row.currency,
            "face_minor": row.face_minor,
            "net_minor": row.net_minor,
            "lines": [
                [*(getattr(line, name) for name in _OF_ADVANCE), numbers.get(line.payee_account_id)]
                for line in sorted(lines, key=lambda line: str(line.id))
            ],
        }
    )


def quote_digest(conn: Connection, quote: Any) -> str:  # noqa: ANN401 - a row or record of quote
    """Give the digest of a quote, which the seller's second factor is bound to when it takes it."""
    lines = conn.execute(
        select(
            _LINE.c.invoice_id, _LINE.c.face_minor, _LINE.c.discount_minor, _LINE.c.fee_minor,
            _LINE.c.tax_minor, _LINE.c.reserve_minor, _LINE.c.interest_minor,
            _LINE.c.net_minor, _LINE.c.settle_on,
        )
        .where(_LINE.c.quote_id == quote.id)
        .order_by(_LINE.c.place)
    )  # fmt: skip
    return digest(
        {
            "quote": quote.id,
            "programme_version": quote.programme_version_id,
            "currency": quote.currency,
            "face_minor": quote.face_minor,
            "net_minor": quote.net_minor,
            "value_on": quote.value_on,
            "lines": [list(line) for line in lines],
        }
    )


def still_signed(conn: Connection, rows: Sequence[Row[Any]]) -> None:
    """Stop a payment that is not, to the letter, what was approved.

    Raises
    ------
    RuleViolation
        SIGNATURE_VOID when amount, currency, payee, invoices or version moved after the decision.
    """
    ids = sorted({row.request_id for row in rows})
    words = _last_words(conn, ids)
    lines: dict[str, list[Row[Any]]] = defaultdict(list)
    for line in conn.execute(select(_ADVANCE).where(_ADVANCE.c.request_id.in_(ids), LIVE_LINE)):
        lines[line.request_id].append(line)
    accounts = (line.payee_account_id for found in lines.values() for line in found)
    numbers = account_numbers(conn, accounts)
    for request in conn.execute(select(_REQUEST).where(_REQUEST.c.id.in_(ids))):
        word = words.get(request.id)
        if (
            word is None
            or request.version != request.approved_version
            or word.signed_digest != digest_of(request, lines[request.id], word.version, numbers)
        ):
            raise RuleViolation(
                "SIGNATURE_VOID",
                "This is not what was approved any more; it needs a new decision.",
                request_id=request.id,
            )


def _last_words(conn: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Give the deciding word on each request: the last of its last round."""
    found = conn.execute(
        select(_DECISION)
        .where(_DECISION.c.request_id.in_(ids))
        .order_by(_DECISION.c.round, _DECISION.c.step)
    )
    return {word.request_id: word for word in found}
