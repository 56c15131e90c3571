"""The same entry is recognised in any file; two equal payments stay two (promise P10)."""

from __future__ import annotations

from scf.settlement.readers import read_statements
from tests.settlement.formats.samples import camt, entry, statement, whole

PAGE = "<StmtPgntn><PgNb>{}</PgNb><LastPgInd>{}</LastPgInd></StmtPgntn>"


def identities(data: bytes) -> list[str]:
    file = read_statements(data)
    assert file.is_sound
    return [one.identity for each in file.statements for one in each.entries]


def test_the_same_file_twice_gives_the_same_identities() -> None:
    data = whole(entry("1.00"), entry("2.00", reference="R"), closing="3.00")
    assert identities(data) == identities(data)
    assert len(set(identities(data))) == 2


def test_two_equal_payments_of_one_day_are_two() -> None:
    with_reference = identities(whole(*[entry(reference="R")] * 2, closing="200.00"))
    without = identities(whole(*[entry()] * 3, closing="300.00"))
    assert len(set(with_reference)) == 2
    assert len(set(without)) == 3


def test_ranges_that_overlap_share_exactly_the_common_entries() -> None:
    monday = [entry(booked="2026-03-09"), entry("5.00", booked="2026-03-09")]
    tuesday = [entry(booked="2026-03-10")] * 2
    wednesday = [entry(booked="2026-03-11")]
    first = identities(camt(statement(*monday, *tuesday, name="A")))
    second = identities(camt(statement(*tuesday, *wednesday, name="B")))
    assert set(first) & set(second) == set(first[2:]) == set(second[:2])


def test_the_number_of_a_line_in_its_statement_does_not_matter() -> None:
    one = identities(camt(statement(entry(number="1"))))
    other = identities(camt(statement(entry("9.00"), entry(number="2"))))
    assert one[0] == other[1]


def test_notification_and_statement_name_the_same_entry_alike() -> None:
    notice = (
        camt(
            statement(entry(reference="R-1", text="short")),
            kind="camt.054.001.08",
            body="BkToCstmrDbtCdtNtfctn",
        )
        .replace(b"<Stmt>", b"<Ntfctn>")
        .replace(b"</Stmt>", b"</Ntfctn>")
    )
    full = whole(entry(reference="R-1", text="the whole text"), closing="100.00")
    assert identities(notice) == identities(full)


def test_versions_and_encodings_do_not_matter() -> None:
    text = "Réglement d'août"
    new = identities(camt(statement(entry(text=text))))
    old = camt(
        statement(entry(text=text, status="<Sts>BOOK</Sts>")),
        kind="camt.053.001.02",
        encoding="ISO-8859-1",
    )
    old = old.replace(b"<Pty>", b"").replace(b"</Pty>", b"").replace(b"BICFI", b"BIC")
    wide = camt(statement(entry(text=text)), encoding="UTF-16")
    split = camt(statement(entry(text="Re\u0301glement d'aou\u0302t")))
    assert new == identities(old) == identities(wide) == identities(split)


def test_equal_entries_on_two_pages_are_two_in_whatever_order_the_pages_come() -> None:
    first = identities(camt(statement(entry(), page=PAGE.format(1, "false"))))
    last = identities(camt(statement(entry(), page=PAGE.format(2, "true"))))
    again = identities(camt(statement(entry(), page=PAGE.format(1, "false"))))
    assert first != last
    assert first == again


def test_a_bank_reference_holds_across_pages_and_whole_statements() -> None:
    page = identities(camt(statement(entry(reference="R"), page=PAGE.format(2, "true"))))
    full = identities(camt(statement(entry(reference="R"))))
    assert page == full


def test_a_placeholder_is_no_bank_reference() -> None:
    first, second = identities(
        camt(statement(entry(reference="NOTPROVIDED"), entry("9.00", reference="NOTPROVIDED")))
    )
    assert first != second
    assert first == identities(camt(statement(entry())))[0]


def test_a_pending_entry_is_not_the_booked_one() -> None:
    pending = identities(camt(statement(entry(reference="R", status="<Sts>PDNG</Sts>"))))
    booked = identities(camt(statement(entry(reference="R"))))
    assert pending != booked


def test_what_differs_in_the_payment_differs_in_identity() -> None:
    base = identities(camt(statement(entry())))
    for other in (
        entry("100.01"),
        entry(sign="DBIT"),
        entry(text="Invoice 4712"),
        entry(booked="2026-03-11"),
        entry(extra="<RvslInd>true</RvslInd>"),
    ):
        assert identities(camt(statement(other))) != base
