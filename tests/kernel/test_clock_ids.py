"""Time comes from a clock that is handed in; ids are ordered; equal content has one digest."""

import hashlib
import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel import ids
from scf.kernel.actor import Role
from scf.kernel.clock import Clock, FixedClock, SystemClock, in_utc
from scf.kernel.errors import InvalidInput
from scf.kernel.ids import canonical_json, digest, new_id

AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


# --- Clock ------------------------------------------------------------------------------------


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(AT)
    as_clock: Clock = clock
    assert as_clock.now() == as_clock.now() == AT
    assert clock.advance(timedelta(seconds=5)) == AT + timedelta(seconds=5)
    assert clock.advance(days=1, hours=2, minutes=3, seconds=-5) == datetime(
        2026, 3, 11, 11, 33, tzinfo=UTC
    )
    clock.advance(hours=-1)  # a clock that jumps back
    assert clock.now() == datetime(2026, 3, 11, 10, 33, tzinfo=UTC)


def test_every_clock_speaks_utc() -> None:
    seoul = datetime(2026, 3, 10, 18, 30, tzinfo=timezone(timedelta(hours=9)))
    fixed = FixedClock(seoul).now()
    assert fixed == AT
    assert fixed.tzinfo is UTC
    assert SystemClock().now().tzinfo is UTC


def test_an_instant_without_zone_is_refused() -> None:
    for act in (FixedClock, in_utc, canonical_json):
        with pytest.raises(InvalidInput) as refused:
            act(datetime(2026, 3, 10))  # noqa: DTZ001 - the point
        assert refused.value.code == "INSTANT_NAIVE"


# --- Ids --------------------------------------------------------------------------------------


def test_ids_are_canonical_uuids_of_version_seven() -> None:
    text = new_id()
    parsed = uuid.UUID(text)
    assert (len(text), str(parsed)) == (36, text)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122


def test_ids_of_one_process_are_ordered_and_unique_across_threads() -> None:
    alone = [new_id() for _ in range(20_000)]
    assert alone == sorted(set(alone))
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)))
    together = list(itertools.chain.from_iterable(batches))
    assert len(set(together)) == len(together)
    assert all(batch == sorted(batch) for batch in batches)
    assert min(together) > alone[-1]


def test_ids_stay_ordered_when_the_clock_stands_or_jumps_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ids, "_last_ms", 0)
    times = itertools.chain([1_000], itertools.repeat(400, 9_999))
    monkeypatch.setattr(ids, "unix_milliseconds", lambda: next(times))
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made[0].startswith("00000000-03e8-7")


# --- Digests ----------------------------------------------------------------------------------


def test_canonical_json_has_one_spelling() -> None:
    value = {
        "b": [1, 2.5, None, True],
        "a": "微\n",
        "on": date(2026, 3, 10),
        "at": datetime(2026, 3, 10, 18, 30, tzinfo=timezone(timedelta(hours=9))),
        "rate": Fraction(93, 2000),
        "role": Role.TREASURER,
        "set": frozenset({"z", "y"}),
        "id": uuid.UUID(int=7 << 76 | 2 << 62),
        "pair": (1, 2),
    }
    assert canonical_json(value) == (
        '{"a":"微\\n","at":"2026-03-10T09:30:00.000000Z","b":[1,2.5,null,true],'
        '"id":"00000000-0000-7000-8000-000000000000","on":"2026-03-10","pair":[1,2],'
        '"rate":"93/2000","role":"treasurer","set":["y","z"]}'
    )
    expected = hashlib.sha256(canonical_json(value).encode()).hexdigest()
    assert digest(dict(reversed(value.items()))) == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_has_no_digest(number: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        digest({"x": [number]})
    assert refused.value.code == "NUMBER_NOT_FINITE"


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\ud83d"]])
def test_half_a_character_has_no_digest(value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        digest(value)
    assert refused.value.code == "TEXT_ENCODING"


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, b"bytes", object(), {"a": {2: 3}}])
def test_what_json_would_blur_is_a_bug(value: object) -> None:
    with pytest.raises(TypeError):
        digest(value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_json, _json)
def test_different_contents_have_different_texts(left: object, right: object) -> None:
    # Python holds 1 and True equal; JSON does not, so compare what was written
    same = repr(_sorted(left)) == repr(_sorted(right))
    assert (canonical_json(left) == canonical_json(right)) == same


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
