"""The columns of orders and invoices by which they are matched."""

from sqlmodel import SQLModel

from scf.db.types import Count, OptCode, OptJson, OptPpm, OptText, SignedMinor, Text


class ArticleFields(SQLModel):
    """What a line says of its article: whose number of it, what it is called, its rate of tax."""

    line_ref: Text
    item: Text
    item_seller: OptText = None
    item_buyer: OptText = None
    item_standard: OptText = None
    unit: OptCode
    tax_ppm: OptPpm = None


class PlaceFields(SQLModel):
    """What an invoice line takes of its order line, in that line's unit.

    ``paired_by`` says by what sign the two were found to be one: number, item, name or only.
    """

    paired_by: OptCode = None
    counted_micro: Count = 0
    counted_minor: SignedMinor = 0
    credited_micro: Count = 0  # what credit notes gave back of it
    credited_minor: SignedMinor = 0


class MatchFields(SQLModel):
    """How much an invoice was matched with, by which tolerances, and in what it differs."""

    match_mode: OptCode = None
    match_rules: OptJson = None
    variances: OptJson = None
    counted_minor: SignedMinor = 0  # what it takes of its order
