"""A seller's real django-oscar: what is ordered there stands here once, as it stands there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scf.bootstrap import build
from scf.channels.erp import oscar
from scf.channels.erp.models import ErpRun
from scf.channels.erp.rounds import EVERY, ErpRounds
from scf.demo import world
from scf.kernel.actor import OPERATOR
from scf.kernel.clock import FixedClock, SystemClock
from scf.notices.webhooks.targets import Targets
from scf.parties import tokens
from scf.parties.service import actor_of_email
from tests.channels.erp.office import VAULT, Office
from tests.channels.erp.shops import answers, each_once, ordered, shop_at, standings
from tests.channels.erp.started import start_world
from tests.support.engines import Prepare
from tests.support.oscar import CLERK, PASSWORD, OscarServer


@pytest.fixture
def prepare() -> Prepare:
    """Begin in the start world."""
    return start_world


def test_orders_come_once_and_what_becomes_of_them_is_told(
    engine_url: str, shop: OscarServer
) -> None:
    ordered(shop, range(100, 107))
    shop.place("90", "Halden Appliances", [("PH-7", 1, "12.50", "14.88")], "2026-02-27T10:00:00Z")
    office = shop_at(engine_url, shop)
    run = office.look()
    assert (run.state, run.problem, run.counts) == ("DONE", None, {"SALES": 7})
    each_once(office, range(100, 107), [])
    assert set(standings(office).values()) == {"OPEN"}

    # A round over what has not changed changes nothing, and neither does one from the beginning.
    assert office.look().counts == {}
    _now(office, "all", again=True)
    assert office.look().counts == {}

    shop.status("101", "Being processed")
    shop.status("102", "Cancelled")
    shop.amend("103", 12, "150.00", "178.50")
    ordered(shop, range(107, 108))
    # Half a yen does not exist.
    shop.place("108", "Halden Appliances", [("PH-7", 1, "12.50", "12.50")], "2026-03-04T10:00:00Z",
               currency="JPY", vatin="DE136695976")  # fmt: skip
    run = office.look()
    assert (run.state, run.counts) == ("DONE", {"SALES": 4, "SALES:bad": 1})
    each_once(
        office, range(100, 108),
        [("101", "accepted"), ("102", "refused"), ("103", "changed")],
    )  # fmt: skip
    told = standings(office)
    assert (told["101"], told["102"], told["103"]) == ("ACCEPTED", "REFUSED", "CHANGED")
    (bad,) = [row for row in office.items("SALES") if row.problem]
    assert (bad.label, bad.problem) == ("108", "AMOUNT_DECIMALS")
    assert "total_excl_tax: 12.50 JPY" in bad.said

    shop.status("101", "Complete")
    shop.amend("108", 1, "13.00", "13.00")
    assert office.look().counts == {"SALES": 2}
    assert not [row for row in office.items("SALES") if row.problem]
    assert {row.number: row.total_minor for row in office.orders()}["108"] == 13
    assert ("101", "accepted") in answers(office)
    assert standings(office)["101"] == "ACCEPTED"
    office.platform.close()


def test_a_shop_that_answers_slowly_or_wrongly_is_told_and_asked_again(
    engine_url: str, shop: OscarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered(shop, range(100, 107))
    office = shop_at(engine_url, shop)
    monkeypatch.setattr(oscar, "SECONDS", 5.0)
    for mood, problem, said in (
        ("slow", "TIMEOUT", None),
        ("broken", "ERP_ANSWER", "no JSON at /api/admin/orders/"),
        ("down", "ERP_DOWN", "HTTP 503 at /api/admin/orders/"),
        ("elsewhere", "ERP_ANSWER", "an address elsewhere: https://other.example"),
    ):
        shop.mood(mood)
        _now(office, mood)
        run = office.look()
        assert (run.state, run.problem, run.place) == ("FAILED", problem, "SALES"), mood
        assert (run.said or "").startswith(said or "")
    assert office.orders() == []
    assert "Shop" in office.told()[0]

    shop.mood("fine")
    _now(office, "fine")
    assert office.look().state == "DONE"
    each_once(office, range(100, 107), [])

    office.password("not the right one")
    assert (office.look().problem, office.rows(ErpRun)[-1].place) == ("ERP_SIGN_IN", "SIGN_IN")
    office.platform.close()


def _now(office: Office, key: str, *, again: bool = False) -> None:
    asked = {"connection_id": office.connection_id, "again": again}
    office.platform.run("erp.sync", asked, office.actor, key=key)


def test_the_command_line_connects_a_shop_asks_for_a_round_and_shows_it(
    engine_url: str, shop: OscarServer, tmp_path: Path
) -> None:
    ordered(shop, range(100, 102))
    clock = FixedClock(SystemClock().now())  # as the command line has it
    platform = build(engine_url, clock=clock)
    with platform.db.snapshot() as conn:
        mira = actor_of_email(conn, f"mira@{world.DOMAIN}")
    assert mira is not None
    token, _told = tokens.create(
        platform.runner, OPERATOR, user_id=mira.user_id, label="tests", key="token"
    )
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCF_")}
    environment |= {
        "SCF_DATABASE_URL": engine_url, "SCF_TOKEN": str(token), "SCF_SECRET_KEY_FILE": str(key),
        "SCF_WEBHOOK_LOOPBACK": "true", "SCF_ERP_PASSWORD": PASSWORD,
    }  # fmt: skip

    def scf(*words: str) -> str:
        start = [sys.executable, "-c", "from scf.cli import main; main()", "--json", "erp", *words]
        done = subprocess.run(
            start, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    added = json.loads(
        scf("add", "--kind", "OSCAR", "--url", shop.url, "--user", CLERK, "--from", "2026-03-01")
    )
    assert (added["name"], added["pulls"], added["pushes"]) == ("django-oscar", ["SALES"], [])
    clock.advance(EVERY)
    ErpRounds(platform, VAULT, Targets(loopback=True)).look()
    assert '"SALES": 2' in scf("show", str(added["id"]))
    assert json.loads(scf("sync", str(added["id"]), "--again"))["again"] is True
    platform.close()
