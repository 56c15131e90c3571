"""Commands on programmes; importing this module registers every command of the slice."""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from sqlalchemy import Row, Table, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id, OptId
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.kernel.ids import digest, new_id
from scf.kernel.money import exponent
from scf.parties.models import Firm
from scf.parties.service import business_date, financier_only, firm_by, same_person
from scf.programmes import acceptance, fixings, granting, matching
from scf.programmes.calendars import calendar_of
from scf.programmes.lifecycle import PROGRAMME
from scf.programmes.models import Programme, ProgrammeVersion
from scf.programmes.service import party_of
from scf.programmes.techniques import technique_of
from scf.programmes.terms import MAX_FILE, ProgrammeFile, Terms, load_file, terms_of

__all__ = ["acceptance", "fixings", "granting", "matching"]

_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_VERSION: Final[Table] = ProgrammeVersion.__table__  # type: ignore[attr-defined]


def _raced() -> Conflict:
    return Conflict("RACED", "Somebody else has just made the same; read it and try again.")


constraint_means(
    "uq_programme_code",
    "programme.financier_id, programme.code",
    _raced,
)
constraint_means(
    "uq_programme_version",
    "programme_version.programme_id, programme_version.number",
    _raced,
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


# --- Programmes -------------------------------------------------------------------------------


class LoadProgramme(_Input):
    """A programme file for one anchor or seller, as its technique asks.

    A known code makes the next version of that programme.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=MAX_FILE)
    content: str
    anchor_id: OptId = None
    seller_id: OptId = None
    effective_on: dt.date
    _file: ProgrammeFile = PrivateAttr()

    def model_post_init(self, _context: object) -> None:
        """Read the file, before any transaction begins."""
        self._file = load_file(self.content.encode())

    @property
    def file(self) -> ProgrammeFile:
        """What the content says."""
        return self._file


class ActivateProgramme(_Input):
    """The second person's word on the newest version of a programme."""

    programme_id: Id


class SuspendProgramme(_Input):
    """Stop, or take up again, new finance under a programme."""

    programme_id: Id
    reason: str = Field(min_length=3, max_length=1000)


@command("programme.load", LoadProgramme)
def load_programme(ctx: Context, data: LoadProgramme) -> dict[str, Any]:
    """A draft of terms is stored; it is in force only after another person's word.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY when the actor's organisation is no financier.
    NotFound
        When there is no such firm.
    InvalidInput
        PROGRAMME_PARTY when the technique is not agreed with the firm named, or two are.
    RuleViolation
        KYB_EXPIRED for a firm that is not active; CURRENCY for one that does not exist;
        INSURER for a credit insurer that nobody knows here, or that is the programme's own party.
    Conflict
        VERSION_LATE for terms that would have applied before today; ANCHOR for a known code of
        another firm; VERSION_OPEN while the version before waits for its second person.
    """
    financier_only(ctx.conn, ctx.actor)
    code, name, terms = data.file
    calendar_of(terms.calendar)
    for currency in terms.currency:
        exponent(currency)
    _active_party(ctx, terms, data)
    _known_insurer(ctx, terms, data)
    row = ctx.conn.execute(
        select(_PROGRAMME).where(
            _PROGRAMME.c.financier_id == ctx.actor.org_id, _PROGRAMME.c.code == code
        )
    ).one_or_none()
    if row is None:
        programme_id, number = new_id(), 1
        ctx.conn.execute(
            insert(_PROGRAMME),
            {
                "id": programme_id,
                "code": code,
                "name": name,
                "financier_id": ctx.actor.org_id,
                "anchor_id": data.anchor_id,
                "seller_id": data.seller_id,
                "technique": terms.technique,
                "state": "DRAFT",
                "version": 1,
                "created_by": ctx.actor.user_id,
                "created_at": ctx.now,
            },
        )
        ctx.change("programme", programme_id, None, {"code": code, "state": "DRAFT"})
    else:
        programme_id, number = row.id, _next_number(ctx, row, data)
    version_id = new_id()
    stored = terms.model_dump(mode="json")
    ctx.conn.execute(
        insert(_VERSION),
        {
            "id": version_id,
            "programme_id": programme_id,
            "number": number,
            "effective_on": data.effective_on,
            "terms": stored,
            "terms_digest": digest(stored),
            "created_by": ctx.actor.user_id,
            "created_at": ctx.now,
            "approved_by": None,
            "approved_at": None,
        },
    )
    ctx.change("programme_version", version_id, None, {"number": number, "digest": digest(stored)})
    return {"id": programme_id, "version_id": version_id, "number": number, "state": "DRAFT"}


def _active_party(ctx: Context, terms: Terms, data: LoadProgramme) -> None:
    """Stop an agreement with the wrong side, or with a firm that is not an active customer."""
    side = technique_of(terms).agreed_with
    named = {"anchor": data.anchor_id, "seller": data.seller_id}
    party_id = named.pop(side)
    if party_id is None or any(named.values()):
        raise InvalidInput(
            "PROGRAMME_PARTY",
            "This technique is agreed with the %(agreed_with)s; name that firm alone.",
            agreed_with=side,
        )
    firm = ctx.conn.execute(
        select(_FIRM.c.kind, _FIRM.c.state).where(_FIRM.c.id == party_id)
    ).one_or_none()
    if firm is None or firm.kind != "trader":
        raise NotFound(
            "NOT_FOUND", "There is no trading firm with this id.", kind="firm", id=party_id
        )
    if firm.state != "ACTIVE":
        raise RuleViolation(
            "KYB_EXPIRED",
            "The %(side)s is %(state)s; activate it first.",
            state=firm.state,
            side=side,
        )


def _known_insurer(ctx: Context, terms: Terms, data: LoadProgramme) -> None:
    """Stop a cover by a firm that is not here, or by one whose own claims or debts it covers."""
    if terms.insurance is None:
        return
    try:
        insurer_id = firm_by(ctx.conn, terms.insurance.insurer, ctx.actor.org_id)
    except NotFound:
        insurer_id = ""
    if insurer_id in {"", data.anchor_id, data.seller_id, ctx.actor.org_id}:
        raise RuleViolation(
            "INSURER",
            "The insurer is another firm than the parties, and known here: %(insurer)s is not.",
            insurer=terms.insurance.insurer,
        )


def _next_number(ctx: Context, row: Row[Any], data: LoadProgramme) -> int:
    if (row.anchor_id, row.seller_id) != (data.anchor_id, data.seller_id):
        raise Conflict("ANCHOR", "A programme of this code is another firm's.", programme=row.code)
    last = ctx.conn.execute(
        select(_VERSION).where(_VERSION.c.programme_id == row.id).order_by(_VERSION.c.number.desc())
    ).first()
    if last is None:
        return 1
    if last.approved_by is None:
        raise Conflict(
            "VERSION_OPEN",
            "The version before still waits for its second person.",
            number=last.number,
        )
    today = business_date(ctx.conn, ctx.actor.org_id)
    if data.effective_on < today or data.effective_on < last.effective_on:
        raise Conflict(
            "VERSION_LATE",
            "New terms apply from today or later, and after those before them.",
            today=today.isoformat(),
            last_effective_on=last.effective_on.isoformat(),
        )
    return int(last.number) + 1


@command("programme.activate", ActivateProgramme)
def activate_programme(ctx: Context, data: ActivateProgramme) -> dict[str, Any]:
    """The newest terms are approved by a second person; a draft programme becomes active.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the person who loaded the terms.
    Conflict
        NOTHING_OPEN when every version is approved; STALE when somebody was faster.
    """
    row = ctx.visible(Programme, data.programme_id)
    _financier_only(ctx, row)
    last = ctx.conn.execute(
        select(_VERSION).where(_VERSION.c.programme_id == row.id).order_by(_VERSION.c.number.desc())
    ).first()
    if last is None or last.approved_by is not None:
        raise Conflict("NOTHING_OPEN", "No version of this programme waits for approval.")
    if same_person(ctx.conn, ctx.actor.user_id, [last.created_by]):
        raise NotAllowed(
            "FOUR_EYES", "Another person than the one who loaded the terms approves them."
        )
    terms_of(last.terms)
    done = ctx.conn.execute(
        update(_VERSION)
        .where(_VERSION.c.id == last.id, _VERSION.c.approved_by.is_(None))
        .values(approved_by=ctx.actor.user_id, approved_at=ctx.now)
        .returning(_VERSION.c.id)
    ).one_or_none()
    if done is None:
        raise _moved()
    state = row.state
    if state == "DRAFT":
        state = PROGRAMME.after(PROGRAMME.after(state, "approve"), "activate")
    _set_state(ctx, row, state)
    ctx.change("programme_version", last.id, None, {"approved_by": ctx.actor.user_id})
    return {"id": row.id, "version_id": last.id, "number": last.number, "state": state}


@command("programme.suspend", SuspendProgramme)
def suspend_programme(ctx: Context, data: SuspendProgramme) -> dict[str, Any]:
    """No new hold is taken under the programme; what is instructed or out runs on."""
    return _switch(ctx, data.programme_id, "suspend")


@command("programme.resume", SuspendProgramme)
def resume_programme(ctx: Context, data: SuspendProgramme) -> dict[str, Any]:
    """A suspended programme gives new finance again."""
    return _switch(ctx, data.programme_id, "resume")


def _switch(ctx: Context, programme_id: str, event: str) -> dict[str, Any]:
    row = ctx.visible(Programme, programme_id)
    _financier_only(ctx, row)
    state = PROGRAMME.after(row.state, event)
    _set_state(ctx, row, state)
    ctx.emit("programme.state", {"programme_id": row.id, "state": state}, org_id=party_of(row))
    return {"id": row.id, "state": state}


def _financier_only(ctx: Context, row: Row[Any]) -> None:
    if row.financier_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the programme's financier does this.")


def _set_state(ctx: Context, row: Row[Any], state: str) -> None:
    done = ctx.conn.execute(
        update(_PROGRAMME)
        .where(_PROGRAMME.c.id == row.id, _PROGRAMME.c.version == row.version)
        .values(state=state, version=_PROGRAMME.c.version + 1)
        .returning(_PROGRAMME.c.id)
    ).one_or_none()
    if done is None:
        raise _moved()
    ctx.change("programme", row.id, {"state": row.state}, {"state": state})


def _moved() -> Conflict:
    return Conflict("STALE", "The programme has moved on; read it again.")
