"""The picture of a chain as inline SVG, drawn on the server, and the table that says the same."""

from collections.abc import Collection

from flask import get_template_attribute
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from scf.chain.picture import Picture

MACROS = "macros/chain.html"


def chain_svg(picture: Picture, highlight: Collection[str] = ()) -> Markup:
    """Draw a picture; firms of ``highlight`` stand out beside those that the picture says.

    The same picture gives the same text.
    """
    drawn: Markup = get_template_attribute(MACROS, "chain_svg")(picture, frozenset(highlight))
    return drawn


def chain_table(picture: Picture) -> Markup:
    """Write the firms of a picture as a table, in the order in which they are drawn."""
    made: Markup = get_template_attribute(MACROS, "chain_table")(picture)
    return made


def level_name(level: int, *, centred: bool = False, mixed: bool = False) -> str:
    """Return the heading of a column."""
    if centred:
        if level == 0:
            return str(_("This firm"))
        if level > 0:
            return str(ngettext("Suppliers, %(num)d step", "Suppliers, %(num)d steps", level))
        return str(ngettext("Customers, %(num)d step", "Customers, %(num)d steps", -level))
    if level == 0:
        return str(_("Anchors, other buyers")) if mixed else str(_("Anchors"))
    if level > 0:
        return str(_("Tier %(number)d", number=level))
    return str(_("Dealers %(number)d", number=-level))
