"""The audit trail: one append-only row per command, each with a digest of its own.

Rows take no shared lock (a chain head that every writer must hold cut eight writers to a fifth of
their commits); ``scf/db/seal.py`` chains them afterwards.

Personal data stand outside the digest: a field marked :data:`PERSONAL` is stored as a salted hash,
its salt in a table of its own, so that erasing a person leaves every digest and seal valid. A
field marked :data:`SECRET` (a password) leaves no trace here at all.
"""

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from scf.db.models import AuditLog, PersonalSalt
from scf.kernel.ids import digest

if TYPE_CHECKING:
    from scf.db.runner import Context

AUDIT_TABLE = AuditLog.__table__  # type: ignore[attr-defined]
_INSERT = insert(AUDIT_TABLE).inline()
_INSERT_SALT = insert(PersonalSalt.__table__)  # type: ignore[attr-defined]

PERSONAL = {"privacy": "personal"}
SECRET = {"privacy": "secret"}

# What the digest covers, in this order. A column that is not here is not protected.
DIGESTED = (
    "command_id",
    "command",
    "at",
    "user_id",
    "org_id",
    "roles",
    "key",
    "reason",
    "request",
    "changes",
    "result_digest",
)


def public_request(data: BaseModel) -> tuple[dict[str, Any], str]:
    """Give the request as the trail may keep it, and the salt of its personal fields (or "")."""
    request = data.model_dump(mode="json")
    salt = ""
    for name, field in type(data).model_fields.items():
        extra = field.json_schema_extra
        privacy = extra.get("privacy") if isinstance(extra, dict) else None
        if privacy == "secret":
            request.pop(name, None)
        elif privacy == "personal" and request.get(name) is not None:
            salt = salt or secrets.token_hex(16)
            hashed = hashlib.sha256(f"{salt}:{request[name]}".encode()).hexdigest()
            request[name] = {"sha256": hashed}
    return request, salt


def append(
    conn: Connection, ctx: "Context", request: dict[str, Any], result: dict[str, Any], salt: str
) -> None:
    """Write the audit row of a command, in the command's own transaction."""
    row: dict[str, Any] = {
        "command_id": ctx.command_id,
        "command": ctx.command,
        "at": ctx.now,
        "user_id": ctx.actor.user_id,
        "org_id": ctx.actor.org_id,
        "roles": ",".join(sorted(ctx.actor.roles)),
        "key": ctx.key,
        "reason": ctx.reason,
        "request": request,
        "changes": ctx.changes,
        "result_digest": digest(result),
    }
    row["digest"] = row_digest(row)
    conn.execute(_INSERT, row)
    if salt:
        conn.execute(_INSERT_SALT, {"command_id": ctx.command_id, "salt": salt})


def row_digest(row: dict[str, Any]) -> str:
    """Compute the digest of an audit row (SHA-256 of its canonical JSON).

    The instant is digested as ISO text with microseconds, so both engines agree.
    """
    covered = {name: row[name] for name in DIGESTED}
    covered["at"] = row["at"].isoformat(timespec="microseconds")
    return digest(covered)
