"""What Odoo and ERPNext may answer, from what their documentation shows to what no one would send.

Each answer is given to the connectors in place of the network's.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.channels.erp.erpnext import ErpNext
from scf.channels.erp.erpnexterp import ErpNextErp
from scf.channels.erp.odoo import Odoo
from scf.channels.erp.odooerp import OdooErp
from scf.channels.erp.port import PULLS, Mark, Move, MoveLine, Record, Results
from scf.channels.erp.rest import MAX_ANSWER, amount_of, an_hour_before, number_of
from scf.channels.erp.wire import Refused
from scf.kernel.errors import InvalidInput
from scf.kernel.strict_json import loads
from scf.notices.webhooks.targets import Answer, Targets
from tests.support.plans import START

Reply = Callable[[str], tuple[int, bytes]]
OWN = {"name": "Halden Appliances", "identifiers": []}


class Answering(Targets):
    """A network that answers what a test says, by the address that is asked."""

    reply: Reply

    def exchange(self, url: str, *_given: object) -> tuple[Answer, bytes]:
        """Answer without a network."""
        status, body = type(self).reply(url)
        return Answer(status, ()), body


def _network(reply: Reply) -> Targets:
    class Network(Answering):
        pass

    Network.reply = staticmethod(reply)
    return Network()


def _odoo(reply: Reply) -> OdooErp:
    odoo = Odoo(_network(reply), "https://erp.example.com/", "halden", "scf", "key")
    odoo.company, odoo.currency = 1, "EUR"
    return OdooErp(odoo)


def _erpnext(reply: Reply) -> ErpNextErp:
    erpnext = ErpNext(_network(reply), "https://erp.example.com/", "Halden", "key", "secret")
    erpnext.currency = "EUR"
    return ErpNextErp(erpnext)


def _always(status: int, body: object) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _url: (status, content)


def _named(kind: str, words: str) -> dict[str, Any]:
    return {"name": kind, "message": words, "arguments": [words], "context": {}, "debug": ""}


def _frappe(kind: str, words: str) -> dict[str, Any]:
    said = json.dumps([json.dumps({"message": words})])
    return {"exc_type": kind, "exception": f"frappe.{kind}", "_server_messages": said}


HTML = b"<!doctype html><title>502 Bad Gateway</title>"
ODOO = [
    (401, _named("werkzeug.exceptions.Unauthorized", "Invalid apikey"), "ERP_SIGN_IN"),
    (403, _named("odoo.exceptions.AccessError", "You may not read this."), "ERP_RIGHTS"),
    (404, HTML, "ERP_DATABASE"),
    (404, _named("werkzeug.exceptions.NotFound", "the model 'sale.order' does not exist"),
     "ERP_MODULE"),
    (404, _named("odoo.exceptions.MissingError", "Record does not exist."), "ERP_GONE"),
    (409, _named("odoo.exceptions.LockError", "It is locked."), "ERP_RACE"),
    (422, _named("odoo.exceptions.UserError", "The entry is not balanced."), "ERP_REFUSED"),
    (422, _named("odoo.exceptions.ValidationError", "Duplicated reference."), "ERP_REFUSED"),
    (422, _named("builtins.ValueError", "Invalid field 'x'"), "ERP_ANSWER"),
    (429, HTML, "ERP_TOO_OFTEN"),
    (500, _named("builtins.KeyError", "x"), "ERP_DOWN"),
    (503, HTML, "ERP_DOWN"),
]  # fmt: skip
FRAPPE = [
    (401, _frappe("AuthenticationError", ""), "ERP_SIGN_IN"),
    (403, _frappe("PermissionError", "No permission for Sales Order"), "ERP_RIGHTS"),
    (404, HTML, "ERP_DATABASE"),
    (404, _frappe("DoesNotExistError", "Sales Order X not found"), "ERP_GONE"),
    (409, _frappe("DuplicateEntryError", "It exists."), "ERP_REFUSED"),
    (417, _frappe("ValidationError", "Total Debit must be <b>equal</b>"), "ERP_REFUSED"),
    (417, _frappe("ClosedAccountingPeriod", "It is closed."), "ERP_PERIOD"),
    (417, _frappe("TimestampMismatchError", "It was changed."), "ERP_RACE"),
    (417, {"_server_messages": "[not JSON"}, "ERP_REFUSED"),
    (429, HTML, "ERP_TOO_OFTEN"),
    (500, {"exc": "[]"}, "ERP_DOWN"),
    (503, HTML, "ERP_DOWN"),
]
BOTH = [
    (200, HTML, "ERP_ANSWER"),
    (200, b'[{"id": 1', "ERP_ANSWER"),
    (200, b'{"id": 1, "id": 2}', "ERP_ANSWER"),
    (200, b'[{"id": NaN}]', "ERP_ANSWER"),
    (200, b"[" * 100_000, "ERP_ANSWER"),
    (200, b'[{"id": 1, "amount": 1e999999999}]', "ERP_ANSWER"),
    (200, b" " * (MAX_ANSWER + 1), "ERP_ANSWER"),
    (204, b"", "ERP_ANSWER"),
    (302, HTML, "ERP_ANSWER"),
    (200, [{"id": "1"}], "ERP_ANSWER"),
    (200, {"data": 7}, "ERP_ANSWER"),
]


@pytest.mark.parametrize(("status", "body", "code"), ODOO + BOTH)
def test_each_answer_of_odoo_that_is_no_page_has_its_code(
    status: int, body: object, code: str
) -> None:
    erp = _odoo(_always(status, body))
    with pytest.raises(Refused) as refusal:
        erp.changed("SALES", None, "", 10, OWN)
    assert refusal.value.code == code
    assert "<" not in refusal.value.said


@pytest.mark.parametrize(("status", "body", "code"), FRAPPE + BOTH)
def test_each_answer_of_erpnext_that_is_no_page_has_its_code(
    status: int, body: object, code: str
) -> None:
    erp = _erpnext(_always(status, body))
    with pytest.raises(Refused) as refusal:
        erp.changed("SALES", None, "", 10, OWN)
    assert refusal.value.code == code
    assert "<" not in refusal.value.said


@pytest.mark.parametrize(
    ("said", "currency", "minor"),
    [
        ("1250.1", "EUR", 125_010), ("1250.10000", "EUR", 125_010), ("0.07", "EUR", 7),
        ("1250", "JPY", 1250), ("1250.0", "JPY", 1250), ("1.234", "BHD", 1234),
        ("0.30000000000000004", "EUR", 30), ("-99.99", "EUR", -9_999), ("-0.0", "EUR", 0),
        ("9999999999999.99", "EUR", 999_999_999_999_999), ("1.25e3", "EUR", 125_000),
        ("100.10", "EUR", 10_010), ("2.675", "EUR", None), ("12.5", "JPY", None),
        ("1.2345", "BHD", None), ("1e16", "EUR", None), ("true", "EUR", None),
        ('"1.00"', "EUR", None), ("null", "EUR", None), ("1.00", "XXX", None),
    ],
)  # fmt: skip
def test_an_amount_is_taken_where_its_number_names_one_amount_only(
    said: str, currency: str, minor: int | None
) -> None:
    value = loads(said, exact=True)
    if minor is None:
        with pytest.raises(InvalidInput):
            amount_of(value, currency)
    else:
        assert amount_of(value, currency) == minor


@given(st.integers(-(10**15), 10**15), st.sampled_from(["JPY", "EUR", "BHD"]))
def test_every_amount_survives_the_way_there_and_back(minor: int, currency: str) -> None:
    there = json.dumps(number_of(minor, currency))
    assert amount_of(loads(there, exact=True), currency) == minor


def test_the_next_pass_begins_an_hour_before_in_the_words_of_the_erp() -> None:
    assert an_hour_before("2026-03-10 00:30:00") == "2026-03-09 23:30:00"
    assert an_hour_before("2026-03-10 09:00:00.123456") == "2026-03-10 08:00:00.123456"
    for wrong in ("0001-01-01 00:00:00", "soon", "2026-03-10 09:00:00+01:00"):
        with pytest.raises(Refused):
            an_hour_before(wrong)


_WORDS = st.sampled_from(
    ["id", "name", "data", "message", "modified", "write_date", "company_id", "partner_id",
     "2026-03-10 09:00:00", "EUR", "[]", "0.1", "is_return", "currency_id", "commercial_partner_id"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS | st.text(),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(_WORDS, some, max_size=6),
    max_leaves=20,
)
_ROW = st.fixed_dictionaries(
    {"id": st.integers(1, 9), "name": _WORDS, "modified": _WORDS, "write_date": _WORDS},
    optional={
        name: _JSON | st.sampled_from([[1, "EUR"], False, 1.5, "2026-03-10"])
        for name in (
            "partner_id", "currency_id", "amount_untaxed", "amount_tax", "amount_total",
            "commercial_partner_id", "country_id", "vat", "company_registry", "street", "zip",
            "city", "code", "ref", "move_type", "invoice_date", "invoice_date_due",
            "invoice_origin", "supplier", "supplier_address", "customer", "customer_address",
            "net_total", "grand_total", "rounded_total", "total_taxes_and_charges", "currency",
            "disable_rounded_total", "is_return", "posting_date", "due_date", "bill_no", "tax_id",
            "bill_date", "po_no", "supplier_name", "customer_name", "cheque_no", "docstatus",
            "state", "body", "account_type", "amount_residual", "move_id", "account_id",
            "date_maturity", "outstanding_amount", "credit_to", "creation", "account_number",
        )
    },
)  # fmt: skip
_BODY = (
    _JSON
    | st.lists(_ROW, max_size=3)
    | st.fixed_dictionaries({"data": st.lists(_ROW, max_size=3) | _ROW | _JSON})
    | st.fixed_dictionaries({"message": st.lists(_ROW, max_size=3) | _JSON})
)
_MOVE = Move("E1", START, "EUR", "Paid", [MoveLine("1", None, 5), MoveLine("2", "B", -5)])
_MARK = [Mark("A1", "1", "BV-1: 1.00 EUR financed")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([200, 404, 417, 422, 500]), _BODY), min_size=1))
def test_no_answer_breaks_a_connector(answers: list[tuple[int, Any]]) -> None:
    turns = [(status, json.dumps(body).encode()) for status, body in answers]
    asked = 0

    def reply(_url: str) -> tuple[int, bytes]:
        nonlocal asked
        asked += 1
        if asked > len(turns) + 30:
            return 503, b""
        return turns[asked % len(turns)]

    for erp in (_odoo(reply), _erpnext(reply)):
        for stream in PULLS:
            try:
                records = erp.changed(stream, "2026-03-01 00:00:00", "", 5, OWN)
            except Refused:
                continue
            assert all(isinstance(one, Record) for one in records)
        acts: tuple[Callable[[], Results], ...] = (
            partial(erp.post, [_MOVE], "MISC"),
            partial(erp.mark, _MARK),
            partial(erp.change_payee, _MARK, "BANK", "MISC"),
        )
        for act in acts:
            try:
                results = act()
            except Refused:
                continue
            assert not results.done.keys() & results.refused.keys()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([200, 201, 404, 500]))
def test_no_bytes_break_a_connector(body: bytes, status: int) -> None:
    for erp in (_odoo(_always(status, body)), _erpnext(_always(status, body))):
        with pytest.raises(Refused):
            erp.changed("PURCHASES", None, "", 5, OWN)
