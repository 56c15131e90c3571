"""The blueprint of the treasurer's pages, and who may open them."""

from flask import Blueprint

from scf.parties.access import authorise
from web.context import actor

treasurer = Blueprint("treasurer", __name__, url_prefix="/treasurer")


@treasurer.before_request
def _only_treasurers() -> None:
    authorise(actor(), "quote.make")
