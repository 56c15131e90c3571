"""Legal forms as they stand behind or before a firm's name, in one code each.

Two firms of one name and different forms are two legal persons, so the form is taken off for the
comparison and then counted by itself. Forms that differ only in language or abbreviation share a
code. Sources: the registers' own abbreviations, and ISO 20275 for which forms there are.
"""

from typing import Final

# Code: how it is written, folded to plain small letters without dots ("s.p.a." is "spa").
_WRITTEN: Final = {
    "ltd": (
        "ltd", "limited", "co ltd", "co limited", "company limited", "company ltd", "pty ltd",
        "pty limited", "pte ltd", "pte limited", "pvt ltd", "pvt limited", "private limited",
        "private ltd", "sdn bhd", "ltda", "limitada", "limitee", "ltee",
    ),
    "plc": ("plc", "public limited company", "pcl", "public company limited", "bhd", "tbk"),
    "inc": ("inc", "incorporated"),
    "corp": ("corp", "corporation"),
    "co": ("co", "company", "cie", "compagnie"),
    "llc": ("llc", "limited liability company", "l l c"),
    "llp": ("llp", "limited liability partnership"),
    "lp": ("lp", "limited partnership"),
    "gmbh": ("gmbh", "mbh", "gesellschaft mit beschraenkter haftung", "ges mbh", "gesmbh"),
    "gmbh-kg": ("gmbh co kg", "gmbh co kgaa", "gmbh cie kg", "gmbh u co kg"),
    "ug": ("ug", "ug haftungsbeschraenkt", "unternehmergesellschaft"),
    "ag": ("ag", "aktiengesellschaft"),
    "ag-kg": ("ag co kg", "se co kg"),
    "kg": ("kg", "kommanditgesellschaft", "co kg"),
    "kgaa": ("kgaa", "se co kgaa", "ag co kgaa"),
    "ohg": ("ohg", "offene handelsgesellschaft"),
    "gbr": ("gbr",),
    "ev": ("ev", "eingetragener verein"),
    "eg": ("eg", "egen"),
    "ek": ("ek", "ekfr", "ekfm"),
    "se": ("se", "societas europaea"),
    "sa": (
        "sa", "sociedad anonima", "societe anonyme", "sociedade anonima", "sa de cv",
        "sab de cv", "soc anonyme",
    ),
    "sas": ("sas", "sasu", "societe par actions simplifiee"),
    "sarl": ("sarl", "eurl", "societe a responsabilite limitee"),
    "snc": ("snc",),
    "srl": ("srl", "srls", "sociedad de responsabilidad limitada", "s de rl", "s de rl de cv"),
    "sl": ("sl", "slu", "sociedad limitada", "sll"),
    "spa": ("spa", "societa per azioni"),
    "bv": ("bv", "besloten vennootschap", "bvba", "srl bv"),
    "nv": ("nv", "naamloze vennootschap"),
    "cv": ("cv",),
    "vof": ("vof",),
    "as": ("as", "aksjeselskap", "aktieselskab", "a s"),
    "asa": ("asa",),
    "aps": ("aps", "anpartsselskab"),
    "ab": ("ab", "aktiebolag", "ab publ"),
    "hb": ("handelsbolag",),
    "oy": ("oy", "osakeyhtio", "oy ab"),
    "oyj": ("oyj", "abp"),
    "ehf": ("ehf",), "hf": ("hf",),
    "sro": ("sro", "spol sro", "spolecnost s rucenim omezenym"),
    "zoo": ("sp zoo", "spolka z oo", "spzoo", "sp z oo", "spolka z ograniczona odpowiedzialnoscia"),
    "sa-pl": ("spolka akcyjna",),
    "doo": ("doo", "d o o"),
    "dd": ("dd",),
    "kft": ("kft", "korlatolt felelossegu tarsasag"),
    "zrt": ("zrt", "nyrt"),
    "ood": ("ood", "eood"),
    "ead": ("ead",),
    "uab": ("uab",), "sia": ("sia",), "ou": ("ou", "osauhing"),
    "ae": ("anonymi etairia",),
    "epe": ("epe",),
    "lda": ("lda", "unipessoal lda"),
    "as-tr": ("anonim sirketi",),
    "ltd-tr": ("ltd sti", "limited sirketi"),
    "jsc": ("jsc", "pjsc", "ojsc", "cjsc", "joint stock company"),
    "kk": ("kabushiki kaisha", "kabushiki gaisha", "kk"),
    "eirl": ("eirl",),
    "eireli": ("eireli",),
}  # fmt: skip
# These stand before the name.
_BEFORE: Final = {
    "pt": ("pt", "pt persero"),
    "cv": ("cv",),
    "ooo": ("ooo", "\u043e\u043e\u043e"),
    "pao": ("pao", "oao", "zao", "\u043f\u0430\u043e", "\u043e\u0430\u043e", "\u0437\u0430\u043e",
            "\u0430\u043e"),
    "tov": ("tov", "\u0442\u043e\u0432"),
    "oy": ("oy",), "ab": ("ab",), "sia": ("sia",), "uab": ("uab",),
    "sarl": ("sarl",), "sas": ("sas",), "sa": ("societe anonyme",),
    "jusik": ("\uc8fc",), "yuhan": ("\uc720",),  # in brackets before the name
}  # fmt: skip
# Scripts without blanks: the form is the end or the beginning of one run of signs.
_RUNS: Final = {
    "cn-ltd": (
        "\u6709\u9650\u516c\u53f8",
        "\u6709\u9650\u8d23\u4efb\u516c\u53f8",
        "\u6709\u9650\u8cac\u4efb\u516c\u53f8",
    ),
    "cn-plc": (
        "\u80a1\u4efd\u6709\u9650\u516c\u53f8",
        "\u80a1\u4efd\u516c\u53f8",
    ),
    "kk": ("\u682a\u5f0f\u4f1a\u793e", "\u682a\u5f0f\u6703\u793e"),
    "godo": ("\u5408\u540c\u4f1a\u793e",),
    "yugen": ("\u6709\u9650\u4f1a\u793e",),
    "jusik": ("\uc8fc\uc2dd\ud68c\uc0ac",),
    "yuhan": ("\uc720\ud55c\ud68c\uc0ac",),
}
# The same kind of firm in another language: not a difference when a name is written in both.
_KIN: Final = {
    "cn-ltd": "ltd", "cn-plc": "plc", "ooo": "llc", "tov": "llc", "pao": "jsc", "yuhan": "ltd",
    "ltd-tr": "ltd", "co": "ltd",
}  # fmt: skip

LONGEST: Final = 5
AFTER: Final = {
    tuple(words.split()): code for code, written in _WRITTEN.items() for words in written
}
BEFORE: Final = {
    tuple(words.split()): code for code, written in _BEFORE.items() for words in written
}
RUNS: Final = tuple(
    sorted(
        ((run, code) for code, runs in _RUNS.items() for run in runs),
        key=lambda pair: -len(pair[0]),
    )
)


def same_kind(one: str, other: str) -> bool:
    """Tell whether two forms may be the same one, told in another language or left out."""
    return not one or not other or _KIN.get(one, one) == _KIN.get(other, other)
