"""Who sees connections with ERPs and all of theirs: the organisation whose they are."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import SQLModel, col

from scf.channels.erp.models import (
    ErpConnection,
    ErpItem,
    ErpRun,
    ErpStream,
    ErpWrite,
)
from scf.db.visibility import visible_to
from scf.kernel.actor import Actor


def _own(model: type[SQLModel]) -> None:
    owned: Any = model

    @visible_to(model)
    def _of_the_organisation(actor: Actor) -> ColumnElement[bool]:
        return col(owned.org_id) == actor.org_id


for _model in (ErpConnection, ErpItem, ErpRun, ErpStream, ErpWrite):
    _own(_model)
