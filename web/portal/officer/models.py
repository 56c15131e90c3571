"""Trained models: what each was made of, how it did, who answers for it, and the next step."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.kernel.errors import NotAllowed, ScfError
from scf.parties.access import may
from scf.parties.service import business_date, people_names
from scf.risk import cards
from scf.risk.drift import Drift, drift_of
from scf.risk.lifecycle import MODEL
from scf.risk.models import FirmFact, RiskAssessment, RiskModel
from web.context import actor
from web.portal.officer import figurewords
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.second_factor import check, digest_of

_LEAST_WORDS: Final = 3
_PSI_FULL: Final = 0.25  # a bar of full length
STATES: Final[Mapping[str, tuple[object, str]]] = {
    "TRAINED": (_l("Trained"), "info"),
    "VALIDATED": (_l("Validated"), "info"),
    "CHALLENGER": (_l("Challenger"), "warn"),
    "CHAMPION": (_l("Champion"), "ok"),
    "RETIRED": (_l("Put away"), ""),
    "KILLED": (_l("Stopped"), "bad"),
}
_DONE: Final = {
    "validate": _l("The model is validated."),
    "challenge": _l("The model is a challenger."),
    "propose": _l("Proposed. Another person promotes it."),
    "promote": _l("The model is the champion."),
    "retire": _l("The model is put away."),
    "kill": _l("The model is stopped."),
}


@page("/models", "risk.read")
def models() -> str:
    """List the models, the newest first, and say how often people grade firms otherwise."""
    with reading() as session:
        rows = list(
            session.execute(select(RiskModel).order_by(col(RiskModel.trained_at).desc())).scalars()
        )
        otherwise = _graded_otherwise(session)
    return render_template(
        "officer/models.html",
        models=[{**_said(row), "row": row, "state": STATES[row.state]} for row in rows],
        champion=next((row for row in rows if row.state == "CHAMPION"), None),
        otherwise=otherwise,
    )


def _graded_otherwise(session: Session) -> tuple[int, int]:
    """Count the firms that people grade otherwise by now, and those that are assessed."""
    latest = select(func.max(col(RiskAssessment.as_of_on))).scalar_subquery()
    assessed = session.execute(
        select(func.count()).where(col(RiskAssessment.as_of_on) == latest)
    ).scalar_one()
    today = business_date(session.connection(), actor().org_id)
    graded: dict[str, int] = {}
    rows = session.execute(
        select(col(FirmFact.firm_id), col(FirmFact.notches), col(FirmFact.valid_to))
        .where(col(FirmFact.kind) == "grade", col(FirmFact.known_at).is_not(None))
        .order_by(col(FirmFact.known_at), col(FirmFact.id))
    )
    for firm_id, notches, valid_to in rows:
        graded[firm_id] = notches if valid_to >= today else 0
    return sum(1 for notches in graded.values() if notches), int(assessed)


@page("/models/<model_id>", "risk.read")
def model(model_id: str) -> Any:  # noqa: ANN401 - a page, and whether all is well
    """Show a model with its pictures and what may be done with it next."""
    return _page(model_id, {}, 200)


def _page(model_id: str, errors: dict[str, str], status: int) -> tuple[str, int]:
    with reading() as session:
        row = _row(session, model_id)
        said = _said(row)
        people = people_names(
            session.connection(), {said[name] for name in cards.PEOPLE if said[name]}
        )
        drift = _drift(session, row)
    steps = [event for event in MODEL.allowed(row.state) if may(actor(), f"model.{event}")]
    body = render_template(
        "officer/model.html",
        row=row,
        said=said,
        state=STATES[row.state],
        people=people,
        history=_history(row, people),
        tenths=_bars(said["calibration"]),
        tenths_of_card=_bars(said["calibration_of_card"]),
        measures=_measures(said["measures"]),
        drift=drift,
        moved=_moved(drift) if drift is not None else [],
        steps=steps,
        may_propose=row.state == "CHALLENGER" and may(actor(), "model.propose"),
        own={name: getattr(row, name) == actor().user_id for name in ("trained_by", "proposed_by")},
        signed=_signed(row),
        stopping=_stopping(row),
        inputs=[(*figurewords.figure(one["name"]), one) for one in said["inputs"]],
        typed={name: value[:2000] for name, value in request.form.items()},
        errors=errors,
    )
    return body, status


def _said(row: RiskModel) -> dict[str, Any]:
    """Give what is said of a model, with days that a page can write."""
    found = cards.of(row)
    for window in found["windows"]:
        for name in ("first_on", "last_on"):
            window[name] = dt.date.fromisoformat(window[name])
    return found


def _row(session: Session, model_id: str) -> RiskModel:
    row: RiskModel | None = session.execute(
        select(RiskModel).where(col(RiskModel.id) == model_id)
    ).scalar_one_or_none()
    if row is None:
        raise missing("model")
    return row


def _drift(session: Session, row: RiskModel) -> Drift | None:
    """Hold the firms of the newest chain against the model; nothing where there is none yet."""
    try:
        return drift_of(session.connection(), row)
    except ScfError:
        return None


def _moved(drift: Drift) -> list[dict[str, Any]]:
    return [
        {
            "name": figurewords.figure(one.name)[0],
            "used": round(min(one.psi / _PSI_FULL, 1.0) * 100),
            "more": 0,
            "shown": f"{one.psi:.2f}",
            "level": one.level,
        }
        for one in drift.inputs
    ]


def _bars(tenths: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Give each tenth's told and happened failures, in hundredths, for the picture."""
    return [
        {
            "label": str(number),
            "told": round(100 * one["told"]),
            "failed": round(100 * one["failed"]),
            "shown": _(
                "%(told)s told, %(failed)s failed, of %(firms)s",
                told=f"{one['told']:.1f}",
                failed=int(one["failed"]),
                firms=int(one["firms"]),
            ),
        }
        for number, one in enumerate(tenths, 1)
    ]


