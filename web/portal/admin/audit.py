"""Searching the trail: who did what to which object on which day, as a page or as CSV."""

import csv
import datetime as dt
import io
import json
from typing import Any, Final

from flask import Response, render_template, request, url_for
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Select, String, cast, select
from sqlmodel import Session, col

from scf.db.models import AuditLog
from scf.db.runner import COMMANDS
from web.context import platform
from web.names import action_name
from web.portal.admin.blueprint import admin, names_of, reader_of_the_trail

PAGE_SIZE: Final = 50
_CSV_ROWS: Final = 10_000
_NEWEST: Final = 2**62
# A cell that starts so is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide twins count as well


class Asked(BaseModel):
    """What is searched for; whatever cannot be read is not searched for."""

    model_config = ConfigDict(extra="ignore")
    actor: str = Field(default="", max_length=64)
    object: str = Field(default="", max_length=64, pattern=r"^[\w:.-]*$")
    action: str = Field(default="", max_length=64)
    day: dt.date | None = None
    before: int = Field(default=_NEWEST, ge=1, le=_NEWEST)


@admin.get("/audit")
def audit() -> str:
    """Show one page of the trail, the newest first."""
    who, asked = reader_of_the_trail(), _asked()
    with platform().db.read(who) as reading:
        names = names_of(reading, who)
        rows = _rows(reading, asked, PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    filters = {
        "actor": asked.actor,
        "object": asked.object,
        "action": asked.action,
        "day": asked.day.isoformat() if asked.day else "",
    }
    more: dict[str, Any] = {key: value for key, value in filters.items() if value}
    older = ""
    if len(rows) > PAGE_SIZE:
        older = url_for("admin.audit", **more, before=shown[-1].seq)
    return render_template(
        "admin/audit.html",
        lines=[_line(row, names) for row in shown],
        asked=asked,
        people=sorted(names.items(), key=lambda item: item[1]),
        actions=sorted(((name, action_name(name)) for name in COMMANDS), key=lambda pair: pair[1]),
        newer=url_for("admin.audit", **more) if asked.before != _NEWEST else "",
        older=older,
        as_csv=url_for("admin.audit_csv", **more),
        searching=bool(more),
    )


@admin.get("/audit.csv")
def audit_csv() -> Response:
    """Give what was searched for as CSV, at most ten thousand rows."""
    who, asked = reader_of_the_trail(), _asked()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["at", "person", "action", "objects", "reason", "roles", "digest"])
    with platform().db.read(who) as reading:
        names = names_of(reading, who)
        for row in _rows(reading, asked, _CSV_ROWS):
            line = _line(row, names)
            objects = " ".join(f"{item['type']}:{item['id']}" for item in line["objects"])
            cells = (line["person"], row.command, objects, row.reason, row.roles, row.digest)
            writer.writerow([row.at.isoformat(), *(_cell(text) for text in cells)])
    answer = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def _asked() -> Asked:
    given = {key: value for key, value in request.args.to_dict().items() if value.strip()}
    while True:
        try:
            return Asked.model_validate(given)
        except ValidationError as error:
            for wrong in error.errors(include_input=False, include_url=False):
                given.pop(str(wrong["loc"][0]), None)


def _rows(reading: Session, asked: Asked, limit: int) -> list[AuditLog]:
    statement: Select[Any] = select(AuditLog).where(col(AuditLog.seq) < asked.before)
    if asked.actor:
        statement = statement.where(col(AuditLog.user_id) == asked.actor)
    if asked.action:
        statement = statement.where(col(AuditLog.command) == asked.action)
    if asked.day:
        start = dt.datetime.combine(asked.day, dt.time(), dt.UTC)
        end = start + dt.timedelta(days=1)
        statement = statement.where(col(AuditLog.at) >= start, col(AuditLog.at) < end)
    if asked.object:
        changes = cast(col(AuditLog.changes), String)
        statement = statement.where(changes.contains(f'"{asked.object}"', autoescape=True))
    return list(
        reading.execute(statement.order_by(col(AuditLog.seq).desc()).limit(limit)).scalars()
    )


def _line(row: AuditLog, names: dict[str, str]) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": row.at,
        "person": names.get(row.user_id, row.user_id),
        "user_id": row.user_id,
        "action": row.command,
        "reason": row.reason,
        "objects": [
            {
                "type": item["type"],
                "id": item["id"],
                "before": _told(item["before"]),
                "after": _told(item["after"]),
            }
            for item in row.changes
        ],
        "digest": row.digest,
    }


def _told(value: Any) -> str:  # noqa: ANN401 - whatever a command said of an object
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value is not None else ""


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
