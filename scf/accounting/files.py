"""A book as a file in every form there is: those that need lines alone, and those that ask more."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Final

from sqlalchemy.engine import Connection

from scf.accounting import writers
from scf.accounting.journal import journal_lines, trial_balance
from scf.accounting.mapping.reading import numbers_of
from scf.accounting.parties import companies_of, papers_of, parties_of
from scf.accounting.writers.datev import CHARSET, Batch, fiscal_year, to_datev
from scf.accounting.writers.saft import Audit, to_saft
from scf.kernel.errors import InvalidInput, RuleViolation
from scf.kernel.findings import shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose book, which days (none: all), on which day and at which instant it is asked for.

    ``currency`` is for a form that holds one only.
    """

    org_id: str
    from_on: dt.date | None
    to_on: dt.date | None
    today: dt.date
    now: dt.datetime
    currency: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file to take along."""

    content: bytes
    name: str
    media: str


@dataclass(frozen=True, slots=True)
class System:
    """A form that asks more than lines: how it is called, what a file of it is, who makes it."""

    title: str
    media: str
    make: Callable[[Connection, Wanted], File]


def journal_file(conn: Connection, form: str, wanted: Wanted) -> File:
    """Give the journal of one book in one of ``TITLES``.

    Raises
    ------
    InvalidInput
        EXPORT_FORMAT for a form that is not written.
    RuleViolation
        What a form cannot hold, and ACCOUNTS_UNMAPPED where the firm's numbers are missing.
    """
    if form in SYSTEMS:
        return SYSTEMS[form].make(conn, wanted)
    if form not in writers.FORMS:
        raise InvalidInput(
            "EXPORT_FORMAT",
            "A journal is exported as %(known)s.",
            format=shown(form, 20),
            known=", ".join(TITLES),
        )
    one = writers.FORMS[form]
    lines = journal_lines(conn, wanted.org_id, wanted.from_on, wanted.to_on)
    return File(one.write(lines), f"journal.{one.ending}", f"{one.media}; charset=utf-8")


def _datev(conn: Connection, wanted: Wanted) -> File:
    numbers = numbers_of(conn, wanted.org_id, "datev")
    to_on = wanted.to_on or max(wanted.today, wanted.from_on or wanted.today)
    from_on = wanted.from_on or fiscal_year(to_on, numbers.details.get("year_start", "01-01"))
    lines = journal_lines(conn, wanted.org_id, from_on, to_on)
    batch = Batch(from_on, to_on, wanted.now, f"Journal {from_on:%d.%m.%y}-{to_on:%d.%m.%y}")
    content = to_datev(lines, numbers, batch, papers_of(conn, wanted.org_id))
    name = f"EXTF_Buchungsstapel_{from_on:%Y%m%d}_{to_on:%Y%m%d}.csv"
    return File(content, name, f"text/csv; charset={CHARSET}")


def _saft(conn: Connection, wanted: Wanted) -> File:
    """Make the audit file of the year so far, or of the days asked for."""
    to_on = wanted.to_on or max(wanted.today, wanted.from_on or wanted.today)
    from_on = wanted.from_on or dt.date(to_on.year, 1, 1)
    closing = trial_balance(conn, wanted.org_id, to_on)
    currency = one_currency({line.currency for line in closing}, wanted.currency)
    numbers = numbers_of(conn, wanted.org_id, "saft")
    parties = parties_of(conn, wanted.org_id)
    firms = {firm for roles in parties.values() for firm in roles.values()} | {wanted.org_id}
    companies = companies_of(conn, sorted(firms))
    audit = Audit(
        companies[wanted.org_id],
        currency,
        from_on,
        to_on,
        wanted.today,
        _software(),
        trial_balance(conn, wanted.org_id, from_on - dt.timedelta(days=1)),
        closing,
        companies,
        parties,
        papers_of(conn, wanted.org_id),
        # A firm without a table names no standard chart; one with a table names it for each.
        numbers.of(line.account_code for line in closing) if numbers.version else {},
    )
    content = to_saft(journal_lines(conn, wanted.org_id, from_on, to_on), audit)
    name = f"SAF-T_{currency}_{from_on:%Y%m%d}_{to_on:%Y%m%d}.xml"
    return File(content, name, "application/xml")


def _software() -> str:
    """Give the version of the platform; a tree that was never installed has none."""
    try:
        return version("tributary")
    except PackageNotFoundError:
        return "-"


def one_currency(found: set[str], wanted: str) -> str:
    """Give the currency of a file that holds one.

    Raises
    ------
    RuleViolation
        ONE_CURRENCY where the book has several and none was asked for.
    """
    if wanted or len(found) <= 1:
        return wanted or next(iter(found), "EUR")
    raise RuleViolation(
        "ONE_CURRENCY",
        "Such a file holds one currency, and this book has %(found)s. Say which.",
        found=", ".join(sorted(found)),
    )


SYSTEMS: Final[Mapping[str, System]] = MappingProxyType(
    {
        "datev": System("DATEV", "text/csv", _datev),
        "saft": System("SAF-T", "application/xml", _saft),
    }
)
# Every form by its name, as pages and answers list them.
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {name: form.title for name, form in writers.FORMS.items()}
    | {name: system.title for name, system in SYSTEMS.items()}
)
