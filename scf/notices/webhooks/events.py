"""What an event tells an organisation: a list of fields per kind, default deny.

Every value is read as that organisation may see it, at the moment at which the event is handed
on, and only the fields listed here leave: the buyer of an invoice never learns whether and at what
price its seller was financed. The same event gives the same bytes to whoever writes it again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.documents.match.models import PackSize
from scf.documents.models import Invoice, Upload
from scf.financing.models import Advance, FinancingRequest
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import InvalidInput
from scf.kernel.ids import canonical_json
from scf.parties.models import Firm
from scf.programmes.models import Programme

_FIRM: Final = Firm.__table__  # type: ignore[attr-defined]
# By whom an organisation's events are read: it sees what its people see, and no person is named.
_ROLES: Final = {
    "trader": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}),
    "financier": frozenset({Role.OFFICER_MAKER}),
}
TEST: Final = "webhook.test"

_UPLOAD: Final = (
    "id", "name", "state", "format", "document_type", "read_count", "stored_count",
    "incomplete_count", "duplicate_count", "bad_count", "finished_at",
)  # fmt: skip
_INVOICE: Final = (
    "id", "number", "seller_id", "buyer_id", "issue_on", "due_on", "currency", "payable_minor",
    "accepted_minor", "acceptance_state", "dispute_state", "disputed_minor",
)  # fmt: skip
_MATCHED: Final = (*_INVOICE, "order_number", "match_state", "match_code")
_PACK: Final = ("id", "seller_id", "buyer_id", "item", "pack_unit", "unit", "per_pack_micro")
_REQUEST: Final = (
    "id", "quote_id", "seller_id", "financier_id", "state", "currency", "face_minor",
    "discount_minor", "fee_minor", "net_minor", "all_in_ppm", "effective_ppm", "submitted_on",
    "decide_by", "decline_code",
)  # fmt: skip
_ADVANCE: Final = (
    "id", "request_id", "invoice_id", "seller_id", "financier_id", "state", "currency",
    "face_minor", "discount_minor", "fee_minor", "tax_minor", "reserve_minor", "net_minor",
    "value_on", "due_on",
)  # fmt: skip
_PROGRAMME: Final = ("id", "code", "financier_id", "anchor_id", "seller_id", "state")


@dataclass(frozen=True)
class Kind:
    """One kind of event: of which objects it tells, named where in the payload, and what.

    ``also`` are facts of the event itself that are told as they are.
    """

    name: str
    model: type[SQLModel] | None
    key: str = ""
    fields: Sequence[str] = ()
    also: Sequence[str] = ()


_ABOUT_REQUESTS: Final = (
    "submitted", "approved", "counter_offered", "returned", "answered", "reopened", "closed",
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("upload.finished", Upload, "upload_id", _UPLOAD),
        Kind("invoice.accepted", Invoice, "invoice_ids", _INVOICE),
        Kind("invoice.rejected", Invoice, "invoice_ids", _INVOICE),
        Kind("invoice.disputed", Invoice, "invoice_id", _INVOICE, ("dispute_id", "amount_minor")),
        Kind("invoice.credit_asked", Invoice, "invoice_id", _MATCHED, ("amount_minor",)),
        Kind("invoice.match_waived", Invoice, "invoice_id", _MATCHED),
        Kind("invoice.order_corrected", Invoice, "invoice_id", _MATCHED),
        Kind("pack.agreed", PackSize, "pack_id", _PACK),
        *(
            Kind(f"request.{name}", FinancingRequest, "request_id", _REQUEST)
            for name in _ABOUT_REQUESTS
        ),
        Kind("advance.paid", Advance, "advance_ids", _ADVANCE, ("value_on",)),
        Kind("over_advance.opened", Advance, "advance_id", _ADVANCE, ("amount_minor",)),
        Kind("programme.state", Programme, "programme_id", _PROGRAMME),
        Kind("day.closed", None, also=("financier_id", "on")),
        Kind("payout.released", None, also=("file_id", "sha256")),
        Kind("payout.answered", None, also=("file_id", "acknowledged", "rejected")),
        Kind("receipt.waiting", None, also=("entry_id", "reason", "amount_minor")),
    )
}
# Which of them happen to whom.
OF_TRADERS: Final = tuple(
    name
    for name in KINDS
    if name.startswith(("upload.", "invoice.", "pack.", "advance.", "over_advance.", "programme."))
    or name in {f"request.{one}" for one in _ABOUT_REQUESTS if one not in {"submitted", "answered"}}
)
OF_FINANCIERS: Final = tuple(
    name
    for name in KINDS
    if name.startswith(("day.", "payout.", "receipt.", "over_advance."))
    or name in {"request.submitted", "request.answered"}
)


def kinds_for(org_kind: str) -> tuple[str, ...]:
    """Give the events that an organisation of a kind can ask for."""
    return {"trader": OF_TRADERS, "financier": OF_FINANCIERS}.get(org_kind, ())


def wanted_events(wanted: Sequence[str], org_kind: str) -> list[str]:
    """Give the events that an organisation asks for, once each and in order.

    Raises
    ------
    InvalidInput
        EVENTS, when there is none or one that does not happen to it.
    """
    known = kinds_for(org_kind)
    if not wanted or set(wanted) - set(known):
        raise InvalidInput(
            "EVENTS",
            "Choose at least one event that happens to your organisation: %(known)s.",
            known=list(known),
        )
    return sorted(set(wanted))


def body_for(platform: Platform, event: Claimed) -> str | None:
    """Write an event for the organisation that it happened to; None when there is nothing to see.

    The form is that of Standard Webhooks: type, timestamp and data.
    """
    kind = KINDS.get(event.kind)
    if kind is None:
        return None
    data: dict[str, Any] = {
        name: event.payload[name] for name in kind.also if name in event.payload
    }
    if kind.model is not None:
        with platform.db.snapshot() as conn:
            org_kind = conn.execute(
                select(_FIRM.c.kind).where(_FIRM.c.id == event.org_id)
            ).scalar_one_or_none()
        who = Actor("system:webhooks", event.org_id, _ROLES.get(str(org_kind), frozenset()))
        with platform.db.read(who) as session:
            items = _read(session, kind, event.payload)
        if not items:
            return None
        data["items"] = items
    return envelope(event.kind, event.created_at, data)


def envelope(name: str, at: dt.datetime, data: Mapping[str, Any]) -> str:
    """Write one message; the same event gives the same text."""
    return canonical_json({"type": name, "timestamp": at, "data": dict(data)})


def _read(session: Session, kind: Kind, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = payload.get(kind.key, [])
    ids = [named] if isinstance(named, str) else list(named)
    model: Any = kind.model
    rows = session.execute(select(model).where(model.id.in_(ids)).order_by(model.id)).scalars()
    return [{name: getattr(row, name) for name in kind.fields} for row in rows]
