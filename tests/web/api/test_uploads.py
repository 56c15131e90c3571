"""Files over HTTP: handed in, followed, corrected, given back; and what is refused before that."""

import csv
import io
from typing import Any

from werkzeug.test import TestResponse

from scf.documents.commands import READ_AT_ONCE
from tests.documents.archives.packing import packed
from tests.support.served import HOST
from tests.web.api.story import CARL, INVOICE, MIRA, OMAR, SAMPLES, Story
from web.api.v1.bank_statements import MAX_FILE

TABLE = (SAMPLES / "invoices.csv").read_bytes()
MAPPING = (SAMPLES / "invoices.mapping.json").read_text("utf-8")
FORMULA = b"=cmd|' /C calc'!A0"


def form(
    story: Story, person: str, content: bytes, name: str = "t.csv", **said: object
) -> TestResponse:
    """Send a file as a form."""
    return story.served.app.test_client().post(
        "/api/v1/uploads",
        base_url=HOST,
        data={"file": (io.BytesIO(content), name), **said},
        content_type="multipart/form-data",
        headers={
            "Authorization": f"Bearer {story.world.token(person)}",
            "Idempotency-Key": story.world.key(),
        },
    )


def done(story: Story, sent: TestResponse) -> dict[str, Any]:
    """Follow an upload to what came of it."""
    assert sent.status_code == 202, sent.get_data(as_text=True)
    assert sent.headers["Location"] == f"/api/v1/uploads/{sent.get_json()['id']}"
    found: dict[str, Any] = story.say(CARL, "GET", f"/uploads/{sent.get_json()['id']}")
    return found


