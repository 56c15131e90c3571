"""The keyed prints of a claim: the same for two financiers, and for nobody else.

Numbers, amounts and firms have few possible values, so a plain hash could be guessed; each print is
an HMAC under a key that the members of one consortium share. Two installations know a firm under
different ids, so prints are made from its public numbers, one for each pair of numbers. While a
key is being changed, prints are made under the old and the new one.
Source: RFC 2104; fraud.md section 1, "registry port".
"""

import hashlib
import hmac
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.documents.fingerprints import claim_number
from scf.programmes.registry.port import Print

# Numbers that anybody can look up, the same wherever the firm is known.
SHARED: Final = ("lei", "vat", "uscc", "duns")
LEAST_KEY: Final = 32


def prints_of(
    keys: Mapping[int, bytes],
    row: Any,  # noqa: ANN401 - a row of invoice
    seller: Sequence[tuple[str, str]],
    buyer: Sequence[tuple[str, str]],
    twins: Sequence[Any] = (),
) -> tuple[Print, ...]:
    """Give every print of an invoice; none when a firm has no public number.

    ``twins`` are other papers of the same claim, whose numbers are then the claim's, too. An
    identifier of the paper itself needs no firms: it is what a copy in another's name still has.
    """
    named = [("number", f"{claim_number(one.number)}|{one.issue_on.year}") for one in (row, *twins)]
    money = f"{row.payable_minor}|{row.currency}|{row.issue_on.isoformat()}"
    said = list(dict.fromkeys([*named, ("money", money)]))
    pairs = [
        f"{one[0]}:{one[1]}|{other[0]}:{other[1]}"
        for one, other in itertools.product(seller, buyer)
        if one[0] in SHARED and other[0] in SHARED
    ]
    known_as = row.document_uuid if pairs else None
    itself = [("paper", "", known_as)] if known_as else []
    told = [*((kind, pair, what) for pair in pairs for kind, what in said), *itself]
    return tuple(
        Print(kind, version, keyed(keys[version], kind, pair, what))
        for version in sorted(keys)
        for kind, pair, what in told
    )


def keyed(key: bytes, *parts: str) -> str:
    """Give one keyed print."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
