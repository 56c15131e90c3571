"""An archive of documents: its files come to what they would come to one by one."""

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.db.models import AuditLog, Outbox
from scf.db.runner import Outcome
from scf.documents import batch, intake
from scf.documents.archives import running
from scf.documents.archives.models import ArchiveFile
from scf.documents.models import Original, Upload
from scf.kernel.actor import Role
from tests.documents import ubl
from tests.documents.archives.packing import locked, packed
from tests.documents.test_batch import OTHER, of_others, papers, rows_of, sent
from tests.documents.trade import BUYER, SELLER, Trade, trade_on
from tests.support.deals import table

NUMBERS = {"number": "T-1", "seller": SELLER, "buyer": BUYER}
LIST = (
    "Invoice number,Invoice date,Due date,Amount,Currency,Seller DUNS,Buyer DUNS\n"
    f"T-1,2026-02-01,2026-06-30,120.00,EUR,{SELLER},{BUYER}\n"
    f"T-2,2026-02-01,2026-06-30,wrong,EUR,{SELLER},{BUYER}\n"
).encode()


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def files_of(trade: Trade, upload_id: str) -> list[Any]:
    one = table(ArchiveFile)
    query = select(one).where(one.c.archive_id == upload_id).order_by(one.c.place)
    with trade.db.snapshot() as conn:
        return list(conn.execute(query))


def test_an_archive_comes_to_what_its_files_come_to_one_by_one(trade: Trade) -> None:
    for short, number in (("other-seller", SELLER), ("other-buyer", BUYER)):
        numbers = [{"scheme": "duns", "value": OTHER[number]}]
        trade.world.firm(short, identifiers=numbers, country="DE")
    clerk = trade.world.person("other-clerk", "other-buyer", Role.ANCHOR_CLERK)
    files = [*papers(40), sent("list.csv", LIST)]
    files = [file._replace(name=f"Fatture 2026/già {file.name}") for file in files]
    seen = set()
    for file in files:
        if file.sha256 not in seen:
            trade.hand_in(file.content, name=file.name)
        seen.add(file.sha256)
    archive = packed({file.name: of_others(file).content for file in files})
    summary = trade.hand_in(archive, name="mail.zip", actor=clerk)
    alone, together = rows_of(trade, trade.buyer), rows_of(trade, clerk)
    for name, rows in alone.items():
        ours = [row for row in together[name] if '"mail.zip"' not in row]
        if name == "upload":
            ours = [
                row.replace('"archive_id": "upload mail.zip"', '"archive_id": null') for row in ours
            ]
        assert rows == ours, name
    told = files_of(trade, summary["upload_id"])
    assert [row.name for row in told] == [file.name for file in files]
    assert [row.seen_before for row in told].count(True) == len(files) - len(seen)
    uploads = [json.loads(row) for row in alone["upload"]]
    twice = 1  # one good invoice stands in two files
    assert summary["stored"] == sum(row["stored_count"] for row in uploads)
    assert summary["incomplete"] == sum(row["incomplete_count"] for row in uploads)
    assert summary["duplicate"] == sum(row["duplicate_count"] for row in uploads) + twice
    assert (summary["state"], summary["bad"]) == ("DONE", sum(row["bad_count"] for row in uploads))


def test_the_same_archive_again_adds_nothing_and_is_kept_byte_for_byte(trade: Trade) -> None:
    archive = packed(
        {f"{n}.xml": ubl.invoice(f"I-{n}", "10.00") for n in range(5)} | {"list.csv": LIST}
    )
    first = trade.hand_in(archive)
    again = trade.hand_in(archive)
    assert (first["stored"], first["bad"]) == (6, 1)
    assert (again["stored"], again["duplicate"], again["bad"], again["state"]) == (0, 6, 1, "DONE")
    assert len(trade.rows()) == 6
    both = [files_of(trade, one["upload_id"]) for one in (first, again)]
    assert [row.upload_id for row in both[0]] == [row.upload_id for row in both[1]]
    assert [row.seen_before for row in both[0]] == [False] * 6
    assert [row.seen_before for row in both[1]] == [True] * 6
    with trade.db.snapshot() as conn:
        kept = table(Original)
        sizes = conn.execute(select(kept.c.content).where(kept.c.content == archive)).all()
        told = table(Outbox)
        query = select(func.count()).where(told.c.topic == "upload.finished")
        notices = conn.execute(query).scalar_one()
    assert len(sizes) == 1
    assert notices == 2  # one of each archive, none of its files


