"""Pages on the ways between the firm and its other systems: channels in, webhooks out."""

from web.portal.connections import channels, overview, webhooks
from web.portal.connections.blueprint import connections

__all__ = ["channels", "connections", "overview", "webhooks"]
