"""Another price by the pages, in the demo world: shown, signed, decided, taken by the firm."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from scf.db.models import AuditLog
from scf.financing.models import Decision, FinancingRequest
from scf.offers.models import Quote, QuoteLine
from scf.risk.replay import replay
from tests.support.deals import table
from tests.support.demo_world import DemoCopy, DemoWorld
from tests.support.served import HOST
from tests.web import signing
from tests.web.portal.forms_of import forms_of
from web.portal.officer import memo


@pytest.fixture(scope="module")
def demo(demo_world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCopy]:
    with demo_world.copied(tmp_path_factory.mktemp("repricing")) as copy:
        yield copy


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


class Person:
    """Somebody at a browser of the demo world, who fills the forms that the pages draw."""

    def __init__(self, demo: DemoCopy, name: str) -> None:
        self.demo, self.name = demo, name
        self.browser = demo.served.browser(name)

    def page(self, path: str, status: int = 200) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)[-500:]
        return answer.get_data(as_text=True)

    def send(self, at: str, to: str, status: int = 303, **typed: str) -> str:
        """Fill the form of a page in that goes to ``to``, sign it, and give the page that comes."""
        (form,) = [one for one in forms_of(self.page(at), at) if one.action.split("?")[0] == to]
        fields = {name: values[0] for name, values in form.fields.items()} | typed
        if form.signs and "code" not in typed:
            fields |= signing.signature(self.demo.served, self.name)
        answer = self.browser.client.post(
            form.action, base_url=HOST, data=fields,
            headers={"Referer": f"{HOST}/", "Origin": HOST},
        )  # fmt: skip
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, words(text)[-800:]
        return self.page(answer.headers["Location"]) if status == 303 else text


def rows(demo: DemoCopy, model: Any, **where: object) -> list[Any]:  # noqa: ANN401 - a table
    found = table(model)
    query = select(found).order_by(found.c.id)
    for name, value in where.items():
        query = query.where(found.c[name] == value)
    with demo.platform.db.snapshot() as conn:
        return list(conn.execute(query))


def unspoken(demo: DemoCopy) -> Any:  # noqa: ANN401 - a row
    """Give a request priced by risk on which nobody has said a word."""
    said = {row.request_id for row in rows(demo, Decision)}
    quotes = {row.id: row for row in rows(demo, Quote)}
    waiting = rows(demo, FinancingRequest, state="IN_REVIEW")
    return next(
        row for row in waiting if row.id not in said and quotes[row.quote_id].grade is not None
    )


def test_a_price_is_shown_then_proposed_then_offered_then_taken(
    demo: DemoCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = unspoken(demo)
    case, at = f"/officer/cases/{request.id}", f"/officer/cases/{request.id}/price"
    omar, chen = Person(demo, "omar"), Person(demo, "chen")
    assert f'action="{at}"' in omar.page(case)
    assert "Write whole basis points" in omar.page(f"{at}?bp=a+lot", 422)
    below = words(omar.page(f"{at}?bp=-41"))
    assert "at most 40 bp can be taken off it" in below
    assert "Propose this price" not in below
    shown = words(omar.page(f"{at}?bp=15"))
    assert re.search(r"The firm receives [-−]\d", shown), shown[1200:3200]
    assert "2 people, the last word for:" in shown
    (line,) = rows(demo, QuoteLine, quote_id=request.quote_id)
    margin = line.components["margin"]
    assert f"{margin} bp {margin + 15} bp" in shown
    before = len(rows(demo, Quote))
    wrong = omar.send(f"{at}?bp=15", at, 422, why="CAUTION", note="thin file", code="000000")
    assert "The code is not right." in words(wrong)
    assert len(rows(demo, Quote)) == before, "nothing was kept"
    done = words(omar.send(f"{at}?bp=15", at, why="CAUTION", note="thin file"))
    assert "The price is proposed." in done
    assert "% instead of" in done
    assert "“thin file”" in done
    for officer in (omar, chen):
        said = words(officer.send(case, f"{case}/decide", outcome="APPROVE", note="fair"))
    assert "The firm has been offered another price." in said
    with demo.platform.db.snapshot() as conn:
        found = select(table(AuditLog).c.user_id).where(
            table(AuditLog).c.command == "request.reprice"
        )
        assert conn.execute(found).scalars().all() == [demo.served.world.people["omar"].user_id]
    printed: list[str] = []

    def kept(text: str) -> bytes:
        printed.append(text)
        return b""

    monkeypatch.setattr(memo, "pdf_of", kept)
    omar.page(f"{case}/memo.pdf")
    assert "“thin file”" in words(printed[0])

    firm = next(
        name for name, who in demo.served.world.people.items() if who.org_id == request.seller_id
    )
    seller = Person(demo, firm)
    own = f"/treasurer/requests/{request.id}"
    offered = words(seller.page(own))
    assert "The bank offers another price" in offered
    assert "That is less for you by" in offered
    assert "thin file" not in offered
    assert words(seller.send(own, f"{own}/take")).count("Taken. The money is on its way.") == 1
    (after,) = rows(demo, FinancingRequest, id=request.id)
    assert (after.state, after.quote_id != request.quote_id) == ("APPROVED", True)
    with demo.platform.db.snapshot() as conn:
        lines = [row.id for row in rows(demo, QuoteLine, quote_id=after.quote_id)]
        assert replay(conn, lines).differences == ()


def test_a_grade_by_people_is_shown_kept_and_confirmed_by_another(demo: DemoCopy) -> None:
    request = unspoken(demo)
    quote = next(row for row in rows(demo, Quote) if row.id == request.quote_id)
    at = f"/officer/firms/{quote.anchor_id}/grade"
    omar, chen = Person(demo, "omar"), Person(demo, "chen")
    assert "The model's grade stands as it is." in words(omar.page(at))
    shown = words(omar.page(f"{at}?notches=-1"))
    assert "1 column better" in shown
    assert "A quote like that of case" in shown
    kept: dict[str, Any] = {
        "valid_to": "2026-09-01",
        "why": "GROUP_SUPPORT",
        "evidence": "letter of comfort",
    }
    assert "Say until which day." in words(
        omar.send(f"{at}?notches=-1", at, 422, **kept | {"valid_to": "soon"})
    )
    assert "Another person confirms it" in words(omar.send(f"{at}?notches=-1", at, **kept))
    assert f'action="{at}/confirm"' not in omar.page(at), "nobody confirms the own word"
    assert "confirmed by Chen Wei" in words(chen.send(at, f"{at}/confirm"))
