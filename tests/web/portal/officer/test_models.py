"""The officer's page of trained models: pictures, who answers, and two people for a champion."""

import re

from tests.risk.test_models import trained
from tests.web.portal.officer.desk import CHECKER, HEAD, MAKER, Desk


def test_a_model_becomes_champion_on_its_page_by_two_people_and_is_stopped_by_one(
    desk: Desk,
) -> None:
    assert "No model yet." in desk.page(HEAD, "/models")
    made = trained()
    world = desk.story.world
    model_id = world.run(
        "model.register", world.people[MAKER], file_digest=made.file_digest, content=made
    )["id"]
    path = f"/models/{model_id}"
    assert made.name in desk.page(HEAD, "/models")
    own = desk.page(MAKER, path)
    # Both pictures have a twin in words; there is no chain yet to hold the inputs against.
    assert own.count("0.4 told, 1 failed, of 12") == 2 * 10
    assert "There is no chain yet to hold it against." in own
    assert "Chance of: a failure within a year." in own
    assert "1 Jan 2024" in own.partition('id="windows"')[2]
    assert "Validate it" not in own
    assert "Say it in a few words." in desk.send(CHECKER, f"{path}/validate", path, status=422)
    said = desk.send(CHECKER, f"{path}/validate", path, reason="held against last year")
    assert "The model is validated." in said
    assert "held against last year" in said
    assert "The model is a challenger." in desk.send(MAKER, f"{path}/challenge", path)
    waiting = desk.send(MAKER, f"{path}/propose", path)
    assert "You proposed it as champion. Another person promotes it." in waiting
    page = desk.page(CHECKER, path)
    hidden = desk.form(page, f"{path}/promote")
    assert "The code is not right." in desk.again(CHECKER, f"{path}/promote", hidden, status=422)
    assert "The model is the champion." in desk.again(CHECKER, f"{path}/promote", hidden, sign=True)
    champion = desk.page(HEAD, path)
    assert "Put it away" not in champion
    assert re.findall(r"<strong>(.*?)</strong>", champion.partition('id="who"')[2])[:4] == [
        "Trained", "Validated", "Proposed as champion", "Made the champion",
    ]  # fmt: skip
    hidden = desk.form(desk.page(MAKER, path), f"{path}/kill") | {"reason": "prices look wrong"}
    assert "The code is not right." in desk.again(MAKER, f"{path}/kill", hidden, status=422)
    stopped = desk.again(MAKER, f"{path}/kill", hidden, sign=True)
    assert "The model is stopped." in stopped
    assert "Stop it at once" not in stopped
    assert desk.page(HEAD, "/models").count("Stopped") == 1
