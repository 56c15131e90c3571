"""What is expected of every route: who may call it, with what, and who may see its object.

Declared apart from the product's own tables on purpose: a route, a role or an object that changes
there and not here fails the matrix.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scf.kernel.actor import Role

TRADERS = frozenset({Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
BANK = OFFICERS | {Role.HEAD_OFFICE}
ADMIN = frozenset({Role.ADMINISTRATOR})
EVERYBODY = TRADERS | BANK | ADMIN
API = "/api/v1"


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
    ``refused`` tells who sees it and has the role, and still may not do this to it.
    """

    roles: frozenset[Role]
    body: dict[str, Any] = field(default_factory=dict)
    thing: str = ""
    versioned: bool = False
    refused: Callable[[Person], bool] = lambda _who: False


@dataclass(frozen=True)
class Portal:
    """A page: ``signed_in`` ones send everybody else to the sign-in page."""

    signed_in: bool
    form: dict[str, str] = field(default_factory=dict)


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
    "user": lambda who: (
        who.org == "anchor-x"
        and (who.role is Role.ADMINISTRATOR or who.name == "anchor-x-treasurer")
    ),
    "token": lambda who: (
        who.org == "anchor-x"
        and (who.role is Role.ADMINISTRATOR or who.name == "anchor-x-treasurer")
    ),
    "job": lambda who: who.org == "bank-a",
    "programme": lambda who: who.org in {"bank-a", "anchor-x"},
}

EVIDENCE = {"evidence": "seen with my own eyes"}
REASON = {"reason": "because it must be"}

ROUTES: dict[tuple[str, str], Api | Portal | Open] = {
    ("GET", "/healthz"): Open(),
    ("GET", "/readyz"): Open(),
    ("GET", "/metrics"): Open(),
    ("GET", "/static/<path:filename>"): Open(),
    ("GET", f"{API}/openapi.json"): Open(),
    # --- portal
    ("GET", "/"): Portal(signed_in=True),
    ("GET", "/sign-in"): Portal(signed_in=False),
    ("POST", "/sign-in"): Portal(signed_in=False, form={"email": "a@b.example", "password": "x"}),
    ("POST", "/sign-out"): Portal(signed_in=True),
    ("POST", "/language"): Portal(signed_in=False, form={"language": "zh"}),
    # --- firms
    ("GET", f"{API}/firms"): Api(EVERYBODY),
    ("GET", f"{API}/firms/<firm_id>"): Api(EVERYBODY, thing="firm"),
    ("POST", f"{API}/firms"): Api(EVERYBODY, {"name": "Somebody New"}),
    ("POST", f"{API}/firms/<firm_id>/identifiers"): Api(
        OFFICERS, {"identifiers": [{"scheme": "id", "value": "K-1"}]}, "firm"
    ),
    ("POST", f"{API}/firms/<firm_id>/activate"): Api(OFFICERS, EVIDENCE, "firm", versioned=True),
    ("POST", f"{API}/firms/<firm_id>/suspend"): Api(OFFICERS, REASON, "firm", versioned=True),
    # --- accounts
    ("GET", f"{API}/accounts"): Api(BANK | ADMIN | {Role.TREASURER}),
    ("POST", f"{API}/accounts"): Api(
        ADMIN | {Role.TREASURER, Role.OFFICER_MAKER},
        {"firm_id": "{firm}", "iban": "GB29NWBK60161331926819", "currency": "GBP"},
        "firm",
        # the firm is only invited by them: accounts of other firms are an officer's to add
        refused=lambda who: who.role is not Role.OFFICER_MAKER,
    ),
    ("POST", f"{API}/accounts/<account_id>/verify"): Api(OFFICERS, EVIDENCE, "account"),
    ("DELETE", f"{API}/accounts/<account_id>"): Api(
        OFFICERS | ADMIN | {Role.TREASURER}, thing="account"
    ),
    # --- people
    ("GET", f"{API}/users"): Api(EVERYBODY),
    ("GET", f"{API}/users/me"): Api(EVERYBODY),
    ("GET", f"{API}/users/<user_id>"): Api(EVERYBODY, thing="user"),
    ("POST", f"{API}/users"): Api(
        ADMIN,
        {
            "email": "somebody@new.example",
            "name": "Somebody New",
            "roles": ["administrator"],
            "password": "gravel-lantern-mimic-52",
        },
    ),
    ("POST", f"{API}/users/<user_id>/disable"): Api(ADMIN, thing="user"),
    ("PUT", f"{API}/users/<user_id>/password"): Api(
        EVERYBODY, {"password": "gravel-lantern-mimic-52", "current": "wrong"}, "user"
    ),
    ("GET", f"{API}/tokens"): Api(EVERYBODY),
    ("POST", f"{API}/tokens"): Api(EVERYBODY, {"label": "another"}),
    ("DELETE", f"{API}/tokens/<token_id>"): Api(EVERYBODY, thing="token"),
    # --- programmes and limits
    ("GET", f"{API}/programmes"): Api(TRADERS | BANK),
    ("GET", f"{API}/programmes/<programme_id>"): Api(TRADERS | BANK, thing="programme"),
    ("POST", f"{API}/programmes"): Api(
        ADMIN | {Role.OFFICER_MAKER, Role.HEAD_OFFICE},
        {"content": "code = 1", "anchor_id": "{firm}", "effective_on": "2026-03-02"},
    ),
    ("POST", f"{API}/programmes/<programme_id>/activate"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), thing="programme"
    ),
    ("POST", f"{API}/programmes/<programme_id>/suspend"): Api(BANK, REASON, "programme"),
    ("POST", f"{API}/programmes/<programme_id>/resume"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), REASON, "programme"
    ),
    ("GET", f"{API}/fixings"): Api(TRADERS | BANK),
    ("POST", f"{API}/fixings"): Api(
        frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
        {"benchmark": "EURIBOR-3M", "fixed_on": "2026-03-02", "percent": "3.45"},
    ),
    ("GET", f"{API}/limits"): Api(BANK),
    ("PUT", f"{API}/limits"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
        {"kind": "country", "subject_id": "DE", "currency": "EUR", "limit_minor": 100},
    ),
    # --- books, work, trail
    ("GET", f"{API}/ledger/accounts"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/ledger/entries"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/ledger/trial-balance"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/jobs"): Api(EVERYBODY),
    ("GET", f"{API}/jobs/<job_id>"): Api(EVERYBODY, thing="job"),
    ("GET", f"{API}/audit"): Api(ADMIN | {Role.HEAD_OFFICE}),
}