def counts(upload: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(upload[name] for name in ("state", "read", "stored", "bad"))


def test_a_table_comes_back_as_its_bad_rows_which_are_corrected_and_taken(story: Story) -> None:
    upload = done(story, form(story, CARL, TABLE, type="invoice", mapping=MAPPING))
    assert counts(upload) == ("DONE", 4, 3, 1)
    found = story.say(CARL, "GET", f"/uploads/{upload['id']}/findings")["items"]
    (bad,) = [one for one in found if one["severity"] == "ERROR"]
    assert (bad["code"], bad["place"]) == ("AMOUNT_FORMAT", "row 4, column Amount")
    answer = story.ask(CARL, "GET", f"/uploads/{upload['id']}/errors")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=errors-")
    lines = answer.get_data(as_text=True).splitlines()
    header, row = TABLE.decode().splitlines()[0], TABLE.decode().splitlines()[3]
    assert lines[0] == f"{header};finding;corrects"
    assert len(lines) == 2
    assert lines[1].startswith(f"{row};AMOUNT_FORMAT: ")
    assert lines[1].endswith(f";{upload['id']}:4")

    corrected = answer.data.replace(b"7,2,5", b"7.205,00")
    again = done(story, form(story, CARL, corrected, type="invoice", mapping=MAPPING))
    assert counts(again) == ("DONE", 1, 1, 0)
    first = story.say(CARL, "GET", f"/uploads/{upload['id']}")
    assert (first["bad"], first["corrected"]) == (1, 1)
    assert len(story.say(CARL, "GET", "/invoices")["items"]) == 4


def test_a_stored_finding_is_told_in_the_language_of_who_asks(story: Story) -> None:
    table = TABLE.replace(b"7,2,5", b"7205,001")
    upload = done(story, form(story, CARL, table, type="invoice", mapping=MAPPING))
    told = {}
    for language in ("en", "zh"):
        found = story.say(
            CARL,
            "GET",
            f"/uploads/{upload['id']}/findings",
            headers={"Accept-Language": language},
        )
        (bad,) = [one for one in found["items"] if one["severity"] == "ERROR"]
        assert "words" not in bad
        told[language] = bad["message"]
    assert told["en"] == '"7205.001" has more than 2 decimals.'
    assert '"7205.001"' in told["zh"]
    assert "小数" in told["zh"]
    assert "decimals" not in told["zh"]


def test_all_or_nothing_keeps_nothing_of_a_file_with_one_bad_row(story: Story) -> None:
    sent = form(story, CARL, TABLE, type="invoice", mapping=MAPPING, mode="atomic")
    assert counts(done(story, sent)) == ("REFUSED", 4, 0, 1)
    assert story.say(CARL, "GET", "/invoices")["items"] == []


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(story: Story) -> None:
    table = TABLE.replace(b"BV-2026-123", FORMULA)
    upload = done(story, form(story, CARL, table, type="invoice", mapping=MAPPING))
    text = story.ask(CARL, "GET", f"/uploads/{upload['id']}/errors").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[1][2] == "'" + FORMULA.decode()
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_the_original_is_given_back_byte_for_byte_and_never_shown(story: Story) -> None:
    content = (SAMPLES / INVOICE).read_bytes()
    upload = done(story, form(story, CARL, content, name='a/../"x"\r\n发票.xml'))
    answer = story.ask(CARL, "GET", f"/uploads/{upload['id']}/original")
    assert answer.data == content
    assert answer.headers["Content-Type"] == "application/octet-stream"
    told = answer.headers["Content-Disposition"]
    assert told.startswith("attachment; ")
    assert not set("/\\\r\n") & set(told.removeprefix("attachment; ").replace("UTF-8''", ""))
    foreign = story.ask(MIRA, "GET", f"/uploads/{upload['id']}/original")
    assert foreign.status_code == 404


def test_a_large_file_waits_for_the_worker_and_shows_how_far_it_is(story: Story) -> None:
    row = TABLE.decode().splitlines()[1]
    rows = [row.replace("BV-2026-121", f"N-{number}") for number in range(1_500)]
    table = "\n".join([TABLE.decode().splitlines()[0], *rows, ""]).encode()
    assert len(table) > READ_AT_ONCE
    upload = done(story, form(story, CARL, table, type="invoice", mapping=MAPPING))
    assert counts(upload) == ("RECEIVED", 0, 0, 0)
    job = story.say(CARL, "GET", f"/jobs/{upload['job_id']}")
    assert (job["kind"], job["state"]) == ("documents.import", "QUEUED")
    story.platform.worker("test").drain()
    assert counts(story.say(CARL, "GET", f"/uploads/{upload['id']}")) == ("DONE", 1_500, 1_500, 0)
    job = story.say(CARL, "GET", f"/jobs/{upload['job_id']}")
    assert (job["state"], job["result"]["stored"]) == ("DONE", 1_500)


def test_the_worker_finds_a_small_file_done(story: Story) -> None:
    upload_id = story.upload(CARL, INVOICE)
    before = story.say(CARL, "GET", f"/uploads/{upload_id}")
    story.platform.worker("test").drain()
    assert story.say(CARL, "GET", f"/uploads/{upload_id}") == before


def test_an_unreadable_document_comes_back_as_its_findings(story: Story) -> None:
    content = (SAMPLES / INVOICE).read_bytes().replace(b">EUR<", b">EU<")
    upload = done(story, story.send(CARL, "/uploads?name=bad.xml", content))
    assert counts(upload) == ("REFUSED", 1, 0, 1)
    text = story.ask(CARL, "GET", f"/uploads/{upload['id']}/errors").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["severity"] for row in rows} == {"ERROR"}
    assert rows[0]["code"]


def test_an_unknown_firm_is_named_with_its_numbers_and_invited_from_the_finding(
    story: Story,
) -> None:
    upload_id = story.upload(CARL, "invoice-ac-77.xml")
    (found,) = story.say(CARL, "GET", "/findings?code=FIRM_UNKNOWN&open=true")["items"]
    assert found["upload_id"] == upload_id
    numbers = found["facts"]["party"]["identifiers"]
    assert {"scheme": "vat", "value": "DE129274202"} in numbers
    body = {"finding_id": found["id"]}
    firm = story.say(CARL, "POST", "/firms", 201, json=body)
    assert firm["state"] == "INVITED"


