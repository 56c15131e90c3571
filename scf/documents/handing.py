"""A file handed in by a program: the same file from the same organisation is one upload."""

import hashlib
from typing import Any, NamedTuple

from scf.db.platform import Platform
from scf.documents import intake
from scf.kernel.actor import Actor
from scf.kernel.ids import digest


class HandedIn(NamedTuple):
    """What came of a file; ``seen_before`` when an earlier upload answers for it."""

    upload_id: str
    summary: dict[str, Any]
    seen_before: bool


def take_in(
    platform: Platform,
    actor: Actor,
    name: str,
    content: bytes,
    options: dict[str, Any],
    *,
    key: str = "",
    watch: intake.Watch = intake.nobody_watches,
) -> HandedIn:
    """Keep a file and read it to its end; safe to call again at any time.

    File, organisation and the way to read it make the key, so that a repeat adds nothing. A file
    that was refused before is taken as a new attempt, unless the caller brought the ``key``.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    mapping = options.get("mapping")
    look = options | {"mapping": mapping.to_json() if mapping else None, "name": name}
    made = f"import:{sha256}:{digest(look)[:16]}"
    payload = options | {"name": name, "content": content}
    while True:
        received = platform.run("upload.receive", payload, actor, key=key or made)
        upload_id = received.result["upload_id"]
        summary = intake.run_upload(platform, upload_id, watch=watch)
        if key or not received.replayed or summary["state"] != "REFUSED":
            return HandedIn(upload_id, summary, received.replayed)
        made = f"import:{sha256[:32]}:{upload_id}"
