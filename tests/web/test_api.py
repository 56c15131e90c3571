"""The API's manners: clean JSON, keys used once, pages, versions, problems, its description."""

import json
import re

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.parties.models import Firm
from tests.support.people import small_prepare
from tests.support.served import HOST, Served, served_small

prepare = small_prepare  # every test begins in the small world


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def firms_in(db: Database) -> int:
    with db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(Firm.__table__)).scalar_one())  # type: ignore[attr-defined]


def send(
    served: Served, raw: str | bytes, content_type: str = "application/json"
) -> tuple[int, str]:
    answer = served.app.test_client().post(
        "/api/v1/firms",
        base_url=HOST,
        data=raw,
        content_type=content_type,
        headers={
            "Authorization": f"Bearer {served.world.token('maker')}",
            "Idempotency-Key": served.world.key(),
        },
    )
    return answer.status_code, answer.get_json()["code"] if answer.status_code >= 400 else ""


UNCLEAN: tuple[str | bytes, ...] = (
    '{"name": "A", "name": "B"}',
    '{"name": "A", "identifiers": [{"scheme": "id", "scheme": "vat", "value": "1"}]}',
    '{"name": NaN}',
    '{"name": Infinity}',
    '{"name": 1e999}',
    '{"name": ' + "9" * 5000 + "}",
    '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"name": "A"',
    '{"name": "A"} {"name": "B"}',
    '["name"]',
    '"name"',
    "null",
    b'{"name": "\xff\xfe"}',
    "{'name': 'A'}",
)


def test_unclean_json_is_refused_whole(served: Served, db: Database) -> None:
    before = firms_in(db)
    for raw in UNCLEAN:
        assert (raw[:40], *send(served, raw)) == (raw[:40], 400, "JSON")
    assert firms_in(db) == before


def test_a_body_of_another_type_is_refused(served: Served) -> None:
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ):
        assert send(served, '{"name": "A"}', content_type) == (415, "CONTENT_TYPE")


def test_brackets_within_a_text_are_no_depth(served: Served) -> None:
    assert send(served, json.dumps({"name": "[" * 300 + '\\"' + "{" * 50}))[0] == 201


def test_no_field_is_taken_that_the_model_does_not_name(served: Served, db: Database) -> None:
    before = firms_in(db)
    for field in ("state", "id", "invited_by", "version", "created_at", "org_id", "role"):
        answer = served.api("maker", "POST", "/firms", json={"name": "A", field: "x"})
        body = answer.get_json()
        assert (answer.status_code, body["code"]) == (422, "INPUT")
        assert body["facts"]["problems"] == [
            {"place": field, "message": "Extra inputs are not permitted"}
        ]
    assert firms_in(db) == before


def test_what_was_typed_is_not_repeated(served: Served) -> None:
    secret = "gravel-lantern-mimic-52"
    for body in (
        {"email": "no address " + secret, "password": secret, "name": "N", "roles": ["x"]},
        {"password": {"nested": secret}},
        {"password": secret * 40, "email": "a@b.example", "name": "N", "roles": ["treasurer"]},
    ):
        answer = served.api("supplier-admin", "POST", "/users", json=body)
        assert answer.status_code == 422
        assert secret not in answer.get_data(as_text=True)


def test_a_key_is_required_for_every_change(served: Served) -> None:
    for key in ("", " " * 0, "k" * 256, "caf\u00e9", "a\tb"):
        answer = served.app.test_client().post(
            "/api/v1/firms",
            base_url=HOST,
            json={"name": "A"},
            headers={
                "Authorization": f"Bearer {served.world.token('maker')}",
                **({"Idempotency-Key": key.encode().decode("latin-1")} if key else {}),
            },
        )
        assert (answer.status_code, answer.get_json()["code"]) == (400, "IDEMPOTENCY_KEY")


def test_one_key_has_one_effect_and_one_answer(served: Served, db: Database) -> None:
    first = served.api("maker", "POST", "/firms", json={"name": "Once"}, key="k1")
    count = firms_in(db)
    again = served.api("maker", "POST", "/firms", json={"name": "Once"}, key="k1")
    third = served.api("maker", "POST", "/firms", json={"name": "Once"}, key="k1")
    assert first.status_code == again.status_code == third.status_code == 201
    assert first.data == again.data == third.data
    assert "Idempotency-Hit" not in first.headers
    assert again.headers["Idempotency-Hit"] == third.headers["Idempotency-Hit"] == "true"
    assert firms_in(db) == count


def test_a_key_with_another_body_is_refused(served: Served) -> None:
    served.api("maker", "POST", "/firms", json={"name": "Once"}, key="k1")
    answer = served.api("maker", "POST", "/firms", json={"name": "Twice"}, key="k1")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")


