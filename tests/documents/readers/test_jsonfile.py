"""Documents in the platform's own JSON: whole amounts, decimal text, each judged alone."""

import json
from typing import Any

import pytest

from scf.documents.canonical import CanonicalDocument, Kind, TaxIdentity
from scf.documents.readers import read_file
from tests.documents.readers.edi import INVOIC, edifact

INVOICE: dict[str, Any] = {
    "kind": "invoice",
    "number": "I-77",
    "issue_on": "2026-03-02",
    "due_on": "2026-06-01",
    "currency": "EUR",
    "type_code": "380",
    "seller": {
        "name": "Korn Gmbh",
        "country": "DE",
        "identifiers": [
            {"scheme": "gln", "value": "4012345000009"},
            {"scheme": "vat", "value": "DE123456788"},
        ],
    },
    "buyer": {
        "name": "Mühle AG",
        "country": "DE",
        "identifiers": [{"scheme": "gln", "value": "4000001000005"}],
    },
    "payable_minor": 19100,
    "gross_minor": 19100,
    "net_minor": 16050,
    "tax_minor": 3050,
    "lines_minor": 15050,
    "charge_minor": 1000,
    "tax_subtotals": [
        {"category": "S", "percent": "19", "taxable_minor": 16050, "tax_minor": 3050}
    ],
    "order_reference": "PO-1",
    "despatch_references": ["LS-9"],
    "accounts": [{"iban": "DE89370400440532013000", "bic": "COBADEFFXXX", "holder": "Korn"}],
    "lines": [
        {
            "line_id": "1",
            "item_name": "Mehl 550",
            "item_ids": [
                {"scheme": "seller", "value": "A-1"},
                {"scheme": "standard:0160", "value": "4000862141404"},
            ],
            "quantity": "4",
            "unit": "KGM",
            "price": "25.00",
            "net_minor": 10000,
            "order_reference": "PO-1",
            "order_line": "1",
            "tax_category": "S",
            "tax_percent": "19",
        },
        {
            "line_id": "2",
            "item_name": "Hafer",
            "quantity": "1",
            "unit": "KGM",
            "price": "50.5",
            "net_minor": 5050,
            "order_reference": "PO-1",
            "order_line": "2",
            "tax_category": "S",
            "tax_percent": "19",
        },
    ],
}


def written(*documents: object) -> bytes:
    return json.dumps({"documents": documents}, ensure_ascii=False).encode()


def one(document: dict[str, Any]) -> CanonicalDocument:
    parsed = read_file(written(document))
    assert not parsed.errors, [found.as_dict() for found in parsed.errors]
    return parsed.documents[0]


def test_an_invoice_in_json_is_the_same_document_as_in_edifact() -> None:
    ours, theirs = one(INVOICE), read_file(edifact(("INVOIC", INVOIC))).documents[0]
    more = {"billing_references", "buyer_reference", "delivered_on", "notes", "payee", "profile"}
    for name in more | INVOICE.keys():
        assert getattr(ours, name) == getattr(theirs, name), name


def test_an_invoice_says_under_what_its_tax_authority_knows_it() -> None:
    said = {"scheme": "fapiao", "number": "12345678901234567890"}
    read = one(INVOICE | {"tax_identity": said}).tax_identity
    assert read == TaxIdentity("fapiao", "", "12345678901234567890", "")
    assert one(INVOICE).tax_identity is None


def test_a_bad_document_is_refused_alone_with_its_path() -> None:
    broken = INVOICE | {"payable_minor": 191.0, "colour": "red"}
    line = INVOICE["lines"][1] | {"quantity": "1e3"}
    torn = INVOICE | {"number": "I-79", "lines": [INVOICE["lines"][0], line]}
    other = INVOICE | {"number": "I-80", "gross_minor": 19101}
    parsed = read_file(written(broken, INVOICE, torn, other, "text"))
    assert [document.number for document in parsed.documents] == ["I-77"]
    assert parsed.refused == len(parsed.refusals) == 4
    assert {(found.code, found.place) for found in parsed.errors} == {
        ("JSON_FIELD", "/documents[1]/payable_minor"),
        ("JSON_FIELD", "/documents[1]/colour"),
        ("JSON_FIELD", "/documents[3]/lines[2]/quantity"),
        ("GROSS_SUM", "/documents[4]/gross_minor"),
        ("PAYABLE_SUM", "/documents[4]/payable_minor"),
        ("JSON_FIELD", "/documents[5]"),
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_name(kind: Kind) -> None:
    parsed = read_file(written({"kind": kind.value, "number": "N-1"}))
    assert parsed.refused == 1
    assert "JSON_FIELD" not in {found.code for found in parsed.errors}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payable_minor", "19100"),
        ("payable_minor", True),
        ("payable_minor", 10**16),
        ("number", 77),
        ("number", "I\u202e77"),
        ("number", "I\x0077"),
        ("issue_on", "2026-02-30"),
        ("issue_on", "02/03/2026"),
        ("kind", "bill"),
        ("seller", {"name": "x" * 2001}),
        ("seller", {"country": "de"}),
        ("lines", [{"price": "1,5"}]),
        ("lines", [{"word": "perhaps"}]),
        ("notes", ["n"] * 21),
    ],
)
def test_what_a_field_may_not_hold_is_refused(field: str, value: object) -> None:
    parsed = read_file(written(INVOICE | {field: value}))
    assert {found.code for found in parsed.errors} == {"JSON_FIELD"}
    assert all(found.place.startswith(f"/documents[1]/{field}") for found in parsed.errors)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "JSON"),
        (b'{"documents": [{"kind": "order", "kind": "invoice"}]}', "JSON"),
        (b'{"documents": [{"payable_minor": NaN}]}', "JSON"),
        (b'{"documents": ' + b"[" * 100 + b"]" * 100 + b"}", "JSON"),
        (b'{"documents": [{"number": "\\ud800"}]}', "JSON_FIELD"),
        (b'{"documents": "\xff"}', "JSON"),
        (b'{"documents": []}', "JSON_SHAPE"),
        (b'{"documents": [], "more": 1}', "JSON_SHAPE"),
        (b"[1]", "JSON_SHAPE"),
        (b'{"documents": [' + b"1," * 5_000 + b"1]}", "JSON_TOO_MANY"),
    ],
)
def test_what_is_no_file_of_documents_is_refused(data: bytes, code: str) -> None:
    parsed = read_file(data)
    assert (parsed.documents, parsed.refused) == ((), 1)
    assert code in {found.code for found in parsed.errors}
