"""What a person keeps about the own sign-in: factors, sessions, password, tokens, history."""

from web.portal.account import factors, overview, tokens
from web.portal.account.blueprint import account

__all__ = ["account", "factors", "overview", "tokens"]
