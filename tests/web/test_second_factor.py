"""The second factor: asked of everybody, each proof good once, bound to what is signed (V6, V7)."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from scf.db.engine import Database
from scf.kernel.actor import Role
from scf.kernel.errors import RuleViolation
from scf.parties.factors import codes, proof
from scf.parties.factors.models import RecoveryCode, TotpFactor
from scf.parties.factors.vault import Vault
from tests.support.authenticator import Device
from tests.support.people import PASSWORD, small_prepare
from tests.support.racing import race
from tests.support.served import HOST, KEY, Browser, Served, application, served_small
from tests.web import signing
from web import second_factor

prepare = small_prepare  # every test begins in the small world

EMAIL = "maker@bank.example"


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def is_in(browser: Browser) -> bool:
    return browser.get("/search").status_code == 200


def half(served: Served, email: str = EMAIL) -> Browser:
    """Stand behind the right password."""
    browser = served.browser()
    assert browser.sign_in(email).status_code == 303
    return browser


def hidden(page: str, name: str) -> str:
    """Read a field that the page carries for the form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found.group(1))


def options_of(page: str) -> str:
    found = re.search(r'data-options="([^"]*)"', page)
    assert found
    return html.unescape(found.group(1))


def test_the_password_alone_opens_nothing(served: Served) -> None:
    signing.enrol(served, "maker")
    browser = half(served)
    for path in ("/", "/account", "/admin/users", "/sign-in/resume", "/account/confirm"):
        assert browser.get(path).headers["Location"] == "/sign-in"
    assert browser.get("/sign-in/enrol").headers["Location"] == "/sign-in"


def test_a_person_without_a_factor_can_do_nothing_but_enrol(served: Served) -> None:
    browser = served.browser()
    assert browser.sign_in(EMAIL).headers["Location"] == "/sign-in/enrol"
    assert not is_in(browser)
    page = browser.get("/sign-in/enrol").get_data(as_text=True)
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret
    wrong = browser.post("/sign-in/enrol", {"code": "000000"})
    assert wrong.status_code == 422
    now = served.world.clock.now()
    code = codes.code_of(secret.group(1).replace(" ", ""), codes.step_at(now))
    shown = browser.post("/sign-in/enrol", {"code": code}).get_data(as_text=True)
    assert len(re.findall(r"<code>([a-z0-9]{4}-){5}[a-z0-9]{4}</code>", shown)) == 10
    assert is_in(browser)
    again = served.browser()
    assert again.sign_in(EMAIL).headers["Location"] == "/sign-in/code"


def test_a_code_counts_once_also_on_another_worker_and_after_a_restart(served: Served) -> None:
    code = signing.code(served, "maker")
    browser = half(served)
    assert browser.post("/sign-in/code", {"code": code}).status_code == 303
    restarted = Served(served.world, application(served.world))
    replay = half(restarted)
    assert replay.post("/sign-in/code", {"code": code}).status_code == 401
    assert not is_in(replay)


def test_two_workers_that_get_one_code_at_once_accept_it_once(served: Served) -> None:
    code, world = signing.code(served, "maker"), served.world
    person, vault = world.people["maker"], Vault(KEY.encode())

    def attempt(_number: int) -> str:
        try:
            proof.prove_by_code(
                world.platform.db, vault, person, code, proof.Purpose(), world.clock.now()
            )
        except RuleViolation as refusal:
            return refusal.code
        return "in"

    assert race(6, attempt) == {"in": 1, "SECOND_FACTOR": 5}


def test_a_code_is_good_for_its_step_and_the_steps_beside_it(served: Served) -> None:
    secret, clock = signing.enrol(served, "maker"), served.world.clock
    present = codes.step_at(clock.now())
    results = {}
    for away in (-2, -1, 0, 1, 2):
        browser = half(served)
        answer = browser.post("/sign-in/code", {"code": codes.code_of(secret, present + away)})
        results[away] = answer.status_code
    assert results == {-2: 401, -1: 303, 0: 303, 1: 303, 2: 401}


def test_wrong_codes_are_slowed_down_and_the_right_one_does_not_help_then(served: Served) -> None:
    signing.enrol(served, "maker")
    browser = half(served)
    given = [browser.post("/sign-in/code", {"code": "000000"}).status_code for _ in range(11)]
    assert given == [401] * 10 + [429]
    assert browser.post("/sign-in/code", signing.signature(served, "maker")).status_code == 429
    served.world.clock.advance(minutes=15)
    late = half(served)
    assert late.post("/sign-in/code", signing.signature(served, "maker")).status_code == 303


def test_the_secret_at_rest_is_sealed_for_its_owner(served: Served, db: Database) -> None:
    secret = signing.enrol(served, "maker")
    with db.snapshot() as conn:
        row: Any = conn.execute(select(TotpFactor.__table__)).one()  # type: ignore[attr-defined]
    assert secret not in row.sealed
    assert Vault(KEY.encode()).open(row.sealed, row.user_id) == secret
    for vault, owner in ((Vault(KEY.encode()), "another"), (Vault(b"another key"), row.user_id)):
        with pytest.raises(Exception, match="SECRET_KEY"):
            vault.open(row.sealed, owner)


