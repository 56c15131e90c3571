"""What other slices ask about parties: the business date, who a document names, where money goes.

Every function reads through the connection it is handed, inside or outside a command.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.calendar import instant_of, zone
from scf.kernel.errors import Conflict, NotAllowed, NotFound
from scf.parties.identifiers import alias
from scf.parties.identity.resolving import matching_firms, resolve_party
from scf.parties.models import (
    AccountVerification,
    BankAccount,
    BusinessDate,
    Firm,
    User,
    UserRole,
)

_firm = Firm.__table__  # type: ignore[attr-defined]
_account = BankAccount.__table__  # type: ignore[attr-defined]
_verification = AccountVerification.__table__  # type: ignore[attr-defined]
_date = BusinessDate.__table__  # type: ignore[attr-defined]
_user = User.__table__  # type: ignore[attr-defined]
_role = UserRole.__table__  # type: ignore[attr-defined]

# Asked by every command about money: built once, since building costs more than asking.
_KIND = select(_firm.c.kind).where(_firm.c.id == bindparam("firm"))
_ZONE = select(_date.c.zone).where(_date.c.financier_id == bindparam("financier"))
_BUSINESS_DATE = select(_date.c.current_on).where(_date.c.financier_id == bindparam("financier"))
_VERIFIED = (
    select(_account, _verification.c.verified_at, _verification.c.usable_on)
    .join(_verification, _verification.c.account_id == _account.c.id)
    .where(
        _account.c.firm_id == bindparam("firm"),
        _account.c.currency == bindparam("currency"),
        _account.c.state == "OPEN",
        _verification.c.financier_id == bindparam("financier"),
        _verification.c.state == "VERIFIED",
        _verification.c.usable_on.is_(None) | (_verification.c.usable_on <= bindparam("day")),
    )
    .order_by(_verification.c.verified_at.desc(), _account.c.id.desc())
    .limit(1)
)


def business_date(conn: Connection, financier_id: str) -> dt.date:
    """Return the day that the financier's books are on.

    Raises
    ------
    NotFound
        ``BUSINESS_DATE`` when the organisation keeps no business date (it is no financier).
    """
    day = conn.execute(_BUSINESS_DATE, {"financier": financier_id}).scalar_one_or_none()
    if day is None:
        raise NotFound(
            "BUSINESS_DATE", "This organisation has no business date.", financier_id=financier_id
        )
    return day  # type: ignore[no-any-return]


def start_of_day(conn: Connection, financier_id: str, on: dt.date) -> dt.datetime:
    """Return the instant at which a day begins where the financier is.

    What was stored before it was known before that day: ``known_on < on``, strictly.

    Raises
    ------
    NotFound
        ``BUSINESS_DATE`` when the organisation keeps no business date.
    """
    return instant_of(on, dt.time(0), zone_of(conn, financier_id))


def zone_of(conn: Connection, financier_id: str) -> ZoneInfo:
    """Return the time zone of the financier's books.

    Raises
    ------
    NotFound
        ``BUSINESS_DATE`` when the organisation keeps no business date.
    """
    name = conn.execute(_ZONE, {"financier": financier_id}).scalar_one_or_none()
    if name is None:
        business_date(conn, financier_id)  # says what is wrong
    return zone(name or "UTC")


def known_before(conn: Connection, financier_id: str) -> tuple[dt.date, dt.datetime]:
    """Return the financier's business date, and the instant before which all is known on it.

    What was stored on the day itself is not known yet. It is of an earlier day when either the
    calendar or the books say so: they disagree where a close was late, and in every world whose
    books are on another date than the clock.

    Raises
    ------
    NotFound
        ``BUSINESS_DATE`` when the organisation keeps no business date.
    """
    day = business_date(conn, financier_id)
    begins = start_of_day(conn, financier_id, day)
    opened = conn.execute(
        select(_date.c.opened_at).where(_date.c.financier_id == financier_id)
    ).scalar_one()
    return day, max(begins, opened) if opened else begins


def day_for(conn: Connection, org_id: str, otherwise: dt.date) -> dt.date:
    """Return the business date that an organisation's screens are judged by.

    A financier's own; for a firm the earliest of any financier, so that nothing is called overdue
    too soon; where no books are open, the day that is handed in.
    """
    own = conn.execute(
        select(_date.c.current_on).where(_date.c.financier_id == org_id)
    ).scalar_one_or_none()
    return own or conn.execute(select(func.min(_date.c.current_on))).scalar_one() or otherwise


def verified_account(
    conn: Connection,
    firm_id: str,
    currency: str,
    on: dt.date | None = None,
    *,
    financier_id: str,
) -> Row[Any] | None:
    """Return the account to which this financier's money for the firm goes, or nothing.

    The account in this currency that the financier itself verified last, and whose cooling-off has
    passed on the day ``on``; without a day its business date counts. While a changed account cools
    off, the earlier one still receives, unless it was closed. What another financier has added or
    verified counts for nothing here.
    """
    if on is None:
        on = conn.execute(_BUSINESS_DATE, {"financier": financier_id}).scalar_one_or_none()
    # Before its books are open there is no day yet: then only what never cooled off is usable.
    day = on or dt.date.min
    asked = {"firm": firm_id, "currency": currency, "financier": financier_id, "day": day}
    return conn.execute(_VERIFIED, asked).one_or_none()


def counts_for(financier_id: str) -> ColumnElement[bool]:
    """Give the condition that an account's record is there for this financier.

    What the firm says of itself, what the operator added, and the financier's own records; never
    those of another financier.
    """
    return or_(
        _account.c.added_by_org == _account.c.firm_id,
        _account.c.added_by_org.in_([financier_id, OPERATOR.org_id]),
    )


def firms_of_accounts(
    conn: Connection, numbers: Sequence[str], financier_id: str
) -> tuple[str, ...]:
    """Return the firms whose open accounts have one of these numbers, as this financier knows it.

    Where it has verified an account of this number, only that one speaks: a firm that names
    somebody else's account as its own gains nothing.
    """
    if not numbers:
        return ()
    verified = _verification.c.state == "VERIFIED"
    rows = conn.execute(
        select(_account.c.firm_id, verified.label("verified"))
        .outerjoin(
            _verification,
            (_verification.c.account_id == _account.c.id)
            & (_verification.c.financier_id == financier_id),
        )
        .where(
            _account.c.number.in_(numbers),
            _account.c.state == "OPEN",
            counts_for(financier_id),
        )
    ).all()
    certain = {row.firm_id for row in rows if row.verified}
    return tuple(sorted(certain or {row.firm_id for row in rows}))


def is_own_account(conn: Connection, financier_id: str, number: str) -> bool:
    """Tell whether the number is an open account that the financier has named as its own."""
    return own_account_id(conn, financier_id, number) is not None


def own_account_id(
    conn: Connection, financier_id: str, number: str, currency: str = ""
) -> str | None:
    """Give the open account of this number that the financier has named as its own, if any.

    Raises
    ------
    Conflict
        ACCOUNT_AMBIGUOUS, when accounts of two banks have this number in the same currency.
    """
    found = select(_account.c.id, _account.c.currency, _account.c.bank).where(
        _account.c.firm_id == financier_id,
        _account.c.number == number,
        _account.c.state == "OPEN",
        counts_for(financier_id),
    )
    rows = conn.execute(found.order_by(_account.c.id)).all()
    rows = [row for row in rows if row.currency == currency] or rows
    if len({row.bank for row in rows}) > 1:
        raise Conflict(
            "ACCOUNT_AMBIGUOUS",
            "Accounts of yours at two banks have this number; a statement by IBAN tells them"
            " apart.",
            number=number[:40],
        )
    return str(rows[0].id) if rows else None


def own_account(conn: Connection, financier_id: str, currency: str) -> str:
    """Give the number of the account to which a financier is paid in a currency, or nothing."""
    found = (
        select(_account.c.number)
        .where(
            _account.c.firm_id == financier_id,
            _account.c.currency == currency,
            _account.c.state == "OPEN",
            counts_for(financier_id),
        )
        .order_by(_account.c.created_at, _account.c.id)
    )
    return str(conn.execute(found.limit(1)).scalar_one_or_none() or "")


def financier_only(conn: Connection, actor: Actor) -> str:
    """Return the actor's organisation when it is a financier.

    Raises
    ------
    NotAllowed
        ``FINANCIER_ONLY`` for anybody else, whatever the role says.
    """
    kind = conn.execute(_KIND, {"firm": actor.org_id}).scalar_one_or_none()
    if kind != "financier":
        raise NotAllowed("FINANCIER_ONLY", "Only a financier's own people do this.")
    return actor.org_id


def is_financier(conn: Connection, org_id: str) -> bool:
    """Tell whether an organisation finances."""
    return conn.execute(_KIND, {"firm": org_id}).scalar_one_or_none() == "financier"


def firm_names(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of firms by id; unknown ids are left out."""
    wanted = {firm_id for firm_id in ids if firm_id}
    if not wanted:
        return {}
    rows = conn.execute(select(_firm.c.id, _firm.c.name).where(_firm.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def people_names(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of people by id, for those who may see what these people did."""
    wanted = {user_id for user_id in ids if user_id}
    if not wanted:
        return {}
    rows = conn.execute(select(_user.c.id, _user.c.name).where(_user.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def firm_by(conn: Connection, word: str, org_id: str = "") -> str:
    """Return the id of the firm that ``word`` names: an id, or ``scheme:value``.

    Raises
    ------
    NotFound
        When no firm or more than one goes by it.
    """
    row = conn.execute(select(_firm.c.id).where(_firm.c.id == word)).one_or_none()
    if row is not None:
        return str(row.id)
    # The value may hold colons, the scheme one: "reg:GB:0123" and "vat:DE136695976" both work.
    for cut in (place for place, char in enumerate(word) if char == ":"):
        hits = matching_firms(conn, [(word[:cut], word[cut + 1 :])], "", org_id)
        if len({firm_id for _item, firm_id, _state in hits}) == 1:
            return hits[0][1]
    raise NotFound("FIRM", "No firm goes by this id or number.", firm=word[:200])


def same_person(conn: Connection, user_id: str, others: Iterable[str]) -> bool:
    """Tell whether a user is one of others, or has an account of the same mailbox as one.

    Two people stand behind what moves money or lets more of it move; two accounts are not enough.
    """
    wanted = {*others}
    if user_id in wanted:
        return True
    rows = conn.execute(
        select(_user.c.id, _user.c.email).where(_user.c.id.in_([user_id, *sorted(wanted)]))
    )
    boxes = {row.id: _mailbox(row.email) for row in rows}
    own = boxes.pop(user_id, None)
    return own is not None and own in boxes.values()


def _mailbox(email: str) -> str:
    """Give the mailbox behind an address: what follows a plus only sorts the mail."""
    name, _, domain = email.lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def actor_of_user(conn: Connection, user_id: str) -> Actor | None:
    """Return an active person as actor with the roles held now, or nothing."""
    row = conn.execute(
        select(_user.c.id, _user.c.org_id, _user.c.name).where(
            _user.c.id == user_id, _user.c.state == "ACTIVE"
        )
    ).one_or_none()
    if row is None:
        return None
    roles = conn.execute(select(_role.c.role).where(_role.c.user_id == user_id)).scalars()
    return Actor(row.id, row.org_id, frozenset(Role(role) for role in roles), row.name)


def actor_of_email(conn: Connection, email: str) -> Actor | None:
    """Return the active person with this address as actor, or nothing."""
    user_id = conn.execute(
        select(_user.c.id).where(_user.c.email == email.strip().lower())
    ).scalar_one_or_none()
    return actor_of_user(conn, user_id) if user_id else None


__all__ = [
    "actor_of_email",
    "actor_of_user",
    "alias",
    "business_date",
    "counts_for",
    "day_for",
    "financier_only",
    "firm_by",
    "firm_names",
    "firms_of_accounts",
    "is_financier",
    "is_own_account",
    "known_before",
    "matching_firms",
    "own_account",
    "own_account_id",
    "resolve_party",
    "same_person",
    "verified_account",
]
