"""How likely it is that two descriptions mean one firm: points out of 100, and why.

Only a number that names one firm for everybody decides by itself; names, addresses, accounts and
mailboxes propose. Two different numbers of a scheme in which a firm has one say that these are
two firms, whatever else agrees.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from scf.parties.identity import forms
from scf.parties.identity.names import Name, normalised, same_letters

LIKELY: Final = 85
POSSIBLE: Final = 60
_MOST: Final = 100
# A firm has one number of each of these; of VAT and register numbers one per country. It has
# many of the others: a GLN or a D-U-N-S number names a place of it.
_ONE_EACH: Final = frozenset({"lei", "uscc"})
_ONE_PER_COUNTRY: Final = "reg:"

# What a name alone can come to, and what speaks beside it.
_NAME_SHARE: Final = 80
_LEAST_NAME: Final = 70  # below it a firm is never likely, however much else agrees
_COUNTRY: Final = 8
_ELSEWHERE: Final = -25
_ACCOUNT: Final = 20
_MAILBOX: Final = 12
_ADDRESS: Final = 12
_OTHER_ADDRESS: Final = -15
_SAME_PLACE: Final = 70
# A name that is merely close needs more beside it than a country to be likely.
_SAME_NAME: Final = frozenset({"NAME_SAME", "NAME_SAME_BUT_FORM", "NAME_ORDER"})
_SUPPORT: Final = frozenset({"ADDRESS_SAME", "MAILBOX_SAME", "ACCOUNT_SAME"})
_FIGURES: Final = re.compile(r"[0-9]+")
# Agreement in one of these is worth a person's look even when the names differ.
_WORTH_A_LOOK: Final = {"ACCOUNT_SAME": 60}


class Tier(enum.StrEnum):
    """How far a match goes without a person: only CERTAIN does."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a firm: by a document, or by its record."""

    names: tuple[str, ...] = ()
    country: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()  # valid and public ones, in their one spelling
    address: str = ""
    mailboxes: frozenset[str] = frozenset()  # domains of its e-mail addresses
    accounts: frozenset[str] = frozenset()


class Part(NamedTuple):
    """One reason of a score: what was compared, and what it added or took away."""

    code: str
    points: int
    said: str
    known: str


