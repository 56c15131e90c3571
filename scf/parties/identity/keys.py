"""Under which words a firm is found before it is compared: few firms share each of them.

A name is cut into three pieces. Of two names that are at most two edits apart at least one piece
is the same, two places further at most; so a look-up by pieces misses none of them and touches
the few firms that share one, however many there are.

Source: Li, Deng, Wang and Feng, Pass-Join, PVLDB 5(3), 2011 (partition and multi-match windows).
"""

import re
from collections.abc import Iterator
from typing import Final

from scf.parties.identity.names import Name, normalised
from scf.parties.identity.score import Facts

EDITS: Final = 2
_PIECES: Final = EDITS + 1
SPELLING: Final = 40  # so much of a name is looked up
_LEAST_WORD: Final = 4
_WORDS: Final = 6
_NUMBER: Final = re.compile(r"[0-9]+")
# Everybody has a mailbox there, so it says nothing about whose firm it is.
_PUBLIC_MAIL: Final = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com",
    "icloud.com", "gmx.de", "gmx.net", "web.de", "t-online.de", "qq.com", "163.com", "126.com",
    "sina.com", "foxmail.com", "aol.com", "proton.me", "protonmail.com", "orange.fr", "free.fr",
    "naver.com", "daum.net", "mail.ru", "yandex.ru",
})  # fmt: skip


def mailbox(address: str) -> str:
    """Give the domain of an e-mail address where it tells a firm from another, else nothing."""
    _, at, domain = address.strip().lower().rpartition("@")
    return domain if at and "." in domain and domain not in _PUBLIC_MAIL else ""


def stored_keys(facts: Facts) -> dict[str, str]:
    """Give the keys under which a firm is stored, each with the spelling that it was cut from."""
    found: dict[str, str] = {}
    for text in facts.names:
        name = normalised(text)
        for spelling in _spellings(name):
            found[f"n:{spelling}"] = spelling
            for place, (start, size) in enumerate(_cuts(len(spelling))):
                found[f"p{len(spelling)}.{place}:{spelling[start : start + size]}"] = spelling
        found |= dict.fromkeys(_words(name), name.compact[:SPELLING])
    return found | dict.fromkeys(_circumstances(facts), "")


def piece_keys(facts: Facts) -> dict[str, list[str]]:
    """Give the spellings that are looked for, with the keys of pieces that a close one shares."""
    found: dict[str, list[str]] = {}
    for text in facts.names:
        for spelling in _spellings(normalised(text)):
            found[spelling] = [f"n:{spelling}", *_windows(spelling)]
    return found


def word_keys(facts: Facts) -> list[str]:
    """Give the other keys: words of the name, account, mailbox, place. Some are too common."""
    words = {key for text in facts.names for key in _words(normalised(text))}
    return sorted(words | set(_circumstances(facts)))


def _spellings(name: Name) -> list[str]:
    """Give the ways in which a name is looked up: as written, and transcribed."""
    return list(dict.fromkeys(text[:SPELLING] for text in (name.compact, name.latin) if text))


def _words(name: Name) -> list[str]:
    long = [token for token in name.tokens if len(token) >= _LEAST_WORD or name.native]
    return [f"w:{token[:SPELLING]}" for token in dict.fromkeys(long[:_WORDS])]


def _circumstances(facts: Facts) -> Iterator[str]:
    yield from (f"a:{account}" for account in sorted(facts.accounts))
    yield from (f"m:{domain}" for domain in sorted(facts.mailboxes))
    figures = _NUMBER.findall(facts.address)
    if facts.country and len(figures) > 1:
        # House number and postcode, whichever stands first.
        yield f"l:{facts.country}:{'.'.join(sorted(figures))}"[:80]


def _cuts(length: int) -> list[tuple[int, int]]:
    """Cut a length into three pieces as even as can be: start and size of each."""
    small, more = divmod(length, _PIECES)
    sizes = [small + (place >= _PIECES - more) for place in range(_PIECES)]
    starts = [sum(sizes[:place]) for place in range(_PIECES)]
    return [(start, size) for start, size in zip(starts, sizes, strict=True) if size]


def _windows(spelling: str) -> Iterator[str]:
    """Give the pieces of every name within two edits, at the places where they may then stand."""
    own = len(spelling)
    seen: set[str] = set()
    for length in range(max(_PIECES, own - EDITS), min(SPELLING, own + EDITS) + 1):
        longer = own - length
        for place, (start, size) in enumerate(_cuts(length)):
            # Left of piece i fall at most i edits when the pieces before it differ, right of it
            # at most the rest.
            before, behind = place, EDITS - place
            for shift in range(max(-before, longer - behind), min(before, longer + behind) + 1):
                at = start + shift
                if at >= 0 and at + size <= own:
                    key = f"p{length}.{place}:{spelling[at : at + size]}"
                    if key not in seen:
                        seen.add(key)
                        yield key
