"""Commands on second factors: enrolling, adding, removing, and an administrator's reset.

Secrets come sealed and recovery codes as digests, made by the caller before the transaction; none
of them is in a stored answer or in the trail.
"""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, insert, select, update

from scf.db.audit import SECRET
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation, Words
from scf.kernel.ids import new_id
from scf.parties import sessions
from scf.parties.factors import codes
from scf.parties.factors.models import Passkey, RecoveryCode, TotpFactor
from scf.parties.identifiers import clean_text
from scf.parties.models import User

_totp = TotpFactor.__table__  # type: ignore[attr-defined]
_passkey = Passkey.__table__  # type: ignore[attr-defined]
_recovery = RecoveryCode.__table__  # type: ignore[attr-defined]
_MOST_PASSKEYS = 10
_DIGEST = 64

constraint_means(
    "uq_passkey_credential",
    "passkey.credential_id",
    lambda: Conflict("PASSKEY_KNOWN", "This passkey is set up already."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class EnrolTotp(_Input):
    """An authenticator whose code its owner has just shown; the secret comes sealed."""

    user_id: str | None = Field(default=None, max_length=64)
    sealed: str = Field(exclude=True, min_length=20, max_length=400, json_schema_extra={**SECRET})


class AddPasskey(_Input):
    """A passkey that the person's device has just made."""

    credential_id: str = Field(min_length=8, max_length=1400)
    public_key: str = Field(min_length=8, max_length=2000)
    sign_count: int = Field(ge=0, strict=True)
    label: str = Field(min_length=1, max_length=100)


class RemovePasskey(_Input):
    """A passkey that opens nothing from now on."""

    passkey_id: str = Field(max_length=64)


class NewCodes(_Input):
    """The digests of fresh recovery codes, in place of all before."""

    digests: list[str] = Field(
        exclude=True,
        min_length=codes.RECOVERY_CODES,
        max_length=codes.RECOVERY_CODES,
        json_schema_extra={**SECRET},
    )


class ResetFactors(_Input):
    """A person who lost the second factor, and the digest of the one code that opens enrolment."""

    user_id: str = Field(max_length=64)
    digest: str = Field(
        exclude=True, min_length=_DIGEST, max_length=_DIGEST, json_schema_extra={**SECRET}
    )


@command("factor.enrol", EnrolTotp)
def enrol_totp(ctx: Context, data: EnrolTotp) -> dict[str, Any]:
    """The person signs in and signs by the codes of this authenticator; one before it is void.

    Nobody enrols for somebody else, the operator excepted (the demo world).
    """
    user = _self_or_operator(ctx, data.user_id)
    ctx.conn.execute(delete(_totp).where(_totp.c.user_id == user.id))
    ctx.conn.execute(
        insert(_totp), {"user_id": user.id, "sealed": data.sealed, "created_at": ctx.now}
    )
    _void_handed_over(ctx, user.id)
    ctx.change("user", user.id, None, {"authenticator": "set up"})
    ctx.emit("user.authenticator_set", {"user_id": user.id}, org_id=user.org_id)
    return {"id": user.id}


@command("factor.add_passkey", AddPasskey)
def add_passkey(ctx: Context, data: AddPasskey) -> dict[str, Any]:
    """The person signs in and signs by this passkey, too.

    Raises
    ------
    Conflict
        ``PASSKEYS_FULL``: ten are enough; ``PASSKEY_KNOWN`` when it is set up already.
    """
    user = _self_or_operator(ctx, None)
    if _passkeys(ctx, user.id) >= _MOST_PASSKEYS:
        raise Conflict("PASSKEYS_FULL", "Remove a passkey that you no longer use first.")
    passkey_id = new_id()
    ctx.conn.execute(
        insert(_passkey),
        {
            "id": passkey_id,
            "user_id": user.id,
            "credential_id": data.credential_id,
            "public_key": data.public_key,
            "sign_count": data.sign_count,
            "label": clean_text(data.label, Words("label"), 100),
            "created_at": ctx.now,
        },
    )
    _void_handed_over(ctx, user.id)
    ctx.change("passkey", passkey_id, None, {"user_id": user.id})
    ctx.emit("user.passkey_added", {"user_id": user.id}, org_id=user.org_id)
    return {"id": passkey_id}


@command("factor.remove_passkey", RemovePasskey)
def remove_passkey(ctx: Context, data: RemovePasskey) -> dict[str, Any]:
    """The passkey opens nothing any more; the last factor is never removed.

    Raises
    ------
    RuleViolation
        ``LAST_FACTOR``: set another one up first.
    """
    row = ctx.visible(Passkey, data.passkey_id)
    user = _self_or_operator(ctx, row.user_id)
    has_totp = ctx.conn.execute(
        select(func.count()).select_from(_totp).where(_totp.c.user_id == user.id)
    ).scalar_one()
    if not has_totp and _passkeys(ctx, user.id) == 1:
        raise RuleViolation("LAST_FACTOR", "Set up another second factor before removing this.")
    ctx.conn.execute(delete(_passkey).where(_passkey.c.id == row.id))
    ctx.change("passkey", row.id, {"user_id": user.id}, None)
    ctx.emit("user.passkey_removed", {"user_id": user.id}, org_id=user.org_id)
    return {"id": row.id}


@command("factor.new_codes", NewCodes)
def new_codes(ctx: Context, data: NewCodes) -> dict[str, Any]:
    """Ten fresh recovery codes hold; those before are void."""
    user = _self_or_operator(ctx, None)
    ctx.conn.execute(delete(_recovery).where(_recovery.c.user_id == user.id))
    _store_codes(ctx, user.id, "OWN", data.digests, None)
    ctx.change("user", user.id, None, {"recovery_codes": len(data.digests)})
    return {"id": user.id, "codes": len(data.digests)}


@command("factor.reset", ResetFactors)
def reset_factors(ctx: Context, data: ResetFactors) -> dict[str, Any]:
    """The person's factors are void, all sessions end; password and one code open enrolment.

    The code is shown to the administrator once and handed over by another way, so that recovery
    asks for two things as signing in does: the password stays as it is.

    Raises
    ------
    Conflict
        ``SELF``: nobody resets the own factors. Another administrator does.
    """
    user = ctx.visible(User, data.user_id)
    if user.id == ctx.actor.user_id:
        raise Conflict("SELF", "Another administrator resets your second factor.")
    if user.state != "ACTIVE":
        raise Conflict("USER_DISABLED", "This person is disabled.", id=user.id)
    for table in (_totp, _passkey, _recovery):
        ctx.conn.execute(delete(table).where(table.c.user_id == user.id))
    expires_at = ctx.now + codes.HANDED_OVER_FOR
    _store_codes(ctx, user.id, "HANDED_OVER", [data.digest], expires_at)
    sessions.end_all(ctx.conn, user.id, ctx.now)
    ctx.change("user", user.id, None, {"second_factor": "reset"})
    ctx.emit(
        "user.second_factor_reset",
        {"user_id": user.id, "by": ctx.actor.user_id},
        org_id=user.org_id,
    )
    return {"id": user.id, "code_expires_at": expires_at.isoformat()}


def _self_or_operator(ctx: Context, user_id: str | None) -> Any:  # noqa: ANN401 - a row of people
    wanted = user_id or ctx.actor.user_id
    if wanted != ctx.actor.user_id and not ctx.actor.is_operator:
        raise NotAllowed("NOT_ALLOWED", "Everybody sets up the own second factor.")
    user = ctx.visible(User, wanted)
    if user.state != "ACTIVE":
        raise Conflict("USER_DISABLED", "This person is disabled.", id=wanted)
    return user


def _passkeys(ctx: Context, user_id: str) -> int:
    count: int = ctx.conn.execute(
        select(func.count()).select_from(_passkey).where(_passkey.c.user_id == user_id)
    ).scalar_one()
    return count


def _void_handed_over(ctx: Context, user_id: str) -> None:
    ctx.conn.execute(
        update(_recovery)
        .where(
            _recovery.c.user_id == user_id,
            _recovery.c.kind == "HANDED_OVER",
            _recovery.c.used_at.is_(None),
        )
        .values(used_at=ctx.now)
    )


def _store_codes(
    ctx: Context, user_id: str, kind: str, digests: list[str], expires_at: dt.datetime | None
) -> None:
    ctx.conn.execute(
        insert(_recovery),
        [
            {
                "id": new_id(),
                "user_id": user_id,
                "kind": kind,
                "digest": digest,
                "created_at": ctx.now,
                "expires_at": expires_at,
            }
            for digest in digests
        ],
    )
