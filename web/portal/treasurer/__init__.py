"""The treasurer's pages: what she can receive today, her invoices, requests and payments."""

from web.portal.treasurer import (
    appeals,
    confirm,
    disputes,
    forecast,
    home,
    invoices,
    payments,
    requests,
    settings,
    taxes,
)
from web.portal.treasurer.blueprint import treasurer

__all__ = [
    "appeals",
    "confirm",
    "disputes",
    "forecast",
    "home",
    "invoices",
    "payments",
    "requests",
    "settings",
    "taxes",
    "treasurer",
]