def test_a_recovery_code_opens_enrolment_once_and_nothing_else(served: Served) -> None:
    signing.enrol(served, "maker")
    maker = served.world.people["maker"]
    made = [codes.new_recovery_code() for _ in range(codes.RECOVERY_CODES)]
    served.world.run("factor.new_codes", maker, digests=[codes.digest_of(code) for code in made])
    browser = half(served)
    typed = made[0].upper().replace("-", " ")
    answer = browser.post("/sign-in/recovery", {"recovery": typed})
    assert answer.headers["Location"] == "/sign-in/enrol"
    assert not is_in(browser)
    assert half(served).post("/sign-in/recovery", {"recovery": made[0]}).status_code == 401
    assert half(served).post("/sign-in/code", {"code": made[1]}).status_code == 401


def test_a_reset_asks_for_the_password_and_the_code_that_was_handed_over(
    served: Served, db: Database
) -> None:
    signing.sign_in(served, "maker")
    world = served.world
    admin, maker = world.people["bank-admin"], world.people["maker"]
    code = codes.new_recovery_code()
    world.run("factor.reset", admin, user_id=maker.user_id, digest=codes.digest_of(code))
    browser = half(served)
    assert browser.get("/sign-in/code").headers["Location"] == "/sign-in/recovery"
    assert browser.post("/sign-in/recovery", {"recovery": "wrong"}).status_code == 401
    assert browser.post("/sign-in/recovery", {"recovery": code}).status_code == 303
    # Used and not enrolled: the password alone never opens enrolment again.
    assert half(served).get("/sign-in/enrol").headers["Location"] == "/sign-in"
    world.run("factor.reset", admin, user_id=maker.user_id, digest=codes.digest_of("a" * 24))
    world.clock.advance(hours=25)
    assert half(served).post("/sign-in/recovery", {"recovery": "a" * 24}).status_code == 401
    with db.snapshot() as conn:
        kept = conn.execute(select(RecoveryCode.__table__.c.digest)).scalars().all()  # type: ignore[attr-defined]
    assert code not in kept


def test_nobody_resets_the_own_factor_nor_that_of_another_organisation(served: Served) -> None:
    world, digest = served.world, codes.digest_of("x" * 24)
    for person, target in (("bank-admin", "bank-admin"), ("supplier-admin", "maker")):
        with pytest.raises(Exception, match=r"SELF|NOT_FOUND"):
            world.run(
                "factor.reset",
                world.people[person],
                user_id=world.people[target].user_id,
                digest=digest,
            )


def signing_page(app: Flask) -> None:
    """Add a page that asks for a signature on what ``of`` says, as the pages of money do."""
    from flask import render_template, request

    def sign() -> Any:  # noqa: ANN401 - a page
        digest = second_factor.digest_of(amount=request.values.get("of", ""))
        if request.method == "POST":
            return second_factor.check(digest).id
        return render_template("gate/sign_for_tests.html", digest=digest)

    from jinja2 import ChoiceLoader, DictLoader

    page = (
        '{% from "macros/second_factor.html" import second_factor %}'
        '{% from "macros/forms.html" import form_key %}'
        '<form method="post">{{ form_key() }}{{ second_factor(digest) }}</form>'
    )
    assert app.jinja_loader is not None
    app.jinja_loader = ChoiceLoader(
        [app.jinja_loader, DictLoader({"gate/sign_for_tests.html": page})]
    )
    app.add_url_rule("/sign-this", "sign_this", sign, methods=["GET", "POST"])


def test_a_signature_is_for_what_was_shown_and_for_one_act(served: Served) -> None:
    signing_page(served.app)
    browser = signing.sign_in(served, "maker")
    before = browser.session_id
    page = browser.get("/sign-this?of=100").get_data(as_text=True)
    form = {"signed": hidden(page, "signed"), "key": hidden(page, "key"), "of": "100"}
    changed = browser.post("/sign-this", form | {"of": "900"} | signing.signature(served, "maker"))
    assert changed.status_code == 422
    assert "SIGNED_OTHER" in changed.get_data(as_text=True)
    signature = signing.signature(served, "maker")
    one = browser.post("/sign-this", form | signature)
    assert one.status_code == 200
    assert browser.session_id != before  # rotated: identity was proved again
    twice = browser.post("/sign-this", form | signature)  # the same button pressed twice
    assert twice.data == one.data
    other = browser.post("/sign-this", form | signature | {"key": "another form"})
    assert "SECOND_FACTOR" in other.get_data(as_text=True)
    with served.world.platform.db.snapshot() as conn:
        user_id = served.world.people["maker"].user_id
        evidence = proof.evidence_for(conn, user_id, form["signed"])
    assert evidence is not None
    assert (evidence.id, evidence.method) == (one.get_data(as_text=True), "totp")


