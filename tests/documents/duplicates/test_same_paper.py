"""One document that comes twice, by its own identifier or its bytes, also between other firms."""

from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlmodel import Session

from scf.db.engine import Database
from scf.documents.canonical import TaxIdentity
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.duplicates.same_paper import MOST_CARRIERS
from scf.documents.duplicates.standing import in_the_way
from scf.documents.fingerprints import known_as, worldwide_id
from scf.documents.readers.files import read_file
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotAllowed, NotFound
from scf.kernel.ids import new_id
from scf.parties.models import FirmIdentifier
from scf.programmes.models import Programme
from scf.reporting.alike import alike
from tests.documents import ubl
from tests.documents.duplicates.test_suspicions import _accept, decide, suspicions
from tests.documents.trade import INVOICES, Trade, table, trade_on
from tests.support.people import NOON

UUID = "7b1c1f0e-55d8-4c7e-9a53-0f6f3c2b9d11"
OTHER_SELLER, OTHER_BUYER = "300000003", "400000004"
OWN_NUMBERS = INVOICES.model_copy(
    update={
        "columns": {
            "seller_id": "from",
            "buyer_id": "to",
            "number": "number",
            "issue_on": "date",
            "due_on": "due",
            "payable": "amount",
        }
    }
)


@pytest.fixture
def trade(db: Database) -> Trade:
    made = trade_on(db)
    for short, number in (("othersell", OTHER_SELLER), ("otherbuy", OTHER_BUYER)):
        numbers = [{"scheme": "duns", "value": number}]
        made.world.firm(short, identifiers=numbers, country="DE")
    return made


def paper(number: str, amount: str, uuid: str = UUID, **sides: str) -> bytes:
    """Write a UBL invoice that says by what it is known in the world."""
    place = f"</cbc:ID><cbc:UUID>{uuid}</cbc:UUID><cbc:IssueDate>".encode()
    return ubl.invoice(number, amount, **sides).replace(b"</cbc:ID><cbc:IssueDate>", place, 1)


def told(trade: Trade) -> list[tuple[str, str, str]]:
    numbers = {row.id: row.number for row in trade.rows()}
    return [(one.code, numbers[one.invoice_id], numbers[one.twin_id]) for one in suspicions(trade)]


def programme(trade: Trade, bank: str, anchor: str) -> Actor:
    """Give a bank a programme with an anchor; gives an officer of it."""
    firm = trade.world.firms.get(bank) or trade.world.firm(bank, kind="financier")
    made = Programme(
        id=new_id(), code="p", name="P", financier_id=firm, anchor_id=trade.world.firms[anchor],
        seller_id=None, technique="payables_finance", state="ACTIVE", created_by="x",
        created_at=NOON,
    )  # fmt: skip
    with trade.db.writer.begin() as conn:
        conn.execute(insert(Programme.__table__), made.model_dump())  # type: ignore[attr-defined]
    return trade.world.person(f"officer.{bank}", bank, Role.OFFICER_MAKER)


def seen_by(trade: Trade, actor: Actor) -> int:
    with trade.db.read(actor) as session:
        return len(session.execute(select(DuplicateSuspicion)).all())


def shown_to(trade: Trade, actor: Actor) -> Any:  # noqa: ANN401 - one suspicion as a page has it
    with trade.db.read(actor) as session:
        assert isinstance(session, Session)
        return alike(session, actor)[0]


@pytest.mark.parametrize(
    ("text", "known_as"),
    [
        (UUID.upper(), "7b1c1f0e55d84c7e9a530f6f3c2b9d11"),
        ("urn:uuid:" + UUID, "7b1c1f0e55d84c7e9a530f6f3c2b9d11"),
        ("{" + UUID + "}", "7b1c1f0e55d84c7e9a530f6f3c2b9d11"),
        ("a1" * 48, "a1" * 48),
        ("00000000-0000-0000-0000-000000000000", ""),
        ("invoice-4711", ""),
        (UUID + "0", ""),
        ("", ""),
    ],
)
def test_what_is_a_number_in_the_world_has_one_spelling(text: str, known_as: str) -> None:
    assert worldwide_id(text) == known_as


@pytest.mark.parametrize(
    ("uuid", "identity", "told_as"),
    [
        ("", TaxIdentity("cfdi", "", UUID.upper()), worldwide_id(UUID)),
        ("ff00" * 8, TaxIdentity("cfdi", "", UUID.upper()), worldwide_id(UUID)),
        ("ff00" * 8, TaxIdentity("sdi", "", "123456"), "ff00" * 8),
        ("", TaxIdentity("sdi", "", "123456"), None),
        ("", TaxIdentity("fapiao", "044001900111", "12345678"), "fapiao:04400190011112345678"),
        ("", None, None),
    ],
)
def test_what_a_register_calls_a_paper_comes_before_what_its_program_does(
    uuid: str, identity: TaxIdentity | None, told_as: str | None
) -> None:
    assert known_as(uuid, identity) == told_as


def test_a_ubl_document_says_its_identifier_and_two_papers_of_one_say_two() -> None:
    [read] = read_file(paper("R-1", "10.00")).documents
    assert read.uuid == worldwide_id(UUID)
    assert read_file(ubl.invoice("R-1", "10.00")).documents[0].uuid == ""


