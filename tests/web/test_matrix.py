"""Every route × method × role × organisation, generated from the application's own map of routes.

P19: who may not, is told so before anything else; what one may not see answers byte for byte as
what does not exist; a route that nobody declared fails.
"""

import re
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.kernel.actor import Role
from scf.kernel.ids import new_id
from scf.parties import sessions
from tests.support.served import Served
from tests.web.expectations import ROUTES
from tests.web.matrix import Matrix, matrix_on, matrix_prepare
from tests.web.route_kinds import VISIBLE, Api, Person, Portal
from web.portal.navigation import BELL, entries_of, numbers

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
prepare = matrix_prepare  # every test begins in the matrix's world


@pytest.fixture
def matrix(db: Database) -> Matrix:
    return matrix_on(db)


def _routes(served: Served) -> Iterator[tuple[str, str]]:
    for rule in served.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule


def test_every_route_is_declared_and_every_declaration_is_a_route(matrix: Matrix) -> None:
    assert set(_routes(matrix.served)) == set(ROUTES)


def test_a_method_that_a_route_does_not_have_is_refused(matrix: Matrix) -> None:
    served = matrix.served
    by_rule: dict[str, set[str]] = {}
    for method, rule in _routes(served):
        by_rule.setdefault(rule, set()).add(method)
    merged: dict[str, set[str]] = {}
    for rule, has in by_rule.items():  # "/users/me" also matches "/users/<user_id>"
        path = re.sub(r"<[^>]+>", "x", rule)
        for other, more in by_rule.items():
            pattern = re.sub(r"<path:[^>]+>", ".+", other)
            if re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", pattern), path):
                has = has | more  # noqa: PLW2901 - grows with each match
        merged[path] = has
    wrong = []
    for path, has in merged.items():
        for method in set(METHODS) - has:
            answer = served.app.test_client().open(
                path, method=method, base_url="https://localhost"
            )
            if answer.status_code not in {400, 405}:  # 400: no form token
                wrong.append((method, path, answer.status_code))
    assert not wrong


def test_nobody_and_somebody_who_left_are_told_the_same_everywhere(matrix: Matrix) -> None:
    wrong = []
    bodies: dict[str, set[bytes]] = {"nobody": set(), "gone": set(), "forged": set()}
    forged = {"Authorization": "Bearer trib_" + "A" * 43}
    for (method, rule), row in ROUTES.items():
        if not isinstance(row, Api):
            continue
        thing = matrix.things.get(row.thing, "")
        path = matrix.path(rule, thing)
        for who, answer in (
            ("nobody", matrix.served.api(None, method, path, json={})),
            ("gone", matrix.served.api("gone", method, path, json={})),
            ("forged", matrix.served.api(None, method, path, json={}, headers=forged)),
        ):
            bodies[who].add(answer.data)
            if answer.status_code != 401 or "WWW-Authenticate" not in answer.headers:
                wrong.append((who, method, rule, answer.status_code))
    assert not wrong
    assert {who: len(found) for who, found in bodies.items()} == {
        "nobody": 1,
        "gone": 1,
        "forged": 1,
    }
    assert bodies["gone"] == bodies["forged"]


def test_each_role_may_what_is_declared_and_no_more(matrix: Matrix) -> None:
    wrong = []
    for (method, rule), row in ROUTES.items():
        if not isinstance(row, Api):
            continue
        for person in matrix.people:
            thing = matrix.things.get(row.thing) or matrix.things["firm"]
            answer = matrix.ask(person.name, method, rule, thing)
            code = (answer.get_json(silent=True) or {}).get("code", "")
            expected = _expected(row, person)
            got = {401: "401", 403: "403", 404: "404"}.get(answer.status_code, "passes")
            if answer.status_code >= 500 or got != expected:
                wrong.append((person.name, method, rule, expected, answer.status_code, code))
    assert not wrong


def _expected(row: Api, person: Person) -> str:
    if person.role not in row.roles:
        return "403"
    if row.thing and not VISIBLE[row.thing](person):
        return "404"
    return "403" if row.refused(person) else "passes"


