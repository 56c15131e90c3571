"""A firm's name in the form in which names are compared: nothing that costs nothing to change.

Case, width, accents, dots, word breaks of initials and the legal form do not count. A letter of
another script counts as the Latin one that it is drawn like only where the two are mixed, so that
an honest name in its own script keeps its own letters; Chinese, Japanese and Korean names stay as
they are written.

Source: Unicode Technical Standard 39, confusable detection and its rules for mixed scripts.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from scf.parties.identity import forms

_MOST: Final = 400
_WORDS: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = str.maketrans("", "", "'`\u2019\u02bc\u00b4")
_ABBREVIATED: Final = re.compile(r"(?<![^\W_])([^\W_](?:[./][^\W_])+)(?![^\W_])[./]?")
_CONNECTORS: Final = frozenset({"and", "und", "et", "the"})
_EXPANDED: Final = str.maketrans({
    "\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00e5": "aa", "\u00f8": "oe", "\u00e6": "ae",
})  # fmt: skip
_OWN_SIGNS: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"}
)
_ROUNDS: Final = 4


class Name(NamedTuple):
    """A name as it is compared; two names of the same ``tokens`` are one name."""

    tokens: tuple[str, ...]
    form: str  # the legal form's code, or nothing
    latin: str  # without blanks, in plain Latin letters, whatever script it is written in
    native: bool  # written in a script without word breaks
    disguised: bool  # letters of another script stand where Latin ones are meant

    @property
    def compact(self) -> str:
        """The name without word breaks."""
        return "".join(self.tokens)


@lru_cache(maxsize=50_000)
def normalised(text: str) -> Name:
    """Give a name in the form in which names are compared; any text has one."""
    plain = unicodedata.normalize("NFKC", text[:_MOST])
    shown = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    disguised = len(shown) < len(plain)
    words = _words(shown)
    latin_there = any(_scripts(word) & {"LATIN"} for word in words)
    tokens: list[str] = []
    for word in words:
        token, folded = _folded(word, latin_there=latin_there)
        disguised |= folded
        if token:
            tokens.append(token)
    kept, form = _without_form(_joined(tokens))
    latin = "".join(_latin(token) for token in kept)
    native = any(_scripts(token) & _OWN_SIGNS for token in kept)
    return Name(tuple(kept), form, latin, native, disguised)


def same_letters(text: str) -> str:
    """Give a name as its tokens with single blanks; equal texts are equal names."""
    return " ".join(normalised(text).tokens)


def _words(text: str) -> list[str]:
    small = unicodedata.normalize("NFKC", text.casefold()).translate(_APOSTROPHES)
    bare = _ABBREVIATED.sub(lambda found: re.sub(r"[./]", "", found[1]) + " ", small)
    return _WORDS.findall(bare)


def _joined(tokens: list[str]) -> list[str]:
    """Drop words like "and", and write initials together: "j p" is "jp"."""
    for _ in range(_ROUNDS):
        before = tokens
        tokens = [token for token in tokens if token not in _CONNECTORS] or tokens
        together: list[str] = []
        initials = False
        for token in tokens:
            single = len(token) == 1 and token.isascii() and token.isalpha()
            if single and initials:
                together[-1] += token
            else:
                together.append(token)
            initials = single
        tokens = together
        if tokens == before:
            break
    return tokens


def _without_form(tokens: list[str]) -> tuple[list[str], str]:
    """Take the legal form off; what would leave no name is the name."""
    form = ""
    for _ in range(_ROUNDS):
        kept, found = _one_form_less(tokens)
        if not found or not kept:
            break
        tokens = kept
        form = form or found
    return tokens, form


def _one_form_less(tokens: list[str]) -> tuple[list[str], str]:
    for size in range(min(forms.LONGEST, len(tokens)), 0, -1):
        code = forms.AFTER.get(tuple(tokens[-size:]))
        if code:
            return tokens[:-size], code
        code = forms.BEFORE.get(tuple(tokens[:size]))
        if code:
            return tokens[size:], code
    for place in {0, len(tokens) - 1} if tokens else ():
        for run, code in forms.RUNS:
            token = tokens[place]
            if token == run:
                return tokens[:place] + tokens[place + 1 :], code
            for rest, hit in (
                (token.removesuffix(run), token.endswith(run)),
                (token.removeprefix(run), token.startswith(run)),
            ):
                if hit and rest:
                    return [*tokens[:place], rest, *tokens[place + 1 :]], code
    return tokens, ""


@lru_cache(maxsize=20_000)
def _script(char: str) -> str:
    """Name the script of a letter; digits and signs have none of their own."""
    if not char.isalpha():
        return ""
    return unicodedata.name(char, "").partition(" ")[0]


def _scripts(word: str) -> frozenset[str]:
    return frozenset(map(_script, word)) - {""}


def _folded(word: str, *, latin_there: bool) -> tuple[str, bool]:
    """Give a word in one script, and whether letters of another were put among its own."""
    if word.isascii():
        return word, False
    scripts = _scripts(word)
    disguised = False
    if scripts and not scripts & _OWN_SIGNS:
        drawn = "".join(_drawn_like(char) or char for char in word)
        mixed = len(scripts) > 1 and "LATIN" in scripts
        whole = latin_there and "LATIN" not in scripts and len(word) > 1 and drawn.isascii()
        if mixed or whole:
            disguised = drawn != word and scripts != {"LATIN"}
            word = drawn
    if _scripts(word) <= {"LATIN"}:
        word = _latin(word)
    return word, disguised


@lru_cache(maxsize=5_000)
def _drawn_like(char: str) -> str:
    """Give the small Latin letter that a letter of another script is drawn like, or nothing."""
    if char.isascii() or _script(char) == "LATIN":
        return ""
    from confusable_homoglyphs.confusables import confusables_data  # type: ignore[import-untyped]

    for shape in (char, char.upper()):
        for other in confusables_data.get(shape, ()):
            if len(other["c"]) == 1 and other["c"].isascii() and other["c"].isalpha():
                return str(other["c"]).lower()
    return ""


@lru_cache(maxsize=50_000)
def _latin(word: str) -> str:
    """Write a word in plain small Latin letters and digits, as it is commonly transcribed."""
    if word.isascii():
        return word
    from text_unidecode import unidecode  # type: ignore[import-untyped]

    plain: str = unidecode(word.translate(_EXPANDED)).lower()
    return "".join(char for char in plain if char.isalnum())
