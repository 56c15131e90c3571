"""Ways by which files come in without a person, and what came."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.channels import commands
from scf.channels.models import Channel, ChannelFile, ChannelOutput
from scf.channels.outputs import CHOICES
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput
from scf.parties.access import may
from web.context import actor, platform, vault
from web.forms import form_key
from web.portal.acting import must, tried
from web.portal.connections.blueprint import connections, must_be_ours, row_of
from web.portal.fresh import freshly_proved
from web.refusals import refusal_text

Answer = str | BaseResponse | tuple[str, int]
LOG = 30
_KINDS = ("FOLDER", "SFTP", "PUSH")


@connections.get("/channels/new")
@freshly_proved
def new_channel() -> str:
    """Ask how files are to come."""
    return _new({}, {})


@connections.post("/channels")
@freshly_proved
def add_channel() -> Answer:
    """Add a channel; a secret, if it has one, is shown in this answer only."""
    form = request.form
    typed = {name: form.get(name, "").strip() for name in _FIELDS}
    if typed["kind"] not in _KINDS or not typed["name"]:
        missing = "kind" if typed["kind"] not in _KINDS else "name"
        words = _("Choose how files come.") if missing == "kind" else _("Give it a name.")
        return _new(typed, {missing: words}), 422
    remote = typed["kind"] == "SFTP"
    port = typed["port"] or "22"
    if remote and not (port.isascii() and port.isdigit() and len(port) <= 5):  # noqa: PLR2004
        return _new(typed, {"port": _("A port is a number.")}), 422
    wanted: dict[str, Any] = {
        "name": typed["name"],
        "kind": typed["kind"],
        "role": Role.ANCHOR_CLERK if typed["role"] == "anchor_clerk" else Role.TREASURER,
        "document_type": typed["document_type"] or None,
        "outputs": form.getlist("outputs"),
    }
    if remote:
        wanted |= {"port": int(port)} | {name: typed[name] or None for name in _REMOTE}
    try:
        secret, outcome = commands.add(platform(), vault(), actor(), wanted, key=form_key())
    except (InvalidInput, Conflict) as refusal:
        place = {"HOST_KEY": "host_key", "CHANNEL": "host"}.get(refusal.code, "name")
        return _new(typed, {place: refusal_text(refusal)}), refusal.http_status
    if secret is None:
        return redirect(url_for("connections.channel", channel_id=outcome.result["id"]), 303)
    return _page(str(outcome.result["id"]), secret)


_REMOTE = ("host", "username", "folder", "key_name", "host_key")
_FIELDS = ("kind", "name", "role", "document_type", "port", *_REMOTE)


@connections.get("/channels/<channel_id>")
def channel(channel_id: str) -> str:
    """Show one channel and what came through it."""
    return _page(channel_id, "")


@connections.post("/channels/<channel_id>/state")
def set_channel_state(channel_id: str) -> BaseResponse:
    """Pause, go on, or remove."""
    must_be_ours(Channel, channel_id)
    state = request.form.get("state", "")
    if tried("channel.change", {"channel_id": channel_id, "state": state}) is not None:
        flash(_("The channel is changed."), "ok")
    if state == "REMOVED":
        return redirect(url_for("connections.home"), 303)
    return redirect(url_for("connections.channel", channel_id=channel_id), 303)


@connections.post("/channels/<channel_id>/secret")
@freshly_proved
def rotate_channel(channel_id: str) -> Answer:
    """Change the secret and show the new one, this once."""
    must_be_ours(Channel, channel_id)
    try:
        secret, _outcome = commands.rotate(platform(), vault(), actor(), channel_id, key=form_key())
    except Conflict as refusal:
        flash(refusal_text(refusal), "bad")
        secret = None
    if secret is None:
        return redirect(url_for("connections.channel", channel_id=channel_id), 303)
    return _page(channel_id, secret)


def _new(form: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "connections/new_channel.html",
        form=form,
        errors=errors,
        choices=CHOICES,
        chosen=request.form.getlist("outputs"),
    )


@connections.before_request
def _only_senders() -> None:
    """Turn everybody else away from the ways in before anything of a form is read."""
    if request.path.startswith("/connections/channels"):
        must("channel.read")


def _page(channel_id: str, secret: str) -> str:
    who = actor()
    with platform().db.read(who) as reading:
        row = row_of(reading, Channel, channel_id)
        files = reading.execute(
            select(ChannelFile)
            .where(col(ChannelFile.channel_id) == channel_id)
            .order_by(col(ChannelFile.id).desc())
            .limit(LOG)
        ).scalars()
        written = reading.execute(
            select(
                col(ChannelOutput.name),
                col(ChannelOutput.created_at),
                col(ChannelOutput.written_at),
            )
            .where(col(ChannelOutput.channel_id) == channel_id)
            .order_by(col(ChannelOutput.id).desc())
            .limit(LOG)
        ).all()
        return render_template(
            "connections/channel.html",
            row=row,
            secret=secret,
            files=list(files),
            written=written,
            may_see_uploads=may(who, "upload.read"),
            address=url_for("api.channels.receive_message", channel_id=channel_id, _external=True),
        )
