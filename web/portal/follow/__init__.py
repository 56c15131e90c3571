"""Follow the money: one order or invoice with everything that became of it, on one page."""

from web.portal.follow.blueprint import follow

__all__ = ["follow"]
