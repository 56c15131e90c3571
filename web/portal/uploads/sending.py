"""A large file sent by slices: what the page's script asks, and what is on its way.

The script is an offer: without it the form sends the file whole. Whoever loses connection, page
or session chooses the same file again, and it goes on where it was.
"""

from collections.abc import Callable
from typing import Any, Final

from flask import Response, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.visibility import not_found
from scf.documents.transfers import service
from scf.documents.transfers.models import Transfer
from scf.kernel.errors import NotAllowed, NotFound, NotSignedIn, ScfError
from web.context import actor, now, platform
from web.portal.acting import act, tried
from web.portal.uploads.blueprint import uploads
from web.refusals import refusal_text

SHOWN: Final = 20
Answer = dict[str, Any]


@uploads.post("/transfers")
def announce() -> Response:
    """Take up a file, or go on with it; the answer says which slices are missing."""
    return _told(_announce)


@uploads.post("/transfers/<transfer_id>/slices")
def bring(transfer_id: str) -> Response:
    """Keep one slice."""
    return _told(lambda: _bring(transfer_id))


@uploads.post("/transfers/<transfer_id>/complete")
def complete(transfer_id: str) -> Response:
    """Make the slices a file, which waits for its sender's word as any other."""
    return _told(lambda: _complete(transfer_id))


@uploads.post("/transfers/<transfer_id>/drop")
def drop(transfer_id: str) -> BaseResponse:
    """Remove what is here of a file."""
    if tried("transfer.drop", {"transfer_id": transfer_id}) is not None:
        flash(_("What was here of the file is removed."), "ok")
    return redirect(url_for("uploads.new"), 303)


def on_their_way(reading: Session) -> list[tuple[Transfer, int]]:
    """Read the person's unfinished files, each with the percentage that is here."""
    query = (
        select(Transfer)
        .where(col(Transfer.state) == "OPEN", col(Transfer.expires_at) > now())
        .order_by(col(Transfer.id).desc())
        .limit(SHOWN)
    )
    rows = list(reading.execute(query).scalars())
    here = service.have(reading, rows)
    return [
        (row, 100 * service.state_of(row, here.get(row.id, set()))["received"] // row.size)
        for row in rows
    ]


def _told(work: Callable[[], Answer]) -> Response:
    """Answer the script; a refusal in words for the person."""
    try:
        return jsonify(work())
    except (NotFound, NotAllowed, NotSignedIn):
        raise
    except ScfError as refused:
        answer = jsonify({"refused": refusal_text(refused)})
        answer.status_code = refused.http_status
        return answer


def _announce() -> Answer:
    sent = request.form
    size = sent.get("size", "")
    payload = {
        "name": sent.get("name", "")[:400] or "file",
        "size": int(size) if size.isascii() and size.isdigit() and len(size) < 12 else 0,  # noqa: PLR2004
        "sha256": sent.get("sha256", ""),
    }
    return _state(act("transfer.open", payload)["transfer_id"])


def _bring(transfer_id: str) -> Answer:
    _state(transfer_id)  # of another's nothing is said, whatever else is wrong
    number, sha256 = request.args.get("number", ""), request.args.get("sha256", "")[:64]
    payload = {
        "transfer_id": transfer_id,
        "number": int(number) if number.isascii() and number.isdigit() and len(number) < 5 else -1,  # noqa: PLR2004
        "sha256": sha256,
        "content": request.get_data(cache=False),
    }
    # The slice names itself: sent twice, it is the same request.
    key = f"{transfer_id}:{number[:5]}:{sha256}"
    return platform().run("transfer.bring", payload, actor(), key=key).result


def _complete(transfer_id: str) -> Answer:
    done = act("transfer.complete", {"transfer_id": transfer_id, "hold": True}, part="complete")
    if done["seen_before"]:
        flash(
            _("You have handed in exactly this file before. What is stored is not stored twice."),
            "info",
        )
    return {"href": url_for("uploads.check", upload_id=done["upload_id"])}


def _state(transfer_id: str) -> Answer:
    query = select(Transfer).where(col(Transfer.id) == transfer_id)
    with platform().db.read(actor()) as reading:
        row = reading.execute(query).scalar_one_or_none()
        if row is None:
            raise not_found("transfer", transfer_id)
        here = service.have(reading, [row])
        known = {"id": row.id, "slice_bytes": row.slice_bytes, "open": row.state == "OPEN"}
        steps = {
            name: url_for(f"uploads.{name}", transfer_id=row.id) for name in ("bring", "complete")
        }
        return known | steps | service.state_of(row, here.get(row.id, set()))
