"""A platform with an anchor and its suppliers, made by the product's own commands."""

import datetime as dt
from collections.abc import Sequence

from scf.bootstrap import build, create_schema
from scf.db.platform import Platform
from scf.documents.intake import run_upload
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from tests.performance.papers import ANCHOR, ORDER_MAPPING, Firm

NOON = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)


def open_trade(url: str, firms: Sequence[Firm]) -> tuple[Platform, Actor]:
    """Make the firms known and ACTIVE; gives the platform and the anchor's clerk."""
    create_schema(url)
    platform = build(url, clock=FixedClock(NOON))
    anchor = ""
    for firm in (ANCHOR, *firms):
        made = platform.run(
            "firm.add",
            {
                "name": firm.name,
                "country": "DE",
                "identifiers": [{"scheme": "lei", "value": firm.lei}],
            },
            OPERATOR,
            key=f"add:{firm.lei}",
        ).result
        platform.run(
            "firm.activate",
            {"firm_id": made["id"], "evidence": "part of the benchmark"},
            OPERATOR,
            key=f"activate:{firm.lei}",
        )
        anchor = anchor or str(made["id"])
    return platform, Actor("u-clerk", anchor, frozenset({Role.ANCHOR_CLERK}))


def import_orders(platform: Platform, clerk: Actor, table: bytes) -> int:
    """Import a table of orders; gives how many were stored."""
    received = platform.run(
        "upload.receive",
        {
            "name": "orders.csv",
            "content": table,
            "format": "csv",
            "document_type": "order",
            "mapping": ORDER_MAPPING,
        },
        clerk,
        key="orders",
    ).result
    return int(run_upload(platform, received["upload_id"])["stored"])
