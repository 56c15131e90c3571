"""Commands on trained models: from the day one is trained to the day on which it is put away.

More needs two people: who trained a model does not validate it, who proposes a champion does not
promote it. Less needs one: whoever sees that a model errs stops it at once. Source: risk.md 2
(monitoring), decision 0021.
"""

import dataclasses
import datetime as dt
import hashlib
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.mark import is_demo
from scf.parties.service import financier_only, same_person
from scf.risk.lifecycle import MODEL
from scf.risk.models import ModelFile, RiskModel

TABLE: Final[Table] = RiskModel.__table__  # type: ignore[attr-defined]
FILE: Final[Table] = ModelFile.__table__  # type: ignore[attr-defined]
_KEEP: Final = {
    "sqlite": sqlite.insert(FILE).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(FILE).on_conflict_do_nothing(),
}

Said = Annotated[str, Field(min_length=3, max_length=2000)]

constraint_means(
    "uq_risk_model_champion",
    "risk_model.financier_id",
    lambda: Conflict("RACED", "Somebody else has just promoted another model; read it again."),
)
constraint_means(
    "uq_risk_model",
    "risk_model.financier_id, risk_model.file_digest",
    lambda: Conflict("MODEL_KNOWN", "This very model is here already."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RegisterModel(_Input):
    """A model that was trained before, outside of any transaction, by the digest of its file."""

    file_digest: str = Field(min_length=64, max_length=64)
    # A value of ours, not of a caller: the file and what is said of it.
    content: Annotated[Any, SkipValidation] = Field(exclude=True, repr=False)


class OneModel(_Input):
    """A model."""

    model_id: Id


class JudgedModel(_Input):
    """A model and what a person has to say of it."""

    model_id: Id
    reason: Said


@dataclasses.dataclass(frozen=True, slots=True)
class Trained:
    """A model's file, with what is kept beside it for people."""

    name: str
    kind: str
    file: bytes
    schema_hash: str
    data_hash: str
    card: str
    tenths: dict[str, list[list[float]]]
    trained_on: dt.date

    @property
    def file_digest(self) -> str:
        """The digest of the file, under which it is kept."""
        return hashlib.sha256(self.file).hexdigest()


@command("model.register", RegisterModel)
def register_model(ctx: Context, data: RegisterModel) -> dict[str, Any]:
    """A trained model is kept with its card; it says nothing of anybody yet.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY.
    Conflict
        MODEL_KNOWN where the same file is here already.
    RuleViolation
        MODEL_SIMULATED for a model of drawn chains where the books are real.
    """
    financier_only(ctx.conn, ctx.actor)
    made: Trained = data.content
    only_in_a_demo(ctx.conn, made.kind)
    if made.file_digest != data.file_digest:
        msg = "the digest is not that of the file"
        raise AssertionError(msg)
    file = {
        "digest": data.file_digest, "content": made.file, "size": len(made.file),
        "stored_at": ctx.now,
    }  # fmt: skip
    ctx.conn.execute(_KEEP[ctx.dialect], file)
    row = {
        "id": new_id(),
        "financier_id": ctx.actor.org_id,
        "name": made.name,
        "kind": made.kind,
        "state": MODEL.states[0],
        "file_digest": data.file_digest,
        "schema_hash": made.schema_hash,
        "data_hash": made.data_hash,
        "card": made.card,
        "tenths": made.tenths,
        "trained_on": made.trained_on,
        "trained_by": ctx.actor.user_id,
        "trained_at": ctx.now,
    }
    ctx.conn.execute(insert(TABLE), row)
    told = {name: row[name] for name in ("name", "kind", "state", "file_digest", "data_hash")}
    ctx.change("risk_model", str(row["id"]), None, told)
    return {"id": row["id"], **told}


@command("model.validate", JudgedModel)
def validate_model(ctx: Context, data: JudgedModel) -> dict[str, Any]:
    """Another person than its maker has held a model against what it is for, and says how.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who trained it.
    Conflict
        ILLEGAL_TRANSITION.
    """
    row = _row(ctx, data.model_id)
    if same_person(ctx.conn, ctx.actor.user_id, [row.trained_by]):
        raise NotAllowed("FOUR_EYES", "Another person validates what you have trained.")
    said = {"validated_by": ctx.actor.user_id, "validated_at": ctx.now, "validation": data.reason}
    return _step(ctx, row, "validate", said)


@command("model.challenge", OneModel)
def challenge(ctx: Context, data: OneModel) -> dict[str, Any]:
    """A validated model stands beside what prices, to be promoted or put away.

    Raises
    ------
    RuleViolation
        MODEL_FILE where its file is gone or another one.
    Conflict
        ILLEGAL_TRANSITION.
    """
    row = _row(ctx, data.model_id)
    _file_is_whole(ctx, row)
    return _step(ctx, row, "challenge", {})


@command("model.propose", OneModel)
def propose_champion(ctx: Context, data: OneModel) -> dict[str, Any]:
    """Somebody proposes a challenger as champion; nothing changes until another person says yes.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION; NOTHING_NEW where the same person has asked already.
    """
    row = _row(ctx, data.model_id)
    MODEL.after(row.state, "promote")
    if row.proposed_by == ctx.actor.user_id:
        raise Conflict("NOTHING_NEW", "You have proposed this already; another person decides.")
    said = {"proposed_by": ctx.actor.user_id, "proposed_at": ctx.now}
    return _write(ctx, row, row.state, said)


@command("model.promote", OneModel)
def promote(ctx: Context, data: OneModel) -> dict[str, Any]:
    """A second person makes a challenger the champion; the one before retires.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who proposed it.
    Conflict
        ILLEGAL_TRANSITION; NOTHING_WAITS where nobody has proposed it.
    RuleViolation
        MODEL_FILE where its file is gone or another one; MODEL_SIMULATED where the books are real.
    """
    row = _row(ctx, data.model_id)
    MODEL.after(row.state, "promote")
    if row.proposed_by is None:
        raise Conflict("NOTHING_WAITS", "Nobody has proposed this model as champion.")
    if same_person(ctx.conn, ctx.actor.user_id, [row.proposed_by]):
        raise NotAllowed("FOUR_EYES", "Another person promotes the model that you have proposed.")
    only_in_a_demo(ctx.conn, row.kind)
    _file_is_whole(ctx, row)
    before = ctx.conn.execute(
        select(TABLE).where(TABLE.c.financier_id == ctx.actor.org_id, TABLE.c.state == "CHAMPION")
    ).one_or_none()
    if before is not None:
        _step(ctx, before, "retire", _ended(ctx, f"replaced by {row.name}"))
    said = {"promoted_by": ctx.actor.user_id, "promoted_at": ctx.now}
    return _step(ctx, row, "promote", said)


@command("model.retire", JudgedModel)
def retire(ctx: Context, data: JudgedModel) -> dict[str, Any]:
    """A model that is not the champion is put away.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION; MODEL_CHAMPION for the champion, which is stopped or replaced.
    """
    row = _row(ctx, data.model_id)
    if row.state == "CHAMPION":
        raise Conflict(
            "MODEL_CHAMPION", "This model is the champion: stop it, or promote another one."
        )
    return _step(ctx, row, "retire", _ended(ctx, data.reason))


@command("model.kill", JudgedModel)
def kill(ctx: Context, data: JudgedModel) -> dict[str, Any]:
    """A champion or challenger is stopped at once, by one person.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION.
    """
    return _step(ctx, _row(ctx, data.model_id), "kill", _ended(ctx, data.reason))


# --- Steps ----------------------------------------------------------------------------------------


def _row(ctx: Context, model_id: str) -> Row[Any]:
    financier_only(ctx.conn, ctx.actor)
    row: Row[Any] = ctx.visible(RiskModel, model_id)
    return row


def _ended(ctx: Context, reason: str) -> dict[str, Any]:
    return {"ended_by": ctx.actor.user_id, "ended_at": ctx.now, "end_reason": reason}


def _step(ctx: Context, row: Row[Any], event: str, said: dict[str, Any]) -> dict[str, Any]:
    return _write(ctx, row, MODEL.after(row.state, event), said)


def _write(ctx: Context, row: Row[Any], state: str, said: dict[str, Any]) -> dict[str, Any]:
    """Write a step unless somebody else was first."""
    done = ctx.conn.execute(
        update(TABLE)
        .where(
            TABLE.c.id == row.id,
            TABLE.c.state == row.state,
            TABLE.c.proposed_by.is_not_distinct_from(row.proposed_by),
        )
        .values(state=state, **said)
        .returning(TABLE.c.id)
    ).one_or_none()
    if done is None:
        raise Conflict("RACED", "Somebody else was first with this model; read it again.")
    told = {name: value for name, value in said.items() if not name.endswith("_at")}
    ctx.change("risk_model", row.id, {"state": row.state}, {"state": state, **told})
    return {"id": row.id, "name": row.name, "kind": row.kind, "state": state}


def only_in_a_demo(conn: Connection, kind: str) -> None:
    """Keep what simulated firms taught out of real books.

    Raises
    ------
    RuleViolation
        MODEL_SIMULATED.
    """
    if kind == "simulated" and not is_demo(conn):
        raise RuleViolation(
            "MODEL_SIMULATED",
            "A model of simulated firms is for a demo world only; these books are real.",
        )


def _file_is_whole(ctx: Context, row: Row[Any]) -> None:
    content = ctx.conn.execute(
        select(FILE.c.content).where(FILE.c.digest == row.file_digest)
    ).scalar_one_or_none()
    if content is None or hashlib.sha256(content).hexdigest() != row.file_digest:
        raise RuleViolation(
            "MODEL_FILE",
            "The file of this model is gone, or is not the one that was trained.",
            next_step="Restore it from the back-up, or train again.",
        )
