"""Who sees which row: the declaration and the hook that applies it to every query.

Each table that is reachable from outside declares, in its own slice, a predicate over its party
columns::

    @visible_to(Invoice)
    def _parties(actor: Actor) -> ColumnElement[bool]:
        return or_(Invoice.seller_id == actor.org_id, Invoice.buyer_id == actor.org_id)

A session bound to an actor adds the predicate to each ORM select of that table, so that a query
which forgets to ask is still limited: also where the table is read only for one of the selected
values, as by a count in a scalar subquery. A table without a declaration is not readable through
such a session at all: forgetting shows nothing instead of everything.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    CompoundSelect,
    Select,
    event,
    false,
    inspect,
    select,
    true,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    Mapper,
    ORMExecuteState,
    Session,
    with_loader_criteria,
)
from sqlalchemy.sql import visitors
from sqlmodel import SQLModel

from scf.kernel.actor import Actor
from scf.kernel.errors import NotFound

# By nothing but the actor: what it gives is kept for the actor's next select.
Predicate = Callable[[Actor], ColumnElement[bool]]
DECLARED: dict[type[SQLModel], Predicate] = {}


def visible_to(model: type[SQLModel]) -> Callable[[Predicate], Predicate]:
    """Declare who may see rows of ``model``."""

    def declare(predicate: Predicate) -> Predicate:
        DECLARED[model] = predicate
        return predicate

    return declare


def visible_to_everyone(model: type[SQLModel]) -> None:
    """Declare a table that holds nobody's secret (currencies, fixings)."""
    DECLARED[model] = lambda _actor: true()


def predicate_for(model: type[SQLModel], actor: Actor) -> ColumnElement[bool]:
    """Give the row filter of one table for one actor; nothing where none is declared."""
    if actor.is_operator:
        return true()
    declared = DECLARED.get(model)
    return declared(actor) if declared else false()


def bind_actor(session: Session, actor: Actor) -> None:
    """Limit every later select of the session to what the actor may see."""
    session.info["actor"] = actor


@event.listens_for(Session, "do_orm_execute")
def _limit(state: ORMExecuteState) -> None:
    actor = state.session.info.get("actor")
    if actor is None or not state.is_select or actor.is_operator:
        return
    limits = [_limit_of(mapper, DECLARED.get(mapper.class_), actor) for mapper in _read(state)]
    state.statement = state.statement.options(*limits)


@functools.lru_cache(maxsize=1_000)  # a page asks much the same as the page before
def _limit_of(
    mapper: Mapper[Any], declared: Predicate | None, actor: Actor
) -> LoaderCriteriaOption:
    seen = declared(actor) if declared else false()
    return with_loader_criteria(mapper.class_, seen, include_aliases=True)


def _read(state: ORMExecuteState) -> Iterable[Mapper[Any]]:
    """Give the entities whose rows a select shows, or works its values out from."""
    statement = state.statement
    if isinstance(statement, CompoundSelect):
        return set(_named(statement))
    if not state.is_orm_statement or not isinstance(statement, Select):
        return state.all_mappers
    columns = statement.column_descriptions
    found = {inspect(one["entity"]).mapper: None for one in columns if one["entity"] is not None}
    # Without an entity at the top, all that is shown comes from further down.
    for value in [one["expr"] for one in columns] if found else [statement]:
        if isinstance(value, ClauseElement):  # a column of an entity is none
            found |= dict.fromkeys(_named(value))
    return found


def _named(value: ClauseElement) -> Iterator[Mapper[Any]]:
    for part in visitors.iterate(value):
        entity = part._annotations.get("parententity")  # noqa: SLF001 - there is no other way
        if entity is not None:
            yield entity.mapper


def fetch_visible(conn: Connection, model: type[SQLModel], row_id: str, actor: Actor) -> Any:  # noqa: ANN401
    """Fetch one row inside a command as the actor may see it.

    Raises
    ------
    NotFound
        For a missing row and for somebody else's alike: the two must not be distinguishable.
    """
    table = model.__table__  # type: ignore[attr-defined]
    row = conn.execute(
        select(table).where(table.c.id == row_id, predicate_for(model, actor))
    ).one_or_none()
    if row is None:
        raise not_found(table.name, row_id)
    return row


def not_found(kind: str, row_id: str) -> NotFound:
    """Build the one answer for an object that does not exist or must not be known."""
    return NotFound("NOT_FOUND", "There is nothing with this id.", kind=kind, id=row_id)
