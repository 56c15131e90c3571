"""Odoo behind the port of every make: pull orders and invoices, push entries, marks and payees."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp import odoodocs, odoowrites
from scf.channels.erp.odoo import Odoo
from scf.channels.erp.port import PUSHES, Make, Mark, Move, Record, Results
from scf.channels.erp.rest import an_hour_before
from scf.channels.erp.wire import readable
from scf.notices.webhooks.targets import Targets


class OdooErp:
    """An Odoo that a key was accepted by."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo

    def own_party(self) -> str:
        """Give the name of the company that is asked."""
        return self.odoo.company_name

    def changed(
        self, stream: str, since: str | None, after: str, limit: int, own: Mapping[str, Any]
    ) -> list[Record]:
        """Give changed records by id."""
        with readable():
            reading = odoodocs.Reading(self.odoo, own)
            return reading.page(stream, since, int(after or 0), limit)

    def overlap(self, high: str) -> str:
        """Give from where the next pass reads."""
        return an_hour_before(high)

    def there(self, descriptions: Sequence[str]) -> set[str]:
        """Tell which entries are there."""
        with readable():
            return odoowrites.references_of(self.odoo, descriptions)

    def post(self, moves: Sequence[Move], journal: str) -> Results:
        """Make entries and post them, each once."""
        with readable():
            return odoowrites.Books(self.odoo, journal).take(moves)

    def mark(self, marks: Sequence[Mark]) -> Results:
        """Say on invoices that they were financed, each once."""
        with readable():
            return odoowrites.mark(self.odoo, marks)

    def change_payee(self, marks: Sequence[Mark], party: str, journal: str) -> Results:
        """Let what is still open on bills be owed to another partner."""
        with readable():
            books = odoowrites.Books(self.odoo, journal)
            return odoowrites.change_payee(self.odoo, books, marks, party)


def sign_in(targets: Targets, connection: Any, password: str) -> OdooErp:  # noqa: ANN401 - a row
    """Reach the Odoo of a connection; its password is the user's API key.

    Raises
    ------
    NotReached
        When nobody answers there.
    Refused
        When it does not let us in.
    """
    odoo = Odoo(targets, connection.url, connection.database, connection.username, password)
    with readable():
        odoo.sign_in()
    return OdooErp(odoo)


ODOO: Final = Make("ODOO", "Odoo", sign_in, pushes=PUSHES, has_databases=True)