def test_another_organisations_key_is_invisible(served: Served, db: Database) -> None:
    first = served.api("maker", "POST", "/firms", json={"name": "Once"}, key="k1")
    other = served.api("treasurer", "POST", "/firms", json={"name": "Once"}, key="k1")
    assert other.status_code == 201
    assert "Idempotency-Hit" not in other.headers
    assert other.get_json()["id"] != first.get_json()["id"]


def test_a_refusal_is_not_stored(served: Served) -> None:
    bad = served.api("maker", "POST", "/accounts", json={"currency": "EUR"}, key="k1")
    assert bad.status_code == 422
    good = {"iban": "DE89370400440532013000", "currency": "EUR"}
    assert served.api("maker", "POST", "/accounts", json=good, key="k1").status_code == 201


def test_a_token_is_shown_once(served: Served) -> None:
    first = served.api("maker", "POST", "/tokens", json={"label": "erp"}, key="k1")
    again = served.api("maker", "POST", "/tokens", json={"label": "erp"}, key="k1")
    assert first.get_json()["token"].startswith("trib_")
    assert again.get_json()["token"] is None
    assert again.headers["Idempotency-Hit"] == "true"
    assert first.get_json()["id"] == again.get_json()["id"]
    answer = served.api(
        None, "GET", "/users/me", headers={"Authorization": f"Bearer {first.get_json()['token']}"}
    )
    assert answer.get_json()["email"] == "maker@bank.example"
    token_id = first.get_json()["id"]
    assert served.api("maker", "DELETE", f"/tokens/{token_id}").status_code == 200
    listed = served.api("maker", "GET", "/tokens").get_json()["items"]
    assert [row["revoked_at"] is not None for row in listed if row["id"] == token_id] == [True]


def test_pages_hold_each_row_once_even_when_rows_come_between(served: Served) -> None:
    for number in range(7):
        served.world.run("firm.add", served.world.people["clerk"], name=f"Firm {number}")
    seen: list[str] = []
    cursor = ""
    for turn in range(20):
        answer = served.api("clerk", "GET", f"/firms?limit=3&cursor={cursor}").get_json()
        seen += [row["name"] for row in answer["items"]]
        served.world.run("firm.add", served.world.people["clerk"], name=f"Late {turn}")
        cursor = answer["next_cursor"]
        if not cursor:
            break
    assert seen == [*(f"Firm {number}" for number in reversed(range(7))), "Anchor Company"]


def test_a_cursor_or_query_that_is_none_of_ours_is_refused(served: Served) -> None:
    for query, status, code in (
        ("cursor=x", 400, "CURSOR"),
        ("cursor=bnVsbA", 400, "CURSOR"),
        ("cursor=MTI", 400, "CURSOR"),
        ("cursor=W10", 400, "CURSOR"),
        ("cursor=%00", 400, "CURSOR"),
        ("cursor=Int9", 400, "CURSOR"),
        ("cursor=" + "x" * 401, 422, "INPUT"),
        ("limit=0", 422, "INPUT"),
        ("limit=201", 422, "INPUT"),
        ("limit=x", 422, "INPUT"),
        ("unknown=1", 422, "INPUT"),
        ("limit=1&limit=2", 400, "PARAMETER_TWICE"),
    ):
        answer = served.api("clerk", "GET", f"/firms?{query}")
        assert (query, answer.status_code, answer.get_json()["code"]) == (query, status, code)


def test_a_change_names_the_version_that_was_looked_at(served: Served) -> None:
    firm_id = served.api("clerk", "POST", "/firms", json={"name": "Invited"}).get_json()["id"]
    served.world.run(
        "firm.activate", served.world.people["maker"], firm_id=firm_id, evidence="register"
    )
    shown = served.api("maker", "GET", f"/firms/{firm_id}")
    tag, path, body = shown.headers["ETag"], f"/firms/{firm_id}/suspend", {"reason": "sanctions"}
    assert tag == f'"{shown.get_json()["version"]}"'
    without = served.api("maker", "POST", path, json=body)
    assert (without.status_code, without.get_json()["code"]) == (428, "IF_MATCH")
    odd = served.api("maker", "POST", path, json=body, headers={"If-Match": "*"})
    assert odd.status_code == 400
    done = served.api("maker", "POST", path, json=body, headers={"If-Match": tag})
    assert done.get_json()["state"] == "SUSPENDED"
    again = served.api(
        "checker",
        "POST",
        f"/firms/{firm_id}/activate",
        json={"evidence": "false hit"},
        headers={"If-Match": tag},
    )
    assert (again.status_code, again.get_json()["code"]) == (409, "STALE")


