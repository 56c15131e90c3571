"""Account numbers: what a firm's accounts are called in its own systems."""

from flask import Blueprint

from scf.accounting.mapping.commands import SetMapping
from scf.accounting.mapping.reading import numbers_of, tables_of
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.context import actor

resource = Blueprint("account_mappings", __name__)


class AccountMappingOut(Answer):
    """The table for one system: our code → its number; version 0 was never written.

    ``parties`` names the party for accounts there that want one.
    """

    system: str
    version: int
    accounts: dict[str, str]
    details: dict[str, str]
    parties: dict[str, str]


class AccountMappingList(Answer):
    """The tables of your organisation: one a system, and its further ones."""

    items: list[AccountMappingOut]


@endpoint(
    resource, "GET", "/account-mappings", action="mapping.read", answer=AccountMappingList
)  # fmt: skip
def list_mappings() -> AccountMappingList:
    """Read which number each account has in every system that is known."""
    with reader() as session:
        conn, org_id = session.connection(), actor().org_id
        found = [numbers_of(conn, org_id, name) for name in tables_of(conn, org_id)]
    items = [
        AccountMappingOut(
            system=one.system,
            version=one.version,
            accounts=dict(one.accounts),
            details=dict(one.details),
            parties=dict(one.parties),
        )
        for one in found
    ]
    return AccountMappingList(items=items)


@endpoint(resource, "PUT", "/account-mappings", action="mapping.set", answer=AccountMappingOut)
def set_mapping(json: SetMapping) -> AccountMappingOut:
    """Write the whole table of one system; ``version`` is the one you looked at, 0 at first."""
    return AccountMappingOut(**run("mapping.set", json).result)