def test_a_copy_with_another_number_day_and_amount_is_known_by_its_identifier(trade: Trade) -> None:
    trade.hand_in(paper("R-1", "1000.00"))
    later = paper("Z-77", "1380.00", UUID.upper()).replace(b"2026-02-01", b"2026-03-01")
    trade.hand_in(later)
    assert told(trade) == [("SAME_UUID", "Z-77", "R-1")]
    assert suspicions(trade)[0].facts["difference_minor"] == 380_00
    assert decide(trade, "SAME")["state"] == "DECIDED"
    assert trade.invoice("Z-77").acceptance_state == "REJECTED"


def test_an_identifier_that_stands_in_a_template_proves_nothing(trade: Trade) -> None:
    for number in range(MOST_CARRIERS + 1):
        trade.hand_in(paper(f"{'ABCDEFGHIJ'[number]}-{number * 7717}", f"{number + 1}000.00"))
    before = len(suspicions(trade))
    trade.hand_in(paper("ZZ-5", "77000.00"))
    assert before == len(suspicions(trade)) <= 3 * MOST_CARRIERS


def test_one_document_of_two_sellers_is_shown_without_telling_one_of_the_other(
    trade: Trade,
) -> None:
    trade.hand_in(paper("R-1", "1000.00"))
    clerk = trade.world.person("otherclerk", "otherbuy", Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER)
    moved = paper("S-9", "2000.00", seller=OTHER_SELLER, buyer=OTHER_BUYER)
    trade.hand_in(moved, actor=clerk)
    assert told(trade) == [("SAME_UUID", "S-9", "R-1")]
    assert suspicions(trade)[0].facts == {}
    othersell = trade.world.person("othertreasurer", "othersell", Role.TREASURER)
    for firm in (trade.buyer, trade.seller, clerk, othersell):
        assert seen_by(trade, firm) == 0
        with pytest.raises((NotFound, NotAllowed)):
            decide(trade, "DISTINCT", firm)
    officers = {one: programme(trade, f"bankof{one}", one) for one in ("buyer", "otherbuy")}
    for number in ("R-1", "S-9"):
        trade.on(number, _accept)
    for anchor, own in (("buyer", "R-1"), ("otherbuy", "S-9")):
        shown = shown_to(trade, officers[anchor])
        assert (shown.paper.number, shown.twin) == (own, None)
        assert (shown.later is None) == (own == "R-1")
        with trade.db.snapshot() as conn:
            ids = [trade.invoice(own).id]
            [way] = in_the_way(conn, ids, officers[anchor].org_id)
        assert (way.number, way.other) == (own, "")
    decide(trade, "DISTINCT", officers["buyer"])
    with trade.db.snapshot() as conn:
        assert in_the_way(conn, [trade.invoice("R-1").id], officers["buyer"].org_id) == []
        assert in_the_way(conn, [trade.invoice("S-9").id], officers["otherbuy"].org_id)


def test_a_buyer_of_both_papers_and_a_bank_of_both_see_them_side_by_side(trade: Trade) -> None:
    trade.hand_in(paper("R-1", "1000.00"))
    moved = paper("S-9", "1000.00", seller=OTHER_SELLER)
    trade.hand_in(moved.replace(b"Seller Company", b"Another Company"))
    officer = programme(trade, "bank", "buyer")
    for number in ("R-1", "S-9"):
        trade.on(number, _accept)
    for actor in (trade.buyer, officer):
        shown = shown_to(trade, actor)
        assert (shown.paper.number, shown.twin.number) == ("S-9", "R-1")
        assert shown.paper.seller != shown.twin.seller
    assert decide(trade, "SAME", officer)["state"] == "DECIDED"


def test_the_very_same_file_read_as_of_other_firms_is_looked_at(trade: Trade) -> None:
    """Two houses use one private number for different suppliers, and hand in one file."""
    clerk = trade.world.person("otherclerk", "otherbuy", Role.ANCHOR_CLERK)
    rows = [
        {"id": new_id(), "firm_id": trade.world.firms[firm], "scheme": "id", "value": value,
         "scope_org_id": trade.world.firms[house], "created_at": NOON}
        for house, seller in (("buyer", "seller"), ("otherbuy", "othersell"))
        for firm, value in ((seller, "K-17"), (house, "HOME"))
    ]  # fmt: skip
    with trade.db.writer.begin() as conn:
        conn.execute(insert(FirmIdentifier.__table__), rows)  # type: ignore[attr-defined]
    content = table(
        "number,date,due,amount,from,to",
        [(number, "2026-02-01", "2026-06-30", amount, "K-17", "HOME")
         for number, amount in (("A-1", "812.40"), ("B-77", "90.00"))],
    )  # fmt: skip
    trade.hand_in(content, OWN_NUMBERS)
    trade.hand_in(content, OWN_NUMBERS, actor=clerk)
    assert sorted(told(trade)) == [("SAME_FILE", "A-1", "A-1"), ("SAME_FILE", "B-77", "B-77")]
    assert seen_by(trade, trade.buyer) == seen_by(trade, clerk) == 0
