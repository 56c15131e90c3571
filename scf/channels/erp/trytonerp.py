"""Tryton behind the port: what a round asks of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp import trytondocs, trytonwrites
from scf.channels.erp.port import PUSHES, Make, Mark, Move, Record, Results
from scf.channels.erp.tryton import Tryton
from scf.channels.erp.wire import readable
from scf.notices.webhooks.targets import Targets


class TrytonErp:
    """A Tryton that somebody has signed in to."""

    def __init__(self, tryton: Tryton) -> None:
        self.tryton = tryton

    def own_party(self) -> str:
        """Give the name of the company that is asked."""
        return str(self.tryton.context.get("company.rec_name") or "")

    def changed(
        self, stream: str, since: str | None, after: str, limit: int, own: Mapping[str, Any]
    ) -> list[Record]:
        """Give changed records by id."""
        at = trytonwrites.instant(since)
        with readable():
            return trytondocs.Reading(self.tryton, own).page(stream, at, int(after or 0), limit)

    def overlap(self, high: str) -> str:
        """Give from where the next pass reads."""
        return trytondocs.before(high)

    def there(self, descriptions: Sequence[str]) -> set[str]:
        """Tell which moves are there."""
        with readable():
            return trytonwrites.descriptions_of(self.tryton, descriptions)

    def post(self, moves: Sequence[Move], journal: str) -> Results:
        """Make moves and post them, each once."""
        with readable():
            return trytonwrites.Books(self.tryton, journal).post(moves)

    def mark(self, marks: Sequence[Mark]) -> Results:
        """Say on invoices that they were financed, each once."""
        with readable():
            return trytonwrites.mark(self.tryton, marks)

    def change_payee(self, marks: Sequence[Mark], party: str, journal: str) -> Results:
        """Let what is still open on invoices be owed to another party."""
        with readable():
            books = trytonwrites.Books(self.tryton, journal)
            return trytonwrites.change_payee(self.tryton, books, marks, party)


def sign_in(targets: Targets, connection: Any, password: str) -> TrytonErp:  # noqa: ANN401 - a row
    """Reach the Tryton of a connection.

    Raises
    ------
    NotReached
        When nobody answers there.
    Refused
        When it does not let us in.
    """
    tryton = Tryton(targets, connection.url, connection.database, connection.username, password)
    with readable():
        tryton.sign_in()
    return TrytonErp(tryton)


TRYTON: Final = Make("TRYTON", "Tryton", sign_in, pushes=PUSHES, has_databases=True)