def test_a_signature_that_is_missing_or_wrong_stops_the_act(served: Served) -> None:
    signing_page(served.app)
    browser = signing.sign_in(served, "maker")
    for given in ({}, {"code": ""}, {"code": "12345"}, {"assertion": "{}", "ticket": "x"}):
        answer = browser.post("/sign-this", {"of": "1", **given})
        assert (answer.status_code, "SECOND_FACTOR" in answer.get_data(as_text=True)) == (422, True)


def test_a_passkey_signs_in_and_signs_exactly_what_was_shown(served: Served) -> None:
    signing_page(served.app)
    device = Device("localhost", HOST)
    browser = served.browser()
    browser.sign_in(EMAIL)
    page = browser.get("/sign-in/enrol").get_data(as_text=True)
    made = {"ticket": hidden(page, "ticket"), "assertion": device.create(options_of(page))}
    assert "recovery codes" in browser.post("/sign-in/enrol/passkey", made).get_data(as_text=True)
    again = half(served)
    page = again.get("/sign-in/code").get_data(as_text=True)
    answer = {"ticket": hidden(page, "ticket"), "assertion": device.get(options_of(page))}
    assert again.post("/sign-in/code", answer).status_code == 303
    assert is_in(again)
    assert half(served).post("/sign-in/code", answer).status_code == 401  # once only
    page = again.get("/sign-this?of=100").get_data(as_text=True)
    proof_of = {"ticket": hidden(page, "ticket"), "assertion": device.get(options_of(page))}
    other = again.get("/sign-this?of=900").get_data(as_text=True)
    moved = {"signed": hidden(other, "signed"), "of": "900"} | proof_of
    assert again.post("/sign-this", moved).status_code == 422
    right = {"signed": hidden(page, "signed"), "of": "100"} | proof_of
    assert again.post("/sign-this", right).status_code == 200


def test_a_passkey_of_another_site_or_person_opens_nothing(served: Served) -> None:
    device = Device("localhost", HOST)
    browser = served.browser()
    browser.sign_in(EMAIL)
    page = browser.get("/sign-in/enrol").get_data(as_text=True)
    ticket = hidden(page, "ticket")
    for wrong in (Device("evil.example", HOST), Device("localhost", "https://evil.example")):
        made = {"ticket": ticket, "assertion": wrong.create(options_of(page))}
        assert browser.post("/sign-in/enrol/passkey", made).status_code == 422
    made = {"ticket": ticket, "assertion": device.create(options_of(page))}
    assert browser.post("/sign-in/enrol/passkey", made).status_code == 200
    signing.enrol(served, "checker")
    thief = half(served, "checker@bank.example")
    owner = half(served)
    page = owner.get("/sign-in/code").get_data(as_text=True)
    answer = {"ticket": hidden(page, "ticket"), "assertion": device.get(options_of(page))}
    assert thief.post("/sign-in/code", answer).status_code == 401


def test_no_secret_reaches_a_log_or_the_trail(
    served: Served,
    db: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from scf.schema import metadata

    caplog.set_level("DEBUG")
    secret = signing.enrol(served, "maker")
    code = signing.code(served, "maker")
    browser = half(served)
    browser.post("/sign-in/code", {"code": code})
    page = browser.post("/account/recovery-codes", {"key": "new codes"}).get_data(as_text=True)
    made = re.findall(r"<code>([a-z0-9-]{29})</code>", page)
    assert len(made) == 10
    with db.snapshot() as conn:
        kept = repr(
            [
                conn.execute(select(metadata.tables[name])).all()
                for name in ("audit_log", "idempotency", "recovery_code", "totp_factor")
            ]
        )
    said = caplog.text + "".join(capfd.readouterr())
    for canary in (secret, PASSWORD, browser.session_id, *made, *map(codes.digest_of, made[:1])):
        assert canary not in said
    for canary in (secret, PASSWORD, code + '"', *made):
        assert canary not in kept


def test_an_administrator_adds_a_person_who_enrols(served: Served) -> None:
    admin = signing.sign_in(served, "bank-admin")
    page = admin.get("/admin/users/new").get_data(as_text=True)
    form = {"key": hidden(page, "key"), "name": "New Person", "email": "new@bank.example"}
    none = admin.post("/admin/users", form)
    assert none.status_code == 422
    shown = admin.post("/admin/users", form | {"roles": Role.OFFICER_MAKER.value})
    password = re.search(r'class="token">([^<]+)<', shown.get_data(as_text=True))
    assert password
    assert admin.post("/admin/users", form | {"roles": "officer_maker"}).status_code == 303
    person = served.browser()
    answer = person.sign_in("new@bank.example", html.unescape(password.group(1)))
    assert answer.headers["Location"] == "/sign-in/enrol"
