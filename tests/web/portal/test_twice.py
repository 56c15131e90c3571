"""Every form of the portal, pressed twice, has one effect; without the role, none.

The forms are those that the pages draw, found by walking from page to page; nothing here names
them, but for the list of those that move money or rights, which must have been found and worked.
"""

import html
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.documents import intake
from scf.documents.models import CreditNote
from scf.kernel.actor import Role
from scf.parties.models import UserRole
from tests.support.people import BANK_ROLES, TRADER_ROLES
from tests.support.served import HOST, Browser
from tests.web import signing
from tests.web.expectations import ROUTES
from tests.web.matrix import Matrix, matrix_on, matrix_prepare
from tests.web.portal.forms_of import Form, forms_of
from tests.web.route_kinds import Portal
from tests.web.test_matrix import KINDS, filled
from tests.web.things import SAMPLES

# What they do was seen in the audit trail; a page that loses its form is found here.
WORKED = {
    "/account/tokens",
    "/admin/users/<>/disable",
    "/admin/users/<>/roles",
    "/anchor/acceptances",
    "/anchor/disputes/<>/resolve",
    "/anchor/invoices/<>/dispute",
    "/anchor/suppliers",
    "/officer/cases/<>/decide",
    "/officer/fixings",
    "/officer/programmes/<>/suspend",
    "/treasurer/confirm",
    "/treasurer/offer",
    "/treasurer/requests/<>/withdraw",
}
# They keep a session alive, end it, or change nothing that is kept.
_PASSED_OVER = (
    "/account/authenticator", "/account/confirm", "/account/passkeys", "/account/password",
    "/account/sessions", "/account/stay", "/language", "/sign-in", "/sign-out", "/theme",
)  # fmt: skip
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9a-f]{16}(?=/)")
_LINKS = re.compile(r'href="(/[^"?#]*)')
# Who works in this order: what one makes, the next one finds.
WORKERS = (
    "anchor-x-anchor-approver",
    "bank-a-officer-checker",
    "supplier-x-treasurer",
    "bank-a-officer-maker",
    "anchor-x-administrator",
)


prepare = matrix_prepare  # every test begins in the matrix's world


@pytest.fixture
def matrix(db: Database) -> Matrix:
    """Serve the matrix's world, with one more invoice that the buyer has not looked at."""
    made = matrix_on(db, dry=False)
    content = (SAMPLES / "invoice-bv-2026-118.xml").read_bytes()
    for old, new in (
        (b"BV-2026-118", b"BV-2026-900"),
        (b"<cbc:ID>4711</cbc:ID>", b"<cbc:ID>900</cbc:ID>"),
        (b"2026-03-06", b"2026-02-20"),
    ):
        content = content.replace(old, new)
    world = made.served.world
    upload_id = world.run(
        "upload.receive", world.people["supplier-x-treasurer"], name="900.xml", content=content
    )["upload_id"]
    assert intake.run_upload(world.platform, upload_id)["stored"] == 1
    notes = CreditNote.__table__  # type: ignore[attr-defined]
    with world.platform.db.writer.begin() as conn:
        conn.execute(delete(notes))  # what is set against nothing stands in every offer's way
    return made


def rule_of(address: str) -> str:
    """Give an address without the things that it is about."""
    return _IDS.sub("<>", address.partition("?")[0])


def press(browser: Browser, form: Form, at: str, fields: dict[str, list[str]]) -> TestResponse:
    """Send a form from its page."""
    return browser.client.post(
        form.action,
        base_url=HOST,
        data=fields,
        headers={"Referer": HOST + at, "Origin": HOST},
    )


