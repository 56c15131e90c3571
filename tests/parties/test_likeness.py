"""Names in one form, keys that miss no near name, scores that explain themselves."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.parties.identity import keys
from scf.parties.identity.names import normalised, same_letters
from scf.parties.identity.score import Facts, Tier, compare, name_points
from tests.support.namesakes import Namesakes

VAT, OTHER_VAT = ("vat", "DE136695976"), ("vat", "DE811569869")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "MUELLER UND SOEHNE GmbH & Co KG"),
        ("Vale Trading S.p.A.", "vale trading spa"),
        ("J. P. Harmon plc", "JP HARMON Public Limited Company"),
        ("O'Dell Limited", "ODell Ltd."),
        ("\uff21\uff23\uff2d\uff25 Ltd", "Acme Ltd"),
        ("PT Astra Lama Tbk", "Astra Lama"),
        ("㈜한빛정밀", "주식회사 한빛정밀"),
        ("恒达精密有限公司", "恒达精密"),
        ("株式会社 山田製作所", "山田製作所株式会社"),
        ("Kowal Sp. z o.o.", "KOWAL spolka z ograniczona odpowiedzialnoscia"),
    ],
)
def test_what_costs_nothing_to_change_is_no_difference(one: str, other: str) -> None:
    assert normalised(one).tokens == normalised(other).tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Plant 2 Ltd", "Plant 3 Ltd"),
        ("恒达精密有限公司", "恒大精密有限公司"),
        ("North Holding AG", "North AG"),
        ("Acme GmbH", "Acme AG"),
    ],
)
def test_another_firm_of_almost_the_same_name_is_not_likely(one: str, other: str) -> None:
    score = compare(Facts((one,), "DE"), Facts((other,), "DE"))
    assert score.tier in {Tier.POSSIBLE, Tier.NONE}
    assert score.points > 50


def test_a_letter_of_another_script_is_seen_and_never_likely() -> None:
    disguised = "\u0410\u0441me Valves Ltd"  # Cyrillic A and s
    name = normalised(disguised)
    assert (name.tokens, name.disguised) == (("acme", "valves"), True)
    score = compare(Facts((disguised,), "GB"), Facts(("Acme Valves Ltd",), "GB"))
    assert score.tier is Tier.POSSIBLE
    assert "NAME_DISGUISED" in score.codes
    # An honest name in its own script keeps its letters.
    own = normalised("\u041e\u041e\u041e \u0420\u043e\u043c\u0430\u0448\u043a\u0430")
    assert (own.tokens, own.disguised) == (("\u0440\u043e\u043c\u0430\u0448\u043a\u0430",), False)


def test_a_thousand_chinese_japanese_and_korean_names_are_taken_for_no_disguise() -> None:
    chance = random.Random(5)
    han = "恒达精密华瑞信泰宏远盛昌明德鑫隆嘉禾兴业福安博远天成永一二口日木工力八十"
    kana, hangul = "トヨタソニカメラーアイエム", "한빛정밀산업전자테크삼화대성"
    for number in range(1000):
        signs = (han, kana, hangul)[number % 3]
        own = "".join(chance.choices(signs, k=chance.randint(2, 6)))
        tail = ("股份有限公司", "株式会社", "주식회사")[number % 3]
        front = ("", "TCL", "3D", "A1 ")[number % 4]
        name = normalised(f"{front}{own}{tail}")
        assert not name.disguised
        assert name.native
        assert own in name.compact


def test_an_equal_valid_number_decides_and_another_one_of_its_scheme_says_no() -> None:
    named = ("Brook Valves GmbH",)
    known = Facts(named, "DE", (VAT,))
    assert compare(Facts(("Quite Another Ltd",), "GB", (VAT,)), known).tier is Tier.CERTAIN
    vetoed = compare(Facts(named, "DE", (OTHER_VAT,)), known)
    assert (vetoed.tier, vetoed.points) == (Tier.NONE, 0)
    # A place has a GLN of its own, and a VAT number of another country says nothing.
    elsewhere = compare(Facts(named, "DE", (("vat", "NL004495445B01"), ("gln", "1"))), known)
    assert elsewhere.tier is Tier.LIKELY
    both = Facts(named, "DE", (VAT, ("lei", "213800KUD8LAJWSQ9D15")))
    torn = compare(Facts(named, "DE", (VAT, ("lei", "5493001KJTIIGC8Y1R12"))), both)
    assert torn.tier is Tier.POSSIBLE


def test_every_point_has_its_reason() -> None:
    said = Facts(
        ("Brook Valve GmbH",), "DE", (), "Mill St. 7, 50667 Köln", frozenset({"b.example"})
    )
    known = Facts(
        ("Brook Valves GmbH",), "DE", (), "Mill St 7, Köln 50667", frozenset({"b.example"})
    )
    score = compare(said, known)
    assert score.codes == {"NAME_CLOSE", "COUNTRY_SAME", "ADDRESS_SAME", "MAILBOX_SAME"}
    assert score.points == min(100, sum(part.points for part in score.parts))
    assert compare(Facts(), Facts())[:2] == (0, Tier.NONE)


_EDITED = st.tuples(
    st.text("abcdef", min_size=4, max_size=14),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 13), st.sampled_from("abcdef")), max_size=2
    ),
)


@given(_EDITED)
@settings(max_examples=80, deadline=None)
def test_a_name_two_edits_away_shares_a_piece(
    edited: tuple[str, list[tuple[int, int, str]]],
) -> None:
    text, edits = edited
    letters = list(text)
    for kind, place, letter in edits:
        at = min(place, len(letters) - 1)
        if kind == 0:
            letters.insert(at, letter)
        elif kind == 1 and len(letters) > 4:
            del letters[at]
        else:
            letters[at] = letter
    stored = keys.stored_keys(Facts((text,)))
    asked = {key for found in keys.piece_keys(Facts(("".join(letters),))).values() for key in found}
    assert stored.keys() & asked


_ANY = st.text(max_size=60) | st.text(
    "aA.&/ -'äß\u0410\u0441\u0301\u200b\uff21恒达有限公司株式会社주㈜\uff10\uff19GmbHSAco,und",
    max_size=80,
)


@given(_ANY)
@settings(max_examples=100, deadline=None)
def test_any_text_has_one_form(text: str) -> None:
    once = same_letters(text)
    assert same_letters(once) == once
    points, _code = name_points(normalised(text), normalised(text))
    assert points == (100 if normalised(text).tokens else 0)


def test_the_form_of_a_hostile_text_is_bounded() -> None:
    for piece in ("a.", "\u0301", "㈜", "\ufdfa", "\u0438", "ltd "):
        assert len(same_letters(piece * 100_000)) <= 8_000


def _measured(firms: int, seed: int) -> Counter[object]:
    """Look every description up among all firms, as the platform does, and count what came."""
    made = Namesakes(seed, firms).made()
    index: dict[str, list[int]] = defaultdict(list)
    for firm in made:
        for key in keys.stored_keys(firm.record):
            index[key].append(firm.number)
    found: Counter[object] = Counter()
    for firm in made:
        for told in firm.told:
            asked = [key for every in keys.piece_keys(told).values() for key in every]
            reached = {number for key in asked for number in index.get(key, ())}
            for key in keys.word_keys(told):
                reached |= set(index.get(key, ())) if len(index.get(key, ())) <= 200 else set()
            reached |= {firm.number} if told.identifiers else set()
            scores = {number: compare(told, made[number].record) for number in reached}
            for number, score in scores.items():
                found[score.tier, number == firm.number] += 1
            if not told.identifiers:
                own = scores[firm.number].points if firm.number in scores else -1
                found["asked"] += 1
                found["first"] += own == max((one.points for one in scores.values()), default=0)
    return found


def _holds(found: Counter[object], asked: int) -> None:
    assert found[Tier.CERTAIN, False] == 0
    assert found[Tier.CERTAIN, True] > 0
    likely, wrong = found[Tier.LIKELY, True], found[Tier.LIKELY, False]
    assert likely / (likely + wrong) >= 0.999
    assert likely / asked >= 0.85
    assert (likely + found[Tier.POSSIBLE, True]) / asked >= 0.995
    assert found["first"] / asked >= 0.995


def test_labelled_namesakes_are_told_apart() -> None:
    found = _measured(250, 3)
    _holds(found, found["asked"])


@pytest.mark.long
def test_ten_thousand_labelled_namesakes_are_told_apart() -> None:
    for seed in (7, 8):
        found = _measured(10_000, seed)
        _holds(found, found["asked"])
        print(seed, dict(found))  # noqa: T201 - the figures of docs/reference
