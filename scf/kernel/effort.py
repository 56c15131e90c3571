"""Bound what a parser of foreign make may do with a hostile file, without asking a clock.

A limit in seconds would make the same file good on one machine and bad on another. Here every call
that is made inside counts, and calls on large texts count by their size; the same bytes always
come to the same sum.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

# A method of a text or of bytes counts one more for every so many characters it may look at.
_SHIFT: Final = 8
# What unpacking one stream counts; how much comes out of it is bounded by the parser.
_UNPACKING: Final = 4_000


class Exhausted(BaseException):
    """The work allowed is used up.

    No ``Exception``: parsers catch those to go on with the rest of a damaged file.
    """


@contextmanager
def limited(units: int) -> Iterator[None]:
    """Let the block make so many calls.

    Raises
    ------
    Exhausted
        When the block has used its units up.
    """
    left = units

    def count(_frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - any callable
        nonlocal left
        left -= 1
        if event == "c_call":
            owner = called.__self__
            if type(owner) is bytes or type(owner) is str:
                left -= len(owner) >> _SHIFT
            elif called.__name__ == "decompress":
                left -= _UNPACKING
        if left < 0:
            raise Exhausted

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
