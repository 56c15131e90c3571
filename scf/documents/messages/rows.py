"""From a message as read to the row that keeps it."""

from collections.abc import Mapping
from typing import Any, Final

from scf.documents.articles import items_json
from scf.documents.quantities import to_micro
from scf.documents.rows import Draft, about_an_order, named_invoices

MAX_NOTE: Final = 2000


def message_row(made: Draft, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row of what was said about an order or about invoices."""
    document = made.document
    return {
        **about_an_order(made),
        "kind": document.kind.value,
        "word": document.word or None,
        "sequence": document.sequence,
        "amount_minor": document.payable_minor or 0,
        "lines": [
            {
                # What changes or answers an order numbers its lines as the order does.
                "order_line": line.order_line or line.line_id,
                "item": line.item_name,
                "items": items_json(line),
                "unit": line.unit,
                "quantity_micro": to_micro(line.quantity),
                "net_minor": line.net_minor,
                "word": str(line.word),
                "invoice": line.invoice_reference,
            }
            for line in document.lines
        ],
        "named_invoices": named_invoices(document),
        "note": " ".join(document.notes)[:MAX_NOTE],
        **origin,
    }
