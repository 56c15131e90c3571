"""The mail server is believed only as far as it proves itself, and is never waited for in vain."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scf.notices.mail.relay import Away, Refused, Relay, Said
from scf.notices.tries import in_time
from tests.support.postoffice import SENDER, post_office

LONG = 20.0  # what a test waits for at most before it fails


def letter() -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = SENDER, "x@y.example", "Hello"
    made.set_content("Hello")
    return made


def served(folder: Path, monkeypatch: pytest.MonkeyPatch, *, believed: bool) -> ssl.SSLContext:
    """Make a certificate for this machine; the system believes it, or not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "post.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(private + public)
    (folder / "believed.pem").write_bytes(public if believed else b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "believed.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_letter_is_handed_in_encrypted_by_whom_the_server_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = served(tmp_path, monkeypatch, believed=True)
    with post_office(tls, ("scf", "right-one")) as office:
        relay = Relay("127.0.0.1", office.port, SENDER, "starttls", "scf", "right-one")
        with relay.conversation() as send:
            send(letter())
        assert [came.encrypted for came in office.came] == [True]
        wrong = Relay("127.0.0.1", office.port, SENDER, "starttls", "scf", "wrong-one")
        with pytest.raises(Away) as away, wrong.conversation():
            pass
        assert away.value.code == "LOGIN"
        assert "wrong-one" not in str(away.value) + repr(wrong)


def test_nothing_is_said_to_a_server_that_does_not_prove_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = served(tmp_path, monkeypatch, believed=False)
    with post_office(tls, ("scf", "right-one")) as office:
        relay = Relay("127.0.0.1", office.port, SENDER, "starttls", "scf", "right-one")
        with pytest.raises(Away) as away, relay.conversation():
            pass
        assert away.value.code == "TLS"


def test_a_server_without_encryption_gets_no_letter() -> None:
    with post_office() as office:
        relay = Relay("127.0.0.1", office.port, SENDER, "starttls")
        with pytest.raises(Away) as away, relay.conversation():
            pass
        assert away.value.code == "TLS"
        assert office.came == []


def test_a_server_that_drips_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            taken, _from = server.accept()
            with taken:
                taken.settimeout(LONG)
                taken.sendall(b"220-wait\r\n")
                while taken.recv(100):
                    pass
            ended.set()

        thread = threading.Thread(target=drip)
        thread.start()
        relay = Relay(
            "127.0.0.1", server.getsockname()[1], SENDER, "none", "", "", LONG, whole_seconds=0.05
        )
        with pytest.raises(Away) as away, relay.conversation():
            pass
        assert away.value.code == "CONNECTION"
        assert ended.wait(LONG)
        thread.join()


def test_a_connection_is_cut_also_from_inside_its_encryption() -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(LONG)
    with in_time(0.05) as within:
        within(ours)
        inner = socket.socket(fileno=ours.detach())  # as TLS takes a connection over
        assert theirs.recv(1) == b""
    inner.close()
    theirs.close()


@pytest.mark.parametrize(
    ("status", "text", "gone"),
    [
        (550, "5.1.1 user unknown", True),
        (550, "No such user here", True),
        (553, "mailbox name not allowed", True),
        (550, "5.2.1 mailbox disabled", True),
        (550, "5.7.1 relaying denied", False),
        (552, "5.2.2 mailbox full", False),
        (554, "transaction failed", False),
    ],
)
def test_what_a_refusal_means_for_the_mailbox(status: int, text: str, *, gone: bool) -> None:
    assert Said(status, text).no_such_mailbox is gone


def test_a_refused_sender_is_the_operators_matter_and_not_the_readers() -> None:
    with post_office() as office:
        office.to_letter = ["554 5.6.0 not this one"]
        relay = Relay("127.0.0.1", office.port, SENDER, "none")
        with relay.conversation() as send, pytest.raises(Refused) as refused:
            send(letter())
        assert not refused.value.mailbox
        office.to_sender = ["550 5.7.1 who are you"]
        with pytest.raises(Away) as away, relay.conversation() as send:
            send(letter())
        assert (away.value.code, away.value.said) == ("SENDER", Said(550, "5.7.1 who are you"))
