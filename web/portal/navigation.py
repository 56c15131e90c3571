"""The one table of what each role finds in the side navigation and the tab bar.

Who adds a page adds its entry here: the endpoint of the route, an icon of ``macros/icons.html``,
a label, and the letter that leads there after ``G``. The first four entries are the tab bar of a
small screen. A count is a select of one number. Every page asks for all that its reader has, in one
statement, so each must be cheap.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select
from sqlmodel import Session

from scf.kernel.actor import Actor, Role
from scf.reporting.alike import waiting as duplicates_waiting
from scf.reporting.desk import (
    cases_waiting,
    files_waiting,
    fixings_waiting,
    limits_waiting,
    receipts_waiting,
    reviews_waiting,
)
from scf.reporting.taxes import waiting as tax_waiting
from web.portal.counts import requests_waiting_for_seller, unread_notices

Count = Callable[[Actor], Select[int]]
TABS: Final = 4


@dataclass(frozen=True)
class Entry:
    """One place to go."""

    endpoint: str
    icon: str
    label: Any  # text that takes the language of the request
    letter: str = ""
    count: Count | None = None
    also: tuple[str, ...] = ()  # beginnings of other addresses that belong to it
    among: Any = None  # its label for a person with several homes


_TREASURER: Final = (
    Entry("treasurer.home", "home", _("Home"), "h", among=_("Home, selling")),
    Entry("treasurer.invoices", "invoice", _("Invoices"), "i", also=("/follow",)),
    Entry(
        "treasurer.requests",
        "coin",
        _("Financing"),
        "f",
        requests_waiting_for_seller,
        ("/treasurer/confirm",),
    ),
    Entry("treasurer.payments", "bank", _("Payments"), "p"),
    Entry("uploads.new", "upload", _("Upload"), "u", also=("/who",)),
    Entry("treasurer.cash", "chart", _("Cash forecast"), "w"),
    Entry("treasurer.statement", "list", _("Statement"), "s"),
    Entry("books.home", "book", _("Books"), "b"),
    Entry("treasurer.settings", "building", _("Firm"), "c"),
    Entry("connections.home", "sync", _("Connections"), "x"),
)
_ANCHOR: Final = (
    Entry("anchor.home", "home", _("Home"), "h", among=_("Home, buying")),
    Entry(
        "anchor.acceptances",
        "check",
        _("Acceptances"),
        "a",
        also=("/anchor/invoices/", "/anchor/matching", "/anchor/duplicates", "/follow"),
    ),
    Entry("anchor.payments", "calendar", _("Payments due"), "p", also=("/reminders",)),
    Entry("uploads.new", "upload", _("Upload"), "u", also=("/who",)),
    Entry("anchor.suppliers", "people", _("Suppliers"), "s"),
    Entry("anchor.disputes", "message", _("Disputes"), "d"),
    Entry("chain.own", "chain", _("Supply chain"), "c"),
)
_OFFICER: Final = (
    Entry("officer.queue", "queue", _("Queue"), "q", cases_waiting, ("/officer/cases/",)),
    Entry("officer.pay_outs", "coin", _("Pay-outs"), "p", files_waiting),
    Entry(
        "officer.advances",
        "invoice",
        _("Advances"),
        "a",
        also=("/follow", "/officer/arrears", "/officer/provisions", "/reminders"),
    ),
    Entry("officer.limits", "chart", _("Limits"), "l", limits_waiting),
    Entry("chain.explorer", "chain", _("Chain explorer"), "c"),
    Entry(
        "officer.receipts",
        "bank",
        _("Money in"),
        "r",
        receipts_waiting,
        ("/officer/bank-files", "/own-accounts"),
    ),
    Entry(
        "officer.programmes", "gear", _("Programmes"), "t", fixings_waiting, ("/officer/fixings",)
    ),
    Entry("officer.firms", "building", _("Firms"), "f"),
    Entry("officer.duplicates", "search", _("Duplicates"), "d", duplicates_waiting),
    Entry("officer.models", "pulse", _("Models"), "m"),
    Entry("officer.reviews", "eye", _("Sample"), "s", reviews_waiting),
    Entry("officer.tax_checks", "shield", _("Tax checks"), "x", tax_waiting),
    Entry("officer.books", "book", _("Books"), "b"),
)
_ADMIN: Final = (
    Entry("admin.users", "people", _("People"), "p"),
    Entry("admin.tokens", "key", _("API tokens"), "t"),
    Entry("connections.home", "sync", _("Connections"), "x"),
    Entry("own_accounts.home", "bank", _("Own accounts"), "o"),
    Entry("admin.audit", "eye", _("Audit trail"), "a"),
    Entry("admin.sign_ins", "shield", _("Sign-ins"), "s"),
    Entry("admin.registry", "search", _("Duplicate registry"), "d"),
)

# What everybody finds behind the own name.
OWN: Final[tuple[Entry, ...]] = (Entry("account.overview", "person", _("Your account")),)

# Where the bell leads, and how many new notices it announces.
BELL: Final = Entry("portal.notices", "bell", _("Notices"), count=unread_notices)

# In the order in which a person with several roles is led to the first home.
ENTRIES: Final[dict[Role, tuple[Entry, ...]]] = {
    Role.TREASURER: _TREASURER,
    # Whoever binds the firm also says which of its programs may speak for it.
    Role.ANCHOR_APPROVER: (
        *_ANCHOR,
        Entry("books.home", "book", _("Books"), "b"),
        Entry("connections.home", "sync", _("Connections"), "x"),
    ),
    Role.ANCHOR_CLERK: _ANCHOR,
    Role.OFFICER_CHECKER: _OFFICER,
    Role.OFFICER_MAKER: _OFFICER,
    Role.HEAD_OFFICE: (
        *_OFFICER,
        Entry("admin.authorities", "shield", _("Authority"), "y"),
        Entry("admin.audit", "eye", _("Audit trail")),
    ),
    Role.ADMINISTRATOR: _ADMIN,
}


def entries_of(actor: Actor) -> tuple[Entry, ...]:
    """Give the entries of a person's roles, each once, in order; no two of one label or letter."""
    found: dict[str, Entry] = {}
    for role, entries in ENTRIES.items():
        if role in actor.roles:
            for entry in entries:
                found.setdefault(entry.endpoint, entry)
    several = sum(entry.among is not None for entry in found.values()) > 1
    letters: set[str] = set()
    told = []
    for entry in found.values():
        label = entry.among if several and entry.among is not None else entry.label
        letter = "" if entry.letter in letters else entry.letter
        letters.add(letter)
        told.append(replace(entry, label=label, letter=letter))
    return tuple(told)


def home_of(actor: Actor) -> str:
    """Give the endpoint at which a person starts; the own account for a role without pages."""
    return (*entries_of(actor), *OWN)[0].endpoint


def numbers(reading: Session, actor: Actor) -> dict[str, int]:
    """Count what waits for a person behind each entry that has a count, and behind the bell."""
    return dict(reading.execute(_counts(actor)).mappings().one())


@functools.lru_cache(maxsize=256)  # whoever opens one page opens more
def _counts(actor: Actor) -> Select[Any]:
    return select(
        *(
            entry.count(actor).scalar_subquery().label(entry.endpoint)
            for entry in (*entries_of(actor), BELL)
            if entry.count
        )
    )
