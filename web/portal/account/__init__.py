"""What a person keeps about the own sign-in: factors, sessions, password, tokens, e-mail."""

from web.portal.account import factors, mail, overview, tokens
from web.portal.account.blueprint import account

__all__ = ["account", "factors", "mail", "overview", "tokens"]
