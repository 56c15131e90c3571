"""A signed file gives its document, bare or in Base64, whole or in pieces; the rest is refused."""

import base64
import datetime as dt
from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from scf.documents.readers import Format, read_file, sniff
from tests.documents.readers.samples import errors, fatturapa, only, ubl

SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("06092a864886f70d010701")
VERSION, DIGESTS = b"\x02\x01\x01", b"\x31\x00"


@cache
def signed(content: bytes, encoding: Encoding = Encoding.DER) -> bytes:
    """Sign with a key of our own, as a program does that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fonderia Valdarno")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + dt.timedelta(days=900))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(certificate, key, hashes.SHA256())
    return builder.sign(encoding, [pkcs7.PKCS7Options.Binary])


def value(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes(4)
    return bytes([tag, 0x84]) + size + body


def endless(tag: int, *parts: bytes) -> bytes:
    """Write a value that says its end behind itself."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def in_pieces(content: bytes, size: int = 100) -> bytes:
    pieces = [value(4, content[at : at + size]) for at in range(0, len(content), size)]
    inner = endless(0x30, DATA, endless(0xA0, endless(0x24, *pieces)))
    digests = endless(0x31, endless(0x30, value(6, b"\x60\x86"), b"\x05\x00"))
    return endless(0x30, SIGNED_DATA, endless(0xA0, endless(0x30, VERSION, digests, inner)))


def around(inner: bytes) -> bytes:
    return value(0x30, SIGNED_DATA, value(0xA0, value(0x30, VERSION, DIGESTS, inner)))


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "bare": signed,
    "in Base64 with its marks": lambda data: signed(data, Encoding.PEM),
    "in Base64 without": lambda data: base64.encodebytes(signed(data)),
    "signed twice": lambda data: signed(signed(data)),
    "in pieces": in_pieces,
    "in pieces of stated length": lambda data: around(
        value(0x30, DATA, value(0xA0, value(0x24, value(4, data[:9]), value(4, data[9:]))))
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_document_is_taken_out_and_nobody_claims_the_signature(way: str) -> None:
    data = WAYS[way](fatturapa())
    assert sniff(data) is Format.SIGNED
    invoice = only(read_file(data))
    assert (invoice.number, invoice.payable_minor) == ("117/2026", 1427400)
    assert [found.code for found in invoice.findings] == ["SIGNATURE_UNCHECKED"]


def test_an_invoice_of_another_standard_may_be_signed_too() -> None:
    assert only(read_file(signed(ubl("invoice")))).number == "R-2026-0117"


def test_a_signature_inside_the_document_is_told() -> None:
    mark = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></p:'
    invoice = only(read_file(fatturapa().replace(b"</p:", mark)))
    assert [found.code for found in invoice.findings] == ["SIGNATURE_UNCHECKED"]


XML = fatturapa()
REFUSED = {
    "cut": (signed(XML)[:3000], "SIGNED_BROKEN"),
    "cut in pieces": (in_pieces(XML)[:3000], "SIGNED_BROKEN"),
    "damaged Base64": (base64.b64encode(signed(XML))[:200] + b"!", "SIGNED_BROKEN"),
    "without the file": (around(value(0x30, DATA)), "SIGNED_EMPTY"),
    "endless without the file": (around(endless(0x30, DATA)), "SIGNED_EMPTY"),
    "a picture": (signed(b"\x89PNG\r\n" + b"x" * 90), "SIGNED_CONTENT"),
    "a table": (signed(b"number;amount\n1;2\n"), "SIGNED_CONTENT"),
    "a length beyond the file": (around(b"\x30\x84\x7f\xff\xff\xff"), "SIGNED_BROKEN"),
    "a length of nine bytes": (around(b"\x30\x89" + b"\1" * 9), "SIGNED_BROKEN"),
    "nested without end": (around(b"\x30\x80" * 100_000), "SIGNED_BROKEN"),
    "octets nested without end": (
        around(value(0x30, DATA, b"\xa0\x80" + b"\x24\x80" * 100_000)),
        "SIGNED_BROKEN",
    ),
    "a hundred thousand pieces": (in_pieces(b" " * 100_000, 1), "SIGNED_BROKEN"),
    "a piece longer than its whole": (
        around(value(0x30, DATA, value(0xA0, b"\x24\x03" + value(4, XML)))),
        "SIGNED_BROKEN",
    ),
    "signed too often": (signed(signed(signed(signed(XML)))), "SIGNED_BROKEN"),
    "a bomb of entities": (
        signed(XML.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "ha">]>', 1)),
        "XML_DOCTYPE",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_or_hostile_file_is_refused_with_a_reason(name: str) -> None:
    data, code = REFUSED[name]
    assert code in errors(data)
