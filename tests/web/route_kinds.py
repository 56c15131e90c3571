"""What can be expected of a route, and who may see the objects that stand in their addresses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scf.kernel.actor import Role

TRADERS = frozenset({Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
BANK = OFFICERS | {Role.HEAD_OFFICE}
ADMIN = frozenset({Role.ADMINISTRATOR})
TREASURER = frozenset({Role.TREASURER})
EVERYBODY = TRADERS | BANK | ADMIN


@dataclass(frozen=True)
class Person:
    """Somebody of the matrix's world, by organisation and role."""

    name: str
    org: str
    role: Role

    @property
    def is_bank(self) -> bool:
        """Whether the person works for a financier."""
        return self.org.startswith("bank")


@dataclass(frozen=True)
class Api:
    """A route of the API.

    ``thing`` names the kind of object whose id stands in the path or, as ``{firm}``, in the body;
    ``raw`` is sent instead of a body where a file is taken, ``query`` beside it;
    ``refused`` tells who sees it and has the role, and still may not do this to it.
    """

    roles: frozenset[Role]
    body: dict[str, Any] = field(default_factory=dict)
    thing: str = ""
    versioned: bool = False
    raw: bytes = b""
    query: str = ""
    refused: Callable[[Person], bool] = lambda _who: False


@dataclass(frozen=True)
class Portal:
    """A page: ``signed_in`` ones send everybody else to the sign-in page.

    ``gate`` ones are steps between the password and the session: nobody comes to them otherwise.
    Who is signed in without one of the ``roles`` is told so, before anything else.
    ``roles`` may open it; ``thing`` names the kind of object whose id stands in the address.
    """

    signed_in: bool
    form: dict[str, str] = field(default_factory=dict)
    gate: bool = False
    roles: frozenset[Role] = EVERYBODY
    thing: str = ""


@dataclass(frozen=True)
class Open:
    """A route that says the same to everybody."""


# Who may see the object of each kind that the matrix's world holds.
VISIBLE: dict[str, Callable[[Person], bool]] = {
    # invited by anchor-x: known to it, and to banks as every firm is
    "firm": lambda who: who.org == "anchor-x" or who.is_bank,
    "account": lambda who: (
        who.org == "anchor-x" or (who.is_bank and who.role is not Role.ADMINISTRATOR)
    ),
    "own_account": lambda who: who.org == "anchor-x",
    "user": lambda who: (
        who.org == "anchor-x"
        and (who.role is Role.ADMINISTRATOR or who.name == "anchor-x-treasurer")
    ),
    "token": lambda who: (
        who.org == "anchor-x"
        and (who.role is Role.ADMINISTRATOR or who.name == "anchor-x-treasurer")
    ),
    "job": lambda who: who.org == "bank-a",
    "webhook": lambda who: who.org == "anchor-x",
    "channel": lambda who: who.org == "anchor-x",
    "connection": lambda who: who.org == "anchor-x",
    "programme": lambda who: who.org in {"bank-a", "anchor-x"},
    # supplier-x sold to anchor-x and is financed by bank-a
    **dict.fromkeys(
        ("order", "receipt", "trade_message", "credit_note", "pack"),
        lambda who: who.org in {"supplier-x", "anchor-x"},
    ),
    "finding": lambda who: who.org in {"anchor-x", "bank-a"},  # its financier says who it is
    "invoice": lambda who: who.org in {"supplier-x", "anchor-x", "bank-a"},
    "dispute": lambda who: who.org in {"supplier-x", "anchor-x", "bank-a"},
    "own_invoice": lambda who: who.org == "supplier-x",
    "upload": lambda who: who.org == "supplier-x",
    # who sends it, and not even a colleague
    "transfer": lambda who: who.name == "supplier-x-treasurer",
    "assessment": lambda who: who.org == "bank-a",
    "quote": lambda who: who.org in {"supplier-x", "bank-a"},
    "request": lambda who: who.org in {"supplier-x", "bank-a"},
    "advance": lambda who: who.org in {"supplier-x", "bank-a"},
    "payment": lambda who: who.org in {"supplier-x", "bank-a"},
    "decision": lambda who: who.org == "bank-a",
    # no trader gets as far as looking for one
    "officer": lambda who: who.org == "bank-a" or not who.is_bank,
    "counter_offer": lambda who: who.org in {"supplier-x", "bank-a"},
    "suspicion": lambda who: who.org in {"bank-a", "anchor-x"},
    # its chain; a bank is told when the firm is in none of its own
    "chain_firm": lambda who: who.org == "supplier-x" or who.is_bank,
    **dict.fromkeys(
        (
            "limit",
            "fixing",
            "period",
            "publication",
            "provision_proposal",
            "model",
            "model_alarm",
            "review",
            "payment_file",
            "bank_statement",
            "bank_entry",
            "advice_paper",
            "alert",
            "vouch",
        ),
        lambda who: who.org == "bank-a",
    ),
    # the acceptance of the invoice, in the book of who accepted it
    **dict.fromkeys(("ledger_account", "ledger_entry"), lambda who: who.org == "anchor-x"),
    "merge": lambda who: who.is_bank,
    "reminder": lambda who: who.org in {"anchor-x", "bank-a"},
    "over_advance": lambda who: who.org in {"supplier-x", "bank-a"},
}