@dataclass
class Walk:
    """One person's way through the portal, form by form."""

    matrix: Matrix
    person: str
    done: set[str]
    wrong: list[tuple[object, ...]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        served = self.matrix.served
        self.browser = served.browser(self.person)
        # What opens doors asks for a fresh proof, once.
        self.browser.post("/account/confirm", signing.signature(served, self.person))

    def pages(self) -> list[str]:
        """Give the address of every page of the role, about the things of the matrix's world."""
        role = next(one.role for one in self.matrix.people if one.name == self.person)
        found = []
        for (method, rule), row in ROUTES.items():
            if method != "GET" or not isinstance(row, Portal) or role not in row.roles:
                continue
            names = re.findall(r"<(\w+)>", rule)
            if (
                row.signed_in
                and not row.gate
                and all(KINDS[n] in self.matrix.things for n in names)
            ):
                things = {name: self.matrix.things[KINDS[name]] for name in names}
                found.append(filled(rule, things))
        return found

    def all(self) -> None:
        """Open every page, and what the lists lead to; press every form that is new."""
        waiting, seen = self.pages(), set()
        more: dict[str, int] = {}
        while waiting:
            at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            answer = self.browser.get(at)
            if answer.status_code != 200 or not answer.content_type.startswith("text/html"):
                continue
            page = answer.get_data(as_text=True)
            for link in _LINKS.findall(page):
                rule = rule_of(link)
                if "<>" in rule and link not in seen and more.get(rule, 0) < 3:
                    more[rule] = more.get(rule, 0) + 1
                    waiting.append(link)
            for form in forms_of(page, at):
                self.twice(form, at)

    def twice(self, form: Form, at: str, depth: int = 0) -> None:
        """Press a form twice, and those of the page that it leads to."""
        rule = rule_of(form.action)
        if rule in self.done or rule.startswith(_PASSED_OVER) or form.is_file or depth > 2:
            return
        fields = dict(form.fields)
        if form.signs:
            fields["code"] = [signing.code(self.matrix.served, self.person)]
        self.powerless(form, at, fields)
        before = self.audited()
        first = press(self.browser, form, at, fields)
        between = self.audited()
        second = press(self.browser, form, at, fields)
        after = self.audited()
        if max(first.status_code, second.status_code) >= 500:
            self.wrong.append((self.person, rule, first.status_code, second.status_code))
        if between > before:
            self.done.add(rule)
            if after != between or "key" not in fields:
                self.wrong.append((self.person, rule, between - before, after - between))
        if first.status_code == 303:
            at = first.headers["Location"]
            first = self.browser.get(at)
        if first.status_code == 200:
            for next_form in forms_of(first.get_data(as_text=True), at):
                self.twice(next_form, at, depth + 1)

    def powerless(self, form: Form, at: str, fields: dict[str, list[str]]) -> None:
        """Press a form whose person has lost the role since its page was opened."""
        role = next(one.role for one in self.matrix.people if one.name == self.person)
        less = self.another(form.action)
        if less is None:
            return
        before = self.audited()
        self.plays(less)
        answer = press(self.browser, form, at, fields)
        self.plays(role)
        self.refused.add(rule_of(form.action))
        told = html.unescape(answer.get_data(as_text=True))
        typed = [value for value in form.typed if value not in told]
        if answer.status_code != 403 or self.audited() != before or typed:
            self.wrong.append((self.person, form.action, less, answer.status_code, typed))

    def another(self, action: str) -> Role | None:
        """Give a role of the same organisation that may not send this form, if there is one."""
        rule = self.matrix.served.app.url_map.bind("localhost").match(
            urlsplit(action).path, "POST", return_rule=True
        )[0]
        row = ROUTES["POST", rule.rule]
        of = BANK_ROLES if self.person.startswith("bank") else TRADER_ROLES
        assert isinstance(row, Portal)
        return next((role for role in of if role not in row.roles), None)

    def plays(self, role: Role) -> None:
        """Give the person this role in place of the present one, without a trace."""
        held, world = UserRole.__table__, self.matrix.served.world  # type: ignore[attr-defined]
        mine = held.c.user_id == world.people[self.person].user_id
        with world.platform.db.writer.begin() as conn:
            conn.execute(update(held).where(mine).values(role=role.value))

    def audited(self) -> int:
        rows = AuditLog.__table__  # type: ignore[attr-defined]
        with self.matrix.served.world.platform.db.snapshot() as conn:
            return int(conn.execute(select(func.count()).select_from(rows)).scalar_one())


def test_every_form_has_one_effect_pressed_twice_and_none_after_the_role_is_gone(
    matrix: Matrix,
) -> None:
    done: set[str] = set()
    refused: set[str] = set()
    wrong = []
    for person in WORKERS:
        walk = Walk(matrix, person, done)
        walk.all()
        wrong += walk.wrong
        refused |= walk.refused
    assert not wrong
    assert done >= WORKED, sorted(WORKED - done)
    everybodys = {"/account/tokens"}
    assert refused >= WORKED - everybodys, sorted(WORKED - refused)
