"""A file becomes documents: all the good ones or all of them, once, and every bad one is told."""

import random
import threading

import pytest
from sqlalchemy import func, select, text

from scf.db.engine import Database
from scf.db.leases import Claimed
from scf.db.models import AuditLog
from scf.documents import conservation, intake
from scf.documents.canonical import Kind
from scf.documents.models import DocumentFinding, Invoice, InvoiceLine, Original, Upload
from scf.documents.storing import TABLES
from scf.kernel.actor import Role
from scf.kernel.errors import InvalidInput, NotAllowed, NotFound, Unavailable
from tests.documents import ubl
from tests.documents.readers import pdfs, samples
from tests.documents.trade import (
    BUYER,
    CREDIT_NOTES,
    INVOICES,
    ORDERS,
    PAYMENTS,
    SELLER,
    Trade,
    credit_table,
    invoice_table,
    line_table,
    table,
    trade_on,
)


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def stored(trade: Trade) -> int:
    """Count every document of every kind, seen or staged."""
    with trade.db.snapshot() as conn:
        return sum(
            conn.execute(select(func.count()).select_from(one)).scalar_one()
            for one in TABLES.values()
        )


def spoilt(rows: int, bad: set[int]) -> bytes:
    """Write many invoices, some of them wrong in one way or another."""
    wrong = (
        {"amount": "1234.5x"},
        {"amount": "10.005"},
        {"date": "2026-02-30"},
        {"due": "2026-01-01"},
        {"number": ""},
    )
    return invoice_table(
        [
            {"number": f"I-{n}", "amount": f"{n}.00"} | (wrong[n % len(wrong)] if n in bad else {})
            for n in range(1, rows + 1)
        ]
    )


def test_of_5000_rows_exactly_the_150_bad_ones_are_reported_each_with_its_row(
    trade: Trade,
) -> None:
    bad = set(random.Random(7).sample(range(1, 5001), 150))
    content = spoilt(5000, bad)
    result = trade.hand_in(content, INVOICES)
    assert (result["state"], result["read"], result["stored"], result["bad"]) == (
        "DONE",
        5000,
        4850,
        150,
    )
    found = trade.findings(result["upload_id"])
    assert {int(row.place.split(",")[0].removeprefix("row ")) - 1 for row in found} == bad
    assert len(found) == 150
    assert all(row.severity == "ERROR" and row.message and "column" in row.place for row in found)
    assert len(trade.rows()) == 4850
    again = trade.hand_in(content, INVOICES)
    assert (again["stored"], again["duplicate"], again["bad"]) == (0, 4850, 150)
    with trade.db.snapshot() as conn:
        originals = conn.execute(select(func.count()).select_from(Original)).scalar_one()
        slices = conn.execute(
            select(func.count()).select_from(AuditLog).where(AuditLog.command == "documents.store")  # type: ignore[arg-type]
        ).scalar_one()
    assert (originals, slices) == (1, 10)


def test_atomic_keeps_nothing_of_a_file_with_one_bad_row(trade: Trade) -> None:
    result = trade.hand_in(spoilt(1500, {1499}), INVOICES, mode="atomic")
    assert (result["state"], result["stored"], result["bad"]) == ("REFUSED", 0, 1)
    assert stored(trade) == 0
    assert len(trade.findings(result["upload_id"])) == 1


def test_atomic_publishes_a_good_file_whole_and_matched(trade: Trade) -> None:
    order = {"number": "PO-1", "amount": "9.00", "quantity": "9", "net": "9.00"}
    trade.hand_in(line_table([order]), ORDERS)
    rows = [{"number": f"I-{n}", "amount": "1.00", "order": "PO-1"} for n in range(1, 1501)]
    credit = credit_table([{"number": "G-1", "amount": "0.30", "invoice": "I-7"}])
    trade.hand_in(credit, CREDIT_NOTES)
    result = trade.hand_in(invoice_table(rows), INVOICES, mode="atomic")
    assert (result["state"], result["stored"]) == ("DONE", 1500)
    found = trade.rows()
    assert {row.document_state for row in found} == {"VALIDATED"}
    assert sum(row.match_state == "MATCHED" for row in found) == 9
    assert sum(row.credited_minor for row in found) == 30
    with trade.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []


