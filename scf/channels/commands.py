"""The commands on channels: add, change, a new secret."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, insert, select, update

from scf.channels.models import Channel
from scf.channels.outputs import wanted_outputs
from scf.db.audit import SECRET
from scf.db.platform import Platform
from scf.db.runner import Context, Outcome, command
from scf.documents.canonical import DocumentType
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, Words
from scf.kernel.ids import new_id
from scf.notices.webhooks.secrets import Sealed, changed, run_with_secret
from scf.parties.factors.vault import Vault
from scf.parties.identifiers import clean_text
from scf.parties.people import add_service_person, end_service_person

_channel = Channel.__table__  # type: ignore[attr-defined]
MAX_CHANNELS: Final = 20
_FILE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddChannel(_Input):
    """A way in and out; where the partner's server is, whose key is believed, which key is ours."""

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["FOLDER", "SFTP", "PUSH"]
    role: Literal[Role.TREASURER, Role.ANCHOR_CLERK] = Role.TREASURER
    document_type: DocumentType | None = None
    mode: Literal["keep-good", "atomic"] = "keep-good"
    outputs: list[str] = Field(default_factory=list, max_length=50)
    host: str | None = Field(default=None, max_length=253)
    port: int = Field(default=22, ge=1, le=65_535, strict=True)
    username: str | None = Field(default=None, max_length=100)
    folder: str | None = Field(default=None, max_length=400)
    key_name: str | None = Field(default=None, pattern=_FILE)
    host_key: str | None = Field(default=None, max_length=4000)
    sealed: str | None = Field(
        default=None, exclude=True, max_length=400, json_schema_extra={**SECRET}
    )


class ChangeChannel(_Input):
    """A pause, its end, the end of the channel, or other files to write."""

    channel_id: str = Field(max_length=64)
    state: Literal["ACTIVE", "PAUSED", "REMOVED"] | None = None
    outputs: list[str] | None = Field(default=None, max_length=50)


class RotateChannel(_Input):
    """A new secret for signed messages; the one before it is good for a day more."""

    channel_id: str = Field(max_length=64)
    sealed: Sealed


class ReportChannel(_Input):
    """Why the last look at a channel failed."""

    channel_id: str = Field(max_length=64)
    problem: str = Field(max_length=64)


def owner(org_id: str) -> str:
    """Name for whom a secret is sealed."""
    return f"channel:{org_id}"


def add(
    platform: Platform, vault: Vault, actor: Actor, wanted: dict[str, Any], *, key: str
) -> tuple[str | None, Outcome]:
    """Add a channel; gives the secret of a PUSH channel (else None) and the outcome."""
    if wanted.get("kind") != "PUSH":
        return None, platform.run("channel.add", wanted, actor, key=key)
    sealed_for = owner(actor.org_id)
    return run_with_secret(platform, vault, actor, "channel.add", wanted, sealed_for, key=key)


def rotate(
    platform: Platform, vault: Vault, actor: Actor, channel_id: str, *, key: str
) -> tuple[str | None, Outcome]:
    """Give a PUSH channel a new secret (None when the key was used before)."""
    payload, sealed_for = {"channel_id": channel_id}, owner(actor.org_id)
    return run_with_secret(platform, vault, actor, "channel.rotate", payload, sealed_for, key=key)


@command("channel.add", AddChannel)
def add_channel(ctx: Context, data: AddChannel) -> dict[str, Any]:
    """Files that come this way are taken in the name of a person of the channel's own.

    Raises
    ------
    Conflict
        TOO_MANY_CHANNELS.
    InvalidInput
        CHANNEL when something is missing for its kind; EVENTS; ROLE for an organisation that
        does not trade.
    """
    count = ctx.conn.execute(
        select(func.count()).where(
            _channel.c.org_id == ctx.actor.org_id, _channel.c.state != "REMOVED"
        )
    ).scalar_one()
    if count >= MAX_CHANNELS:
        raise Conflict(
            "TOO_MANY_CHANNELS", "An organisation has at most %(limit)s of them.",
            limit=MAX_CHANNELS,
        )  # fmt: skip
    _complete(data)
    name = clean_text(data.name, Words("name"), 100)
    user_id = add_service_person(ctx, ctx.actor.org_id, name, Role(data.role))
    remote = data.kind == "SFTP"
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "user_id": user_id,
        "name": name,
        "kind": data.kind,
        "state": "ACTIVE",
        "document_type": data.document_type,
        "mode": data.mode,
        "outputs": wanted_outputs(data.outputs),
        "host": data.host if remote else None,
        "port": data.port if remote else None,
        "username": data.username if remote else None,
        "folder": (data.folder or ".") if remote else None,
        "key_name": data.key_name if remote else None,
        "host_key": data.host_key if remote else None,
        "sealed": data.sealed,
        "next_look_at": ctx.now,
        "version": 1,
        "created_by": ctx.actor.user_id,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_channel), row)
    shown = {"name": name, "kind": data.kind, "state": "ACTIVE", "outputs": row["outputs"]}
    ctx.change("channel", str(row["id"]), None, {**shown, "user_id": user_id})
    return {"id": row["id"], **shown}


