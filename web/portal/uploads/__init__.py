"""Files handed in by traders: drop, check, confirm, put right. Used by anchor and treasurer."""

from web.portal.uploads import check, fixing, receiving, report
from web.portal.uploads.blueprint import uploads

__all__ = ["check", "fixing", "receiving", "report", "uploads"]
