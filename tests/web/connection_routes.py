"""The routes of connections as expected: pages, and the API with body and thing."""

from typing import Any

from scf.kernel.actor import Role
from tests.web.route_kinds import Api, Open, Portal

PAGES: tuple[tuple[str, str], ...] = (
    ("GET", "/"),
    ("GET", "/webhooks/new"),
    ("POST", "/webhooks"),
    ("GET", "/webhooks/<webhook_id>"),
    ("POST", "/webhooks/<webhook_id>/state"),
    ("POST", "/webhooks/<webhook_id>/events"),
    ("POST", "/webhooks/<webhook_id>/try"),
    ("POST", "/webhooks/<webhook_id>/replay"),
    ("POST", "/webhooks/<webhook_id>/secret"),
    ("GET", "/channels/new"),
    ("POST", "/channels"),
    ("GET", "/channels/<channel_id>"),
    ("POST", "/channels/<channel_id>/state"),
    ("POST", "/channels/<channel_id>/secret"),
    ("GET", "/erp/new"),
    ("POST", "/erp"),
    ("GET", "/erp/<connection_id>"),
    ("POST", "/erp/<connection_id>/state"),
    ("POST", "/erp/<connection_id>/sync"),
    ("POST", "/erp/<connection_id>/mapping"),
    ("POST", "/erp/<connection_id>/password"),
)
ADDRESS = {"url": "https://erp.example.com/x", "events": ["over_advance.opened"]}
RESOURCES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("GET", "/webhooks", {}, ""),
    ("POST", "/webhooks", ADDRESS, ""),
    ("GET", "/webhooks/<webhook_id>", {}, "webhook"),
    ("GET", "/webhooks/<webhook_id>/deliveries", {}, "webhook"),
    ("POST", "/webhooks/<webhook_id>/change", {"state": "PAUSED"}, "webhook"),
    ("POST", "/webhooks/<webhook_id>/rotate", {}, "webhook"),
    ("POST", "/webhooks/<webhook_id>/replay", {"since": "2026-03-01T00:00:00Z"}, "webhook"),
    ("POST", "/webhooks/<webhook_id>/test", {}, "webhook"),
    ("GET", "/channels", {}, ""),
    ("GET", "/channels/<channel_id>/files", {}, "channel"),
    ("GET", "/connected-systems", {}, ""),
    ("GET", "/connected-systems/<connection_id>", {}, "connection"),
    ("GET", "/connected-systems/<connection_id>/rounds", {}, "connection"),
    ("POST", "/connected-systems/<connection_id>/sync", {"again": True}, "connection"),
)


def connectors(rule: str) -> frozenset[Role]:
    """Give who keeps connections; the ways in are those people's who hand documents in."""
    senders = frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})
    return (
        senders
        if rule.startswith(("/channels", "/erp", "/connected-systems"))
        else senders | {Role.ADMINISTRATOR}
    )


EXPECTED: dict[tuple[str, str], Api | Portal | Open] = {
    **{
        (method, f"/connections{rule}"): Portal(signed_in=True, roles=connectors(rule))
        for method, rule in PAGES
    },
    **{
        (method, f"/api/v1{rule}"): Api(connectors(rule), body, thing)
        for method, rule, body, thing in RESOURCES
    },
    ("POST", "/api/v1/channels/<channel_id>/messages"): Open(),
}