def _complete(data: AddChannel) -> None:
    """Refuse a channel that could not work."""
    if data.kind == "SFTP":
        for name in ("host", "username", "key_name", "host_key"):
            if not getattr(data, name):
                raise InvalidInput(
                    "CHANNEL", "This is needed to reach the server: %(missing)s.", missing=name
                )
        words = (data.host_key or "").split()
        if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-")):  # noqa: PLR2004 - kind, key
            raise InvalidInput(
                "HOST_KEY",
                "The key of the server is one line such as ssh-ed25519 AAAA… of its .pub file.",
            )
    if data.kind == "PUSH" and not data.sealed:
        raise InvalidInput("CHANNEL", "Signed messages need a secret.")


@command("channel.change", ChangeChannel)
def change_channel(ctx: Context, data: ChangeChannel) -> dict[str, Any]:
    """Nothing is taken while it is paused; what lies there waits."""
    row = _one(ctx, data.channel_id)
    before = {"state": row.state, "outputs": row.outputs}
    after = {
        "state": data.state or row.state,
        "outputs": row.outputs if data.outputs is None else wanted_outputs(data.outputs),
    }
    values = {**after, "version": row.version + 1}
    if data.state == "ACTIVE":
        values |= {"problem": None, "next_look_at": ctx.now}
    ctx.conn.execute(update(_channel).where(_channel.c.id == row.id).values(**values))
    if data.state == "REMOVED":
        end_service_person(ctx, row.user_id)
    ctx.change("channel", row.id, before, after)
    return {"id": row.id, "name": row.name, "kind": row.kind, **after}


@command("channel.rotate", RotateChannel)
def rotate_channel(ctx: Context, data: RotateChannel) -> dict[str, Any]:
    """Messages signed with the new secret are taken, and for a day those with the former."""
    row = _one(ctx, data.channel_id)
    if row.kind != "PUSH":
        raise Conflict("CHANNEL_KIND", "Only signed messages have a secret.")
    values = changed(row, data.sealed, ctx.now)
    ctx.conn.execute(update(_channel).where(_channel.c.id == row.id).values(**values))
    ctx.change("channel", row.id, None, {"secret": "changed"})
    return {"id": row.id, "former_until": values["former_until"].isoformat()}


@command("channel.report", ReportChannel)
def report_channel(ctx: Context, data: ReportChannel) -> dict[str, Any]:
    """The page of the channel shows why nothing comes; who keeps it is told once, not each time."""
    row = ctx.conn.execute(
        select(_channel).where(_channel.c.id == data.channel_id, _channel.c.state == "ACTIVE")
    ).one_or_none()
    if row is None or row.problem == data.problem:
        return {"id": data.channel_id, "told": False}
    ctx.conn.execute(update(_channel).where(_channel.c.id == row.id).values(problem=data.problem))
    ctx.change("channel", row.id, {"problem": row.problem}, {"problem": data.problem})
    told = row.problem is None
    if told:
        ctx.emit("channel.problem", {"channel_id": row.id}, org_id=row.org_id)
    return {"id": row.id, "told": told}


def _one(ctx: Context, channel_id: str) -> Any:  # noqa: ANN401 - a row
    row = ctx.visible(Channel, channel_id)
    if row.state == "REMOVED":
        raise Conflict("CHANNEL_REMOVED", "This channel was removed.", id=row.id)
    return row
