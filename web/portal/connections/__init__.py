"""Pages on the ways between the firm and its other systems: channels in, webhooks out, ERPs."""

from web.portal.connections import channels, erp, overview, webhooks
from web.portal.connections.blueprint import connections

__all__ = ["channels", "connections", "erp", "overview", "webhooks"]