def test_what_one_may_not_see_answers_as_what_does_not_exist(matrix: Matrix) -> None:
    compared, wrong = 0, []
    for (method, rule), row in ROUTES.items():
        if not isinstance(row, Api) or not row.thing:
            continue
        foreign, missing = matrix.things[row.thing], new_id()
        for person in matrix.people:
            if _expected(row, person) != "404":
                continue
            one = matrix.ask(person.name, method, rule, foreign)
            two = matrix.ask(person.name, method, rule, missing)
            same_body = one.data.replace(foreign.encode(), b"ID") == two.data.replace(
                missing.encode(), b"ID"
            )
            same_headers = _telling(one) == _telling(two)
            compared += 1
            if one.status_code != 404 or not same_body or not same_headers:
                wrong.append((person.name, method, rule, one.data, two.data))
    assert not wrong
    assert compared > 50


def _telling(answer: TestResponse) -> dict[str, str]:
    # The length says no more than the body, which is compared once what was asked for is the same.
    passing = {"X-Request-Id", "Content-Length"}
    return {key: value for key, value in answer.headers.items() if key not in passing}


def test_lists_hold_nothing_of_another_organisation(matrix: Matrix) -> None:
    """The ids of anchor-x's own things never occur in any list that anchor-y is shown."""
    shown = []
    for (method, rule), row in ROUTES.items():
        if method != "GET" or not isinstance(row, Api) or row.thing:
            continue
        for person in matrix.people:
            if person.org != "anchor-y" or person.role not in row.roles:
                continue
            text = matrix.served.api(person.name, "GET", matrix.path(rule, "")).data.decode()
            shown += [
                (person.name, rule, kind) for kind, thing in matrix.things.items() if thing in text
            ]
            if matrix.served.world.firms["anchor-x"] in text:
                shown.append((person.name, rule, "anchor-x itself"))
    assert not shown


def test_pages_send_everybody_who_is_not_signed_in_to_the_sign_in_page(matrix: Matrix) -> None:
    """And open for their roles alone; what is another's is not there."""
    wrong: list[tuple[object, ...]] = []
    people = _one_of_each_kind(matrix)
    # Signing out comes last: until then one browser serves a person's whole row.
    pages = sorted(
        ((key, row) for key, row in ROUTES.items() if isinstance(row, Portal)),
        key=lambda page: page[0][1] == "/sign-out",
    )
    for name in (*people, "gone", None):
        browser, person = matrix.served.browser(name), people.get(str(name))
        token = browser.form_token("/")
        for (method, rule), row in pages:
            path = re.sub(r"<[^>]+>", matrix.things[row.thing], rule) if row.thing else rule
            post = method == "POST"
            answer = browser.post(path, row.form, token=token) if post else browser.get(path)
            turned_away = answer.status_code == 303 and answer.headers["Location"] == "/sign-in"
            expected_away = row.gate or (row.signed_in and person is None)
            if rule == "/sign-out" and person is not None:
                expected_away = True  # signed out, and at the door again
            if answer.status_code >= 500 or turned_away != expected_away:
                wrong.append((name, method, rule, answer.status_code))
            elif person is not None and not expected_away:
                got = {403: "403", 404: "404"}.get(answer.status_code, "passes")
                if got != _opens(row, person, got):
                    wrong.append((name, method, rule, answer.status_code, "role or thing"))
    assert not wrong


def test_the_numbers_of_the_navigation_are_those_that_each_count_gives_alone(
    matrix: Matrix,
) -> None:
    world, met = matrix.served.world, set()
    for name in _one_of_each_kind(matrix):
        who = world.people[name]
        with world.platform.db.read(who) as reading:
            alone = {
                entry.endpoint: reading.execute(entry.count(who)).scalar_one()
                for entry in (*entries_of(who), BELL)
                if entry.count
            }
            assert numbers(reading, who) == alone, name
        met |= {endpoint for endpoint, number in alone.items() if number}
    assert len(met) > 2, met


def _opens(row: Portal, person: Person, got: str) -> str:
    """Say what a page answers; without a thing of ours in its address it may find nothing."""
    if person.role not in row.roles:
        return "403"
    if row.thing:
        return "passes" if VISIBLE[row.thing](person) else "404"
    return got if got != "403" else "passes"


def _one_of_each_kind(matrix: Matrix) -> dict[str, Person]:
    """Give a person of every role who is a side of the things, and an officer of another bank."""
    found: dict[Role, Person] = {}
    for person in matrix.people:
        if person.org in {"bank-a", "supplier-x", "anchor-x"}:
            found.setdefault(person.role, person)
    stranger = next(one for one in matrix.people if one.name == "bank-b-officer-checker")
    return {one.name: one for one in (*found.values(), stranger)}


