"""Version 1 of the JSON API: one file per resource over one shell.

``README.md`` beside this file says how to add a resource.
"""

from importlib import import_module

from flask import Blueprint

from web.api.v1 import openapi, shell

# Each module has a ``resource`` blueprint; the order is the order of the documentation.
RESOURCES = (
    "firms",
    "identity_cases",
    "firm_merges",
    "accounts",
    "users",
    "tokens",
    "uploads",
    "batches",
    "transfers",
    "orders",
    "receipts",
    "trade_messages",
    "invoices",
    "matching",
    "disputes",
    "duplicates",
    "credit_notes",
    "programmes",
    "limits",
    "risk_assessments",
    "risk_models",
    "risk_monitor",
    "quotes",
    "requests",
    "decisions",
    "cases",
    "counter_offers",
    "reviews",
    "authorities",
    "advances",
    "tax_checks",
    "chain",
    "over_advances",
    "provisions",
    "payment_files",
    "payments",
    "own_accounts",
    "payment_advices",
    "bank_statements",
    "bank_entries",
    "ledger",
    "periods",
    "exchange_rates",
    "account_statements",
    "journals",
    "account_mappings",
    "trails",
    "reports",
    "notices",
    "webhooks",
    "channels",
    "connected_systems",
    "jobs",
    "audit",
)


def blueprint() -> Blueprint:
    """Put the version together: the shell around every resource."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    shell.attach(api)
    for name in RESOURCES:
        api.register_blueprint(import_module(f"web.api.v1.{name}").resource)
    openapi.attach(api)
    return api


__all__ = ["RESOURCES", "blueprint"]
