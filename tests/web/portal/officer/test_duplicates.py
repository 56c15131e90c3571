"""A possible duplicate by the pages: seen side by side, decided once, shown on its case."""

from typing import Any

from sqlalchemy import insert, select, update

from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.ids import new_id
from tests.web.portal.officer.desk import CHECKER, MAKER, Desk


def suspected(desk: Desk) -> tuple[str, str]:
    """Let the requested invoice have a twin; gives request and suspicion."""
    request_id = desk.requested()
    db = desk.story.platform.db
    invoices: Any = Invoice.__table__  # type: ignore[attr-defined]
    with db.writer.begin() as conn:
        advance = Advance.__table__  # type: ignore[attr-defined]
        row = conn.execute(select(invoices).join(advance, advance.c.invoice_id == invoices.c.id))
        paper = row.one()
        twin = paper._asdict() | {
            "id": new_id(), "number": "BV-COPY-1", "canonical_number": "BVCOPY1",
            "duplicate_key": "copy", "held_minor": 0, "outstanding_minor": 0, "offered_minor": 0,
        }  # fmt: skip
        conn.execute(insert(invoices), twin)
        found = DuplicateSuspicion(
            id=new_id(), invoice_id=twin["id"], twin_id=paper.id, seller_id=paper.seller_id,
            buyer_id=paper.buyer_id, code="SAME_ORDER", found_at=desk.story.platform.clock.now(),
            facts={"days": 3, "difference_minor": 0, "same_order": True, "same_lines": False},
        )  # fmt: skip
        conn.execute(insert(DuplicateSuspicion.__table__), found.model_dump())  # type: ignore[attr-defined]
        return request_id, found.id


def test_two_papers_lie_side_by_side_and_two_people_say_what_they_are(desk: Desk) -> None:
    request_id, suspicion_id = suspected(desk)
    assert "open: decide it first" in desk.page(MAKER, f"/cases/{request_id}")
    listed = desk.page(MAKER, "/duplicates")
    assert "The same order was billed twice" in listed
    assert "BV-COPY-1" in listed
    path = f"/duplicates/{suspicion_id}"
    page = desk.page(MAKER, path)
    assert "BV-COPY-1" in page
    assert "differs" in page
    wrong = desk.send(MAKER, path, path, status=422, reason="two pumps")
    assert "Choose your word." in wrong
    assert "two pumps" in wrong
    first = desk.send(MAKER, path, path, outcome="DISTINCT", reason="two pumps")
    assert "a second person has to say the same" in first  # money is held on the earlier one
    assert "Another person says the next word." in desk.page(MAKER, path)
    done = desk.send(CHECKER, path, path, outcome="DISTINCT", reason="two deliveries, seen")
    assert "Your word is recorded." in done
    assert "two claims" in desk.page(CHECKER, f"/cases/{request_id}")
    assert "BV-COPY-1 is the copy" not in desk.page(CHECKER, path)
    verdict: Any = DuplicateVerdict.__table__  # type: ignore[attr-defined]
    with desk.story.platform.db.snapshot() as conn:
        (kept,) = conn.execute(select(verdict)).all()
    assert (kept.outcome, kept.state, kept.version) == ("DISTINCT", "DECIDED", 2)


def test_the_page_says_which_of_two_papers_is_the_copy(desk: Desk) -> None:
    request_id, suspicion_id = suspected(desk)
    path = f"/duplicates/{suspicion_id}"
    assert "One claim: BV-COPY-1 is the copy" in desk.page(MAKER, path)
    for who in (MAKER, CHECKER):
        desk.send(who, path, path, outcome="SAME", reason="one delivery")
    assert "one claim; BV-COPY-1 is the copy" in desk.page(MAKER, f"/cases/{request_id}")
    assert "one claim; BV-COPY-1 is the copy" in desk.page(MAKER, "/duplicates")


def test_of_a_paper_of_other_firms_nothing_is_told_and_the_word_is_said_all_the_same(
    desk: Desk,
) -> None:
    request_id, suspicion_id = suspected(desk)
    suspicion: Any = DuplicateSuspicion.__table__  # type: ignore[attr-defined]
    invoices: Any = Invoice.__table__  # type: ignore[attr-defined]
    with desk.story.platform.db.writer.begin() as conn:
        conn.execute(update(suspicion).values(code="SAME_UUID", facts={}))
        later = select(suspicion.c.invoice_id)
        elsewhere = {"buyer_id": "somebody", "acceptance_state": "NONE"}
        conn.execute(update(invoices).where(invoices.c.id.in_(later)).values(**elsewhere))
    path = f"/duplicates/{suspicion_id}"
    for page in (path, "/duplicates", f"/cases/{request_id}"):
        shown = desk.page(MAKER, page)
        assert "The same document by its own identifier" in shown
        assert "BV-COPY-1" not in shown
    assert "One claim: the other paper is the copy" in desk.page(MAKER, path)
    for who in (MAKER, CHECKER):
        desk.send(who, path, path, outcome="SAME", reason="its buyer confirms this one")
    assert "one claim; the other paper is the copy" in desk.page(MAKER, f"/cases/{request_id}")
