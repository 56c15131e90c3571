"""ERPNext behind the port of every make: pull orders and invoices, push entries and marks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp import erpnextdocs, erpnextwrites
from scf.channels.erp.erpnext import ErpNext
from scf.channels.erp.port import PUSHES, Make, Mark, Move, Record, Results
from scf.channels.erp.rest import an_hour_before
from scf.channels.erp.wire import readable
from scf.notices.webhooks.targets import Targets


class ErpNextErp:
    """An ERPNext that a token was accepted by."""

    def __init__(self, erpnext: ErpNext) -> None:
        self.erpnext = erpnext

    def own_party(self) -> str:
        """Give the name of the company that is asked."""
        return self.erpnext.company

    def changed(
        self, stream: str, since: str | None, after: str, limit: int, own: Mapping[str, Any]
    ) -> list[Record]:
        """Give changed records by name."""
        with readable():
            return erpnextdocs.Reading(self.erpnext, own).page(stream, since, after, limit)

    def overlap(self, high: str) -> str:
        """Give from where the next pass reads."""
        return an_hour_before(high)

    def there(self, descriptions: Sequence[str]) -> set[str]:
        """Tell which entries are there."""
        with readable():
            return erpnextwrites.descriptions_of(self.erpnext, descriptions)

    def post(self, moves: Sequence[Move], journal: str) -> Results:
        """Make journal entries and submit them, each once."""
        with readable():
            return erpnextwrites.Books(self.erpnext, journal).take(moves)

    def mark(self, marks: Sequence[Mark]) -> Results:
        """Say on invoices that they were financed, each once."""
        with readable():
            return erpnextwrites.mark(self.erpnext, marks)

    def change_payee(self, marks: Sequence[Mark], party: str, journal: str) -> Results:
        """Let what is still open on invoices be owed to another supplier."""
        with readable():
            books = erpnextwrites.Books(self.erpnext, journal)
            return erpnextwrites.change_payee(books, marks, party)


def sign_in(targets: Targets, connection: Any, password: str) -> ErpNextErp:  # noqa: ANN401 - a row
    """Reach the ERPNext of a connection; its user is the API key, its password the secret.

    Raises
    ------
    NotReached
        When nobody answers there.
    Refused
        When it does not let us in.
    """
    erpnext = ErpNext(targets, connection.url, connection.database, connection.username, password)
    with readable():
        erpnext.sign_in()
    return ErpNextErp(erpnext)


ERPNEXT: Final = Make(
    "ERPNEXT", "ERPNext", sign_in, pushes=PUSHES, has_databases=True, journal="Journal Entry"
)
