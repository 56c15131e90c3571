"""Whatever is refused, the seller reads words, and none that are the bank's own."""

import ast
import re

import pytest

from scf.financing.reasons import CHECK_NEEDED, DECLINE_CODES, FINANCIER_POLICY, letter
from scf.kernel.errors import Refusal
from scf.offers import basket, eligibility, riskprice, service
from tests.house.sources import ROOT
from web.portal.reasons import _WORDS, told
from web.refusals import translated

# What pricing.md section 5 keeps at the bank: probabilities, grades, points, the room of limits.
_BANKS_OWN = re.compile(r"(?i)\bPD\b|grade|probabilit|points|hurdle|headroom|limit of .* left|\d")


def _codes() -> set[str]:
    """Give the codes of every refusal that the making of an offer can come to."""
    found = set()
    for module in (eligibility, service, riskprice, basket):
        tree = ast.parse((ROOT / module.__name__.replace(".", "/")).with_suffix(".py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                found |= {
                    str(code.value) for code in node.args[:1] if isinstance(code, ast.Constant)
                }
    return found


def test_every_refusal_of_an_offer_has_words_for_the_seller() -> None:
    codes = _codes()
    assert len(codes) > 20
    assert codes <= set(_WORDS)


@pytest.mark.parametrize("code", [*DECLINE_CODES, CHECK_NEEDED, FINANCIER_POLICY])
def test_a_decline_is_told_in_words_that_hold_nothing_of_the_banks_own(code: str) -> None:
    (shown,) = letter([code])
    reason = told(Refusal(shown, message=shown))
    assert reason.text != shown, "words, not a code"
    assert not _BANKS_OWN.search(reason.text)


def test_a_stored_text_that_is_none_of_ours_stays_as_it_is() -> None:
    assert translated("Ask Mr Wu.") == "Ask Mr Wu."
