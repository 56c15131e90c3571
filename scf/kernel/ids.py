"""Names of things and fingerprints of content.

Ids are made here, never by the database, so that a command knows them before it commits.
"""

import hashlib
import json
import math
import secrets
import threading
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Final

from scf.kernel.clock import in_utc, unix_milliseconds
from scf.kernel.errors import InvalidInput

_COUNTER_BITS: Final = 12
_COUNTER_TOP: Final = 1 << _COUNTER_BITS
_RANDOM_BITS: Final = 62

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> str:
    """Return a new id that sorts after those this process made before.

    Source: RFC 9562 section 5.7 (UUID version 7), section 6.2 method 1: the 12 bits after the
    milliseconds count within one millisecond, the 62 last bits are random in every id, so that
    two processes cannot meet.
    """
    global _last_ms, _counter  # noqa: PLW0603 - one order of ids per process
    with _lock:
        now = unix_milliseconds()
        if now > _last_ms:
            _last_ms = now
            # Starting in the lower half leaves room to count up within the millisecond.
            _counter = secrets.randbits(_COUNTER_BITS - 1)
        else:  # the same millisecond, or a clock that jumped back
            _counter += 1
            if _counter == _COUNTER_TOP:
                _last_ms += 1
                _counter = 0
        ms, counter = _last_ms, _counter
    value = ms << 80 | 7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(_RANDOM_BITS)
    text = f"{value:032x}"  # as uuid.UUID spells it, at a third of the cost
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _plain(value: object) -> object:  # noqa: C901, PLR0911 - one answer a kind
    """Return the value in JSON's own kinds, one spelling for one meaning."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise InvalidInput("NUMBER_NOT_FINITE", "%(value)s is no number.", value=str(value))
    if isinstance(value, datetime):
        return in_utc(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_plain(item) for item in value), key=canonical_json)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def _key(key: object) -> str:
    # JSON would write 1 and "1" alike: two contents with one fingerprint.
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is no text")
    return _text(key)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            "TEXT_ENCODING", "The text holds half a character (a lone surrogate)."
        ) from None
    return value


def canonical_json(obj: object) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, dates ISO, instants UTC.

    Equal values give equal text on every machine; floats must be finite.

    Raises
    ------
    InvalidInput
        NUMBER_NOT_FINITE or TEXT_ENCODING: foreign content that JSON cannot carry.
        INSTANT_NAIVE: an instant without a zone.
    """
    return json.dumps(
        _plain(obj), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(obj: object) -> str:
    """Return the fingerprint of a value: SHA-256 of its canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(obj).encode()).hexdigest()