class Score(NamedTuple):
    """Points out of 100 with their reasons."""

    points: int
    tier: Tier
    parts: tuple[Part, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the reasons."""
        return frozenset(part.code for part in self.parts)


def compare(said: Facts, known: Facts) -> Score:
    """Compare what a document says of a firm with what is known of one."""
    numbers = _numbers(said, known)
    named, name = _best_name(said.names, known.names)
    parts = [*numbers, name, *_circumstances(said, known)]
    equal = any(part.code == "NUMBER_SAME" for part in numbers)
    other = any(part.code == "NUMBER_OTHER" for part in numbers)
    points = max(0, min(_MOST, sum(part.points for part in parts if part not in numbers)))
    points = max([points, *(_WORTH_A_LOOK.get(part.code, 0) for part in parts)])
    if equal and not other:
        return Score(_MOST, Tier.CERTAIN, tuple(parts))
    if other and not equal:
        return Score(0, Tier.NONE, tuple(parts))
    if equal:
        # The numbers contradict each other: no machine settles that.
        return Score(max(points, POSSIBLE), Tier.POSSIBLE, tuple(parts))
    supported = name.code in _SAME_NAME or any(part.code in _SUPPORT for part in parts)
    honest = named >= _LEAST_NAME and name.code != "NAME_DISGUISED"
    likely = points >= LIKELY and supported and honest
    tier = Tier.LIKELY if likely else Tier.POSSIBLE if points >= POSSIBLE else Tier.NONE
    return Score(points, tier, tuple(parts))


def _numbers(said: Facts, known: Facts) -> list[Part]:
    theirs = _by_scheme(known.identifiers)
    found = []
    for scheme, values in _by_scheme(said.identifiers).items():
        others = theirs.get(scheme, frozenset())
        one, other = ", ".join(sorted(values)), ", ".join(sorted(others))
        if values & others:
            same = min(values & others)
            found.append(Part("NUMBER_SAME", _MOST, f"{scheme} {same}", f"{scheme} {same}"))
        elif others and _names_one_firm(scheme):
            found.append(Part("NUMBER_OTHER", -_MOST, f"{scheme} {one}", f"{scheme} {other}"))
    return found


def _by_scheme(identifiers: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for scheme, value in identifiers:
        # A firm registered for VAT in two countries has two numbers; in one country, one.
        kind = f"vat {value[:2]}" if scheme == "vat" else scheme
        found[kind] = found.get(kind, frozenset()) | {value}
    return found


def _names_one_firm(kind: str) -> bool:
    return kind in _ONE_EACH or kind.startswith(("vat ", _ONE_PER_COUNTRY))


def _best_name(said: tuple[str, ...], known: tuple[str, ...]) -> tuple[int, Part]:
    best, part = 0, Part("NAME_MISSING", 0, "", "")
    for one in said:
        for other in known:
            points, code = name_points(normalised(one), normalised(other))
            if points > best or not part.known:
                best, part = points, Part(code, points * _NAME_SHARE // _MOST, one, other)
    return best, part


def name_points(one: Name, other: Name) -> tuple[int, str]:  # noqa: PLR0911 - one answer a way
    """Compare two names: 100 for the same one, and the code of how they compare."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Levenshtein

    if not one.tokens or not other.tokens:
        return 0, "NAME_MISSING"
    kind = forms.same_kind(one.form, other.form)
    if one.compact == other.compact:
        if one.disguised != other.disguised:
            return 85, "NAME_DISGUISED"
        if not kind:
            return 80, "NAME_OTHER_FORM"
        return (100, "NAME_SAME") if one.form == other.form else (96, "NAME_SAME_BUT_FORM")
    if one.native or other.native:
        return _signs(one, other)
    if sorted(one.tokens) == sorted(other.tokens):
        return (94 if kind else 76), "NAME_ORDER"
    if one.latin == other.latin:
        return (88 if kind else 72), "NAME_TRANSCRIBED"
    close = 100 * Levenshtein.normalized_similarity(one.latin, other.latin)
    ordered = fuzz.token_sort_ratio(" ".join(one.tokens), " ".join(other.tokens))
    points = round(max(close, ordered))
    if _figures(one) != _figures(other):
        return min(points, 60), "NAME_OTHER_FIGURE"
    words, others = set(one.tokens), set(other.tokens)
    if words < others or others < words:
        shorter, longer = sorted((one.latin, other.latin), key=len)
        return max(points, 60 + 30 * len(shorter) // len(longer)), "NAME_PART"
    return (points if kind else min(points, 76)), "NAME_CLOSE" if points >= 75 else "NAME_DIFFERENT"  # noqa: PLR2004


def _signs(one: Name, other: Name) -> tuple[int, str]:
    """Compare names of which one is written without word breaks: every sign is a word."""
    from rapidfuzz.distance import Levenshtein

    if one.native and other.native:
        points = round(100 * Levenshtein.normalized_similarity(one.compact, other.compact))
        shorter, longer = sorted((one.compact, other.compact), key=len)
        if len(shorter) > 2 and longer.endswith(shorter):  # noqa: PLR2004 - a place stands before it
            return max(points, 80), "NAME_PART"
        return points, "NAME_CLOSE" if points >= 75 else "NAME_DIFFERENT"  # noqa: PLR2004
    points = round(100 * Levenshtein.normalized_similarity(one.latin, other.latin))
    return min(points, 85), "NAME_TRANSCRIBED" if points >= 75 else "NAME_DIFFERENT"  # noqa: PLR2004


def _figures(name: Name) -> list[str]:
    return sorted(token for token in name.tokens if token.isdigit())


def _circumstances(said: Facts, known: Facts) -> list[Part]:
    """Compare country, address, mailbox and account where both sides say something."""
    from rapidfuzz import fuzz

    found = []
    if said.country and known.country:
        same = said.country == known.country
        code, points = ("COUNTRY_SAME", _COUNTRY) if same else ("COUNTRY_OTHER", _ELSEWHERE)
        found.append(Part(code, points, said.country, known.country))
    if said.address and known.address:
        ours, theirs = (set(_FIGURES.findall(one)) for one in (said.address, known.address))
        alike = fuzz.token_sort_ratio(same_letters(said.address), same_letters(known.address))
        if ours == theirs and alike >= _SAME_PLACE:
            found.append(Part("ADDRESS_SAME", _ADDRESS, said.address, known.address))
        elif ours and theirs and not ours & theirs:
            # Neither house nor postcode: it has moved, or it is another firm.
            found.append(Part("ADDRESS_OTHER", _OTHER_ADDRESS, said.address, known.address))
    for code, points, one, other in (
        ("MAILBOX_SAME", _MAILBOX, said.mailboxes, known.mailboxes),
        ("ACCOUNT_SAME", _ACCOUNT, said.accounts, known.accounts),
    ):
        both = min(one & other, default="")
        if both:
            found.append(Part(code, points, both, both))
    return found
