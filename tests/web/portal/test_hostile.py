"""Whatever is sent to a page of the portal, it answers in words and never breaks."""

import random
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

import web
from scf.db.engine import Database
from scf.kernel.ids import new_id
from tests.support.served import HOST
from tests.web import signing
from tests.web.expectations import ROUTES
from tests.web.matrix import DryRunner, Matrix, matrix_on, matrix_prepare
from tests.web.route_kinds import Portal
from tests.web.test_matrix import KINDS, filled

_FIELD = re.compile(r'(?:name="|(?:field|area|choice|money_input|day_input|tick)\(")([a-z_]+)')
_PAGES = sorted(Path(web.__file__).parent.glob("templates/**/*.html"))
# Every name that a field has on some page.
NAMES = sorted({name for page in _PAGES for name in _FIELD.findall(page.read_text("utf-8"))})
_OVER = {"/sign-out", "/account/stay"}
HOSTILE = (
    "", "on", "0", "-1", "-0.00", "1e999", "NaN", "9" * 40, "99999999999999999999.99", "٣٠٠",
    "\x00", "a\x00b", "\u202egnp.exe", "\uffff", "\r\nX-Evil: 1", "=1+1", "@SUM(A1)",
    "../../etc/passwd", "%(name)s %s %", "{{ 7 * 7 }}", "<script>alert(1)</script>", "2026-02-30",
    "0001-01-01", "9999-12-31", "financier:x", "tenor:", "🏦" * 50, "a" * 5_000,
)  # fmt: skip
PEOPLE = (
    "supplier-x-treasurer",
    "anchor-x-anchor-approver",
    "bank-a-officer-checker",
    "bank-a-officer-maker",
    "anchor-x-administrator",
)


prepare = matrix_prepare  # every test begins in the matrix's world


@pytest.fixture
def matrix(db: Database) -> Matrix:
    """Serve the matrix's world; what people do is taken back, but for proving who they are."""
    made = matrix_on(db, dry=False)
    world = made.served.world
    for person in PEOPLE:
        signing.enrol(made.served, person)
    runner = DryRunner(db, world.clock, world.platform.runner._authorise)
    object.__setattr__(world.platform, "runner", runner)
    return made


def addresses(matrix: Matrix, person: str) -> list[tuple[str, str]]:
    """Give method and address of every page and form of a person's role."""
    role = next(one.role for one in matrix.people if one.name == person)
    found = []
    for (method, rule), row in ROUTES.items():
        if not isinstance(row, Portal) or row.gate or role not in row.roles or rule in _OVER:
            continue
        things = {name: matrix.things.get(KINDS[name], new_id()) for name in _ids(rule)}
        found.append((method, filled(rule, things)))
    return sorted(found)


def _ids(rule: str) -> list[str]:
    return re.findall(r"<(\w+)>", rule)


def test_no_form_and_no_address_breaks_a_page(matrix: Matrix) -> None:
    """Every address of every role, each with a form of fields and texts drawn from a seed."""
    chance, asked = random.Random(11), 0
    for number, person in enumerate(PEOPLE):
        browser = matrix.served.browser(person)
        if number:  # one has not proved identity of late: such forms are kept for later
            browser.post("/account/confirm", signing.signature(matrix.served, person))
        token = browser.form_token("/account")
        for method, path in addresses(matrix, person):
            fields = [
                (chance.choice(NAMES), chance.choice(HOSTILE)) for _ in range(chance.randrange(12))
            ]
            if method == "GET":
                answer = browser.get(f"{path}?{urlencode(fields)}")
            else:
                answer = browser.client.post(
                    path,
                    base_url=HOST,
                    data=urlencode([("csrf_token", token), ("key", new_id()), *fields]),
                    headers={"Referer": f"{HOST}{path}", "Origin": HOST},
                    content_type="application/x-www-form-urlencoded"
                    if chance.random() < 0.8
                    else "text/plain",
                )
            assert answer.status_code < 500, (method, path, fields)
            assert "X-Evil" not in answer.headers
            assert b"Traceback" not in answer.data
            asked += 1
    assert asked > 150


def test_a_form_of_a_megabyte_is_refused_in_words(matrix: Matrix) -> None:
    browser = matrix.served.browser(PEOPLE[0])
    answer = browser.post("/treasurer/offer", {"key": new_id(), "amount": "9" * 1_048_576})
    assert answer.status_code == 413
    assert "More was sent than is read here." in answer.get_data(as_text=True)