@pytest.mark.parametrize("earlier", [True, False])
def test_atomic_keeps_nothing_of_a_file_with_a_duplicate(trade: Trade, earlier: bool) -> None:
    rows = [{"number": f"I-{n}", "amount": "1.00"} for n in range(1, 1201)]
    if earlier:
        trade.invoices({"number": "i 1100", "amount": "1.00"})
    else:  # in another slice of the same file
        rows.append({"number": "i 3", "amount": "1.00"})
    result = trade.hand_in(invoice_table(rows), INVOICES, mode="atomic")
    assert (result["state"], result["stored"], result["duplicate"]) == ("REFUSED", 0, 1)
    assert stored(trade) == int(earlier)
    assert trade.codes(result["upload_id"]) == ["DUPLICATE_EXACT"]


def test_staged_documents_are_nobodys_to_see(trade: Trade) -> None:
    upload = trade.receive(spoilt(3, set()), INVOICES, mode="atomic")
    platform = trade.world.platform
    run = platform.runner.run

    def stop_before_publishing(name: str, payload: object, **more: object) -> object:
        if name == "documents.publish":
            raise Unavailable("DATABASE", "The line broke.")
        return run(name, payload, **more)  # type: ignore[arg-type]

    platform.runner.run = stop_before_publishing  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        intake.run_upload(platform, upload)
    assert stored(trade) == 3
    assert seen(trade, "clerk") == []
    platform.runner.run = run  # type: ignore[method-assign]
    assert intake.run_upload(platform, upload)["state"] == "DONE"
    assert len(seen(trade, "clerk")) == 3


def test_an_import_that_died_goes_on_where_it_stopped(trade: Trade) -> None:
    upload = trade.receive(spoilt(2500, {40, 2040}), INVOICES)
    platform = trade.world.platform
    run, calls = platform.runner.run, [0]

    def die_in_the_third_slice(name: str, payload: object, **more: object) -> object:
        calls[0] += name == "documents.store"
        if calls[0] == 3:
            raise Unavailable("DATABASE", "The line broke.")
        return run(name, payload, **more)  # type: ignore[arg-type]

    platform.runner.run = die_in_the_third_slice  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        intake.run_upload(platform, upload)
    assert stored(trade) == 1999
    platform.runner.run = run  # type: ignore[method-assign]
    for _ in range(2):  # and a finished one only answers
        result = intake.run_upload(platform, upload)
        assert (result["state"], result["stored"], result["duplicate"]) == ("DONE", 2498, 0)
    assert len(trade.findings(upload)) == 2


def test_two_imports_of_one_file_at_once_store_it_once(trade: Trade) -> None:
    uploads = [trade.receive(spoilt(300, set()), INVOICES) for _ in range(6)]
    start = threading.Barrier(len(uploads))

    def race(upload_id: str) -> None:
        start.wait()
        intake.run_upload(trade.world.platform, upload_id)

    racers = [threading.Thread(target=race, args=(upload,)) for upload in uploads]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    with trade.db.snapshot() as conn:
        rows = conn.execute(select(Upload.__table__)).all()  # type: ignore[attr-defined]
    assert len(trade.rows()) == 300
    assert sum(row.stored_count for row in rows) == 300
    assert sum(row.duplicate_count for row in rows) == 1500


def test_one_invoice_in_two_formats_is_one(trade: Trade) -> None:
    assert trade.hand_in(ubl.invoice("INV-2026-0007", "50.00"))["stored"] == 1
    again = trade.invoices({"number": "inv 2026/7", "amount": "50.00"}, actor=trade.seller)
    assert (again["stored"], again["duplicate"]) == (0, 1)
    (found,) = trade.findings(again["upload_id"])
    assert (found.code, found.facts) == (
        "DUPLICATE_EXACT",
        {"earlier_id": trade.invoice("INV-2026-0007").id},
    )


def test_one_invoice_in_ubl_cii_and_pdf_is_one(trade: Trade) -> None:
    cii = samples.of_pair(samples.cii(), SELLER, BUYER)
    first = trade.hand_in(samples.of_pair(samples.ubl("invoice"), SELLER, BUYER), format="ubl")
    assert (first["stored"], first["bad"]) == (1, 0)
    for content, name in ((cii, "cii"), (pdfs.invoice(cii), "facturx")):
        again = trade.hand_in(content, format=name, actor=trade.seller)
        assert (again["stored"], again["duplicate"]) == (0, 1)
        (found,) = trade.findings(again["upload_id"])
        assert found.facts == {"earlier_id": trade.invoice("R-2026-0117").id}
    called_other = trade.hand_in(pdfs.invoice(cii), format="cii")
    assert trade.findings(called_other["upload_id"])[0].code == "FORMAT_OTHER"


