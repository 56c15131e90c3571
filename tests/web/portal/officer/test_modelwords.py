"""What pages and API say of a trained champion: each input and each reason has its words."""

from flask import Flask
from flask_babel import Babel

from scf.db.engine import Database
from scf.risk.models import RiskAssessment
from scf.risk.pricing import KINDS, REFERRED
from scoring.features import NAMES
from tests.risk.champions import ChampionWorld, wide
from tests.support.deals import ANCHOR
from web.api.v1.risk_assessments import _shown
from web.portal.officer import modelwords, words


def test_every_input_reason_and_kind_has_words_of_its_own() -> None:
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        told = {name: modelwords.model_input(name) for name in NAMES}
        assert all(text != name for name, text in told.items())
        assert len(set(told.values())) == len(NAMES)
        for code in REFERRED:
            assert words.criterion(code) != code
            if code.startswith("MODEL_"):
                said = modelwords.note("A firm", "expert_prior", "", (f"{code}:margin", code))
                assert said.count("the expert's card priced") == 1
        chips = [modelwords.kind(kind)["text"] for kind in KINDS]
        assert chips == [
            "expert prior, not estimated",
            "trained model, promoted by two people",
            "model of simulated firms, demo only",
        ]
        assert "demo only" not in modelwords.note("A firm", "trained", "own-2026", ())
        assert "simulated firms" in modelwords.note("A firm", "simulated", "drawn", ())


def test_an_assessment_in_the_api_names_its_champion_and_what_moved_it(db: Database) -> None:
    world = ChampionWorld(db)
    (champion,) = world.heard(wide(1))
    shown = _shown(world.get(RiskAssessment, world.assessment(ANCHOR).id))  # type: ignore[arg-type]
    assert (shown.model.kind, shown.model.version, shown.model.id) == (
        "trained", "wide-1", champion,
    )  # fmt: skip
    assert shown.model.refer == []
    assert shown.model.reasons
    assert shown.own_hazard <= shown.total_hazard
