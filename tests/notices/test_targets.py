"""Nobody leads the platform into its own network by an address of a webhook (ASVS V1.3.6)."""

import socket
import threading
from collections.abc import Sequence

import pytest

from scf.kernel.errors import InvalidInput
from scf.notices.webhooks.targets import NotReached, Resolver, Targets
from tests.support.receiver import receiving

# Ways to write an address that must never be called: in the URL itself, or as what a name means.
HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "0.1.2.3", "2130706433",  # noqa: S104 - to be refused
    "017700000001", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "0x7F.1", "127.0.0.1.", "localhost",
    "localhost.", "LOCALHOST", "x.localhost", "10.0.0.1", "10.255.255.255", "0xa.0.0.1",
    "100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "0xa9fea9fe", "2852039166",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "3232235521", "192.0.0.1",
    "192.0.2.7", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.3", "203.0.113.9",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "[::]", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[fe80::1]",
    "[fe80::1%25eth0]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001::1]", "[2001:db8::1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[3fff::1]", "[fec0::1]", "metadata", "intranet",
    "①②⑦.⓪.⓪.①", "127。0。0。1",
)  # fmt: skip
PUBLIC = "93.184.215.14"


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note every connection that is tried, and let none be made."""
    tried: list[object] = []

    def note(address: object, *_more: object, **_named: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", note)
    return tried


@pytest.mark.parametrize("shape", ["https://{}/hook", "https://{}:8443/hook"])
def test_no_spelling_of_an_inner_address_is_ever_connected_to(
    shape: str, connects: list[object]
) -> None:
    assert len(HOSTS) >= 60
    for host in HOSTS:
        with pytest.raises(NotReached):
            Targets().post(shape.format(host), b"{}", {})
        with pytest.raises(InvalidInput):
            Targets().check(shape.format(host))
    assert connects == []


def _always(answer: Sequence[str]) -> Resolver:
    return lambda _host, _port: answer


def test_a_name_that_means_an_inner_address_is_never_connected_to(connects: list[object]) -> None:
    for host in HOSTS:
        literal = host.strip("[]")
        for answer in ([literal], [PUBLIC, literal], ["2606:2800:21f::1", literal]):
            meant = Targets(resolver=_always(answer))
            with pytest.raises(NotReached) as why:
                meant.post("https://erp.example.com/hook", b"{}", {})
            assert why.value.code == "ADDRESS"
    assert connects == []


def test_a_name_is_asked_for_once_and_the_connection_goes_to_what_was_checked(
    connects: list[object],
) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    with pytest.raises(NotReached) as why:
        Targets(resolver=rebinding).post("https://erp.example.com/hook", b"{}", {})
    assert why.value.code == "CONNECTION"
    assert asked == ["erp.example.com"]
    assert connects == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/hook", "ftp://erp.example.com/", "file:///etc/passwd",
        "https://", "https:///hook", "https://user@erp.example.com/", "https://a:b@erp.example.com",
        "https://erp.example.com/#x", "https://erp.example.com:22/", "https://erp.example.com:99999/",
        "https://erp.example.com\\@127.0.0.1/", "https://erp.example.com/a b", "https://erp/",
        "https://erp.example.com/\r\nX: y", "https://-erp.example.com/", "gopher://erp.example.com/",
        "//erp.example.com/", "https://erp.example.com/" + "a" * 2000,
    ],
)  # fmt: skip
def test_an_address_that_is_more_than_a_public_name_and_a_path_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as why:
        Targets().check(url)
    assert why.value.code == "WEBHOOK_URL"


def test_public_names_and_addresses_are_taken() -> None:
    for url in (
        "https://erp.example.com/hook?a=1",
        f"https://{PUBLIC}:8443/",
        "https://[2606::1]/",
    ):
        assert Targets().check(url).scheme == "https"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with receiving() as told:
        told.answers, told.headers = [302], {"Location": told.url}
        answer = Targets(loopback=True).post(told.url, b"{}", {})
    assert answer.status == 302
    assert len(told.came) == 1


def test_this_very_machine_is_called_in_development_only() -> None:
    with receiving() as told:
        with pytest.raises(NotReached):
            Targets().post(told.url, b"{}", {})
        assert told.came == []
        assert Targets(loopback=True).post(told.url, b"{}", {}).status == 200


def test_an_answer_that_drips_is_cut_off() -> None:
    """One byte at a time keeps every single wait short; the call as a whole has an end."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65_536)
                try:
                    while not stop.wait(0.02):
                        peer.sendall(b"H")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(NotReached):
            Targets(loopback=True, seconds=0.3).post(url, b"{}", {})
        stop.set()
        thread.join()
