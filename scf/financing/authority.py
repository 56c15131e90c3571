"""Who may say which word on a request: bands, roles, ceilings, and never on one's own money.

The one place where four eyes are judged. Commands ask :func:`may_say` before they act; pages ask
the same function what to offer, so that what is greyed out and what is refused cannot differ.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Table, and_, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Currency, Id, Minor, OptCount
from scf.db.visibility import not_found
from scf.documents.models import Acceptance, Invoice
from scf.financing.models import (
    Advance,
    RequestOverride,
    RequestQuestion,
    UserAuthority,
)
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, NotAllowed
from scf.kernel.ids import new_id
from scf.kernel.money import exponent
from scf.offers.models import Quote
from scf.parties.models import User, UserRole
from scf.parties.service import financier_only, same_person
from scf.programmes.approval import CHECKERS, Band
from scf.programmes.terms import Terms

POLICY: Final = "system:policy"
TWO_OFFICERS: Final = "two_officers"
ROUTES: Final = ("auto", "officer", TWO_OFFICERS)

_USER: Final[Table] = User.__table__  # type: ignore[attr-defined]
_ROLE: Final[Table] = UserRole.__table__  # type: ignore[attr-defined]
_AUTHORITY: Final[Table] = UserAuthority.__table__  # type: ignore[attr-defined]
_OVERRIDE: Final[Table] = RequestOverride.__table__  # type: ignore[attr-defined]
_QUESTION: Final[Table] = RequestQuestion.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_QUOTE: Final[Table] = Quote.__table__  # type: ignore[attr-defined]
_ACCEPTANCE: Final[Table] = Acceptance.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]

constraint_means(
    "uq_user_authority",
    "user_authority.financier_id, user_authority.user_id, user_authority.currency",
    lambda: Conflict("RACED", "Somebody else has just set this ceiling; read it and try again."),
)


class Word(NamedTuple):
    """What a person's approval would be: which step, and whether it is the last."""

    step: int
    last: bool
    band: Band


def is_no_maker(conn: Connection, actor: Actor, made: Sequence[Row[Any]]) -> None:
    """Stop who said a word on the request already: agreeing and differing take another person.

    Raises
    ------
    NotAllowed
        FOUR_EYES.
    """
    if same_person(conn, actor.user_id, [word.user_id for word in made]):
        raise NotAllowed("FOUR_EYES", "Another person than the maker checks the decision.")


def may_say(
    conn: Connection, actor: Actor, row: Row[Any], terms: Terms, made: Sequence[Row[Any]]
) -> Word:
    """Let a person approve a request, and say whether that word decides.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who asked for the money, whoever is linked to them, and for the person who
        said the first word; AUTHORITY for a role that the step does not have, or an amount above
        the person's own ceiling.
    """
    has_no_part(conn, actor, row)
    roles = present_roles(conn, actor)
    band = terms.band_for(row.currency, row.face_minor)
    if made:
        is_no_maker(conn, actor, made)
        _in_roles(roles, band.second, step=2)
        _within_ceiling(conn, actor, row)
        return Word(2, last=True, band=band)
    alone = band.people == 1 and row.route != TWO_OFFICERS and not _overrode(conn, actor, row)
    if alone and roles & set(band.first) and not is_above_ceiling(conn, actor.user_id, row):
        return Word(1, last=True, band=band)
    _in_roles(roles, band.first, step=1)
    return Word(1, last=False, band=band)


def _in_roles(roles: Iterable[Role], wanted: Sequence[Role], *, step: int) -> None:
    if not set(roles) & set(wanted):
        names = [role.value for role in wanted]
        raise NotAllowed(
            "AUTHORITY",
            "This step is for another role: %(needs_one_of)s.",
            step=step,
            needs_one_of=names,
        )


def present_roles(conn: Connection, actor: Actor) -> frozenset[Role]:
    """Give the roles that a person acts in and still holds at this moment."""
    user = conn.execute(select(_USER.c.state).where(_USER.c.id == actor.user_id)).one_or_none()
    if user is None:  # the installation's own hand: no account that could have changed
        return actor.roles
    if user.state != "ACTIVE":
        return frozenset()
    held = conn.execute(select(_ROLE.c.role).where(_ROLE.c.user_id == actor.user_id)).scalars()
    return actor.roles & {Role(role) for role in held}


# --- Nobody decides on one's own money --------------------------------------------------------


def has_no_part(conn: Connection, actor: Actor, row: Row[Any]) -> None:
    """Stop whoever asked for the money, priced, accepted or answered for it, or works for a side.

    Raises
    ------
    NotAllowed
        FOUR_EYES.
    """
    obligors = conn.execute(
        select(_ADVANCE.c.obligor_id).distinct().where(_ADVANCE.c.request_id == row.id)
    ).scalars()
    if actor.org_id in {row.seller_id, *obligors} or same_person(
        conn, actor.user_id, _who_asked(conn, row)
    ):
        raise NotAllowed("FOUR_EYES", "Who asked for the money does not decide on it.")


def _who_asked(conn: Connection, row: Row[Any]) -> set[str]:
    """Give everybody who had a hand in the request on the other side of the table."""
    invoices = select(_ADVANCE.c.invoice_id).where(_ADVANCE.c.request_id == row.id)
    accepted = conn.execute(
        select(_ACCEPTANCE.c.user_id)
        .join(_INVOICE, _INVOICE.c.id == _ACCEPTANCE.c.invoice_id)
        .where(_ACCEPTANCE.c.invoice_id.in_(invoices))
    ).scalars()
    # What officers made of it since is their word, not the seller's.
    first = select(func.coalesce(_QUOTE.c.instead_of, _QUOTE.c.id)).where(
        _QUOTE.c.id == row.quote_id
    )
    quoted = conn.execute(
        select(_QUOTE.c.created_by).where(_QUOTE.c.id == first.scalar_subquery())
    ).scalars()
    answered = conn.execute(
        select(_QUESTION.c.answered_by).where(
            _QUESTION.c.request_id == row.id, _QUESTION.c.answered_by.is_not(None)
        )
    ).scalars()
    return {row.submitted_by, *accepted, *quoted, *answered}