def test_a_partner_sees_fewer_fields_than_the_firm_itself(served: Served) -> None:
    world = served.world
    invited = world.run("firm.add", world.people["clerk"], name="Invited")["id"]
    own = served.api("clerk", "GET", f"/firms/{invited}").get_json()
    assert own["version"] == 1
    with world.platform.db.writer.begin() as conn:
        conn.execute(
            Firm.__table__.update()  # type: ignore[attr-defined]
            .where(Firm.__table__.c.id == world.firms["supplier"])  # type: ignore[attr-defined]
            .values(invited_by=world.firms["bank"])
        )
    itself = served.api("treasurer", "GET", f"/firms/{world.firms['supplier']}").get_json()
    assert itself["invited_by"] == world.firms["bank"]
    assert served.api("clerk", "GET", f"/firms/{world.firms['supplier']}").status_code == 404


def test_two_people_stand_behind_an_account(served: Served) -> None:
    added = served.api(
        "maker",
        "POST",
        "/accounts",
        json={
            "firm_id": served.world.firms["supplier"],
            "iban": "DE89 3704 0044 0532 0130 00",
            "currency": "EUR",
        },
    ).get_json()
    path, body = f"/accounts/{added['id']}/verify", {"evidence": "letter of the bank"}
    own = served.api("maker", "POST", path, json=body)
    assert (own.status_code, own.get_json()["code"]) == (422, "SAME_PERSON")
    assert served.api("checker", "POST", path, json=body).get_json()["state"] == "VERIFIED"
    shown = served.api("treasurer", "GET", "/accounts").get_json()["items"]
    assert [(row["number"], row["state"]) for row in shown] == [
        ("DE89370400440532013000", "VERIFIED")
    ]
    word = {"financier_id": served.world.firms["bank"], "state": "VERIFIED", "usable_on": None}
    assert [{key: one[key] for key in word} for one in shown[0]["verifications"]] == [word]
    assert shown[0]["usable_on"] is None
    closed = served.api("maker", "DELETE", f"/accounts/{added['id']}").get_json()
    assert closed["state"] == "CLOSED"  # the bank's own record; the firm's own word would stay
    shown = served.api("treasurer", "GET", "/accounts").get_json()["items"]
    assert [row["state"] for row in shown] == ["CLOSED"]


def test_the_trail_shows_what_was_done(served: Served) -> None:
    served.api(
        "maker",
        "POST",
        "/firms",
        json={"name": "Traced"},
        headers={"X-Reason": "asked by the anchor"},
    )
    world = served.world
    from scf.kernel.actor import Role

    world.person("boss", "bank", Role.HEAD_OFFICE)
    rows = served.api("boss", "GET", "/audit?command=firm.add").get_json()["items"]
    assert [(row["command"], row["reason"], row["user_id"]) for row in rows] == [
        ("firm.add", "asked by the anchor", world.people["maker"].user_id)
    ]
    assert rows[0]["changes"][0]["after"]["name"] == "Traced"
    jobs = served.api("maker", "GET", "/jobs").get_json()["items"]
    assert jobs == []


def test_every_problem_has_one_shape(served: Served) -> None:
    answers = [
        served.api(None, "GET", "/firms"),
        served.api("clerk", "GET", "/audit"),
        served.api("clerk", "GET", "/firms/none"),
        served.api("clerk", "GET", "/nothing"),
        served.api("clerk", "PATCH", "/firms"),
        served.api("clerk", "POST", "/firms", json={"name": ""}),
        served.api("clerk", "POST", "/firms", json={}),
    ]
    for answer in answers:
        body = answer.get_json(force=True)
        assert answer.content_type == "application/problem+json"
        assert set(body) == {"type", "title", "status", "code", "detail", "facts"}
        assert body["status"] == answer.status_code
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", body["code"])
        assert body["type"] == "urn:tributary:problem:" + body["code"].lower().replace("_", "-")
    assert answers[4].headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_the_description_covers_every_route_and_holds_together(served: Served) -> None:
    document = served.app.test_client().get("/api/v1/openapi.json", base_url=HOST).get_json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in served.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.openapi"
    }
    assert described == routes
    names = set(document["components"]["schemas"])
    used = set(re.findall(r"#/components/schemas/([\w.-]+)", json.dumps(document)))
    assert used <= names
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            headers = {row["name"] for row in operation["parameters"] if row["in"] == "header"}
            # A signed message's own id is its key: Standard Webhooks has no other header for it.
            keys = headers & {"Idempotency-Key", "webhook-id"}
            assert len(keys) == (method != "get"), (method, path)
            for status in ("401", "403", "404", "409", "429", "503"):
                content = operation["responses"][status]["content"]
                assert set(content) == {"application/problem+json"}
    ids = [row["operationId"] for rows in document["paths"].values() for row in rows.values()]
    assert len(ids) == len(set(ids))
    assert document["security"] == [{"token": []}]
