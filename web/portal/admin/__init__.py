"""What an administrator keeps for the own organisation: people, tokens, the trail, sign-ins."""

from web.portal.admin import audit, authorities, registry, sign_ins, tokens, users
from web.portal.admin.blueprint import admin

__all__ = ["admin", "audit", "authorities", "registry", "sign_ins", "tokens", "users"]
