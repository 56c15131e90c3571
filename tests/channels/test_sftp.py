"""A partner's SFTP server: a real one, on this machine, known by its key and by nothing else."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from scf.db.engine import Database
from scf.notices.webhooks.targets import Targets
from tests.channels.desk import Desk
from tests.channels.papers import as_json, good_edifact
from tests.support.people import small_prepare

prepare = small_prepare


@dataclass
class Partner:
    """A server that lets one key in and shows one folder."""

    port: int
    root: Path
    host_key: str
    client_key: asyncssh.SSHKey


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """Run a server in a thread of its own."""
    root = tmp_path_factory.mktemp("partner")
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    loop = asyncio.new_event_loop()

    class Server(asyncssh.SSHServer):
        def begin_auth(self, _username: str) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == "tributary" and key == client.convert_to_public()

    def chrooted(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=bytes(root))

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[host], sftp_factory=chrooted
        )

    server = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    public = host.export_public_key().decode().strip()
    yield Partner(server.get_port(), root, public, client)
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Remote(Desk):
    """A supplier whose ERP lays its files onto the partner's server."""

    def __init__(self, db: Database, room: Path, partner: Partner, /, **other: object) -> None:
        reach = {
            "kind": "SFTP", "host": "127.0.0.1", "port": partner.port, "username": "tributary",
            "folder": f"/{room.name}", "key_name": "erp", "host_key": partner.host_key,
        }  # fmt: skip
        super().__init__(db, room, **reach | other)
        self.keys.mkdir()
        partner.client_key.write_private_key(self.keys / "erp")
        self.folder = partner.root / room.name
        (self.folder / "in").mkdir(parents=True)


def test_files_are_fetched_acknowledged_and_laid_down_over_there(
    db: Database, tmp_path: Path, partner: Partner
) -> None:
    desk = Remote(db, tmp_path, partner, outputs=["upload.finished"])
    desk.drop("march.json", as_json("I-1"))
    desk.drop("edi.txt", good_edifact())
    desk.drop("half.json.part", as_json("I-9"))
    (desk.folder / "in" / "link.json").symlink_to("/march.json")
    desk.looks()
    assert desk.channel().problem is None
    assert desk.names("in") == ["half.json.part", "link.json"]
    assert desk.names(".work") == []
    assert len(desk.names("archive")) == 2
    assert [name.rpartition("-")[2] for name in desk.names("ack")].count("edi.txt.contrl.edi") == 1
    assert "I-1" in desk.invoices()
    desk.platform.worker().drain()
    desk.look()
    assert len(desk.names("out")) == 2
    assert json.loads((desk.folder / "out" / desk.names("out")[0]).read_text())["type"] == (
        "upload.finished"
    )


def test_a_server_with_another_key_is_told_nothing(
    db: Database, tmp_path: Path, partner: Partner
) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    desk = Remote(db, tmp_path, partner, host_key=stranger)
    desk.drop("march.json", as_json("I-1"))
    desk.looks()
    assert desk.channel().problem == "HOST_KEY"
    assert desk.names("in") == ["march.json"]
    assert desk.uploads() == []


def test_why_a_server_is_not_reached_is_told(
    db: Database, tmp_path: Path, partner: Partner
) -> None:
    desk = Remote(db, tmp_path, partner, username="somebody")
    desk.looks()
    assert desk.channel().problem == "KEY_REFUSED"
    desk.targets = Targets()
    desk.looks()
    desk.looks()
    desk.world.run("channel.change", desk.who, channel_id=desk.id, state="ACTIVE")
    desk.look()
    assert desk.channel().problem == "ADDRESS", "an inner address is not called outside development"
