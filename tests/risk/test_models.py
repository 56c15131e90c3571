"""Trained models: two people for more, one for less; no champion without its whole file."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text

from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, NotAllowed, NotFound, RuleViolation
from scf.risk import appetite
from scf.risk.models import ModelFile, RiskModel
from scf.risk.promoting import Trained
from scf.risk.training import train_own
from scoring import canonical
from scoring.estimators import Blend, HazardCurves
from scoring.features import FEATURES, NAMES
from scoring.modelfile import Column, ModelCard, Window, data_hash, write
from scoring.monitoring import Bins
from tests.risk.world import RiskWorld
from tests.support.deals import BANK, CHECKER, DAY, HEAD, MAKER, OTHER_CHECKER, table

TWIN = Actor("u-twin", BANK, frozenset({Role.OFFICER_CHECKER}))


def trained(seed: int = 1, kind: Any = "trained", features: int = len(NAMES)) -> Trained:  # noqa: ANN401
    """A small model of drawn rows; two files of one training are not the same to the byte."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(120, features))
    days = np.where(rows[:, 0] > 1, rng.integers(1, 300, 120), -365.0).astype(np.float64)
    model = HazardCurves(Blend(trees=2)).fit(rows, days)
    named = FEATURES[:features]
    card = ModelCard(
        name=f"m-{seed}", kind=kind, target="a failure within a year", horizon_days=365,
        columns=tuple(Column.of(one, rows[:, at]) for at, one in enumerate(named)),
        windows=(Window("train", "2024-01-01", "2025-01-01", 120, int((days > 0).sum())),),
        score=Bins.of(model.predict(rows)), data_hash=data_hash(rows, days),
        settings={"trees": "2"}, measures={"auc": 0.7},
    )  # fmt: skip
    return Trained(
        name=card.name, kind=kind, file=write(model, card), schema_hash="s", trained_on=DAY,
        data_hash=card.data_hash, card=canonical.dump(card),
        tenths={"model": [[12, 0.4, 1]] * 10, "card": []},
    )  # fmt: skip


class ModelWorld(RiskWorld):
    """A bank with models."""

    def register(self, made: Trained, who: Actor = MAKER) -> str:
        found = self.run("model.register", who, file_digest=made.file_digest, content=made)
        return str(found["id"])

    def step(self, name: str, model_id: str, who: Actor, **said: str) -> dict[str, Any]:
        return self.run(f"model.{name}", who, model_id=model_id, **said)

    def challenger(self, made: Trained) -> str:
        model_id = self.register(made)
        self.step("validate", model_id, CHECKER, reason="held against last year")
        self.step("challenge", model_id, MAKER)
        return model_id

    def champion(self, made: Trained) -> str:
        model_id = self.challenger(made)
        self.step("propose", model_id, MAKER)
        self.step("promote", model_id, CHECKER)
        return model_id

    def state(self, model_id: str) -> str:
        return str(self.get(RiskModel, model_id).state)

    def tamper(self, digest: str) -> None:
        """Change a stored file, past the trigger that forbids it."""
        server = self.db.dialect == "postgresql"
        trigger = "model_file_no_change" if server else "model_file_no_update"
        with self.db.writer.begin() as conn:
            on = " ON model_file" if server else ""
            conn.execute(text(f"DROP TRIGGER {trigger}{on}"))
        self.change_file(digest)

    def change_file(self, digest: str) -> None:
        with self.db.writer.begin() as conn:
            conn.execute(
                text("UPDATE model_file SET content = :content WHERE digest = :digest"),
                {"content": b"something else", "digest": digest},
            )


def code_of(act: Any, *words: Any, **said: Any) -> str:  # noqa: ANN401
    with pytest.raises((Conflict, NotAllowed, NotFound, RuleViolation)) as refused:
        act(*words, **said)
    return str(refused.value.code)


def test_a_champion_has_the_word_of_two_people_at_each_door(db: Database) -> None:
    world = ModelWorld(db)
    world.person("u-maker", "maker@bank.example", Role.OFFICER_MAKER)
    world.person("u-twin", "maker+night@bank.example", Role.OFFICER_CHECKER)
    world.person("u-checker", "checker@bank.example", Role.OFFICER_CHECKER)
    made = trained()
    model_id = world.register(made)
    assert world.state(model_id) == "TRAINED"
    assert code_of(world.register, made) == "MODEL_KNOWN"
    assert code_of(world.step, "challenge", model_id, MAKER) == "ILLEGAL_TRANSITION"
    assert code_of(world.step, "validate", model_id, TWIN, reason="seen") == "FOUR_EYES"
    assert code_of(world.step, "validate", model_id, OTHER_CHECKER, reason="mine") == "NOT_FOUND"
    world.step("validate", model_id, CHECKER, reason="held against last year")
    assert code_of(world.step, "promote", model_id, CHECKER) == "ILLEGAL_TRANSITION"
    world.step("challenge", model_id, MAKER)
    assert code_of(world.step, "promote", model_id, CHECKER) == "NOTHING_WAITS"
    world.step("propose", model_id, MAKER)
    assert code_of(world.step, "propose", model_id, MAKER) == "NOTHING_NEW"
    assert code_of(world.step, "promote", model_id, TWIN) == "FOUR_EYES"
    assert world.state(model_id) == "CHALLENGER"
    world.step("promote", model_id, CHECKER)
    assert code_of(world.step, "retire", model_id, HEAD, reason="old") == "MODEL_CHAMPION"
    # The next champion takes its place; one person stops that one.
    following = world.champion(trained(2))
    assert (world.state(model_id), world.state(following)) == ("RETIRED", "CHAMPION")
    world.step("kill", following, MAKER, reason="prices look wrong")
    assert world.state(following) == "KILLED"
    row = world.get(RiskModel, following)
    assert (row.validated_by, row.proposed_by, row.promoted_by, row.ended_by) == (
        "u-checker", "u-maker", "u-checker", "u-maker",
    )  # fmt: skip
    with db.snapshot() as conn:
        told = list(conn.execute(select(table(AuditLog).c.command)).scalars())
    assert (told.count("model.promote"), told.count("model.kill")) == (2, 1)


def test_a_file_that_is_not_the_one_that_was_trained_makes_no_champion(db: Database) -> None:
    world = ModelWorld(db)
    made = trained()
    model_id = world.challenger(made)
    world.step("propose", model_id, MAKER)
    with pytest.raises(Exception, match="model_file"):
        world.change_file(made.file_digest)
    world.tamper(made.file_digest)
    assert code_of(world.step, "promote", model_id, CHECKER) == "MODEL_FILE"
    assert world.state(model_id) == "CHALLENGER"
    assert world.count(ModelFile) == 1


def test_simulated_firms_teach_no_real_bank_and_a_short_history_teaches_nobody(
    db: Database,
) -> None:
    world = ModelWorld(db)
    assert code_of(world.register, trained(kind="simulated")) == "MODEL_SIMULATED"
    world.history()
    world.morning(dt.date(2026, 3, 11))
    with db.snapshot() as conn, pytest.raises(RuleViolation) as short:
        train_own(conn, BANK, dt.date(2026, 3, 11), appetite.in_force())
    assert short.value.code == "HISTORY_SHORT"
    assert short.value.facts["found"] == {"train": 0, "calibration": 0, "test": 0}
    assert world.count(RiskModel) == 0
