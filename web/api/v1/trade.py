"""What the resources of trade share: parties by name, amounts that people send, sides."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlmodel import Session, SQLModel, col

from scf.db.visibility import not_found
from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput
from scf.parties.service import day_for, firm_names
from web.api.v1.shapes import Amount, Answer
from web.context import actor, now

M = TypeVar("M", bound=SQLModel)
_BANK = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})


class Party(Answer):
    """A side of a document; without an id the platform does not know it (yet)."""

    id: str | None
    name: str


def is_bank() -> bool:
    """Tell whether the caller acts for a financier."""
    return bool(actor().roles & _BANK)


def one(session: Session, model: type[M], row_id: str) -> M:
    """Read one row as the caller may see it.

    Raises
    ------
    NotFound
        For a missing row and for one of others alike.
    """
    key: Any = model.__table__.c.id  # type: ignore[attr-defined]
    row: M | None = session.execute(select(model).where(key == row_id)).scalar_one_or_none()
    if row is None:
        raise not_found(str(model.__tablename__), row_id)
    return row


def children(session: Session, model: type[M], parent: Any, ids: Iterable[str]) -> list[M]:  # noqa: ANN401 - a column
    """Read what hangs on some rows, in the order of its ids."""
    key: Any = model.__table__.c.id  # type: ignore[attr-defined]
    found = session.execute(select(model).where(col(parent).in_(list(ids))).order_by(key))
    return list(found.scalars())


def minor_of(amount: Amount, currency: str) -> int:
    """Give the minor units of an amount that must be in one currency.

    Raises
    ------
    InvalidInput
        CURRENCY when it is in another.
    """
    if amount.currency != currency:
        raise InvalidInput(
            "CURRENCY", "The amount is in another currency.", sent=amount.currency, needed=currency
        )
    return amount.amount_minor


def names_of(session: Session, rows: Iterable[Any]) -> dict[str, str]:
    """Look the names of all sellers and buyers up at once."""
    wanted = {one_id for row in rows for one_id in (row.seller_id, row.buyer_id) if one_id}
    return firm_names(session.connection(), wanted)


def party(row: Any, side: str, names: dict[str, str]) -> Party:  # noqa: ANN401 - a document's row
    """Name a side by its firm, or as the document itself does."""
    firm_id = getattr(row, f"{side}_id")
    if firm_id:
        return Party(id=firm_id, name=names.get(firm_id, ""))
    said = row.parties.get(side, {}) if isinstance(row.parties, dict) else {}
    return Party(id=None, name=str(said.get("name", "")) if isinstance(said, dict) else "")


def today(conn: Connection, org_id: str = "") -> Any:  # noqa: ANN401 - a date
    """Give the business date by which an organisation's answers are judged."""
    return day_for(conn, org_id or actor().org_id, now().date())