# Which kind of object stands in an address of the portal, where its name alone does not say it.
KINDS = {
    "account_id": "account",
    "account_code": "ledger_account",
    "advance_id": "advance",
    "advice_id": "advice_paper",
    "alert_id": "alert",
    "dispute_id": "dispute",
    "entry_id": "bank_entry",
    "file_id": "payment_file",
    "finding_id": "finding",
    "firm_id": "firm",
    "fixing_id": "fixing",
    "period_id": "period",
    "publication_id": "publication",
    "invoice_id": "invoice",
    "ledger_entry_id": "ledger_entry",
    "model_id": "model",
    "model_alarm_id": "model_alarm",
    # Words of the address of an empty form, which is nobody's.
    "kind": "form",
    "ending": "form",
    "node_id": "limit",
    "notice_id": "notice",
    "order_id": "order",
    "own_account_id": "own_account",
    "pack_id": "pack",
    "passkey_id": "passkey",
    "payment_id": "payment",
    "programme_id": "programme",
    "reminder_id": "reminder",
    "request_id": "request",
    "session_id": "session",
    "suspicion_id": "suspicion",
    "token_id": "token",
    "transfer_id": "transfer",
    "upload_id": "upload",
    "user_id": "user",
    "vouch_id": "vouch",
    "webhook_id": "webhook",
    "channel_id": "channel",
    "connection_id": "connection",
}
# Firms are known to every bank by name; what a bank did with one is asked for elsewhere.
EVERY_BANK_KNOWS = frozenset({"firm", "account"})
# A page shows these in every answer anew, whatever it is about.
_ANEW = re.compile(rb'name="(?:csrf_token|key)" value="[^"]*"|<p class="tiny">[A-Z_]+ [^<]*</p>')


def test_a_page_about_what_is_anothers_is_the_page_about_what_is_not_there(
    matrix: Matrix,
) -> None:
    """Every address of the portal with an id in it, for a stranger of every role that may open it.

    Status, words and headers are those of an id that nobody has.
    """
    things = matrix.things | _of_somebody(matrix)
    routes = [
        (method, rule, re.findall(r"<(\w+)>", rule), row)
        for (method, rule), row in ROUTES.items()
        if isinstance(row, Portal) and "<" in rule and "<kind>" not in rule  # nobody's: a form
    ]
    named = {name for _method, _rule, names, _row in routes for name in names}
    assert named <= set(KINDS)
    wrong, compared, met = [], 0, set()
    for person in (one for one in matrix.people if one.org in {"bank-b", "anchor-y"}):
        browser = matrix.served.browser(person.name)
        token = browser.form_token("/account")
        for method, rule, names, row in routes:
            kinds = {KINDS[name] for name in names}
            if person.role not in row.roles or (person.is_bank and kinds & EVERY_BANK_KNOWS):
                continue
            answers = []
            theirs = {name: things[KINDS[name]] for name in names}
            nobodys = {name: "0" * 16 if name == "session_id" else new_id() for name in names}
            for ids in (theirs, nobodys):
                path = filled(rule, ids)
                form = {"key": new_id(), "reason": "because", "note": "because"}
                answer = (
                    browser.post(path, form, token=token) if method == "POST" else browser.get(path)
                )
                body = _ANEW.sub(b"", answer.data)
                for one in ids.values():
                    body = body.replace(one.encode(), b"ID")
                answers.append((answer.status_code, body, _telling(answer)))
            compared += 1
            met.add((method, rule))
            if answers[0] != answers[1] or answers[0][0] not in {303, 404}:
                wrong.append((person.name, method, rule, answers[0][0], answers[1][0]))
    assert not wrong
    assert met == {(method, rule) for method, rule, _names, _row in routes} - {
        ("POST", "/officer/accounts/<account_id>/verify"),
        *((method, rule) for method, rule, _n, _r in routes if rule.startswith("/officer/firms/")),
    }
    assert compared > 100


def filled(rule: str, ids: dict[str, str]) -> str:
    """Give an address of the portal with ids in its places."""
    return re.sub(r"<(\w+)>", lambda found: ids[found[1]], rule)


def _of_somebody(matrix: Matrix) -> dict[str, str]:
    """Give the id by which a session of another person is listed; nobody has a passkey here."""
    world = matrix.served.world
    user_id = world.people["anchor-x-treasurer"].user_id
    session_id = sessions.start(
        world.platform.db, user_id, {}, world.clock.now(), sessions.Lifetimes()
    )
    return {"session": sessions.digest_of(session_id)[:16], "passkey": new_id()}
