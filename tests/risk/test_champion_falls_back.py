"""Where the champion has no sound word the card prices, and a person decides; nothing stops."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from scf.db.engine import Database
from scf.kernel.ids import canonical_json
from scf.offers.models import Quote
from scf.risk import opinions
from scf.risk.models import PriceAssessment
from scf.risk.promoting import Trained
from scf.risk.replay import replay
from scoring import modelfile
from scoring.asking import opinions as asked
from scoring.features import FEATURES, NAMES
from tests.risk.champions import ChampionWorld, wide
from tests.support.deals import ANCHOR, DAY, SELLER


def by_card(world: ChampionWorld, code: str) -> None:
    """Price a claim: by the card alone, for a person to decide, and so it is replayed."""
    quote = world.quote(world.claim())
    made = world.all(PriceAssessment)[-1]
    assert made.kind == "expert_prior"
    assert code in made.route_reasons
    assert world.get(Quote, quote["id"]).route == "officer"
    result = json.loads(world.assessment(ANCHOR).result)
    assert result["model"]["stands"] is False
    assert result["risk"] == result["by_card"]["risk"]
    with world.db.snapshot() as conn:
        assert replay(conn, [made.quote_line_id]).differences == ()


def trade(db: Database) -> ChampionWorld:
    world = ChampionWorld(db, ipu='"none"')
    world.history()
    world.sale("100,000.00", issued=DAY)
    return world


def test_a_file_that_was_changed_is_not_opened(db: Database) -> None:
    world = trade(db)
    made = wide(1)
    champion = world.champion(made)
    world.tamper(made.file_digest)
    world.morning()
    assert {tuple(row.refer) for row in world.scores(champion).values()} == {("MODEL_UNREAD",)}
    assert {row.pd_one_year for row in world.scores(champion).values()} == {None}
    by_card(world, "MODEL_UNREAD")


def test_a_firm_unlike_those_of_the_training_is_a_persons(db: Database) -> None:
    world = trade(db)
    champion = world.champion(wide(1, spread=0.01))
    world.morning()
    refer = world.scores(champion)[ANCHOR].refer
    assert refer
    assert all(code.startswith("MODEL_UNUSUAL:") for code in refer)
    by_card(world, "MODEL_UNUSUAL")


def _estimator(made: Trained) -> Any:  # noqa: ANN401 - whatever was fitted
    return modelfile.read(made.file, made.file_digest).estimator


def _card(made: Trained) -> modelfile.ModelCard:
    return modelfile.read(made.file, made.file_digest).card


def filed(made: Trained, file: bytes) -> Trained:
    return dataclasses.replace(made, file=file)


def test_whatever_a_file_is_the_morning_begins_and_a_person_decides(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trade(db)
    made = wide(1)
    estimator, card = _estimator(made), _card(made)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(modelfile, "_versions", lambda: {"numpy": "0.1"})
        older = modelfile.write(estimator, card)
    turned = dataclasses.replace(card.columns[0], sign=-card.columns[0].sign)
    other = modelfile.write(
        estimator, dataclasses.replace(card, columns=(turned, *card.columns[1:]))
    )
    files = {"older": older, "other": other, "noise": b"PK\x03\x04 and nothing else"}
    champions = {name: world.champion(filed(made, file)) for name, file in files.items()}
    world.morning()
    # Only the last one is champion; the others were put away by the next.
    last = world.scores(champions["noise"])
    assert {tuple(row.refer) for row in last.values()} == {("MODEL_UNREAD",)}
    by_card(world, "MODEL_UNREAD")
    for file in files.values():
        with pytest.raises(modelfile.ModelUnavailableError):
            modelfile.read(file, modelfile.digest_of(file), FEATURES)


def test_a_model_that_breaks_when_it_is_asked_stops_nobody(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trade(db)
    champion = world.champion(wide(1))

    def broken(*_args: object, **_said: object) -> None:
        raise ArithmeticError("no such tree")

    monkeypatch.setattr(opinions, "_opinions", broken)
    world.morning()
    assert world.scores(champion)[SELLER].refer == ["MODEL_UNREAD"]
    by_card(world, "MODEL_UNREAD")


def test_a_rating_stands_before_the_champion_and_needs_nobody(db: Database) -> None:
    world = trade(db)
    world.rated(ANCHOR)
    world.champion(wide(1))
    world.morning()
    assessed = world.assessment(ANCHOR)
    result = json.loads(assessed.result)
    assert (assessed.kind, result["model"]["stands"], result["pd"]) == (
        "expert_prior", False, pytest.approx(0.0015),
    )  # fmt: skip


def test_people_move_what_the_champion_says_of_the_firm_and_not_its_chain(db: Database) -> None:
    world = trade(db)
    champion = world.champion(wide(1))
    world.fact(ANCHOR, "grade", notches=2, code="BAD_NEWS", valid_to=DAY.replace(year=DAY.year + 1))
    world.morning()
    said = world.scores(champion)[ANCHOR]
    result = json.loads(world.assessment(ANCHOR).result)
    term = result["risk"]["term"]
    assert result["pd"] > float(said.pd_one_year)
    assert [float(own) for own in term["own"]] > [float(own) for own in said.own_curve]
    chain = result["risk"]["total_hazard"] - result["risk"]["own_hazard"]
    logs = [np.log1p(-np.array(list(map(float, bins)))) for bins in (said.own_curve, said.curve)]
    assert chain == pytest.approx(float(logs[0].sum() - logs[1].sum()), abs=1e-9)


def test_nothing_known_and_no_number_are_no_answer() -> None:
    made = wide(1)
    model = modelfile.read(made.file, made.file_digest)
    rows = np.zeros((3, len(NAMES)))
    rows[0] = np.nan
    rows[1, 0] = np.inf
    unseen, infinite, known = asked(model, rows, explain=True)
    assert "MODEL_UNSEEN" in unseen.refer
    assert not unseen.stands
    assert infinite.term is None
    assert "MODEL_NO_ANSWER" in infinite.refer
    assert known.stands
    assert canonical_json({"digest": known.features_digest}) != canonical_json(
        {"digest": unseen.features_digest}
    )


def test_what_the_chain_adds_is_the_same_models_difference_and_is_never_added() -> None:
    made = wide(1)
    model = modelfile.read(made.file, made.file_digest)
    middles = [column.middle or 0.0 for column in model.card.columns]
    rows = np.tile(np.array(middles), (2, 1))
    place = NAMES.index("buyers_overdue")
    rows[1, place] = 350.0  # far above the middle of its training rows
    calm, troubled = asked(model, rows, explain=True)
    assert calm.term is not None
    assert troubled.term is not None
    told = model.judge(rows).hazards
    assert told is not None
    for one, hazards in ((calm, told[0]), (troubled, told[1])):
        assert one.term is not None
        # All of it is what the model says of the firm as it is: not more by any chain.
        assert [float(month) for month in one.term.total] == pytest.approx(
            hazards.tolist(), abs=1e-12
        )
    assert calm.term.own == calm.term.total
    assert troubled.term.own == calm.term.total
    assert troubled.term.total_rate(365) > troubled.term.own_rate(365)
    (why, *_) = troubled.why
    assert (why.name, why.chain) == ("buyers_overdue", True)
    assert why.points > 0
