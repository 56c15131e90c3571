"""Drop folders: every file once, whole, acknowledged; whatever a sender puts there."""

import csv
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from scf.channels import exchange
from scf.channels.folders import LocalFolders
from scf.channels.models import ChannelFile
from scf.channels.rounds import AFTER_PROBLEM
from scf.channels.rules import is_a_document, plain_name
from scf.db.engine import Database
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.channels.desk import Desk
from tests.channels.papers import BAD_ROW, GOOD_ROW, HEAD, as_json
from tests.documents.archives.packing import packed
from tests.support.people import small_prepare
from tests.support.racing import race

prepare = small_prepare


@pytest.fixture
def desk(db: Database, tmp_path: Path) -> Desk:
    return Desk(db, tmp_path)


def test_a_file_is_taken_once_acknowledged_and_laid_into_the_archive(desk: Desk) -> None:
    desk.drop("march.json", as_json("I-1", "I-2"))
    assert desk.look() == 0, "it could still be growing"
    assert desk.look() == 1
    assert desk.look() == 0
    assert desk.invoices() == ["I-1", "I-2"]
    (upload,) = desk.uploads()
    assert upload.user_id == desk.channel().user_id
    assert upload.org_id == desk.who.org_id
    told = json.loads(desk.text("ack", ".ack.json"))
    assert (told["state"], told["read"], told["stored"], told["bad"]) == ("DONE", 2, 2, 0)
    assert told["upload_id"] == upload.id
    assert desk.names("in") == desk.names(".work") == desk.names("error") == []
    assert len(desk.names("archive")) == 1
    assert desk.files() == [("march.json", "TAKEN", None)]


def test_a_file_that_grows_or_is_named_as_unfinished_waits(desk: Desk) -> None:
    for name in ("a.json.part", "b.tmp", ".hidden", "c.json.filepart"):
        desk.drop(name, as_json("I-9"))
    for number in range(3):
        desk.drop("grows.json", as_json(*(f"I-{one}" for one in range(number + 1))))
        assert desk.look() == 0
    assert desk.look() == 1
    assert desk.invoices() == ["I-0", "I-1", "I-2"]
    assert len(desk.names("in")) == 4


def test_a_marker_says_that_a_file_is_whole(desk: Desk) -> None:
    desk.drop("march.json", as_json("I-1"))
    desk.drop("march.json.done", b"")
    assert desk.look() == 1
    assert desk.names("in") == []


def test_bad_rows_come_back_beside_what_was_kept(desk: Desk) -> None:
    desk.drop("march.csv", (HEAD + GOOD_ROW + BAD_ROW).encode())
    desk.looks()
    assert desk.invoices() == ["W-1"]
    rows = list(csv.reader(desk.text("error", ".errors.csv").splitlines(), delimiter=";"))
    assert [row[0] for row in rows] == ["Bill Number", "W-2"]
    assert len(desk.names("archive")) == 1
    ((reader, words),) = desk.told()
    assert reader == desk.who.user_id, "who added the channel"
    assert words == "march.csv came through Our ERP. Stored: 1, of these waiting: 1. To fix: 1."


def test_what_nobody_can_read_goes_to_error_with_its_reason(desk: Desk) -> None:
    desk.drop("noise.bin", b"\x00\x01\x02 nothing of ours")
    desk.drop("empty.json", b"")
    desk.looks()
    assert [row[1] for row in desk.files()] == ["REFUSED", "REFUSED"]
    assert desk.names("archive") == []
    assert {json.loads((desk.folder / "ack" / one).read_text())["state"]
            for one in desk.names("ack")} == {"REFUSED"}  # fmt: skip
    assert sum(not one.endswith(".csv") for one in desk.names("error")) == 2


def test_the_same_file_again_adds_nothing_and_is_acknowledged_alike(desk: Desk) -> None:
    desk.drop("march.json", as_json("I-1"))
    desk.looks()
    first = desk.text("ack", ".ack.json")
    desk.drop("march.json", as_json("I-1"))
    desk.looks()
    assert len(desk.uploads()) == 1
    assert desk.text("ack", ".ack.json") == first
    desk.drop("again.json", as_json("I-1"))
    desk.looks()
    assert desk.invoices() == ["I-1"]


HOSTILE = (
    b"..json", b"a\nb.json", b"\xff\xfe.json", b"-rf", b"$(reboot).json", "\u202egpj.json".encode(),
    b"a" * 250, b"con", b"%s%n.json", b"'; drop table upload; --.json",
)  # fmt: skip


