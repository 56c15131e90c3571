"""The memo of a case: the page's own figures, as a file, without scripts."""

import html
import re
import sys

import pytest

from tests.web.portal.officer.desk import CHECKER, MAKER, Desk


def _words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_memo_holds_the_figures_checks_and_words_of_the_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id, note="all papers fit")
    path = f"/officer/cases/{request_id}/memo.pdf"
    page = desk.page(CHECKER, f"/cases/{request_id}")
    assert f'href="{path}"' in page
    browser = desk.browser(CHECKER)
    answer = browser.get(path)
    assert answer.data.startswith(b"%PDF-")
    assert answer.content_type == "application/pdf"
    assert f"memo-{request_id}.pdf" in answer.headers["Content-Disposition"]

    printed: list[str] = []

    def kept(text: str) -> bytes:
        printed.append(text)
        return b""

    monkeypatch.setattr("web.portal.officer.memo.pdf_of", kept)
    browser.get(path)
    words, shown = _words(printed[0]), _words(page)
    for figure in (
        "1,000,000.00 EUR", "988,375.00 EUR", "−11,625.00 EUR", "4.65%", "looked up by hand",
        "all papers fit", "Omar Haddad", "BV-2026-118", "Cash we may pay out",
    ):  # fmt: skip
        assert figure in words, figure
        assert figure in shown, figure
    assert "Chen Wei" in words


def test_without_the_printing_set_the_memo_says_how_to_get_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = desk.requested()
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    answer = desk.browser(MAKER).get(f"/officer/cases/{request_id}/memo.pdf")
    assert answer.status_code == 503
    assert "setup.py install pdf" in answer.get_data(as_text=True)
