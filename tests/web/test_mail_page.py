"""A person confirms the own mailbox and chooses what comes there, in the portal's pages."""

import re
from typing import Any

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.kernel.ids import new_id
from scf.notices.mail.models import Letter
from scf.notices.mail.writing import letter_row
from scf.notices.models import Notice
from scf.parties.factors.codes import digest_of
from scf.parties.factors.vault import Vault
from tests.support.deals import table
from tests.support.engines import ENGINES
from tests.support.people import small_prepare
from tests.support.served import KEY, Browser, Served, served_small

prepare = small_prepare


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def page_of(browser: Browser, path: str = "/account/mail") -> str:
    return browser.get(path).get_data(as_text=True)


def code_in(served: Served) -> str:
    """Read the code as its letter will: it stands nowhere else."""
    from scf.notices.mail.commands import owner
    from scf.notices.mail.models import Mailbox

    with served.world.platform.db.snapshot() as conn:
        row = conn.execute(table(Mailbox).select()).one()
    code = Vault(KEY.encode()).open(row.sealed, owner(row.user_id))
    assert digest_of(code) == row.code_digest
    return code


def test_a_mailbox_is_confirmed_by_its_code_and_then_chosen_for(served: Served) -> None:
    mine = served.browser("treasurer")
    assert "treasurer@supplier.example" in page_of(mine)
    assert 'name="money"' not in page_of(mine)
    mine.post("/account/mail/code", {"key": "k1"})
    mine.post("/account/mail/code", {"key": "k1"})
    with served.world.platform.db.snapshot() as conn:
        assert len(conn.execute(table(Letter).select()).all()) == 1, "pressed twice, sent once"
    assert code_in(served) not in page_of(mine)
    mine.post("/account/mail/confirm", {"key": "k2", "code": "abcd-efgh-2345"})
    assert "This is not the code of the last message" in page_of(mine)
    mine.post("/account/mail/confirm", {"key": "k3", "code": code_in(served)})
    page = page_of(mine)
    offered = {
        name: re.findall(r'<option value="([A-Z_]+)"', form)
        for name, form in re.findall(
            r'<select id="f-\w+" name="(\w+)".*?>(.*?)</select>', page, re.DOTALL
        )
    }
    assert offered["money"] == ["AT_ONCE", "PORTAL"]
    assert offered["trade"] == ["AT_ONCE", "HOURLY", "DAILY", "PORTAL"]
    assert "sign_in" not in offered
    assert "alerts" not in offered, "a treasurer is told of none"
    form = {"files": "DAILY", "money": "PORTAL", "hour": "6", "zone": "Europe/Berlin"}
    mine.post("/account/mail/choices", form | {"key": "k4", "language": "zh", "alerts": "DAILY"})
    page = page_of(mine)
    for chosen in ("DAILY", "PORTAL", "6", "Europe/Berlin", "zh"):
        assert f'<option value="{chosen}" selected>' in page
    asked = mine.post("/account/mail/leave", {"key": "k5"})
    assert "/account/confirm" in asked.headers["Location"], "nobody else silences the warnings"
    assert "Send nothing more there" in page_of(mine)
    assert "treasurer@supplier.example" not in page_of(served.browser("clerk"))


def test_the_link_of_a_letter_leads_to_the_case_and_changes_nothing(served: Served) -> None:
    who = served.world.people["treasurer"]
    notice: dict[str, object] = {
        "id": new_id(),
        "user_id": who.user_id,
        "org_id": who.org_id,
        "event_id": "e",
    }
    notice |= {"topic": "upload.finished", "subject": "upload", "subject_id": "u-1"}
    with served.world.platform.db.writer.begin() as conn:
        now = served.world.clock.now()
        conn.execute(insert(table(Notice)), notice | {"message": "Read.", "created_at": now})
    path = f"/notices/{notice['id']}"
    mine = served.browser("treasurer")
    opened = mine.get(path)
    assert (opened.status_code, opened.headers["Location"]) == (303, "/uploads/u-1")
    assert "1 new notice" in page_of(mine, "/notices")
    assert served.browser("clerk").get(path).status_code == 404
    outside = served.browser()
    assert "/sign-in" in outside.get(path).headers["Location"]


@pytest.mark.parametrize("engine_name", ENGINES[:1], indirect=True)
def test_what_came_of_each_letter_stands_on_the_persons_page(served: Served) -> None:
    who, now = served.world.people["treasurer"], served.world.clock.now()
    made = [letter_row(who.user_id, who.org_id, "DIGEST", f"day:{n}", now) for n in range(4)]
    done = {"done_at": now, "lease_until": None, "status": None, "answer": None, "problem": None}
    ends: tuple[dict[str, Any], ...] = (
        {"state": "SENT"},
        {"state": "FAILED", "problem": "REFUSED", "status": 550, "answer": "5.7.1 <spam>"},
        {"state": "DROPPED", "problem": "READ"},
        {"problem": "LOGIN", "attempts": 1},
    )
    with served.world.platform.db.writer.begin() as conn:
        for row, end in zip(made, ends, strict=True):
            conn.execute(insert(table(Letter)), row | done | end)
    page = page_of(served.browser("treasurer"))
    for words in ("Sent", "550 5.7.1 &lt;spam&gt;", "You had read all of it here.", "Tried again"):
        assert words in page
    assert "refuses our sign-in" not in page
    assert "refuses our sign-in" in page_of(served.browser("supplier-admin"))
    assert "5.7.1" not in page_of(served.browser("supplier-admin"))


@pytest.mark.parametrize("engine_name", ENGINES[:1], indirect=True)
def test_without_a_mail_server_only_administrators_hear_of_it(db: Database) -> None:
    served = served_small(db, mail_from="")
    treasurer, admin = served.browser("treasurer"), served.browser("supplier-admin")
    assert "/account/mail" not in page_of(treasurer, "/account") + page_of(treasurer, "/notices")
    assert treasurer.get("/account/mail").status_code == 404
    assert treasurer.post("/account/mail/code", {"key": "k"}).status_code == 404
    assert "/account/mail" in page_of(admin, "/account")
    assert "no mail server is configured" in page_of(admin)