def test_a_file_is_what_its_sender_called_it_or_is_refused(trade: Trade) -> None:
    told = trade.hand_in(invoice_table([{"number": "I-1", "amount": "1.00"}]), format="ubl")
    assert (told["stored"], told["bad"]) == (0, 1)
    codes = [found.code for found in trade.findings(told["upload_id"])]
    assert codes == ["FORMAT_OTHER", "FORMAT_UNKNOWN"]


def test_what_the_organisation_is_no_party_of_is_refused_and_not_told(trade: Trade) -> None:
    trade.world.firm("other", identifiers=[{"scheme": "duns", "value": "900000009"}])
    stranger = trade.world.person("stranger", "other", Role.ANCHOR_CLERK)
    trade.invoices({"number": "A", "amount": "1.00"})
    result = trade.invoices({"number": "A", "amount": "1.00"}, actor=stranger)
    assert (result["state"], result["stored"], result["bad"]) == ("REFUSED", 0, 1)
    (found,) = trade.findings(result["upload_id"])
    assert (found.code, found.facts) == ("NOT_A_PARTY", None)
    assert seen(trade, "stranger") == []


def test_a_stranger_who_names_an_unknown_firm_is_found_out_when_it_is_known(trade: Trade) -> None:
    trade.world.firm("other", identifiers=[{"scheme": "duns", "value": "900000009"}])
    stranger = trade.world.person("stranger", "other", Role.ANCHOR_CLERK)
    # The unknown party could be the stranger under another number, so the document waits.
    trade.hand_in(ubl.invoice("N-1", "1.00", seller="300000003"), actor=stranger)
    assert (seen(trade, "stranger"), seen(trade, "clerk")) == (["N-1"], [])
    new = trade.world.firm("new", identifiers=[{"scheme": "duns", "value": "300000003"}])
    intake.revalidate_job(
        trade.world.platform,
        Claimed("j", "k", "key", "o", "u", {"firm_id": new}, 1, trade.world.clock.now()),
    )
    assert trade.invoice("N-1").document_state == "VOID"
    assert "NOT_A_PARTY" in trade.codes()
    assert seen(trade, "clerk") == []


def seen(trade: Trade, short: str) -> list[str]:
    with trade.db.read(trade.world.people[short]) as session:
        return sorted(row.number for row in session.scalars(select(Invoice)))


def test_both_sides_and_nobody_else_see_an_invoice_and_its_lines(trade: Trade) -> None:
    trade.world.firm("bank", "financier")
    officer = trade.world.person("officer", "bank", Role.OFFICER_MAKER)
    trade.hand_in(ubl.invoice("A", "1.00"))
    assert seen(trade, "clerk") == seen(trade, "treasurer") == ["A"]
    assert seen(trade, "officer") == []
    with trade.db.read(officer) as session:
        for model in (InvoiceLine, Upload, DocumentFinding, Original):
            assert list(session.scalars(select(model))) == []
    with trade.db.read(trade.seller) as session:
        assert len(list(session.scalars(select(InvoiceLine)))) == 1
        assert list(session.scalars(select(Upload))) == []
    trade.act(
        lambda ctx: ctx.conn.execute(
            text(
                "INSERT INTO programme (id, code, name, financier_id, anchor_id, technique, state,"
                " version, created_by, created_at) VALUES ('p', 'P', 'P', :bank, :anchor,"
                " 'payables_finance', 'ACTIVE', 1, 'x', '2026-01-01T00:00:00.000000Z')"
            ),
            {"bank": trade.world.firms["bank"], "anchor": trade.world.firms["buyer"]},
        )
    )
    assert seen(trade, "officer") == []
    trade.act(
        lambda ctx: ctx.conn.execute(text("UPDATE invoice SET acceptance_state = 'ACCEPTED'"))
    )
    assert seen(trade, "officer") == ["A"]


def test_a_sold_claim_is_kept_and_marked(trade: Trade) -> None:
    trade.hand_in(ubl.invoice("A", "1.00", kind="393"))
    assert trade.invoice("A").title_prior
    assert "TITLE_PRIOR" in trade.codes()


