"""Signed messages to us: a document by HTTP from a program that has no person's token.

The sender signs as Standard Webhooks say: id, time and body under the channel's secret. A message
is good for five minutes; one that comes twice is answered as it was the first time, because its id
is the key of the command that takes it.
"""

import base64
import binascii
import datetime as dt
import hmac
from typing import Any, Final

from sqlalchemy import select

from scf.channels.commands import owner
from scf.channels.models import Channel
from scf.db.platform import Platform
from scf.db.runner import Outcome
from scf.kernel.errors import NotSignedIn
from scf.notices.webhooks.secrets import PREFIX, in_force
from scf.parties.factors.vault import Vault
from scf.parties.service import actor_of_user

_channel = Channel.__table__  # type: ignore[attr-defined]
WINDOW: Final = dt.timedelta(minutes=5)
MAX_ID: Final = 128
_MAX_DIGITS: Final = 12
_MAX_SIGNATURES: Final = 10


def receive(
    platform: Platform,
    vault: Vault,
    channel_id: str,
    message_id: str,
    timestamp: str,
    signatures: str,
    name: str,
    content: bytes,
) -> Outcome:
    """Take a signed message; the same one again is the same upload.

    Raises
    ------
    NotSignedIn
        SIGNATURE, whatever does not fit: channel, id, time or signature.
    InvalidInput
        IDEMPOTENCY_MISMATCH for the id of another message; FILE_EMPTY.
    """
    now = platform.clock.now()
    with platform.db.snapshot() as conn:
        row = conn.execute(
            select(_channel).where(
                _channel.c.id == channel_id[:64],
                _channel.c.kind == "PUSH",
                _channel.c.state == "ACTIVE",
            )
        ).one_or_none()
        actor = actor_of_user(conn, row.user_id) if row is not None else None
    good = row is not None and _is_signed(
        in_force(row, owner(row.org_id), vault, now),
        message_id,
        timestamp,
        signatures,
        content,
        now,
    )
    if row is None or actor is None or not good:
        raise NotSignedIn("SIGNATURE", "This message is not signed as the channel asks for.")
    payload: dict[str, Any] = {
        "name": name or "message",
        "content": content,
        "document_type": row.document_type,
        "mode": row.mode,
        "queue": True,
    }
    return platform.run("upload.receive", payload, actor, key=f"push:{row.id}:{message_id}")


def _is_signed(
    secrets: tuple[str, ...],
    message_id: str,
    timestamp: str,
    signatures: str,
    content: bytes,
    now: dt.datetime,
) -> bool:
    if not 0 < len(message_id) <= MAX_ID or not (message_id.isascii() and message_id.isprintable()):
        return False
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS):
        return False
    if abs(int(timestamp) - now.timestamp()) > WINDOW.total_seconds():
        return False
    signed = f"{message_id}.{timestamp}.".encode() + content
    given = [
        found
        for one in signatures.split(" ")[:_MAX_SIGNATURES]
        if (found := _bytes_of(one)) is not None
    ]
    right = False
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix(PREFIX))
        expected = hmac.digest(key, signed, "sha256")
        for one in given:
            right |= hmac.compare_digest(expected, one)
    return right


def _bytes_of(signature: str) -> bytes | None:
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else None
    except (binascii.Error, ValueError):
        return None