def test_what_is_wrong_with_one_file_costs_that_file(trade: Trade) -> None:
    good = ubl.invoice("I-1", "10.00")
    archive = locked(
        packed(
            [
                ("../../etc/passwd", good),
                ("/root.xml", good),
                ("C:\\temp\\a.xml", good),
                ("a\\..\\b.xml", good),
                ("inner.zip", packed({"a.xml": good})),
                ("secret.xml", ubl.invoice("I-9", "90.00")),
                ("empty.xml", b""),
                ("photo.png", b"\x89PNG\r\n" + bytes(500)),
                ("__MACOSX/._a.xml", b"\x00\x05"),
                ("folder/.DS_Store", b"\x00"),
                ("folder/", b""),
                ("folder/Re\u202efdp.xml", good),
                ("broken.xml", b"<Invoice"),
            ]
        ),
        "secret.xml",
    )
    summary = trade.hand_in(archive)
    rows = files_of(trade, summary["upload_id"])
    assert [row.code for row in rows] == [
        *["ZIP_NAME"] * 4, "ZIP_NESTED", "FILE_ENCRYPTED", "FILE_EMPTY", "FORMAT_UNKNOWN", "", ""
    ]  # fmt: skip
    assert [row.name for row in rows][-2:] == ["folder/Re\\u202efdp.xml", "broken.xml"]
    own = trade.findings(summary["upload_id"])
    assert [row.code for row in own] == ["ZIP_LEFT_OUT", *(row.code for row in rows[:8])]
    assert [row.place for row in own[1:]] == [row.name for row in rows[:8]]
    assert (summary["state"], summary["stored"], summary["bad"]) == ("DONE", 1, 9)
    assert trade.codes(rows[-1].upload_id) == ["XML_MALFORMED"]


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (packed({f"{n}": b"" for n in range(10_001)}), "ZIP_ENTRIES"),
        (packed([("a.xml", b"<a/>"), ("b.xml", b"<b/>")]).replace(b"b.xml", b"a.xml"),
         "ZIP_NAME_TWICE"),
        (packed({"bomb.xml": bytes(3_000_000)}), "ZIP_RATIO"),
        (packed({"a.xml": ubl.invoice("I-1", "10.00")})[:-30], "ZIP_BROKEN"),
        (packed({"__MACOSX/a": b"x"}), "ZIP_EMPTY"),
        (packed({}), "ZIP_EMPTY"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_doubtful_archive_is_refused_as_a_whole(trade: Trade, archive: bytes, code: str) -> None:
    summary = trade.hand_in(archive)
    assert (summary["state"], trade.codes()) == ("REFUSED", [code])
    assert files_of(trade, summary["upload_id"]) == []


def test_all_or_nothing_is_said_of_one_file(trade: Trade) -> None:
    summary = trade.hand_in(packed({"a.xml": ubl.invoice("I-1", "10.00")}), mode="atomic")
    assert (summary["state"], trade.codes(), trade.rows()) == ("REFUSED", ["ZIP_ONE_FILE"], [])


@pytest.mark.parametrize("after", ["upload.take", "archive.note", "upload.receive"])
def test_a_worker_that_dies_in_an_archive_is_followed_by_another(
    trade: Trade, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    monkeypatch.setattr(batch, "MAX_SLICE", 3)
    made = {f"{n}.xml": ubl.invoice(f"I-{n}", "10.00") for n in range(8)}
    archive = packed(made | {"2.xml": b"<Invoice", "list.csv": LIST, "x.png": b"\x89" + bytes(99)})
    upload_id = trade.receive(archive)
    run = trade.world.platform.runner.run
    died: list[str] = []

    def dies(name: str, payload: Any, **how: Any) -> Outcome:  # noqa: ANN401 - any input
        done = run(name, payload, **how)
        if name == after and not died:
            died.append(name)
            raise SystemExit  # it has committed, and nobody hears of it
        return done

    monkeypatch.setattr(trade.world.platform.runner, "run", dies)
    with pytest.raises(SystemExit):
        intake.run_upload(trade.world.platform, upload_id)
    summary = intake.run_upload(trade.world.platform, upload_id)
    told = {name: summary[name] for name in ("state", "read", "stored", "duplicate", "bad")}
    assert told == {"state": "DONE", "read": 11, "stored": 8, "duplicate": 0, "bad": 3}
    rows = files_of(trade, upload_id)
    assert [row.seen_before for row in rows] == [False] * 10
    assert len(trade.rows()) == 8
    with trade.db.snapshot() as conn:
        uploads = conn.execute(select(func.count()).select_from(table(Upload))).scalar_one()
    assert uploads == 1 + 9  # the archive and its files; the picture has none


def test_thousands_of_files_go_in_slices_of_a_thousand(trade: Trade) -> None:
    archive = packed({f"{n}.xml": b"<x%d/>" % n for n in range(1_500)})
    summary = trade.hand_in(archive)
    assert (summary["state"], summary["read"], summary["bad"]) == ("REFUSED", 1_500, 1_500)
    with trade.db.snapshot() as conn:
        audit = table(AuditLog)
        query = select(audit.c.command, func.count()).group_by(audit.c.command)
        done = {row[0]: row[1] for row in conn.execute(query)}
    assert (done["upload.take"], done["archive.note"], done["upload.finish"]) == (2, 2, 1)


def test_who_reads_an_archive_says_now_and_then_that_it_lives(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BEAT", dt.timedelta(0))
    told: list[tuple[int, int | None, str]] = []
    upload_id = trade.receive(packed({f"{n}.xml": ubl.invoice(f"I-{n}", "1.00") for n in range(4)}))
    intake.run_upload(
        trade.world.platform,
        upload_id,
        watch=lambda reach: told.append((reach.done, reach.total, reach.unit)),
    )
    assert told == [*[(0, 4, "files")] * 4, (4, 4, "files")]
