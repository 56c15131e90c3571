"""Channels: by which ways other systems hand in files, and signed messages themselves."""

import datetime as dt

from flask import Blueprint, request, url_for
from sqlalchemy import select
from sqlmodel import col

from scf.channels import push
from scf.channels.models import Channel, ChannelFile
from scf.documents.commands import MAX_UPLOAD
from scf.kernel.errors import NotSignedIn
from scf.kernel.findings import shown
from web.api.v1 import described
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import OPEN_TO_SIGNED, count_unknown, endpoint, reader
from web.api.v1.trade import one
from web.context import platform, vault

resource = Blueprint("channels", __name__)
OPEN_TO_SIGNED.add("api.channels.receive_message")


class ChannelOut(Answer):
    """A channel; ``problem`` says why the last look at it failed."""

    id: str
    name: str
    kind: str
    state: str
    outputs: list[str]
    looked_at: dt.datetime | None
    problem: str | None
    created_at: dt.datetime


class ChannelPage(Answer):
    """Some of your channels."""

    items: list[ChannelOut]
    next_cursor: str


class ChannelFileOut(Answer):
    """A file that came through a channel."""

    id: str
    name: str
    size: int
    state: str
    reason: str | None
    upload_id: str | None
    seen_at: dt.datetime
    done_at: dt.datetime | None


class ChannelFilePage(Answer):
    """Some of the files, the newest first."""

    items: list[ChannelFileOut]
    next_cursor: str


class MessageReceived(Answer):
    """The message is kept; its progress stands at ``/uploads/{id}``."""

    id: str
    job_id: str | None


@endpoint(resource, "GET", "/channels", action="channel.read", answer=ChannelPage)
def list_channels(query: PageQuery) -> ChannelPage:
    """List the channels of your organisation."""
    with reader() as session:
        statement = select(Channel).where(col(Channel.state) != "REMOVED")
        rows, following = page(session, statement, query, col(Channel.id))
        items = [ChannelOut.model_validate(row) for row in rows]
    return ChannelPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/channels/<channel_id>/files",
    action="channel.read",
    answer=ChannelFilePage,
)
def list_channel_files(channel_id: str, query: PageQuery) -> ChannelFilePage:
    """List what came through a channel, the newest first."""
    with reader() as session:
        one(session, Channel, channel_id)
        statement = select(ChannelFile).where(col(ChannelFile.channel_id) == channel_id)
        rows, following = page(session, statement, query, col(ChannelFile.id))
        items = [ChannelFileOut.model_validate(row) for row in rows]
    return ChannelFilePage(items=items, next_cursor=following)


@resource.post("/channels/<channel_id>/messages")
def receive_message(channel_id: str) -> tuple[dict[str, str | None], int, dict[str, str]]:
    """Take a signed document; who sends it shows no token, the signature is the proof."""
    request.max_content_length = MAX_UPLOAD
    head = request.headers
    try:
        outcome = push.receive(
            platform(),
            vault(),
            channel_id,
            head.get("webhook-id", ""),
            head.get("webhook-timestamp", ""),
            head.get("webhook-signature", ""),
            shown(request.args.get("name", ""), 400),
            request.get_data(cache=False),
        )
    except NotSignedIn:
        count_unknown()
        raise
    upload_id = outcome.result["upload_id"]
    where = url_for("api.uploads.get_upload", upload_id=upload_id)
    received = MessageReceived(id=upload_id, job_id=outcome.result["job_id"])
    return received.model_dump(), 202, {"Location": where}


receive_message.raw_body = True  # type: ignore[attr-defined]
described.takes_signed(
    "/channels/<channel_id>/messages", resource.name, "Take a signed document", MessageReceived
)
