"""Which fields each side reads, listed one by one, and what must never be among them."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scf.bootstrap import load_impairment, load_reminders
from tests.support.taxes import store_answers
from tests.web.api.story import (
    ANNA,
    CARL,
    CHEN,
    HANA,
    INVOICE,
    MIRA,
    OMAR,
    SAMPLES,
    Story,
)
from tests.web.expectations import API, ROUTES
from tests.web.route_kinds import Api

LISTED = Path(__file__).with_name("fields.json")
SIDES = {"seller": MIRA, "buyer": ANNA, "financier": OMAR}
DUE = dt.date(2026, 6, 8)
EVIDENCE = "seen in the file room"
NOTE = "between us: their books look thin"
# Lists whose fields are of the shell's own resources, which other tests hold.
THEIRS = {
    "/firms", "/accounts", "/users", "/users/me", "/tokens", "/programmes", "/fixings", "/limits",
    "/ledger/accounts", "/ledger/entries", "/ledger/trial-balance", "/jobs", "/audit",
}  # fmt: skip


def lived(story: Story) -> dict[str, str]:
    """A life with a decline in it: one request is refused, the next is paid out and repaid."""
    load_impairment()  # as a process at work has them, whatever a test before has taken away
    load_reminders()
    story.upload(CARL, "order-4711.xml")
    first = story.requested()
    declined = {"outcome": "DECLINE", "code": "OVERDUE_SELLER", "gap": "20 days", "note": NOTE}
    story.decide(OMAR, first, **declined)
    (row,) = story.say(MIRA, "GET", "/invoices")["items"]
    quote = story.quote(row["id"])
    request = story.request(quote["id"])
    story.check(request["id"], "duplicate", "screening", "tax_status", "title_search")
    story.decide(OMAR, request["id"], note=NOTE)
    story.decide(CHEN, request["id"], note=NOTE)
    story.check(request["id"], "e_signature", "registration", "recheck")
    content = story.released()
    story.bank_answers(content)
    story.say(
        ANNA,
        "POST",
        f"/invoices/{row['id']}/dispute",
        201,
        json={"amount": {"amount_minor": 100, "currency": "EUR"}, "reason": "scratched"},
    )
    story.close_to(DUE - dt.timedelta(days=1))
    story.bank_says(story.receive(40_000_000, "BV-2026-118", DUE))
    story.bank_says(story.receive(1_234, "no idea", DUE, stranger=True))
    _names_to_settle(story)
    omar = story.world.people[OMAR]
    with story.world.platform.db.writer.begin() as conn:
        store_answers(conn, row["id"], omar, story.world.people[MIRA].org_id)
    advance = request["advances"][0]["id"]
    return {
        "invoice": row["id"],
        "quote": quote["id"],
        "declined": first,
        "request": request["id"],
        "advance": advance,
    }


def _names_to_settle(story: Story) -> None:
    """The buyer hands in an invoice whose seller nobody knows by number; a firm has two records."""
    content = (SAMPLES / INVOICE).read_bytes()
    for known, unknown in ((b"NL004495445B01", b"NL820646660B01"), (b"BV-2026-118", b"BV-N-1")):
        content = content.replace(known, unknown)
    assert story.send(ANNA, "/uploads?name=named.xml", content).status_code == 202
    twin = story.say(MIRA, "POST", "/firms", 201, json={"name": "Halden Appliances GmbH"})
    proposal = {"firm_id": twin["id"], "survivor_id": story.world.firms["anchor"]}
    story.say(OMAR, "POST", "/firm-merges", 201, json={**proposal, "reason": "one register entry"})


def answers(story: Story, person: str) -> Iterator[tuple[str, str]]:
    """Give every JSON answer that a person gets: all lists, and each thing on them."""
    for (method, rule), row in ROUTES.items():
        if method != "GET" or not isinstance(row, Api) or "<" in rule:
            continue
        path = rule.removeprefix(API)
        answer = story.ask(person, "GET", path)
        if answer.status_code == 403:
            continue
        assert answer.status_code == 200, (path, answer.get_data(as_text=True))
        yield path, answer.get_data(as_text=True)
        for inner in (r for (m, r) in ROUTES if m == "GET" and r.startswith(f"{rule}/<")):
            for item in answer.get_json().get("items", ()):
                tail = inner.removeprefix(API).partition("<")[2].partition(">")[2]
                deep = story.ask(person, "GET", f"{path}/{item['id']}{tail}")
                if deep.status_code == 200 and deep.is_json:
                    yield f"{path}/{{id}}{tail}", deep.get_data(as_text=True)


def fields(value: Any, path: str = "") -> set[str]:  # noqa: ANN401 - any JSON
    """Give the paths of all fields that hold something."""
    if isinstance(value, dict):
        inner = {
            name
            for key, item in value.items()
            for name in fields(item, f"{path}.{key}" if path else key)
        }
        return inner or ({path} if path else set())
    if isinstance(value, list):
        return {name for item in value for name in fields(item, f"{path}[]")}
    return set() if value is None else {path}


def test_each_side_reads_the_fields_that_are_listed_and_no_other(story: Story) -> None:
    """A new field is nobody's to read before a person has written it into ``fields.json``."""
    lived(story)
    found: dict[str, dict[str, list[str]]] = {}
    for side, person in SIDES.items():
        seen: dict[str, set[str]] = {}
        for path, text in answers(story, person):
            if path.partition("/{id}")[0] not in THEIRS:
                seen.setdefault(path, set()).update(fields(json.loads(text)))
        found[side] = {path: sorted(names) for path, names in sorted(seen.items())}
    assert found == json.loads(LISTED.read_text("utf-8"))


