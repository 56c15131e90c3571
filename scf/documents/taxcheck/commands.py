"""What a seller says of its invoice's tax identity, where the document did not."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Code, Id, Text
from scf.documents.canonical import TaxIdentity
from scf.documents.fingerprints import known_as
from scf.documents.invoice_state import INVOICE
from scf.documents.models import Invoice
from scf.documents.taxcheck.asking import IDENTITY, identity_row
from scf.documents.taxcheck.schemes import problems, tidy
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed


class IdentifyForTax(BaseModel):
    """An invoice, and under what its tax authority knows it."""

    model_config = ConfigDict(extra="forbid")
    invoice_id: Id
    scheme: Code
    number: Text = Field(default="", max_length=100)
    code: Code = ""
    check_code: Code = ""


@command("tax.identify", IdentifyForTax)
def identify_for_tax(ctx: Context, data: IdentifyForTax) -> dict[str, Any]:
    """The seller says under what the tax authority knows its invoice; nothing is asked yet.

    Raises
    ------
    InvalidInput
        TAX_IDENTITY for what cannot be one.
    NotAllowed
        For anybody but the seller.
    Conflict
        ALREADY_FINANCED, while money hangs on what was checked.
    """
    ctx.visible(Invoice, data.invoice_id)
    row = ctx.lock(Invoice, [data.invoice_id])[data.invoice_id]
    if row.seller_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the seller says this of its invoice.")
    if row.held_minor or row.outstanding_minor:
        raise Conflict(
            "ALREADY_FINANCED",
            "Money hangs on this invoice; what was checked stays as it is.",
            invoice_id=row.id,
        )
    identity = tidy(TaxIdentity(data.scheme, data.code, data.number, data.check_code))
    wrong = list(problems(identity))
    if wrong:
        raise InvalidInput("TAX_IDENTITY", "%(why)s", why=wrong[0], invoice_id=row.id)
    before = ctx.conn.execute(select(IDENTITY).where(IDENTITY.c.invoice_id == row.id)).one_or_none()
    ctx.conn.execute(delete(IDENTITY).where(IDENTITY.c.invoice_id == row.id))
    ctx.conn.execute(insert(IDENTITY), identity_row(row.id, identity, ctx.actor.user_id, ctx.now))
    known = known_as("", identity)
    if known is not None:
        # What the document itself said stays: nobody gives a paper another identity afterwards.
        unnamed = (INVOICE.c.id == row.id) & INVOICE.c.document_uuid.is_(None)
        ctx.conn.execute(update(INVOICE).where(unnamed).values(document_uuid=known))
    ctx.change(
        "tax_identity",
        row.id,
        {"scheme": before.scheme, "number": before.number} if before is not None else None,
        {"scheme": identity.scheme, "number": identity.number},
    )
    return {"invoice_id": row.id, **identity._asdict()}
