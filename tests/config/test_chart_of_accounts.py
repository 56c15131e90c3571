"""The chart of accounts is one that books can be opened from."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import config

CHART = Path(config.__file__).parent / "chart_of_accounts.toml"
READ: dict[str, Any] = tomllib.loads(CHART.read_text("utf-8"))
ACCOUNTS: list[dict[str, Any]] = READ["account"]
KINDS = {"asset", "liability", "income", "expense", "equity"}
BOOKS = {"seller", "anchor", "dealer", "financier"}
# What each version said. A change of the chart is a new version: add its line, keep the others.
VERSIONS = {"2": "048b1a2bbbc3a4c0"}


def test_every_code_and_every_name_stands_once() -> None:
    assert len({one["code"] for one in ACCOUNTS}) == len(ACCOUNTS)
    assert len({one["name"] for one in ACCOUNTS}) == len(ACCOUNTS)


def test_every_account_says_all_that_a_book_needs() -> None:
    for account in ACCOUNTS:
        assert account.keys() <= {
            "code",
            "name",
            "kind",
            "used_by",
            "control",
            "clears",
            "monetary",
        }
        assert account["code"] == re.sub(r"[^a-z]+", "_", account["name"].lower()).strip("_")
        assert account["kind"] in KINDS
        assert account["used_by"], account["code"]
        assert set(account["used_by"]) <= BOOKS


def test_what_is_kept_for_good_or_by_others_never_clears() -> None:
    kept = [one for one in ACCOUNTS if one["kind"] in {"income", "expense"} or one.get("control")]
    assert [one["code"] for one in kept if one.get("clears", True)] == []


def test_the_accounts_that_a_finished_life_leaves_at_zero_clear() -> None:
    """Receivables purchased, unearned discount, due to sellers, suspense, in transit."""
    clearing = {one["code"] for one in ACCOUNTS if one.get("clears", True)}
    assert clearing >= {
        "receivables_purchased",
        "unearned_discount",
        "due_to_sellers_reserve",
        "suspense",
        "payments_in_transit",
    }


def test_a_changed_chart_is_a_new_version() -> None:
    said = hashlib.sha256(json.dumps(ACCOUNTS, sort_keys=True).encode()).hexdigest()[:16]
    assert VERSIONS.get(READ["version"]) == said
    assert f"{READ['version']} " in CHART.read_text("utf-8").partition("# History:")[2]


def test_only_what_is_owed_or_owned_in_fixed_amounts_is_monetary() -> None:
    """IAS 21.16: no income, no expense, no goods, no prepayment, nothing booked elsewhere."""
    monetary = {one["code"] for one in ACCOUNTS if one.get("monetary")}
    kinds = {one["kind"] for one in ACCOUNTS if one["code"] in monetary}
    assert kinds == {"asset", "liability"}
    assert monetary >= {"cash", "receivables_purchased", "suspense", "borrowings"}
    assert not monetary & {
        "inventory", "prepayments_to_anchor", "contract_liabilities", "deferred_service_fee",
        "currency_revaluation", "currency_exchange",
    }  # fmt: skip
    assert not [one["code"] for one in ACCOUNTS if one.get("control") and one["code"] in monetary]
