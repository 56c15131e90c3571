"""The chart of accounts is one that books can be opened from."""

import re
import tomllib
from pathlib import Path
from typing import Any

import config

CHART = Path(config.__file__).parent / "chart_of_accounts.toml"
ACCOUNTS: list[dict[str, Any]] = tomllib.loads(CHART.read_text("utf-8"))["account"]
KINDS = {"asset", "liability", "income", "expense", "equity"}
BOOKS = {"seller", "anchor", "dealer", "financier"}


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
