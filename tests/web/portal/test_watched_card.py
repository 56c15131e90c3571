"""The page on how the card does: empty at first, then alarms, pictures and their tables, export."""

import csv
import io
import re

import pytest
from lxml import html
from sqlalchemy import select

from scf.risk.watch import nightly
from scf.risk.watch.models import ModelAlarm
from tests.support.deals import table
from tests.support.demo_world import DemoCopy


@pytest.fixture
def demo(demo_copy: DemoCopy) -> DemoCopy:
    nightly.watch_all(demo_copy.platform)
    return demo_copy


def test_the_page_says_what_it_cannot_judge_and_shows_the_rest_in_pictures(demo: DemoCopy) -> None:
    omar = demo.served.browser("omar")
    page = omar.get("/officer/models/card?by=grade")
    assert page.status_code == 200
    tree = html.document_fromstring(page.text)
    pictures = tree.xpath("//figure//*[local-name()='svg'][@role='img']/@aria-label")
    assert len(pictures) >= 3, pictures
    assert all(pictures)
    words = " ".join(tree.text_content().split())
    assert "Too few firms have failed to judge the card" in words
    assert "not enough failures" in words
    assert "worst_days_past_due" not in words, "figures are told in words"
    assert "Oldest overdue bill" in words
    # What is told in pictures stands in tables, too.
    assert len(tree.xpath("//table")) >= 4
    late = omar.get("/officer/models/card?within=365")
    assert "No morning is that old yet" in late.text
    assert omar.get("/officer/models/card?by=nonsense&within=x").status_code == 200


def test_an_alarm_is_answered_once_and_the_export_has_every_figure(demo: DemoCopy) -> None:
    omar = demo.served.browser("omar")
    page = omar.get("/officer/models/card").text
    actions = re.findall(r'action="(/officer/models/alarms/[^"]+)"', page)
    with demo.platform.db.snapshot() as conn:
        alarms = conn.execute(select(table(ModelAlarm))).all()
    assert len(actions) == len(alarms) > 0
    short = omar.post(actions[0], {"answer": "x", "key": "k1"})
    assert short.status_code == 422
    done = omar.post(actions[0], {"answer": "the books of last year came late", "key": "k2"})
    assert done.status_code == 303
    assert "the books of last year came late" in omar.get("/officer/models/card").text
    text = omar.get("/officer/models/card.csv").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["section"] for row in rows} >= {
        "drift", "alarm", "calibration 91 days", "calibration 365 days", "overrides", "losses",
    }  # fmt: skip
    assert all(row["value"] != "" for row in rows)
    charged = sum(
        int(row["value"])
        for row in rows
        if (row["group"], row["measure"]) == ("vintage", "charged_minor")
    )
    by_grade = sum(
        int(row["value"])
        for row in rows
        if (row["group"], row["measure"]) == ("grade", "charged_minor")
    )
    assert charged == by_grade > 0
    # Who is no officer sees nothing of it.
    assert demo.served.browser("mira").get("/officer/models/card").status_code == 403
