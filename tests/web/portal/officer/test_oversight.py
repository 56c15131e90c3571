"""What is set aside, looked at again, and entrusted to one person: by the pages, both engines."""

import re
from typing import Any

from sqlalchemy import insert, select

from scf.db.models import AuditLog
from scf.financing.models import RequestOverride, RequestReview, UserAuthority
from scf.kernel.ids import new_id
from tests.support.served import HOST
from tests.web import signing
from tests.web.portal.officer.desk import CHECKER, HEAD, MAKER, Desk, text_of


def rows(desk: Desk, model: Any) -> list[Any]:  # noqa: ANN401 - a table's class
    with desk.story.platform.db.snapshot() as conn:
        return list(conn.execute(select(model.__table__)))


def test_more_eyes_are_asked_for_signed_with_a_reason_and_the_first_word_is_void(
    desk: Desk,
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    path = f"/cases/{request_id}/override"
    assert f'href="/officer{path}"' in desk.page(CHECKER, f"/cases/{request_id}")
    more: dict[str, Any] = {"what": "route:two_officers", "why": "CAUTION"}
    assert "Say why, in a few words." in desk.send(CHECKER, path, path, status=422, **more)
    unsigned = desk.send(CHECKER, path, path, status=422, note="new buyer", **more)
    assert "The code is not right." in unsigned
    assert "new buyer" in unsigned
    assert rows(desk, RequestOverride) == []
    done = desk.send(CHECKER, path, path, sign=True, note="a new buyer", **more)
    assert "Set aside. The case begins again with a first word." in done
    assert "Decided by two officers instead of" in done
    assert "“a new buyer”" in done
    assert "Nothing has changed since." not in desk.page(HEAD, f"/cases/{request_id}")
    (made,) = rows(desk, RequestOverride)
    assert (made.after, made.code) == ("two_officers", "CAUTION")
    (audited,) = [row for row in rows(desk, AuditLog) if row.command == "request.override"]
    assert audited.user_id == made.user_id


def test_fewer_eyes_are_offered_to_the_head_office_alone(desk: Desk) -> None:
    request_id = desk.requested()
    path = f"/cases/{request_id}/override"
    more: dict[str, Any] = {"what": "route:two_officers", "why": "CAUTION", "note": "with care"}
    desk.send(MAKER, path, path, sign=True, **more)
    fewer: dict[str, Any] = {"what": "route:officer", "why": "EVIDENCE_SEEN", "note": "seen it"}
    assert 'value="route:officer"' not in desk.page(MAKER, path)
    assert 'value="route:officer"' in desk.page(HEAD, path)
    refused = desk.send(MAKER, path, path, status=403, sign=True, **fewer)
    assert "This word is for another role" in refused
    assert "Decided by one officer instead of two officers" in desk.send(
        HEAD, path, path, sign=True, **fewer
    )


def test_a_drawn_approval_is_looked_at_once_with_a_verdict_and_a_note(desk: Desk) -> None:
    request_id = desk.requested()
    table: Any = RequestReview.__table__  # type: ignore[attr-defined]
    drawn = RequestReview(
        id=new_id(), request_id=request_id, financier_id=desk.story.world.firms["bank"],
        state="OPEN", outcome=None, code=None, note=None, user_id=None,
        drawn_at=desk.story.platform.clock.now(), reviewed_at=None,
    )  # fmt: skip
    with desk.story.platform.db.writer.begin() as conn:
        conn.execute(insert(table), drawn.model_dump())
    page = desk.page(CHECKER, "/reviews")
    assert "Brook Valves" in page
    entry = page.partition('href="/officer/reviews"')[2].partition("</a>")[0]
    assert '<span class="count">1</span>' in entry
    path = f"/reviews/{request_id}"
    wrong = desk.send(CHECKER, path, "/reviews", status=422, outcome="DISAGREE", note="late payer")
    assert "Say what was wrong." in wrong
    assert "late payer" in wrong
    fields = desk.form(wrong, path) | {
        "outcome": "DISAGREE", "code": "MISSED_RISK", "note": "late payer",
    }  # fmt: skip
    for _press in range(2):
        said = desk.again(CHECKER, path, fields)
        assert "Your verdict is recorded." in said
        assert "A risk was missed" in said
    assert "Nothing waits for a look." in said
    (kept,) = rows(desk, RequestReview)
    assert (kept.state, kept.outcome, kept.note) == ("DONE", "DISAGREE", "late payer")


def test_the_head_office_entrusts_an_officer_signed_and_never_itself(desk: Desk) -> None:
    browser = desk.browser(HEAD)
    page = text_of(browser.get("/admin/authorities"))
    people = desk.story.world.people
    omar, hana = people[MAKER].user_id, people[HEAD].user_id
    assert f'value="{omar}"' in page
    assert f'value="{hana}"' not in page

    def send(status: int, drawn: str, **fields: str) -> str:
        hidden = dict(re.findall(r'name="(csrf_token|key|signed)" value="([^"]*)"', drawn))
        answer = browser.client.post(
            "/admin/authorities",
            base_url=HOST,
            data={**hidden, "user_id": omar, "currency": "EUR", **fields},
            headers={"Referer": f"{HOST}/", "Origin": HOST},
        )
        return text_of(answer, status)

    assert "Write an amount" in send(422, page, amount="a lot")
    seen = send(200, page, amount="250,000.00")
    assert "Decides then up to" in seen
    assert rows(desk, UserAuthority) == []
    confirmed = {"amount": "250,000.00", "step": "confirm"}
    send(422, seen, **confirmed)
    other = {**confirmed, "amount": "900,000.00", **signing.signature(desk.served, HEAD)}
    assert "changed after you were shown it" in send(422, seen, **other)
    send(303, seen, **confirmed, **signing.signature(desk.served, HEAD))
    assert "250,000.00" in text_of(browser.get("/admin/authorities"))
    (kept,) = rows(desk, UserAuthority)
    assert (kept.user_id, kept.ceiling_minor, kept.set_by) == (omar, 25_000_000, hana)
    text_of(desk.served.browser("mira").get("/admin/authorities"), 403)