def _measures(measures: dict[str, float]) -> list[tuple[str, str, str]]:
    """Give the figures of the test window, and the expert card's beside them."""
    named = {
        "auc": _("Ranking (AUC)"),
        "brier": _("Mean squared error (Brier)"),
        "log_loss": _("Log loss"),
        "slope": _("Slope of what happened on what was told"),
        "realised_over_told": _("Failures that happened, per one told"),
    }

    def shown(name: str) -> str:
        return f"{measures[name]:.4f}" if name in measures else "–"

    return [(str(text), shown(name), shown(f"card_{name}")) for name, text in named.items()]


def _history(row: RiskModel, people: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give who took which step, and when."""
    steps = (
        (_("Trained"), row.trained_by, row.trained_at, ""),
        (_("Validated"), row.validated_by, row.validated_at, row.validation),
        (_("Proposed as champion"), row.proposed_by, row.proposed_at, ""),
        (_("Made the champion"), row.promoted_by, row.promoted_at, ""),
        (str(STATES[row.state][0]), row.ended_by, row.ended_at, row.end_reason),
    )
    return [
        {"text": text, "who": people.get(who, ""), "at": at, "note": note}
        for text, who, at, note in steps
        if who
    ]


def _signed(row: RiskModel) -> str:
    """Give the digest of what the second person signs: this file, as that person proposed it."""
    return digest_of(model=row.id, file=row.file_digest, proposed_by=row.proposed_by or "")


def _stopping(row: RiskModel) -> str:
    """Give the digest of what is signed by who stops a model."""
    return digest_of(model=row.id, file=row.file_digest, stop="now")


@page("/models/<model_id>/validate", "model.validate", method="POST")
def validate_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say, as another person than its maker, what the model was held against."""
    return _with_reason("validate", model_id)


@page("/models/<model_id>/challenge", "model.challenge", method="POST")
def challenge_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let a validated model stand beside what prices."""
    return _step("challenge", model_id)


@page("/models/<model_id>/propose", "model.propose", method="POST")
def propose_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose a challenger as champion."""
    return _step("propose", model_id)


@page("/models/<model_id>/promote", "model.promote", method="POST")
def promote_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Make a challenger the champion, signed by another person than who proposed it."""
    with reading() as session:
        row = _row(session, model_id)
    try:
        if row.proposed_by == actor().user_id:
            raise NotAllowed("FOUR_EYES", "Another person promotes the model you have proposed.")
        check(_signed(row))
    except ScfError as refusal:
        return _page(model_id, {"promote": errors_of(refusal)["form"]}, refusal.http_status)
    return _step("promote", model_id)


@page("/models/<model_id>/retire", "model.retire", method="POST")
def retire_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Put a model away."""
    return _with_reason("retire", model_id)


@page("/models/<model_id>/kill", "model.kill", method="POST")
def kill_model(model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Stop a model at once: one person, who signs it."""
    with reading() as session:
        row = _row(session, model_id)
    try:
        check(_stopping(row))
    except ScfError as refusal:
        return _page(model_id, {"kill": errors_of(refusal)["form"]}, refusal.http_status)
    return _with_reason("kill", model_id)


def _with_reason(event: str, model_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    reason = typed("reason", 2000)
    if len(reason) < _LEAST_WORDS:
        return _page(model_id, {event: str(_("Say it in a few words."))}, 422)
    return _step(event, model_id, reason=reason)


def _step(event: str, model_id: str, **said: str) -> Any:  # noqa: ANN401 - a page or a way on
    try:
        act(f"model.{event}", {"model_id": model_id, **said})
    except ScfError as refusal:
        if refusal.http_status == 404:  # noqa: PLR2004 - there is no page to show it on
            raise
        return _page(model_id, {event: errors_of(refusal)["form"]}, refusal.http_status)
    return done(str(_DONE[event]), url_for("officer.model", model_id=model_id))
