"""A ZIP of documents on the upload pages: seen before it is read, and answered file by file."""

from scf.db.engine import Database
from scf.documents.models import Invoice
from tests.channels.papers import BAD_ROW, GOOD_ROW, HEAD
from tests.documents.archives.packing import packed
from tests.documents.readers.samples import cii
from tests.web.portal.anchor.test_upload import count, hand_in
from tests.web.portal.anchor.world import Person, served


def test_an_archive_is_shown_read_and_told_file_by_file(db: Database) -> None:
    of = served(db)
    clerk = Person(of, "clerk")
    invoice = cii("invoice")
    files = {
        "März/Rechnung.xml": invoice,
        "list.csv": (HEAD + GOOD_ROW + BAD_ROW).encode(),
        "../out.xml": invoice,
        **{f"more/{number}.xml": b"<a%d/>" % number for number in range(55)},
    }
    upload_id = hand_in(clerk, packed(files), "mail.zip")
    assert "58 files inside" in clerk.html
    assert "März/Rechnung.xml" in clerk.html
    assert "The name of this file leads out of the archive." in clerk.html
    assert "and 8 more" in clerk.html
    clerk.post(f"/uploads/{upload_id}/start", clerk.fields(f"/uploads/{upload_id}/start"))
    assert count(of, Invoice) == 0, "an archive is the worker's to read"
    of.world.platform.worker().drain()
    page = clerk.get(f"/uploads/{upload_id}")
    assert count(of, Invoice) == 2
    for words in ("Files of the archive", "In part", "Not stored", "ZIP_NAME"):
        assert words in page, words
    errors = clerk.get(f"/uploads/{upload_id}/errors")
    assert "list.csv: row 3" in errors
    page = clerk.get(f"/uploads/{upload_id}")
    inner = page.split('href="/uploads/')
    assert page.count(">list.csv</a>") == 1
    child = next(part for part in inner if ">list.csv</a>" in part).split('"')[0]
    assert "1 row to fix" in clerk.get(f"/uploads/{child}")
    assert ">mail.zip</a>" in clerk.html, "the way back to the archive"
    assert "more/54.xml" in clerk.get(
        f"/uploads/{upload_id}?file=" + page.split("?file=")[1].split('"')[0]
    )
    listed = clerk.get("/uploads/")
    assert listed.count(">mail.zip</a>") == 1
    assert "list.csv" not in listed


def test_an_archive_that_cannot_be_read_says_why_before_anything_is_kept(db: Database) -> None:
    clerk = Person(served(db), "clerk")
    hand_in(clerk, packed({"bomb.xml": bytes(2_000_000)}), "bomb.zip")
    assert "The file unpacks to more than 100 times its size." in clerk.html