def test_a_self_billed_invoice_counts_as_accepted_only_from_the_buyer(trade: Trade) -> None:
    trade.hand_in(ubl.invoice("A", "1.00", kind="389"))
    trade.hand_in(ubl.invoice("B", "1.00", kind="389"), actor=trade.seller)
    assert (trade.invoice("A").acceptance_state, trade.invoice("A").accepted_minor) == (
        "ACCEPTED",
        100,
    )
    assert trade.invoice("B").acceptance_state == "NONE"


def test_an_invoice_dated_after_the_business_date_is_said_to_be(trade: Trade) -> None:
    trade.world.firm("bank", "financier")  # its books are on 2 March 2026
    result = trade.invoices({"number": "A", "amount": "1.00", "date": "2026-03-10"})
    assert result["stored"] == 1
    assert trade.codes(result["upload_id"]) == ["ISSUE_DATE_FUTURE"]


def test_a_payment_is_an_edge_and_never_an_invoice(trade: Trade) -> None:
    rows = [[BUYER, SELLER, "", "10.00", "2026-01-02", "T-1"]] * 2
    rows.append([BUYER, SELLER, "", "-4.00", "2026-01-03", "T-1"])
    content = table("payer,payee,name,amount,date,reference", rows)
    assert trade.hand_in(content, PAYMENTS)["stored"] == 3
    paid = trade.rows(Kind.PAYMENT)
    assert sorted(row.amount_minor for row in paid) == [-400, 1000, 1000]
    assert {row.payer_id for row in paid} == {trade.world.firms["buyer"]}
    assert trade.rows() == []
    assert trade.hand_in(content, PAYMENTS)["duplicate"] == 3


@pytest.mark.parametrize(
    ("content", "sent_as", "code"),
    [
        (b"a,b\n1,2\n", None, "COLUMN_MISSING"),
        (b"\x00\x01\x02\xff" * 40, None, "FORMAT_UNKNOWN"),
        (b"<a><b></a>", None, "XML_MALFORMED"),
        (ubl.invoice("A", "1.00"), "order", "TYPE_UNEXPECTED"),
        (ubl.invoice("A", "-1.00"), None, "AMOUNT_NEGATIVE"),
    ],
)
def test_a_file_of_which_nothing_can_be_kept_is_refused(
    trade: Trade, content: bytes, sent_as: str | None, code: str
) -> None:
    result = trade.hand_in(content, document_type=sent_as)
    assert (result["state"], result["stored"]) == ("REFUSED", 0)
    assert code in trade.codes()
    assert stored(trade) == 0


def test_an_empty_file_a_foreign_upload_and_a_wrong_role_are_refused(trade: Trade) -> None:
    with pytest.raises(InvalidInput, match="FILE_EMPTY"):
        trade.receive(b"")
    with pytest.raises(NotFound):
        intake.run_upload(trade.world.platform, "no such upload")
    trade.world.firm("bank", "financier")
    officer = trade.world.person("officer", "bank", Role.OFFICER_MAKER)
    with pytest.raises(NotAllowed):
        trade.receive(b"x", actor=officer)


def test_mutated_files_never_break_the_import_and_leave_nothing_half_stored(trade: Trade) -> None:
    chance = random.Random(20260302)
    samples = [
        ubl.invoice("F-1", "12.50"),
        ubl.receipt("F-2", "PO-1", received="3"),
        spoilt(4, set()),
    ]
    evil = (b"-", b"0", b'"', b"\x00", b"<!--", b"9" * 40)
    for number in range(60):
        content = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 6)):
            spot = chance.randrange(len(content))
            match chance.randrange(4):
                case 0:
                    content[spot] = chance.randrange(256)
                case 1:
                    del content[spot : spot + chance.randint(1, 30)]
                case 2:
                    content[spot:spot] = content[spot : spot + 20] * 2
                case _:
                    content[spot:spot] = chance.choice(evil)
        mapping = INVOICES if b"<" not in content[:5] else None
        before = stored(trade)
        result = trade.hand_in(bytes(content) or b"x", mapping, name=f"{number}.bin")
        assert result["state"] in {"DONE", "REFUSED"}
        assert stored(trade) - before == result["stored"]
        if result["state"] == "REFUSED":
            assert trade.findings(result["upload_id"])
    with trade.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []
        orphans = text(
            "SELECT count(*) FROM pending_party p WHERE NOT EXISTS "
            "(SELECT 1 FROM invoice i WHERE i.id = p.document_id) AND NOT EXISTS "
            "(SELECT 1 FROM receipt r WHERE r.id = p.document_id)"
        )
        assert conn.execute(orphans).scalar_one() == 0
