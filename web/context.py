"""What a request finds around it: the platform, the instant, and who asks."""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from flask import current_app, g

from scf.db.platform import Platform
from scf.kernel.actor import Actor
from scf.kernel.errors import NotSignedIn
from scf.notices.webhooks.targets import Targets
from scf.parties.factors.vault import Vault
from scf.parties.mark import is_demo
from scf.parties.ratelimit import Limit, Meter
from scf.parties.sessions import Lifetimes

_KEY = "tributary"
_API_CALLS = Limit(tries=3_000, seconds=60)
_UNKNOWN_TOKENS = Limit(tries=300, seconds=900)


@dataclass(frozen=True)
class Options:
    """How this process serves; ``web.app`` fills it from the settings.

    Attributes
    ----------
    trusted_hosts
        Names under which the platform may be called; any other ``Host`` is refused.
    behind_tls_proxy
        One proxy on this machine speaks TLS and sets ``X-Forwarded-For``.
    metrics_token
        Bearer token that may read ``/metrics``; without one, only this machine may.
    api_calls
        How often one token may call the API.
    unknown_tokens
        How often one address may try a token that nobody has.
    may_be_demo
        Not in production: the sign-in page of a demo world says where its codes come from.
    webhook_loopback
        Never in production: webhooks may be sent to this very machine.
    mail_from
        Address that e-mail comes from; empty where none is sent.
    """

    secret_key: str
    trusted_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    behind_tls_proxy: bool = False
    metrics_token: str = ""
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    api_calls: Limit = _API_CALLS
    unknown_tokens: Limit = _UNKNOWN_TOKENS
    may_be_demo: bool = False
    webhook_loopback: bool = False
    mail_from: str = ""


@dataclass(frozen=True)
class Around:
    """What one application serves."""

    platform: Platform
    options: Options
    meter: Meter = field(default_factory=Meter)

    @cached_property
    def vault(self) -> Vault:
        """What seals secrets at rest, under the key of the settings."""
        return Vault(self.options.secret_key.encode())


def install(around: Around) -> None:
    """Make the platform reachable from the requests of the current application."""
    current_app.extensions[_KEY] = around


def around() -> Around:
    """Return what the current application serves."""
    return cast("Around", current_app.extensions[_KEY])


def platform() -> Platform:
    """Return the platform behind the current application."""
    return around().platform


def demo_world() -> bool:
    """Whether this is a demo world, whose codes the command line prints; never in production."""
    if not around().options.may_be_demo:
        return False
    with platform().db.snapshot() as conn:
        return is_demo(conn)


def targets() -> Targets:
    """Return which addresses this installation calls."""
    return Targets(loopback=around().options.webhook_loopback)


def vault() -> Vault:
    """Return what seals secrets at rest."""
    return around().vault


def now() -> dt.datetime:
    """Return the instant of the injected clock."""
    return platform().clock.now()


def set_actor(actor: Actor) -> None:
    """Remember who asks, for the rest of the request."""
    g.actor = actor


def actor() -> Actor:
    """Return who asks.

    Raises
    ------
    NotSignedIn
        When nobody was recognised.
    """
    who = g.get("actor")
    if who is None:
        raise NotSignedIn("SIGN_IN_FIRST", "Sign in first.")
    return cast("Actor", who)
