"""When two documents are the same although somebody wrote the number differently.

The canonical number removes what costs a forger nothing to change: case, blanks, dashes, letters
of another script that look the same, leading zeros, O for 0 and I for 1, and words such as
"INV-" in front. It is compared only between documents of one seller, one buyer and one year.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

from scf.documents.canonical import TaxIdentity

# Letters of other scripts that are drawn like a Latin one (Unicode confusables, capitals and the
# small letters whose capital differs). Written as escapes: they cannot be told apart by eye.
_LOOKALIKES: Final = {
    # Cyrillic
    "\u0410": "A", "\u0412": "B", "\u0415": "E", "\u041a": "K", "\u041c": "M", "\u041d": "H",
    "\u041e": "O", "\u0420": "P", "\u0421": "C", "\u0422": "T", "\u0423": "Y", "\u0425": "X",
    "\u0405": "S", "\u0406": "I", "\u0408": "J", "\u04ae": "Y", "\u04c0": "I", "\u050c": "G",
    "\u051a": "Q", "\u051c": "W", "\u0417": "3",
    "\u0430": "A", "\u0435": "E", "\u043e": "O", "\u0440": "P", "\u0441": "C", "\u0443": "Y",
    "\u0445": "X", "\u0455": "S", "\u0456": "I", "\u0458": "J", "\u0501": "D", "\u051b": "Q",
    "\u051d": "W", "\u04bb": "H",
    # Greek
    "\u0391": "A", "\u0392": "B", "\u0395": "E", "\u0396": "Z", "\u0397": "H", "\u0399": "I",
    "\u039a": "K", "\u039c": "M", "\u039d": "N", "\u039f": "O", "\u03a1": "P", "\u03a4": "T",
    "\u03a5": "Y", "\u03a7": "X", "\u03bf": "O", "\u03bd": "V", "\u03c1": "P", "\u03b1": "A",
    "\u03b9": "I", "\u03ba": "K", "\u03f2": "C", "\u03f9": "C",
    # Latin letters that NFKC leaves alone, and Armenian
    "\u0131": "I", "\u0251": "A", "\u0261": "G", "\u0269": "I", "\u01c0": "I", "\u00d8": "O",
    "\u00f8": "O", "\u0555": "O", "\u0585": "O", "\u054d": "U", "\u057d": "U",
}  # fmt: skip
# One spelling for signs that are swapped to disguise a number.
_SAME: Final = str.maketrans({"O": "0", "I": "1"})
_FOLD: Final = str.maketrans(_LOOKALIKES)

_WORDS: Final = (
    "INVOICENUMBER", "INVOICENO", "INVOICENR", "INVOICE", "INVNO", "INVC", "INV", "TAXINVOICE",
    "RECHNUNGSNUMMER", "RECHNUNGSNR", "RECHNUNG", "RGNR", "RG", "RE", "FACTURA", "FACTURE",
    "FATTURA", "FATURA", "FAKTURA", "FACT", "FAC", "FA", "BILL", "NUMBER", "NUM", "NO", "NR",
)  # fmt: skip
# The longest word first; what follows it is a digit, or nothing.
_PREFIX: Final = re.compile(
    "(?:{})(?=[0-9]|$)".format(
        "|".join(sorted({w.translate(_SAME) for w in _WORDS}, key=len, reverse=True))
    )
)
_PLAIN: Final = re.compile(r"0|[1-9][0-9]*")
# The commonest shape, some letters and one number, answered without taking it apart.
_COMMON: Final = re.compile(r"([A-Z]*)[-/ .]?0*([1-9][0-9]*)")
_TOKENS: Final = re.compile(r"[^\W_]+")
_RUNS: Final = re.compile(r"[0-9]+|[^\W0-9_]+")
LETTERS: Final = re.compile(r"[^\W0-9_]+")
_DIGIT: Final = re.compile(r"[0-9]")
_GROUPS: Final = re.compile(r"\d+")
_BOUNDARY: Final = re.compile(r"(?<=[0-9])\x00(?=[0-9])")
_TWO: Final = 2
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_MONTHS: Final = 12
# Lengths of a UUID, of SHA-1, SHA-256 and SHA-384: tax registers give such numbers, too.
_WORLDWIDE: Final = re.compile("[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}")


# Asked several times of each document, and of an order by all of its invoices.
@lru_cache(maxsize=5_000)
def canonical_number(text: str) -> str:
    """Give the one spelling under which a document number is compared.

    Each run of digits loses its leading zeros while the separators still stand, so that
    ``INV-2024-007`` and ``inv 2024/7`` are one number. A month between a year and a further
    number keeps two digits: 2024-01-11 and 2024-11-01 are two. A number without any letter or
    digit stays as it is, or all of them would be one.
    """
    if _PLAIN.fullmatch(text) and text.isascii():
        return text
    if text.isascii():
        folded = text.upper()
        common = _COMMON.fullmatch(folded)
        if common is not None:
            kept = _kept(common[1])
            if kept is not None:
                return kept + common[2]
    else:
        folded = _folded(text)
    return "".join(_runs(folded)) or folded.strip()


def claim_number(text: str) -> str:
    """Give the canonical number with its groups of digits kept apart: 3-2 is not 32.

    It makes the key of a claim, which may stand once; orders are found by the canonical number.
    """
    canonical = canonical_number(text)
    if len(_GROUPS.findall(text)) < _TWO:
        return canonical
    runs = _runs(_folded(text))
    return _BOUNDARY.sub(".", "\x00".join(runs)).replace("\x00", "") if runs else canonical


def squeezed_number(text: str) -> str:
    """Give the number as it reads with every sign between its letters and digits left out.

    A number written without its dashes, or with a blank after each sign, keeps this although its
    groups of digits are gone. Two honest numbers may share it, so alone it proves nothing.
    """
    bare = "".join(_TOKENS.findall(_folded(text).translate(_SAME)))
    return "".join(_without_words([bare])).lstrip("0") if bare else text.strip()


def letters_kept(text: str) -> list[str] | None:
    """Give the runs of letters that every number keeps of which a text is a part.

    None where the text may begin with a word such as "INV", which a number may lose.
    """
    tokens = _TOKENS.findall(_folded(text).translate(_SAME))
    if tokens and _PREFIX.match(tokens[0]):
        return None
    return [run for token in tokens for run in LETTERS.findall(token)]


def _folded(text: str) -> str:
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKC", text).translate(_FOLD).upper().translate(_FOLD)


def _runs(folded: str) -> list[str]:
    """Take a folded number apart into letters and digits, as they are compared."""
    tokens = _without_words(_TOKENS.findall(folded.translate(_SAME)))
    runs = [run for token in tokens for run in _RUNS.findall(token)]
    return [_padded(runs, place) for place in range(len(runs))]


@lru_cache(maxsize=1_000)
def _kept(letters: str) -> str | None:
    """Give what remains of the letters before a number; None where that takes a closer look.

    It does where an O or I of theirs may be a digit, or a digit behind them the O of a word: N07
    is No. 7.
    """
    if not letters or letters in _WORDS:
        return ""
    spelt = letters.translate(_SAME)
    begun = any(word.translate(_SAME).startswith((f"{spelt}0", f"{spelt}1")) for word in _WORDS)
    return None if begun or spelt != letters else letters


def _without_words(tokens: list[str]) -> list[str]:
    """Drop words such as "INV" in front, as long as something with a digit remains."""
    while tokens:
        word = _PREFIX.match(tokens[0])
        if word is None:
            return tokens
        first = tokens[0][word.end() :]
        rest = [first, *tokens[1:]] if first else tokens[1:]
        if not any(map(_DIGIT.search, rest)):
            return tokens
        tokens = rest
    return tokens


def _padded(runs: list[str], place: int) -> str:
    run = runs[place]
    if not run[0].isdigit():
        return run
    bare = run.lstrip("0") or "0"
    is_month = (
        0 < place < len(runs) - 1
        and runs[place + 1][0].isdigit()
        and _YEAR.fullmatch(runs[place - 1])
        and len(bare) < len("12") + 1
        and 1 <= int(bare) <= _MONTHS
    )
    return bare.rjust(2, "0") if is_month else bare


def worldwide_id(text: str) -> str:
    """Give the one spelling of a number that no two documents share: a UUID, or a long digest.

    Empty for any other text, and for a UUID of one sign repeated, by which programs say "none".
    """
    bare = text.strip().lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return bare if _WORLDWIDE.fullmatch(bare) and len(set(bare)) > 1 else ""


def known_as(uuid: str, identity: TaxIdentity | None) -> str | None:
    """Give the number by which a paper is known in the world: a tax register's, else its own.

    A register of transmissions (``sdi``) numbers files, and one file may hold several invoices.
    """
    if identity is not None and identity.scheme == "fapiao" and identity.number:
        return f"fapiao:{identity.code}{identity.number}"
    registered = identity is not None and identity.scheme in {"cfdi", "irn"}
    return (worldwide_id(identity.number) if identity and registered else "") or uuid or None


def duplicate_key(seller_id: str, buyer_id: str, canonical: str, year: int) -> str:
    """Give the fingerprint of a claim: the same one may be VALIDATED only once.

    The year is part of it because sellers start their numbers again each January.
    """
    return digest_text(f"{seller_id}\x1f{buyer_id}\x1f{canonical}\x1f{year}")


def digest_text(text: str) -> str:
    """Give the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
