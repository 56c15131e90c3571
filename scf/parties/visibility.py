"""Which firms, accounts, people, tokens and jobs an organisation may see.

A firm sees itself, the firms it trades with, those it invited, and the other side of its
programmes; a financier sees every firm. Trade documents and programmes belong to later slices, so
they are named here by table only.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    column,
    false,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.orm import Mapped
from sqlmodel import col

from scf.db.models import AuditLog, Job
from scf.db.visibility import visible_to, visible_to_everyone
from scf.kernel.actor import Actor, Role
from scf.parties.factors.models import (
    FactorUse,
    KeptFile,
    KeptForm,
    Passkey,
    RecoveryCode,
    SignInEvent,
    TotpFactor,
)
from scf.parties.identity.models import FirmKey, FirmLink, FirmMerge
from scf.parties.models import (
    AccountVerification,
    ApiToken,
    BankAccount,
    BusinessDate,
    Firm,
    FirmIdentifier,
    User,
    UserRole,
    WebSession,
)
from scf.parties.service import counts_for

_OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
_organisation = Firm.__table__.alias("organisation")  # type: ignore[attr-defined]
_named = BankAccount.__table__.alias("named")  # type: ignore[attr-defined]
_kept = KeptForm.__table__.alias("kept")  # type: ignore[attr-defined]
_person = User.__table__.alias("person")  # type: ignore[attr-defined]
# (table, one side, other side): an edge shows each side to the other.
_EDGES = (
    ("invoice", "seller_id", "buyer_id"),
    ("trade_order", "seller_id", "buyer_id"),
    ("credit_note", "seller_id", "buyer_id"),
    ("programme", "financier_id", "anchor_id"),
    ("programme", "financier_id", "seller_id"),
)


def _known_firms(actor: Actor) -> Any:  # noqa: ANN401 - a compound select
    """Select the ids of the firms on the other end of the actor's own edges."""
    ends: list[Select[Any]] = []
    for name, left, right in _EDGES:
        edge = table(name, column(left), column(right))
        for own, other in ((left, right), (right, left)):
            ends.append(
                select(edge.c[other]).where(edge.c[own] == actor.org_id, edge.c[other].is_not(None))
            )
    return union_all(*ends)


def _is_financier(actor: Actor) -> ColumnElement[bool]:
    return (
        select(_organisation.c.id)
        .where(_organisation.c.id == actor.org_id, _organisation.c.kind == "financier")
        .exists()
    )


@visible_to(Firm)
def _firms(actor: Actor) -> ColumnElement[bool]:
    if actor.roles & _OFFICERS:
        return true()
    return or_(
        col(Firm.id) == actor.org_id,
        col(Firm.invited_by) == actor.org_id,
        col(Firm.id).in_(_known_firms(actor)),
        _is_financier(actor),
    )


@visible_to(FirmIdentifier)
def _identifiers(actor: Actor) -> ColumnElement[bool]:
    """Show public numbers of visible firms; what an organisation calls a firm stays its own."""
    firm = _organisation
    visible = select(firm.c.id).where(
        or_(
            firm.c.id == actor.org_id,
            firm.c.invited_by == actor.org_id,
            firm.c.id.in_(_known_firms(actor)),
        )
    )
    mine = or_(
        col(FirmIdentifier.scope_org_id) == "",
        col(FirmIdentifier.scope_org_id) == actor.org_id,
    )
    if actor.roles & _OFFICERS:
        return mine
    return and_(mine, col(FirmIdentifier.firm_id).in_(visible))


@visible_to(FirmKey)
def _keys(_actor: Actor) -> ColumnElement[bool]:
    """Show the keys to nobody: who is found by them is judged and limited first."""
    return false()


@visible_to(FirmLink)
def _links(actor: Actor) -> ColumnElement[bool]:
    """Show which records mean one firm to officers, and to that firm itself."""
    if actor.roles & _OFFICERS:
        return true()
    return col(FirmLink.survivor_id) == actor.org_id


@visible_to(FirmMerge)
def _merges(actor: Actor) -> ColumnElement[bool]:
    """Show who joined which records and why to the officers of every house: it holds for all."""
    return true() if actor.roles & _OFFICERS else false()


@visible_to(BankAccount)
def _accounts(actor: Actor) -> ColumnElement[bool]:
    """Show a firm its own accounts; officers what counts for their financier, no other's record."""
    if actor.roles & _OFFICERS:
        return counts_for(actor.org_id)
    return col(BankAccount.firm_id) == actor.org_id


@visible_to(AccountVerification)
def _verifications(actor: Actor) -> ColumnElement[bool]:
    """Show a financier's word to its own people and to the firm that it is about."""
    accounts = select(_named.c.id).where(_named.c.firm_id == actor.org_id)
    return or_(
        col(AccountVerification.financier_id) == actor.org_id,
        col(AccountVerification.account_id).in_(accounts),
    )


@visible_to(User)
def _users(actor: Actor) -> ColumnElement[bool]:
    if Role.ADMINISTRATOR in actor.roles:
        return col(User.org_id) == actor.org_id
    return col(User.id) == actor.user_id


def _own_people(actor: Actor, user_column: Mapped[Any]) -> ColumnElement[bool]:
    """Limit rows of people to oneself; for an administrator, to the own organisation."""
    if Role.ADMINISTRATOR in actor.roles:
        people = select(_person.c.id).where(_person.c.org_id == actor.org_id)
        return user_column.in_(people)
    return user_column == actor.user_id


@visible_to(UserRole)
def _roles(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(UserRole.user_id))


@visible_to(ApiToken)
def _tokens(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(ApiToken.user_id))


@visible_to(WebSession)
def _sessions(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(WebSession.user_id))


@visible_to(TotpFactor)
def _authenticators(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(TotpFactor.user_id))


@visible_to(Passkey)
def _passkeys(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(Passkey.user_id))


@visible_to(RecoveryCode)
def _recovery_codes(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(RecoveryCode.user_id))


@visible_to(FactorUse)
def _factor_uses(actor: Actor) -> ColumnElement[bool]:
    return _own_people(actor, col(FactorUse.user_id))


@visible_to(SignInEvent)
def _sign_ins(actor: Actor) -> ColumnElement[bool]:
    """Show a person the own sign-ins; an administrator those of the organisation's people."""
    if Role.ADMINISTRATOR in actor.roles:
        return col(SignInEvent.org_id) == actor.org_id
    return col(SignInEvent.user_id) == actor.user_id


@visible_to(KeptForm)
def _kept_forms(actor: Actor) -> ColumnElement[bool]:
    return col(KeptForm.user_id) == actor.user_id


@visible_to(KeptFile)
def _kept_files(actor: Actor) -> ColumnElement[bool]:
    return col(KeptFile.form_id).in_(select(_kept.c.id).where(_kept.c.user_id == actor.user_id))


@visible_to(Job)
def _jobs(actor: Actor) -> ColumnElement[bool]:
    return col(Job.org_id) == actor.org_id


@visible_to(AuditLog)
def _trail(actor: Actor) -> ColumnElement[bool]:
    return col(AuditLog.org_id) == actor.org_id


visible_to_everyone(BusinessDate)
