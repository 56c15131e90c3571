"""The columns and indexes of an invoice by which its copies are found."""

from typing import Final

from sqlalchemy import text
from sqlmodel import SQLModel

from scf.db.types import OptCode, OptCount, SignedCount, index_where

_NO_ORDER: Final = text("order_canonical IS NULL")
_ORDER: Final = text("order_canonical IS NOT NULL")
_LINES: Final = text("lines_least IS NOT NULL")
_UUID: Final = text("document_uuid IS NOT NULL")
_PLACE: Final = ("place_key", "issue_on", "payable_minor")


class AlikeFields(SQLModel):
    """What two invoices of one claim share; all of it is worked out from the invoice itself."""

    place_key: SignedCount = 0  # of both firms and the band of the amount
    lines_print: OptCode = None
    lines_least: OptCount = None  # of an invoice with two lines or more, to find a part of it by
    lines_next: OptCount = None
    document_uuid: OptCode = None  # by which the paper is known in the world, if it says one


# An invoice stands in the first or the second: most are only held against those without an order.
ALIKE_INDEXES: Final = (
    index_where(_NO_ORDER, "ix_invoice_alike", *_PLACE),
    index_where(_ORDER, "ix_invoice_alike_ordered", *_PLACE),
    index_where(_ORDER, "ix_invoice_order", "order_canonical", "seller_id", "payable_minor"),
    index_where(_LINES, "ix_invoice_lines_least", "lines_least", "seller_id"),
    index_where(_LINES, "ix_invoice_lines_next", "lines_next", "seller_id"),
    index_where(_UUID, "ix_invoice_document_uuid", "document_uuid"),
)
