"""A file in three actions, its bad rows put right where they stand."""

import io

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.documents.models import Invoice, Upload
from tests.documents.readers import pdfs
from tests.documents.readers.edi import edifact
from tests.documents.readers.samples import cii, replaced
from tests.support.served import Served
from tests.web.portal.anchor.world import SUPPLIER_VAT, Person, served

HEADER = "Bill Number;Invoice Date;Due Date;Supplier VAT;Supplier;Currency;Amount Due;Cost Centre"


def table(rows: int = 20, bad: tuple[int, ...] = (4, 9, 15)) -> bytes:
    """Write a table that nobody has seen: rows of which three are wrong, each in another way."""
    lines = [HEADER]
    wrong = iter(("12.00.1", "31/31/2026", ""))
    for number in range(1, rows + 1):
        cells = [
            f"B-{number:03}",
            "2026-02-10",
            "2026-05-11",
            SUPPLIER_VAT,
            "Brook; Ltd".replace(";", ""),
            "EUR",
            f"{100 + number}.50",
            "K1",
        ]
        if number in bad:
            mistake = next(wrong)
            cells[{"12.00.1": 6, "31/31/2026": 1, "": 0}[mistake]] = mistake
        lines.append(";".join(cells))
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world."""
    return served(db)


def hand_in(person: Person, content: bytes, name: str = "ledger.csv") -> str:
    """Drop a file; gives the id of the upload that now waits."""
    person.get("/uploads/")
    person.post("/uploads/", {"key": person.field("key"), "file": (io.BytesIO(content), name)})
    assert person.at.endswith("/check"), person.at
    return person.at.split("/")[2]


def count(of: Served, model: type, *where: object) -> int:
    """Count rows of a table."""
    with of.world.platform.db.snapshot() as conn:
        found = select(func.count()).select_from(model).where(*where)  # type: ignore[arg-type]
        return int(conn.execute(found).scalar_one())


def test_three_actions_store_the_good_rows_and_the_bad_ones_are_put_right_in_place(
    of: Served,
) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table())
    assert count(of, Invoice) == 0
    assert "17 good" in clerk.html
    assert "3 to fix" in clerk.html
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    assert sent["column-0"] == ["number"]
    assert sent["column-7"] == [""]
    page = clerk.post(f"/uploads/{upload_id}/start", sent)
    assert count(of, Invoice) == 17
    assert "3 rows to fix" in page
    fields = clerk.fields(f"/uploads/{upload_id}/correct")
    assert fields["cell-5-6"] == ["12.00.1"]
    assert fields["cell-10-1"] == ["31/31/2026"]
    fields |= {"cell-5-6": ["104.50"], "cell-10-1": ["2026-02-10"], "cell-16-0": ["B-015"]}
    done = clerk.post(f"/uploads/{upload_id}/correct", fields)
    assert "The corrected rows are stored" in done
    assert count(of, Invoice) == 20
    with of.world.platform.db.snapshot() as conn:
        amount = select(Invoice.payable_minor).where(Invoice.number == "B-004")  # type: ignore[call-overload]
        assert conn.execute(amount).scalar_one() == 10450
    # The file's own page has nothing left to fix.
    assert "Everything is read" in clerk.get(f"/uploads/{upload_id}")


def test_correcting_twice_imports_once(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table())
    clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    fields = clerk.fields(f"/uploads/{upload_id}/correct") | {
        "cell-5-6": ["104.50"],
        "leave": ["10", "16"],
    }
    first = clerk.post(f"/uploads/{upload_id}/correct", fields)
    again = clerk.post(f"/uploads/{upload_id}/correct", fields)
    assert (
        first.count("The corrected rows are stored")
        == again.count("The corrected rows are stored")
        > 0
    )
    assert count(of, Invoice) == 18
    assert count(of, Upload, Upload.corrects_id == upload_id) == 1
    assert "2 rows to fix" in clerk.get(f"/uploads/{upload_id}")


def test_confirming_twice_reads_once_and_the_header_is_remembered(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table(bad=()))
    sent = clerk.fields(f"/uploads/{upload_id}/start") | {"column-7": ["note"]}
    clerk.post(f"/uploads/{upload_id}/start", sent)
    clerk.post(f"/uploads/{upload_id}/start", sent)
    assert count(of, Invoice) == 20
    copied = hand_in(clerk, table(bad=()), "copy.csv")
    clerk.post(f"/uploads/{copied}/start", clerk.fields(f"/uploads/{copied}/start"))
    assert count(of, Invoice) == 20
    assert "<h1>All of it was here before</h1>" in clerk.get(f"/uploads/{copied}")
    later = hand_in(clerk, table(rows=3, bad=()).replace(b"B-0", b"C-0"), "next.csv")
    assert "as you chose them for this header last time" in clerk.html
    assert clerk.fields(f"/uploads/{later}/start")["column-7"] == ["note"]


def test_a_wrong_column_is_told_and_nothing_typed_is_lost(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table(bad=()))
    sent = clerk.fields(f"/uploads/{upload_id}/start") | {"column-6": [""], "mode": ["atomic"]}
    page = clerk.post(f"/uploads/{upload_id}/start", sent)
    assert clerk.status == 422
    assert "Say which column holds Amount payable" in page
    kept = clerk.fields(f"/uploads/{upload_id}/start")
    assert (kept["column-6"], kept["mode"]) == ([""], ["atomic"])
    assert count(of, Invoice) == 0


def test_all_or_nothing_keeps_everything_out_and_offers_the_good_rows(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table())
    sent = clerk.fields(f"/uploads/{upload_id}/start") | {"mode": ["atomic"]}
    page = clerk.post(f"/uploads/{upload_id}/start", sent)
    assert "Nothing was stored" in page
    assert count(of, Invoice) == 0
    clerk.post(f"/uploads/{upload_id}/again", {"key": clerk.field("key")})
    again = clerk.at.split("/")[2]
    clerk.post(f"/uploads/{again}/start", clerk.fields(f"/uploads/{again}/start"))
    assert count(of, Invoice) == 17


def test_a_firm_that_nobody_knows_is_invited_from_the_report(of: Served) -> None:
    clerk = Person(of, "clerk")
    content = (
        table(rows=2, bad=())
        .replace(SUPPLIER_VAT.encode(), b"")
        .replace(b"Brook Ltd", b"Ford Springs")
    )
    upload_id = hand_in(clerk, content)
    page = clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    assert "Ford Springs" in page
    assert "Invite this firm" in page
    form = clerk.fields(f"/uploads/{upload_id}/invite")
    assert "Ford Springs is invited" in clerk.post(f"/uploads/{upload_id}/invite", form)


GERMAN = (
    "Offene Posten;;;;;\n"
    "Belegnr.;Belegdatum;Fällig am;Lieferant;Währung;Bruttobetrag\n"
    "B-1;16.02.2026;14.05.2026;Supplier Company;EUR;12.480,50\n"
    "B-2;17.02.2026;31.04.2026;Supplier Company;EUR;8.915,00\n"
    "B-3;17.02.2026;15.05.2026;Supplier Company;EUR;1.204.310,75\n"
).encode()


def test_header_dates_and_amounts_are_found_although_a_row_is_wrong(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, GERMAN)
    assert "2 good" in clerk.html
    assert "1 to fix" in clerk.html
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    chosen = [sent[f"column-{place}"] for place in range(6)]
    assert chosen == [
        ["number"], ["issue_on"], ["due_on"], ["seller_name"], ["currency"], ["payable"]
    ]  # fmt: skip
    assert (sent["date_format"], sent["decimal"]) == (["DD.MM.YYYY"], ["comma"])
    assert sent["header_row"] == ["2"]


def test_a_row_that_waited_for_its_firm_and_was_here_already_is_told_as_such(of: Served) -> None:
    clerk = Person(of, "clerk")
    content = table(rows=1, bad=())
    first = hand_in(clerk, content)
    clerk.post(f"/uploads/{first}/start", clerk.fields(f"/uploads/{first}/start"))
    again = hand_in(clerk, content.replace(SUPPLIER_VAT.encode(), b""), "again.csv")
    clerk.post(f"/uploads/{again}/start", clerk.fields(f"/uploads/{again}/start"))
    form = clerk.fields(f"/uploads/{again}/recognise")
    chosen = {
        name: [of.world.firms["supplier"]] if name.startswith("firm") else values
        for name, values in form.items()
    }
    page = clerk.post(f"/uploads/{again}/recognise", chosen)
    assert count(of, Invoice, Invoice.document_state == "VALIDATED") == 1
    assert count(of, Invoice, Invoice.document_state == "VOID") == 1
    assert "All of it was here before" in page


def test_a_partner_is_recognised_by_the_name_that_the_file_gives_it(of: Served) -> None:
    clerk = Person(of, "clerk")
    # The firm is a partner by its number; a name alone leads to nobody at first.
    first = hand_in(clerk, table(rows=1, bad=()))
    clerk.post(f"/uploads/{first}/start", clerk.fields(f"/uploads/{first}/start"))
    upload_id = hand_in(clerk, GERMAN)
    page = clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    assert "Say once which of your partners a name means" in page
    waits = (Invoice.document_state == "INCOMPLETE",)
    assert count(of, Invoice, *waits) == 2
    form = clerk.fields(f"/uploads/{upload_id}/recognise")
    assert of.world.firms["supplier"] in {values[0] for values in form.values()}
    for _ in range(2):  # pressed twice
        page = clerk.post(f"/uploads/{upload_id}/recognise", form)
        assert "1 firm is recognised." in page
    assert count(of, Invoice, *waits) == 0
    later = hand_in(clerk, GERMAN.replace(b"B-", b"C-"), "next.csv")
    clerk.post(f"/uploads/{later}/start", clerk.fields(f"/uploads/{later}/start"))
    assert count(of, Invoice, *waits) == 0
    assert count(of, Invoice) == 5
    stranger = Person(of, "treasurer")
    stranger.get("/uploads/")
    own = form | {"key": "another", "csrf_token": stranger.token()}
    stranger.post(f"/uploads/{upload_id}/recognise", own)
    assert stranger.status == 404


def test_the_file_to_correct_and_the_original_come_back_and_strangers_see_nothing(
    of: Served,
) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, table())
    clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    errors = clerk.browser.get(f"/uploads/{upload_id}/errors").get_data(as_text=True)
    assert errors.count("\r\n") == 4
    assert clerk.browser.get(f"/uploads/{upload_id}/original").get_data() == table()
    other = Person(of, "treasurer")
    for path in ("", "/check", "/errors", "/original"):
        assert other.browser.get(f"/uploads/{upload_id}{path}").status_code == 404


def test_the_messages_of_an_interchange_are_seen_before_they_are_imported(of: Served) -> None:
    good = (
        "BGM+380+E-1+9", "DTM+137:20260210:102",
        "NAD+SE+++Brook Ltd", f"RFF+VA:{SUPPLIER_VAT}", "NAD+BY+++Anchor", "CUX+2:EUR",
        "DTM+13:20260511:102", "UNS+S", "MOA+9:101.50",
    )  # fmt: skip
    bad = tuple("MOA+9:1o1.50" if part.startswith("MOA") else part for part in good)
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, edifact(("INVOIC", good), ("INVOIC", bad)), "out.edi")
    for text in ("1 good", "1 to fix", "message 2", "Import 1 document", "E-1", "1o1.50"):
        assert text in clerk.html, text
    done = clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    assert "message 2, segment 10 (MOA)" in done
    assert count(of, Invoice, Invoice.number == "E-1") == 1


def test_an_invoice_in_pdf_and_one_in_cii_are_seen_before_they_are_imported(of: Served) -> None:
    """The page shows what the data inside say, and a page of the PDF that says otherwise."""
    xml = replaced(cii(), "DE 136 695 976", SUPPLIER_VAT)
    clerk = Person(of, "clerk")
    for content, name in ((xml, "e.bin"), (pdfs.invoice(xml), "scan.dat")):
        hand_in(clerk, content, name)
        assert "1 good" in clerk.html
        assert "R-2026-0117" in clerk.html
    other = ("Rechnung Nr. R-2026-0117", "Zahlbetrag 15.000,00 EUR")
    hand_in(clerk, pdfs.invoice(xml, other), "other.pdf")
    assert "1 to fix" in clerk.html
    assert "15000.00 EUR" in clerk.html
