"""The systems that have account numbers of their own, and what a number looks like there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import shown


@dataclass(frozen=True, slots=True)
class Detail:
    """Something a system asks of the firm besides its accounts: its name, shape and default."""

    name: str
    label: Words
    pattern: re.Pattern[str]
    default: str = ""

    @property
    def required(self) -> bool:
        """Tell whether it may not be left empty."""
        return self.pattern.fullmatch("") is None


@dataclass(frozen=True, slots=True)
class System:
    """How a system is called, which numbers its accounts may have, what else it wants to know.

    ``live`` are systems that are posted into: an account there may want a party, and a firm may
    have several of them, each with a table of its own.
    """

    title: str
    number: re.Pattern[str]
    says: Words
    details: tuple[Detail, ...] = field(default=())
    fits: Callable[[str, Mapping[str, str]], bool] = lambda _number, _details: True
    live: bool = False

    def completed(self, details: Mapping[str, str]) -> dict[str, str]:
        """Give every detail, those that were left with their default.

        Raises
        ------
        InvalidInput
            MAPPING_DETAIL for one that is unknown, missing or of another shape.
        """
        unknown = sorted(set(details) - {one.name for one in self.details})
        if unknown:
            raise InvalidInput(
                "MAPPING_DETAIL", "%(system)s asks for nothing of this name.",
                system=self.title, name=shown(unknown[0], 40),
            )  # fmt: skip
        found = {}
        for one in self.details:
            value = details.get(one.name, "").strip() or one.default
            if not one.pattern.fullmatch(value):
                raise InvalidInput(
                    "MAPPING_DETAIL", "%(system)s needs this: %(what)s.",
                    system=self.title, what=one.label, name=one.name, value=shown(value, 40),
                )  # fmt: skip
            found[one.name] = value
        return found


# Sources: DATEV, description of the DATEV format, header of a posting batch (fields 11 to 14, 22);
# Tryton, account.account code: any text; Odoo 19, account.account code: alphanumeric and dots;
# ERPNext, account number or the document's name.
SYSTEMS: Final[Mapping[str, System]] = MappingProxyType(
    {
        "datev": System(
            "DATEV",
            re.compile(r"[1-9][0-9]{0,8}", re.ASCII),
            Words("digits without a leading zero, at most nine"),
            (
                Detail(
                    "consultant",
                    Words("Number of the tax consultant, 1001 to 9999999"),
                    re.compile(r"100[1-9]|10[1-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-9][0-9]{4,6}"),
                ),
                Detail(
                    "client", Words("Number of the client, 1 to 99999"),
                    re.compile(r"[1-9][0-9]{0,4}"),
                ),
                Detail(
                    "account_length", Words("Digits of a general ledger account, 4 to 8"),
                    re.compile(r"[4-8]"), "4",
                ),
                Detail(
                    "chart", Words("Standard chart, as 03 or 04; empty for another"),
                    re.compile(r"([0-9]{2})?"),
                ),
                Detail(
                    "year_start", Words("Month and day on which the fiscal year begins, as 01-01"),
                    re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"), "01-01",
                ),
                Detail(
                    "currency", Words("Currency in which the client's books are kept, as EUR"),
                    re.compile(r"[A-Z]{3}"), "EUR",
                ),
            ),
            # A customer's or supplier's account has one digit more than the ledger's own.
            lambda number, details: len(number) <= int(details["account_length"]) + 1,
        ),
        "saft": System(
            "SAF-T",
            re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,33}[^\s\x00-\x1f])?"),
            Words("the account of the standard chart, at most 35 characters"),
        ),
        "tryton": System(
            "Tryton",
            re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,62}[^\s\x00-\x1f])?"),
            Words("the code of the account there, at most 64 characters"),
            live=True,
        ),
        "odoo": System(
            "Odoo",
            re.compile(r"[A-Za-z0-9.]{1,64}"),
            Words("the code of the account there: letters, digits and dots"),
            live=True,
        ),
        "erpnext": System(
            "ERPNext",
            re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,138}[^\s\x00-\x1f])?"),
            Words("the number of the account there, or its full name, at most 140 characters"),
            live=True,
        ),
    }
)  # fmt: skip


_FURTHER: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")


def system_of(name: str) -> System:
    """Give the system of a table: ``tryton``, or ``tryton.works`` where a firm has several.

    Raises
    ------
    InvalidInput
        MAPPING_SYSTEM, for a name that is none of ``SYSTEMS``.
    """
    kind, dot, further = name.partition(".")
    found = SYSTEMS.get(kind)
    if dot and found is not None and found.live and _FURTHER.fullmatch(further):
        return replace(found, title=f"{found.title} · {further}")
    if found is None or dot:
        raise InvalidInput(
            "MAPPING_SYSTEM",
            "Account numbers are kept for %(known)s.",
            system=shown(name, 20),
            known=", ".join(SYSTEMS),
        )
    return found
