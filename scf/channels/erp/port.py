"""What a connector to one make of system offers; the rounds know nothing else of it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, runtime_checkable

from scf.kernel.findings import shown
from scf.notices.webhooks.targets import Targets

Pull = Literal["PARTIES", "PURCHASES", "SALES", "SUPPLIER_INVOICES", "CUSTOMER_INVOICES"]
Push = Literal["JOURNAL", "FINANCED", "PAYEE"]
# In the order in which a round goes through them.
PULLS: Final[tuple[Pull, ...]] = (
    "PARTIES", "PURCHASES", "SALES", "SUPPLIER_INVOICES", "CUSTOMER_INVOICES",
)  # fmt: skip
PUSHES: Final[tuple[Push, ...]] = ("JOURNAL", "FINANCED", "PAYEE")


@dataclass(frozen=True)
class Record:
    """One record as it is there.

    ``remote_id`` is a number in some makes and a name in others, and by it a pass goes on.
    ``document`` is its canonical JSON, none for a party or for what cannot be read: then
    ``problem`` says why. ``changed`` is the instant of its last change by the ERP's own clock.

    Attributes
    ----------
    changed_document
        What says of a document that is here already that it now is another; sent in its place.
    answers
        What else is said of the document, each sent once. These two are numbered and dated here.
    stamp, whole
        Of a record whose rest is costly to read: what tells it from itself as it was, and what
        reads the rest; called only when the stamp is another than before.
    """

    remote_id: str
    changed: str
    label: str
    document: Mapping[str, Any] | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    problem: str | None = None
    said: str = ""
    changed_document: Mapping[str, Any] | None = None
    answers: Sequence[Mapping[str, Any]] = ()
    stamp: str = ""
    whole: "Callable[[], Record] | None" = None


@dataclass(frozen=True)
class MoveLine:
    """One line of a move: positive is a debit, in minor units of the move's currency."""

    account: str
    party: str | None
    amount_minor: int


@dataclass(frozen=True)
class Move:
    """An entry of ours as a move of theirs; the same entry always has the same description."""

    entry_id: str
    on: dt.date
    currency: str
    text: str
    lines: Sequence[MoveLine]

    @property
    def description(self) -> str:
        """By which it is found there again."""
        return described(self.text, self.entry_id)


def described(text: str, entry_id: str) -> str:
    """Give the description of the move that an entry becomes, the same every time."""
    return f"{shown(text, 120)} · {entry_id}"


@dataclass(frozen=True)
class Mark:
    """An invoice that was financed: which one there, and what to say on it."""

    advance_id: str
    remote_id: str
    text: str


@dataclass
class Results:
    """What became of several writes, each by its subject: what it is there, or a refusal."""

    done: dict[str, str] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)


class Source(Protocol):
    """A system that somebody has signed in to, and that is read."""

    def own_party(self) -> str:
        """Give the name of the company that is asked."""
        ...

    def changed(
        self, stream: str, since: str | None, after: str, limit: int, own: Mapping[str, Any]
    ) -> list[Record]:
        """Give records changed at or after an instant, by id behind ``after``, at most so many.

        ``own`` is the firm as documents name it.
        """
        ...

    def overlap(self, high: str) -> str:
        """Give from where the next pass reads, after one that saw changes up to ``high``."""
        ...


@runtime_checkable
class Erp(Source, Protocol):
    """A source that keeps books, into which is written as well."""

    def there(self, descriptions: Sequence[str]) -> set[str]:
        """Tell which of these are descriptions of moves there, whoever made them."""
        ...

    def post(self, moves: Sequence[Move], journal: str) -> Results:
        """Make moves and post them, each once, however often this is called."""
        ...

    def mark(self, marks: Sequence[Mark]) -> Results:
        """Say on invoices that they were financed, each once."""
        ...

    def change_payee(self, marks: Sequence[Mark], party: str, journal: str) -> Results:
        """Let what is still open on invoices be owed to another party."""
        ...


@dataclass(frozen=True)
class Make:
    """A make of system, and what it can do: forms, commands and rounds ask this, never a name.

    Attributes
    ----------
    kind
        As connections keep it.
    name
        Its own name, as pages show it.
    sign_in
        Reaches the system of a connection; raises NotReached when nobody answers there, Refused
        when it does not let us in.
    pulls, pushes
        What can be read there and written there. Where anything is written, ``sign_in`` gives an
        ``Erp``, with a journal, a table of account numbers (in ``scf.accounting.mapping.systems``
        under the kind in small letters) and the party code of a financier.
    has_databases
        One address serves several databases or companies, so a connection names one.
    journal
        Where entries go when nobody names a journal.
    """

    kind: str
    name: str
    sign_in: Callable[[Targets, Any, str], Source]
    pulls: tuple[Pull, ...] = PULLS
    pushes: tuple[Push, ...] = ()
    has_databases: bool = False
    journal: str = "MISC"
