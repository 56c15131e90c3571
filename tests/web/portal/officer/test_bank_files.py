"""Files of the bank in every form, by the page: what is refused says where and what to do."""

import io
import re

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from scf.parties.models import BankAccount
from tests.settlement.formats.mt_samples import MAPPING, line, message, table
from tests.support.served import HOST
from tests.web.portal.officer.desk import MAKER, Desk, text_of

_ACCOUNT = BankAccount.__table__  # type: ignore[attr-defined]


def own_account(desk: Desk) -> str:
    """Give the number of the account that the bank of this world has named as its own."""
    page = desk.page(MAKER, "/books")
    assert page
    with desk.story.platform.db.snapshot() as conn:
        rows = conn.execute(
            select(_ACCOUNT.c.number).where(
                _ACCOUNT.c.firm_id == _ACCOUNT.c.added_by_org, _ACCOUNT.c.currency == "EUR"
            )
        )
        return str(rows.scalars().first())


def hand_in(desk: Desk, *files: tuple[str, bytes], status: int = 200) -> str:
    hidden = desk.form(desk.page(MAKER, "/bank-files"), "/bank-files")
    parts = [FileStorage(io.BytesIO(data), name) for name, data in files]
    boundary, body = encode_multipart({**hidden, "files": parts})
    answer = desk.browser(MAKER).client.post(
        "/officer/bank-files",
        base_url=HOST,
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Referer": f"{HOST}/", "Origin": HOST},
    )
    return text_of(answer, status)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.sta", message(line(), closing="C260310EUR99,"), ["line 7, field 62F", "Ask the bank"]),
        ("a.csv", table([("10.03.2026", "1,00", "N", "T", "1,00")]), ["hand it in with the file"]),
        ("a.txt", b"hello", ["no bank file that is read here"]),
        ("a.json", MAPPING.encode(), ["hand in the table together with it"]),
        ("b.json", b"{}", ["columns: Field required"]),
    ],
)
def test_what_is_refused_says_where_and_what_to_do(
    desk: Desk, name: str, data: bytes, words: list[str]
) -> None:
    said = hand_in(desk, (name, data), status=422)
    for one in words:
        assert one in said


def test_a_statement_and_a_table_are_listed_with_their_form_and_what_does_not_join(
    desk: Desk,
) -> None:
    ours = own_account(desk)
    statement = message(line(), line("5,", "D"), closing="C260310EUR95,").replace(
        b"37040044/0532013000", ours.encode()
    )
    assert "2 movements" in hand_in(desk, ("monday.sta", statement))
    rows = [("12.03.2026", "7,00", "Somebody", "thanks", "1.000,00")]
    mapping = MAPPING.replace("DE89370400440532013000", ours).encode()
    page = hand_in(desk, ("bank.csv", table(rows)), ("bank.json", mapping))
    assert "is missing, or an entry was not told" in page
    listed = desk.page(MAKER, "/bank-files")
    assert "does not join" in listed
    assert re.search(r"mt940 · STARTUMS 7", listed)
    assert "csv ·" in listed