def test_a_supplier_reads_nothing_of_what_the_financier_keeps_inside(story: Story) -> None:
    lived(story)
    limits = {str(node["id"]) for node in story.say(OMAR, "GET", "/limits")["items"]}
    inside = {EVIDENCE, NOTE, "signed_digest", "margin", "evidence", *limits}
    inside |= {story.world.people[name].user_id for name in (OMAR, CHEN, HANA)}
    for path, text in answers(story, MIRA):
        assert not {word for word in inside if word in text}, path


# Ids, digests and instants hold every short number sooner or later.
_BY_CHANCE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[0-9a-f]{32,}|\d\dT\d\d:\d\d:\d\d\.\d+"
)


def test_a_buyer_reads_nothing_of_its_suppliers_price(story: Story) -> None:
    """Its own book names the advance that it repaid, by an id that opens nothing to it."""
    ids = lived(story)
    price = {"98837500", "1162500", "47047", "48564", "4.65", "988375", "11625", "margin"}
    named = {ids[name] for name in ("quote", "declined", "request")}

    def told(text: str, hidden: set[str]) -> set[str]:
        plain = _BY_CHANCE.sub("", text)
        return {word for word in price if word in plain} | {one for one in hidden if one in text}

    for person in (ANNA, CARL):
        for path, text in answers(story, person):
            own_book = path in {"/journals", "/ledger/entries"}
            hidden = named if own_book else named | {ids["advance"]}
            assert not told(text, hidden), (person, path)
    for form in ("csv", "hledger"):
        text = story.ask(ANNA, "GET", f"/journals?format={form}").get_data(as_text=True)
        assert not told(text, named), form
    assert story.ask(ANNA, "GET", f"/advances/{ids['advance']}").status_code == 403
    shown = story.say(ANNA, "GET", f"/invoices/{ids['invoice']}")
    assert (shown["finance"], shown["eligible"], shown["label"]) == (None, None, "OVERDUE")


def test_what_a_check_found_is_not_told_to_who_is_checked(story: Story) -> None:
    request_id = story.requested()
    story.check(request_id, "screening", result="HIT")
    for person, code in ((MIRA, "CHECK_NEEDED"), (OMAR, "SCREENING_HIT")):
        shown = story.say(person, "GET", f"/financing-requests/{request_id}")
        assert (shown["state"], shown["declined"]["code"]) == ("DECLINED", code)
    for path, text in answers(story, MIRA):
        assert "SCREENING" not in text.upper(), path