def _overrode(conn: Connection, actor: Actor, row: Row[Any]) -> bool:
    """Tell whether this person set price or route aside: then the decision is not theirs alone.

    More eyes take nothing away from anybody.
    """
    who = conn.execute(
        select(_OVERRIDE.c.user_id).where(
            _OVERRIDE.c.request_id == row.id,
            or_(
                _OVERRIDE.c.what == "price",
                and_(
                    _OVERRIDE.c.what == "route",
                    or_(_OVERRIDE.c.before == TWO_OFFICERS, _OVERRIDE.c.after != TWO_OFFICERS),
                ),
            ),
        )
    ).scalars()
    return same_person(conn, actor.user_id, who)


# --- A person's own ceiling -------------------------------------------------------------------


def ceiling_of(conn: Connection, user_id: str, row: Row[Any]) -> int | None:
    """Give up to which amount a person's word decides; nothing where only the bands say."""
    found: int | None = conn.execute(
        select(_AUTHORITY.c.ceiling_minor).where(
            _AUTHORITY.c.financier_id == row.financier_id,
            _AUTHORITY.c.user_id == user_id,
            _AUTHORITY.c.currency == row.currency,
        )
    ).scalar_one_or_none()
    return found


def is_above_ceiling(conn: Connection, user_id: str, row: Row[Any]) -> bool:
    """Tell whether a request is more than this person's word alone decides."""
    ceiling = ceiling_of(conn, user_id, row)
    return ceiling is not None and row.face_minor > ceiling


def _within_ceiling(conn: Connection, actor: Actor, row: Row[Any]) -> None:
    if is_above_ceiling(conn, actor.user_id, row):
        raise NotAllowed(
            "AUTHORITY",
            "The amount is above your own authority.",
            face_minor=row.face_minor,
            ceiling_minor=ceiling_of(conn, actor.user_id, row),
        )


class SetAuthority(BaseModel):
    """Up to which amount one officer's word decides; ``version`` guards an edit."""

    model_config = ConfigDict(extra="forbid")
    user_id: Id
    currency: Currency
    ceiling_minor: Minor
    version: OptCount = None


@command("authority.set", SetAuthority)
def set_authority(ctx: Context, data: SetAuthority) -> dict[str, Any]:
    """An officer decides up to an amount; above it the word is a proposal for another person.

    Raises
    ------
    NotAllowed
        OWN_AUTHORITY for one's own ceiling; FINANCIER_ONLY.
    NotFound
        For anybody who is no officer of the actor's organisation.
    Conflict
        STALE when the ceiling is another than the one that was edited.
    """
    financier_id = financier_only(ctx.conn, ctx.actor)
    exponent(data.currency)
    if same_person(ctx.conn, ctx.actor.user_id, [data.user_id]):
        raise NotAllowed("OWN_AUTHORITY", "Nobody sets the own ceiling.")
    _own_officer(ctx, data.user_id)
    mine = (
        _AUTHORITY.c.financier_id == financier_id,
        _AUTHORITY.c.user_id == data.user_id,
        _AUTHORITY.c.currency == data.currency,
    )
    before = ctx.conn.execute(select(_AUTHORITY).where(*mine)).one_or_none()
    if data.version is not None and data.version != (before.version if before is not None else 0):
        raise Conflict("STALE", "The ceiling has changed since it was read.")
    values = {"ceiling_minor": data.ceiling_minor, "set_by": ctx.actor.user_id, "set_at": ctx.now}
    if before is None:
        authority_id, version = new_id(), 1
        ctx.conn.execute(
            insert(_AUTHORITY),
            {
                "id": authority_id,
                "financier_id": financier_id,
                "user_id": data.user_id,
                "currency": data.currency,
                "version": version,
                **values,
            },
        )
    else:
        authority_id, version = before.id, before.version + 1
        done = ctx.conn.execute(
            update(_AUTHORITY)
            .where(_AUTHORITY.c.id == before.id, _AUTHORITY.c.version == before.version)
            .values(version=version, **values)
            .returning(_AUTHORITY.c.id)
        ).one_or_none()
        if done is None:
            raise Conflict("STALE", "The ceiling has just been changed.")
    ctx.change(
        "user_authority",
        authority_id,
        {"ceiling_minor": before.ceiling_minor} if before is not None else None,
        {"ceiling_minor": data.ceiling_minor, "currency": data.currency},
    )
    return {
        "id": authority_id,
        "user_id": data.user_id,
        "currency": data.currency,
        "ceiling_minor": data.ceiling_minor,
        "version": version,
    }


def _own_officer(ctx: Context, user_id: str) -> None:
    found = ctx.conn.execute(
        select(_USER.c.id)
        .join(_ROLE, _ROLE.c.user_id == _USER.c.id)
        .where(
            _USER.c.id == user_id,
            _USER.c.org_id == ctx.actor.org_id,
            _ROLE.c.role.in_({Role.OFFICER_MAKER.value, *(role.value for role in CHECKERS)}),
        )
    ).first()
    if found is None:
        raise not_found("user", user_id)
