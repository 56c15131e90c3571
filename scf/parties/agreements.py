"""Which firms a financier has a programme with, for the slices below the programmes.

Programmes belong to a later slice, so their table is named here, once, and not imported.
"""

from typing import Final

from sqlalchemy import column, table

PROGRAMME: Final = table(
    "programme",
    column("financier_id"),
    column("anchor_id"),
    column("seller_id"),
    column("state"),
)
