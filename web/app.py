"""The web application: the portal, the API and the three addresses that machines watch."""

import secrets
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import logging as log_settings
from config import settings
from scf.bootstrap import build, registries_in, tax_registers
from scf.db.platform import Platform
from scf.parties.ratelimit import Limit
from web import (
    assets,
    health,
    i18n,
    names,
    problems,
    refusals,
    second_factor,
    security,
    sessions,
    theme,
)
from web.api import v1
from web.context import Around, Options, install
from web.portal import portal, shell
from web.portal.account import account
from web.portal.admin import admin
from web.portal.anchor import anchor
from web.portal.books import books
from web.portal.chain import chain
from web.portal.connections import connections
from web.portal.follow import follow
from web.portal.mapping import mapping
from web.portal.officer import officer
from web.portal.own_accounts import own_accounts
from web.portal.reminders import reminders
from web.portal.supplier_finance import disclosure
from web.portal.treasurer import treasurer
from web.portal.uploads import uploads
from web.routing import Application
from web.strict_json import StrictJson

# What a request may carry at most; the upload of files asks for more on its own route.
MAX_BODY = 1_048_576
MAX_FORM_MEMORY = 262_144
MAX_FORM_PARTS = 200
STATIC_SECONDS = 3600


def create_app(platform: Platform, options: Options | None = None) -> Flask:
    """Build the application over a platform; two of them may run in one process.

    Without options, forms and sessions are signed by a key made for this process only.
    """
    options = options or Options(secret_key=secrets.token_hex(32))
    app = Application("web", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=options.secret_key,
        TRUSTED_HOSTS=list(options.trusted_hosts),
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.jinja_env.autoescape = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.json = StrictJson(app)
    with app.app_context():
        install(Around(platform, options))
    if options.behind_tls_proxy:
        # Exactly one proxy is believed, for the caller's address; scheme is gunicorn's to judge.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=1, x_proto=0, x_host=0, x_prefix=0
        )
    app.session_interface = sessions.ServerSessions()
    i18n.attach(app)
    refusals.attach(app)
    names.attach(app)
    theme.attach(app)
    shell.attach(app)
    second_factor.attach(app)
    health.attach(app)
    security.attach(app)
    problems.attach(app)
    assets.attach(app)
    app.register_blueprint(portal)
    app.register_blueprint(chain)
    app.register_blueprint(account)
    app.register_blueprint(admin)
    app.register_blueprint(officer)
    app.register_blueprint(treasurer)
    app.register_blueprint(uploads)
    app.register_blueprint(anchor)
    app.register_blueprint(connections)
    app.register_blueprint(books)
    app.register_blueprint(mapping)
    app.register_blueprint(own_accounts)
    app.register_blueprint(follow)
    app.register_blueprint(reminders)
    app.register_blueprint(disclosure)
    app.register_blueprint(v1.blueprint())
    return app


def from_settings() -> Flask:
    """Build the application that the settings describe; called in each worker process."""
    chosen = settings.load()
    log_settings.configure(chosen.log_level, chosen.log_format)
    mail = settings.load_mail_server(chosen)
    hosts = ("localhost", "127.0.0.1", "[::1]", chosen.host)
    options = Options(
        secret_key=settings.load_secret_key(chosen).decode("ascii"),
        trusted_hosts=(*hosts, *settings.host_names(chosen)),
        behind_tls_proxy=chosen.behind_tls_proxy,
        metrics_token=settings.load_metrics_token(chosen),
        api_calls=Limit(chosen.api_calls_per_minute, 60),
        may_be_demo=not chosen.is_production,
        webhook_loopback=chosen.webhook_loopback,
        mail_from=mail.sender if mail is not None else "",
    )
    registers = tax_registers(
        *settings.load_tax_registers(chosen), settings.demo_tax_office(chosen)
    )
    made = build(chosen.database_url, tax=registers, registries=registries_in(chosen))
    return create_app(made, options)