def test_what_cannot_be_a_file_is_refused_before_anything_is_kept(story: Story) -> None:
    wrong = [
        (form(story, CARL, b""), 422, "FILE_EMPTY"),
        (form(story, CARL, TABLE, state="DONE"), 422, "INPUT"),
        (form(story, CARL, TABLE, mode="maybe"), 422, "INPUT"),
        (form(story, CARL, TABLE, mapping="{"), 400, "JSON"),
        (form(story, CARL, TABLE, mapping='{"kind": 1, "kind": 2}'), 400, "JSON"),
        (form(story, CARL, TABLE, mapping='{"kind": "invoice"}'), 422, "MAPPING"),
        (form(story, CARL, TABLE, more=(io.BytesIO(b"x"), "y")), 400, "FILE_MISSING"),
        (form(story, CARL, TABLE, mode=["atomic", "atomic"]), 400, "PARAMETER_TWICE"),
        (story.send(CARL, "/uploads", b""), 400, "FILE_MISSING"),
        (story.send(CARL, "/uploads?state=DONE", b"x"), 422, "INPUT"),
        (
            story.send(CARL, "/uploads", b"x", content_type="application/x-www-form-urlencoded"),
            415,
            "CONTENT_TYPE",
        ),
        (
            story.send(CARL, "/uploads", b"x", **{"Content-Encoding": "gzip"}),
            415,
            "CONTENT_ENCODING",
        ),
        (story.send(OMAR, "/bank-statements", b"x" * (MAX_FILE + 1)), 413, "TOO_LARGE"),
        (story.send(OMAR, "/bank-statements", b"x"), 422, "BANK_FORMAT"),
        (story.send(OMAR, "/bank-statements", b"x", content_type="multipart/form-data"), 400, ""),
    ]
    told = [
        (answer.status_code, answer.get_json(force=True)["code"] if code else "")
        for answer, _status, code in wrong
    ]
    assert told == [(status, code) for _answer, status, code in wrong]
    assert story.say(CARL, "GET", "/uploads")["items"] == []
    assert story.say(OMAR, "GET", "/bank-statements")["items"] == []


def test_a_file_of_any_media_type_is_read_by_its_content(story: Story) -> None:
    for media, content, code in (
        ("application/json", b'{"documents": [{"kind": "bill"}]}', "JSON_FIELD"),
        ("application/edifact", b"UNB+UNOC:3+A+B+260302:1403+1'UNZ+1+1'", "EDI_COUNT"),
        ("application/edi-x12", b"ISA*00*", "EDI_HEADER"),
    ):
        kept = done(story, story.send(CARL, "/uploads", content, content_type=media))
        assert kept["state"] == "REFUSED"
        assert kept["bad"] > 0
        found = story.say(CARL, "GET", f"/findings?upload_id={kept['id']}")["items"]
        assert code in [one["code"] for one in found]


def test_a_zip_is_one_upload_and_its_files_are_uploads_that_name_it(story: Story) -> None:
    invoice = (SAMPLES / INVOICE).read_bytes()
    content = packed({"march/a.xml": invoice, "b.xml": invoice, "c.png": b"\x89PNG\r\n\x00\x00"})
    sent = story.send(MIRA, "/uploads?name=mail.zip", content)
    assert (sent.status_code, sent.get_json()["seen_before"]) == (202, False)
    path = f"/uploads/{sent.get_json()['id']}"
    assert story.say(MIRA, "GET", path)["state"] == "RECEIVED", "the worker reads it"
    story.world.platform.worker().drain()
    archive = story.say(MIRA, "GET", path)
    assert (*counts(archive), archive["duplicate"]) == ("DONE", 3, 1, 1, 1)
    files = story.say(MIRA, "GET", f"{path}/files")["items"]
    assert [(one["name"], one["result"], one["code"]) for one in files] == [
        ("march/a.xml", "stored", ""),
        ("b.xml", "duplicate", ""),
        ("c.png", "refused", "FORMAT_UNKNOWN"),
    ]
    first = story.say(MIRA, "GET", f"{path}/files?limit=1")
    rest = story.say(MIRA, "GET", f"{path}/files?cursor={first['next_cursor']}")
    assert [*first["items"], *rest["items"]] == files
    assert [one["id"] for one in story.say(MIRA, "GET", "/uploads")["items"]] == [archive["id"]]
    (own,) = story.say(MIRA, "GET", f"/uploads?archive_id={archive['id']}")["items"]
    assert (own["id"], own["archive_id"]) == (files[0]["upload_id"], archive["id"])
    errors = story.ask(MIRA, "GET", f"{path}/errors").get_data(as_text=True)
    assert "FORMAT_UNKNOWN,c.png," in errors
    assert story.ask(MIRA, "GET", f"{path}/original").get_data() == content
