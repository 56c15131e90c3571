"""Every text of the portal is in the catalogue and translated, and compiled as written."""

import re
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from flask_babel import gettext

import web
from scf.db.engine import Database
from scf.kernel.errors import RuleViolation, Words
from tests.support.people import small_prepare
from tests.support.served import served_small
from web.i18n import COOKIE
from web.problems import problem_of
from web.refusals import place_text, translated

prepare = small_prepare  # every test begins in the small world

ROOT = Path(web.__file__).parent
LANGUAGES = [path.name for path in sorted((ROOT / "translations").iterdir()) if path.is_dir()]


def read(path: Path, locale: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return pofile.read_po(file, locale=locale)


def said(words: object) -> tuple[str, ...]:
    """Give a text, or the forms of one that counts, as a tuple."""
    return (words,) if isinstance(words, str) else tuple(words)  # type: ignore[arg-type]


def ids(catalogue: Catalog) -> set[tuple[str, str]]:
    """Give the texts by their context and first form, which name them."""
    return {(message.context or "", said(message.id)[0]) for message in catalogue if message.id}


def extracted() -> set[tuple[str, str]]:
    """Give every text that `pybabel extract` finds as translations/babel.cfg says."""
    with (ROOT / "translations/babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(ROOT.parent, method_map=methods, options_map=options)
    return {(message[4] or "", said(message[2])[0]) for message in found}


def test_the_catalogue_holds_exactly_the_texts_of_the_portal() -> None:
    """Run `pybabel extract` as translations/babel.cfg says, then translate, when this fails."""
    assert extracted() == ids(read(ROOT / "translations/messages.pot"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete_and_keeps_every_placeholder(language: str) -> None:
    catalogue = read(ROOT / f"translations/{language}/LC_MESSAGES/messages.po", language)
    assert ids(catalogue) == ids(read(ROOT / "translations/messages.pot"))
    for message in catalogue:
        if message.id:
            # A text that counts is held to its last form: Chinese has that one only.
            wanted, written = said(message.id)[-1], said(message.string)[-1]
            assert written, message.id
            places = re.findall(r"%\(\w+\)\w", wanted)
            assert sorted(re.findall(r"%\(\w+\)\w", written)) == sorted(places)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    folder = ROOT / f"translations/{language}/LC_MESSAGES"
    written = read(folder / "messages.po", language)
    with (folder / "messages.mo").open("rb") as file:
        compiled = mofile.read_mo(file)
    texts = [
        {said(m.id): said(m.string) for m in catalogue if m.id} for catalogue in (written, compiled)
    ]
    assert texts[0] == texts[1]


def test_the_browsers_language_is_taken_unless_another_was_chosen(db: Database) -> None:
    browser = served_small(db).browser("maker")
    english = browser.get("/officer/queue", headers={"Accept-Language": "fr, en;q=0.5"})
    chinese = browser.get("/officer/queue", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert english.headers["Content-Language"] == "en"
    assert ">Queue<" in english.get_data(as_text=True)
    page = chinese.get_data(as_text=True)
    assert '<html lang="zh-Hans"' in page
    for shown in ("待办", "2026年3月2日", "客户经理"):
        assert shown in page
    assert browser.post("/language", {"language": "en"}).status_code == 303
    assert browser.client.get_cookie(COOKIE, domain="localhost") is not None
    chosen = browser.get("/officer/queue", headers={"Accept-Language": "zh-CN"})
    assert ">Queue<" in chosen.get_data(as_text=True)
    browser.post("/language", {"language": "../../etc"})
    assert browser.get("/officer/queue").status_code == 200


SIGNED_OTHER = "This changed after you were shown it. Look at it again, then sign."


@pytest.mark.parametrize("path", ["/officer/queue", "/api/v1/invoices"])
def test_a_refusal_is_told_in_the_readers_language_with_its_figures_as_they_write_them(
    db: Database, path: str
) -> None:
    app = served_small(db).app
    plain = RuleViolation("SIGNED_OTHER", SIGNED_OTHER)
    inside = RuleViolation("X", "%(why)s", why=Words(SIGNED_OTHER))
    one = {"code": "X", "message": SIGNED_OTHER, "next_step": Words(SIGNED_OTHER), "frees_on": None}
    listed = RuleViolation("SIGNED_OTHER", SIGNED_OTHER, refusals=[one])
    figures = RuleViolation(
        "X", "%(due_on)s: %(asked_minor)s", due_on="2026-03-02", asked_minor=1_234, currency="EUR"
    )
    with app.test_request_context(path, headers={"Accept-Language": "en"}):
        assert problem_of(plain).detail == SIGNED_OTHER
        assert problem_of(figures).detail == "2 Mar 2026: 12.34\u00a0EUR"
    with app.test_request_context(path, headers={"Accept-Language": "zh-CN"}):
        told = problem_of(plain).detail
        assert told == gettext(SIGNED_OTHER)
        assert not told.isascii()
        assert problem_of(inside).detail == told
        assert problem_of(listed).facts == {
            "refusals": [{"code": "X", "message": told, "next_step": told, "frees_on": None}]
        }
        assert problem_of(figures).detail == "2026年3月2日: 12.34\u00a0EUR"
    assert figures.message == "2026-03-02: 12.34 EUR"


def test_nothing_that_people_type_is_taken_for_a_place_of_a_text(db: Database) -> None:
    app = served_small(db).app
    typed = "INV %(number)s %s %"
    refusal = RuleViolation("X", "%(why)s", why=Words("Invoice %(number)s is late.", number=typed))
    assert refusal.message == f"Invoice {typed} is late."
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        assert problem_of(refusal).detail == f"Invoice {typed} is late."
        assert translated(typed) == typed
        assert translated("") == ""


@pytest.mark.parametrize(
    "place", ["header", "row 12", "row 12, column a, b", "row 3, line 2, column Net", "/Invoice/ID"]
)
def test_a_place_in_a_table_is_told_part_by_part_and_a_path_as_it_is(place: str) -> None:
    assert place_text(place) == place