def test_names_that_mean_something_to_somebody_stay_names(desk: Desk, tmp_path: Path) -> None:
    before = {one.name for one in tmp_path.iterdir()}
    for number, name in enumerate(HOSTILE):
        desk.drop(name, as_json(f"H-{number}"))
    desk.looks()
    desk.looks()
    taken = [number for number, name in enumerate(HOSTILE) if is_a_document(os.fsdecode(name))]
    assert desk.invoices() == sorted(f"H-{number}" for number in taken)
    for folder in ("archive", "ack"):
        assert all(one.isascii() and one.isprintable() for one in desk.names(folder))
    assert {one.name for one in tmp_path.iterdir()} == before


def test_links_pipes_and_folders_lead_nowhere_and_hold_nobody_up(
    desk: Desk, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(as_json("S-1"))
    inside = desk.folder / "in"
    (inside / "link.json").symlink_to(secret)
    (inside / "up.json").symlink_to("../archive")
    (inside / "folder.json").mkdir()
    os.mkfifo(inside / "pipe.json")
    desk.drop("good.json", as_json("I-1"))
    desk.looks()
    desk.looks()
    assert desk.invoices() == ["I-1"]
    assert secret.exists()
    assert sorted(desk.files()) == [
        ("folder.json", "REFUSED", "NOT_A_FILE"), ("good.json", "TAKEN", None),
        ("link.json", "REFUSED", "NOT_A_FILE"), ("pipe.json", "REFUSED", "NOT_A_FILE"),
        ("up.json", "REFUSED", "NOT_A_FILE"),
    ]  # fmt: skip


def test_a_file_swapped_for_a_link_after_the_look_is_not_followed(
    desk: Desk, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(as_json("S-1"))
    desk.drop("a.json", secret.read_bytes())
    desk.look()
    (desk.folder / "in" / "a.json").unlink()
    (desk.folder / "in" / "a.json").symlink_to(secret)
    desk.looks()
    desk.looks()
    assert desk.invoices() == []
    assert secret.exists()


def test_folders_that_are_links_are_not_entered(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (desk.folder / "in").rmdir()
    (desk.folder / "in").symlink_to(outside)
    (outside / "a.json").write_bytes(as_json("S-1"))
    desk.looks()
    assert desk.channel().problem == "FOLDERS"
    assert desk.invoices() == []
    assert (outside / "a.json").exists()


def test_a_file_larger_than_is_read_is_refused_unread(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MAX_UPLOAD", 100)
    desk.drop("huge.json", as_json("I-1"))
    desk.looks()
    assert desk.files() == [("huge.json", "REFUSED", "TOO_LARGE")]
    assert desk.uploads() == []
    assert len(desk.names("error")) == 1


class Died(BaseException):
    """The worker is gone, in the middle of a step."""


class Dying(LocalFolders):
    """Folders in whose hands the worker dies, before or after a step of its choice."""

    steps = 0
    dies_at = -1

    def _step(self, name: str, *words: Any) -> Any:  # noqa: ANN401
        for half in (0, 1):
            cls = type(self)
            cls.steps += 1
            if cls.steps == cls.dies_at:
                raise Died
            if half == 0:
                answer = getattr(super(), name)(*words)
        return answer

    def take(self, *words: Any) -> Any:  # noqa: ANN401
        return self._step("take", *words)

    def read(self, *words: Any) -> Any:  # noqa: ANN401
        return self._step("read", *words)

    def put(self, *words: Any) -> Any:  # noqa: ANN401
        return self._step("put", *words)

    def finish(self, *words: Any) -> Any:  # noqa: ANN401
        return self._step("finish", *words)


def test_wherever_a_worker_dies_nothing_is_lost_and_nothing_comes_twice(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(db, tmp_path)
    monkeypatch.setattr("scf.channels.rounds.LocalFolders", Dying)
    Dying.dies_at, Dying.steps = -1, 0
    number, deaths = 0, 0
    while deaths == number:
        desk.drop(f"f{number}.json", as_json(f"K-{number}"))
        desk.look()
        Dying.steps, Dying.dies_at = 0, number + 1
        try:
            desk.look()
        except Died:
            deaths += 1
        Dying.dies_at = -1
        number += 1
        desk.world.clock.advance(exchange.LEASE)
        desk.looks()
        assert desk.names("in") == desk.names(".work") == []
        assert len(desk.names("archive")) == len(desk.uploads()) == number
        assert desk.invoices() == sorted(f"K-{one}" for one in range(number))
        assert len(desk.names("ack")) == number
    assert deaths == 8, "before and after each of taking, reading, acknowledging, laying down"
    assert {row.state for row in desk.rows(ChannelFile)} == {"TAKEN"}


def test_four_workers_at_one_folder_take_every_file_once(desk: Desk) -> None:
    for number in range(8):
        desk.drop(f"f{number}.json", as_json(f"R-{number}"))
    desk.look()
    desk.world.clock.advance(dt.timedelta(seconds=60))

    def work(_number: int) -> str:
        from scf.channels.rounds import Rounds

        return str(Rounds(desk.platform, desk.targets, desk.root, desk.keys).look())

    counts = race(4, work)
    assert sum(int(one) for one in counts) == 8
    assert len(desk.uploads()) == len(desk.names("archive")) == 8


def test_nothing_is_taken_while_paused_or_once_the_person_may_no_more(desk: Desk) -> None:
    change = {"channel_id": desk.id}
    desk.drop("march.json", as_json("I-1"))
    desk.world.run("channel.change", desk.who, **change, state="PAUSED")
    desk.looks()
    assert desk.uploads() == []
    desk.world.run("channel.change", desk.who, **change, state="ACTIVE")
    desk.world.run(
        "user.disable", desk.world.people["supplier-admin"], user_id=desk.channel().user_id
    )
    desk.looks()
    assert desk.channel().problem == "CHANNEL_PERSON"
    assert desk.uploads() == []
    desk.world.clock.advance(AFTER_PROBLEM)
    desk.look()
    ((reader, words),) = desk.told()
    assert reader == desk.who.user_id
    assert words.startswith("Nothing comes through Our ERP at present")
    desk.world.run("channel.change", desk.who, **change, state="REMOVED")
    with pytest.raises(Conflict):
        desk.world.run("channel.change", desk.who, **change, state="ACTIVE")


def test_events_are_written_once_under_names_that_follow_from_them(desk: Desk) -> None:
    desk.world.run("channel.change", desk.who, channel_id=desk.id, outputs=["upload.finished"])
    desk.drop("march.json", as_json("I-1"))
    desk.looks()
    desk.platform.worker().drain()
    desk.looks()
    (name,) = desk.names("out")
    first = (desk.folder / "out" / name).read_bytes()
    assert json.loads(first)["type"] == "upload.finished"
    (desk.folder / "out" / name).unlink()
    with desk.platform.db.writer.begin() as conn:
        conn.exec_driver_sql("UPDATE channel_output SET written_at = NULL")
    desk.look()
    assert (desk.folder / "out" / name).read_bytes() == first


def test_a_channel_is_its_own_organisations(desk: Desk) -> None:
    stranger = desk.world.person("stranger", "anchor", Role.ANCHOR_APPROVER)
    with pytest.raises(NotFound):
        desk.world.run("channel.change", stranger, channel_id=desk.id, state="REMOVED")
    with pytest.raises(NotAllowed):  # a bank hands in no invoices
        desk.world.run("channel.add", desk.world.people["maker"], name="x", kind="FOLDER")
    with pytest.raises(InvalidInput):
        desk.world.run("channel.change", desk.who, channel_id=desk.id, outputs=["payout.released"])


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "etc_passwd"), ("a b.csv", "a_b.csv"), ("...", "file"),
        ("x" * 300 + ".json", "x" * 116 + ".json"), ("ü.xml", "xml"), ("", "file"),
    ],
)  # fmt: skip
def test_what_we_write_has_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_an_archive_is_one_file_of_the_folder_and_answered_file_by_file(desk: Desk) -> None:
    inside = {
        "a/1.json": as_json("I-1"),
        "b/1.json": as_json("I-2"),
        "b/x.zip": packed({"a": b"a"}),
    }
    desk.drop("mail.zip", packed(inside))
    desk.looks()
    assert desk.invoices() == ["I-1", "I-2"]
    told = json.loads(desk.text("ack", ".ack.json"))
    assert (told["state"], told["read"], told["stored"], told["bad"]) == ("DONE", 3, 2, 1)
    files = [(one["name"], one["result"], one["code"]) for one in told["files"]]
    assert files == [
        ("a/1.json", "waits", ""), ("b/1.json", "waits", ""), ("b/x.zip", "refused", "ZIP_NESTED")
    ]  # fmt: skip
    (row,) = list(csv.reader(desk.text("error", ".errors.csv").splitlines()))[1:]
    assert row[:3] == ["ERROR", "ZIP_NESTED", "b/x.zip"]
    assert len(desk.names("archive")) == 1
    told_to = [words for _reader, words in desk.told()]
    assert told_to == ["mail.zip came through Our ERP. Stored: 2, of these waiting: 2. To fix: 1."]
