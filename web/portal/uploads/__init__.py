"""Files handed in by traders: drop, check, confirm, put right. Used by anchor and treasurer."""

from web.portal.uploads import blank, check, fixing, receiving, report, sending, typed
from web.portal.uploads.blueprint import uploads

__all__ = ["blank", "check", "fixing", "receiving", "report", "sending", "typed", "uploads"]
